"""Comments inside the sets of a statement: put back into its tree, where the printer finds them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from .ast import Comment, Place, Set

T = TypeVar("T")


def with_comments(tree: T, comments: Sequence[tuple[str, Place]]) -> T:
    """The tree with each comment put into the innermost set around it. O(n log n), nested as deep as the sets are."""
    sets: list[Set] = []
    _sets_in(tree, sets)
    starts: dict[int, list[tuple[int, int]]] = {}
    mine: dict[int, list[Comment]] = {}
    open_sets: list[Set] = []
    waiting = sorted(sets, key=lambda s: s.at[:2], reverse=True)
    for text, place in comments:
        at = place[:2]
        while waiting and waiting[-1].at[:2] < at:
            inner = waiting.pop()
            while open_sets and open_sets[-1].at[2:] <= inner.at[:2]:
                open_sets.pop()
            open_sets.append(inner)
        while open_sets and open_sets[-1].at[2:] <= at:
            open_sets.pop()
        if not open_sets:
            continue
        around = open_sets[-1]
        if id(around) not in starts:
            starts[id(around)] = [item.at[:2] for item in around.items]
        before = bisect_left(starts[id(around)], at)
        above = around.items[before - 1].at[2] if before else around.at[0]
        mine.setdefault(id(around), []).append(Comment(text.rstrip(), before, above != at[0]))
    return cast("T", _replaced(tree, mine))


def _sets_in(node: object, out: list[Set]) -> None:
    if isinstance(node, Set):
        out.append(node)
    if isinstance(node, tuple):
        for child in node:
            _sets_in(child, out)
    else:
        for name in getattr(type(node), "__dataclass_fields__", ()):
            if name != "at":
                _sets_in(getattr(node, name), out)


def _replaced(node: Any, comments: dict[int, list[Comment]]) -> Any:
    if isinstance(node, tuple):
        return tuple([_replaced(child, comments) for child in node])
    slots = getattr(type(node), "__dataclass_fields__", None)
    if slots is None:
        return node
    values = {name: getattr(node, name) if name == "at" else _replaced(getattr(node, name), comments) for name in slots}
    if id(node) in comments:
        values["comments"] = tuple(comments[id(node)])
    return type(node)(**values)
