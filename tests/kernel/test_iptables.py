"""The reader of iptables-save beside Linux: policies with user chains, loaded into the kernel, line by line."""

from __future__ import annotations

import pytest
from support import kernel
from support.judging import LEGACY, judge

WHY_NOT = kernel.why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "the kernel can be asked")


@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_agrees(family: kernel.Family) -> None:
    with kernel.kernel() as linux:
        assert judge(linux, LEGACY, family, family, loads=2, batches=4).verdicts >= 10_000


@pytest.mark.slow
@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_agrees_many_times(family: kernel.Family) -> None:
    """The whole of it is `python fuzz/linux.py`."""
    with kernel.kernel() as linux:
        assert judge(linux, LEGACY, family, 100 + family, loads=4, batches=25).verdicts >= 125_000
