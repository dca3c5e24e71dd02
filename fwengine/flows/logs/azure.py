"""Azure's flow logs of network security groups (versions 1 and 2) and of virtual networks: JSON with tuples of texts.

A tuple's source opened the connection, and it tells what the filter did. A connection that goes on has a tuple when it begins, for
each interval, and when it ends: each is a record of its own. Source: Azure Network Watcher, flow logs of network security groups and
of virtual networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..flow import ACCEPTED, REJECTED, Flow
from .words import UnreadError, address_of, made, number_of, protocol_of, time_of

NAME = "azure"
_PROTOCOLS = {"T": "6", "U": "17"}


def looks(value: Mapping[str, Any]) -> bool:
    return str(value.get("category", "")).endswith("FlowEvent") or "flowRecords" in value


def of_mapping(value: Mapping[str, Any]) -> Iterator[Flow | UnreadError]:
    """The flows of one of the `records`; what is wrong with a tuple costs that tuple."""
    for row in _tuples(value):
        try:
            yield _flow(row)
        except UnreadError as error:
            yield error


def _tuples(value: Mapping[str, Any]) -> Iterator[str]:
    try:
        if "flowRecords" in value:
            groups = [group for flow in value["flowRecords"]["flows"] for group in flow["flowGroups"]]
        else:
            groups = [flow for rule in value["properties"]["flows"] for flow in rule["flows"]]
        rows = [row for group in groups for row in group["flowTuples"]]
    except (KeyError, TypeError):
        raise UnreadError("the record has no `flowTuples` where they are expected") from None
    yield from map(str, rows)


def _flow(row: str) -> Flow:
    cells = row.split(",")
    if len(cells) < 8:
        raise UnreadError("a tuple of too few fields")
    moment, src, dst, sport, dport, protocol, _, done, *rest = cells
    if protocol in _PROTOCOLS:  # of network security groups: then A or D, and the connection's state
        recorded = {"A": ACCEPTED, "D": REJECTED}.get(done)
        counts = rest[1:5]
    else:  # of virtual networks: the state, D if it was denied
        recorded = {"B": ACCEPTED, "C": ACCEPTED, "E": ACCEPTED, "D": REJECTED}.get(done)
        counts = rest[1:5]
    if recorded is None:
        raise UnreadError("a tuple does not tell what the filter did")
    packets, octets, back, octets_back = (number_of("packets or bytes", cell) or 0 for cell in (*counts, *[""] * 4)[:4])
    when = time_of("time", moment)
    return made(
        protocol_of(_PROTOCOLS.get(protocol, protocol)), address_of("src", src), address_of("dst", dst),
        number_of("sport", sport, 65535), number_of("dport", dport, 65535), recorded=recorded, bytes_=octets + octets_back,
        packets=packets + back, first=when, last=when,
    )  # fmt: skip
