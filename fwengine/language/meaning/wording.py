"""Expressions in messages: said briefly, and the two readings of those that people read in two ways."""

from __future__ import annotations

from ..syntax.ast import Except, Expr, Not, Set, Word
from ..syntax.printer import show
from .literals import short


def ways_of_not(expr: Set, negation: Not) -> list[str]:
    """The two readings of `{ not a, b }`, both spelt out; none where that is not short."""
    others = [item for item in expr.items if item is not negation]
    if len(others) > 2 or any(not isinstance(item, Word) for item in (negation.term, *others)):
        return []
    shown = ", ".join(map(brief, others))
    return [f"not {{ {brief(negation.term)}, {shown} }}", f"{{ {{ not {brief(negation.term)} }}, {shown} }}"]


def ways_of_except(expr: Set) -> list[str]:
    """The two readings of `{ a except b, c }`, both spelt out; none where that is not short."""
    first, *others = expr.items
    if not isinstance(first, Except) or len(first.excluded) > 1 or len(others) > 2:
        return []
    if any(not isinstance(item, Word) for item in (first.base, *first.excluded, *others)):
        return []
    inner, rest = brief(first.excluded[0]), ", ".join(map(brief, others))
    return [f"{brief(first.base)} except {{ {inner}, {rest} }}", f"{{ {{ {brief(first)} }}, {rest} }}"]


def brief(expr: Expr) -> str:
    """An expression, in an error message."""
    if isinstance(expr, Set) and len(expr.items) > 4:
        return "{ … }"
    if isinstance(expr, Set):
        return "{ " + ", ".join(map(brief, expr.items)) + " }"
    if isinstance(expr, Not):
        return f"not {brief(expr.term)}"
    if isinstance(expr, Except):
        several = " …" if len(expr.excluded) > 1 else ""
        return f"{brief(expr.base)} except {brief(expr.excluded[0])}{several}"
    return short(show(expr))


def sayable(ways: list[str]) -> bool:
    """Do the ways to write an expression say all of it?"""
    return all("…" not in way for way in ways)
