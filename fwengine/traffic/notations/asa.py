"""Log lines of Cisco ASA, PIX and FTD: `%ASA-4-106023: Deny tcp src outside:203.0.113.9/40000 dst inside:192.0.2.80/22 by …`.

The interface of the source is where the packet comes in, that of the destination where it would go out. A connection's
`Built` line is about its first packet, whose direction `inbound` or `outbound` tells: the side of lower security stands
first in both. Where the line shows translated addresses it is refused, since an access list sees one of the two. Flags
are those that ASA names; ECE and CWR it does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...model.fields import FLAG_NAMES, ICMP, ICMPV6, TCP, UDP
from ...model.packet import Packet
from .parts import NotationError, made, number, protocol

NAME = "asa"
_LOOKS = re.compile(r"%(?:ASA|PIX|FTD|FWSM)-(?:[a-z]+-)?\d-(?P<id>\d{6}): *(?P<text>.*)")
_A = r"[0-9A-Fa-f.:]+"
_USER = r"(?: ?\((?!type )[^()]*\))*"  # identities, and what else stands in parentheses
_FLAGS = {name.upper(): 1 << bit for bit, name in enumerate(FLAG_NAMES)}
_IDENTITY = frozenset({"identity", "np identity ifc"})  # the firewall itself

_DENY = re.compile(
    rf"Deny (?:inbound )?(?:protocol )?(?P<protocol>\S+) src (?P<in>[^:]+): ?(?P<src>{_A})(?:/(?P<sport>\S+))?{_USER}"
    rf" dst (?P<out>[^:]+): ?(?P<dst>{_A})(?:/(?P<dport>\S+))?{_USER}"
    r"(?: \(type (?P<type>\d+), code (?P<code>\d+)\))?(?: by access-group .*)?"
)
_ENDS = rf"from (?P<src>{_A})/(?P<sport>\S+) to (?P<dst>{_A})/(?P<dport>\S+)"
_INBOUND = re.compile(
    rf"(?:Inbound (?P<a>TCP) connection denied|Deny inbound (?P<b>UDP)|Deny (?P<c>TCP) \(no connection\)) {_ENDS}"
    r"(?: flags (?P<flags>.+?))?(?: due to DNS \w+)? +on interface (?P<in>\S+)"
)
_REVERSE = re.compile(
    rf"Deny (?P<protocol>\S+) reverse path check from (?P<src>{_A}) to (?P<dst>{_A}) on interface (?P<in>\S+)"
)
_LIST = re.compile(
    r"access-list \S+ (?:permitted|denied|est-allowed) (?P<protocol>\S+)"
    rf" (?P<in>[^/]+)/(?P<src>{_A})\((?P<sport>\w+)\){_USER} ?-> ?(?P<out>[^/]+)/(?P<dst>{_A})\((?P<dport>\w+)\){_USER} hit-cnt .*"
)
_END = rf"(?P<i%d>[^:]+): ?(?P<a%d>{_A})/(?P<p%d>\d+) ?\((?P<m%d>{_A})/(?P<q%d>\d+)\){_USER}"
_BUILT = re.compile(
    r"Built (?P<way>inbound|outbound) (?P<protocol>TCP|UDP) connection \d+ for "
    + _END.replace("%d", "1") + " to " + _END.replace("%d", "2")
)  # fmt: skip
_BUILT_ICMP = re.compile(
    rf"Built (?P<way>inbound|outbound) ICMP connection for faddr (?P<f>{_A})/\d+{_USER} gaddr (?P<g>{_A})/\d+ laddr (?P<l>{_A})/\d+"
    rf"{_USER}(?: type (?P<type>\d+) code (?P<code>\d+))?.*"
)
_TO_BOX = re.compile(
    rf"(?P<protocol>TCP|UDP) (?:access (?:denied by ACL|permitted)|request discarded) from (?P<src>{_A})/(?P<sport>\S+)"
    rf" to (?P<in>[^:]+):(?P<dst>{_A})/(?P<dport>\S+)"
)


def looks(line: str) -> bool:
    return _LOOKS.search(line) is not None


def read(line: str) -> Packet:
    """The packet of a log line.

    Raises:
        NotationError: if the message is not about one packet, or not among those that are read.

    >>> str(read('%ASA-4-106023: Deny icmp src outside:203.0.113.9 dst inside:192.0.2.80 (type 8, code 0) by access-group "a" [0x0, 0x0]'))
    'icmp 203.0.113.9 -> 192.0.2.80 type 8 code 0 in outside out inside'
    """
    found = _LOOKS.search(line)
    assert found is not None
    reader = _READERS.get(found["id"])
    if reader is None:
        said = _NO_PACKET.get(found["id"])
        if said is not None:
            raise NotationError(NAME, *said)
        known = ", ".join(sorted(_READERS))
        raise NotationError(NAME, "unreadable", f"message {found['id']} is not among those that are read: {known}")
    pattern, packet = reader
    match = pattern.fullmatch(found["text"].strip())
    if match is None:
        raise NotationError(NAME, "unreadable", f"this is not message {found['id']} as ASA writes it")
    return packet(match)


def _deny(match: re.Match[str]) -> Packet:
    ip = protocol(NAME, match["protocol"])
    optional: dict[str, Any] = {"in_interface": match["in"], **_out(match["out"])}
    for key in ("sport", "dport"):
        if match[key] is not None:
            optional[key] = number(NAME, "port", match[key])
    if match["type"] is not None:
        optional |= {"icmp_type": int(match["type"]), "icmp_code": int(match["code"])}
    return _of_family(ip, match["src"], match["dst"], optional)


def _inbound(match: re.Match[str]) -> Packet:
    ip = TCP if match["a"] or match["c"] else UDP
    optional: dict[str, Any] = {"in_interface": match["in"], **_ports(match)}
    if match["flags"] is not None:
        optional["flags"] = _flag_byte(match["flags"])
    return made(NAME, ip, match["src"], match["dst"], **optional)


def _reverse(match: re.Match[str]) -> Packet:
    return _of_family(protocol(NAME, match["protocol"]), match["src"], match["dst"], {"in_interface": match["in"]})


def _list(match: re.Match[str]) -> Packet:
    ip = protocol(NAME, match["protocol"])
    optional: dict[str, Any] = {"in_interface": match["in"], **_out(match["out"])}
    if ip in (TCP, UDP):
        optional |= _ports(match)
    # of icmp the numbers in parentheses are type and code in some releases, 0 and type in others: left open
    return _of_family(ip, match["src"], match["dst"], optional)


def _built(match: re.Match[str]) -> Packet:
    for side in "12":
        if (match[f"a{side}"], match[f"p{side}"]) != (match[f"m{side}"], match[f"q{side}"]):
            raise _translated(match[f"a{side}"], match[f"m{side}"])
    first, second = ("1", "2") if match["way"] == "inbound" else ("2", "1")
    return made(
        NAME,
        TCP if match["protocol"] == "TCP" else UDP,
        match[f"a{first}"],
        match[f"a{second}"],
        sport=int(match[f"p{first}"]),
        dport=int(match[f"p{second}"]),
        in_interface=match[f"i{first}"],
        **_out(match[f"i{second}"]),
    )


def _built_icmp(match: re.Match[str]) -> Packet:
    if match["g"] != match["l"]:
        raise _translated(match["l"], match["g"])
    src, dst = (match["f"], match["l"]) if match["way"] == "inbound" else (match["l"], match["f"])
    optional = {} if match["type"] is None else {"icmp_type": int(match["type"]), "icmp_code": int(match["code"])}
    return _of_family(ICMP, src, dst, optional)


def _to_box(match: re.Match[str]) -> Packet:
    ip = TCP if match["protocol"] == "TCP" else UDP
    return made(NAME, ip, match["src"], match["dst"], in_interface=match["in"], **_ports(match))


def _of_family(ip: int, src: str, dst: str, optional: dict[str, Any]) -> Packet:
    """ASA calls ICMPv6 `icmp`, too."""
    return made(NAME, ICMPV6 if ip == ICMP and ":" in src else ip, src, dst, **optional)


def _out(interface: str) -> dict[str, str]:
    """Where it would go out; what is meant for the firewall itself goes nowhere, and its rules may yet be open on that."""
    return {} if interface.lower() in _IDENTITY else {"out_interface": interface}


def _ports(match: re.Match[str]) -> dict[str, int]:
    return {key: number(NAME, "port", match[key]) for key in ("sport", "dport")}


def _flag_byte(text: str) -> int:
    value = 0
    for word in text.split():
        if word not in _FLAGS:
            raise NotationError(NAME, "unreadable", f"`{word}` is not a tcp flag")
        value |= _FLAGS[word]
    return value


def _translated(one: str, other: str) -> NotationError:
    message = f"the line tells of a translation, {one} to {other}: write the packet with the addresses that the policy is to see"
    return NotationError(NAME, "translated", message)


_READERS: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], Packet]]] = {
    "106001": (_INBOUND, _inbound), "106006": (_INBOUND, _inbound), "106007": (_INBOUND, _inbound),
    "106010": (_DENY, _deny), "106014": (_DENY, _deny), "106015": (_INBOUND, _inbound), "106021": (_REVERSE, _reverse),
    "106023": (_DENY, _deny), "106100": (_LIST, _list), "302013": (_BUILT, _built), "302015": (_BUILT, _built),
    "302020": (_BUILT_ICMP, _built_icmp), "710002": (_TO_BOX, _to_box), "710003": (_TO_BOX, _to_box),
    "710005": (_TO_BOX, _to_box),
}  # fmt: skip
_END_OF = ("no-packet", "the line tells of a connection's end, not of a packet: its beginning is the `Built` line")
_NO_PACKET: dict[str, tuple[Any, str]] = {
    "302014": _END_OF, "302016": _END_OF, "302021": _END_OF,
    "106016": ("untold", "the message does not tell the protocol: write `PROTOCOL SRC -> DST`"),
    "313001": ("untold", "the message does not tell the destination: write `icmp SRC -> DST type N code N`"),
}  # fmt: skip
