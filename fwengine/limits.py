"""What a question may cost before its answer is "unknown: limit reached": every limit, its default, and who is bound by it.

A limit is hit where work is done, far below whoever set it. So the limits in force are those of the running thread or task:
`Limits.applied` sets them for a block, `current` reads them, `question` gives a question its own sum of work. Without any,
the defaults hold. Knows nothing of what is limited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from .deadline import LONGEST, Deadline, own_code
from .errors import LimitError

P = ParamSpec("P")
T = TypeVar("T")

_DEEPEST: Final = 100
_ONE: Final = {
    "bytes": "byte", "rules": "rule", "elements": "element", "intervals": "interval", "boxes": "box", "levels": "level",
    "edges": "edge", "regions": "region", "parts": "part", "steps": "step",
}  # fmt: skip
MEANINGS: Final = {
    "bytes": "bytes of one file of a policy",
    "rules": "rules of a policy",
    "elements": "elements of one set",
    "ranges": "intervals of a set of addresses that are listed one by one",
    "boxes": "boxes of another firewall's rules, once its chains are unfolded",
    "nesting": "levels of braces and `not` in one value",
    "edges": "edges of a policy's compiled form",
    "regions": "regions of an answer",
    "cases": "parts of an open packet",
    "steps": "steps of one search",
    "work": "steps of all searches for one answer",
    "seconds": "seconds",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that reading a policy, and asking a question about it, may take.

    Whatever exceeds one of them is told with its name, as a `LimitError`; there is no answer then, and never half of one.
    All but `seconds` count what is done, so that the same question has the same end on every machine.

    Attributes:
        bytes: of one file of a policy.
        rules: of a policy.
        elements: of one set, as it is written.
        ranges: intervals of a set of addresses under masks that are listed one by one.
        boxes: of another firewall's rules, once its chains are unfolded.
        nesting: levels of braces and `not` in one value.
        edges: of a policy's compiled form.
        regions: of an answer, before they are merged.
        cases: parts of an open packet.
        steps: of one search.
        work: steps of all searches and compilations for one answer.
        seconds: for one question, or for loading; None for no such limit. They hold in any thread.

    >>> Limits(rules=10).rules, Limits().seconds
    (10, None)

    Raises:
        ValueError: if one is not above zero, or `nesting` is more than 100.
    """

    bytes: int = 1 << 28
    rules: int = 1_000_000
    elements: int = 1_000_000
    ranges: int = 1 << 16
    boxes: int = 2_000_000
    nesting: int = 64
    edges: int = 8_000_000
    regions: int = 200_000
    cases: int = 100_000
    steps: int = 4_000_000
    work: int = 100_000_000
    seconds: float | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None and one.name == "seconds":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ValueError(f"a limit is a number above zero, and `{one.name}` is {value!r}")
        if self.seconds is not None and self.seconds > LONGEST:
            raise ValueError(f"`seconds` is at most {LONGEST:,}")
        if self.nesting > _DEEPEST:
            raise ValueError(f"`nesting` is at most {_DEEPEST}: deeper values would exhaust the stack")

    def applied(self) -> AbstractContextManager[None]:
        """These limits hold for what this thread, or this task, does in a `with` block; `seconds` for the whole block.

        Raises:
            LimitError: when the seconds are over.
        """
        return _Applied(self)


class _Applied:
    """A block within limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._deadline = None if limits.seconds is None else Deadline(limits.seconds)

    def __enter__(self) -> None:
        self._token = _CURRENT.set((self._limits, None))
        if self._deadline is not None:
            self._deadline.__enter__()

    def __exit__(self, *error: Any) -> None:
        try:
            if self._deadline is not None:
                self._deadline.__exit__(*error)
        finally:
            _CURRENT.reset(self._token)


own_code(_Applied.__enter__, _Applied.__exit__)


class _Meter:
    """The steps that are left of a question's work."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


_USUAL: Final = Limits()
_CURRENT: ContextVar[tuple[Limits, _Meter | None]] = ContextVar("fwengine.limits", default=(_USUAL, None))


def current() -> Limits:
    """The limits in force."""
    return _CURRENT.get()[0]


def reached(name: str, doing: str = "", most: float | None = None) -> LimitError:
    """The error that says which limit was reached, to be raised.

    >>> str(reached("regions"))
    'unknown: limit reached (200,000 regions of an answer)'
    >>> str(reached("rules", most=1))
    'unknown: limit reached (1 rule of a policy)'
    """
    value = getattr(current(), name) if most is None else most
    noun, *of = (doing or MEANINGS[name]).split(" ")
    if value == 1:
        noun = _ONE.get(noun, noun)
    return LimitError(f"unknown: limit reached ({value:,} {' '.join([noun, *of])})", name)


def spend(steps: int) -> None:
    """Takes steps off the question's sum of work.

    Raises:
        LimitError: if there are no more.
    """
    meter = _CURRENT.get()[1]
    if meter is not None:
        meter.left -= steps
        if meter.left < 0:
            raise reached("work")


@contextmanager
def at_most(regions: int) -> Iterator[None]:
    """In a `with` block an answer may take no more than so many regions, whatever else holds: for what is then left unsaid."""
    limits, meter = _CURRENT.get()
    token = _CURRENT.set((replace(limits, regions=min(limits.regions, regions)), meter))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def question(asked: Callable[P, T]) -> Callable[P, T]:
    """A function that answers a question: all that it does counts as the work of one answer, unless it is part of another."""

    @wraps(asked)
    def bound(*args: P.args, **options: P.kwargs) -> T:
        limits, meter = _CURRENT.get()
        if meter is not None:
            return asked(*args, **options)
        token = _CURRENT.set((limits, _Meter(limits.work)))
        try:
            return asked(*args, **options)
        finally:
            _CURRENT.reset(token)

    return bound


def within(limits: Limits | None, asked: Callable[..., T], *args: Any, **options: Any) -> T:
    """What a function returns within some limits; for None within those in force."""
    if limits is None:
        return asked(*args, **options)
    with limits.applied():
        return asked(*args, **options)
