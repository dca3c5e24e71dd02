"""Outcomes of a capture's packets as lines, one behind another: what a capture of any length is told with.

The lines are those of `packet_rows.PacketFared`; what is alike from packet to packet is put together once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from ..model.fields import DETAILS, FIELDS, Point
from ..model.packet import PointWriter
from ..model.rules import ALLOW, DENY, DEPENDS, Action
from ..native import Words
from ..packets.place import NOT_IP
from ..policy import Policy
from ..traffic.count import Outcome
from .choice import EVERY, Choice
from .making import rule_at
from .packet_rows import PacketFared
from .screen import visible
from .style import Style

Encode = Callable[[object, int | None], str]  # a value as JSON, indented or on one line
_KNOWN: Final = 1 << 16  # lines remembered


class OutcomeLines:
    """Turns outcomes into lines of one format: `text`, `jsonl`, or `json` for the items of an indented list.

    `allowed` and `denied` count them, those too that `chosen` leaves out.
    """

    def __init__(self, policy: Policy, format_: str, style: Style, encode: Encode, chosen: Choice = EVERY) -> None:
        self._policy, self._format, self._style, self._encode = policy, format_, style, encode
        self._chosen = chosen
        self._text = PointWriter(policy.tree.fields)
        self._begin, self._between, self._end = (
            ("    {\n      ", ",\n      ", "\n    }") if format_ == "json" else ("{", ", ", "}")
        )
        self._rule = lru_cache(_KNOWN)(lambda index: rule_at(policy, index))
        self._tails: dict[int, tuple[Action, str]] = {}  # rule -> its action, and what follows its packets' texts
        asked = policy.tree.fields
        self._seen: Callable[[Point], Point] = itemgetter(*(f for f in range(FIELDS) if f not in DETAILS or f in asked))
        self._known: dict[Point, str] = {}  # what follows the number of a packet, by what is said of it
        self.allowed = self.denied = self.depending = 0

    @property
    def decided(self) -> int:
        return self.allowed + self.denied + self.depending

    def words(self, into: Callable[[str], bytes]) -> Words:
        """The same lines as the native module puts them together, `into` bytes; an item of a list begins with its comma."""
        rules = range(len(self._policy.rules) + 1)
        shown = bytes(self._chosen.takes(self._policy.action(rule), rule) for rule in rules)
        if self._format == "text":
            head = [f"  {self._style.verdict(self._policy.action(rule).value.upper(), 6)} " for rule in rules]
            tail = [f"  by {visible(self._rule(rule).called)}\n" for rule in rules]
            return Words(b"", 6, tuple(map(into, head)), tuple(map(into, tail)), shown, into, self._rest(into))
        last, first = ("", ",\n") if self._format == "json" else ("\n", "")
        head = [f'{self._between}"packet": "'] * len(rules)
        tail = [f'"{self._tail(rule)}{last}' for rule in rules]

        def inside(text: str) -> bytes:
            return into(self._encode(text, None)[1:-1])

        begin = into(f'{first}{self._begin}"number": ')
        return Words(begin, 0, tuple(map(into, head)), tuple(map(into, tail)), shown, inside, self._rest(into))

    def _rest(self, into: Callable[[str], bytes]) -> Callable[[str, int], bytes | None]:
        """What follows the number of a frame of a class, if it has a line."""
        digits = 6 if self._format == "text" else len(f'{self._begin}"number": 0')
        end = "" if self._format == "json" else "\n"

        def rest(kind: str, what: int) -> bytes | None:
            action = None if kind == NOT_IP else DENY
            if not self._chosen.takes(action, None):
                return None
            without = what if kind == NOT_IP else None
            outcome = Outcome(0, kind, None, None, 0, without, None, action)  # type: ignore[arg-type]  # one of the classes
            return into(self._whole(PacketFared.of(outcome, self._policy, 0))[digits:] + end)

        return rest

    def whole(self, outcome: Outcome) -> str:
        """The line of one packet as it stands among those of `words`; empty if it is left out."""
        text = self.line(outcome, outcome.number)
        if text is None:
            return ""
        return f",\n{text}" if self._format == "json" else f"{text}\n"

    def count(self, told: Sequence[int], denied: int) -> None:
        """Takes in packets by rule, the default last, and those denied by none, whose lines were put together elsewhere."""
        self.denied += denied
        for rule, packets in enumerate(told):
            if self._policy.action(rule) is ALLOW:
                self.allowed += packets
            elif self._policy.action(rule) is DENY:
                self.denied += packets
            else:
                self.depending += packets

    def line(self, outcome: Outcome, number: int) -> str | None:
        """The line of one packet, `number` counting over all captures; None if it is left out."""
        rule, point = outcome.rule, outcome.point
        if rule is None or point is None:
            self.allowed += outcome.action is ALLOW  # a cut packet may be, where nothing that is missing decides
            self.denied += outcome.action is DENY
            self.depending += outcome.action is DEPENDS
            if not self._chosen.takes(outcome.action, rule):
                return None
            return self._whole(PacketFared.of(outcome, self._policy, number, rule=self._rule))
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
        if not self._chosen.takes(action, rule):
            return None
        if outcome.recorded is not None or self._format == "text":
            return self._whole(PacketFared.of(outcome, self._policy, number, self._text, self._rule))
        seen = self._seen(point)
        rest = self._known.get(seen)
        if rest is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            text = self._text(point)
            plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
            quoted = f'"{text}"' if plain else self._encode(text, None)
            rest = self._known[seen] = f'{self._between}"packet": {quoted}{tail}'
        return f'{self._begin}"number": {number}{rest}'

    def _tail(self, rule: int) -> str:
        """What follows the text of every packet that one rule decides."""
        fields = {"verdict": self._policy.action(rule).value, "rule": self._rule(rule).to_dict(), "class": "ip"}
        return "".join(f"{self._between}{member}" for member in self._members(fields)) + self._end

    def _whole(self, packet: PacketFared) -> str:
        if self._format == "text":
            return packet.line(self._style)
        return self._begin + self._between.join(self._members(packet.to_dict())) + self._end

    def _members(self, fields: Mapping[str, Any]) -> list[str]:
        if self._format == "jsonl":
            return [f'"{key}": {self._encode(value, None)}' for key, value in fields.items()]
        return [f'"{key}": {self._encode(value, 2)}'.replace("\n", "\n      ") for key, value in fields.items()]
