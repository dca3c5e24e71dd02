"""Work beside the loop that answers: in a thread, and ended there when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..deadline import LONGEST, Deadline

P = ParamSpec("P")
T = TypeVar("T")


async def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the work answers; cancelled, it ends where it stands, and the processor is free for what is wanted now.

    The work may be ended anywhere, as by an interruption from the keyboard: what it shares with others must stand that.
    """
    deadline = Deadline(LONGEST)

    def bounded() -> T:
        with deadline:
            return work(*args, **kwargs)

    try:
        return await asyncio.to_thread(bounded)
    except asyncio.CancelledError:
        deadline.end()
        raise
