"""Log lines of Juniper: SRX's sessions (`RT_FLOW_SESSION_DENY`, as text or structured) and Junos filters' `PFE_FW_SYSLOG_IP`.

A session's zones are not interfaces; where the interface is told, it is where the first packet came in. A session whose
addresses were translated is refused. Source: Junos System Log Messages Reference.
"""

from __future__ import annotations

import re
from typing import Any

from ...model.fields import ICMP, ICMPV6, PORT_PROTOCOLS
from ...model.packet import Packet
from .parts import NotationError, made, number, ported, protocol

NAME = "juniper"
_A = r"[0-9A-Fa-f.:]+"
_LOOKS = re.compile(r"\bRT_FLOW_SESSION_(?P<event>[A-Z_]+)\b|\bPFE_FW_SYSLOG_(?P<family>IP6?\w*)\b")
_ENDS = rf"(?P<src>{_A})/(?P<sport>\d+)->(?P<dst>{_A})/(?P<dport>\d+)"
_TAG = r"(?: 0x[0-9a-f]+)?"  # the connection's tag, of later releases
_DENIED = re.compile(rf"session denied {_ENDS}{_TAG} \S+ (?P<protocol>\d+)\((?P<type>\d+)\) (?P<rest>.*)")
_CREATED = re.compile(
    rf"session created {_ENDS}{_TAG} \S+ (?P<nat>{_A}/\d+->{_A}/\d+){_TAG}(?: \S+){{2}}(?: \S+ \S+)? (?P<protocol>\d+) (?P<rest>.*)"
)
_INTERFACE = re.compile(r"(?<= )(?:[a-z]+-\d+/\d+/\d+|reth\d+|ae\d+|irb|st\d+|lo\d+|fxp\d+|vlan)\.\d+(?= |$)")
_STRUCTURED = re.compile(r'([a-z0-9-]+)="([^"]*)"')
_FILTER = re.compile(
    rf"FW: (?P<in>\S+) +(?P<action>[ADR]) +(?P<protocol>\w+) (?P<src>{_A}) (?P<dst>{_A}) +(?P<one>\d+) +(?P<two>\d+)"
    r" \(\d+ packets?\).*"
)


def looks(line: str) -> bool:
    return _LOOKS.search(line) is not None


def read(line: str) -> Packet:
    """The packet of a log line.

    Raises:
        NotationError: if the line does not tell one.

    >>> str(read("PFE_FW_SYSLOG_IP: FW: ge-0/1/0.0 D  tcp 203.0.113.9 192.0.2.80 40000    22 (1 packets)"))
    'tcp 203.0.113.9:40000 -> 192.0.2.80:22 in ge-0/1/0.0'
    """
    found = _LOOKS.search(line)
    assert found is not None
    rest = line[found.end() :].strip()
    if found["family"]:
        return _filter(found["family"], rest)
    if found["event"].startswith("CLOSE"):
        raise NotationError(NAME, "no-packet", "the line tells of a session's end, not of a packet")
    told = dict(_STRUCTURED.findall(rest))
    if "source-address" in told:
        return _structured(told)
    text = rest.removeprefix(":").strip()
    denied, created = _DENIED.fullmatch(text), _CREATED.fullmatch(text)
    match = denied or created
    if match is None:
        raise NotationError(
            NAME, "unreadable", "this is not a line of a session's beginning or denial as Junos writes it"
        )
    ends = f"{match['src']}/{match['sport']}->{match['dst']}/{match['dport']}"
    if created and created["nat"] != ends:
        raise _translated(ends, created["nat"])
    ip = int(match["protocol"])
    optional: dict[str, Any] = {"icmp_type": int(denied["type"])} if denied and ip in (ICMP, ICMPV6) else {}
    interfaces = _INTERFACE.findall(" " + match["rest"])
    if len(interfaces) == 1:
        optional["in_interface"] = interfaces[0]
    return ported(NAME, ip, match["src"], match["dst"], int(match["sport"]), int(match["dport"]), **optional)


def _structured(told: dict[str, str]) -> Packet:
    for key in ("destination-address", "protocol-id"):
        if key not in told:
            raise NotationError(NAME, "untold", f"the line has no `{key}`")
    for side in ("source", "destination"):
        for what in ("address", "port"):
            one, other = told.get(f"{side}-{what}"), told.get(f"nat-{side}-{what}")
            if other is not None and one != other:
                raise _translated(one or "", other)
    ip = protocol(NAME, told["protocol-id"])
    optional: dict[str, Any] = {}
    if ip in (ICMP, ICMPV6) and "icmp-type" in told:
        optional["icmp_type"] = number(NAME, "icmp-type", told["icmp-type"])
    interface = told.get("packet-incoming-interface")
    if interface and interface not in ("N/A", "UNKNOWN"):
        optional["in_interface"] = interface
    src, dst = told["source-address"], told["destination-address"]
    if ip in PORT_PROTOCOLS and not {"source-port", "destination-port"} <= told.keys():
        return made(NAME, ip, src, dst, **optional)
    sport, dport = (number(NAME, "port", told.get(f"{side}-port", "0")) for side in ("source", "destination"))
    return ported(NAME, ip, src, dst, sport, dport, **optional)


def _filter(family: str, rest: str) -> Packet:
    match = _FILTER.fullmatch(rest.removeprefix(":").strip())
    if match is None:
        raise NotationError(NAME, "unreadable", f"this is not a PFE_FW_SYSLOG_{family} line as it is read here")
    ip = protocol(NAME, match["protocol"])
    if ip == ICMP and ":" in match["src"]:
        ip = ICMPV6
    # of others than those with ports, releases differ in what the two numbers are: left open
    return ported(NAME, ip, match["src"], match["dst"], int(match["one"]), int(match["two"]), in_interface=match["in"])


def _translated(one: str, other: str) -> NotationError:
    message = f"the line tells of a translation, {one} to {other}: write the packet with the addresses that the policy is to see"
    return NotationError(NAME, "translated", message)
