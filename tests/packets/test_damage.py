"""Captures damaged with a system: lengths at every extreme, records out of order, and what all of it takes of memory.

Random damage and truncation at every byte are in `test_capture`; `fuzz/damage.py` and `python -m fuzz capture` go on for longer.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from collections import Counter

import pytest
from support.paths import ROOT

sys.path.insert(0, str(ROOT / "fuzz"))

from capture_generator import generate
from damage import CLASSES, own_captures
from native_captures import Answer, by_python, difference, natively

from fwengine import native
from fwengine.packets.pcapng import is_pcapng

EXTREMES = (
    0,
    1,
    0x7FFF,
    0xFFFF,
    262_144,
    262_145,
    1 << 24,
    (1 << 24) + 4,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFC,
    0xFFFFFFFF,
)
MOST_MEMORY = 256 << 20


def captures() -> list[bytes]:
    """Twenty small ones, not packed."""
    own = [data for data in own_captures() if data[:2] != b"\x1f\x8b"]
    made = (generate(random.Random(seed)) for seed in range(1000))
    small = [data for data in made if 60 < len(data) < 400]
    return [*own, *small][:20]


def read(data: bytes) -> Answer:
    """What Python reads, which is what is read natively."""
    found = by_python(data, 1 << 16)
    if native.available():
        assert not difference(found, natively(data, 1 << 16))
    for one, _ in found[0]:
        assert not isinstance(one, str) or one in CLASSES
    return found


@pytest.mark.parametrize("number", range(20))
def test_lengths_at_every_extreme(number: int) -> None:
    """Any four bytes of a file may be a length; whatever it says, there are records and then at most one typed error."""
    whole = captures()[number]
    for at in range(4, len(whole) - 4, 2):
        for value in EXTREMES:
            for order in "<>":
                changed = whole[:at] + struct.pack(f"{order}I", value) + whole[at + 4 :]
                records, error = by_python(changed, 1 << 16)
                assert error is None or error.startswith("FW9")
                assert len(records) <= len(whole)
    read(whole)


def pieces(data: bytes) -> tuple[bytes, list[bytes]]:
    """What a file begins with, and its records or blocks."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") or data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    at, found = (0, []) if is_pcapng(data[:8]) else (24, [])
    while at < len(data):
        if is_pcapng(data[:8]):
            size = struct.unpack_from(f"{order}I", data, at + 4)[0]
        else:
            size = 16 + struct.unpack_from(f"{order}I", data, at + 8)[0]
        found.append(data[at : at + size])
        at += size
    return (b"", found) if is_pcapng(data[:8]) else (data[:24], found)


def test_records_out_of_order_are_read_in_the_order_in_which_they_stand() -> None:
    draw = random.Random(0)
    plain = [data for data in own_captures() if data[:2] != b"\x1f\x8b"]
    shuffled = 0
    for whole in plain:
        records, error = read(whole)
        assert error is None
        head, found = pieces(whole)
        fixed = 2 if not head else 0  # of pcapng the section and its interface
        for _ in range(20):
            rest = draw.sample(found[fixed:], len(found) - fixed)
            others, wrong = read(head + b"".join(found[:fixed] + rest))
            if head:
                assert wrong is None
                assert Counter(others) == Counter(records)
            else:
                assert wrong is None or wrong.startswith("FW903")  # an interface that is described later
                assert len(others) <= len(records)  # some by another interface: they are numbered as they come
            shuffled += others != records
    assert shuffled


def test_a_packet_before_its_interface_is_an_error_behind_what_was_read() -> None:
    whole = next(data for data in own_captures() if is_pcapng(data[:8]))
    records, _ = read(whole)
    _, blocks = pieces(whole)
    section, interface, first = blocks[0], blocks[1], blocks[2]
    assert records
    found, wrong = read(section + first + interface)
    assert found == []
    assert wrong is not None
    assert wrong.startswith("FW903 0")


MEASURED = """
import random, sys
sys.path[:0] = [{fuzz!r}]
from capture_generator import damaged, generate
from native_captures import by_python, natively
from fwengine import native
for seed in range(400):
    draw = random.Random(seed)
    data = damaged(draw, generate(draw))
    by_python(data, 1 << 16)
    native.available() and natively(data, 1 << 16)
for value in {extremes!r}:
    for order in ("little", "big"):
        for at in range(0, 200, 2):
            data = generate(random.Random(3))
            data = data[:at] + value.to_bytes(4, order) + data[at + 4:]
            by_python(data, 1 << 16)
            native.available() and natively(data, 1 << 16)
with open("/proc/self/status") as status:  # getrusage() has the most of whoever started this, too
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the size is told in other units elsewhere")
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a sanitizer keeps what was freed")
def test_no_damage_takes_more_memory_than_a_capture_may() -> None:
    code = MEASURED.format(fuzz=str(ROOT / "fuzz"), extremes=EXTREMES)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) * 1024 < MOST_MEMORY
