"""Two implementations of one meaning: drawn policies and questions, and the answers of both to the last packet.

The second implementation (`reading`, `meaning`, `points`, `answers`) was written from the documentation alone and takes nothing from
the package; `writing` draws the texts, `comparing` asks both. Where they differ, the engine, the documentation or this folder is wrong.
`python -m fuzz independent` goes on for as long as one likes.
"""

from __future__ import annotations

import ast
import datetime
from pathlib import Path

import pytest
from independent.answers import Decided, holds
from independent.comparing import TODAY, Pair, Tally, compare_all, grid_of
from independent.meaning import Policy
from independent.reading import read
from support.paths import ROOT

import fwengine

HERE = Path(__file__).parent
KNOWING = {"comparing.py", "test_independent.py"}
POLICIES = 200  # drawn in the quick run, and answered in every way
CHUNK = 40


def test_the_second_implementation_takes_nothing_from_the_package() -> None:
    files = {path.name: path for path in HERE.glob("*.py")}
    assert len(files) > len(KNOWING)
    for name in files.keys() - KNOWING:
        for node in ast.walk(ast.parse(files[name].read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
                assert not node.level, f"{name}: {node.lineno}"
            else:
                imported = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            for module in imported:
                assert module.split(".")[0] not in ("fwengine", "support", "netaddr", "lark"), (
                    f"{name} imports {module}"
                )
                assert module != "independent.comparing", f"{name} imports what knows the package"


@pytest.mark.parametrize("begin", range(0, POLICIES, CHUNK))
def test_drawn_policies_answer_alike(begin: int) -> None:
    tally = Tally()
    for seed in range(begin, begin + CHUNK):
        compare_all(seed, tally)
    counts = tally.counts
    assert counts["pairs"] > 10 * CHUNK
    for what in (
        "open packets",
        "regions of queries",
        "proofs",
        "expectations",
        "coverages",
        "checks",
        "changes",
        "mutants",
    ):
        assert counts[what], f"{what}: none"


OWN = sorted(path.name for path in (ROOT / "rules").glob("*.fwl"))


@pytest.mark.parametrize("name", OWN)
def test_what_our_policies_say_of_themselves_holds_in_both(name: str) -> None:
    files = {path.name: path.read_text("utf-8") for path in (ROOT / "rules").glob("*.fwl")}
    policy = read(files[name], files).on(TODAY)
    known = fwengine.load(ROOT / "rules" / name, as_of=TODAY)
    assert len(policy.expectations) == len(known.expectations)
    # A claim at a time: the grid of all together would be too fine.
    for claim in policy.expectations:
        alone = Policy(policy.rules, policy.default, (claim,))
        grid = grid_of([*(rule.match for rule in alone.rules)], [claim.region])
        assert holds(grid, Decided.of(grid, alone), claim), f"{name}:{claim.line}"


@pytest.mark.slow
def test_a_million_packets_fare_alike() -> None:
    tally = Tally()
    seed = 1_000_000
    while tally.counts["pairs"] < 1_000_000:
        compare_all(seed, tally, 4000, everything=False)
        seed += 1
    assert tally.counts["policies"] > 100


def test_a_fault_is_seen() -> None:
    """The comparison itself: with one rule the other way the two differ."""
    pair = Pair("allow tcp to 10.0.0.1 port 80 as web\ndefault deny\n")
    other = Pair("deny tcp to 10.0.0.1 port 80 as web\ndefault deny\n")
    grid = grid_of([*pair.matches()], [])
    assert Decided.of(grid, pair.policy).allowed(grid) != Decided.of(grid, other.policy).allowed(grid)
    assert datetime.date(2026, 6, 1) == TODAY
