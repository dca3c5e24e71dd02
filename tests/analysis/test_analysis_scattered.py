"""The exhaustive tests once more, in a universe whose addresses are told apart by single bits: no interval does it."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from unittest import mock

from fwengine.model.fields import DST, SRC
from fwengine.model.scattered import ScatteredSet


def _again() -> tuple[ModuleType, ModuleType]:
    """The universe and the tests, made anew."""
    spec = importlib.util.spec_from_file_location("again", Path(__file__).with_name("test_analysis_exhaustive.py"))
    assert spec is not None
    assert spec.loader is not None
    tests = importlib.util.module_from_spec(spec)
    with mock.patch.dict(os.environ, {"SCATTERED_UNIVERSE": "1"}), mock.patch.dict(sys.modules):
        sys.modules.pop("support.universe", None)
        spec.loader.exec_module(tests)
        return sys.modules["support.universe"], tests


_universe, _tests = _again()


def test_the_cells_are_scattered() -> None:
    for field in (SRC, DST):
        assert sum(isinstance(cell, ScatteredSet) for cell in _universe.CELLS[field]) >= 2


globals().update({name: test for name, test in vars(_tests).items() if name.startswith("test_")})
