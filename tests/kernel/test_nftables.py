"""The reader of nft beside Linux: policies with user chains, sets and verdict maps, loaded into the kernel, line by line."""

from __future__ import annotations

import random

import pytest
from support import kernel
from support.judging import NFT, Ours, judge
from support.nft_rules import draw_policy

from fwengine.analysis.diff import diff
from fwengine.formats.joint import joint
from fwengine.formats.nftables.reader import read
from fwengine.formats.unfold import unfold
from fwengine.model.rules import ALLOW, DENY
from fwengine.model.ruleset import RuleSet

WHY_NOT = kernel.why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "the kernel can be asked")


def ours(text: str) -> RuleSet:
    """A policy as the reader has it."""
    document = read(text, "drawn")
    upper, lower = (unfold(document.chains, document.policies["entry"], favour) for favour in (ALLOW, DENY))
    return RuleSet(joint(upper, lower), upper.default)


@pytest.mark.parametrize("family", [4, 6])
def test_what_nft_prints_means_the_same(family: kernel.Family) -> None:
    """As text and as JSON, back from the kernel."""
    draw = random.Random(family)
    with kernel.kernel() as judge:
        for _ in range(50):
            text = str(Ours(NFT, draw_policy(draw, family), family).text)
            judge.run("nft", "-f", "-", text="flush ruleset\n" + text)
            for words in (["nft", "list", "ruleset"], ["nft", "-j", "list", "ruleset"]):
                printed = judge.run(*words)
                assert not diff(ours(text), ours(printed)), (text, printed)


@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_agrees(family: kernel.Family) -> None:
    with kernel.kernel() as linux:
        assert judge(linux, NFT, family, family, loads=2, batches=4).verdicts >= 9_000


@pytest.mark.slow
@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_agrees_many_times(family: kernel.Family) -> None:
    """The whole of it is `python fuzz/linux.py`."""
    with kernel.kernel() as linux:
        assert judge(linux, NFT, family, 100 + family, loads=4, batches=25).verdicts >= 110_000
