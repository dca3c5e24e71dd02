"""Packets as people write them -> `Packet`: the language's own notation and those of other tools.

- `tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in wan0`: read by the language's grammar
- `proto=tcp src=5.6.7.8 sport=1029 dst=192.0.2.80 dport=80`, and JSON with the same keys
- a line pasted from `tcpdump -nn`; it does not tell a first fragment from a whole packet, so that is taken as whole
- `hex:4500…`: an IP packet, byte by byte

What is left out is open, in every notation. A text that is none of these, or that could mean two packets, is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ..errors import PacketError, PolicyError, UndecodableError
from ..language.meaning.literals import flag_byte, protocol_text
from ..language.meaning.lower import lower_packet
from ..language.syntax.parser import parse_packet
from ..model import address
from ..model.fields import DCCP, ICMP, ICMPV6, KEYWORDS, OPTIONS, SCTP, TABLE, TCP, UDP
from ..model.packet import Packet, write_flags
from ..packets.wire import decode
from ..registry import names

# every field by its word and by the packet's attribute, and how people abbreviate the first
_KEYS = {"proto": "protocol", "family": "family"} | {
    key: spec.word for spec in TABLE for key in (spec.word, spec.attribute, *spec.aliases)
}
_ESCAPES = {'"': '\\"', "\\": "\\\\"}
_PAIR = re.compile(r"([A-Za-z_]+)=(\S*)")


def parse(text: str) -> Packet:
    """The packet that a text describes.

    Raises:
        PacketError: with what was expected; `__cause__` is the PolicyError with places, if the language found the error.

    >>> str(parse("proto=udp src=10.0.0.1 dst=10.0.0.2 dport=53"))
    'udp 10.0.0.1 -> 10.0.0.2:53'
    >>> str(parse("12:00:01.5 IP 5.6.7.8.1029 > 192.0.2.80.80: Flags [S], seq 1, win 64240, length 0"))
    'tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn'
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        return _from_json(stripped)
    if stripped.lower().startswith("hex:"):
        return _from_hex(stripped[4:])
    if _PAIR.match(stripped):
        return _from_pairs(stripped)
    if _TCPDUMP.match(stripped):
        return _from_tcpdump(stripped)
    return _written(text)


def from_mapping(fields: Mapping[str, object]) -> Packet:
    """A packet from keys such as `proto`, `src`, `dport`; values are numbers or the language's words.

    Raises:
        PacketError: for an unknown key, a missing one, or a value that the language refuses.
    """
    known: dict[str, str] = {}
    for key, value in fields.items():
        name = _KEYS.get(key)
        if name is None:
            near = names.near(key, _KEYS)
            raise PacketError(
                f"unknown key `{key}`"
                + (f": did you mean `{near[0]}`?" if near else f": the keys are {', '.join(_KEYS)}")
            )
        if name in known:
            raise PacketError(f"`{key}` is given twice")
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int) or str(value) == "":
            raise PacketError(f"`{key}` is a word or a whole number, not `{json.dumps(value)}`")
        if re.search(r"[\s#{}\"]", str(value)) and not _is_interface(name):
            raise PacketError(f"`{key}` is one word, not `{value}`")
        known[name] = str(value)
    for name in ("protocol", "src", "dst"):
        if name not in known:
            raise PacketError(f"`{'proto' if name == 'protocol' else name}` is missing")
    ends = []
    for side, port in (("src", "sport"), ("dst", "dport")):
        host = known[side].strip("[]") if known[side].startswith("[") and known[side].endswith("]") else known[side]
        if port in known:
            ends.append(f"[{host}]:{known[port]}" if ":" in host else f"{host}:{known[port]}")
        else:
            ends.append(host)
    words = [known["protocol"], ends[0], "->", ends[1]]
    for spec in OPTIONS:
        name = spec.word
        if name in known:
            words += [name, _quoted(known[name]) if spec.kind == "interface" else known[name]]
    packet = _written(" ".join(words))
    if "family" in known and known["family"] != str(packet.family):
        raise PacketError(f"`family` is {known['family']}, but the addresses are IPv{packet.family}")
    return packet


def to_mapping(packet: Packet) -> dict[str, object]:
    """The inverse of `from_mapping`, without what is open or absent, or `whole`, or `new`."""
    out: dict[str, object] = {"proto": protocol_text(packet.protocol)}
    for side, port in (("src", "sport"), ("dst", "dport")):
        out[side] = address.show(address.to_point(packet.family, getattr(packet, side)))
        if getattr(packet, port) is not None:
            out[port] = getattr(packet, port)
    for spec in OPTIONS:
        value = getattr(packet, spec.attribute)
        if value is None or (spec.unstated is not None and value == spec.words[spec.unstated]):
            continue
        if spec.kind == "flags":
            value = write_flags(value)
        elif spec.kind == "interface":  # `none` is no interface, an interface of that name stands in quotes
            value = _string(value) if value == "none" or value.startswith('"') else value or "none"
        out[spec.word] = value
    return out


def _is_interface(name: str) -> bool:
    return name in KEYWORDS and KEYWORDS[name].kind == "interface"


def _quoted(name: str) -> str:
    """An interface as the language takes it."""
    return name if name == "none" or name.startswith('"') else _string(name)


def _string(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in text) + '"'


def _written(text: str) -> Packet:
    try:
        return lower_packet(parse_packet(text, "<packet>"), "<packet>", text)
    except PolicyError as error:
        first = error.diagnostics[0]
        parts = [first.message, first.label, first.help]
        raise PacketError(f"`{text.strip()}`: " + "; ".join(p for p in parts if p)) from error


def _from_json(text: str) -> Packet:
    try:
        fields = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:  # also for numbers of thousands of digits
        raise PacketError(f"no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise PacketError("a packet in JSON is one object")
    return from_mapping(fields)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    out: dict[str, object] = {}
    for key, value in pairs:
        if key in out:
            raise PacketError(f"`{key}` is given twice")
        out[key] = value
    return out


def _from_pairs(text: str) -> Packet:
    fields = []
    for word in text.split():
        match = _PAIR.fullmatch(word)
        if not match:
            raise PacketError(f"`{word}` is no KEY=VALUE")
        fields.append((match[1].lower(), match[2]))
    return from_mapping(_unique(fields))


def _from_hex(text: str) -> Packet:
    digits = re.sub(r"[\s:]", "", text)
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits):
        raise PacketError("`hex:` is followed by an even number of hexadecimal digits")
    data = bytes.fromhex(digits)
    point = decode(data, _RAW_IP, len(data))
    if isinstance(point, str):
        raise UndecodableError(point, "these bytes are no whole IP packet")
    return Packet.from_point(point).replace(in_interface=None, out_interface=None)


_RAW_IP = 101  # the link type of packets that begin with the IP header


_TCPDUMP = re.compile(
    r"(?:(?:\d{4}-\d\d-\d\d )?(?:\d\d:\d\d:\d\d|\d+)(?:\.\d+)? +)?"  # a time, or none with -t
    r"(?:(?P<interface>\S+) +(?P<direction>In|Out|B|M|P) +)?"  # of cooked captures
    r"(?:\([^)]*\) )?IP6? (?:\([^)]*\) )?"
    r"(?P<src>[0-9A-Fa-f.:]+) > (?P<dst>[0-9A-Fa-f.:]+): *(?P<rest>.*)",
    re.ASCII,
)
_FLAG_LETTERS = {"S": "syn", "F": "fin", "P": "psh", "R": "rst", ".": "ack", "U": "urg", "E": "ece", "W": "cwr"}
# What tcpdump 4.99 calls ICMP messages: (family, pattern, type, code); a code that it does not print stays open.
_TCPDUMP_ICMP = (
    (4, r"echo request,", 8, None), (4, r"echo reply,", 0, None), (4, r"source quench,", 4, None),
    (4, r"net \S+ unreachable,", 3, 0), (4, r"host \S+ unreachable,", 3, 1), (4, r"\S+ protocol \d+ unreachable,", 3, 2),
    (4, r"\S+ (?:udp|tcp) port \d+ unreachable,", 3, 3), (4, r"\S+ protocol \d+ port \d+ unreachable,", 3, 3),
    (4, r"\S+ unreachable - need to frag\b", 3, 4), (4, r"\S+ unreachable - source route failed,", 3, 5),
    (4, r"net \S+ unreachable - unknown,", 3, 6), (4, r"host \S+ unreachable - unknown,", 3, 7),
    (4, r"\S+ unreachable - source host isolated,", 3, 8), (4, r"net \S+ unreachable - admin prohibited,", 3, 9),
    (4, r"host \S+ unreachable - admin prohibited,", 3, 10), (4, r"net \S+ unreachable - tos prohibited,", 3, 11),
    (4, r"host \S+ unreachable - tos prohibited,", 3, 12), (4, r"host \S+ unreachable - admin prohibited filter,", 3, 13),
    (4, r"host \S+ unreachable - host precedence violation,", 3, 14),
    (4, r"host \S+ unreachable - precedence cutoff,", 3, 15),
    (4, r"redirect \S+ to net ", 5, 0), (4, r"redirect \S+ to host ", 5, 1),
    (4, r"redirect-tos \S+ to net ", 5, 2), (4, r"redirect-tos \S+ to host ", 5, 3),
    (4, r"router advertisement ", 9, None), (4, r"router solicitation,", 10, None),
    (4, r"time exceeded in-transit,", 11, 0), (4, r"ip reassembly time exceeded,", 11, 1),
    (4, r"time stamp query ", 13, None), (4, r"time stamp reply ", 14, None), (4, r"information request,", 15, None),
    (4, r"information reply,", 16, None), (4, r"address mask request,", 17, None), (4, r"address mask is ", 18, None),
    (4, r"redirect-#", 5, None), (4, r"time exceeded-#", 11, None), (4, r"parameter problem - ", 12, None),
    (4, r"\S+ unreachable - #", 3, None),
    (6, r"destination unreachable, unreachable route ", 1, 0), (6, r"destination unreachable,  ?unreachable prohibited ", 1, 1),
    (6, r"destination unreachable, unreachable address ", 1, 3), (6, r"destination unreachable, unreachable port", 1, 4),
    (6, r"packet too big,", 2, None), (6, r"time exceeded in-transit for ", 3, 0), (6, r"time exceeded in-transit \(reassembly\),", 3, 1),
    (6, r"time exceeded in-transit, unknown code \(\d+\),", 3, None), (6, r"echo request,", 128, None),
    (6, r"echo reply,", 129, None), (6, r"router solicitation,", 133, None), (6, r"router advertisement,", 134, None),
    (6, r"neighbor solicitation,", 135, None), (6, r"neighbor advertisement,", 136, None),
    (6, r"destination unreachable, (?:beyond scope|unknown unreach code) ", 1, None), (6, r"parameter problem, ", 4, None),
    (6, r"multicast listener query ", 130, None), (6, r"multicast listener report v2,", 143, None),
    (6, r"multicast listener report(?! v)", 131, None), (6, r"multicast listener done", 132, None), (6, r"redirect,", 137, None),
)  # fmt: skip
_TCPDUMP_OTHERS = (
    (r"ESP\(", 50), (r"AH\(", 51), (r"GREv", 47), (r"igmp ", 2), (r"OSPFv", 89), (r"VRRPv", 112), (r"PIMv", 103),
    (r"EIGRP ", 88), (r"RSVPv", 46),
)  # fmt: skip


def _from_tcpdump(line: str) -> Packet:
    match = _TCPDUMP.match(line)
    assert match is not None
    src, dst, rest = match["src"], match["dst"], match["rest"]
    fields: dict[str, object] = {}
    protocol: int | str
    ported = all(_has_port(end) for end in (src, dst))
    if ported:
        for side, port, end in (("src", "sport", src), ("dst", "dport", dst)):
            fields[side], _, fields[port] = end.rpartition(".")
        protocol = _tcpdump_ported(rest, fields)
    else:
        fields["src"], fields["dst"] = src, dst
        protocol = _tcpdump_protocol(rest, fields)
    fields["proto"] = protocol
    if match["interface"]:
        if match["direction"] == "Out":
            fields["out"] = match["interface"]
        else:
            fields["in"] = match["interface"]
    return from_mapping(fields)


def _tcpdump_ported(rest: str, fields: dict[str, object]) -> int:
    """What has ports: tcpdump says so of tcp (by its flags, or by `tcp` with -q), sctp and dccp, the rest is udp."""
    flags = re.match(r"Flags \[([^\]]*)\]", rest)
    if flags:
        fields["flags"] = _flags(flags[1])
        return TCP
    for word, number in (
        (r"tcp \d", TCP),
        (r"\[\|tcp", TCP),
        (r"sctp\b", SCTP),
        (r"\[\|sctp", SCTP),
        (r"(?:\S* )?DCCP\b", DCCP),
    ):
        if re.match(word, rest):
            return number
    if re.match(r"\S*\[\|dccp|truncated-dccp", rest):
        return DCCP
    return UDP


def _has_port(end: str) -> bool:
    return end.count(".") == (4 if ":" not in end else 1)


def _flags(letters: str) -> str:
    if letters == "none":
        return "none"
    unknown = set(letters) - set(_FLAG_LETTERS)
    if unknown or not letters:
        raise PacketError(f"`Flags [{letters}]`: unknown flag")
    words = ",".join(_FLAG_LETTERS[c] for c in letters)
    flag_byte(words)
    return words


def _tcpdump_protocol(rest: str, fields: dict[str, object]) -> int:
    family = 6 if ":" in str(fields["src"]) else 4
    for word, number, of in (("ICMP ", ICMP, 4), ("ICMP6, ", ICMPV6, 6)):
        if rest.startswith(word) and family == of:
            told = rest[len(word) :]
            for where, pattern, kind, code in _TCPDUMP_ICMP:
                if where == of and re.match(pattern, told):
                    fields["type"] = kind
                    if code is not None:
                        fields["code"] = code
                    break
            else:
                kind_number = re.match(r"(?:type-#|unknown icmp6 type \()([0-9]{1,3})\b", told)
                if kind_number:
                    fields["type"] = int(kind_number[1])
            return number
    for pattern, other in _TCPDUMP_OTHERS:
        if re.match(pattern, rest) and not (family == 6 and other == 51):  # behind IPv6's AH the protocol comes
            return other
    plain = re.fullmatch(r"ip-proto-(\d{1,3})( \d+)?\s*", rest)
    if plain:
        if not plain[2]:  # of a whole packet tcpdump tells the length
            fields["fragment"] = "later"
        return int(plain[1])
    fragment = re.fullmatch(r"(tcp|udp|icmp|sctp)\s*", rest)
    if fragment:  # a name and nothing else is, without -n, a later fragment
        fields["fragment"] = "later"
        return {"tcp": TCP, "udp": UDP, "icmp": ICMP, "sctp": SCTP}[fragment[1]]
    raise PacketError(
        f"cannot tell the protocol of this tcpdump line: `{rest[:60]}`; write `PROTOCOL SRC -> DST` instead"
    )
