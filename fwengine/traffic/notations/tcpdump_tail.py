"""What tcpdump writes behind `SRC > DST:`: the protocol, its flags or type, and IPv6's extension headers before it.

The words are tcpdump 4.99's. Of protocols with ports tcpdump names tcp (by its flags, or with `-q`), sctp and dccp; what
else has ports is udp. A code that is not printed stays open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ...model.fields import DCCP, ICMP, ICMPV6, PORT_PROTOCOLS, SCTP, STEPPED_THROUGH, TCP, UDP
from .parts import NotationError, shortened

NAME = "tcpdump"
ADDRESS = r"[0-9A-Fa-f.:]*[0-9A-Fa-f:]"
_FRAGMENT, _NO_NEXT = 44, 59

FLAG_LETTERS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128}


@dataclass
class Tail:
    """What the rest of a line tells: `ports` where they stand behind extension headers."""

    protocol: int
    optional: dict[str, Any] = field(default_factory=dict)
    ports: tuple[str, str] | None = None


# What tcpdump calls ICMP messages: (family, pattern, type, code).
_MESSAGES = [
    (family, re.compile(pattern), kind, code)
    for family, pattern, kind, code in (
        (4, r"echo request\b", 8, None), (4, r"echo reply\b", 0, None), (4, r"source quench\b", 4, None),
        (4, r"net \S+ unreachable,", 3, 0), (4, r"host \S+ unreachable,", 3, 1),
        (4, r"\S+ protocol \d+ unreachable,", 3, 2),
        (4, r"\S+ (?:udp|tcp) port \d+ unreachable", 3, 3), (4, r"\S+ protocol \d+ port \d+ unreachable", 3, 3),
        (4, r"\S+ unreachable - need to frag\b", 3, 4), (4, r"\S+ unreachable - source route failed\b", 3, 5),
        (4, r"net \S+ unreachable - unknown\b", 3, 6), (4, r"host \S+ unreachable - unknown\b", 3, 7),
        (4, r"\S+ unreachable - source host isolated\b", 3, 8), (4, r"net \S+ unreachable - admin prohibited,", 3, 9),
        (4, r"host \S+ unreachable - admin prohibited,", 3, 10), (4, r"net \S+ unreachable - tos prohibited\b", 3, 11),
        (4, r"host \S+ unreachable - tos prohibited\b", 3, 12), (4, r"host \S+ unreachable - admin prohibited filter\b", 3, 13),
        (4, r"host \S+ unreachable - host precedence violation\b", 3, 14),
        (4, r"host \S+ unreachable - precedence cutoff\b", 3, 15),
        (4, r"redirect \S+ to net ", 5, 0), (4, r"redirect \S+ to host ", 5, 1),
        (4, r"redirect-tos \S+ to net ", 5, 2), (4, r"redirect-tos \S+ to host ", 5, 3),
        (4, r"(?:mobileip )?router advertisement ", 9, None), (4, r"router solicitation\b", 10, None),
        (4, r"time exceeded in-transit\b", 11, 0), (4, r"ip reassembly time exceeded\b", 11, 1),
        (4, r"time stamp query ", 13, None), (4, r"time stamp reply ", 14, None), (4, r"information request\b", 15, None),
        (4, r"information reply\b", 16, None), (4, r"address mask request\b", 17, None), (4, r"address mask is ", 18, None),
        (4, r"redirect-#", 5, None), (4, r"time exceeded-#", 11, None), (4, r"parameter problem - ", 12, None),
        (4, r"\S+ unreachable - #", 3, None),
        (6, r"destination unreachable, unreachable route ", 1, 0), (6, r"destination unreachable,  ?unreachable prohibited ", 1, 1),
        (6, r"destination unreachable, unreachable address ", 1, 3), (6, r"destination unreachable, unreachable port", 1, 4),
        (6, r"packet too big\b", 2, None), (6, r"time exceeded in-transit for ", 3, 0),
        (6, r"time exceeded in-transit \(reassembly\)", 3, 1),
        (6, r"time exceeded in-transit, unknown code \(\d+\)", 3, None), (6, r"echo request\b", 128, None),
        (6, r"echo reply\b", 129, None), (6, r"router solicitation\b", 133, None), (6, r"router advertisement\b", 134, None),
        (6, r"neighbor solicitation\b", 135, None), (6, r"neighbor advertisement\b", 136, None),
        (6, r"destination unreachable, (?:beyond scope|unknown unreach code) ", 1, None), (6, r"parameter problem, ", 4, None),
        (6, r"multicast listener query ", 130, None), (6, r"multicast listener report v2\b", 143, None),
        (6, r"multicast listener report(?=,| ?max)", 131, None), (6, r"multicast listener done", 132, None), (6, r"redirect\b", 137, None),
        (6, r"node information (?:query|request)\b", 139, None), (6, r"node information reply\b", 140, None),
        (6, r"router renumbering\b", 138, None),
    )
]  # fmt: skip
_OTHERS = [
    (re.compile(pattern), number)
    for pattern, number in (
        (r"ESP\(", 50), (r"AH\(", 51), (r"GREv", 47), (r"igmp |mtrace \d+:|mresp \d+:", 2), (r"OSPFv", 89),
        (r"VRRPv|CARPv", 112), (r"PIMv", 103), (r"EIGRP ", 88), (r"RSVPv", 46), (r"IPComp\(", 108), (r"igrp: ", 9),
        (r"EGPv", 8), (r"IP ", 4), (r"IP6 ", 41), (rf"{ADDRESS} > {ADDRESS}: PGM, ", 113), (r"no next header\b", _NO_NEXT),
    )
]  # fmt: skip
_CUT = {
    "tcp": TCP, "udp": UDP, "icmp": ICMP, "icmp6": ICMPV6, "sctp": SCTP, "dccp": DCCP, "ah": 51, "esp": 50, "ipcomp": 108,
    "gre": 47, "igmp": 2, "pim": 103, "vrrp": 112, "rsvp": 46, "eigrp": 88, "igrp": 9, "pgm": 113,
}  # fmt: skip
_ALONE = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "sctp": SCTP, "dccp": DCCP, "gre": 47, "esp": 50, "ah": 51, "ospf": 89}
_CHECKSUM = re.compile(r"\[(?:(?:icmp6|udp|tcp) sum ok|bad (?:icmp6|udp) cksum [^]]*|no cksum)\] ")
_PORTS = re.compile(r"(\d{1,5}) > (\d{1,5}): *")


def read_tail(rest: str, family: int, ported: bool, stated: int | None) -> Tail:
    """What the rest of a line tells.

    Args:
        ported: do the addresses before it have ports?
        stated: the protocol, or IPv6's first next header, as `-v` tells it.

    Raises:
        NotationError: if it does not tell the protocol, or tells two.
    """
    tail = Tail(-1)
    if family == 6:
        before = rest
        rest = _behind_headers(rest)
        if stated in STEPPED_THROUGH or rest != before:
            stated = None  # it was the first of the headers
        ports = _PORTS.match(rest)
        if ports is not None and not ported:
            tail.ports, ported, rest = (ports[1], ports[2]), True, rest[ports.end() :]
    rest = _unchecked(rest)
    found = _ported(rest, tail) if ported else _plain(rest, family, tail)
    if ported and stated in PORT_PROTOCOLS and found == UDP:  # udp is what is left over: the details know better
        found = stated
    if family == 6 and stated is None and found in (4, 41):
        message = (
            "an IP packet inside, in IPv6 itself or in a frame of Ethernet (protocol 143): tcpdump does not write which"
        )
        raise NotationError(NAME, "ambiguous", message)
    if stated is not None and found is not None and found != stated:
        raise NotationError(NAME, "ambiguous", f"the details say protocol {stated}, the rest of the line {found}")
    known = found if found is not None else stated
    if known is None:
        message = (
            f"cannot tell the protocol of this tcpdump line: `{shortened(rest)}`; write `PROTOCOL SRC -> DST` instead"
        )
        raise NotationError(NAME, "untold", message)
    tail.protocol = known
    return tail


def balanced(text: str, at: int) -> int | None:
    """The end of the parentheses that begin at a place; None if they do not end."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return None


_TRUNCATED = re.compile(r"truncated-ip6 - \d+ bytes missing! ?")
_OPTIONS = re.compile(r"(?:HBH|DSTOPT) ")
_ROUTING = re.compile(r"(?:RT6|srcrt) (?=\()")
_FRAGMENTED = re.compile(r"frag \((?:0x[0-9a-f]+:)?(\d+)\|\d+\) ?")
_AH = re.compile(r"AH(?=\()")


def _behind_headers(rest: str) -> str:
    """What stands behind IPv6's extension headers, those that filters step through."""
    while True:
        if match := _TRUNCATED.match(rest):
            rest = rest[match.end() :]
        elif match := _OPTIONS.match(rest):
            rest = rest[match.end() :].lstrip(" ")
            while rest.startswith("("):
                rest = _without(rest, 0)
        elif match := _ROUTING.match(rest):
            rest = _without(rest, match.end())
        elif match := _AH.match(rest):
            rest = _without(rest, match.end()).removeprefix(":").lstrip(" ")
        elif match := _FRAGMENTED.match(rest):
            if match[1] != "0":
                raise NotationError(NAME, "untold", "a later fragment of IPv6, whose protocol tcpdump does not write")
            raise NotationError(
                NAME, "ambiguous",
                "tcpdump does not write whether this is a first fragment or a whole packet with a fragment header: "
                "write `PROTOCOL SRC -> DST`, with `fragment first` if it is one",
            )  # fmt: skip
        else:
            return rest


def _without(rest: str, at: int) -> str:
    end = balanced(rest, at)
    if end is None:
        raise NotationError(NAME, "untold", f"an extension header does not end in `{shortened(rest)}`")
    return rest[end:].lstrip(" ")


def _unchecked(rest: str) -> str:
    match = _CHECKSUM.match(rest)
    return rest[match.end() :] if match else rest


def _ported(rest: str, tail: Tail) -> int | None:
    """What has ports: tcpdump says so of tcp (by its flags, or by `tcp` with -q), sctp and dccp; the rest is udp."""
    flags = re.match(r"Flags \[([^\]]*)\]", rest)
    if flags:
        tail.optional["flags"] = flag_byte(flags[1])
        return TCP
    for pattern, protocol in ((r"tcp \d|\[\|tcp", TCP), (r"sctp\b|\[\|sctp", SCTP), (r"(?:\S* )?DCCP\b", DCCP)):
        if re.match(pattern, rest):
            return protocol
    if re.match(r"\S*\[\|dccp|truncated-dccp", rest):
        return DCCP
    if any(word.startswith(rest.strip()) for word in ("Flags [", "tcp ", "sctp", "DCCP")):  # nothing, or cut short
        return None
    return UDP


def flag_byte(letters: str) -> int:
    """TCP flags as in `S.`.

    Raises:
        NotationError: for a letter that is not one of them.
    """
    if letters == "none":
        return 0
    if not letters or set(letters) - FLAG_LETTERS.keys():
        raise NotationError(NAME, "unreadable", f"`Flags [{shortened(letters)}]`: unknown flag")
    return sum({FLAG_LETTERS[letter] for letter in letters})


def _plain(rest: str, family: int, tail: Tail) -> int | None:
    """The protocol of what has no ports; None if it cannot be told."""
    for word, protocol, of in (("ICMP ", ICMP, 4), ("ICMP6, ", ICMPV6, 6)):
        if rest.startswith(word) and family == of:
            _message(rest[len(word) :], family, tail)
            return protocol
    for pattern, other in _OTHERS:
        if pattern.match(rest):
            return other
    if family == 6 and re.match(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2} > ", rest):
        return 143
    if family == 4 and rest.endswith(" (ipip-proto-4)") and re.match(rf"{ADDRESS} > ", rest):
        return 4
    if rest.startswith("mobility: ") and family == 6:
        return None  # 135, or 62 of the old drafts: tcpdump does not write which, unless `-v` does
    cut = re.match(r"\[\|([a-z0-9]+)\]", rest)
    if cut and cut[1] in _CUT:
        return _CUT[cut[1]]
    plain = re.fullmatch(r"ip-proto-(\d{1,3})( \d+)?\s*", rest)
    if plain:
        if not plain[2]:  # of a whole packet tcpdump tells the length
            tail.optional["fragment"] = "later"
        return int(plain[1])
    alone = rest.strip()
    if alone in _ALONE and family == 4:  # a name and nothing else is, without -n, a later fragment
        tail.optional["fragment"] = "later"
        return _ALONE[alone]
    return None


def _message(told: str, family: int, tail: Tail) -> None:
    for where, pattern, kind, code in _MESSAGES:
        if where == family and pattern.match(told):
            tail.optional["icmp_type"] = kind
            if code is not None:
                tail.optional["icmp_code"] = code
            return
    number = re.match(r"(?:type-#|unknown icmp6 type \()([0-9]{1,3})\b", told)
    if number:
        tail.optional["icmp_type"] = int(number[1])
