"""Policies that are checked together, gathered one by one: a finding about a file that several include is told of once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..errors import Diagnostic, PolicyError, Span
from ..policy import Policy
from .baseline import Baseline
from .checked import Checked, Told
from .failure import failures
from .finding_record import BaselineRecord, Effective, FindingRecord, IgnoredRecord, PolicyChecked
from .findings import Examined, to_diagnostics
from .record import Confirmed, act
from .suppressed import Use


class Checking:
    """What is told of with each policy, in their order.

    Args:
        known: the baseline to compare with.
        used, named: comments and definitions that policies of the run need.
    """

    def __init__(self, known: Baseline | None, used: Collection[Use] = (), named: Collection[Span] = ()) -> None:
        self._known, self._used, self._named = known, used, named
        self._told: list[Told] = []
        self._seen: set[tuple[Any, ...]] = set()
        self._ignored: dict[IgnoredRecord, None] = {}

    def add_errors(self, path: str, error: PolicyError) -> None:
        """A policy that does not compile."""
        new = [f.record for d, f in zip(error.diagnostics, failures(error), strict=True) if self._first(d)]
        count = len(error.diagnostics)
        policy = PolicyChecked("<stdin>" if path == "-" else path, None, 0, None, count, 0, 0, 0, 0, None)
        self._told.append(Told(policy, tuple(new), sources=error.sources))

    def add(self, one: Examined, effective: Sequence[Effective] = ()) -> None:
        """A policy and what was found in it."""
        policy, found = one.policy, one.told(self._used, self._named)
        every = list(zip(found, to_diagnostics(policy, found), strict=True))
        known = self._known
        fresh = [(f, d) for f, d in every if known is None or not known.knows((d.code, d.span, d.message), policy, f)]
        aside = to_diagnostics(policy, [entry.finding for entry in one.ignored])
        for entry, d in zip(one.ignored, aside, strict=True):
            self._ignored.setdefault(IgnoredRecord.of(policy, entry, d))
        severities = [d.severity for _, d in fresh]
        checked = PolicyChecked(
            file=policy.name,
            size=_size(policy),
            rules=len(policy.rules),
            default=act(policy.default),
            errors=severities.count("error"),
            warnings=severities.count("warning"),
            info=severities.count("info"),
            ignored=len(one.ignored),
            known=len(every) - len(fresh),
            confirmed=Confirmed.of(found.confirmed),
        )
        new = [FindingRecord.of(policy, f, d) for f, d in fresh if self._first(d)]
        new.sort(key=lambda found: found.severity == "info")  # what matters first, in every form
        self._told.append(Told(checked, (), tuple(new), tuple(effective), policy.sources))

    def _first(self, d: Diagnostic) -> bool:
        key = (d.code, d.span, d.message)
        first = key not in self._seen
        self._seen.add(key)
        return first

    def answer(
        self, *, strict: bool, effective: bool, baseline: BaselineRecord | None, limit: int | None = None
    ) -> Checked:
        """`limit`: how many findings are shown as text."""
        return Checked.of(
            self._told, strict=strict, effective=effective, ignored=self._ignored, baseline=baseline, limit=limit
        )


def together(examined: Iterable[Examined]) -> tuple[frozenset[Use], frozenset[Span]]:
    """The comments and the definitions that some policies need."""
    each = list(examined)
    return frozenset(use for one in each for use in one.used), frozenset(span for one in each for span in one.named)


def _size(policy: Policy) -> str:
    """How much there is of a policy, and its default."""
    if policy.imported is not None:
        from ..imported import size  # late: policies of our own have none

        lines = size(policy.imported.document.chains, policy.imported.document.entries_of(policy.imported.name))
        return f"{lines:,} line{'s' * (lines != 1)}, default {policy.default}"
    rules = len(policy.rules)
    if not rules:
        return f"no rules: every packet is {'denied' if policy.default.value == 'deny' else 'allowed'} by the default"
    return f"{rules} rule{'s' * (rules != 1)}, default {policy.default}"
