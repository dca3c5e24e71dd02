"""Link layers: where IP begins in a frame, and whether the frame was leaving the host.

Knows nothing of IP beyond its version nibble. The numbers are those of the LINKTYPE registry
(draft-ietf-opsawg-pcaplinktype), ethertypes IANA's. VLAN (IEEE 802.1Q, 802.1ad), MPLS (RFC 3032), PPPoE (RFC 2516), PPP
(RFC 1661, RFC 1662), LLC and SNAP (RFC 1042) are stepped through.
"""

from __future__ import annotations

from collections.abc import Callable

Bytes = bytes | memoryview
Place = tuple[int, int] | str  # (IP version, or 0: as its nibble says; offset of the IP header), or the frame's class

NOT_IP, MALFORMED, TRUNCATED = "not-ip", "malformed", "truncated"

ETHERNET, RAW, COOKED, COOKED_2 = 1, 101, 113, 276
LINK_TYPES = {
    "ip": RAW, "ethernet": ETHERNET, "ipv4": 228, "ipv6": 229, "null": 0, "loop": 108, "sll": COOKED, "sll2": COOKED_2,
    "ppp": 9, "ppp-hdlc": 50, "pppoe": 51, "hdlc": 104,
}  # fmt: skip

IPV4, IPV6, PPPOE = 0x0800, 0x86DD, 0x8864
VLAN = frozenset({0x8100, 0x88A8, 0x9100})
MPLS = frozenset({0x8847, 0x8848})
MAX_TAGS = 16  # VLAN tags, MPLS labels, PPPoE and SNAP headers in one frame

_PPP = {0x0021: IPV4, 0x0057: IPV6, 0x0281: 0x8847, 0x0283: 0x8848}
_AF_INET, _AF_INET6 = 2, frozenset({10, 24, 28, 30})  # Linux; NetBSD and OpenBSD; FreeBSD; Darwin
_NO_ETHERTYPE = frozenset(
    {803, 824}
)  # ARPHRD of radiotap and netlink: the cooked header's protocol means something else
_OUTGOING = 4


def locate(data: Bytes, link: int, wire_length: int) -> Place:
    """Where the IP header of a frame begins, or "not-ip", "malformed" or "truncated". O(tags)."""
    reader = _LINKS.get(link)
    return NOT_IP if reader is None else reader(data, wire_length)


def is_supported(link: int) -> bool:
    """Are frames of this link type decoded? All frames of the others are "not-ip"."""
    return link in _LINKS


def is_outgoing(data: Bytes, link: int) -> bool:
    """Does a Linux cooked header say that the frame was sent by the capturing host?

    False for link types that do not tell.
    """
    if link == COOKED:
        return len(data) >= 2 and data[0] == 0 and data[1] == _OUTGOING
    return link == COOKED_2 and len(data) >= 11 and data[10] == _OUTGOING


def missing(need: int, wire_length: int) -> str:
    """The class of a frame captured short of `need` bytes: did at least the wire have them?"""
    return TRUNCATED if need <= wire_length else MALFORMED


def _ethernet(data: Bytes, wire_length: int) -> Place:
    if len(data) < 14:
        return missing(14, wire_length)
    return _follow(data, data[12] << 8 | data[13], 14, wire_length)


def _raw(data: Bytes, wire_length: int) -> Place:
    return 0, 0


def _raw4(data: Bytes, wire_length: int) -> Place:
    return 4, 0


def _raw6(data: Bytes, wire_length: int) -> Place:
    return 6, 0


def _loopback(data: Bytes, wire_length: int) -> Place:
    if len(data) < 4:
        return missing(4, wire_length)
    # the byte order is the capturing host's, which the file does not tell; all families are small numbers
    family = int.from_bytes(data[:4], "little" if data[0] or data[1] else "big")
    if family == _AF_INET:
        return 4, 4
    return (6, 4) if family in _AF_INET6 else NOT_IP


def _cooked(data: Bytes, wire_length: int) -> Place:
    if len(data) < 16:
        return missing(16, wire_length)
    return _cooked_type(data, data[2] << 8 | data[3], data[14] << 8 | data[15], 16, wire_length)


def _cooked_2(data: Bytes, wire_length: int) -> Place:
    if len(data) < 20:
        return missing(20, wire_length)
    return _cooked_type(data, data[8] << 8 | data[9], data[0] << 8 | data[1], 20, wire_length)


def _cooked_type(data: Bytes, hardware: int, protocol: int, at: int, wire_length: int) -> Place:
    if hardware in _NO_ETHERTYPE or (protocol < 0x600 and protocol != 4):  # 4 is "LLC follows"
        return NOT_IP
    return _follow(data, protocol, at, wire_length)


def _ppp(data: Bytes, wire_length: int) -> Place:
    at = 2 if data and data[0] == 0xFF else 0  # address and control, unless compressed away
    ethertype = _ppp_ethertype(data, at)
    if ethertype is None:
        return missing(at + 2, wire_length)
    return _follow(data, *ethertype, wire_length)


def _ppp_serial(data: Bytes, wire_length: int) -> Place:
    if data and data[0] in (0x0F, 0x8F):  # Cisco's HDLC
        return _hdlc(data, wire_length)
    return _ppp(data, wire_length)


def _hdlc(data: Bytes, wire_length: int) -> Place:
    if len(data) < 4:
        return missing(4, wire_length)
    protocol = data[2] << 8 | data[3]
    return NOT_IP if protocol < 0x600 else _follow(data, protocol, 4, wire_length)


def _pppoe(data: Bytes, wire_length: int) -> Place:
    return _follow(data, PPPOE, 0, wire_length)


def _ppp_ethertype(data: Bytes, at: int) -> tuple[int, int] | None:
    """What a PPP protocol field stands for and where it ends: at its first odd byte, RFC 1661 section 2."""
    if at < len(data) and data[at] & 1:
        return _PPP.get(data[at], 0xFFFF), at + 1
    if at + 2 > len(data):
        return None
    return _PPP.get(data[at] << 8 | data[at + 1], 0xFFFF), at + 2


def _follow(data: Bytes, ethertype: int, at: int, wire_length: int) -> Place:
    """From an ethertype (or an 802.3 length) and what follows it to the IP header."""
    size = len(data)
    tags = 0
    while ethertype != IPV4:
        if ethertype == IPV6:
            return 6, at
        tags += 1
        if tags > MAX_TAGS:
            return MALFORMED
        if ethertype in VLAN:
            at += 4
            if at > size:
                return missing(at, wire_length)
            ethertype = data[at - 2] << 8 | data[at - 1]
        elif ethertype in MPLS:
            at += 4
            if at > size:
                return missing(at, wire_length)
            if data[at - 2] & 1:  # the bottom of the stack: no field says what follows
                if at == size:
                    return missing(at + 1, wire_length)
                version = data[at] >> 4
                return (version, at) if version in (4, 6) else NOT_IP
        elif ethertype == PPPOE:
            at += 6
            if at > size:
                return missing(at, wire_length)
            if data[at - 5]:  # a code other than 0 is no session data
                return NOT_IP
            behind = _ppp_ethertype(data, at)
            if behind is None:
                return missing(at + 2, wire_length)
            ethertype, at = behind
        elif ethertype <= 1500:  # an 802.3 length: LLC follows
            if at + 3 > size:
                return missing(at + 3, wire_length)
            llc = bytes(data[at : at + 3])
            if llc == b"\x06\x06\x03":
                return 4, at + 3
            if llc != b"\xaa\xaa\x03":
                return NOT_IP
            at += 8
            if at > size:
                return missing(at, wire_length)
            ethertype = data[at - 2] << 8 | data[at - 1]
            if bytes(data[at - 5 : at - 2]) != b"\0\0\0" or ethertype <= 1500:  # another organisation's numbers
                return NOT_IP
        else:
            return NOT_IP
    return 4, at


_LINKS: dict[int, Callable[[Bytes, int], Place]] = {
    ETHERNET: _ethernet,
    12: _raw,
    14: _raw,
    RAW: _raw,
    228: _raw4,
    229: _raw6,
    0: _loopback,
    108: _loopback,
    COOKED: _cooked,
    COOKED_2: _cooked_2,
    9: _ppp,
    50: _ppp_serial,
    51: _pppoe,
    104: _hdlc,
}
