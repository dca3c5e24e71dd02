"""Bytes -> point: the fields of header space that the headers of one captured frame hold.

Pure: bytes and numbers in, a point or a class out; knows neither files nor policies. The outer IP header decides; what
a tunnel carries, and the packet that an ICMP error quotes, are payload.

What cannot be decoded has one of four classes:

- *not-ip*: the link layer carries something else, or is of a type that is not decoded here.
- *malformed*: the packet itself is wrong. Its version or header length is impossible; a length disagrees with the frame
  (below); or a header that must be there does not fit into the packet: the fixed part of an IP header, an extension
  header, of a whole packet or first fragment (RFC 7112) the transport header: tcp 20 bytes and as many as its data
  offset says, sctp and dccp 12, udp, udplite, icmp and icmpv6 8. So are hop-by-hop options, at the front, that a
  receiver must drop the packet for (RFC 8200 section 4.2) or that do not fit. More than 256 extension headers or 16 tags are
  malformed, too.
- *tiny-fragment*: a fragment of tcp over IPv4 that begins at byte 8, where its first one must have the rest of the header:
  it can overwrite the flags (RFC 1858, RFC 3128).
- *truncated*: the capture does not hold bytes that the packet had and that rules may ask for. What is known of such a
  packet nevertheless, `known` tells.

How long the packet is, the packet itself says: IPv4's total length, IPv6's payload length. Padding behind it is not
looked at; a frame that was shorter on the wire is malformed, as is a total length below the header's. Two lengths of
zero mean something else: IPv4's total length is 0 where segmentation offload leaves it to the network card, so the
frame's end is taken; IPv6's payload length is 0 in jumbograms, whose length no field of ours can hold: with hop-by-hop
options it is malformed, and without them it means that nothing follows. A link or fixed IP header, which precedes any length, is
malformed if the wire did not have it and truncated if only the capture does not.

Which next headers of IPv6 are stepped through is `fields.STEPPED_THROUGH`. Checksums and the lengths inside transport
headers are not judged: a stateless filter does not look at them. The judge is the Linux kernel (`tests/kernel`), which
drops before any rule, or once a rule asks for ports, types or flags, what is malformed or a tiny fragment here.

Sources: RFC 791, RFC 8200, RFC 7112, RFC 6946 (atomic fragments), RFC 2675 (jumbograms), RFC 4302 (AH), RFC 1858 and
RFC 3128 (fragments against filters); Linux' net/ipv6/exthdrs_core.c and net/netfilter/xt_tcpudp.c; the constants IANA's.
"""

from __future__ import annotations

import struct
from typing import Final

from ..errors import PacketError, UndecodableError
from ..model import address
from ..model.address import V6_BASE
from ..model.box import Sets
from ..model.fields import (
    AUTHENTICATION,
    DCCP,
    DPORT,
    DSCP,
    DST,
    FIELDS,
    FIRST,
    FRAGMENT,
    FRAGMENT_HEADER,
    FULL,
    HOP_BY_HOP,
    ICMP,
    ICMPV6,
    IN,
    INTERFACES,
    LATER,
    LENGTH,
    NO_FLAGS,
    NO_PORT,
    NO_TYPE,
    OUT,
    PROTOCOL,
    SCTP,
    SPORT,
    SRC,
    STATE,
    STEPPED_THROUGH,
    TABLE,
    TCP,
    TTL,
    TYPE,
    UDP,
    UDPLITE,
    WHOLE,
    Point,
)
from ..model.interval import IntervalSet
from ..model.packet import Packet
from .links import LINK_TYPES, MALFORMED, NOT_IP, TRUNCATED, Bytes, locate

TINY_FRAGMENT = "tiny-fragment"
UNDECODED = (NOT_IP, MALFORMED, TRUNCATED, TINY_FRAGMENT)  # the classes of what is not a point
MAX_HEADERS = 256  # IPv6 extension headers in one packet
MAX_LENGTH = TABLE[LENGTH].values.hi  # that, or more than any header says: what segmentation offload leaves

# Ethernet, IPv4 without options, and the first 14 bytes of a TCP header
_FAST = struct.Struct(">12xHBBHxxHBBxxIIHH8xBB").unpack_from
_FAST_SIZE: Final = 48
_IPV4 = struct.Struct(">xBHxxHBBxxII").unpack_from
_PORTS = struct.Struct(">HH").unpack_from

# protocol -> (bytes that its header has at least, bytes of it that rules may ask for)
_NEEDS = {TCP: (20, 14), UDP: (8, 4), DCCP: (12, 4), SCTP: (12, 4), UDPLITE: (8, 4)}
_ICMP_SIZE, _ICMP_NEED = 8, 2

# options of the hop-by-hop header: two of padding, the router alert with its length, the jumbo payload
_PAD1, _PADN, _ALERT, _JUMBO = 0, 1, 5, 0xC2
_LONGEST_PADDING: Final = 7
_MUST_UNDERSTAND: Final = 0xC0  # of an unknown option's type: if set, the packet is to be dropped

_WHY = {
    NOT_IP: "the bytes carry no IPv4 or IPv6 packet",
    MALFORMED: "a header is impossible or does not fit into the packet's own length",
    TRUNCATED: "the bytes end before the headers do",
    TINY_FRAGMENT: "a tcp fragment that begins at byte 8 can overwrite the flags (RFC 1858, RFC 3128)",
}

Rest = tuple[int, ...]  # both interfaces and the state; behind the fixed header dscp, ttl and length, too
Cut = dict[int, IntervalSet]  # what is known of a truncated packet: for some fields, a set that its value lies in


def decode(
    data: Bytes, link: int, wire_length: int, inbound: int = 0, outbound: int = 0, state: int = 0
) -> Point | str:
    """The point of a captured frame, or its class: "not-ip", "malformed", "truncated" or "tiny-fragment".

    Args:
        data: what was captured, from the link header on.
        link: the number of the link type, as in a capture file.
        wire_length: bytes of the whole frame on the wire.
        inbound, outbound: what `fields.interface_number` gives for the interfaces; 0 is "not recorded".
        state: an index into `fields.STATES`.

    Complexity: O(tags + extension headers), both capped.

    >>> decode(bytes.fromhex("450000140000000040 2f 0000 0a000001 0a000002"), 101, 20)[:3]
    (47, 167772161, 167772162)
    """
    if link == 1 and len(data) >= _FAST_SIZE:  # what nearly all traffic is; must agree with what follows
        ethertype, version, tos, total, fragment, ttl, protocol, src, dst, sport, dport, offset, flags = _FAST(data)
        if ethertype == 0x0800 and version == 0x45 and not fragment & 0x3FFF and total + 14 <= wire_length:
            if protocol == 6:
                if offset >= 0x50 and total >= 20 + (offset >> 2 & 0x3C):
                    return (
                        6,
                        src,
                        dst,
                        sport,
                        dport,
                        256,
                        256,
                        flags,
                        0,
                        inbound,
                        outbound,
                        state,
                        tos >> 2,
                        ttl,
                        total,
                    )
            elif protocol == 17 and total >= 28:
                return (17, src, dst, sport, dport, 256, 256, 256, 0, inbound, outbound, state, tos >> 2, ttl, total)
    found = _walk(data, link, wire_length, (inbound, outbound, state))
    return TRUNCATED if isinstance(found, dict) else found


def decode_any(
    data: Bytes, link: int, wire_length: int, inbound: int = 0, outbound: int = 0, state: int = 0
) -> Point | str:
    """The same as `decode`, always by the long way."""
    found = _walk(data, link, wire_length, (inbound, outbound, state))
    return TRUNCATED if isinstance(found, dict) else found


def known(data: Bytes, link: int, wire_length: int, inbound: int = 0, outbound: int = 0, state: int = 0) -> Sets | None:
    """What a truncated frame tells of its packet: the packets that it may be, as one interval set a field.

    All of them are packets relative to `box.SHAPES`: a port is open only where the packet has one. None unless `decode`
    says "truncated", and where the frame does not even tell whether it carries IP.

    >>> [ports.ranges for ports in known(bytes.fromhex("4500002800000000401100000a0000010a000002c0"), 101, 40)[3:5]]
    [((49152, 49407),), ((0, 65535),)]
    """
    found = _walk(data, link, wire_length, (inbound, outbound, state))
    if not isinstance(found, dict) or not found:
        return None
    stated = {IN: inbound, OUT: outbound, STATE: state}
    chosen = {f: IntervalSet.single(value) for f, value in stated.items()} | found
    return tuple([chosen.get(f, FULL[f]) for f in range(FIELDS)])


def decode_packet(data: bytes, link: str = "ip") -> Packet:
    """The packet in bytes that begin with the header of `link`, interfaces left open.

    Raises:
        UndecodableError: if they hold none; its `kind` is the class.
        PacketError: if the link type is unknown.

    >>> str(decode_packet(bytes.fromhex("45000014000000004001000000000000"), "ip"))
    Traceback (most recent call last):
    ...
    fwengine.errors.UndecodableError: malformed: a header is impossible or does not fit into the packet's own length
    """
    if link not in LINK_TYPES:
        raise PacketError(f"unknown link type `{link}`: one of {', '.join(LINK_TYPES)}")
    return decode_bytes(data, LINK_TYPES[link])


def decode_bytes(data: bytes, link: int) -> Packet:
    """As `decode_packet`, for the number of a link type."""
    wire_length = _said_length(data, link)
    point = decode(data, link, wire_length)
    if point == TRUNCATED:
        sets = known(data, link, wire_length)
        if sets is not None:
            sets = tuple([FULL[f] if f in INTERFACES else chosen for f, chosen in enumerate(sets)])
        raise UndecodableError(TRUNCATED, _WHY[TRUNCATED], sets)
    if isinstance(point, str):
        raise UndecodableError(point, _WHY[point])
    return Packet.from_point(point).replace(in_interface=None, out_interface=None)


def _said_length(data: bytes, link: int) -> int:
    """How long a frame says it is, of which somebody gives bytes and no length: perhaps not all of them."""
    place = locate(data, link, len(data))
    if isinstance(place, str):
        return len(data)
    at = place[1]
    head = data[at : at + 20]
    if len(head) < 20:
        return len(data)
    said = head[2] << 8 | head[3] if head[0] >> 4 == 4 else 40 + (head[4] << 8 | head[5])
    return max(len(data), at + said)


def _walk(data: Bytes, link: int, wire_length: int, rest: Rest) -> Point | str | Cut:
    """The point or the class; of a truncated frame what is known, which is nothing if it may carry something else."""
    size = len(data)
    if wire_length < size:
        wire_length = size
    place = locate(data, link, wire_length)
    if isinstance(place, str):
        return {} if place == TRUNCATED else place
    version, at = place
    if at >= size:
        if at + 20 > wire_length:
            return MALFORMED
        return {SRC: address.V4 if version == 4 else address.V6} if version else {}
    found = data[at] >> 4
    if found == 4 and version != 6:
        return _ipv4(data, at, size, wire_length, rest)
    if found == 6 and version != 4:
        return _ipv6(data, at, size, wire_length, rest)
    return MALFORMED


def _between(data: Bytes, at: int, length: int, size: int, base: int = 0) -> IntervalSet:
    """Where a number of `length` bytes lies of which only those before `size` are there."""
    there = max(0, min(length, size - at))
    missing_bits = 8 * (length - there)
    lo = base + (int.from_bytes(data[at : at + there], "big") << missing_bits)
    return IntervalSet(((lo, lo + (1 << missing_bits) - 1),))


def _ipv4(data: Bytes, at: int, size: int, wire_length: int, rest: Rest) -> Point | str | Cut:
    header = (data[at] & 15) * 4
    if header < 20 or at + 20 > wire_length:
        return MALFORMED
    if at + 20 > size:
        return _ipv4_cut(data, at, size)
    tos, total, fragment, ttl, protocol, src, dst = _IPV4(data, at)
    if total == 0:
        total = wire_length - at
    end = at + total
    if total < header or end > wire_length:
        return MALFORMED
    rest = (*rest, tos >> 2, ttl, total if total < MAX_LENGTH else MAX_LENGTH)
    at += header
    if fragment & 0x1FFF:
        if protocol == TCP and fragment & 0x1FFF == 1:
            return TINY_FRAGMENT
        return (protocol, src, dst, NO_PORT, NO_PORT, NO_TYPE, NO_TYPE, NO_FLAGS, LATER, *rest)
    return _transport(data, protocol, ICMP, src, dst, FIRST if fragment & 0x2000 else WHOLE, at, end, size, rest)


def _ipv4_cut(data: Bytes, at: int, size: int) -> str | Cut:
    """What is known of a packet whose fixed header is cut."""
    cut = {SRC: _between(data, at + 12, 4, size), DST: _between(data, at + 16, 4, size)}
    if at + 8 <= size:
        fragment = data[at + 6] << 8 | data[at + 7]
        cut[FRAGMENT] = IntervalSet.single(LATER if fragment & 0x1FFF else FIRST if fragment & 0x2000 else WHOLE)
        if fragment & 0x1FFF == 1 and at + 10 > size:
            return {}  # nothing if it is tcp, else a later fragment
    if at + 10 <= size:
        cut[PROTOCOL] = IntervalSet.single(data[at + 9])
        if data[at + 9] == TCP and fragment & 0x1FFF == 1:
            return TINY_FRAGMENT
    return cut


def _ipv6(data: Bytes, at: int, size: int, wire_length: int, rest: Rest) -> Point | str | Cut:
    if at + 40 > wire_length:
        return MALFORMED
    if at + 40 > size:
        return _ipv6_cut(data, at, size)
    src = V6_BASE + int.from_bytes(data[at + 8 : at + 24], "big")
    dst = V6_BASE + int.from_bytes(data[at + 24 : at + 40], "big")
    payload = data[at + 4] << 8 | data[at + 5]
    protocol = data[at + 6]
    rest = (
        *rest,
        (data[at] << 8 | data[at + 1]) >> 6 & 63,
        data[at + 7],
        40 + payload if payload < MAX_LENGTH - 40 else MAX_LENGTH,
    )
    at += 40
    end = at + payload
    if end > wire_length or (protocol == HOP_BY_HOP and not _are_good(data, at, end, size)):
        return MALFORMED
    fragment = WHOLE
    headers = 0
    while protocol in STEPPED_THROUGH:
        headers += 1
        if headers > MAX_HEADERS or at + 8 > end:  # none is shorter than 8 bytes
            return MALFORMED
        if protocol == FRAGMENT_HEADER:
            if at + 4 > size:
                return {SRC: IntervalSet.single(src), DST: IntervalSet.single(dst)}  # perhaps a later fragment
            flags = data[at + 2] << 8 | data[at + 3]
            protocol = data[at]
            at += 8
            # in whichever of several fragment headers the offset stands: what follows is not a header (CVE-2023-4809)
            if flags & 0xFFF8:
                return (protocol, src, dst, NO_PORT, NO_PORT, NO_TYPE, NO_TYPE, NO_FLAGS, LATER, *rest)
            if flags & 1:
                fragment = FIRST
        else:
            if at + 2 > size:
                return {SRC: IntervalSet.single(src), DST: IntervalSet.single(dst)}  # perhaps a fragment header follows
            length = data[at + 1] * 4 + 8 if protocol == AUTHENTICATION else data[at + 1] * 8 + 8
            protocol = data[at]
            at += length
    if at > end:
        return MALFORMED
    return _transport(data, protocol, ICMPV6, src, dst, fragment, at, end, size, rest)


def _ipv6_cut(data: Bytes, at: int, size: int) -> Cut:
    """What is known of a packet whose fixed header is cut."""
    cut = {SRC: _between(data, at + 8, 16, size, V6_BASE), DST: _between(data, at + 24, 16, size, V6_BASE)}
    if at + 7 <= size and data[at + 6] not in STEPPED_THROUGH:
        cut |= {PROTOCOL: IntervalSet.single(data[at + 6]), FRAGMENT: IntervalSet.single(WHOLE)}
    return cut


def _are_good(data: Bytes, at: int, end: int, size: int) -> bool:
    """May a packet with these hop-by-hop options pass on? Those that are not captured may."""
    if at + 8 > end:
        return False
    if at + 2 > size:
        return True
    stop = at + data[at + 1] * 8 + 8
    if stop > end:
        return False
    at += 2
    padding = 0
    while at < stop and at < size:
        kind = data[at]
        if kind == _PAD1:
            length, padding = 1, padding + 1
        else:
            if at + 2 > stop:
                return False
            if at + 2 > size:
                return True
            length = data[at + 1] + 2
            if at + length > stop:
                return False
            if kind == _PADN:
                padding += length
                if any(data[at + 2 : min(at + length, size)]):
                    return False
            else:
                padding = 0
                if kind == _JUMBO or kind & _MUST_UNDERSTAND or (kind == _ALERT and length != 4):
                    return False
        if padding > _LONGEST_PADDING:
            return False
        at += length
    return True


def _transport(
    data: Bytes,
    protocol: int,
    icmp: int,  # the protocol that is ICMP in this family
    src: int,
    dst: int,
    fragment: int,
    at: int,
    end: int,
    size: int,
    rest: Rest,
) -> Point | str | Cut:
    if protocol == icmp:
        if at + _ICMP_SIZE > end:
            return MALFORMED
        if at + _ICMP_NEED > size:
            return _fixed(protocol, src, dst, fragment, rest) | {TYPE: _between(data, at, 1, size)}
        return (protocol, src, dst, NO_PORT, NO_PORT, data[at], data[at + 1], NO_FLAGS, fragment, *rest)
    needs = _NEEDS.get(protocol)
    if needs is None:
        return (protocol, src, dst, NO_PORT, NO_PORT, NO_TYPE, NO_TYPE, NO_FLAGS, fragment, *rest)
    if at + needs[0] > end:
        return MALFORMED
    if protocol == TCP and at + 13 <= size:
        length = data[at + 12] >> 4 << 2
        if length < 20 or at + length > end:
            return MALFORMED
    if at + needs[1] > size:
        ports = {SPORT: _between(data, at, 2, size), DPORT: _between(data, at + 2, 2, size)}
        return _fixed(protocol, src, dst, fragment, rest) | ports
    sport, dport = _PORTS(data, at)
    flags = data[at + 13] if protocol == TCP else NO_FLAGS
    return (protocol, src, dst, sport, dport, NO_TYPE, NO_TYPE, flags, fragment, *rest)


def _fixed(protocol: int, src: int, dst: int, fragment: int, rest: Rest) -> Cut:
    """What a whole network header tells of a packet whose transport header is cut."""
    told = {PROTOCOL: protocol, SRC: src, DST: dst, FRAGMENT: fragment}
    told |= dict(zip((DSCP, TTL, LENGTH), rest[3:], strict=True))
    return {f: IntervalSet.single(value) for f, value in told.items()}
