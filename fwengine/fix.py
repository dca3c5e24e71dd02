"""Mends of a policy's text that change no verdict, proved before anything is written.

Follows what `check` proposes and nothing else: whole statements are removed, and elements of sets that add nothing.
Suppressions of what is not found are removed, too, and those above a statement go with it; other comments on lines of
their own stay. What has become idle by that is proposed, and followed, in the next round.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from .analysis.diff import equivalent
from .analysis.finding import Finding
from .errors import follow
from .policy import Policy
from .report.advice import FIXED, advise
from .report.findings import examine
from .report.suppressed import EXPIRED, UNUSED, Use, named_codes

_OF_TEXT = frozenset({"FW210", UNUSED, EXPIRED})  # what can be mended whatever stands around it


@dataclass(frozen=True)
class Fixed:
    """A mended text and the findings that it settles; `text` is None where there is nothing to mend."""

    text: str | None
    settled: tuple[Finding, ...]


def fix(
    policy: Policy,
    text: str,
    reload: Callable[[str], Policy],
    codes: Iterable[str] = FIXED,
    used: Collection[Use] = (),
    *,
    included: bool = False,
) -> Fixed:
    """The text of the policy's own file with all advice followed that changes no verdict.

    Args:
        text: the present text of the file `policy.name`.
        reload: the policy that a changed text of that file means; includes are read anew.
        codes: what was asked for; of that, `FIXED` is followed.
        used: suppressions that other policies need.
        included: the file is a part of other policies, too: no statement goes, as one that is idle here may decide there.

    Raises:
        AssertionError: if the mended policy is not equivalent; nothing has been written then.

    Complexity: that of the findings for each round, few as a rule, and of one proof of equivalence.
    """
    asked = frozenset(codes)
    wanted = (_OF_TEXT if included else FIXED) & asked
    settled: list[Finding] = []
    now, current = text, policy
    while True:
        # whether a suppression is of use is known of the codes that were looked for
        named = named_codes(current) & asked if UNUSED in wanted else frozenset()
        found = [f for f in examine(current, wanted | named).told(used) if f.code in wanted]
        proposed = [(f, a.suggestions[0]) for f, a in zip(found, advise(current, found), strict=True) if a.suggestions]
        if not proposed:
            break
        now = follow(now, [suggestion for _, suggestion in proposed])
        settled += [finding for finding, _ in proposed]
        current = reload(now)
        if any(file == policy.name for file, _, _ in used):  # by lines, which may have moved
            wanted -= {UNUSED}
    if not settled:
        return Fixed(None, ())
    if not equivalent(policy, current):  # no `assert`: it must hold under -O, too
        raise AssertionError("a mend would change a verdict")
    return Fixed(now, tuple(settled))
