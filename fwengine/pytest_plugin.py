"""A pytest plugin: every `expect` of the `.fwl` files that pytest meets is a test.

The item of `expect deny tcp from any to web port telnet` in line 12 of `edge.fwl` is
`edge.fwl::12[expect deny tcp from any to web port telnet]`; `edge.fwl::12` selects it, too. Expectations that a file
includes belong to it as well, with their own file's name in front of the line. Nothing but pytest is loaded before a
`.fwl` file is met.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from .analysis.entries import Entries
    from .model.rules import Expectation
    from .policy import Policy
    from .report.failure import Failure
    from .report.outcomes import Outcome

_LONGEST = 240  # characters of an expectation in a test's name


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "the day on which policies are asked, for rules with `until` (YYYY-MM-DD); today if not given"
    parser.getgroup("fwengine").addoption("--fwl-as-of", metavar="DATE", default=None, help=words)
    parser.addini("fwl_as_of", words)


_STATED = pytest.StashKey["datetime.date | None"]()
_DAY = pytest.StashKey["datetime.date"]()
_RULED = pytest.StashKey[set[str]]()  # the files of which a policy with rules consists


def pytest_configure(config: pytest.Config) -> None:
    """A day that is none is told before anything runs, and the clock is read once for all policies."""
    config.stash[_RULED] = set()
    config.stash[_STATED] = stated = _stated_day(config)
    config.stash[_DAY] = stated or datetime.date.today()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    return PolicyFile.from_parent(parent, path=file_path) if file_path.suffix == ".fwl" else None


class PolicyFile(pytest.File):
    """A policy: one item for each of its expectations.

    Those of a file without rules are about the rules of what includes it: if nothing collected does, they fail.
    """

    def collect(self) -> Iterator[pytest.Item]:
        from .errors import PolicyError
        from .policy import load
        from .report.nothing import no_rule
        from .report.screen import render

        name = os.path.relpath(self.path) if self.path.is_relative_to(Path.cwd()) else str(self.path)
        try:
            policy = load(name, as_of=self.config.stash[_DAY])
        except PolicyError as error:
            raise self.CollectError(render(error.diagnostics, error.sources)) from None
        nothing = no_rule(policy)
        if nothing is None:
            self.config.stash[_RULED].update(map(os.path.normpath, policy.sources))
        as_of = self.config.stash[_STATED]
        entries = cache(lambda: _entries(policy))
        for claim in policy.expectations:
            yield ExpectationItem.from_parent(
                self,
                name=_name(claim, name),
                claim=claim,
                policy=policy,
                entries=entries,
                file=name,
                as_of=as_of,
                nothing=nothing,
            )


class ExpectationItem(pytest.Item):
    """An expectation: passes if it is proved, and fails with a counterexample."""

    def __init__(
        self,
        *,
        claim: Expectation,
        policy: Policy,
        entries: Callable[[], Entries],
        file: str,
        as_of: datetime.date | None,
        nothing: Failure | None,
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self.nothing = nothing
        self.claim, self.policy, self.entries, self.file, self.as_of = claim, policy, entries, file, as_of
        self.source = Path(claim.span.file).absolute()  # now: a test may change the working directory

    def runtest(self) -> None:
        from .analysis.prove import prove
        from .report.outcomes import Outcome

        if self.nothing is not None and os.path.normpath(self.file) not in self.config.stash[_RULED]:
            raise _NoRule(str(self.nothing))
        proof = prove(self.policy, self.claim, entries=self.entries())
        if not proof.holds:
            raise _Refuted(Outcome.of(proof, self.policy, self.file, self.as_of))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, _Refuted | _NoRule):
            return str(excinfo.value)
        from .errors import LimitError

        if isinstance(excinfo.value, LimitError):  # neither proved nor refuted
            return f"{self.claim.span.file}:{self.claim.span.line}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.source, self.claim.span.line - 1, self.name


def _entries(policy: Policy) -> Entries:
    """What all proofs about a policy share."""
    from .analysis.entries import Entries, closed

    return Entries(closed(policy))


class _NoRule(Exception):  # noqa: N818  # as below
    """An expectation of a policy without a rule."""


class _Refuted(Exception):  # noqa: N818  # an outcome, not an error of ours
    """An expectation that does not hold, as `report.outcomes` has it."""

    def __init__(self, result: Outcome) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        from .report.outcomes import failure_lines

        head = f"{self.result.place}  {self.result.expectation}"
        return "\n".join([head, *failure_lines(self.result)])


def _name(claim: Expectation, file: str) -> str:
    """`LINE[expect ...]`: in brackets pytest takes even the `::` of an IPv6 address for a part of the name."""
    by = f" by {claim.by}" if claim.by else ""
    text = " ".join(f"expect {claim.action} {claim.text}{by}".split())
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    place = str(claim.span.line)
    if claim.span.file != file:
        place = f"{os.path.relpath(claim.span.file, Path(file).parent).replace(os.sep, '/')}:{place}"
    return f"{place}[{text}]"


def _stated_day(config: pytest.Config) -> datetime.date | None:
    given = cast("str | None", config.getoption("--fwl-as-of")) or cast("str", config.getini("fwl_as_of"))
    if not given:
        return None
    try:
        return datetime.date.fromisoformat(given)
    except ValueError:
        raise pytest.UsageError(f"`{given}` is not a date: expected YYYY-MM-DD") from None
