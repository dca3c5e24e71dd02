"""How much is done, counted: seconds are the machine's, and another's when it is shared."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def lines(work: Callable[[], object]) -> int:
    """How many lines of Python run while `work` does: the same on every machine, also in a loop that calls nothing."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
