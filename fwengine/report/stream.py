"""Outcomes of a capture's packets as lines, one behind another: what a capture of any length is told with.

The lines are those of `counts.outcome_json` and `counts.outcome_line`; what is alike from packet to packet is put
together once.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

from ..model.fields import DETAILS, FIELDS, Point
from ..model.packet import PointWriter
from ..model.rules import ALLOW, DENY, DEPENDS, Action
from ..policy import Policy
from ..traffic.count import Outcome
from .counts import outcome_json, outcome_line
from .style import Style

Encode = Callable[[object], str]  # a value as JSON on one line
_KNOWN: Final = 1 << 16  # lines remembered


class OutcomeLines:
    """Turns outcomes into lines of one format: `text`, `jsonl`, or `json` for the items of an indented list.

    `allowed` and `denied` count them.
    """

    def __init__(self, policy: Policy, format_: str, style: Style, encode: Encode) -> None:
        self._policy, self._format, self._style, self._encode = policy, format_, style, encode
        self._text = PointWriter(policy.tree.fields)
        self._begin, self._between, self._end = (
            ("    {\n      ", ",\n      ", "\n    }") if format_ == "json" else ("{", ", ", "}")
        )
        self._tails: dict[int, tuple[Action, str]] = {}  # rule -> its action, and what follows its packets' texts
        asked = policy.tree.fields
        self._seen: Callable[[Point], Point] = itemgetter(*(f for f in range(FIELDS) if f not in DETAILS or f in asked))
        self._known: dict[Point, str] = {}  # what follows the number of a packet, by what is said of it
        self.allowed = self.denied = self.depending = 0

    @property
    def decided(self) -> int:
        return self.allowed + self.denied + self.depending

    def line(self, outcome: Outcome, number: int) -> str:
        """The line of one packet, `number` counting over all captures."""
        rule, point = outcome.rule, outcome.point
        if rule is None or point is None:
            self.allowed += outcome.action is ALLOW  # a cut packet may be, where nothing that is missing decides
            self.denied += outcome.action is DENY
            self.depending += outcome.action is DEPENDS
            return self._whole(outcome_json(outcome, self._policy, number))
        known = self._tails.get(rule)
        if known is None:
            known = self._tails[rule] = self._policy.action(rule), self._tail(rule)
        action, tail = known
        if action is ALLOW:
            self.allowed += 1
        elif action is DENY:
            self.denied += 1
        else:
            self.depending += 1
        if outcome.recorded is not None or self._format == "text":
            return self._whole(outcome_json(outcome, self._policy, number, self._text))
        seen = self._seen(point)
        rest = self._known.get(seen)
        if rest is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            text = self._text(point)
            plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
            quoted = f'"{text}"' if plain else self._encode(text)
            rest = self._known[seen] = f'{self._between}"text": {quoted}{tail}'
        return f'{self._begin}"packet": {number}{rest}'

    def _tail(self, rule: int) -> str:
        """What follows the text of every packet that one rule decides."""
        fields = {"verdict": self._policy.action(rule).value, "rule": self._policy.label(rule), "class": "ip"}
        return "".join(f'{self._between}"{key}": {self._encode(value)}' for key, value in fields.items()) + self._end

    def _whole(self, fields: dict[str, Any]) -> str:
        if self._format == "text":
            return outcome_line(fields, self._style)
        words = [f'"{key}": {self._encode(value)}' for key, value in fields.items()]
        return self._begin + self._between.join(words) + self._end
