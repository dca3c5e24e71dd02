"""Words -> numbers of the fields that every packet has: dscp, ttl, length. Pure functions of a word, as in `literals`."""

from __future__ import annotations

from ...model.fields import Spec
from ...model.interval import IntervalSet
from ...registry import names, values
from . import literals


def numbers(spec: Spec, text: str) -> IntervalSet:
    """A number, a name of one, or a range, in a field that every packet has.

    >>> from ...model.fields import DSCP, TABLE
    >>> numbers(TABLE[DSCP], "ef").ranges, numbers(TABLE[DSCP], "cs1-cs3").ranges
    (((46, 46),), ((8, 24),))
    """
    found = _number_or_name(spec, text)
    if found is not None:
        return IntervalSet.single(found)
    lo_text, _, hi_text = text.partition("-")
    lo, hi = _number_or_name(spec, lo_text), _number_or_name(spec, hi_text)
    if lo is not None and hi is not None:
        return literals.between(text, lo, hi)
    known = values.names_in(spec.word)
    meant = names.near(text, known) if len(text) < 40 else []
    help = f"write a number from 0 to {spec.values.hi}" + (f", or a name such as `{known[-1]}`" if known else "")
    help = f"did you mean `{meant[0]}`?" if meant else help
    raise literals.Mistake(
        "FW139", f"`{_short(text)}` is not a {spec.word}", "not a number" + " or name" * bool(known), help
    )


def _number_or_name(spec: Spec, text: str) -> int | None:
    if literals.looks_numeric(text):
        return literals.number(text, spec.values.hi, spec.word, "FW139")
    return values.named(spec.word, text)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
