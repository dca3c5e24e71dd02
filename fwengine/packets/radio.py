"""802.11 frames to what stands behind their headers: plain, or behind radiotap's, PPI's, Prism's and AVS' headers.

Sources: IEEE 802.11-2020 chapter 9, radiotap.org, the PPI specification of CACE, libpcap's notes on Prism and AVS.
"""

from __future__ import annotations

from .place import (
    MALFORMED,
    WLAN,
    WLAN_AGGREGATE,
    WLAN_EMPTY,
    WLAN_FRAGMENT,
    WLAN_PROTECTED,
    Bytes,
    Place,
    missing,
    not_ip,
)
from .tags import LENGTH, follow

_DATA = 2
_PADDED = 0x20  # radiotap: the header is filled up to a multiple of four bytes
_COOKIES = (0x80211001, 0x80211002)  # of AVS, which stands under Prism's number too


def wlan(data: Bytes, at: int, wire_length: int, padded: bool = False) -> Place:
    """A frame that begins with frame control."""
    size = len(data)
    if at + 2 > size:
        return missing(at + 2, wire_length)
    control, flags = data[at], data[at + 1]
    if control & 3:  # the protocol's version
        return MALFORMED
    kind = control >> 2 & 3
    if kind != _DATA:
        return not_ip(WLAN, kind)
    if control & 0x40:  # no data
        return not_ip(WLAN, WLAN_EMPTY)
    if flags & 0x40:
        return not_ip(WLAN, WLAN_PROTECTED)
    length = 30 if flags & 3 == 3 else 24  # between access points there are four addresses
    if at + length > size:
        return missing(at + length, wire_length)
    if data[at + 22] & 15:
        return not_ip(WLAN, WLAN_FRAGMENT)
    if control & 0x80:  # quality of service
        if at + length + 2 > size:
            return missing(at + length + 2, wire_length)
        if data[at + length] & 0x80:
            return not_ip(WLAN, WLAN_AGGREGATE)
        length += 6 if flags & 0x80 else 2
    if padded:
        length += -length & 3
    return follow(data, LENGTH, at + length, wire_length)


def radiotap(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 8 > len(data):
        return missing(at + 8, wire_length)
    length = data[at + 2] | data[at + 3] << 8
    if length < 8:
        return MALFORMED
    if at + length > len(data):
        return missing(at + length, wire_length)
    fields = 8  # behind the words that say which fields there are
    while data[at + fields - 1] & 0x80:
        fields += 4
        if fields > length:
            return MALFORMED
    present = data[at + 4]
    padded = False
    if present & 2:
        if present & 1:  # a time stamp of eight bytes, where eight divide the place
            fields = (fields + 7 & ~7) + 8
        padded = fields < length and bool(data[at + fields] & _PADDED)
    return wlan(data, at + length, wire_length, padded)


def prism(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 8 > len(data):
        return missing(at + 8, wire_length)
    if int.from_bytes(data[at : at + 4], "big") in _COOKIES:
        return avs(data, at, wire_length)
    return wlan(data, at + 144, wire_length)


def avs(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 8 > len(data):
        return missing(at + 8, wire_length)
    length = int.from_bytes(data[at + 4 : at + 8], "big")
    return MALFORMED if length < 8 else wlan(data, at + length, wire_length)
