"""What is asked of a writer, what it gives back, and what it cannot say: shared by the writers of all formats.

A writer is a pure function from a `Task` to a `Written`, which says how it is to be read back and for which packets it holds;
`conversion` proves that. A writer that cannot say something exactly raises all its reasons at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..model.box import Box
from ..model.fields import DST, FLAGS, FULL, IN, OUT, SOME_INTERFACE, SPORT, SRC, TABLE, Field
from ..model.interval import IntervalSet
from ..model.rules import Action, Rule
from .spelling import ABSENT_ALONE
from .terms import FAMILIES, Term

HOOKS: Mapping[str, Mapping[int, IntervalSet]] = {
    "input": {IN: SOME_INTERFACE, OUT: ABSENT_ALONE},
    "forward": {IN: SOME_INTERFACE, OUT: SOME_INTERFACE},
    "output": {IN: ABSENT_ALONE, OUT: SOME_INTERFACE},
}


@dataclass(frozen=True)
class Task:
    """A policy to be written.

    Attributes:
        rules: those that count, in order, none in doubt and none that ends.
        families: those that the policy is about.
        title: what stands at the top, a comment a line.
        lines: the user's own line of each rule, for comments.
        chain: `input`, `forward` or `output`, where the target has such; name: of the list or table.
        nets: the policy's own names of sets of addresses.
    """

    rules: tuple[Rule, ...]
    default: Action
    families: tuple[int, ...] = (4, 6)
    title: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    chain: str = "forward"
    name: str = ""
    nets: tuple[tuple[str, IntervalSet], ...] = ()


@dataclass(frozen=True)
class Written:
    """A text, and how to read it: the policies in it, each with the packets for which it says what the task does.

    `told` is what the target cannot keep, though no verdict hangs on it.
    """

    text: str
    format: str
    policies: tuple[tuple[str, Box], ...]
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why a rule cannot be written exactly, and what to do about it. None: it is the default."""

    rule: Rule | None
    message: str
    help: str = ""


class RefusedError(Exception):
    """What a target cannot say exactly."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(dict.fromkeys(refusals))
        super().__init__(f"{len(self.refusals)} rules cannot be written")


class UnsayableError(Exception):
    """A condition that has no form in the target."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message, self.help = message, help


@dataclass
class Refusals:
    """All reasons, collected."""

    found: list[Refusal] = field(default_factory=list)

    @contextmanager
    def of(self, rule: Rule | None) -> Iterator[None]:
        """Keeps what of a rule cannot be said, and goes on."""
        try:
            yield
        except UnsayableError as error:
            self.found.append(Refusal(rule, error.message, error.help))

    def done(self) -> None:
        """Raises RefusedError if there was any."""
        if self.found:
            raise RefusedError(self.found)


def scope(families: Iterable[int], within: Mapping[int, IntervalSet] | None = None) -> Box:
    """The packets of some families, on the interfaces that they come and go by."""
    chosen = [FAMILIES[family] for family in sorted(families)]
    both = IntervalSet.union(pair for some in chosen for pair in some)
    return Box.of({SRC: both, DST: both, **(within or {})})


def on_hook(box: Box, chain: str) -> Box | None:
    """A box for packets of a chain, which come by an interface or go by one; None if none of them is in it.

    Raises:
        UnsayableError: if it asks for an interface that they do not have.
    """
    for f, there in HOOKS[chain].items():
        chosen = box.sets[f]
        if chosen is FULL[f] or chosen == FULL[f]:
            continue
        if there == ABSENT_ALONE and there.lo not in chosen:
            word = TABLE[f].word
            others = " or ".join(f"`--chain {name}`" for name, has in HOOKS.items() if has[f] != ABSENT_ALONE)
            raise UnsayableError(f"packets in the {chain} chain have no `{word}` interface", f"choose {others}")
        within = chosen & there
        if not within:
            return None
        box = box.replace(f, FULL[f] if within == there else within)
    return box


def refuse_fields(term: Term, helps: Mapping[int, str], whose: str) -> None:
    """Raises UnsayableError if a term asks for fields that the target does not know: all of them, with what to do about each."""
    asked = [f for f in Field if f in helps and f in term.fields]
    if asked:
        named = ", ".join(_CALLED.get(f, f"`{TABLE[f].word}`") for f in asked)
        raise UnsayableError(f"{whose} cannot ask for {named}", "; ".join(dict.fromkeys(helps[f] for f in asked)))


_CALLED = {
    SRC: "source addresses",
    DST: "destination addresses",
    SPORT: "source ports",
    FLAGS: "tcp flags (`established`)",
}


def plain(text: str) -> str:
    """Words that a comment may hold."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
