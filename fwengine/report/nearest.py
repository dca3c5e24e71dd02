"""Why, in a few lines: the rule that decided, the one or two that came nearest to it, and how many others there are.

Nearest is what missed the packet in the fewest fields; of several what would have decided otherwise, then what stands first. A
rule that would match, had its last day not passed, is nearer than any. `reasons` has all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..model.packet import Packet
from ..model.rules import Verdict
from .fit import shortened, wrapped
from .reasons import Account, account_line
from .sizes import counted
from .style import Style
from .verdicts import by

NEAREST: Final = 2
_LINES: Final = 2  # of one rule


def nearest_lines(
    accounts: Sequence[Account], packet: Packet, verdict: Verdict, style: Style, width: int
) -> Iterator[str]:
    """The deciding rule and the nearest others, in their order; then how many there are that decide nothing of it."""
    deciding = [n for n, a in enumerate(accounts) if a.matched]  # parts of an open packet are told with it
    near = _nearest(accounts, verdict)
    shown = sorted({*deciding, *near})
    if not accounts:
        yield "  there are no rules"
        return
    names = max(len(by(accounts[n].rule)) for n in shown) if shown else 0
    for n in shown:
        a = accounts[n]
        text = account_line(a, packet, Style(False), n in near)
        head = f"  {by(a.rule):<{names}}  "
        lines = list(wrapped(shortened(text, _LINES * (width - len(head))), width, head, " " * (len(head) + 5)))
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], lines[_LINES - 1][: width - 1] + "…"]
        if a.matched:
            lines[0] = head + style("yes", "green", bold=True)
        yield from lines
    others = sum(not a.decided for a in accounts) - len(shown)
    if others:
        yield f"  and {counted(others, 'other rule')} (--explain=all)"


def _nearest(accounts: Sequence[Account], verdict: Verdict) -> list[int]:
    ranked = sorted(
        (0 if a.expired else len(a.failures), a.rule.action is verdict.action, n)
        for n, a in enumerate(accounts)
        if a.failures or a.would_match
    )
    return [n for *_, n in ranked[:NEAREST]]
