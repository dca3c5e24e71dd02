"""The base chains of one hook -> one policy: a packet must pass all of them that are of its family, by their priorities.

Chains of `ip` and `ip6` tables see the packets of their family alone; together they are about all packets. A chain that
accepts leads to the next one of the hook, and only the last of them lets the packet go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from ...model.fields import FULL
from ..chains import Chain, Kind, Line, Part
from . import syntax

Bases = dict[str, tuple[syntax.Table, syntax.Chain]]  # by the key of the chain

_PRIORITIES: Mapping[str, int] = {
    "raw": -300,
    "mangle": -150,
    "dstnat": -100,
    "filter": 0,
    "security": 50,
    "srcnat": 100,
}


def name_of(hook: str) -> str:
    """What the policy of all base chains of a hook is called."""
    return f"hook {hook}"


def priority(text: str) -> int:
    """A priority, by number or name: `-150`, `filter`, `mangle + 10`. What is none counts as 0."""
    found = re.fullmatch(r"([a-z]*)([+-]?[0-9]{0,9})", text.replace(" ", ""))
    if found is None or found[1] not in ("", *_PRIORITIES):
        return 0
    return _PRIORITIES.get(found[1], 0) + int(found[2] or 0)


def together(
    bases: Bases, chains: dict[str, Chain], entries: dict[str, frozenset[int]], number: Callable[[], int]
) -> dict[str, tuple[str, ...]]:
    """The hooks that have several base chains: the chains to pass, in their order.

    These are twins, put among `chains` and `entries`. Each ends in a line that stands for its policy; one of a single family lets
    packets of the other by, if another table of the hook is about those.
    """
    out = {}
    for hook in dict.fromkeys(base.hook for _, base in bases.values()):
        mine = [key for key, (_, base) in bases.items() if base.hook == hook]
        if len(mine) < 2:
            continue
        mine.sort(key=lambda key: priority(bases[key][1].priority))
        families = {bases[key][0].family for key in mine}
        whole = "inet" in families or families == {"ip", "ip6"}
        twins = []
        for key in mine:
            twin = f"{key} (of {name_of(hook)})"
            chains[twin] = _twin(chains[key], twin, bases[key], by=whole, number=number())
            entries[twin] = entries[key]
            twins.append(twin)
        out[name_of(hook)] = tuple(twins)
    return out


def _twin(chain: Chain, name: str, base: tuple[syntax.Table, syntax.Chain], *, by: bool, number: int) -> Chain:
    lines = chain.lines
    if by and base[0].family != "inet":  # the first line says that packets of the other family are in doubt
        parts = tuple([replace(part, doubts=()) for part in lines[0].parts])
        lines = (replace(lines[0], kind=Kind.ALLOW, parts=parts), *lines[1:])
    policy = Line(number, base[1].span, "", Kind.PASS, (Part((FULL,)),), implied=True)
    return replace(chain, name=name, lines=(*lines, policy))
