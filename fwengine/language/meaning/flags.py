"""Sets of flag bytes -> tests under masks, as the language has them. Knows no names and no policies."""

from __future__ import annotations

from functools import lru_cache

from ...model.interval import IntervalSet
from ...model.packet import write_flags


def show_flag_tests(chosen: IntervalSet) -> str:
    """Flag bytes as tests under masks: few, largest first."""
    left = sum(1 << v for lo, hi in chosen for v in range(lo, hi + 1))
    inside = left
    tests = []
    for value, mask, members in _cubes():
        if members & ~inside == 0 and members & left:
            tests.append(f"{write_flags(value)}/{write_flags(mask)}")
            left &= ~members
            if not left:
                break
    return tests[0] if len(tests) == 1 else "{ " + ", ".join(tests) + " }"


@lru_cache(maxsize=1)
def _cubes() -> list[tuple[int, int, int]]:
    """All pairs (value, mask) with the bytes that pass, as a bit set of 256; fewest flags compared first."""
    out = []
    with_bit = [sum(1 << v for v in range(256) if v >> bit & 1) for bit in range(8)]
    everything = (1 << 256) - 1
    for mask in sorted(range(256), key=lambda m: (m.bit_count(), m)):
        bits = [bit for bit in range(8) if mask >> bit & 1]
        for chosen in range(1 << len(bits)):
            value, members = 0, everything
            for place, bit in enumerate(bits):
                if chosen >> place & 1:
                    value |= 1 << bit
                    members &= with_bit[bit]
                else:
                    members &= ~with_bit[bit]
            out.append((value, mask, members))
    return out
