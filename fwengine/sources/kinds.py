"""What kind of file somebody gave: by its first bytes, or by the lines of its text.

Knows no format further than to name it. A file with errors is asked for its kind before its errors are told, since one
sentence that names it says more than a hundred that fit none of its lines. Whoever reads a format can ask here, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, NamedTuple

from ..errors import Diagnostic, Span

Family = Literal["rules", "packets", "capture", "packed", "document"]
MAX_LINES: Final = 400  # of a text that are looked at
ENOUGH: Final = 2  # lines that must look so, unless one alone leaves no doubt


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        name: for programs; of rule sets the name of their format.
        title: what people call it, with its article.
        family: "rules" for other firewalls' rule sets; "packets" for packets as text; "capture"; "packed" for what holds
            other files; "document" for the rest.
    """

    name: str
    title: str
    family: Family

    @property
    def help(self) -> str:
        """What to do with it where a policy was expected."""
        return _HELP[self.family]


_HELP: dict[Family, str] = {
    "rules": "write its rules in this language, such as `allow tcp from any to 192.0.2.80 port https`",
    "packets": "give a policy first; packets stand behind it, or come on standard input with `-`",
    "capture": "give a policy first; a capture is read with `-r`",
    "packed": "unpack it first: a policy is a plain text file; a capture is read with `-r`, also compressed by gzip",
    "document": "a policy is a plain text file of statements such as `allow tcp from any to 192.0.2.80 port https`",
}


def _packed(name: str, title: str) -> Kind:
    return Kind(name, title, "packed")


def _document(name: str, title: str) -> Kind:
    return Kind(name, title, "document")


_PCAP, _PCAPNG = Kind("pcap", "a pcap capture", "capture"), Kind("pcapng", "a pcapng capture", "capture")
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\xd4\xc3\xb2\xa1", _PCAP), (b"\xa1\xb2\xc3\xd4", _PCAP), (b"\x4d\x3c\xb2\xa1", _PCAP), (b"\xa1\xb2\x3c\x4d", _PCAP),
    (b"\x34\xcd\xb2\xa1", _PCAP), (b"\xa1\xb2\xcd\x34", _PCAP), (b"\x0a\x0d\x0d\x0a", _PCAPNG),
    (b"snoop\0\0\0", Kind("snoop", "a snoop capture", "capture")), (b"GMBU", Kind("netmon", "a Network Monitor capture", "capture")),
    (b"RTSS", Kind("netmon", "a Network Monitor capture", "capture")),
    (b"TRSNIFF data", Kind("ngsniffer", "a Sniffer capture", "capture")),
    (b"\x1f\x8b", _packed("gzip", "compressed by gzip")), (b"PK\x03\x04", _packed("zip", "a zip archive")),
    (b"PK\x05\x06", _packed("zip", "a zip archive")), (b"BZh", _packed("bzip2", "compressed by bzip2")),
    (b"\xfd7zXZ\0", _packed("xz", "compressed by xz")), (b"\x28\xb5\x2f\xfd", _packed("zstd", "compressed by zstd")),
    (b"\x04\x22\x4d\x18", _packed("lz4", "compressed by lz4")), (b"7z\xbc\xaf\x27\x1c", _packed("7z", "a 7-Zip archive")),
    (b"Rar!\x1a\x07", _packed("rar", "a RAR archive")),
    (b"%PDF-", _document("pdf", "a PDF document")), (b"\x7fELF", _document("elf", "an executable program")),
    (b"MZ\x90\0", _document("exe", "an executable program")), (b"\x89PNG\r\n", _document("png", "a PNG picture")),
    (b"\xff\xd8\xff", _document("jpeg", "a JPEG picture")), (b"GIF8", _document("gif", "a GIF picture")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _document("office", "an old Office document")),
    (b"SQLite format 3\0", _document("sqlite", "an SQLite database")), (b"PAR1", _document("parquet", "a Parquet file")),
)  # fmt: skip
_TAR_AT = 257


def of_bytes(data: bytes) -> Kind | None:
    """The kind that a file's first bytes give away; None for text, and for what is not known."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return _packed("tar", "a tar archive")
    return None


@cache  # not before a text is asked for: a policy without errors never is
def _lines(alternatives: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"^[ \t]*(?:{'|'.join(alternatives)})", re.MULTILINE)


class _Text(NamedTuple):
    """How a kind shows in lines: one of these is enough, or several of those."""

    kind: Kind
    surely: tuple[str, ...]
    often: tuple[str, ...]


def _text(family: Family, name: str, title: str, surely: tuple[str, ...] = (), often: tuple[str, ...] = ()) -> _Text:
    return _Text(Kind(name, title, family), surely, often)


_TEXTS: tuple[_Text, ...] = (  # the first that fits is the one
    _text(
        "document",
        "git-lfs",
        "a Git LFS pointer, not the file itself",
        surely=(r"version https://git-lfs\.github\.com/spec/",),
    ),
    _text(
        "document",
        "conflict",
        "a file with an unresolved merge",
        surely=(r"<<<<<<< .*\n(?s:.*)^=======\s*$(?s:.*)^>>>>>>> ",),
    ),
    _text(
        "rules",
        "iptables-save",
        "an iptables rule set",
        surely=(
            r"\*(?:filter|nat|mangle|raw|security)[ \t]*$",
            r"# Generated by ip6?tables-save",
            r":[A-Z]+ (?:ACCEPT|DROP|-) \[",
        ),
        often=(r"-[AIP] [\w.-]+ ",),
    ),
    _text(
        "rules",
        "iptables-script",
        "a shell script of iptables commands",
        often=(r"(?:sudo +)?\S*(?:ip6?tables|IPT(?:ABLES)?\}?|IP6T(?:ABLES)?\}?) +-[A-Za-z]",),
    ),
    _text(
        "rules",
        "iptables-list",
        "a listing of iptables",
        surely=(r"Chain [\w.-]+ \((?:policy|\d+ references)",),
    ),
    _text(
        "rules",
        "nft",
        "an nftables rule set",
        surely=(
            r"#!.*\bnft\b",
            r"table (?:(?:ip6?|inet|arp|bridge|netdev) )?[\w-]+ *\{",
            r"(?:add|create) (?:table|chain) ",
        ),
        often=(
            r"add rule ",
            r"chain [\w-]+ *\{",
            r"type filter hook ",
        ),
    ),
    _text(
        "rules",
        "ufw",
        "a listing of ufw rules",
        surely=(
            r"Status: (?:active|inactive)[ \t]*$",
            r"To +Action +From",
        ),
        often=(r"(?:sudo +)?ufw (?:allow|deny|reject|limit|default|route)",),
    ),
    _text(
        "rules",
        "ipfw",
        "an ipfw rule set",
        often=(
            r"(?:(?:ipfw +(?:-q +)?)?add +)?[0-9]{2,5} +(?:[0-9]+ +[0-9]+ +)?(?:allow|deny|count|check-state|pass|reset)"
            r" +(?:log +)?(?:ip4?6?|tcp|udp|icmp|all) from",
        ),
    ),
    _text(
        "rules",
        "pf",
        "a rule set of pf",
        surely=(
            r"scrub (?:in|out|on|all)\b",
            r"set skip on ",
            r"anchor \"",
            r"antispoof (?:quick )?for ",
        ),
        often=(r"(?:pass|block) ?(?:in|out|quick|drop|return|log|all|on|inet6?|proto|from|to)?\b",),
    ),
    _text(
        "rules",
        "junos",
        "a Junos configuration",
        surely=(
            r"## Last (?:commit|changed)",
            r"set (?:firewall|security|policy-options|system|interfaces) ",
            r"(?:firewall|policy-options) *\{",
            r"family inet6? *\{",
        ),
        often=(
            r"term [\w-]+ *\{",
            r"then +(?:accept|discard|reject)",
        ),
    ),
    _text(
        "rules",
        "asa",
        "a Cisco ASA configuration",
        surely=(
            r"(?:: )?(?:ASA|PIX) Version ",
            r"access-group \S+ (?:in|out) interface ",
        ),
        often=(r"access-list \S+ extended ",),
    ),
    _text(
        "rules",
        "cisco",
        "a Cisco configuration",
        surely=(
            r"ip(?:v6)? access-list ",
            r"interface (?:Fast|Gigabit|TenGigabit)?Ethernet *\d",
            r"line vty ",
        ),
        often=(
            r"access-list \S+ ",
            r"object-group ",
            r"(?:\d+ +)?(?:permit|deny) +(?:tcp|udp|icmp|ip|ipv6|esp|gre|ospf|eigrp|[0-9]+) +(?:any|host|[0-9a-f.:/]+ )",
            r"hostname ",
        ),
    ),
    _text(
        "rules",
        "fortigate",
        "a FortiGate configuration",
        surely=(
            r"config firewall ",
            r"#config-version=",
        ),
    ),
    _text(
        "rules",
        "mikrotik",
        "a RouterOS configuration",
        surely=(
            r"/ip(?:v6)? firewall ",
            r"# .* by RouterOS",
        ),
        often=(r"add action=\w+ chain=",),
    ),
    _text(
        "rules",
        "vyos",
        "a VyOS configuration",
        surely=(r"set firewall (?:name|ipv[46]) ",),
    ),
    _text(
        "rules",
        "windows",
        "a listing of Windows firewall rules",
        surely=(
            r"netsh advfirewall ",
            r"Rule Name: ",
        ),
    ),
    _text(
        "rules",
        "aerleon",
        "an Aerleon policy",
        surely=(r"target:: ",),
        often=(
            r"(?:header|term [\w-]+) *\{",
            r"(?:source-address|destination-port|action):: ",
        ),
    ),
    _text(
        "rules",
        "snort",
        "a set of Snort or Suricata rules",
        often=(r"(?:alert|drop|reject|pass) (?:tcp|udp|icmp|ip|http|dns|tls) \S+ \S+ (?:->|<>) .*\(",),
    ),
    _text(
        "rules",
        "classbench",
        "a ClassBench rule set",
        often=(r"@?\d+\.\d+\.\d+\.\d+/\d+[ \t]+\d+\.\d+\.\d+\.\d+/\d+[ \t]+\d+ ?[:-] ?\d+",),
    ),
    _text(
        "rules",
        "terraform",
        "a Terraform configuration",
        surely=(r"resource +\"\w+\" +\"",),
        often=(r"(?:provider|variable|module) +\"",),
    ),
    _text(
        "rules",
        "kubernetes",
        "Kubernetes network policies",
        surely=(r"kind: *(?:\w*NetworkPolicy)\b",),
        often=(r"apiVersion: ",),
    ),
    _text(
        "packets",
        "netfilter-log",
        "a log of netfilter: packets, not rules",
        often=(r".*\bIN=\S* .*\bSRC=\S+ DST=\S+ ",),
    ),
    _text(
        "packets",
        "tcpdump",
        "printed by tcpdump: packets, not rules",
        often=(r"(?:[0-9:.-]+ )*(?:IP6?|ARP,?) .* > .*: ",),
    ),
)

# JSON and XML: the whole is of the kind whose word is in it
_WORDS: tuple[tuple[str, Kind], ...] = tuple(
    (words, Kind(name, title, "rules"))
    for words, name, title in (
        (
            r'"(?:SecurityGroups|NetworkAcls|IpPermissions|AWSTemplateFormatVersion)"',
            "aws",
            "an AWS configuration in JSON",
        ),
        (r'"(?:securityRules|networkSecurityGroups)"', "azure", "an Azure configuration in JSON"),
        (r'"compute#firewall|"sourceRanges"', "gcp", "a Google Cloud configuration in JSON"),
        (r'"nftables"', "nft-json", "an nftables rule set in JSON"),
        (r'"kind": *"NetworkPolicy', "kubernetes", "Kubernetes network policies"),
        (r"<(?:pfsense|opnsense)>", "pfsense", "a pfSense or OPNsense configuration"),
        (r"<zone[ >]|<service[ >].*</service>", "firewalld", "a configuration of firewalld"),
        (r"<security>.*<rules>|<config version=.*<devices>", "panos", "a configuration of a Palo Alto firewall"),
    )
)


def of_text(text: str) -> Kind | None:
    """The kind of a text that is not a policy, as far as its lines tell; None if they do not."""
    head = text.removeprefix("\ufeff").lstrip()
    if (
        head[:1] in ("{", "[")
        and head.rstrip()[-1:] in ("}", "]")
        and re.match(r'[{\[]\s*(?:"|[{\[]|[\]}]|-?\d)', head)
    ):
        return _worded(head, _document("json", "a JSON document"))
    if re.match(r"<(?:\?xml|!DOCTYPE|[A-Za-z])", head):
        html = re.match(r"<(?:!DOCTYPE html|html)", head, re.IGNORECASE)
        return _document("html", "an HTML page") if html else _worded(head, _document("xml", "an XML document"))
    lines = "\n".join(text.split("\n", MAX_LINES)[:MAX_LINES])
    for kind, surely, often in _TEXTS:
        if surely and _lines(surely).search(lines):
            return kind
        found = _lines(often).finditer(lines) if often else iter(())
        if all(next(found, None) is not None for _ in range(ENOUGH)):
            return kind
    return None


def _worded(text: str, otherwise: Kind) -> Kind:
    return next((kind for words, kind in _WORDS if re.search(words, text)), otherwise)


def refused(kind: Kind, file: str, at: Span | None = None) -> Diagnostic:
    """What to say of a file of another kind in the place of a policy; `at` is where it is included."""
    where, label = (at, "included here") if at is not None else (Span(file, 1, 1, 1, 2), "")
    return Diagnostic("FW027", f"`{file}` is {kind.title}, not a policy", where, label, kind.help)


def instead(text: str, file: str, statements: int, errors: int, at: Span | None = None) -> Diagnostic | None:
    """What to say of a text instead of its syntax errors, if another kind of file explains them.

    A policy with one foreign line is still a policy: hardly any of its lines may have been understood.
    """
    kind = of_text(text) if errors else None
    if kind is None or (statements * 4 > errors and kind.name != "conflict"):
        return None
    return refused(kind, file, at)
