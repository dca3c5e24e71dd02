"""What the readers of logs share: words of a log -> numbers, and a flow made of them; a line that is refused, and why.

Reasons are few and tell no values, since lines are counted by them. Knows no log.
"""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import Final

from ...model import address
from ...model.fields import ICMP, ICMPV6, PORT_PROTOCOLS, WHOLE, exists
from ...registry import names
from ..flow import ACCEPTED, ANSWERS, REJECTED, Flow

UNTOLD: Final = frozenset({"", "-", "N/A", "null", "None"})
_ACCEPTED: Final = frozenset({"accept", "accepted", "allow", "allowed", "pass", "passed", "permit", "permitted", "a"})
_REJECTED: Final = frozenset(
    {"reject", "rejected", "deny", "denied", "drop", "dropped", "block", "blocked", "d", "refused"}
)
_LETTERS: Final = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128, "W": 128}
# seconds, milliseconds, microseconds, nanoseconds since 1970, each from 1973 to 5138: what they are multiplied and divided by
_UNITS: Final = ((10**11, 1000, 1), (10**14, 1, 1), (10**17, 1, 1000), (10**20, 1, 10**6))


class UnreadError(Exception):
    """A line that is not taken for a flow; `flawed` if something is wrong with it."""

    def __init__(self, reason: str, *, flawed: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.flawed = reason, flawed


@lru_cache(1 << 16)
def _address(text: str) -> int | None:
    try:
        return address.parse(text)
    except ValueError:
        return None


def address_of(what: str, text: str) -> int:
    """The point of an address."""
    found = _address(text)
    if found is None:
        raise UnreadError(f"`{what}` is not told" if text in UNTOLD else f"`{what}` is no IP address")
    return found


@lru_cache(1 << 10)
def protocol_of(text: str) -> int:
    """A protocol by its number or its name, in capitals or not."""
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 255:
        return int(text)
    found = names.protocol(text.lower())
    if found is None:
        raise UnreadError("the protocol is not told" if text in UNTOLD else "the protocol is not known")
    return found


def number_of(what: str, text: str, top: int = (1 << 63) - 1) -> int | None:
    """A number; None if the log does not tell it."""
    if text.isdecimal() and text.isascii():
        value = int(text.lstrip("0")[:20] or 0)
        if value <= top:
            return value
    elif text in UNTOLD:
        return None
    raise UnreadError(f"`{what}` is no number from 0 to {top}" if top < 1 << 32 else f"`{what}` is no number")


def time_of(what: str, text: str) -> int | None:
    """Milliseconds since 1970, of a number of seconds, milliseconds, microseconds or nanoseconds since then, or of a date with
    a time; None if it is not told. A time without a zone is UTC."""
    if text.isascii() and text.isdigit():
        number = int(text.lstrip("0")[:24] or 0)
        for top, times, by in _UNITS:
            if number < top:
                return number * times // by
        raise UnreadError(f"`{what}` is no time")
    if text in UNTOLD:
        return None
    if re.fullmatch(r"[0-9]{1,11}\.[0-9]+", text, re.ASCII):
        seconds, _, rest = text.partition(".")
        return int(seconds) * 1000 + int((rest + "00")[:3])
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise UnreadError(f"`{what}` is no time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - _EPOCH) // datetime.timedelta(milliseconds=1)


_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def recorded_of(text: str) -> int:
    """What a filter did: `ACCEPTED`, `REJECTED`, or 0 if the log does not tell."""
    word = text.strip().lower()
    if word in _ACCEPTED:
        return ACCEPTED
    if word in _REJECTED:
        return REJECTED
    if text in UNTOLD:
        return 0
    raise UnreadError("what the filter did is told in a word that is not known")


def flags_of(text: str) -> int | None:
    """A union of TCP flags, as a number, in hexadecimal behind `0x`, or in letters as in `...AP.SF`; None if it is not told."""
    if text in UNTOLD:
        return None
    if text.isascii() and text.isdigit():
        return int(text.lstrip("0")[:20] or 0) & 255
    if re.fullmatch(r"0x[0-9A-Fa-f]{1,4}", text):
        return int(text, 16) & 255
    letters = text.replace(".", "").replace("-", "").replace("_", "")
    if not _LETTERS.keys() >= set(letters):
        raise UnreadError("the TCP flags are told in a way that is not known")
    return sum(_LETTERS[letter] for letter in set(letters) - {"W"} | ({"C"} if "W" in letters else set()))


def opened_by_source(protocol: int, flags: int | None) -> bool:
    """Do the flags of all that the source sent say that it opened the connection? It sent syn and never ack."""
    return protocol == 6 and flags is not None and flags & 18 == 2


def made(
    protocol: int,
    src: int,
    dst: int,
    sport: int | None,
    dport: int | None,
    type_: int | None = None,
    code: int | None = None,
    *,
    opened: bool = True,
    recorded: int = 0,
    bytes_: int | None = 0,
    packets: int | None = 0,
    first: int | None = None,
    last: int | None = None,
    inbound: str | None = None,
    outbound: str | None = None,
) -> Flow:
    """A flow of such words, without the fields that its packets do not have.

    Raises:
        UnreadError: if there is no such flow.
    """
    six = src >= address.V6_BASE
    if six != (dst >= address.V6_BASE):
        raise UnreadError("the addresses are of different families")
    if protocol == ICMP and six:
        protocol = ICMPV6  # as most logs call it
    if not exists(protocol, 6 if six else 4, WHOLE):
        raise UnreadError("the protocol is a header of IPv6, and what is behind it is not told")
    if protocol not in PORT_PROTOCOLS:
        sport = dport = None
    elif sport == 0 and dport == 0:
        raise UnreadError("both ports are 0: not looked at, or a later fragment")
    if protocol != (ICMPV6 if six else ICMP) or type_ is None:
        type_ = code = None
    elif code is None:
        code = 0 if type_ in ANSWERS[6 if six else 4] else None
        type_ = type_ if code is not None else None
    return Flow(
        protocol, src, dst, sport, dport, type_, code, opened, recorded, bytes_ or 0, packets or 0, first, last, inbound, outbound
    )  # fmt: skip
