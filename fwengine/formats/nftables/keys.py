"""What the keys of nft's conditions are to us: a field, the packets that have it, and how its values are named.

Names are those that `nft describe` lists; services are IANA's, as everywhere in this package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...model import address
from ...model.fields import (
    CODE,
    DPORT,
    DSCP,
    DST,
    FIRST,
    FLAGS,
    FRAGMENT,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    LENGTH,
    OUT,
    PORT_PROTOCOLS,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    STATES,
    TCP,
    TTL,
    TYPE,
    WHOLE,
    interface_number,
)
from ...model.interval import IntervalSet
from ...registry import names, values
from ..matching import IFNAMSIZ, Conditions

single = IntervalSet.single
EARLY = IntervalSet(((WHOLE, FIRST),))
V4: Conditions = {SRC: address.V4, DST: address.V4}
V6: Conditions = {SRC: address.V6, DST: address.V6}
PORTED = IntervalSet.union((p, p) for p in PORT_PROTOCOLS)


class Asked(NamedTuple):
    """A key that is understood: its field, which packets have it, all values that they may have, and their names."""

    field: int
    needs: Conditions
    domain: IntervalSet
    number: Callable[[str], int | None]
    shift: int = 0  # what a value of ours is more than theirs


_TRANSPORTS = {"tcp": TCP, "udp": 17, "udplite": 136, "sctp": 132, "dccp": 33}
TYPES: Mapping[str, int] = {
    "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
    "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16, "address-mask-request": 17,
    "address-mask-reply": 18,
}  # fmt: skip
TYPES6: Mapping[str, int] = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128,
    "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132,
    "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134, "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138, "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142, "mld2-listener-report": 143,
}  # fmt: skip
_CODES: Mapping[str, int] = {
    "net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3, "frag-needed": 4,
    "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13,
}  # fmt: skip
_CODES6: Mapping[str, int] = {
    "no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3, "port-unreachable": 4, "policy-fail": 5, "reject-route": 6,
}  # fmt: skip
_PROTOCOLS: Mapping[str, int] = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51,
    "icmpv6": 58, "ipv6-icmp": 58, "eigrp": 88, "ospf": 89, "ipip": 94, "pim": 103, "comp": 108, "vrrp": 112, "l2tp": 115,
    "sctp": 132, "udplite": 136,
}  # fmt: skip
_BITS: Mapping[str, int] = {
    "fin": 1,
    "syn": 2,
    "rst": 4,
    "psh": 8,
    "ack": 16,
    "urg": 32,
    "ecn": 64,
    "ece": 64,
    "cwr": 128,
}


def plain(text: str) -> int | None:
    """A number as it is written; with a leading zero it is none: to nft it is octal."""
    if re.fullmatch("0|[1-9][0-9]*", text):
        return int(text)
    return int(text, 16) if re.fullmatch("0x[0-9a-fA-F]{1,16}", text) else None


def _named(known: Mapping[str, int]) -> Callable[[str], int | None]:
    def number(text: str) -> int | None:
        found = plain(text)
        return known.get(text) if found is None else found

    return number


def _address(text: str) -> int | None:
    try:
        return address.parse(text)
    except ValueError:
        return None


def _service(protocol: int | None) -> Callable[[str], int | None]:
    def number(text: str) -> int | None:
        found = plain(text)
        if found is not None:
            return found
        known = names.protocols_of(text)
        ports = known.get(protocol or -1) or next((ports for ports in known.values() if ports.size == 1), None)
        return ports.lo if ports is not None and ports.size == 1 else None

    return number


def _dscp(text: str) -> int | None:
    found = plain(text)
    return values.named("dscp", text) if found is None else found


def _interface(text: str) -> int | None:
    """A name. What looks like an index is none: which interface it is, is not in the rules."""
    return interface_number(text) if text and len(text.encode()) <= IFNAMSIZ and "*" not in text else None


def _state(text: str) -> int | None:
    return STATES.index(text) if text in STATES else None


def _port(f: int, protocol: int) -> Asked:
    return Asked(f, {PROTOCOL: single(protocol), FRAGMENT: EARLY}, PRESENT[f], _service(protocol))


def _icmp(f: int, protocol: int, known: Mapping[str, int]) -> Asked:
    family = V4 if protocol == ICMP else V6
    return Asked(f, {**family, PROTOCOL: single(protocol), FRAGMENT: EARLY}, PRESENT[f], _named(known))


KEYS: Mapping[tuple[str, str], Asked] = {
    ("ip", "saddr"): Asked(SRC, V4, address.V4, _address),
    ("ip", "daddr"): Asked(DST, V4, address.V4, _address),
    ("ip", "protocol"): Asked(PROTOCOL, V4, FULL[PROTOCOL], _named(_PROTOCOLS)),
    ("ip", "dscp"): Asked(DSCP, V4, FULL[DSCP], _dscp),
    ("ip", "ttl"): Asked(TTL, V4, FULL[TTL], plain),
    ("ip", "length"): Asked(LENGTH, V4, IntervalSet(((0, 65535),)), plain),
    ("ip6", "saddr"): Asked(SRC, V6, address.V6, _address),
    ("ip6", "daddr"): Asked(DST, V6, address.V6, _address),
    ("ip6", "dscp"): Asked(DSCP, V6, FULL[DSCP], _dscp),
    ("ip6", "hoplimit"): Asked(TTL, V6, FULL[TTL], plain),
    ("ip6", "length"): Asked(LENGTH, V6, IntervalSet(((40, 40 + 65535),)), plain, 40),
    ("meta", "l4proto"): Asked(PROTOCOL, {}, FULL[PROTOCOL], _named(_PROTOCOLS)),
    ("meta", "length"): Asked(LENGTH, {}, FULL[LENGTH], plain),
    # where there is no interface the name is empty, which is none of the names
    **{("meta", key): Asked(f, {}, FULL[f], _interface) for f, keys in
       ((IN, ("iif", "iifname")), (OUT, ("oif", "oifname"))) for key in keys},
    ("ct", "state"): Asked(STATE, {}, FULL[STATE], _state),
    **{(word, side): _port(f, protocol) for word, protocol in _TRANSPORTS.items()
       for side, f in (("sport", SPORT), ("dport", DPORT))},
    ("tcp", "flags"): Asked(FLAGS, {PROTOCOL: single(TCP), FRAGMENT: EARLY}, PRESENT[FLAGS], _named(_BITS)),
    ("icmp", "type"): _icmp(TYPE, ICMP, TYPES),
    ("icmp", "code"): _icmp(CODE, ICMP, _CODES),
    ("icmpv6", "type"): _icmp(TYPE, ICMPV6, TYPES6),
    ("icmpv6", "code"): _icmp(CODE, ICMPV6, _CODES6),
    ("th", "sport"): Asked(SPORT, {PROTOCOL: PORTED, FRAGMENT: EARLY}, PRESENT[SPORT], _service(None)),
    ("th", "dport"): Asked(DPORT, {PROTOCOL: PORTED, FRAGMENT: EARLY}, PRESENT[DPORT], _service(None)),
}  # fmt: skip

# keys whose values say which family a packet is of
FAMILIES: Mapping[tuple[str, str], Mapping[str, Conditions]] = {
    ("meta", "nfproto"): {"ipv4": V4, "2": V4, "ipv6": V6, "10": V6},
    ("meta", "protocol"): {"ip": V4, "0x0800": V4, "ip6": V6, "0x86dd": V6},
    ("ether", "type"): {"ip": V4, "0x0800": V4, "ip6": V6, "0x86dd": V6},
}

# keys that ask for more than our packets hold, with what a packet has to be to have them at all
DOUBTED: Mapping[str, Conditions] = {
    "tcp": {PROTOCOL: single(TCP), FRAGMENT: EARLY},
    "udp": {PROTOCOL: single(17), FRAGMENT: EARLY},
    "icmp": {**V4, PROTOCOL: single(ICMP), FRAGMENT: EARLY},
    "icmpv6": {**V6, PROTOCOL: single(ICMPV6), FRAGMENT: EARLY},
    "ip": V4,
    "ip6": V6,
    **{
        word: {}
        for word in ("meta", "ct", "ether", "vlan", "arp", "udplite", "sctp", "dccp", "th", "igmp", "esp", "ah", "comp")
    },
    **{word: {} for word in ("frag", "hbh", "rt", "dst", "mh", "srh", "exthdr")},
    **{
        word: {}
        for word in ("fib", "socket", "osf", "ipsec", "numgen", "jhash", "symhash", "raw", "tcp option", "ip option")
    },
}
