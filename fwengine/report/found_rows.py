"""The records of which the answer of `query` is made: regions, and what the rules decide of what was asked, in short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .record import Record, RegionRecord, RuleRecord, Size, Witness


@dataclass(frozen=True)
class RegionRow(Record):
    """Packets that one rule decides, with one of them."""

    region: RegionRecord
    rule: RuleRecord
    witness: Witness


@dataclass(frozen=True)
class RuleFound(Record):
    """What one rule decides of what was asked, in short: `region` is all of it if `whole`, else the widest of its regions."""

    rule: RuleRecord
    regions: int
    flows: Size
    whole: bool
    region: str
    witness: Witness


@dataclass(frozen=True)
class Digest(Record):
    """What was found, in short.

    Attributes:
        packets: how many they are, told apart by all fields; null if not counted.
        together: few regions that are all of it, where that says more than to go rule by rule.
        rules: what each rule decides of it, the widest first.
    """

    regions: int
    flows: Size
    packets: Size | None
    together: tuple[str, ...]
    rules: Sequence[RuleFound]
