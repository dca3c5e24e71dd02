"""Logs with a column for each thing they tell: what columns are called, and a row of them -> a flow.

Read so are AWS VPC flow logs, nfdump's CSV, and any CSV whose columns are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, get_args

from ...model.fields import TCP
from ...registry.names import near
from ..flow import Flow
from .words import (
    UNTOLD,
    UnreadError,
    address_of,
    flags_of,
    made,
    number_of,
    opened_by_source,
    protocol_of,
    recorded_of,
    time_of,
)

Role = Literal[
    "src", "dst", "sport", "dport", "protocol", "type", "code", "flags", "action", "status", "bytes", "packets", "start", "end",
    "in", "out",
]  # fmt: skip
ROLES: Final[tuple[Role, ...]] = get_args(Role)

# What columns are called, in lower case and with `_` in the place of `-`, `.` and spaces.
_CALLED: Final[Mapping[Role, str]] = {
    "src": "src srcaddr src_addr src_ip srcip source_ip sourceip source_address sourceaddress sa ip_src saddr src4_addr",
    "dst": "dst dstaddr dst_addr dst_ip dstip dest_ip destination_ip destinationip destination_address da ip_dst daddr dst4_addr",
    "sport": "sport srcport src_port source_port sourceport sp spt",
    "dport": "dport dstport dst_port dest_port destination_port destinationport dp dpt",
    "protocol": "protocol proto pr ip_proto ip_protocol protocolidentifier",
    "type": "icmp_type",
    "code": "icmp_code",
    "flags": "flags tcp_flags flg tcpflags",
    "action": "action verdict disposition",
    "status": "log_status",
    "bytes": "bytes ibyt in_bytes octets bytes_sent",
    "packets": "packets ipkt in_packets pkts packets_sent",
    "start": "start ts firstseen first start_time first_switched t_first",
    "end": "end te lastseen last end_time last_switched t_last",
    "in": "in_interface",
    "out": "out_interface",
}
_ROLE_OF: Final[Mapping[str, Role]] = {name: role for role, names in _CALLED.items() for name in names.split()}
NEEDED: Final[tuple[Role, ...]] = ("src", "dst", "protocol")


def role_of(column: str) -> Role | None:
    """What a column of this name tells; None if that is nothing that is looked at."""
    name = column.strip().strip("\"'").lower()
    for c in "-. ":
        name = name.replace(c, "_")
    return _ROLE_OF.get(name)


def roles_of(header: Sequence[str]) -> dict[Role, int]:
    """What the columns of a header tell, each by the first that does."""
    found: dict[Role, int] = {}
    for number, column in enumerate(header):
        role = role_of(column)
        if role is not None:
            found.setdefault(role, number)
    return found


def stated_roles(text: str) -> dict[Role, str]:
    """`src=srcaddr,dport=port` -> the names of columns, or their numbers counted from 1.

    Raises:
        ValueError: with what to write instead.
    """
    found: dict[Role, str] = {}
    for part in text.split(","):
        word, equals, name = (piece.strip() for piece in part.partition("="))
        role = next((role for role in ROLES if role == word), None)
        if not equals or not name:
            raise ValueError(f"`{part.strip()}` is not as in `src=srcaddr`")
        if role is None:
            meant = near(word, ROLES)
            raise ValueError(
                f"`{word}` is nothing that a column tells: "
                + (f"did you mean `{meant[0]}`?" if meant else ", ".join(ROLES))
            )
        if role in found:
            raise ValueError(f"`{role}` stands twice")
        found[role] = name
    missing = [role for role in NEEDED if role not in found]
    if missing:
        raise ValueError(f"`{missing[0]}=COLUMN` is missing")
    return found


def located(stated: Mapping[Role, str], header: Sequence[str] | None) -> dict[Role, int]:
    """Where the named columns stand; without a header they are numbers.

    Raises:
        ValueError: if there is no such column.
    """
    out: dict[Role, int] = {}
    names = [name.strip().strip('"') for name in header or ()]
    for role, name in stated.items():
        if name.isdigit() and name not in names:
            out[role] = int(name) - 1
        elif name in names:
            out[role] = names.index(name)
        else:
            meant = near(name, names)
            hint = f"did you mean `{meant[0]}`?" if meant else f"it has {', '.join(f'`{each}`' for each in names)}"
            raise ValueError(f"the log has no column `{name}`: {hint}")
    return out


Opens = Callable[[int, int | None], bool | None]


def opens(protocol: int, flags: int | None) -> bool | None:
    """Did the source open the connection (False: its peer did)? None if the flags do not tell."""
    return True if opened_by_source(protocol, flags) else None


def opens_aws(protocol: int, flags: int | None) -> bool | None:
    """The same in VPC flow logs, which tell ack beside syn alone: only the side that answers has both."""
    if protocol != TCP or flags is None or not flags & 2:
        return None
    return not flags & 16


def opens_in(header: Sequence[str]) -> Opens:
    """How flags tell who opened a connection, in a log with these columns: `log-status` is AWS'."""
    return opens_aws if any(role_of(name) == "status" for name in header) else opens


class Columns:
    """Rows of texts -> flows. What a row does not have, or has as `-`, is open.

    Args:
        roles: where each thing stands in a row.
        width: of a row; None if rows may be longer.
        opens: how flags tell who opened a connection.
    """

    def __init__(self, roles: Mapping[Role, int], width: int | None = None, opens: Opens = opens) -> None:
        self.at = [roles.get(role, -1) for role in ROLES]
        self.width, self.opens = width, opens
        self._most = max(roles.values()) + 1

    def flow(self, row: Sequence[str]) -> Flow:
        """The flow of a row.

        Raises:
            UnreadError: if it has none.
        """
        size = len(row)
        if size < self._most or (self.width is not None and size != self.width):
            raise UnreadError("too few fields" if size < (self.width or self._most) else "too many fields")
        (
            src,
            dst,
            sport,
            dport,
            protocol,
            type_,
            code,
            flags,
            action,
            status,
            octets,
            packets,
            start,
            end,
            inside,
            outside,
        ) = [row[at] if at >= 0 else "" for at in self.at]
        if status in ("NODATA", "SKIPDATA"):
            raise UnreadError(f"no flow: {status}", flawed=False)
        if status and status != "OK":
            raise UnreadError("`log-status` is not known")
        number = protocol_of(protocol)
        told = self.opens(number, flags_of(flags))
        flow = made(
            number,
            address_of("src", src),
            address_of("dst", dst),
            number_of("sport", sport, 65535),
            number_of("dport", dport, 65535),
            number_of("type", type_, 255),
            number_of("code", code, 255),
            opened=told is not None,
            recorded=recorded_of(action),
            bytes_=number_of("bytes", octets),
            packets=number_of("packets", packets),
            first=time_of("start", start),
            last=time_of("end", end),
            inbound=None if inside in UNTOLD else inside,
            outbound=None if outside in UNTOLD else outside,
        )
        return flow.reversed if told is False else flow
