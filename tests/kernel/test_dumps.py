"""Real dumps of iptables beside Linux: 500 packets of their own corners into each chain that packets enter."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from support import dumps, kernel

WHY_NOT = kernel.why_not()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "the kernel can be asked"),
]
PACKETS = 500
NOT_DUMPS = (".lower", ".upper", "LICENSE")


def test_the_kernel_agrees_on_real_dumps(shared: Path) -> None:
    folder = shared / "data" / "rulesets" / "iptables"
    judged = 0
    with kernel.kernel() as linux:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if any(word in path.name for word in NOT_DUMPS):
                continue
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
            name = str(path.relative_to(folder))
            done = dumps.judge(linux, text, name, PACKETS)
            print(
                f"{name}: {done.verdicts} verdicts agree, {done.lines} by line, {done.unsure} depend; {done.left_out}"
            )
            assert done.verdicts >= PACKETS
            judged += 1
    assert judged == 10
