"""Rules that name a protocol which IPv6 has as a header before the protocol: there they match later fragments alone."""

from __future__ import annotations

from ..model import address
from ..model.fields import DST, FRAGMENT, LATER, PROTOCOL, SRC, STEPPED_THROUGH
from ..model.interval import IntervalSet
from ..model.rules import Rule

_FEW = 8  # protocols that somebody named one by one
_HEADERS = IntervalSet.union((p, p) for p in STEPPED_THROUGH)


def stepped_through(rule: Rule) -> tuple[int, ...]:
    """The protocols that a rule over IPv6 names, and that only later fragments have there.

    >>> from fwengine import loads
    >>> [stepped_through(rule) for rule in loads("deny { esp, ah }\\ndeny ah from ipv4\\ndeny any").rules]
    [(51,), (), ()]
    """
    found: set[int] = set()
    for box in rule.boxes:
        protocols = box.sets[PROTOCOL]
        v6 = not any(box.sets[side].isdisjoint(address.V6) for side in (SRC, DST))
        if v6 and protocols.size <= _FEW and box.sets[FRAGMENT] != IntervalSet.single(LATER):
            found.update(p for lo, hi in protocols & _HEADERS for p in range(lo, hi + 1))
    return tuple(sorted(found))
