"""Lines of `tcpdump -nn`, with any of its options for times, link headers (`-e`), details (`-v`) and brevity (`-q`).

Without `-v` a line does not tell a first fragment of IPv4 from a whole packet; it is taken as whole. Of IPv6 it never
tells one from a packet with an idle fragment header, nor a later fragment's protocol: those are refused. With `-v` an
IPv4 packet takes two lines, of which the second is indented, as whatever follows it must be; both belong to one text.
"""

from __future__ import annotations

import re
from typing import Any

from ...model import address
from ...model.packet import Packet
from .parts import NotationError, made, number, protocol, shortened
from .tcpdump_tail import ADDRESS, Tail, balanced, read_tail

NAME = "tcpdump"
_MAC = r"(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}"
_TIME = re.compile(
    r"(?: *\d+  (?=\d|\[|\w+ ))?"  # the number of the packet, with -#
    r"(?: *-?(?:(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:\.\d+)?|\d+(?:\.\d+)?|\[Error converting time\]) +)?"
)
_COOKED = re.compile(
    rf"(?:(?P<interface>\S+) +)?(?P<direction>In|Out|B|M|P) +(?:ifindex \d+ )?(?P<mac>{_MAC} )?(?:\([^)]*\) )?"
)
# what stands before the IP header; with `-e` the word `IP` is then left out
_LINK = re.compile(
    rf"{_MAC} > {_MAC},? "
    r"|(?:oui [^(]+ \(0x[0-9a-f]{6}\), )?ethertype [^(]+ \(0x[0-9a-f]{4}\)(?:, length \d+)?[:,] "
    r"|(?:IPv[46]|802\.1Q\S*|PPPoE S|MPLS unicast), length \d+: "
    r"|802\.3, length \d+: |LLC, dsap SNAP \(0xaa\) \S+, ssap SNAP \(0xaa\) \S+, ctrl 0x03: "
    r"|vlan \d+, p \d+(?:, DEI|, CFI)?, "
    r"|(?:unicast|bcast), (?=ethertype)|PPPoE  \[ses 0x[0-9a-f]+\] "
    r"|(?:IP6?|MPLS) \(0x[0-9a-f]{4}\), length \d+: "
    r"|AF \S+ \(\d+\), length \d+: |ip6?: "
    r"|MPLS \(label \d+[^)]*\)(?: \(label \d+[^)]*\))*\s+",
    re.ASCII,
)
_TRUNCATED = re.compile(r"truncated-ip6? - \d+ bytes missing! ?")
_ENDS = re.compile(rf"(?P<src>{ADDRESS}) > (?P<dst>{ADDRESS}): *(?P<rest>.*)", re.ASCII)
_IPV4 = re.compile(
    r"\(tos 0x[0-9a-f]+.*?, offset (?P<offset>\d+), flags \[(?P<flags>[^]]*)\], proto .*?\((?P<proto>\d+)\)", re.ASCII
)
_IPV6 = re.compile(r"\([^)]*\bnext-header .*?\((?P<proto>\d+)\),? payload length: \d+", re.ASCII)
# of what every packet has: IPv4 leaves out a ttl of 0, IPv6 a class of 0
_TOS = re.compile(r"\(tos 0x([0-9a-f]+)", re.ASCII)
_TTL = re.compile(r", ttl (\d+),", re.ASCII)
_LENGTH = re.compile(r", proto .*?\(\d+\), length (\d+)", re.ASCII)
_CLASS = re.compile(r"\(class 0x([0-9a-f]+),", re.ASCII)
_HOP_LIMIT = re.compile(r"\bhlim (\d+),", re.ASCII)
_PAYLOAD = re.compile(r" payload length: (\d+)", re.ASCII)
_NAMED = re.compile(r"\S+ > \S+: ")


def looks(line: str) -> bool:
    return _begin(line) is not None


def read(line: str) -> Packet:
    """The packet of a line.

    Raises:
        NotationError: if the line does not tell one.

    >>> str(read("IP6 :: > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28"))
    'icmpv6 :: -> ff02::16 type 143'
    """
    begun = _begin(line)
    assert begun is not None
    interface, at = begun
    text, *more = line[at:].split("\n")
    for other in more:
        if other.strip() and not other[0].isspace():
            raise NotationError(
                NAME, "ambiguous", "there are several lines, and one that is not indented begins another packet"
            )
    if more and text.endswith(")"):  # the details of IPv4 stand on a line of their own
        text = f"{text} {more[0].strip()}"
    return behind_link(text, interface)


def _details(head: str, v4: bool) -> dict[str, int]:
    """dscp, ttl and length, which `-v` tells in front; a length of 0 is what offloading leaves, and tells nothing."""
    traffic, ttl, length = [
        pattern.search(head) for pattern in ((_TOS, _TTL, _LENGTH) if v4 else (_CLASS, _HOP_LIMIT, _PAYLOAD))
    ]
    out = {"dscp": int(traffic[1], 16) >> 2 if traffic else 0, "ttl": int(ttl[1]) if ttl else 0}
    if length and int(length[1]):
        out["length"] = int(length[1]) + (0 if v4 else 40)
    return out


def _begin(line: str) -> tuple[dict[str, str], int] | None:
    """The interface, and where the IP header's part begins; None if this is not a line of tcpdump about IP."""
    first = line.split("\n", 1)[0]
    time = _TIME.match(first)
    assert time is not None
    at, interface, linked = time.end(), {}, False
    cooked = _COOKED.match(first, at)
    if cooked and (cooked["interface"] or time.end()):
        at, linked = cooked.end(), cooked["mac"] is not None
        if cooked["interface"]:
            interface = {"out_interface" if cooked["direction"] == "Out" else "in_interface": cooked["interface"]}
    while link := _LINK.match(line, at):
        at, linked = link.end(), True
    word = re.compile(r"IP6? ").match(line, at)
    if word is None and not linked:
        return None
    if word is None and not re.compile(rf"[(]|truncated-ip|{ADDRESS} > ", re.ASCII).match(line, at):
        return None
    return interface, word.end() if word else at


def behind_link(text: str, interface: dict[str, str]) -> Packet:
    """The packet of what stands behind the link header and the word `IP`.

    Raises:
        NotationError: as `read`.
    """
    text = text[_skip(text) :]
    stated: int | None = None
    optional: dict[str, Any] = dict(interface)
    if text.startswith("("):
        details = _IPV4.match(text) or _IPV6.match(text)
        end = balanced(text, 0)
        if details is None or end is None:
            raise NotationError(
                NAME, "unreadable", f"`{shortened(text)}` is not what `tcpdump -v` writes of an IP header"
            )
        stated = protocol(NAME, details["proto"])
        optional |= _details(text[:end], details.re is _IPV4)
        if "offset" in details.re.groupindex:
            if details["offset"] != "0":
                optional["fragment"] = "later"
            elif "+" in details["flags"]:
                optional["fragment"] = "first"
        text = text[end:].lstrip()
        text = text[_skip(text) :]
    ends = _ENDS.match(text)
    if ends is None:
        raise NotationError(NAME, "unreadable", _why_no_ends(text, stated is not None))
    ported = [end_of(ends[side]) for side in ("src", "dst")]
    (src, sport), (dst, dport) = ported
    if (sport is None) != (dport is None):
        raise NotationError(NAME, "unreadable", "one end has a port and the other has none")
    family = 6 if ":" in src else 4
    if optional.get("fragment") == "later":
        assert stated is not None
        return made(NAME, stated, src, dst, **optional)
    tail = read_tail(ends["rest"], family, sport is not None, stated)
    return _made(tail, src, dst, sport, dport, optional)


def _made(tail: Tail, src: str, dst: str, sport: str | None, dport: str | None, optional: dict[str, Any]) -> Packet:
    if tail.ports is not None:
        sport, dport = tail.ports
    if sport is not None and dport is not None:
        optional |= {"sport": number(NAME, "port", sport), "dport": number(NAME, "port", dport)}
    return made(NAME, tail.protocol, src, dst, **optional, **tail.optional)


def _skip(text: str) -> int:
    found = _TRUNCATED.match(text)
    return found.end() if found else 0


def end_of(word: str) -> tuple[str, str | None]:
    """An address, and the port behind its last dot if there is one."""
    if address.is_address(word):
        return word, None
    host, dot, port = word.rpartition(".")
    if dot and port.isdigit() and address.is_address(host):
        return host, port
    raise NotationError(NAME, "unreadable", f"`{shortened(word)}` is not an address, with or without a port")


def _why_no_ends(text: str, detailed: bool) -> str:
    if _NAMED.match(text):
        return "names are not looked up: print the line with `tcpdump -nn`"
    if not text.strip() and detailed:
        return "the line with the addresses, which `tcpdump -v` writes below this one, is missing"
    return f"there are no two addresses in `{shortened(text)}`"
