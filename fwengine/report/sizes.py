"""Numbers as people say them: `1,024`, `2^48`, `about 2^71`, `12 %`. Machines get them exactly, elsewhere."""

from __future__ import annotations

_EXACT = 10**9  # up to here digits are read


def size(number: int) -> str:
    """A number of flows.

    >>> size(64512), size(2**48), size(3 * 2**70), size(2**48 - 1)
    ('64,512', '2^48', 'about 2^72', 'about 2^48')
    """
    if number < _EXACT:
        return f"{number:,}"
    low = number.bit_length() - 1
    if number == 1 << low:
        return f"2^{low}"
    # the nearest power: number / 2^low is at least the square root of two exactly if its square is at least two
    return f"about 2^{low + (number * number >= 2 << 2 * low)}"


def counted(number: int, what: str) -> str:
    """`1 flow`, `64,512 flows`, `2^48 flows`."""
    return f"{size(number)} {what}{'s' * (number != 1)}"


def share(part: int, whole: int) -> str:
    """What part of a whole, in per cent; `less than 1 %`, and never 0 or 100 where it is not.

    >>> share(1, 8), share(1, 1000), share(999, 1000), share(5, 5), share(0, 3)
    ('12 %', 'less than 1 %', '99 %', 'all', 'none')
    """
    if part in (0, whole):
        return "all" if part else "none"
    per_cent = 100 * part // whole
    return f"{per_cent} %" if per_cent else "less than 1 %"
