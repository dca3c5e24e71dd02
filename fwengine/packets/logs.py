"""What firewalls and hosts record of packets in front of them: NFLOG, PFLOG, PKTAP.

Their headers tell where a packet came in or went out, and PFLOG's what the recording firewall did. Byte orders are the
recording host's where a format leaves them open. Sources: libpcap's LINKTYPE pages; Linux' nfnetlink_log.h; if_pflog.h of
OpenBSD, FreeBSD and Darwin, which agree on the first 61 bytes; pktap.h of Darwin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ..model.recording import recorded_name
from .place import FAMILY, MALFORMED, PACKED, Bytes, Place, missing, not_ip
from .tags import follow

NFLOG, PFLOG = 239, 117
PKTAPS = frozenset({149, 258})
LOGS = frozenset({NFLOG, PFLOG, *PKTAPS})  # whose headers, not the file, tell the interfaces

INET, INET6 = 2, frozenset({10, 24, 28, 30})  # Linux; NetBSD and OpenBSD; FreeBSD; Darwin
_NFLOG_FAMILIES = {2: 4, 10: 6}
_NFLOG_BELOW = frozenset({5, 7})  # netdev and bridge: an ethertype tells what the payload is

_ACTIONS = {0: "pass", 1: "block", 2: "scrub", 3: "nat", 4: "no nat", 5: "binat", 6: "no binat", 7: "rdr", 8: "no rdr",
            9: "block", 10: "defer", 11: "match"}  # fmt: skip
_HOOKS = {0: "prerouting", 1: "input", 2: "forward", 3: "output", 4: "postrouting"}
_PAYLOAD, _PACKET, _INSIDE, _OUTSIDE, _PREFIX = 9, 1, 4, 5, 10  # nfnetlink_log's attributes
_NO_RULE = 0xFFFFFFFF


class Recorded(NamedTuple):
    """What a frame's own header records. `action` is what the recording firewall did: `pass`, `block`, or neither.

    `text` tells the rest: action, rule number and anchor of PFLOG; hook, prefix and interface numbers of NFLOG.
    """

    inbound: str
    outbound: str
    action: Literal["pass", "block", ""]
    text: str


NOTHING = Recorded("", "", "", "")


def family_place(family: int, at: int) -> Place:
    """The place of a packet whose version an address family tells."""
    if family == INET:
        return 4, at
    return (6, at) if family in INET6 else not_ip(FAMILY, family)


def recorded(data: Bytes, link: int) -> Recorded:
    """What the header of a frame of one of `LOGS` records; nothing where it is cut."""
    if link == PFLOG:
        return _pflog_says(data)
    if link == NFLOG:
        return _nflog_says(data)
    return _pktap_says(data)


def pflog(data: Bytes, at: int, wire_length: int) -> Place:
    if at + 4 > len(data):
        return missing(at + 4, wire_length)
    length = data[at]
    if length < 61:  # older headers do not say how long they are
        return MALFORMED
    return family_place(data[at + 1], at + (length + 3 & ~3))


def _pflog_says(data: Bytes) -> Recorded:
    if len(data) < 61 or data[0] < 61:
        return NOTHING
    name, anchor = _text(data[4:20]), _text(data[20:36])
    rule, below = int.from_bytes(data[36:40], "big"), int.from_bytes(data[40:44], "big")
    done = _ACTIONS.get(data[2], f"action {data[2]}")
    words = [done]
    if rule != _NO_RULE:
        words.append(f"rule {rule}" + (f".{anchor}.{below}" if anchor and below != _NO_RULE else ""))
    action: Literal["pass", "block", ""] = "pass" if done == "pass" else "block" if done == "block" else ""
    inbound, outbound = _sides(recorded_name(name), data[60])
    return Recorded(inbound, outbound, action, " by ".join(words))


def nflog(data: Bytes, at: int, wire_length: int) -> Place:
    size = len(data)
    if at + 4 > size:
        return missing(at + 4, wire_length)
    family, protocol = data[at], 0
    at += 4
    for kind, begin, end in _attributes(data, at):
        if end < begin:
            return MALFORMED
        if kind == _PAYLOAD:
            if family in _NFLOG_BELOW and protocol:
                return follow(data, protocol, begin, wire_length)
            version = _NFLOG_FAMILIES.get(family)
            return not_ip(FAMILY, family) if version is None else (version, begin)
        if end > size:
            return missing(end, wire_length)
        if kind == _PACKET and end - begin >= 2:
            protocol = data[begin] << 8 | data[begin + 1]
        at = end + (begin - end & 3)
    if at < size or at + 4 <= wire_length:  # there is, or was, another one
        return missing(at + 4, wire_length)
    return not_ip(PACKED)


def _attributes(data: Bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Each attribute's type, and where its value begins and ends, which may be behind the data's end."""
    size = len(data)
    order: Literal["little", "big"] | None = None
    while at + 4 <= size:
        if order is None:  # types are small numbers
            order = "big" if data[at + 2] == 0 else "little"
        length = int.from_bytes(data[at : at + 2], order)
        kind = int.from_bytes(data[at + 2 : at + 4], order) & 0x7FFF
        yield kind, at + 4, at + length
        if length < 4:
            return
        at += length + (-length & 3)


def _nflog_says(data: Bytes) -> Recorded:
    words = {}
    for kind, begin, end in _attributes(data, 4):
        value = bytes(data[begin:end])
        if end > len(data) or kind == _PAYLOAD:
            break
        if kind == _PACKET and len(value) >= 3:
            words["hook"] = _HOOKS.get(value[2], str(value[2]))
        elif kind in (_INSIDE, _OUTSIDE) and len(value) == 4:
            words["in" if kind == _INSIDE else "out"] = f"#{int.from_bytes(value, 'big')}"
        elif kind == _PREFIX and (prefix := _text(value).strip()):
            words["prefix"] = f'"{prefix}"'
    return Recorded("", "", "", ", ".join(f"{key} {value}" for key, value in words.items()))


def _pktap_says(data: Bytes) -> Recorded:
    if len(data) < 40:
        return NOTHING
    inbound, outbound = _sides(recorded_name(_text(data[12:36])), int.from_bytes(data[36:40], "little") & 3)
    return Recorded(inbound, outbound, "", "")


def _sides(name: str, direction: int) -> tuple[str, str]:
    """An interface goes in unless the direction, 1 for in and 2 for out, says that it went out."""
    return ("", name) if direction == 2 else (name, "")


def _text(data: Bytes) -> str:
    return bytes(data).partition(b"\0")[0].decode("utf-8", "replace")
