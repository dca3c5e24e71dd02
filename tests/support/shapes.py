"""Packets of every shape that a decoder can meet at the IP layer, each with what Linux' filters make of it.

Measured on Linux 6.18 and told from its sources; `tests/kernel` measures it again. Where Linux' filters answer otherwise
than fwengine, the shape says so, with the reason.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from support.frames import (
    HERE4,
    HERE6,
    THERE4,
    THERE6,
    authentication,
    dccp,
    extension,
    fragment,
    icmp,
    ip4,
    ip6,
    sctp,
    tcp,
    udp,
)

Relation = Literal["same", "unseen", "asked", "no protocol", "passed"]

PADDING = b"\x01\x04\0\0\0\0"  # what fills options of eight bytes
HEADERS = {6: tcp(), 17: udp(), 33: dccp(), 132: sctp(), 136: udp(), 47: bytes(8)}
LEAST = {6: 20, 17: 8, 33: 12, 132: 12, 136: 8, 1: 8, 58: 8}
SLACK = b"\x5a" * 24  # what no header is made of


@dataclass(frozen=True)
class Shape:
    """A packet, and how Linux' filters and fwengine agree on it.

    - *same*: fwengine decodes it, and the same rule takes it in both.
    - *unseen*: malformed; Linux drops it before any rule.
    - *asked*: malformed, or a tiny fragment; xtables drops it once a rule for its protocol asks for its transport header.
      Rules that do not ask take it: that fwengine denies it nevertheless is a difference, on the safe side.
    - *no protocol*: xtables finds none, and drops it once a rule asks for one.
    - *passed*: malformed, and Linux' filters pass it on as if it were not, for the reason given.
    """

    name: str
    family: int
    packet: bytes
    relation: Relation = "same"
    why: str = ""
    protocol: int = 6  # as which Linux sees what is malformed here
    nft: str = ""  # why nft answers otherwise than iptables


NFT_FRAGMENTS = (
    "nft reads later fragments as if a transport header stood in them (of IPv6, where the fragment header stands)"
)
NFT_AUTHENTICATION = "nft's walk ends at an authentication header (IP6_FH_F_AUTH), ip6tables' does not"
OFFSET = "filters do not look at tcp's data offset; Linux' tcp itself drops such a segment (tcp_v4_rcv)"
UDPLITE = "xtables has no match for udplite's header; multiport asks for four bytes of any"
CAP = "Linux' walk has no limit"
JUMBO = (
    "a payload length of 0 before hop-by-hop options without a jumbo payload: Linux takes the frame's length, RFC 2675 "
    "section 3 calls that an error"
)
ELSEWHERE = (
    "a later fragment whose header names another extension header: Linux finds no protocol, here it has that number"
)


def _transport(family: int) -> Iterator[Shape]:
    """Every transport protocol, its header whole and cut at every byte."""
    make: Callable[[int, bytes], bytes] = ip4 if family == 4 else ip6
    kind = 1 if family == 4 else 58
    headers = HEADERS | {kind: icmp(8 if family == 4 else 128)}
    for number, header in headers.items():
        yield Shape(f"protocol {number}", family, make(number, header + SLACK))
        for size in range(LEAST.get(number, 0)):
            lenient = number == 136 and size >= 4
            cut = make(number, header[:size])
            yield Shape(f"protocol {number}, {size} bytes", family, cut, "passed" if lenient else "asked",
                        UDPLITE if lenient else "", number)  # fmt: skip
            if size % 4 == 0 and not lenient:  # the bytes are there, but not the packet's
                whole = header + SLACK
                padded = ip4(number, whole, total=20 + size) if family == 4 else ip6(number, whole, length=size)
                yield Shape(f"protocol {number}, {size} bytes, padding behind", family, padded, "asked", "", number)
        yield Shape(
            f"protocol {number}, {LEAST.get(number, 0)} bytes", family, make(number, header[: LEAST.get(number, 0)])
        )
    for words, size in ((0, 20), (4, 20), (6, 20), (15, 20), (15, 56)):
        data = tcp(words=words) + bytes(size - 20)
        yield Shape(f"tcp of {size} bytes, data offset {words}", family, make(6, data), "passed", OFFSET)
    for words in (6, 15):
        yield Shape(f"tcp, data offset {words}", family, make(6, tcp(words=words) + bytes(4 * words - 20)))
    for flags in (0, 1, 2, 0x12, 0x10, 0x3F, 0xC2):
        yield Shape(f"tcp, flags {flags:#x}", family, make(6, tcp(flags=flags)))
    for length in (0, 7, 500):
        yield Shape(f"udp, its length {length}", family, make(17, udp(length=length)))
    for offset in (0, 3, 200):
        yield Shape(f"dccp, data offset {offset}", family, make(33, dccp(words=offset)))
    for number in (58 if family == 4 else 1, 0 if family == 4 else 2, 4, 41, 50, 59, 253, 254, 255):
        for body in (b"", icmp(8), icmp(128) + SLACK):
            yield Shape(f"protocol {number}, {len(body)} bytes", family, make(number, body))


def _lengths4() -> Iterator[Shape]:
    syn = tcp()
    options = b"\x94\x04\0\0"
    for total in range(1, 20):
        yield Shape(f"IPv4, total length {total}", 4, ip4(6, syn, total=total), "unseen")
    for total in (1, 19, 20, 23, 24, 27):
        yield Shape(f"IPv4 of 28, total length {total}", 4, ip4(47, syn, total=total, options=options * 2), "unseen")
    for beyond in (1, 2, 100, 20000):
        yield Shape(f"IPv4, {beyond} more than the frame", 4, ip4(6, syn, total=40 + beyond), "unseen")
        yield Shape(
            f"IPv4 later fragment, {beyond} more than the frame", 4, ip4(6, syn, total=40 + beyond, offset=9), "unseen"
        )
    for words in range(5):
        yield Shape(f"IPv4, header length {words}", 4, ip4(6, syn, ihl=words), "unseen")
    yield Shape("IPv4, header beyond the packet", 4, ip4(47, syn, ihl=15), "unseen")
    yield Shape("IPv4, total length of the header alone", 4, ip4(47, syn, total=20))
    for behind in (1, 6, 300):
        yield Shape(f"IPv4, {behind} bytes of padding", 4, ip4(6, syn) + bytes(behind))
    for count in (1, 4, 10):
        yield Shape(f"IPv4, {count * 4} bytes of options", 4, ip4(6, syn, options=b"\1" * 4 * count))
    for flag, name in ((0x4000, "don't fragment"), (0x8000, "the reserved flag")):
        yield Shape(f"IPv4, {name}", 4, ip4(6, syn, offset=flag))
    yield Shape("IPv4, authentication header", 4, ip4(51, authentication(6) + syn))


def _fragments4() -> Iterator[Shape]:
    for number, header in (HEADERS | {1: icmp()}).items():
        least = LEAST.get(number, 0)
        for size in sorted({0, 8, 16, 24, least // 2}):
            cut, short = (header + SLACK)[:size], size < least
            relation: Relation = "same" if not short else "passed" if number == 136 and size >= 4 else "asked"
            why = UDPLITE if relation == "passed" else ""
            yield Shape(
                f"IPv4 first fragment of {number}, {size} bytes", 4, ip4(number, cut, more=True), relation, why, number
            )
        for offset in (1, 2, 3, 185, 8189):
            for more in (False, True):
                for body in (b"", b"x", header, header + SLACK):
                    tiny = number == 6 and offset == 1
                    name = f"IPv4 fragment of {number} at {8 * offset}, {len(body)} bytes{', more' * more}"
                    yield Shape(name, 4, ip4(number, body, offset=offset, more=more), "asked" if tiny else "same", "",
                                number, NFT_FRAGMENTS)  # fmt: skip


def _chains6() -> Iterator[Shape]:
    syn = tcp()
    links = {0: (extension, (PADDING,)), 43: (extension, (b"\x04\0\0\0\0\0",)), 44: (fragment, ()), 51: (authentication, ()),
             60: (extension, (PADDING,))}  # fmt: skip

    def chain(kinds: tuple[int, ...], last: int, body: bytes) -> bytes:
        out, following = body, last
        for kind in reversed(kinds):
            make, more = links[kind]
            out = make(following, *more) + out  # type: ignore[operator]  # one of three makers
            following = kind
        return ip6(following, out)

    for last, header in ((6, syn), (17, udp()), (58, icmp(128)), (47, bytes(8)), (59, b""), (59, syn), (135, extension(59)),
                         (139, extension(6)), (140, extension(6)), (253, syn), (50, syn)):  # fmt: skip
        for first in links:
            for second in (None, *links):
                kinds = (first,) if second is None else (first, second)
                nft = NFT_AUTHENTICATION if 51 in kinds else ""
                yield Shape(f"IPv6 {kinds} {last} {len(header)}", 6, chain(kinds, last, header), nft=nft)
    for number in (135, 139, 140):  # which are protocols: nothing behind them is looked at
        for body in (b"", extension(6) + syn, extension(59), extension(17) + udp()):
            yield Shape(f"IPv6 {number}, {len(body)} bytes", 6, ip6(number, body))
    for count in (3, 8, 20, 256):
        yield Shape(f"IPv6 {count} headers", 6, chain((60,) * count, 6, syn))
    yield Shape("IPv6 257 headers", 6, chain((60,) * 257, 6, syn), "passed", CAP)
    for size in (0, 2, 4, 6):  # a packet that ends within a header
        for kind, header in (
            (43, extension(6)),
            (60, extension(6, PADDING)),
            (44, fragment(6)),
            (51, authentication(6)),
        ):
            data = ip6(kind, header[:size])
            nft = NFT_AUTHENTICATION if kind == 51 else ""
            relation: Relation = "asked" if size >= 2 else "no protocol"
            if kind in (43, 44) and size < 4:  # whose walk looks further
                relation = "no protocol"
            yield Shape(f"IPv6 {kind}, {size} bytes", 6, data, relation, nft=nft or "nft knows the next header, if any")
        yield Shape(f"IPv6 hop-by-hop, {size} bytes", 6, ip6(0, extension(6, PADDING)[:size]), "unseen")
    for kind, header in (
        (43, extension(6, length=9)),
        (60, extension(6, PADDING, length=9)),
        (51, authentication(6, 60)),
    ):
        yield Shape(f"IPv6 {kind} beyond the packet", 6, ip6(kind, header + syn), "asked",
                    nft=NFT_AUTHENTICATION if kind == 51 else "")  # fmt: skip
        yield Shape(f"IPv6 {kind}, and the packet ends", 6, ip6(kind, header[:8] if kind != 51 else header), "asked",
                    nft=NFT_AUTHENTICATION if kind == 51 else "")  # fmt: skip
    yield Shape("IPv6 60, and the packet of gre ends", 6, ip6(60, extension(47, PADDING)))


def _hop_by_hop() -> Iterator[Shape]:
    syn = tcp()
    for name, body, passes in (
        ("no bytes of padding but one by one", bytes(6), True),
        ("six of padding", PADDING, True),
        ("padding of other bytes", b"\x01\x04\0\0\0\1", False),
        ("padding too long", b"\x01\x05\0\0\0\0", False),
        ("an option without a length", b"\x01\x03\0\0\0\x1e", False),
        ("seven of padding", b"\x1e\x05abcde" + b"\x01\x05" + bytes(5), True),
        ("eight of padding", b"\x1e\x04abcd" + b"\x01\x06" + bytes(6), False),
        ("fourteen of padding", bytes(14), False),
        ("padding in two places", bytes(6) + b"\x1e\0" + bytes(6), True),
        ("unknown, to be skipped", b"\x1e\x04abcd", True),
        ("unknown, to be skipped, changing", b"\x3e\x04abcd", True),
        ("unknown, to be dropped", b"\x5e\x04abcd", False),
        ("unknown, to be dropped and told", b"\x9e\x04abcd", False),
        ("unknown, to be dropped and told to hosts", b"\xde\x04abcd", False),
        ("router alert", b"\x05\x02\0\0\0\0", True),
        ("router alert of one byte", b"\x05\x01\0\x01\x01\0", False),
        ("router alert of four bytes", b"\x05\x04\0\0\0\0", False),
        ("jumbo payload", b"\xc2\x04" + struct.pack(">I", 70000), False),
        ("jumbo payload below 65,536", b"\xc2\x04" + struct.pack(">I", 28), False),
    ):
        data = ip6(0, extension(6, body) + syn)
        yield Shape(f"IPv6 hop-by-hop, {name}", 6, data, "same" if passes else "unseen")
        yield Shape(f"IPv6 destination options, {name}", 6, ip6(60, extension(6, body) + syn))
        yield Shape(
            f"IPv6 hop-by-hop in second place, {name}", 6, ip6(60, extension(0, PADDING) + extension(6, body) + syn)
        )


def _lengths6() -> Iterator[Shape]:
    syn = tcp()
    for beyond in (1, 4, 1000):
        yield Shape(f"IPv6, {beyond} more than the frame", 6, ip6(6, syn, length=20 + beyond), "unseen")
        yield Shape(f"IPv6 59, {beyond} more than the frame", 6, ip6(59, b"", length=beyond), "unseen")
    for behind in (1, 6, 300):
        yield Shape(f"IPv6, {behind} bytes of padding", 6, ip6(6, syn) + bytes(behind))
    for number, body in ((6, syn), (17, udp()), (58, icmp(128)), (132, sctp())):
        yield Shape(f"IPv6 of {number}, payload length 0", 6, ip6(number, body, length=0), "asked", "", number)
        yield Shape(f"IPv6 of {number}, no payload", 6, ip6(number, b""), "asked", "", number)
    for number in (47, 59, 135):
        yield Shape(f"IPv6 of {number}, payload length 0", 6, ip6(number, syn, length=0))
        yield Shape(f"IPv6 of {number}, no payload", 6, ip6(number, b""))
    hop = extension(6, PADDING) + syn
    yield Shape("IPv6 hop-by-hop, payload length 0", 6, ip6(0, hop, length=0), "passed", JUMBO)
    jumbo = extension(6, b"\xc2\x04" + struct.pack(">I", 28)) + syn
    yield Shape("IPv6 hop-by-hop, payload length 0, a jumbo payload too short", 6, ip6(0, jumbo, length=0), "unseen")
    yield Shape("IPv6 options, payload length 0", 6, ip6(60, hop, length=0), "no protocol", nft="nft reads on")


def _fragments6() -> Iterator[Shape]:
    for number, header in (HEADERS | {58: icmp(128), 59: b"", 135: extension(59)}).items():
        least = LEAST.get(number, 0)
        for more in (False, True):
            for size in sorted({0, 8, 16, 24, least // 2}):
                cut, short = (header + SLACK)[:size], size < least
                relation: Relation = "same" if not short else "passed" if number == 136 and size >= 4 else "asked"
                yield Shape(f"IPv6 fragment of {number} at 0{', more' * more}, {size} bytes", 6,
                            ip6(44, fragment(number, more=more) + cut), relation, UDPLITE if relation == "passed" else "",
                            number)  # fmt: skip
            for offset in (1, 2, 185, 8191):
                for body in (b"", b"x", header + SLACK):
                    name = f"IPv6 fragment of {number} at {8 * offset}{', more' * more}, {len(body)} bytes"
                    yield Shape(name, 6, ip6(44, fragment(number, offset, more=more) + body), nft=NFT_FRAGMENTS)
    options = extension(6, PADDING)
    for number in (0, 43, 44, 51, 60):
        yield Shape(f"IPv6 later fragment of a header {number}", 6, ip6(44, fragment(number, 2) + options + tcp()),
                    "no protocol", ELSEWHERE, number, "nft finds no protocol and reads on")  # fmt: skip
    yield Shape("IPv6 first fragment with its chain", 6, ip6(44, fragment(60, more=True) + options + tcp() + bytes(4)))
    yield Shape("IPv6 first fragment without its chain", 6, ip6(44, fragment(60, more=True) + options), "asked")
    yield Shape("IPv6 first fragment that ends before its chain", 6, ip6(44, fragment(60, more=True)), "no protocol",
                nft="nft finds no protocol and reads on")  # fmt: skip
    for one, two in (
        ((0, False), (0, True)),
        ((0, True), (0, False)),
        ((0, False), (9, False)),
        ((0, True), (9, True)),
    ):
        headers = fragment(44, one[0], more=one[1]) + fragment(6, two[0], more=two[1])
        nft = NFT_FRAGMENTS if two[0] else ""
        yield Shape(f"IPv6 fragment headers {one} {two}", 6, ip6(44, headers + tcp() + bytes(4)), nft=nft)
    yield Shape(
        "IPv6 later fragment behind options",
        6,
        ip6(60, extension(44, PADDING) + fragment(6, 2) + tcp()),
        nft=NFT_FRAGMENTS,
    )


def shapes(family: int) -> list[Shape]:
    """All of a family's."""
    if family == 4:
        return [*_transport(4), *_lengths4(), *_fragments4()]
    return [*_transport(6), *_chains6(), *_hop_by_hop(), *_lengths6(), *_fragments6()]


def random_packet(draw: random.Random, family: int) -> bytes:
    """A packet put together at random, mostly right."""
    number = draw.choice((6, 6, 6, 17, 17, 33, 132, 136, 1 if family == 4 else 58, 47, 59, 135))
    ports = (draw.choice((443, 443, 22, 40000, 65535, 0)), draw.choice((443, 443, 1000, 1024, 0)))
    flags = draw.choice((2, 0x12, 0x10, 4, 0, draw.getrandbits(8)))
    kind = draw.choice((8, 0, 3, 128, 129, 1))
    header = {6: tcp(*ports, flags, words=draw.choice((5, 5, 5, 5, 6))), 17: udp(*ports), 33: dccp(*ports), 132: sctp(*ports),
              136: udp(*ports), 1: icmp(kind), 58: icmp(kind)}.get(number, b"")  # fmt: skip
    body = header + draw.randbytes(draw.choice((0, 0, 4, 8, 30)))
    if draw.random() < 0.12:
        body = body[: draw.randrange(len(body) + 1)]
    if family == 4:
        src = draw.choice(
            (HERE4, bytes([10, 0, 0, draw.randrange(4)]), bytes([10, *draw.randbytes(2), 1]), b"\xc0\0\2\5")
        )
        offset = draw.choice((0, 0, 0, 0, 0, 0, 1, 2, 185))
        packet = ip4(number, body, offset=offset | draw.choice((0, 0, 0x4000)), more=draw.random() < 0.2,
                     options=b"\1" * 4 * draw.choice((0, 0, 0, 1, 10)), src=src,
                     dst=draw.choice((THERE4, bytes([10, 0, 0, 1]), bytes([192, 0, 2, 80]))),
                     total=None if draw.random() < 0.9 else draw.choice((1, 20, 28, 40, 60, 1500)))  # fmt: skip
    else:
        following = number
        for _ in range(draw.choice((0, 0, 0, 1, 1, 2, 4))):
            link = draw.choice((0, 43, 44, 60, 60))
            if link == 44:
                body = fragment(following, draw.choice((0, 0, 0, 1, 9)), more=draw.random() < 0.4) + body
            else:
                options = (
                    draw.choice((PADDING, bytes(6), b"\x1e\x04abcd", PADDING, PADDING))
                    if link != 43
                    else b"\x04" + bytes(5)
                )
                body = extension(following, options, length=None if draw.random() < 0.95 else draw.randrange(6)) + body
            following = link
        src = draw.choice((HERE6, bytes.fromhex("20010db80001") + draw.randbytes(10)))
        packet = ip6(following, body, src=src, dst=draw.choice((THERE6, HERE6)),
                     length=None if draw.random() < 0.9 else draw.choice((0, 8, 20, 28, 1000)))  # fmt: skip
    return packet + bytes(draw.choice((0, 0, 0, 6)))
