"""Log lines of Cisco IOS access lists: `%SEC-6-IPACCESSLOGP: list 101 denied tcp 203.0.113.9(40000) -> 192.0.2.80(22), 1 packet`.

IOS writes port 0 where no entry of the list looked at ports, and for later fragments: both 0 is refused. With `log-input`
the interface on which the packet came in is told.
"""

from __future__ import annotations

import re

from ...model.fields import ICMP, ICMPV6
from ...model.packet import Packet
from .parts import NotationError, made, number, ported, protocol

NAME = "ios"
_LOOKS = re.compile(r"%(?:SEC|FMANFP|IPV6_ACL)-\d-(?:IP)?(?:V6_)?ACCESSLOG([A-Z]*)\b: *(.*)")
_ADDRESS = r"[0-9A-Fa-f.:]+"
_INPUT = r"(?: \((?P<interface>[A-Za-z][\w./:-]*)(?: [^)]*)?\))?"  # the interface, and the station's address
_COUNT = r",? \d+ packets?\b.*"
_VERDICT = r"list (?P<list>\S+) (?:permitted|denied) "
_WITH_PORTS = re.compile(
    rf"{_VERDICT}(?P<protocol>\S+) (?P<src>{_ADDRESS})\((?P<sport>\d+)\){_INPUT} -> (?P<dst>{_ADDRESS})\((?P<dport>\d+)\){_COUNT}"
)
_WITH_TYPE = re.compile(
    rf"{_VERDICT}(?P<protocol>\S+) (?P<src>{_ADDRESS}){_INPUT} -> (?P<dst>{_ADDRESS})"
    rf" \((?P<type>\d+)(?:/(?P<code>\d+))?\){_COUNT}"
)
_PLAIN = re.compile(rf"{_VERDICT}(?P<protocol>\S+) (?P<src>{_ADDRESS}){_INPUT} -> (?P<dst>{_ADDRESS}){_COUNT}")
_SOURCE = re.compile(rf"{_VERDICT}{_ADDRESS}{_COUNT}")


def looks(line: str) -> bool:
    return _LOOKS.search(line) is not None


def read(line: str) -> Packet:
    """The packet of a log line.

    Raises:
        NotationError: if the line does not tell one.

    >>> str(read("%SEC-6-IPACCESSLOGDP: list outside denied icmp 203.0.113.9 -> 192.0.2.80 (8/0), 1 packet"))
    'icmp 203.0.113.9 -> 192.0.2.80 type 8 code 0'
    """
    found = _LOOKS.search(line)
    assert found is not None
    told = found[2].strip()
    match = _WITH_PORTS.fullmatch(told) or _WITH_TYPE.fullmatch(told) or _PLAIN.fullmatch(told)
    if match is None:
        if _SOURCE.fullmatch(told):
            raise NotationError(NAME, "untold", "a standard list logs the source alone: the line has no destination")
        raise NotationError(NAME, "unreadable", "this is not a line of an access list's log as IOS writes it")
    given = match.groupdict()
    ip = protocol(NAME, given["protocol"])
    interface = {"in_interface": given["interface"]} if given["interface"] else {}
    if given.get("sport") is not None:
        sport, dport = (number(NAME, "port", given[key]) for key in ("sport", "dport"))
        return ported(NAME, ip, given["src"], given["dst"], sport, dport, **interface)
    kinds: dict[str, int] = {}
    if ip in (ICMP, ICMPV6) and given.get("code") is not None:  # of others, such as igmp, it is a number of their own
        kinds = {"icmp_type": number(NAME, "type", given["type"]), "icmp_code": number(NAME, "code", given["code"])}
    return made(NAME, ip, given["src"], given["dst"], **kinds, **interface)
