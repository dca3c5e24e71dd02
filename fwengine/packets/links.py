"""Link layers: where IP begins in a frame, and whether the frame was leaving the host.

Knows nothing of IP beyond its version nibble. `_LINKS` is the table of the link types that are stepped through, `tags`
has the one of ethertypes; what is in neither is a kind of its own, counted and told. The numbers are those of the
LINKTYPE registry (draft-ietf-opsawg-pcaplinktype); where OpenBSD's own files use some of them for other things, the
first bytes tell which is meant.
"""

from __future__ import annotations

from collections.abc import Callable

from .logs import INET, INET6, NFLOG, PFLOG, PKTAPS, family_place, nflog, pflog
from .place import (
    ARCNET,
    CONTROL,
    COOKED,
    FAMILY,
    HARDWARE,
    HDLC,
    JUNIPER,
    LINK,
    MALFORMED,
    NOT_IP,
    PACKED,
    TRUNCATED,
    Bytes,
    Place,
    missing,
    not_ip,
)
from .radio import avs, prism, radiotap, wlan
from .tags import LENGTH, PPPOE, Step, ethernet, follow, framed_ppp, llc, nlpid

__all__ = [
    "LINK_TYPES", "MALFORMED", "NOT_IP", "TRUNCATED", "Bytes", "find", "is_outgoing", "is_supported", "locate", "missing",
]  # fmt: skip

ETHERNET, RAW, COOKED_1, COOKED_2 = 1, 101, 113, 276
LINK_TYPES = {
    "ip": RAW, "ethernet": ETHERNET, "ipv4": 228, "ipv6": 229, "null": 0, "loop": 108, "sll": COOKED_1, "sll2": COOKED_2,
    "ppp": 9, "ppp-hdlc": 50, "pppoe": 51, "hdlc": 104,
}  # fmt: skip

_SLIP, _PPP_DIRECTED, _HDLC_DIRECTED, _RELAY_DIRECTED, _JUNIPER = 8, 204, 205, 206, 178
_DIRECTED = frozenset({_SLIP, _PPP_DIRECTED, _HDLC_DIRECTED, _RELAY_DIRECTED})  # whose first byte is 0 for what came in
_PPI = 192
_MAGIC = b"MGC"  # Juniper's
_HARDWARE_RELAY, _HARDWARE_RADIOTAP, _HARDWARE_NETLINK = (
    770,
    803,
    824,
)  # where a cooked header's protocol is not an ethertype
_OUTGOING = 4
_ARCNET_TYPES = {212: 4, 240: 4, 196: 6}
_ARCNET_OLD = frozenset({128, 240, 241})  # types whose headers end behind them
_SOLARIS = {2: 4, 26: 6}


def locate(data: Bytes, link: int, wire_length: int) -> tuple[int, int] | str:
    """Where the IP header of a frame begins, or "not-ip", "malformed" or "truncated". O(tags)."""
    reader = _LINKS.get(link)
    if reader is None:
        return NOT_IP
    place = reader(data, 0, wire_length)  # not by way of `find`: calls are what a frame costs
    return NOT_IP if isinstance(place, int) else place


def find(data: Bytes, link: int, wire_length: int) -> Place:
    """As `locate`, with the kind of a frame without IP."""
    return _dispatch(data, link, 0, wire_length)


def is_supported(link: int) -> bool:
    """Are frames of this link type decoded? All frames of the others are "not-ip"."""
    return link in _LINKS


def is_outgoing(data: Bytes, link: int) -> bool:
    """Does the link header say that the frame was sent by the capturing host?

    False for link types that do not tell.
    """
    if link == COOKED_1:
        return len(data) >= 2 and data[0] == 0 and data[1] == _OUTGOING
    if link == COOKED_2:
        return len(data) >= 11 and data[10] == _OUTGOING
    if link in _DIRECTED:
        return len(data) >= 1 and data[0] != 0
    return link == _JUNIPER and len(data) >= 4 and bytes(data[:3]) == _MAGIC and not data[3] & 1


def _dispatch(data: Bytes, link: int, at: int, wire_length: int) -> Place:
    reader = _LINKS.get(link)
    return not_ip(LINK, link) if reader is None else reader(data, at, wire_length)


def _inside(data: Bytes, link: int, at: int, wire_length: int) -> Place:
    """A frame of another link type within a record, which is no such record again."""
    if link > 0xFFFF or link == _PPI or link in PKTAPS:
        return not_ip(LINK, link)
    return _dispatch(data, link, at, wire_length)


def _onward(data: Bytes, step: Step, wire_length: int) -> Place:
    return follow(data, *step, wire_length) if isinstance(step, tuple) else step


def _ethernet(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 14 > len(data):
        return missing(at + 14, wire_length)
    ethertype = data[at + 12] << 8 | data[at + 13]
    if ethertype < 0x600 and data[at] & 0xFD == 1 and bytes(data[at + 1 : at + 5]) == b"\0\x0c\0\0":  # Cisco's ISL
        return _onward(data, ethernet(data, at + 26, wire_length), wire_length)
    return follow(data, ethertype, at + 14, wire_length)


def _raw(data: Bytes, at: int, wire_length: int) -> Place:
    return 0, at


def _raw4(data: Bytes, at: int, wire_length: int) -> Place:
    return 4, at


def _raw6(data: Bytes, at: int, wire_length: int) -> Place:
    return 6, at


def _family(data: Bytes, at: int) -> int:
    """A word in the capturing host's byte order, which the file does not tell; all families are small numbers."""
    return int.from_bytes(data[at : at + 4], "little" if data[at] or data[at + 1] else "big")


def _loopback(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 4 > len(data):
        return missing(at + 4, wire_length)
    family = _family(data, at)
    if 0x600 <= family <= 0xFFFF:  # some write an ethertype
        return follow(data, family, at + 4, wire_length)
    return family_place(family, at + 4)


def _encrypted(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 12 > len(data):
        return missing(at + 12, wire_length)
    return family_place(_family(data, at), at + 12)


def _raw_or_loopback(data: Bytes, at: int, wire_length: int) -> Place:
    """IP, or what OpenBSD writes under the same number: a family in network order, which is not an IP version."""
    if at < len(data) and data[at] == 0:
        return _loopback(data, at, wire_length)
    return 0, at


def _openbsd_encrypted(data: Bytes, at: int, wire_length: int) -> Place:
    """OpenBSD's number for its own ENC; elsewhere it is another's."""
    if at + 4 > len(data):
        return missing(at + 4, wire_length)
    family = _family(data, at)
    return _encrypted(data, at, wire_length) if family == INET or family in INET6 else not_ip(LINK, 13)


def _cooked(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 16 > len(data):
        return missing(at + 16, wire_length)
    return _cooked_type(
        data, data[at + 2] << 8 | data[at + 3], data[at + 14] << 8 | data[at + 15], at + 16, wire_length
    )


def _cooked_2(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 20 > len(data):
        return missing(at + 20, wire_length)
    return _cooked_type(data, data[at + 8] << 8 | data[at + 9], data[at] << 8 | data[at + 1], at + 20, wire_length)


def _cooked_type(data: Bytes, hardware: int, protocol: int, at: int, wire_length: int) -> Place:
    if hardware == _HARDWARE_RADIOTAP:
        return radiotap(data, at, wire_length)
    if hardware == _HARDWARE_RELAY:
        return _frame_relay(data, at, wire_length)
    if hardware == _HARDWARE_NETLINK:
        return not_ip(HARDWARE, hardware)
    if protocol < 0x600 and protocol != 4:  # 4 is "LLC follows"
        return not_ip(COOKED, protocol)
    return follow(data, protocol, at, wire_length)


def _ppp(data: Bytes, at: int, wire_length: int) -> Place:
    if at < len(data) and data[at] in (0x0F, 0x8F):  # Cisco's HDLC; no PPP protocol begins so
        return _hdlc(data, at, wire_length)
    return _onward(data, framed_ppp(data, at, wire_length), wire_length)


def _hdlc(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 4 > len(data):
        return missing(at + 4, wire_length)
    return _typed(data, at + 2, wire_length)


def _typed(data: Bytes, at: int, wire_length: int) -> Place:
    protocol = data[at] << 8 | data[at + 1]
    return not_ip(HDLC, protocol) if protocol < 0x600 else follow(data, protocol, at + 2, wire_length)


def _pppoe(data: Bytes, at: int, wire_length: int) -> Place:
    return follow(data, PPPOE, at, wire_length)


def _frame_relay(data: Bytes, at: int, wire_length: int) -> Place:
    """Q.922 and RFC 2427, or Cisco's: an ethertype behind the address."""
    begin = at
    while True:  # the last byte of an address is odd
        if at >= len(data):
            return missing(at + 1, wire_length)
        at += 1
        if data[at - 1] & 1:
            break
        if at - begin == 4:
            return MALFORMED
    if at - begin == 1:
        return MALFORMED
    if at + 2 > len(data):
        return missing(at + 2, wire_length)
    if data[at] != 3:
        return _typed(data, at, wire_length)
    return _onward(data, nlpid(data, at + 1 if data[at + 1] else at + 2, wire_length), wire_length)


def _behind(size: int, reader: Callable[[Bytes, int, int], Place]) -> Callable[[Bytes, int, int], Place]:
    """A link type behind so many bytes that tell nothing here."""
    return lambda data, at, wire_length: reader(data, at + size, wire_length)


def _token_ring(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 14 > len(data):
        return missing(at + 14, wire_length)
    if data[at + 1] & 0xC0 != 0x40:
        return not_ip(CONTROL, data[at + 1])
    begin = at + 14
    if data[at + 8] & 0x80:  # routed by the source
        if begin >= len(data):
            return missing(begin + 1, wire_length)
        begin += data[begin] & 0x1F
    return follow(data, LENGTH, begin, wire_length)


def _fddi(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 13 > len(data):
        return missing(at + 13, wire_length)
    if data[at] & 0x70 != 0x50:
        return not_ip(CONTROL, data[at])
    return follow(data, LENGTH, at + 13, wire_length)


def _atm(data: Bytes, at: int, wire_length: int) -> Place:
    return _onward(data, llc(data, at, wire_length), wire_length)


def _ip_over_atm(data: Bytes, at: int, wire_length: int) -> Place:
    return _atm(data, at, wire_length) if at < len(data) and data[at] == 0xAA else (0, at)


def _typed_at(size: int, place: int) -> Callable[[Bytes, int, int], Place]:
    """A header of so many bytes with an ethertype at that place."""

    def read(data: Bytes, at: int, wire_length: int) -> Place:
        if at + size > len(data):
            return missing(at + size, wire_length)
        return follow(data, data[at + place] << 8 | data[at + place + 1], at + size, wire_length)

    return read


def _ipnet(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 24 > len(data):
        return missing(at + 24, wire_length)
    version = _SOLARIS.get(data[at + 1])
    return not_ip(FAMILY, data[at + 1]) if version is None else (version, at + 24)


def _arcnet(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 3 > len(data):
        return missing(at + 3, wire_length)
    kind = data[at + 2]
    if kind in _ARCNET_OLD:
        return _arcnet_type(kind, at + 3)
    if at + 4 > len(data):
        return missing(at + 4, wire_length)
    begin = at + (10 if data[at + 3] == 0xFF else 6)
    if begin > len(data):
        return missing(begin, wire_length)
    split = data[begin - 3]
    if split and not split & 1:  # a later fragment
        return not_ip(PACKED)
    return _arcnet_type(kind, begin)


def _arcnet_linux(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 5 > len(data):
        return missing(at + 5, wire_length)
    kind = data[at + 4]
    return _arcnet_type(kind, at + (5 if kind in _ARCNET_OLD else 8))


def _arcnet_type(kind: int, at: int) -> Place:
    version = _ARCNET_TYPES.get(kind)
    return not_ip(ARCNET, kind) if version is None else (version, at)


def _juniper(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 4 > len(data):
        return missing(at + 4, wire_length)
    flags = data[at + 3]
    if bytes(data[at : at + 3]) != _MAGIC:
        return MALFORMED
    begin = at + 4
    if flags & 0x80:  # extensions
        if begin + 2 > len(data):
            return missing(begin + 2, wire_length)
        begin += 2 + (data[begin] << 8 | data[begin + 1])
    return not_ip(JUNIPER) if flags & 2 else _ethernet(data, begin, wire_length)


def _ppi(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 8 > len(data):
        return missing(at + 8, wire_length)
    length = data[at + 2] | data[at + 3] << 8
    if length < 8:
        return MALFORMED
    return _inside(data, int.from_bytes(data[at + 4 : at + 8], "little"), at + length, wire_length)


def _pktap(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 12 > len(data):
        return missing(at + 12, wire_length)
    length, kind, link = (int.from_bytes(data[at + n : at + n + 4], "little") for n in (0, 4, 8))
    if length < 12:
        return MALFORMED
    return _inside(data, link, at + length, wire_length) if kind == 1 else not_ip(PACKED)


_LINKS: dict[int, Callable[[Bytes, int, int], Place]] = {
    0: _loopback,
    ETHERNET: _ethernet,
    6: _token_ring,
    7: _arcnet,
    _SLIP: _behind(16, _raw),
    9: _ppp,
    10: _fddi,
    12: _raw_or_loopback,
    13: _openbsd_encrypted,
    14: _raw,
    19: _ip_over_atm,
    50: _ppp,
    51: _pppoe,
    100: _atm,
    RAW: _raw,
    104: _hdlc,
    105: wlan,
    106: _ip_over_atm,
    107: _frame_relay,
    108: _loopback,
    109: _encrypted,
    COOKED_1: _cooked,
    PFLOG: pflog,
    119: prism,
    127: radiotap,
    129: _arcnet_linux,
    138: _typed_at(18, 16),  # IP over IEEE 1394, as Apple writes it
    149: _pktap,
    163: avs,
    _JUNIPER: _juniper,
    _PPI: _ppi,
    _PPP_DIRECTED: _behind(1, _ppp),
    _HDLC_DIRECTED: _behind(1, _hdlc),
    _RELAY_DIRECTED: _behind(1, _frame_relay),
    226: _ipnet,
    228: _raw4,
    229: _raw6,
    NFLOG: nflog,
    242: _typed_at(44, 40),  # IP over InfiniBand
    258: _pktap,
    COOKED_2: _cooked_2,
    281: _typed_at(18, 16),  # Ethernet with a switch's tag inside: Broadcom's,
    282: _behind(4, _ethernet),  # in front,
    284: _typed_at(18, 16),  # Marvell's,
    285: _typed_at(22, 20),  # with an ethertype of its own
}
