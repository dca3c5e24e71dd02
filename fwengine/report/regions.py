"""Regions in a policy's own words: the shortest true description found, also of a union of boxes.

Several boxes are said as what they are joined by `or`, or as what is around them, `unless` what is missing from it, if that
is shorter. Whatever is written means the same packets; `policy.region` reads it. Knows no rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.region import difference, tidy
from ..errors import LimitError
from ..language.meaning.region import PLAIN, Words, sayable, show_boxes, show_sayable
from ..limits import at_most
from ..model.box import Box
from ..model.fields import CODE, FIELDS, FULL, OPTIONAL, PROTOCOL, TYPE
from ..model.interval import together
from ..policy import Policy

MOST_JOINED = 64  # boxes that a description of several is looked for
_MOST_LEFT_OUT = 4  # regions behind `unless`


class Wording:
    """Writes regions with the names of a policy, or, without one, with none."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._policy = policy

    @property
    def words(self) -> Words:
        return PLAIN if self._policy is None else self._policy.words

    def region(self, box: Box) -> str:
        """A box; where the language takes several regions to say it, they are joined by ` or `."""
        if sayable(box) and box.sets[TYPE] == FULL[TYPE] and box.sets[CODE] == FULL[CODE]:
            return show_sayable(box, self.words)
        return " or ".join(show_boxes([box], self.words))

    def parts(self, boxes: Sequence[Box]) -> list[str]:
        """Disjoint boxes as regions that are together the same packets: few of them, and the widest first.

        It may be one only, with `unless`. More than 64 boxes are written one by one.
        """
        if len(boxes) == 1:
            return [self.region(boxes[0])]
        if len(boxes) > MOST_JOINED:
            return [self.region(box) for box in boxes]
        few = tidy(boxes)
        shown = show_boxes(few, self.words)
        around = self._around(few) if len(few) > 1 else ""
        return [around] if around and len(around) < len(" or ".join(shown)) else shown

    def _around(self, boxes: Sequence[Box]) -> str:
        """`tcp from office to any unless tcp from any to web port 22`; empty if that takes too many exceptions."""
        sets = [together([box.sets[f] for box in boxes]) for f in range(FIELDS)]
        hull = Box(tuple(sets)).plain()
        if not sayable(hull):
            return ""
        try:
            with at_most(regions=MOST_JOINED):
                taken = [box.sets for box in boxes]
                missing = [Box(left) for piece in hull.pieces for left in difference(piece.sets, taken)]
        except LimitError:
            return ""
        left_out = [_within(hull, box) for box in tidy(missing)]
        if not left_out or len(left_out) > 2 * _MOST_LEFT_OUT or not all(map(sayable, left_out)):
            return ""
        whole, exceptions = show_boxes([hull], self.words), show_boxes(left_out, self.words)
        if len(whole) > 1 or len(exceptions) > _MOST_LEFT_OUT:
            return ""
        return f"{whole[0]} unless {' or '.join(exceptions)}"


def _within(hull: Box, box: Box) -> Box:
    """An exception said as briefly as it may be: it need not repeat what holds of everything that it is taken from."""
    out = box
    for f in range(FIELDS):
        if f != PROTOCOL and (hull & out.replace(f, FULL[f])).issubset(box):
            out = out.replace(f, FULL[f])
    if all(out.sets[g] == FULL[g] for g in OPTIONAL) and (hull & out.replace(PROTOCOL, FULL[PROTOCOL])).issubset(box):
        out = out.replace(PROTOCOL, FULL[PROTOCOL])
    return out
