"""Where IP begins in a frame, or why it does not: the words that the link layers share.

A frame without IP has a *kind*, a number that says what stands there instead: which link type, ethertype, protocol. The
native module counts the same numbers (`native/links.h`). Names of ethertypes and SAPs: IANA, IEEE.
"""

from __future__ import annotations

from typing import Final

Bytes = bytes | memoryview
# (IP version, or 0: as its nibble says; offset of the IP header), or "malformed" or "truncated", or a kind
Place = tuple[int, int] | str | int

NOT_IP, MALFORMED, TRUNCATED = "not-ip", "malformed", "truncated"

# what a kind's upper half says; the lower 16 bits are the number that it is about
(
    LINK, ETHERTYPE, LLC, CISCO, ORGANISATION, PPP, FAMILY, WLAN, ENCRYPTED, LABELS, SESSION, NLPID, SERVICE, CONTROL,
    HARDWARE, COOKED, HDLC, ARCNET, JUNIPER, PACKED,
) = range(20)  # fmt: skip

WLAN_PROTECTED, WLAN_FRAGMENT, WLAN_AGGREGATE, WLAN_EMPTY = 16, 17, 18, 19  # above the four frame types

_LINK_NAMES = {
    3: "AX.25", 11: "ATM", 114: "LocalTalk", 123: "SunATM", 147: "private use", 165: "BACnet", 177: "LAPD", 182: "Juniper MLFR",
    187: "Bluetooth HCI", 189: "USB", 195: "802.15.4", 201: "Bluetooth HCI", 215: "802.15.4", 220: "USB", 227: "CAN",
    230: "802.15.4", 231: "D-Bus", 249: "USB", 253: "netlink", 271: "VSOCK", 274: "Ethernet with preamble",
    283: "802.15.4",
}  # fmt: skip
_ETHERTYPES = {
    0x0806: "ARP", 0x8035: "RARP", 0x809B: "AppleTalk", 0x80F3: "AppleTalk ARP", 0x8137: "IPX", 0x6002: "DEC MOP",
    0x6003: "DECnet", 0x8808: "pause", 0x8809: "LACP and the like", 0x8863: "PPPoE discovery", 0x888E: "802.1X", 0x8892: "PROFINET",
    0x88A2: "ATA over Ethernet", 0x88B8: "GOOSE", 0x88BA: "sampled values", 0x88CC: "LLDP", 0x88E1: "HomePlug",
    0x88F5: "MVRP", 0x88F7: "PTP", 0x8902: "CFM", 0x8906: "FCoE", 0x8914: "FCoE setup", 0x88FB: "PRP supervision", 0x9000: "loopback test",
    0x8899: "Realtek", 0x876B: "compressed IP", 0x8100: "VLAN", 0x8909: "Cisco metadata", 0xD28B: "Arista",
}  # fmt: skip
_SAPS = {0x42: "spanning tree", 0xE0: "IPX", 0xF0: "NetBIOS", 0xFE: "OSI", 0xFF: "raw IPX", 0x04: "SNA", 0xAA: "SNAP"}
_CISCO = {0x2000: "CDP", 0x2003: "VTP", 0x2004: "DTP", 0x010B: "PVST+", 0x0111: "UDLD", 0x0104: "PAgP"}
_PPP = {
    0xC021: "LCP", 0xC023: "PAP", 0xC223: "CHAP", 0xC025: "LQR", 0x8021: "IPCP", 0x8057: "IPv6CP", 0x80FD: "CCP", 0x00FD: "compressed",
    0x003D: "multilink", 0x002D: "compressed TCP/IP", 0x002F: "uncompressed TCP/IP", 0x8281: "MPLSCP", 0x0023: "OSI",
    0x0053: "encrypted",
}  # fmt: skip
_WLAN = {
    0: "802.11 management", 1: "802.11 control", 2: "802.11 data without a packet", 3: "802.11 extension",
    WLAN_PROTECTED: "802.11, encrypted", WLAN_FRAGMENT: "802.11, a later fragment", WLAN_AGGREGATE: "802.11, several packets in one",
    WLAN_EMPTY: "802.11 without data",
}  # fmt: skip


def not_ip(kind: int, number: int = 0) -> int:
    """The kind of a frame without IP; a number above 16 bits counts as the highest."""
    return kind << 16 | min(number, 0xFFFF)


def missing(need: int, wire_length: int) -> str:
    """The class of a frame captured short of `need` bytes: did at least the wire have them?"""
    return TRUNCATED if need <= wire_length else MALFORMED


def kind_text(kind: int) -> str:
    """What stands in place of IP, in words: `ethertype 0x0806 (ARP)`."""
    what, number = kind >> 16, kind & 0xFFFF
    if what == LINK:
        return f"link type {number}{_named(_LINK_NAMES, number)}"
    if what == LLC:
        name = _SAPS.get(number >> 8) or _SAPS.get(number & 0xFF)
        return f"LLC {number >> 8:02x}/{number & 0xFF:02x}" + (f" ({name})" if name else "")
    if what == WLAN:
        return _WLAN[number]
    names = _NAMES.get(what, {})
    return _WORDS[what].format(number) + _named(names, number)


def _named(names: dict[int, str], number: int) -> str:
    return f" ({names[number]})" if number in names else ""


_NAMES: Final = {ETHERTYPE: _ETHERTYPES, CISCO: _CISCO, PPP: _PPP}
_WORDS: Final = {
    ETHERTYPE: "ethertype {:#06x}",
    CISCO: "Cisco's SNAP {:#06x}",
    ORGANISATION: "SNAP of another organisation",
    PPP: "PPP protocol {:#06x}",
    FAMILY: "address family {}",
    ENCRYPTED: "MACsec, encrypted",
    LABELS: "MPLS without IP: first nibble {}",
    SESSION: "PPPoE code {:#04x}",
    NLPID: "NLPID {:#04x}",
    SERVICE: "NSH next protocol {}",
    CONTROL: "frame control {:#04x}",
    HARDWARE: "cooked, hardware type {}",
    COOKED: "cooked, protocol {:#06x}",
    HDLC: "HDLC protocol {:#06x}",
    ARCNET: "ARCNET type {}",
    JUNIPER: "Juniper, without a link header",
    PACKED: "a record without a packet",
}
