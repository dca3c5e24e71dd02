"""AWS VPC flow logs as text: versions 2 to 5 and beyond by their header line or a format, else version 2's default fields.

Addresses are those of the network interface (`srcaddr`, `dstaddr`), not those of the packet before a translation
(`pkt-srcaddr`). Ports of what has none are 0, ICMP types are not told. The `tcp-flags` of version 3 tell who opened a
connection: syn alone the side that did, syn with ack the other. Source: Amazon VPC User Guide, Flow log records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .columns import Columns, opens_aws, roles_of

NAME = "vpc"
DEFAULT: Final = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
]
_FIELD = re.compile(r"\$\{([a-z-]+)\}")
_LINE = re.compile(r"2 (?:\d{12}|unknown) \S+ \S+ \S+ (?:\d+|-) (?:\d+|-) (?:\d+|-) .*")


def is_header(line: str) -> bool:
    """Is it the line that names the fields, as in files in S3?"""
    words = line.split(" ")
    return "srcaddr" in words and "dstaddr" in words


def looks(line: str) -> bool:
    """Is it a line of the default format?"""
    return _LINE.fullmatch(line) is not None and line.count(" ") == len(DEFAULT) - 1


def format_fields(text: str) -> list[str]:
    """The fields of a format as AWS has it, `${version} ${srcaddr}`, or of its names alone.

    Raises:
        ValueError: if it is none, or says too little.
    """
    fields = _FIELD.findall(text) if "$" in text else text.split()
    if "$" in text and " ".join(f"${{{name}}}" for name in fields) != " ".join(text.split()):
        raise ValueError("a format is as in `${srcaddr} ${dstaddr} ${protocol}`")
    for name in ("srcaddr", "dstaddr", "protocol"):
        if name not in fields:
            raise ValueError(f"the format has no `{name}`: without it nothing can be asked")
    return list(fields)


def columns(fields: Sequence[str]) -> Columns:
    return Columns(roles_of(fields), len(fields), opens_aws)
