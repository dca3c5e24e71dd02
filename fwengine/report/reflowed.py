"""What `diff --flows` answers beside the changes: flows of logs whose fate changes, by rule and by the policy's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..flows.changing import Change, ChangeSums
from ..flows.meaning import FATES
from ..flows.sums import NONE, Tally
from ..language.meaning.vocabulary import Vocabulary
from ..model import address
from ..policy import Policy
from .answer import Block, heading, table
from .columns import aligned
from .flowed import fate_word, left_blocks, left_lines, moment, rule_or_none, service, shown_rule, unread_of
from .refated import Refated, RefatedNames, RefatedRule
from .style import Style
from .wording import counted

SHOWN = 20  # rows of a screen


def refated(old: Policy, new: Policy, sums: ChangeSums, most: int) -> Refated:
    """The record; at most so many rows of names."""
    total = NONE
    for tally in sums.rows.values():
        total += tally
    rows = sorted(sums.rows.items(), key=lambda row: (-row[1].bytes, -row[1].flows, row[0]))
    names, exact = _named(new, sums, most)
    return Refated(
        total.flows, total.bytes, sums.all.flows, tuple(_rule(old, new, *row) for row in rows), tuple(names), exact,
        unread_of(sums.left), sums.left.left_out,
    )  # fmt: skip


def _rule(old: Policy, new: Policy, change: Change, tally: Tally) -> RefatedRule:
    before, now = change
    return RefatedRule(
        before.fate, now.fate, rule_or_none(old, before.first), rule_or_none(old, before.then), rule_or_none(new, now.first),
        rule_or_none(new, now.then), now.on or before.on, tally.flows, tally.bytes, moment(tally.first), moment(tally.last),
    )  # fmt: skip


def _named(policy: Policy, sums: ChangeSums, most: int) -> tuple[list[RefatedNames], bool]:
    words = Vocabulary(policy.names)
    known: dict[int, str] = {}

    def name(point: int) -> str:
        if point not in known:
            known[point] = words.around(point) or address.show(point)
        return known[point]

    flows = sums.top.biggest(1 << 16)
    found: dict[tuple[str, str, str, int], Tally] = {}
    for flow in flows:
        key = name(flow.key.src), name(flow.key.dst), service(flow.key), flow.key.fate
        found[key] = found.get(key, NONE) + flow.tally
    rows = sorted(found.items(), key=lambda row: (-row[1].bytes, -row[1].flows, row[0]))[:most]
    told = [
        RefatedNames(
            source, destination, what, FATES[fate // 4], FATES[fate % 4], tally.flows, tally.bytes, moment(tally.first),
            moment(tally.last),
        )
        for (source, destination, what, fate), tally in rows
    ]  # fmt: skip
    return told, all(flow.exact for flow in flows)


_RULES = ("flows", "bytes", "before", "now", "decided by before", "and now", "")
_NAMES = ("flows", "bytes", "source", "destination", "service", "before", "now", "first seen", "last seen")


def refated_lines(found: Refated, style: Style) -> Iterator[str]:
    """As text."""
    yield ""
    yield style(_summary(found), bold=True)
    if found.flows:
        yield from aligned([_RULES, *map(_rule_cells, found.rules[:SHOWN])], 2, style.width)
        if len(found.rules) > SHOWN:
            yield f"and {counted(len(found.rules) - SHOWN, 'more row')}"
        yield ""
        yield from aligned([_NAMES, *(_name_cells(row, found.exact) for row in found.names)], 2, style.width)
    yield from left_lines(found.unread, found.left_out, style)


def refated_blocks(found: Refated) -> Iterable[Block]:
    """As a page."""
    yield heading("Flows whose fate changes")
    yield Block(_summary(found))
    if found.flows:
        yield table(_RULES, map(_rule_cells, found.rules))
        yield table(_NAMES, (_name_cells(row, found.exact) for row in found.names))
    yield from left_blocks(found.unread, found.left_out)


def _summary(found: Refated) -> str:
    change = "change their fate" if found.flows != 1 else "changes its fate"
    return f"{found.flows:,} of {counted(found.of, 'flow')} {change}"


def _rule_cells(row: RefatedRule) -> tuple[str, ...]:
    now = shown_rule(row.new_then if row.new == "one way" else row.new_rule)
    before = shown_rule(row.old_then if row.old == "one way" else row.old_rule)
    on = f"on {', '.join(row.on)}" if row.on else ""
    return (f"{row.flows:,}", f"{row.bytes:,}", fate_word(row.old), fate_word(row.new), before, now, on)


def _name_cells(row: RefatedNames, exact: bool) -> tuple[str, ...]:
    most = "" if exact else "≤ "
    return (
        f"{most}{row.flows:,}", f"{most}{row.bytes:,}", row.source, row.destination, row.service, fate_word(row.old),
        fate_word(row.new), row.first or "", row.last or "",
    )  # fmt: skip
