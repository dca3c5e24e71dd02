"""Lines of `tcpdump -e` on a pflog interface: `rule 5/0(match): block in on em0: 203.0.113.9.40000 > 192.0.2.80.22: …`.

FreeBSD's tcpdump goes on as everywhere; OpenBSD's own writes tcp flags as in `S 1:1(0) win 16384`, with `ack N` for the
flag ACK; its `win` ends what flags come from. The rule and what it did are not looked at: they belong to pf, and the policy is asked anew.
"""

from __future__ import annotations

import re

from ...model.fields import TCP, UDP
from ...model.packet import Packet
from . import tcpdump
from .parts import NotationError, made, number, shortened
from .tcpdump_tail import FLAG_LETTERS

NAME = "pf"
_RULE = re.compile(
    r"\brule [^ (]+\([a-z0-9 -]+\)(?: \[[^]]*\])?:? "
    r"(?:pass|block|scrub|match|nat|rdr|binat|synproxy drop|unkn\(\d+\))(?:/\S+)? (?P<way>in|out) on (?P<interface>[^:\s]+): "
)
_OLD = re.compile(r"(?P<src>\S+) > (?P<dst>\S+): (?P<rest>.*)")
_OLD_TCP = re.compile(r"(?P<flags>[SFRPEW]+|\.) (?P<rest>(?:\[tcp sum ok\] )?(?:\d+:\d+\(\d+\)|ack \d+).* win \d.*)")


def looks(line: str) -> bool:
    return _RULE.search(line) is not None


def read(line: str) -> Packet:
    """The packet of a line.

    Raises:
        NotationError: if the line does not tell one.

    >>> str(read("rule 5/(match) block in on em0: 203.0.113.9.40000 > 192.0.2.80.22: S 1:1(0) win 16384 (DF)"))
    'tcp 203.0.113.9:40000 -> 192.0.2.80:22 flags syn in em0'
    """
    rule = _RULE.search(line)
    assert rule is not None
    rest = line[rule.end() :]
    interface = {"out_interface" if rule["way"] == "out" else "in_interface": rule["interface"]}
    rest = re.sub(r"^IP6? ", "", rest)
    old = _OLD.fullmatch(rest)
    if old is not None:
        packet = _openbsd(old, interface)
        if packet is not None:
            return packet
    return tcpdump.behind_link(rest, interface)


def _openbsd(match: re.Match[str], interface: dict[str, str]) -> Packet | None:
    """The packet as OpenBSD's tcpdump writes it; None if it writes it as others do."""
    (src, sport), (dst, dport) = (tcpdump.end_of(match[side]) for side in ("src", "dst"))
    rest = match["rest"]
    if sport is None or dport is None:
        icmp = re.match(r"icmp: (.*)", rest)
        if icmp is None:
            return None
        return tcpdump.behind_link(f"{src} > {dst}: ICMP {icmp[1]},", interface)
    ports = {"sport": number(NAME, "port", sport), "dport": number(NAME, "port", dport)}
    if tcp := _OLD_TCP.match(rest):
        flags = sum(FLAG_LETTERS[letter] for letter in set(tcp["flags"]) - {"."})
        flags |= 16 * bool(re.search(r"\back \d+\b", tcp["rest"])) | 32 * bool(re.search(r"\burg \d+\b", tcp["rest"]))
        return made(NAME, TCP, src, dst, flags=flags, **ports, **interface)
    if re.match(r"(?:\[[^]]*\] )?udp \d+", rest):
        return made(NAME, UDP, src, dst, **ports, **interface)
    if re.match(r"Flags \[|UDP, |tcp \d|sctp|\[|\d+[-+*%|$]*(?: \[\d+\w+\])* [A-Z0-9]+\? ", rest):
        return None
    message = f"cannot tell the protocol of this line: `{shortened(rest)}`; write `PROTOCOL SRC -> DST` instead"
    raise NotationError(NAME, "untold", message)
