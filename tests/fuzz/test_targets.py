"""Every fuzz target for a moment: its own files, what once broke it, what Hypothesis makes of either."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paths import ROOT

sys.path.insert(0, str(ROOT / "fuzz"))

from target import drawn
from targets import TARGETS

NAMES = sorted(TARGETS)
OF_FILES = [name for name in NAMES if TARGETS[name].change is not drawn]
RUNS = {name: 3 if TARGETS[name].change is drawn else 20 for name in NAMES}  # drawn policies are asked everything


@pytest.mark.parametrize("name", NAMES)
def test_changed_inputs_keep_what_is_to_hold(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=RUNS[name])
    @given(draw=st.randoms(use_true_random=False))
    def some(draw: random.Random) -> None:
        target.run(target.change(draw, target.corpus()))

    some()


@pytest.mark.parametrize("name", OF_FILES)
@settings(max_examples=25)
@given(data=st.binary(max_size=200))
def test_any_bytes_keep_what_is_to_hold(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


@pytest.mark.parametrize("name", OF_FILES)
def test_its_own_files_keep_what_is_to_hold(name: str) -> None:
    corpus = TARGETS[name].corpus()
    assert corpus
    for data in random.Random(0).sample(corpus, min(20, len(corpus))):
        TARGETS[name].run(data)


@pytest.mark.parametrize(
    ("name", "file"), [(name, path.name) for name in NAMES for path in TARGETS[name].regressions()]
)
def test_what_once_broke_it_does_no_more(name: str, file: str) -> None:
    TARGETS[name].run((ROOT / "fuzz" / "regressions" / name / file).read_bytes())


def test_every_kept_input_belongs_to_a_target() -> None:
    folders = {path.name for path in (ROOT / "fuzz" / "regressions").iterdir() if path.is_dir()}
    assert folders
    assert folders <= set(NAMES)
