"""From an ethertype, and from what stands for one elsewhere, to the IP header.

Stepped through are, each counting as one of `MAX_TAGS`: VLAN tags (IEEE 802.1Q, 802.1ad, and the numbers in use before),
E-tags (802.1BR), VN-tags, provider backbones (802.1ah), FabricPath, TRILL without options' meaning (RFC 6325), HSR (IEC
62439-3), R-tags (802.1CB), MACsec that does not encrypt (802.1AE), NSH (RFC 8300), Cisco's metadata, Arista's timestamps,
MPLS (RFC 3032) and Ethernet pseudowires in it with their control word (RFC 4448), PPPoE (RFC 2516), PPP (RFC 1661), LLC
and SNAP (RFC 1042, 802.1H, RFC 2684), NLPIDs (RFC 2427). All else is a kind of its own. Knows no link types.
"""

from __future__ import annotations

from .place import (
    CISCO,
    ENCRYPTED,
    ETHERTYPE,
    LABELS,
    LLC,
    MALFORMED,
    NLPID,
    ORGANISATION,
    PPP,
    SERVICE,
    SESSION,
    Bytes,
    Place,
    missing,
    not_ip,
)

IPV4, IPV6, PPPOE, PLAIN_PPP, JUMBO = 0x0800, 0x86DD, 0x8864, 0x880B, 0x8870
MPLS = frozenset({0x8847, 0x8848})
MACSEC, NSH, TRILL, METADATA, ARISTA = 0x88E5, 0x894F, 0x22F3, 0x8909, 0xD28B
LENGTH = 0  # an ethertype up to 1500 is a length, and LLC follows
MAX_TAGS = 16

_MAC = 14  # bytes of an Ethernet header

# ethertype -> bytes up to and with the next ethertype
TAGS = {
    0x8100: 4, 0x88A8: 4, 0x9100: 4, 0x9200: 4, 0x9300: 4,  # VLAN
    0x893F: 8,  # E-tag
    0x8926: 6,  # VN-tag
    0x88E7: 4 + _MAC,  # provider backbone
    0x8903: 2 + _MAC,  # FabricPath
    0x6558: _MAC,  # Ethernet itself
    0x892F: 6,  # HSR
    0xF1C1: 6,  # R-tag
    0xDADA: 8,  # a Marvell switch's
}  # fmt: skip

_PPP = {0x0021: IPV4, 0x0057: IPV6, 0x0281: 0x8847, 0x0283: 0x8848}
_NLPIDS = {0xCC: IPV4, 0x8E: IPV6}
_SERVICES = {1: IPV4, 2: IPV6, 4: NSH, 5: 0x8847}
_STAMPS = {1: 8, 2: 6}  # bytes of Arista's timestamps by their format
_PAD, _ETHERNET_PIDS = b"\0\x80\xc2", (1, 7)  # RFC 2684's organisation; Ethernet with and without a checksum

Step = tuple[int, int] | str | int  # (next ethertype, where its header begins), or what a place may be


def follow(data: Bytes, ethertype: int, at: int, wire_length: int) -> Place:
    """From an ethertype (or an 802.3 length) and what follows it to the IP header."""
    tags = 0
    while ethertype != IPV4:
        if ethertype == IPV6:
            return 6, at
        tags += 1
        if tags > MAX_TAGS:
            return MALFORMED
        size = TAGS.get(ethertype)
        if size is not None:
            at += size
            if at > len(data):
                return missing(at, wire_length)
            ethertype = data[at - 2] << 8 | data[at - 1]
            continue
        if ethertype <= 1500:
            step = llc(data, at, wire_length)
        elif ethertype in MPLS:
            step = _label(data, ethertype, at, wire_length)
        else:
            reader = _READERS.get(ethertype)
            if reader is None:
                return not_ip(ETHERTYPE, ethertype)
            step = reader(data, at, wire_length)
        if not isinstance(step, tuple):
            return step
        ethertype, at = step
    return 4, at


def llc(data: Bytes, at: int, wire_length: int) -> Step:
    """What an LLC header says."""
    if at + 3 > len(data):
        return missing(at + 3, wire_length)
    head = bytes(data[at : at + 3])
    if head == b"\x06\x06\x03":
        return IPV4, at + 3
    if head == b"\xfe\xfe\x03":
        return nlpid(data, at + 3, wire_length)
    if head != b"\xaa\xaa\x03":
        return not_ip(LLC, head[0] << 8 | head[1])
    return snap(data, at + 3, wire_length, 2)


def snap(data: Bytes, at: int, wire_length: int, pad: int) -> Step:
    """What an organisation's number and its protocol's stand for. `pad` bytes stand before a bridged Ethernet frame:
    two in RFC 2684, none in RFC 2427."""
    at += 5
    if at > len(data):
        return missing(at, wire_length)
    organisation, number = bytes(data[at - 5 : at - 2]), data[at - 2] << 8 | data[at - 1]
    if organisation in (b"\0\0\0", b"\0\0\xf8"):
        return (number, at) if number > 1500 else not_ip(ETHERTYPE, number)
    if organisation == b"\0\0\x0c":
        return not_ip(CISCO, number)
    if organisation != _PAD or number not in _ETHERNET_PIDS:
        return not_ip(ORGANISATION)
    return ethernet(data, at + pad, wire_length)


def ethernet(data: Bytes, at: int, wire_length: int) -> Step:
    """What the Ethernet header at `at` says."""
    at += _MAC
    if at > len(data):
        return missing(at, wire_length)
    return data[at - 2] << 8 | data[at - 1], at


def nlpid(data: Bytes, at: int, wire_length: int) -> Step:
    """What a network layer protocol identifier stands for."""
    if at >= len(data):
        return missing(at + 1, wire_length)
    number = data[at]
    if number in _NLPIDS:
        return _NLPIDS[number], at + 1
    if number == 0x80:
        return snap(data, at + 1, wire_length, 0)
    if number == 0xCF:
        return ppp(data, at + 1, wire_length)
    return not_ip(NLPID, number)


def ppp(data: Bytes, at: int, wire_length: int) -> Step:
    """What a PPP protocol field stands for and where it ends: at its first odd byte, RFC 1661 section 2."""
    if at < len(data) and data[at] & 1:
        protocol, end = data[at], at + 1
    elif at + 2 > len(data):
        return missing(at + 2, wire_length)
    else:
        protocol, end = data[at] << 8 | data[at + 1], at + 2
    found = _PPP.get(protocol)
    return not_ip(PPP, protocol) if found is None else (found, end)


def framed_ppp(data: Bytes, at: int, wire_length: int) -> Step:
    """PPP with its address and control bytes, unless they are compressed away."""
    return ppp(data, at + 2 if at < len(data) and data[at] == 0xFF else at, wire_length)


def _label(data: Bytes, ethertype: int, at: int, wire_length: int) -> Step:
    size = len(data)
    at += 4
    if at > size:
        return missing(at, wire_length)
    if not data[at - 2] & 1:
        return ethertype, at
    # the bottom of the stack: no field says what follows
    if at == size:
        return missing(at + 1, wire_length)
    nibble = data[at] >> 4
    if nibble in (4, 6):
        return (IPV4 if nibble == 4 else IPV6), at
    if nibble:
        return not_ip(LABELS, nibble)
    # a control word, whose first half is zero for Ethernet (RFC 4448 section 4.6)
    if at + 2 > size:
        return missing(at + 2, wire_length)
    if data[at] or data[at + 1]:
        return not_ip(LABELS, 0)
    return ethernet(data, at + 4, wire_length)


def _pppoe(data: Bytes, at: int, wire_length: int) -> Step:
    at += 6
    if at > len(data):
        return missing(at, wire_length)
    if data[at - 5]:  # a code other than 0 is not session data
        return not_ip(SESSION, data[at - 5])
    return ppp(data, at, wire_length)


def _macsec(data: Bytes, at: int, wire_length: int) -> Step:
    if at + 6 > len(data):
        return missing(at + 6, wire_length)
    control = data[at]
    if control & 0x0C:  # encrypted, or changed in another way
        return not_ip(ENCRYPTED)
    at += 16 if control & 0x20 else 8  # with or without the channel's name
    if at > len(data):
        return missing(at, wire_length)
    return data[at - 2] << 8 | data[at - 1], at


def _service(data: Bytes, at: int, wire_length: int) -> Step:
    if at + 4 > len(data):
        return missing(at + 4, wire_length)
    size, following = (data[at + 1] & 0x3F) * 4, data[at + 3]
    if size < 8:
        return MALFORMED
    at += size
    if following == 3:
        return ethernet(data, at, wire_length)
    if at > len(data):
        return missing(at, wire_length)
    if following not in _SERVICES:
        return not_ip(SERVICE, following)
    return _SERVICES[following], at


def _trill(data: Bytes, at: int, wire_length: int) -> Step:
    if at + 6 > len(data):
        return missing(at + 6, wire_length)
    options = (data[at] & 7) << 2 | data[at + 1] >> 6
    return ethernet(data, at + 6 + 4 * options, wire_length)


def _metadata(data: Bytes, at: int, wire_length: int) -> Step:
    if at + 8 > len(data):
        return missing(at + 8, wire_length)
    if data[at] != 1 or data[at + 1] != 1:  # of more than one option the length is not known
        return not_ip(ETHERTYPE, METADATA)
    return data[at + 6] << 8 | data[at + 7], at + 8


def _arista(data: Bytes, at: int, wire_length: int) -> Step:
    if at + 4 > len(data):
        return missing(at + 4, wire_length)
    stamp = _STAMPS.get(data[at + 3] >> 4)  # the lower half names the hardware
    if data[at] or data[at + 1] != 1 or stamp is None:  # no timestamp
        return not_ip(ETHERTYPE, ARISTA)
    at += 6 + stamp
    if at > len(data):
        return missing(at, wire_length)
    return data[at - 2] << 8 | data[at - 1], at


_READERS = {
    PPPOE: _pppoe,
    PLAIN_PPP: framed_ppp,
    JUMBO: llc,
    MACSEC: _macsec,
    NSH: _service,
    TRILL: _trill,
    METADATA: _metadata,
    ARISTA: _arista,
}
STEPPED_THROUGH = frozenset({IPV4, IPV6, *TAGS, *MPLS, *_READERS})
