"""What `eval -r --per-packet` answers: each packet of captures, and then the sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from ..model.fields import Point
from ..model.packet import Packet, write
from ..packets.place import kind_text
from ..policy import Policy
from ..traffic.count import Outcome
from .answer import Answer, Block, table
from .making import rule_at
from .record import Act, Record, RuleRecord, Size, act
from .screen import visible
from .style import Style

_RARE: Final = ("what", "recorded")  # keys that are left out where they are null


@dataclass(frozen=True)
class PacketFared(Record):
    """One packet of a capture, with --per-packet: numbered from 0 over all captures.

    Attributes:
        packet: as it is written; null unless the class is `ip`.
        rule: the deciding rule; null if no rule decides.
        what: of a frame without IP: what it holds; left out of others.
        recorded: what the log of a firewall says of it; left out if there is none.
    """

    number: int
    packet: str | None
    verdict: Act | None
    rule: RuleRecord | None
    class_: Literal["ip", "not-ip", "malformed", "truncated", "tiny-fragment"]
    what: str | None = None
    recorded: str | None = None

    @classmethod
    def of(
        cls,
        outcome: Outcome,
        policy: Policy,
        number: int,
        text: Callable[[Point], str] | None = None,
        rule: Callable[[int], RuleRecord] | None = None,
    ) -> PacketFared:
        """`number` counts over all captures; `text` writes the packet's point and `rule` tells a rule, if that is to be quick."""
        by = None
        if outcome.rule is not None:
            by = rule(outcome.rule) if rule else rule_at(policy, outcome.rule)
        packet = None
        if outcome.point is not None and by is not None:
            asked = policy.tree.fields
            packet = text(outcome.point) if text else write(Packet.from_point(outcome.point, asked), asked)
        action = outcome.action if packet is None else policy.action(outcome.rule or 0)
        return cls(
            number,
            packet,
            None if action is None else act(action),
            by,
            outcome.kind,
            None if outcome.what is None else kind_text(outcome.what),
            (outcome.recorded.text or None) if outcome.recorded is not None else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Without what is rarely there and null."""
        return {key: value for key, value in super().to_dict().items() if value is not None or key not in _RARE}

    def line(self, style: Style) -> str:
        verdict = style.verdict((self.verdict or "-").upper(), 6)
        what = self.packet if self.packet is not None else self.class_ + (f": {self.what}" if self.what else "")
        by = f"  by {visible(self.rule.called)}" if self.rule is not None else ""
        recorded = f"  recorded: {visible(self.recorded)}" if self.recorded is not None else ""
        return f"{self.number:>6}  {verdict} {what}{by}{recorded}"


@dataclass(frozen=True)
class PerPacket(Answer):
    """With --per-packet: each packet, written as it comes, and then the sums; what is neither allowed nor denied is not IP."""

    command: ClassVar[str] = "eval"
    rows: ClassVar[str] = "results"

    results: tuple[PacketFared, ...]
    packets: Size
    allow: Size
    deny: Size
    depends: Size

    def blocks(self) -> Iterable[Block]:
        yield table(
            ("number", "packet", "verdict", "rule"),
            [
                (str(r.number), r.packet or r.class_, r.verdict or "", str(r.rule) if r.rule else "")
                for r in self.results
            ],
        )
