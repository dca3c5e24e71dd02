"""Log lines of Linux: iptables' and nft's LOG, ulogd's, ufw's: `IN=eth0 OUT= MAC=… SRC=… DST=… LEN=… PROTO=TCP SPT=…`.

Whatever stands before `IN=` (a time, a host, `kernel:`, the rule's prefix) is not looked at. An ICMP error quotes the
packet that it is about in brackets: that packet is not this one. An empty `OUT=` says that the chain knows no such
interface, not that there is none, and is open. Source: Linux, net/netfilter/nf_log_syslog.c.
"""

from __future__ import annotations

import re
from typing import Any

from ...model.fields import FLAG_NAMES
from ...model.packet import Packet
from .parts import NotationError, made, number, protocol, shortened

NAME = "netfilter"
_HEAD = re.compile(r"(?:^|[^A-Za-z])IN=(\S*) OUT=(\S*)(?= |$)")
_BODY = re.compile(r"\bSRC=[0-9A-Fa-f.:]+ DST=[0-9A-Fa-f.:]+ LEN=[0-9]")
_TOKEN = re.compile(r"(?P<inner>\[)|(?P<cut>INCOMPLETE \[[0-9]+ bytes\])|(?P<word>\S+)")
# told of the packet or of the link, and no field of ours; some stand twice, for IP and for what it carries
_UNUSED = frozenset(
    {
        "MAC", "MACSRC", "MACDST", "MACPROTO", "VPROTO", "VID", "PHYSIN", "PHYSOUT", "LEN", "TOS", "PREC", "TTL", "ID", "TC",
        "HOPLIMIT", "FLOWLBL", "SEQ", "ACK", "WINDOW", "RES", "URGP", "UID", "GID", "MARK", "SPI", "GATEWAY", "MTU",
        "PARAMETER", "POINTER", "TUNNEL",
    }
)  # fmt: skip
_WORDS = frozenset({"CE", "DF", "AH", "ESP", "OPT", "(", ")"})
_FLAGS = {name.upper(): 1 << bit for bit, name in enumerate(FLAG_NAMES)}


def looks(line: str) -> bool:
    return _BODY.search(line) is not None or _HEAD.search(line) is not None


def read(line: str) -> Packet:
    """The packet of a log line.

    Raises:
        NotationError: if it tells of no IP packet, or what it tells is not understood.

    >>> str(read("[UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.9 DST=192.0.2.80 LEN=40 TTL=64 PROTO=TCP SPT=4 DPT=22 WINDOW=9 SYN URGP=0"))
    'tcp 203.0.113.9:4 -> 192.0.2.80:22 flags syn in eth0'
    """
    head = _HEAD.search(line)
    optional: dict[str, Any] = {}
    if head is not None:
        body = line[head.end() :]
        optional = {"in_interface": head[1] or None, "out_interface": head[2] or None}
    else:
        found = _BODY.search(line)
        body = line[found.start() :] if found else ""
    told = _Told(body)
    if told.values.keys().isdisjoint({"SRC", "DST"}):
        if "ARP" in told.odd:
            raise NotationError(NAME, "not-ip", "the line tells of ARP, which is not IP")
        raise NotationError(NAME, "untold", "the line has no `SRC=` and `DST=`")
    if told.odd:
        raise NotationError(NAME, "unreadable", f"`{shortened(told.odd[0])}` is not known in a log line of netfilter")
    for key in ("SRC", "DST"):
        if key not in told.values:
            raise NotationError(NAME, "untold", f"the line has no `{key}=`")
    return _packet(told, optional)


class _Told:
    """What the words of a line say."""

    def __init__(self, body: str) -> None:
        self.values: dict[str, str] = {}
        self.odd: list[str] = []
        self.flags = 0
        self.more = self.cut = self.esp = self.complete = False
        self.offset: int | None = None
        self._depth = 0  # of brackets: a quoted packet, which may be cut short in brackets of its own
        for match in _TOKEN.finditer(body):
            self._token(match)
        if self._depth:
            raise NotationError(NAME, "unreadable", "the packet quoted in brackets has no end: the line is cut short")

    def _token(self, match: re.Match[str]) -> None:
        if match["inner"]:
            self._depth += 1
        elif self._depth:
            word = match["word"] or ""
            self._depth -= word.endswith("]")
        elif match["cut"]:
            self.cut = True
        else:
            self._word(match["word"])

    def _word(self, word: str) -> None:
        key, equals, value = word.partition("=")
        if equals and key in _UNUSED:
            self.complete |= key == "URGP" and self.values.get("PROTO") == "TCP"  # it stands behind the flags
            return
        if equals and key in ("SRC", "DST", "PROTO", "SPT", "DPT", "TYPE", "CODE"):
            if key in self.values:
                raise NotationError(NAME, "ambiguous", f"`{key}=` stands twice")
            self.values[key] = value
        elif word in _FLAGS and self.values.get("PROTO") == "TCP":
            self.flags |= _FLAGS[word]
        elif word == "MF" or (word == "INCOMPLETE" and self.offset is not None):  # of IPv4; behind IPv6's `FRAG:`
            self.more = True
        elif word == "TRUNCATED":
            self.cut = True
        elif word.startswith("FRAG:"):
            offset = number(NAME, "the fragment's offset", word[5:])
            self.offset = max(offset, self.offset or 0)
        elif word == "ESP":
            self.esp = True
        elif not (word in _WORDS or re.fullmatch(r"ID:[0-9a-f]{8}|\([0-9A-F]+\)", word)):
            self.odd.append(word)


def _packet(told: _Told, optional: dict[str, Any]) -> Packet:
    values = told.values
    if "PROTO" not in values and not told.esp:
        raise NotationError(NAME, "untold", "the line has no `PROTO=`")
    number_of = protocol(NAME, values["PROTO"]) if "PROTO" in values else 50
    if told.offset:
        optional["fragment"] = "later"
    elif told.more:
        optional["fragment"] = "first"
    for key, name in (("SPT", "sport"), ("DPT", "dport"), ("TYPE", "icmp_type"), ("CODE", "icmp_code")):
        if key in values:
            optional[name] = number(NAME, f"`{key}=`", values[key])
    # of these the log writes ports or types whenever the packet has them: without, the line is cut short
    wanted = {"TCP": "SPT DPT", "UDP": "SPT DPT", "UDPLITE": "SPT DPT", "ICMP": "TYPE CODE", "ICMPv6": "TYPE CODE"}
    for key in wanted.get(values.get("PROTO", ""), "").split():
        if key not in values and not told.offset:
            why = "the packet was too short for it" if told.cut else "the line is cut short"
            raise NotationError(NAME, "untold", f"the line has no `{key}=`: {why}")
    if told.complete and "SPT" in values:
        optional["flags"] = told.flags
    elif told.flags:
        raise NotationError(NAME, "untold", "the line ends before `URGP=`, perhaps among the flags")
    return made(NAME, number_of, values["SRC"], values["DST"], **optional)
