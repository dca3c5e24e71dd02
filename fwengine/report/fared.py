"""Verdicts on packets as text, made of their records: the verdict and what decides, the split, and why not another rule.

Nearest is what missed the packet in the fewest fields; `reasons` finds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from .decided import Decided, Part, RuleFared
from .fit import shortened, wrapped
from .record import RuleRecord
from .screen import visible
from .sizes import counted
from .style import Style

PARTS: Final = 5  # of an open packet, before the others are counted
SHOWN: Final = 3  # failures of a rule on the screen; the nearest miss has all
_LINES: Final = 2  # of one rule, where only the nearest are told
_LEAST: Final = 20  # columns for what a part states
_UNDECODED: Final[Mapping[str, str]] = {
    "malformed": "malformed: these bytes are not a packet, so no rule is asked",
    "truncated": "truncated: the bytes are cut short, and what is missing decides",
    "tiny-fragment": "tiny-fragment: it could overwrite the tcp flags (RFC 1858, RFC 3128), so no rule is asked",
}


def verdict_line(r: Decided, policy: str, style: Style, *, named: bool) -> str:
    """`ALLOW  by web-in  edge.fwl:12`; `named`, because several packets were asked: with the packet in between."""
    word = style.verdict(r.verdict.upper(), 6)
    asked = [visible(r.packet)] if named else []
    cut = "  (cut short: decided from the fields that are there)" if r.partial else ""
    if r.reason in _UNDECODED:
        return f"{word} {'  '.join([*asked, _UNDECODED[r.reason]])}"
    if r.rule is not None and r.rule.action == "depends":
        return f"{word} {'  '.join([*asked, f'on {visible(r.rule.label)}'])}{cut}"
    if r.reason == "depends":
        return f"{word} {'  '.join(['on ' + ', '.join(r.depends_on), *asked])}"
    by = style(visible(r.labels), bold=True)
    parts = [*asked, f"by {by}", style(visible(_where(r, policy)), "grey")]
    return f"{word} {'  '.join(part for part in parts if part)}{cut}"


def _where(r: Decided, policy: str) -> str:
    if r.reason == "default":
        return policy
    if r.rule is None:
        return ""
    return f"{_place(r.rule)}{r.rule.way}".strip()


def _place(rule: RuleRecord) -> str:
    """Where it stands, unless it is called by that."""
    return str(rule.place) if rule.place is not None and rule.named else ""


def split_lines(parts: Sequence[Part], style: Style, most: int | None = None) -> Iterator[str]:
    """For a packet that is partly open: a row for each part that fares by a rule of its own.

    With `most` rows are at most so wide, what a part states is cut short, and of many parts the first ones are shown.
    """
    shown = parts if most is None or len(parts) <= PARTS + 1 else parts[:PARTS]
    rows = [(p.condition, p.rule.action.upper(), _by(p.rule), visible(_place(p.rule))) for p in shown]
    width, names = max(len(row[0]) for row in rows), max(len(row[2]) for row in rows)
    if most is not None:
        room = max(_LEAST, most - names - max(len(row[3]) for row in rows) - len("    DENY     "))
        rows = [(_cut(stated, room), *others) for stated, *others in rows]  # type: ignore[misc]  # three others
        width = min(width, room)
    for stated, action, label, place in rows:
        yield f"  {stated:<{width}}  {style.verdict(action, 6)} {label:<{names}}  {style(place, 'grey')}".rstrip()
    if len(shown) < len(parts):
        yield f"  and {len(parts) - len(shown):,} more parts (--detail)"


def _by(rule: RuleRecord) -> str:
    return visible(f"{'on' if rule.action == 'depends' else 'by'} {rule.label}")


def _cut(text: str, room: int) -> str:
    text = shortened(text, room)
    return text if len(text) <= room else f"{text[: room - 1]}…"


def every_line(fared: Sequence[RuleFared], style: Style) -> Iterator[str]:
    """A line for each rule: the name, and why it did not match."""
    if not fared:
        yield "  there are no rules"
        return
    close = _fewest(fared)
    names = [visible(f.rule.called) for f in fared]
    width = max(map(len, names))
    for n, (f, name) in enumerate(zip(fared, names, strict=True)):
        yield f"  {name:<{width}}  {fared_line(f, style, close=n in close)}"


def _fewest(fared: Sequence[RuleFared]) -> set[int]:
    """The places of the rules that missed in the fewest fields."""
    missed = {n: len(f.failed) for n, f in enumerate(fared) if f.failed}
    fewest = min(missed.values(), default=0)
    return {n for n, count in missed.items() if count == fewest} if len(fared) > 1 else set()


def near_lines(r: Decided, style: Style, width: int) -> Iterator[str]:
    """The deciding rule and the nearest others, in their order; then how many there are that decide nothing of it."""
    assert r.explain is not None
    if not r.explain:
        yield "  there are no rules"
        return
    last = len(r.explain) - 1
    own = {last} if r.explain[last].matched else set()  # parts of an open packet are told with it
    shown = {n: r.explain[n] for n in sorted(own.union(r.nearest or ()))}
    names = max((len(visible(f.rule.called)) for f in shown.values()), default=0)
    for n, f in shown.items():
        head = f"  {visible(f.rule.called):<{names}}  "
        text = fared_line(f, Style(False), close=n in (r.nearest or ()))
        lines = list(wrapped(shortened(text, _LINES * (width - len(head))), width, head, " " * (len(head) + 5)))
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], lines[_LINES - 1][: width - 1] + "…"]
        if f.matched:
            lines[0] = head + style("yes", "green", bold=True)
        yield from lines
    others = sum(not f.decides for f in r.explain) - len(shown)
    if others:
        yield f"  and {counted(others, 'other rule')} (--explain=all)"


def fared_line(f: RuleFared, style: Style, *, close: bool) -> str:
    """How one rule fared; `close`: it is one of those that came nearest."""
    word, why = fared(f, None if close else SHOWN)
    hue = {"yes": "green", "part": "yellow"}.get(word)
    if hue is not None:
        return f"{style(word, hue, bold=True)} {why}".rstrip()
    return f"{word}   {why}" + (style("   (nearest miss)", "yellow") if close and f.failed else "")


def fared(f: RuleFared, most: int | None = None) -> tuple[str, str]:
    """`yes`, `part` or `no`, and why; of the fields that failed the first ones, if there are more than `most`."""
    if f.matched:
        return "yes", ""
    if f.decides:
        return "part", " or ".join(f.decides)
    if f.until is not None:
        return "no", f"expired: it counted until {f.until}{', and would match' if f.would_match else ''}"
    if not f.failed:
        return "no", "the rules above decide all that it matches"
    told = [failed.text for failed in f.failed if not failed.implied]
    words = told[:most]
    if len(words) < len(told):
        words.append(f"and {len(told) - len(words)} more")
    return "no", "; ".join(words)
