"""Evaluators and questions: the tree, every native engine and the definition say the same, and brute force says so, too.

The invariant of `engines`: `decide`, the tree and each native engine name the same rule for every packet of a drawn policy. Of
`independent`: the second implementation of the language (`tests/independent`) and the engine give the same verdicts, regions, proofs,
diffs, findings, coverage and mutants. Of `writers`: a drawn policy written in another format is refused with reasons, or read back as the
same. The bytes are the seed.
"""

from __future__ import annotations

import random
import sys

from native_differential import disagreement
from target import ROOT, Target, drawn, seed_of

import fwengine
from fwengine.analysis.diff import equivalent
from fwengine.errors import LimitError, PolicyError
from fwengine.formats.registry import WRITERS
from fwengine.policy import Policy

sys.path.insert(0, str(ROOT / "tests"))

from independent.comparing import Tally, compare_all
from independent.writing import Writer


def engines(data: bytes) -> None:
    """A policy of a few rules and some packets at its edges."""
    wrong = disagreement(seed_of(data), 1 + seed_of(data) % 13, 60)
    assert not wrong, wrong


def independent(data: bytes) -> None:
    """A policy drawn as text, and everything that can be asked of it."""
    compare_all(seed_of(data), Tally(), 30)


def writers(data: bytes) -> None:
    """A policy drawn as text, in every format that is written."""
    draw = random.Random(seed_of(data))
    try:
        policy = fwengine.loads(Writer(draw).policy(draw.randint(1, 4)))
    except PolicyError:
        return
    for name in WRITERS:
        try:
            text = fwengine.convert(policy, name)
        except (PolicyError, LimitError):
            continue
        if name == "fwl":
            assert equivalent(policy, fwengine.loads(text)), "what is written means something else"
    _dumped(policy)


def _dumped(policy: Policy) -> None:
    try:
        text = fwengine.dumps(policy)
    except ValueError:
        return
    assert equivalent(policy, fwengine.loads(text)), "what is dumped means something else"


def _nothing() -> list[bytes]:
    return [bytes(8)]


TARGETS = tuple(Target(run, _nothing, drawn) for run in (engines, independent, writers))
