"""What `test` answers: the outcomes of all expectations, and how much they notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ..codes import UNMET
from .answer import Answer, Block, Case, Note, heading, table
from .fit import wrapped
from .outcomes import Outcome, failure_head, failure_lines
from .record import Record, RuleRecord, Witness
from .screen import visible
from .style import Style
from .tallies import Coverage
from .tally_lines import coverage_line, coverage_lines, per_cent


@dataclass(frozen=True)
class PolicyTested(Record):
    """How many expectations of what was loaded hold, and how many do not."""

    policy: str
    passed: int
    failed: int

    @classmethod
    def of(cls, policy: str, results: Sequence[Outcome]) -> PolicyTested:
        passed = sum(r.passed for r in results)
        return cls(policy, passed, len(results) - passed)


@dataclass(frozen=True)
class Survivor(Record):
    """A mutant that no expectation notices: what was changed, a packet that tells it apart, and the expectation that would notice."""

    mutant: str
    rule: RuleRecord
    witness: Witness
    expectation: str


@dataclass(frozen=True)
class Mutation(Record):
    """How many changes of one rule the expectations notice; those that change no verdict are left out."""

    noticed: int
    survivors: tuple[Survivor, ...]
    equivalent: int
    score: float

    @property
    def told(self) -> str:
        """`mutation score: 3 of 27 mutants noticed (11.1%); 8 proved equivalent and left out`"""
        of = f"{self.noticed} of {self.noticed + len(self.survivors)} mutants noticed ({per_cent(self.score)})"
        return f"mutation score: {of}; {self.equivalent} proved equivalent and left out"


@dataclass(frozen=True)
class Tests(Answer):
    """The outcomes of all expectations, in order; coverage and mutation score if they were asked for, else null."""

    __test__: ClassVar[bool] = False  # no test of pytest's
    command: ClassVar[str] = "test"
    rows: ClassVar[str] = "results"

    passed: int
    failed: int
    policies: tuple[PolicyTested, ...]
    results: tuple[Outcome, ...]
    coverage: Coverage | None = None
    mutation: Mutation | None = None
    _whole: bool = field(default=True, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        tested: Iterable[tuple[str, Sequence[Outcome]]],
        coverage: Coverage | None = None,
        mutation: Mutation | None = None,
        *,
        whole: bool = True,
    ) -> Tests:
        """What was loaded, each with its outcomes; `whole`, if nothing was left out."""
        each = tuple(tested)
        policies = tuple(PolicyTested.of(path, results) for path, results in each)
        results = tuple(result for _, some in each for result in some)
        passed = sum(r.passed for r in results)
        return cls(passed, len(results) - passed, policies, results, coverage, mutation, whole)

    @property
    def total(self) -> str:
        sampled = sum(r.confirmed is not None and not r.confirmed.complete for r in self.results)
        word = f" ({sampled} sampled)" if sampled else ""  # no word: confirmed, all of them
        return f"{self.passed} passed, {self.failed} failed{word}"

    def lines(self, style: Style) -> Iterator[str]:
        at = 0
        for p in self.policies:
            for r in self.results[at : (at := at + p.passed + p.failed)]:
                if not r.passed:
                    yield failure_head(r, style)
                    yield from failure_lines(r)
            counts = [f"{p.passed} passed"] * bool(p.passed)
            counts += [style(f"{p.failed} failed", "red", bold=True)] * bool(p.failed)
            yield f"{visible(p.policy)}: {', '.join(counts) or 'no expectations'}"
        if self.coverage is not None:
            yield from coverage_lines(self.coverage, style)
        if self.mutation is not None:
            yield from wrapped(self.mutation.told, style.width, rest="  ")
            for s in self.mutation.survivors:
                yield f"  {style('not noticed', 'yellow')}  " + visible(f"{s.mutant}  {s.rule.place}")
                yield from _noticed_by(visible(s.expectation), style.width)
        total, paren, sampled = self.total.partition(" (")
        yield style(total, "red" if self.failed or not self._whole else "green", bold=True) + paren + sampled

    def blocks(self) -> Iterable[Block]:
        yield heading("Expectations")
        yield Block(self.total)
        failed = [r for r in self.results if not r.passed]
        if failed:
            rows = [
                (
                    f"`{r.place}`",
                    f"`{r.expectation}`",
                    r.got,
                    f"`{r.counterexample.packet}`" if r.counterexample else "",
                )
                for r in failed
            ]
            yield table(("where", "expectation", "got", "for example"), rows)
        if self.coverage is not None:
            yield Block(coverage_line(self.coverage))
            if self.coverage.missing:
                yield table(
                    ("never exercised", "where"), [(f"`{r.label}`", f"`{r.place}`") for r in self.coverage.missing]
                )
        if self.mutation is not None:
            yield Block(self.mutation.told)
            if self.mutation.survivors:
                yield table(
                    ("not noticed", "where", "would be noticed by"),
                    [(s.mutant, f"`{s.rule.place}`", f"`{s.expectation}`") for s in self.mutation.survivors],
                )

    def notes(self) -> Iterable[Note]:
        for r in self.results:
            if not r.passed:
                properties = {"counterexample": r.counterexample and r.counterexample.packet, "command": r.command}
                yield Note(
                    UNMET,
                    "error",
                    f"failed: {r.expectation}",
                    r.place,
                    notes=tuple(" ".join(line.split(None, 1)) for line in failure_lines(r)),
                    properties=properties,
                    about=(r.expectation,),
                )

    def cases(self) -> Iterable[Case]:
        for r in self.results:
            told = [
                f"{key}: {value}"
                for key, value in (
                    ("expected", r.wanted),
                    ("got", r.got),
                    ("counterexample", r.counterexample and r.counterexample.packet),
                    ("command", r.command),
                )
                if value
            ]
            name = f"{r.place.line}: {r.expectation}"
            yield Case(r.place.file, name, r.passed, r.place, f"expected {r.wanted}, got {r.got}", "\n".join(told))


def _noticed_by(expectation: str, width: int) -> Iterator[str]:
    """The expectation that a policy lacks: to be pasted, so never broken, but in a line of its own where it is long."""
    head = "    would be noticed by:"
    if len(f"{head}  {expectation}") <= width:
        yield f"{head}  {expectation}"
    else:
        yield from (head, f"      {expectation}")
