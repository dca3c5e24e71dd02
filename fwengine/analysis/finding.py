"""What is found in a policy, as values: codes, and findings with the packets that show them. Knows no search and no text."""

from __future__ import annotations

import datetime
from dataclasses import field as attribute
from typing import Literal

from ..errors import Diagnostic, Severity
from ..model.box import Box
from ..model.packet import Packet
from ..model.rules import Definition
from ..model.ruleset import RuleSet
from ..row import Row, row
from .interfaces import Slip

QUIET = frozenset({"FW205", "FW206"})  # off unless selected: most policies are full of them on purpose
SOON = datetime.timedelta(days=30)
RELATED = 8  # rules named in one finding of FW205 and FW206

Obstacle = Literal["", "named", "until", "moved", "default"]


@row
class Finding(Row):
    """One thing found.

    What is `removable` and what is to be moved `above` another rule can be followed all together, or any part of it, on
    this day and on every later one: removals change no verdict, and a moved rule gets just those of its packets that no
    rule above its new place takes.

    Attributes:
        rule: the index of the rule; None if it is about a definition or a text.
        blockers: the rules that cause it. FW201, FW202: a minimal set that covers the rule. FW203: the rule that would
            decide the witness instead, if one would. FW205, FW206: the earlier rules (at most `RELATED`).
        more: there are further such rules.
        witness: a packet that shows it. FW201: matched by the rule and given the other action. FW202: matched and given
            the same. FW203, FW301, FW304: decided by the rule. FW205, FW206: matched by both. FW303: the lost fragment.
        decided_by: the index of the rule that decides the witness; the number of rules for the default.
        repeated: FW201: rules of the same action match all of it, too, and those are the blockers.
        alone: FW201: the only blocker decides all of it; no rule before that does.
        above: FW201: the rule that it must stand above to decide the witness; None if it adds nothing wherever it
            stands, and if another rule that is to be moved contends for its packets.
        obstacle: why the rule is not `removable` now. "named": an expectation names it. "until": other rules do its work
            only for a time. "moved": a rule that is to be moved contends for its packets. "default": it says what the
            default says, which many do on purpose.
        field: FW302: `SPORT` or `DPORT`. FW211, FW304: `SRC` or `DST`, the side whose addresses it is about.
        protocols: FW305: those that only later fragments have over IPv6.
        slip: FW310: the interface, and which it resembles.
        until: FW207, FW208: the rule's last day.
        regions: if asked for. FW201: what gets the other action. FW203: the effective part. FW205, FW206: what is shared
            with the first of the blockers.
        remark: FW210, FW220, FW221, FW222: what is said about the text.
        of: the policy that it is about, if that is told: a finding of `fwengine.check` reads as a sentence.
    """

    code: str
    severity: Severity
    rule: int | None = None
    blockers: tuple[int, ...] = ()
    more: bool = False
    witness: Packet | None = None
    decided_by: int | None = None
    repeated: bool = False
    alone: bool = False
    above: int | None = None
    obstacle: Obstacle = ""
    field: int | None = None
    until: datetime.date | None = None
    definition: Definition | None = None
    slip: Slip | None = None
    protocols: tuple[int, ...] = ()
    regions: tuple[Box, ...] = ()
    remark: Diagnostic | None = None
    of: RuleSet | None = attribute(default=None, compare=False)

    @property
    def removable(self) -> bool:
        """May what it is about be removed, without a change of any verdict?"""
        if self.code == "FW201":
            return self.repeated and not self.obstacle
        return self.code in ("FW202", "FW203", "FW207", "FW209") and not self.obstacle
