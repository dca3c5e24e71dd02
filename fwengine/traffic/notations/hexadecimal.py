"""Bytes in hexadecimal: `hex:4500…` is an IP packet; `ethernet:…`, `ip:…` and other link types say what they begin with.

People paste whole Ethernet frames where a packet is asked for, and a MAC address may well begin with 45 or 60. So what
stands behind `hex:` is weighed: does it agree with itself as an IP packet (lengths, checksum), and as an Ethernet frame?
Only what reads in one way gets an answer; the prefixes with a link type are taken at their word.
"""

from __future__ import annotations

import re

from ...model.packet import Packet
from ...packets.links import ETHERNET, LINK_TYPES, RAW, locate
from ...packets.wire import decode_bytes
from .parts import NotationError

NAME = "hex"
_PREFIX = re.compile(r"(?P<link>[a-z][a-z0-9-]*):(?P<digits>[\s:]*(?:[0-9a-f]{2}[\s:]*)*[0-9a-f]?\s*)", re.IGNORECASE)
_ETHERTYPES = {
    0x0800: "IPv4", 0x86DD: "IPv6", 0x0806: "ARP", 0x8100: "a VLAN tag", 0x88A8: "a VLAN tag", 0x9100: "a VLAN tag",
    0x8847: "MPLS", 0x8848: "MPLS", 0x8863: "PPPoE", 0x8864: "PPPoE", 0x88CC: "LLDP", 0x888E: "802.1X",
}  # fmt: skip
_PADDED = 64  # bytes up to which Ethernet fills a frame


def looks(text: str) -> bool:
    match = re.match(r"\s*([A-Za-z][A-Za-z0-9-]*):", text)
    if match is None or (match[1].lower() != NAME and match[1].lower() not in LINK_TYPES):
        return False
    return match[1].lower() == NAME or _PREFIX.fullmatch(text.strip()) is not None


def read(text: str) -> Packet:
    """The packet in the bytes.

    Raises:
        NotationError: if these are not bytes, or they can be read in two ways, or are meant as something else than IP.
        UndecodableError: if they are an IP packet, and a filter would drop it as malformed or truncated.

    >>> str(read("hex:4500001c00010000401166cf0a0000010a0000020035003500080000"))
    'udp 10.0.0.1:53 -> 10.0.0.2:53 dscp 0 ttl 64 length 28'
    """
    prefix, _, rest = text.strip().partition(":")
    link = prefix.lower()
    digits = re.sub(r"[\s:]", "", rest)
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits):
        raise NotationError(NAME, "unreadable", f"`{link}:` is followed by an even number of hexadecimal digits")
    data = bytes.fromhex(digits)
    number = RAW if link == NAME else LINK_TYPES[link]
    if link == NAME:
        _weigh(data)
    return decode_bytes(data, number)


def _weigh(data: bytes) -> None:
    """Refuses bytes that may well be something else than an IP packet."""
    version = data[0] >> 4
    frame = _frame(data)
    if version not in (4, 6):
        if frame is not None:
            raise _mistaken(f"these are Ethernet bytes (the type at byte 12 is {frame[0]}), not those of an IP packet")
        message = f"an IP packet begins with version 4 or 6, not {version}: if a link header stands first, name it, as in `ethernet:…`"
        raise NotationError(NAME, "unreadable", message)
    if frame is None:
        return
    kind, sound = frame
    as_ip = _sound(data, 0)
    if as_ip and not sound:
        return
    if sound and not as_ip:
        raise _mistaken(
            f"these are Ethernet bytes (the type at byte 12 is {kind}), whose address begins like an IP packet"
        )
    raise NotationError(
        NAME, "ambiguous",
        f"these bytes may be an IP packet, or an Ethernet frame with {kind}: say which with `ip:…` or `ethernet:…`",
    )  # fmt: skip


def _mistaken(what: str) -> NotationError:
    return NotationError(
        NAME, "ambiguous", f"{what}: write `ethernet:…`, or `ip:…` if they are to be taken for one all the same"
    )


def _frame(data: bytes) -> tuple[str, bool] | None:
    """What an Ethernet frame of these bytes carries, and whether that agrees with itself; None if it is no such frame."""
    kind = _ETHERTYPES.get(int.from_bytes(data[12:14], "big")) if len(data) > 14 else None
    if kind is None:
        return None
    if kind == "ARP":
        return kind, data[14:18] == b"\0\1\x08\0"
    place = locate(data, ETHERNET, len(data))
    if isinstance(place, str):
        return None if kind in ("IPv4", "IPv6") else (kind, False)
    _, at = place
    if at >= len(data) or data[at] >> 4 not in (4, 6) or (kind in ("IPv4", "IPv6") and kind != f"IPv{data[at] >> 4}"):
        return None
    return kind, _sound(data, at)


def _sound(data: bytes, at: int) -> bool:
    """Do the bytes from `at` on agree with themselves as an IP packet: length and, of IPv4, checksum?"""
    size = len(data) - at
    padding = at > 0 and len(data) <= _PADDED
    if size >= 40 and data[at] >> 4 == 6:
        length = int.from_bytes(data[at + 4 : at + 6], "big") + 40
        return length == size or (padding and length < size)
    header = (data[at] & 15) * 4 if size else 0
    if data[at] >> 4 != 4 or header < 20 or header > size:
        return False
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    words = sum(int.from_bytes(data[i : i + 2], "big") for i in range(at, at + header, 2))
    if words and words % 0xFFFF == 0:  # one's complement: RFC 1071
        return length >= header
    return length == size
