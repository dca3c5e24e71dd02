"""Bytes -> point: the fields of header space that the headers of one captured frame hold.

Pure: bytes and numbers in, a point or a class out; knows neither files nor policies. The outer IP header decides; what
a tunnel carries, and the packet that an ICMP error quotes, are payload.

What cannot be decoded has one of three classes:

- *not-ip*: the link layer carries something else, or is of a type that is not decoded here.
- *malformed*: the packet itself is wrong. Its version or header length is impossible, or a header that must be there
  does not fit into the packet: the fixed part of an IP header, an extension header, of a whole packet or first fragment
  (RFC 7112) the transport header: tcp 20 bytes and as many as its data offset says, sctp and dccp 12, udp and udplite
  8, icmp and icmpv6 4. More than 256 extension headers or 16 tags are malformed, too.
- *truncated*: the capture does not hold bytes that the packet had and that the answer needs: all IP headers, the ports,
  the flags, type and code.

How long the packet is, the packet itself says: IPv4's total length, IPv6's payload length. Padding behind it is not
looked at. A total length below the header length, and an IPv6 payload length of zero, are what segmentation offload and
jumbograms leave; then the length is the frame's on the wire. So whatever misses bytes within the packet's own
length is truncated, even where the frame claims to be captured in full; and a link or fixed IP header, which precedes
any length, is malformed if the wire did not have it and truncated if only the capture does not.

Checksums and the lengths inside transport headers are not judged: a stateless filter does not look at them.

Sources: RFC 791, RFC 8200, RFC 7112, RFC 6946 (atomic fragments), RFC 2675 (jumbograms), RFC 4302 (AH); the constants
IANA's.
"""

from __future__ import annotations

import struct
from typing import Final

from ..errors import PacketError, UndecodableError
from ..model.address import V6_BASE
from ..model.fields import (
    DCCP,
    FIRST,
    ICMP,
    ICMPV6,
    LATER,
    LENGTH,
    NO_FLAGS,
    NO_PORT,
    NO_TYPE,
    SCTP,
    TABLE,
    TCP,
    UDP,
    UDPLITE,
    WHOLE,
    Point,
)
from ..model.packet import Packet
from .links import LINK_TYPES, MALFORMED, NOT_IP, TRUNCATED, Bytes, locate, missing

MAX_HEADERS = 256  # IPv6 extension headers in one packet
MAX_LENGTH = TABLE[LENGTH].values.hi  # that, or more than any header says: what segmentation offload leaves

# Ethernet, IPv4 without options, and the first 14 bytes of a TCP header
_FAST = struct.Struct(">12xHBBHxxHBBxxIIHH8xBB").unpack_from
_FAST_SIZE: Final = 48
_IPV4 = struct.Struct(">BBHxxHBBxxII").unpack_from
_PORTS = struct.Struct(">HH").unpack_from

# protocol -> (bytes that its header has at least, bytes of it that the answer needs)
_NEEDS = {TCP: (20, 14), UDP: (8, 4), DCCP: (12, 4), SCTP: (12, 4), UDPLITE: (8, 4)}
_ICMP_SIZE, _ICMP_NEED = 4, 2

_FRAGMENT, _AUTHENTICATION = 44, 51
# hop-by-hop, routing, destination options, mobility, HIP, shim6: next header, then length in units of 8 bytes, less one
_OPTIONS = frozenset({0, 43, 60, 135, 139, 140})
EXTENSION_HEADERS = _OPTIONS | {_FRAGMENT, _AUTHENTICATION}

_WHY = {
    NOT_IP: "the bytes carry no IPv4 or IPv6 packet",
    MALFORMED: "a header is impossible or does not fit into the packet's own length",
    TRUNCATED: "the bytes end before the headers do",
}


def decode(
    data: Bytes, link: int, wire_length: int, inbound: int = 0, outbound: int = 0, state: int = 0
) -> Point | str:
    """The point of a captured frame, or its class: "not-ip", "malformed" or "truncated".

    Args:
        data: what was captured, from the link header on.
        link: the number of the link type, as in a capture file.
        wire_length: bytes of the whole frame on the wire.
        inbound, outbound: what `header.interface_number` gives for the interfaces; 0 is "not recorded".
        state: an index into `header.STATES`.

    Complexity: O(tags + extension headers), both capped.

    >>> decode(bytes.fromhex("450000140000000040 2f 0000 0a000001 0a000002"), 101, 20)[:3]
    (47, 167772161, 167772162)
    """
    if link == 1 and len(data) >= _FAST_SIZE:  # what nearly all traffic is; must agree with what follows
        ethertype, version, tos, total, fragment, ttl, protocol, src, dst, sport, dport, offset, flags = _FAST(data)
        if ethertype == 0x0800 and version == 0x45 and not fragment & 0x3FFF:
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
    return decode_any(data, link, wire_length, inbound, outbound, state)


def decode_any(
    data: Bytes, link: int, wire_length: int, inbound: int = 0, outbound: int = 0, state: int = 0
) -> Point | str:
    """The same as `decode`, always by the long way."""
    size = len(data)
    if wire_length < size:
        wire_length = size
    place = locate(data, link, wire_length)
    if isinstance(place, str):
        return place
    version, at = place
    if at >= size:
        return missing(at + 20, wire_length)
    found = data[at] >> 4
    rest = (inbound, outbound, state)
    if found == 4 and version != 6:
        return _ipv4(data, at, size, wire_length, rest)
    if found == 6 and version != 4:
        return _ipv6(data, at, size, wire_length, rest)
    return MALFORMED


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
    point = decode(data, LINK_TYPES[link], len(data))
    if isinstance(point, str):
        raise UndecodableError(point, _WHY[point])
    return Packet.from_point(point).replace(in_interface=None, out_interface=None)


def _ipv4(data: Bytes, at: int, size: int, wire_length: int, rest: tuple[int, ...]) -> Point | str:
    if at + 20 > size:
        return missing(at + 20, wire_length)
    first, tos, total, fragment, ttl, protocol, src, dst = _IPV4(data, at)
    header = (first & 15) * 4
    if header < 20:
        return MALFORMED
    end = at + total if total >= header else wire_length
    rest = (*rest, tos >> 2, ttl, min(end - at, MAX_LENGTH))
    at += header
    if at > end:
        return MALFORMED
    if at > size:
        return TRUNCATED
    if fragment & 0x1FFF:
        return (protocol, src, dst, NO_PORT, NO_PORT, NO_TYPE, NO_TYPE, NO_FLAGS, LATER, *rest)
    return _transport(data, protocol, ICMP, src, dst, FIRST if fragment & 0x2000 else WHOLE, at, end, size, rest)


def _ipv6(data: Bytes, at: int, size: int, wire_length: int, rest: tuple[int, ...]) -> Point | str:
    if at + 40 > size:
        return missing(at + 40, wire_length)
    payload = data[at + 4] << 8 | data[at + 5]
    protocol = data[at + 6]
    src = V6_BASE + int.from_bytes(data[at + 8 : at + 24], "big")
    dst = V6_BASE + int.from_bytes(data[at + 24 : at + 40], "big")
    if not payload and protocol == ICMPV6:  # never offloaded, and Ethernet's padding would pass for a message
        return MALFORMED
    end = at + 40 + payload if payload else wire_length
    rest = (*rest, (data[at] << 8 | data[at + 1]) >> 6 & 63, data[at + 7], min(end - at, MAX_LENGTH))
    at += 40
    fragment = WHOLE
    headers = 0
    while protocol in EXTENSION_HEADERS:
        headers += 1
        if headers > MAX_HEADERS or at + 8 > end:  # none is shorter than 8 bytes
            return MALFORMED
        if at + 8 > size:
            return TRUNCATED
        if protocol == _FRAGMENT:
            flags = data[at + 2] << 8 | data[at + 3]
            protocol = data[at]
            at += 8
            # in whichever of several fragment headers the offset stands: what follows is no header (CVE-2023-4809)
            if flags & 0xFFF8:
                return (protocol, src, dst, NO_PORT, NO_PORT, NO_TYPE, NO_TYPE, NO_FLAGS, LATER, *rest)
            if flags & 1:
                fragment = FIRST
        else:
            length = data[at + 1] * 4 + 8 if protocol == _AUTHENTICATION else data[at + 1] * 8 + 8
            protocol = data[at]
            at += length
    if at > end:
        return MALFORMED
    if at > size:
        return TRUNCATED
    return _transport(data, protocol, ICMPV6, src, dst, fragment, at, end, size, rest)


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
    rest: tuple[int, ...],
) -> Point | str:
    if protocol == icmp:
        if at + _ICMP_SIZE > end:
            return MALFORMED
        if at + _ICMP_NEED > size:
            return TRUNCATED
        return (protocol, src, dst, NO_PORT, NO_PORT, data[at], data[at + 1], NO_FLAGS, fragment, *rest)
    needs = _NEEDS.get(protocol)
    if needs is None:
        return (protocol, src, dst, NO_PORT, NO_PORT, NO_TYPE, NO_TYPE, NO_FLAGS, fragment, *rest)
    if at + needs[0] > end:
        return MALFORMED
    if at + needs[1] > size:
        return TRUNCATED
    sport, dport = _PORTS(data, at)
    flags = NO_FLAGS
    if protocol == TCP:
        length = data[at + 12] >> 4 << 2
        if length < 20 or at + length > end:
            return MALFORMED
        flags = data[at + 13]
    return (protocol, src, dst, sport, dport, NO_TYPE, NO_TYPE, flags, fragment, *rest)
