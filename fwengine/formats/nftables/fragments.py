"""Conditions on fragments: `ip frag-off` behind a mask, and IPv6's `frag frag-off` and `frag more-fragments`.

A fragment header with offset 0 and no more fragments makes an atomic fragment, which is a whole packet here and has no such header
as far as our packets tell: so whether a whole packet meets a condition on that header is in doubt.
"""

from __future__ import annotations

from ...model.fields import FIRST, FRAGMENT, LATER, WHOLE
from ...model.interval import IntervalSet
from ..matching import Match
from . import keys
from .syntax import Key, Test, Value, Word

OFFSET, WHICH = 0x1FFF, 0x3FFF  # the bits of `ip frag-off` that are the offset, and with "more fragments"
_FIRST, _LATER = IntervalSet.single(FIRST), IntervalSet.single(LATER)
_OF_V4 = {  # (mask, value, "is it that value?")
    (OFFSET, 0, True): keys.EARLY,
    (OFFSET, 0, False): _LATER,
    (WHICH, 0, True): IntervalSet.single(WHOLE),
    (WHICH, 0, False): IntervalSet(((FIRST, LATER),)),
    (WHICH, 0x2000, True): _FIRST,
    (WHICH, 0x2000, False): IntervalSet.of((WHOLE, WHOLE), (LATER, LATER)),
}


def narrow(match: Match, key: Key, test: Test) -> bool:
    """Narrows a match by a condition on fragments; False if it is none that is understood."""
    value = _number(test.value)
    equal = {"": True, "==": True, "!=": False, "!": False}.get(test.op)
    if (test.op, value) in ((">", 0), ("<=", 0), (">=", 1), ("<", 1)):
        value, equal = 0, test.op in ("<=", "<")
    if value is None or equal is None:
        return False
    kind = (key.family, key.name)
    if kind == ("ip", "frag-off") and test.mask is not None:
        chosen = _OF_V4.get((_number(test.mask) or 0, value, equal))
        if chosen is None:
            return False
        match.require({**keys.V4, FRAGMENT: chosen})
        return True
    if test.mask is not None:
        return False
    if kind == ("frag", "frag-off") and value == 0:
        if not equal:
            match.require({**keys.V6, FRAGMENT: _LATER})
        else:
            match.require({**keys.V6, FRAGMENT: keys.EARLY})
            match.doubt("frag frag-off: an atomic fragment is a whole packet", unless=(FRAGMENT, _FIRST))
        return True
    if kind == ("frag", "more-fragments") and value in (0, 1) and (value == 1) == equal:
        match.require({**keys.V6, FRAGMENT: IntervalSet(((FIRST, LATER),))})
        match.doubt("frag more-fragments: not of the last one", unless=(FRAGMENT, _FIRST))
        return True
    return False


def _number(value: Value) -> int | None:
    return keys.plain(value.text) if isinstance(value, Word) else None
