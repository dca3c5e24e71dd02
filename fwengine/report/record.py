"""The vocabulary of answers: what a command says is a tree of these plain, frozen values, whichever form it is written in.

A place, a rule, a witness, a region mean the same in every command. `to_dict` gives what JSON can hold, and `report.schema`
describes it from the types alone. Knows no policy (`report.making` makes records of one) and no form (`report.render`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, TypeVar, overload

from ..errors import Label, Severity, Span, Suggestion
from ..model.rules import ALLOW, DENY, DEPENDS, Action

if TYPE_CHECKING:
    from ..analysis.confirm import Confirmation
    from ..analysis.interfaces import Stranger

EXACT: Final = 1 << 53  # the numbers up to it are exact wherever JSON is read
BIG: Final = "a number, as a string of digits beyond 2^53"
Size = Annotated[int, BIG]
Act = Literal["allow", "deny", "depends"]  # a rule of another firewall may leave its packets in doubt
Fate = Literal["allow", "deny", "depends"]
K = TypeVar("K")
R = TypeVar("R", covariant=True)
_ACTS: Final[Mapping[Action, Act]] = {ALLOW: "allow", DENY: "deny", DEPENDS: "depends"}


@dataclass(frozen=True)
class Record:
    """A value that knows its form as data: the names of its fields are the keys."""

    def to_dict(self) -> dict[str, Any]:
        return {key.rstrip("_"): plain(getattr(self, key)) for key in keys(type(self))}


_KEYS: dict[type[Record], tuple[str, ...]] = {}


def keys(kind: type[Record]) -> tuple[str, ...]:
    """The fields of a record, in their order; their keys are without the underscore that sets one apart from a keyword.

    A name that begins with `_` is of how an answer is shown, and no key.
    """
    known = _KEYS.get(kind)
    if known is None:
        known = _KEYS[kind] = tuple(f.name for f in fields(kind) if not f.name.startswith("_"))
    return known


def plain(value: object) -> Any:
    """A value of a record as JSON has it."""
    kind = type(value)
    if kind is str or value is None or kind is bool or kind is float:
        return value
    if kind is tuple:  # by far the most common of the others
        return [plain(inner) for inner in value]  # type: ignore[attr-defined]  # it is a tuple
    if isinstance(value, str | bool | float):
        return value
    if isinstance(value, int):
        return value if -EXACT <= value <= EXACT else str(value)
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    assert isinstance(value, Iterable)
    return [plain(inner) for inner in value]


class Made(Sequence[R], Generic[K, R]):
    """Records of which there may be very many: each is made when it is asked for, and none is kept."""

    def __init__(self, each: Sequence[K], make: Callable[[K], R]) -> None:
        self._each, self._make = each, make

    def __len__(self) -> int:
        return len(self._each)

    def __iter__(self) -> Iterator[R]:
        return map(self._make, self._each)

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> list[R]: ...
    def __getitem__(self, at: int | slice) -> R | list[R]:
        if isinstance(at, slice):
            return [self._make(key) for key in self._each[at]]
        return self._make(self._each[at])


class Late(Sequence[R]):
    """Records that take long to make, and that not every form has: made when they are first asked for, all at once."""

    def __init__(self, make: Callable[[], Sequence[R]]) -> None:
        self._make = make
        self._made: Sequence[R] | None = None

    @property
    def _all(self) -> Sequence[R]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[R]: ...
    def __getitem__(self, at: int | slice) -> R | Sequence[R]:
        return self._all[at]


def act(action: Action) -> Act:
    """What a rule does, in a word."""
    return _ACTS[action]


@dataclass(frozen=True)
class Place(Record):
    """A stretch of a file. Lines and columns count from 1, in characters, `end_column` is exclusive; null where only the file is known."""

    file: str
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None

    @classmethod
    def of(cls, span: Span) -> Place:
        return cls(*span)

    def __str__(self) -> str:
        """`edge.fwl:12`, or the file alone."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Doubt(Record):
    """A line whose match more than the packet decides, and what that is."""

    place: Place
    reason: str


@dataclass(frozen=True)
class RuleRecord(Record):
    """A rule: what it is called (its name, or FILE:LINE; `default`, which has no place), what it does and where it stands.

    `via` are the jumps that lead to another firewall's line; `doubts` what it rests on, if its action is `depends`.
    """

    label: str
    action: Act
    place: Place | None
    via: tuple[Place, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def named(self) -> bool:
        """Has it a name, or is it called by its place?"""
        return self.action != "depends" and (self.place is None or self.label != str(self.place))

    @property
    def called(self) -> str:
        """The label; a line in doubt is called by its place."""
        return str(self.place) if self.action == "depends" and self.place is not None else self.label

    @property
    def decided(self) -> str:
        """`by web-in (edge.fwl:12)`, or `on server.rules:6 (-m recent)` where that line is in doubt."""
        return f"{'on' if self.action == 'depends' else 'by'} {self}"

    @property
    def way(self) -> str:
        """The jumps that lead to it: ` by way of 12, 30`, lines of the same file."""
        return f" by way of {', '.join(str(place.line) for place in self.via)}" if self.via else ""

    def __str__(self) -> str:
        """`web-in (edge.fwl:12)`, or just the label where that says it."""
        return f"{self.label} ({self.place})" if self.place is not None and self.named else self.label


@dataclass(frozen=True)
class Witness(Record):
    """A packet that shows something, or refutes it: a counterexample. The verdict on it, and the rule that decides."""

    packet: str
    verdict: Act
    rule: RuleRecord | None


@dataclass(frozen=True)
class FieldSet(Record):
    """Values of one field, as closed ranges from lo to hi.

    Attributes:
        ranges: pairs; of addresses in their notation, of one family each, of other fields as numbers.
        names: what the single values are called, where the field has names; of interfaces this is all there is.
        inverted: the ranges or names are those left out.
        absent: packets without the field are among those meant.
        masks: in place of the ranges where addresses are too scattered for them: values and masks, of which any may agree.
    """

    ranges: tuple[tuple[Size | str, Size | str], ...]
    names: tuple[str, ...] = ()
    inverted: bool = False
    absent: bool = False
    masks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RegionRecord(Record):
    """A set of packets: in the language, and field by field; a field that is not there takes any value.

    `flows` counts packets told apart by protocol, addresses, ports, ICMP type and code alone.
    """

    text: str
    fields: Mapping[str, FieldSet]
    flows: Size

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Confirmed(Record):
    """How far an answer was found again in a second way: for all packets or not, and the packets tried one by one."""

    complete: bool
    samples: int

    @classmethod
    def of(cls, found: Confirmation | None) -> Confirmed | None:
        return cls(found.complete, found.points) if found else None

    @property
    def word(self) -> str:
        """`confirmed`, or `sampled` if it is so for some packets only."""
        return "confirmed" if self.complete else "sampled"


@dataclass(frozen=True)
class Edit(Record):
    """A text to put in the place of another; `also` are edits that belong to it."""

    place: Place
    text: str
    also: tuple[Edit, ...] = ()

    @classmethod
    def of(cls, suggestion: Suggestion) -> Edit:
        return cls(Place.of(suggestion.span), suggestion.text, tuple(map(cls.of, suggestion.also)))


@dataclass(frozen=True)
class Related(Record):
    """A further place, and what is to be said about it."""

    place: Place
    text: str

    @classmethod
    def of(cls, label: Label) -> Related:
        return cls(Place.of(label.span), label.text)


@dataclass(frozen=True)
class UnknownInterface(Record):
    """An interface that a question names and no rule does; what may have been meant."""

    name: str
    did_you_mean: str | None

    @classmethod
    def of(cls, stranger: Stranger) -> UnknownInterface:
        return cls(stranger.name, stranger.near or None)


@dataclass(frozen=True)
class FailureRecord(Record):
    """What kept a command from its answer, or keeps the answer from being a success."""

    kind: Literal["usage", "file", "policy", "question", "capture", "limit", "nothing"]
    code: str
    severity: Severity
    message: str
    place: Place | None
    label: str = ""
    help: str = ""
    notes: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    suggestions: tuple[Edit, ...] = ()
