"""Zeek's conn.log, with tabs and a header or as JSON: a connection a line, its originator first.

Of ICMP, `id.orig_p` is the type and `id.resp_p` the code, or the type of the answer where the message asks for one. A tcp
connection that Zeek met in its middle (`OTH`) has no originator that is certain. Bytes are those of IP packets where the log
has them. Source: Zeek, base/protocols/conn/main.zeek and analyzer/protocol/icmp.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..flow import ANSWERS, Flow
from .words import UNTOLD, UnreadError, address_of, made, number_of, protocol_of, time_of

NAME = "zeek"
_DIRECTIVE = re.compile(r"#(separator|set_separator|empty_field|unset_field|path|open|close|fields|types)\b")


class Tabbed:
    """The lines of a conn.log with a header, which tells the columns, and may be told anew."""

    def __init__(self) -> None:
        self._separator, self._unset = "\t", "-"
        self._fields: list[str] = []

    def flow(self, line: str) -> Flow | None:
        if line.startswith("#"):
            self._directive(line)
            return None
        if not self._fields:
            raise UnreadError("no `#fields` line stands before it")
        row = line.split(self._separator)
        if len(row) != len(self._fields):
            raise UnreadError("too few fields" if len(row) < len(self._fields) else "too many fields")
        return of_mapping({key: text for key, text in zip(self._fields, row, strict=True) if text != self._unset})

    def _directive(self, line: str) -> None:
        found = _DIRECTIVE.match(line)
        word = found[1] if found else ""
        if word == "separator":
            text = line[len("#separator ") :]
            self._separator = text.encode().decode("unicode_escape", "replace") or "\t"
        elif word == "unset_field":
            self._unset = line.split(self._separator)[-1]
        elif word == "fields":
            self._fields = line.split(self._separator)[1:]


def looks(value: Mapping[str, Any]) -> bool:
    return "id.orig_h" in value and "id.resp_h" in value


def of_mapping(value: Mapping[str, Any]) -> Flow:
    """The flow of a line, by the names of its fields."""

    def text(key: str) -> str:
        found = value.get(key)
        return "" if found is None else str(found)

    if "id.orig_h" not in value:
        raise UnreadError("`id.orig_h` is not told", flawed=True)
    word = text("proto")
    protocol = protocol_of(text("ip_proto") if word == "unknown_transport" and "ip_proto" in value else word)
    src, dst = address_of("id.orig_h", text("id.orig_h")), address_of("id.resp_h", text("id.resp_h"))
    ports = [number_of(key, text(key), 65535) for key in ("id.orig_p", "id.resp_p")]
    type_ = code = None
    if protocol == 1 or protocol == 58:
        type_, code = ports
        if type_ is not None:
            answers = ANSWERS[6 if protocol == 58 or src >> 32 else 4]
            code = 0 if type_ in answers or type_ in answers.values() else code
        ports = [None, None]
    first = time_of("ts", text("ts"))
    took = text("duration")
    last = first
    if first is not None and took not in UNTOLD:
        try:
            last = first + int(float(took) * 1000)
        except ValueError:
            raise UnreadError("`duration` is no number") from None
    packets = [number_of(key, text(key)) or 0 for key in ("orig_pkts", "resp_pkts")]
    kind = "ip_bytes" if "orig_ip_bytes" in value else "bytes"
    octets = [number_of(key, text(key)) or 0 for key in (f"orig_{kind}", f"resp_{kind}")]
    return made(
        protocol, src, dst, ports[0], ports[1], type_, code,
        opened=not (protocol == 6 and text("conn_state") == "OTH") and not (type_ is not None and type_ in (0, 129)),
        bytes_=sum(octets), packets=sum(packets), first=first, last=last,
    )  # fmt: skip
