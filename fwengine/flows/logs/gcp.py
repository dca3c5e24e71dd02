"""GCP's VPC flow logs and logs of firewall rules: JSON lines as Cloud Logging exports them.

A record of a VPC flow log is of one direction and does not tell who opened the connection; one of a firewall rule is of the
connection, and tells what the rule did. Source: Google Cloud, VPC Flow Logs record format; Firewall Rules Logging format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..flow import Flow
from .words import UnreadError, address_of, made, number_of, protocol_of, recorded_of, time_of

NAME = "gcp"


def looks(value: Mapping[str, Any]) -> bool:
    payload = value.get("jsonPayload")
    return isinstance(payload, Mapping) and isinstance(payload.get("connection"), Mapping)


def of_mapping(value: Mapping[str, Any]) -> Flow:
    """The flow of a log entry."""
    payload = value.get("jsonPayload")
    connection = payload.get("connection") if isinstance(payload, Mapping) else None
    if not isinstance(payload, Mapping) or not isinstance(connection, Mapping):
        raise UnreadError("the entry has no `connection`")

    def text(key: str, of: Mapping[str, Any]) -> str:
        found = of.get(key)
        return "" if found is None else str(found)

    rule = "disposition" in payload
    moment = text("timestamp", value) if rule else text("start_time", payload)
    return made(
        protocol_of(text("protocol", connection)),
        address_of("src_ip", text("src_ip", connection)),
        address_of("dest_ip", text("dest_ip", connection)),
        number_of("src_port", text("src_port", connection), 65535),
        number_of("dest_port", text("dest_port", connection), 65535),
        opened=rule,
        recorded=recorded_of(text("disposition", payload)),
        bytes_=number_of("bytes_sent", text("bytes_sent", payload)),
        packets=number_of("packets_sent", text("packets_sent", payload)),
        first=time_of("start_time", moment),
        last=time_of("end_time", moment if rule else text("end_time", payload)),
    )
