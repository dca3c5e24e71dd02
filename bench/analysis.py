"""The exact analyses on the nine ClassBench sets: what they find, how long they take, how much memory.

usage: python bench/analysis.py [--actions hash|allow|blocks] [--family 4|6] [--seed N] [SET ...]

Each set runs in a process of its own, so that memory is its own. Columns: the policy's rules; seconds to compile; to find
all unreachable rules; all findings of `check`, everything included but compiling; `diff` of the policy against itself with
20 rules edited (it needs neither compiled form); `query` and `prove` of one /24 as destination; MB at the peak. Witnesses
are replayed through `decide`, as many as some seconds allow. Reports; never fails by a time.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from classbench import SETS, load_policy

from fwengine.analysis.anomalies import findings
from fwengine.analysis.diff import Change, diff
from fwengine.analysis.finding import Finding
from fwengine.analysis.prove import prove
from fwengine.analysis.query import query
from fwengine.analysis.reach import unreachable
from fwengine.errors import LimitError
from fwengine.model import address
from fwengine.model.box import Box
from fwengine.model.fields import DST
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, Claim, Rule
from fwengine.model.ruleset import decide
from fwengine.policy import Policy

T = TypeVar("T")
HEAD = (
    "set",
    "rules",
    "compile",
    "unreachable",
    "s",
    "findings",
    "s",
    "changes",
    "diff s",
    "regions",
    "query s",
    "prove s",
    "MB",
)
REPLAYED = 5_000_000  # rules looked at by `decide` for the findings of a set, and again for the changes


def with_actions(policy: Policy, kind: str) -> Policy:
    """ClassBench rules have no actions: allow all, by a hash of the index, or in blocks of 100."""

    def denies(i: int) -> bool:
        return (kind == "hash" and i * 2654435761 >> 7 & 1 == 0) or (kind == "blocks" and i // 100 % 2 == 1)

    rules = (replace(rule, action=DENY if denies(i) else ALLOW, name=f"r{i}") for i, rule in enumerate(policy.rules))
    return replace(policy, rules=tuple(rules))


def edited(policy: Policy, seed: int) -> Policy:
    """Twenty rules flipped, moved, added and removed, five of each."""
    draw = random.Random(seed)
    rules = list(policy.rules)
    for edit in ("flip", "move", "add", "drop") * 5:
        at = draw.randrange(len(rules))
        rule = rules[at]
        if edit == "flip":
            rules[at] = replace(rule, action=rule.action.other)
        elif edit == "move":
            rules.insert(draw.randrange(len(rules)), rules.pop(at))
        elif edit == "add":
            rules.insert(at, Rule(rule.action.other, draw.choice(rules).boxes, name="new"))
        else:
            del rules[at]
    return replace(policy, rules=tuple(rules))


def timed(work: Callable[[], T]) -> tuple[T | None, float]:
    begin = time.perf_counter()
    try:
        result = work()
    except LimitError as error:
        print(f"    {error}", file=sys.stderr)
        result = None
    return result, time.perf_counter() - begin


def replay(policy: Policy, new: Policy, found: tuple[Finding, ...], changes: tuple[Change, ...]) -> None:
    """Raises AssertionError if a witness does not show what it should."""
    for finding in found[:: max(1, len(found) * len(policy.rules) // REPLAYED)]:
        if finding.witness is not None:
            assert decide(policy, finding.witness).index == finding.decided_by, finding
    for change in changes[:: max(1, len(changes) * len(policy.rules) // REPLAYED)]:
        assert decide(policy, change.witness).index == change.old_rule, change
        assert decide(new, change.witness).index == change.new_rule, change


def run(name: str, actions: str, family: int, seed: int) -> None:
    policy = with_actions(load_policy(name, family), actions)
    _, compiling = timed(lambda: policy.tree)
    dead, reaching = timed(lambda: list(unreachable(policy)))
    found, checking = timed(lambda: findings(policy))
    new = edited(policy, seed)
    changes, differing = timed(lambda: diff(policy, new))
    middle = policy.rules[len(policy.rules) // 2].boxes[0].sets[DST].lo
    region = Box.of({DST: IntervalSet((address.prefix(middle, address.bits_of(middle) - 8),))})
    regions, asking = timed(lambda: query(policy, ALLOW, (region,)))
    _, proving = timed(lambda: prove(policy, Claim(DENY, (region,))))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    count = [str(len(x)) if x is not None else "limit" for x in (dead, found, changes, regions)]
    row = (
        name, len(policy.rules), f"{compiling:.2f}", count[0], f"{reaching:.2f}", count[1], f"{checking:.2f}",
        count[2], f"{differing:.2f}", count[3], f"{asking:.2f}", f"{proving:.2f}", f"{memory:.0f}",
    )  # fmt: skip
    print(line(row))
    by_code = Counter(finding.code for finding in found or ())
    print("    " + ", ".join(f"{code} {n}" for code, n in sorted(by_code.items())), flush=True)
    replay(policy, new, found or (), changes or ())


def line(row: tuple[object, ...]) -> str:
    widths = (11, 6, 8, 11, 6, 8, 6, 8, 7, 7, 8, 8, 5)
    return " ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="*", metavar="SET", default=list(SETS))
    parser.add_argument("--actions", choices=("hash", "allow", "blocks"), default="hash")
    parser.add_argument("--family", type=int, choices=(4, 6), default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run(options.sets[0], options.actions, options.family, options.seed)
        return 0
    print(line(HEAD), flush=True)
    status = 0
    for name in options.sets:
        command = [sys.executable, __file__, "--one", name, "--actions", options.actions]
        status |= subprocess.call([*command, "--family", str(options.family), "--seed", str(options.seed)])
    return status


if __name__ == "__main__":
    sys.exit(main())
