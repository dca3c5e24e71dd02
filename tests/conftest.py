"""What all tests share: one Hypothesis profile, and the folder of reference data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.bytecode import check_by_digest
from support.paths import ROOT

check_by_digest(ROOT / "fwengine")  # before anything of it is tested: see there why

# The same examples in every run, on every machine; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile(
    "fwengine",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("explore", settings.get_profile("fwengine"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fwengine"))

# policies with mistakes on purpose: our own plugin would collect them
collect_ignore_glob = ["language/golden/*.fwl", "report/answers/*.fwl"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference data that lies beside a checkout; a test that needs it is skipped where there is none."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the reference data is not beside this checkout")
    return folder
