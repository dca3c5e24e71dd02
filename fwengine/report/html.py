"""Values as a notebook shows them: pieces of HTML that load nothing, read on light and on dark, and escape all text.

What stands in names, comments and files is somebody else's: controls and characters that reorder a line are made
visible, and markup is text. Colours are inherited, and where an action has one its word stands there, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch
from html import escape
from itertools import islice
from typing import Any, NamedTuple

from ..analysis.confirm import Answer
from ..analysis.diff import Change
from ..analysis.finding import Finding
from ..analysis.prove import Proof
from ..analysis.query import Region
from ..model.box import Box
from ..model.packet import Packet
from ..model.rules import Action, Case, Claim, Rule, Verdict
from ..policy import Policy
from ..row import Row
from ..traffic.sums import CaptureReport
from .changed import Changed, Compared
from .changed_lines import WORDS, summary_line
from .counts import report_line
from .review import Review
from .screen import visible
from .sentences import sentence
from .sizes import size

SHOWN = 200  # rows of a table
_WHOLE = 26  # characters of a cell that is never broken
_GOOD, _BAD, _DOUBTFUL = "#1a8f4c", "#d2453b", "#b27200"
_NEWLY = {Action.ALLOW: "newly allowed", Action.DENY: "newly denied", Action.DEPENDS: "newly dependent"}
_HUES = {
    "allow": _GOOD,
    "deny": _BAD,
    "error": _BAD,
    "warning": _DOUBTFUL,
    **dict(zip(_NEWLY.values(), (_GOOD, _BAD, _DOUBTFUL), strict=True)),
}
_LINE = "1px solid rgba(128,128,128,.45)"
_CELL = f"padding:.15em .6em;text-align:left;vertical-align:top;border-bottom:{_LINE}"


class Bar(NamedTuple):
    """A number, drawn as a share of a whole as well."""

    part: int
    whole: int


class Count(NamedTuple):
    """A number of flows, as people say it."""

    number: int


class Long(NamedTuple):
    """A text that wants room, and breaks where it must."""

    text: str


class Part(NamedTuple):
    """A line across the table, above the rows that it is about."""

    text: str


def text(value: object) -> str:
    """A text as HTML: no markup of its own, nothing that cannot be seen."""
    return escape(visible(str(value)))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "", more: int = 0) -> str:
    """A table: words such as `allow` have their colour, numbers stand to the right, a `Bar` is drawn, None is empty.

    It scrolls by itself where it is wider than the page.

    Args:
        rows: of cells, as many as the head has; a `Part` in their place stands above rows.
        more: rows that are not shown, besides those behind the first 200.
    """
    left = iter(rows)
    shown = list(islice(left, SHOWN))
    numeric = {n for row in shown if not isinstance(row, Part) for n, cell in enumerate(row) if _is_number(cell)}
    out = [
        '<div class="fwengine" style="overflow-x:auto;margin-bottom:.5em">',
        '<table style="border-collapse:collapse;color:inherit;background:transparent">',
        _caption(caption),
        "<thead><tr>",
    ]
    for n, word in enumerate(head):
        side = "right" if n in numeric else "left"
        out.append(f'<th scope="col" style="{_CELL};text-align:{side};white-space:nowrap">{text(word)}</th>')
    out.append("</tr></thead><tbody>")
    for row in shown:
        if isinstance(row, Part):
            out.append(f'<tr><th colspan="{len(head)}" style="{_CELL};padding-top:.6em">{text(row.text)}</th></tr>')
        else:
            out.append("<tr>" + "".join(map(_cell, row)) + "</tr>")
    out.append("</tbody>")
    more += sum(1 for _ in left)
    if more:
        out.append(f'<tfoot><tr><td colspan="{len(head)}" style="{_CELL}">and {more:,} more</td></tr></tfoot>')
    return "".join([*out, "</table></div>"])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Bar | Count) and not isinstance(value, bool)


def _caption(words: str) -> str:
    style = "caption-side:top;text-align:left;font-weight:bold;color:inherit"
    return f'<caption style="{style}">{text(words)}</caption>' if words else ""


def _cell(value: Any) -> str:
    if _is_number(value):
        return f'<td style="{_CELL};text-align:right;white-space:nowrap">{_number(value)}</td>'
    if isinstance(value, Long):
        return f'<td style="{_CELL};min-width:14em">{text(value.text)}</td>'
    words = "" if value is None else str(value)
    hue = _HUES.get(words)
    look = f";color:{hue};font-weight:bold" if hue else ""
    whole = ";white-space:nowrap" if len(words) <= _WHOLE else ""
    return f'<td style="{_CELL}{look}{whole}">{text(words)}</td>'


def _number(value: Bar | Count | float) -> str:
    if isinstance(value, Bar):
        return f"{value.part:,} {_bar(value)}"
    if isinstance(value, Count):
        return text(size(value.number))
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _bar(bar: Bar) -> str:
    width = round(80 * bar.part / bar.whole, 1) if bar.whole else 0
    return (
        '<svg width="80" height="10" role="img" aria-hidden="true" style="vertical-align:middle">'
        f'<rect width="{width}" height="10" fill="currentColor" opacity=".55"></rect></svg>'
    )


def _line(words: str, action: str = "") -> str:
    hue = _HUES.get(action)
    look = f"border-left:.3em solid {hue or 'rgba(128,128,128,.45)'};padding-left:.5em;color:inherit"
    return f'<div class="fwengine" style="{look}">{text(words)}</div>'


@singledispatch
def html(value: Any) -> str:
    """A value as a piece of HTML."""
    return _line(sentence(value))


@html.register
def _(row: Row) -> str:
    return _line(sentence(row), row.get("action") or row.get("severity") or "")


@html.register
def _(proof: Proof) -> str:  # type: ignore[type-arg]  # of whatever claim
    return _line(sentence(proof), "allow" if proof.holds else "deny")


@html.register
def _(packet: Packet) -> str:
    return _line(str(packet))


@html.register
def _(verdict: Verdict) -> str:
    whole = _line(sentence(verdict), verdict.action.value)
    return whole + _rows(verdict.cases, "") if verdict.cases else whole


@html.register(Rule)
@html.register(Box)
@html.register(Claim)
@html.register(Case)
def _(value: Rule | Box | Claim | Case) -> str:
    return _line(sentence(value), value.action.value if isinstance(value, Rule | Case) else "")


@html.register
def _(answer: Answer) -> str:  # type: ignore[type-arg]  # of whatever values
    word = f" ({answer.confirmed.word})" if answer.confirmed else ""
    if not answer:
        return _line(f"nothing{word}")
    first = answer[0]
    caption = f"{len(answer):,} {type(first).__name__.lower()}{'s' * (len(answer) != 1)}{word}"
    if isinstance(first, Change) and first.of is not None and all(isinstance(one, Policy) for one in first.of):
        return _changes(answer, *first.of)  # type: ignore[arg-type]  # they are
    if isinstance(first, Region):
        rows = (
            (r.action.value, Long(r["region"]), _called(r, ""), Long(r["witness"]), Count(r.flows))
            for r in answer[:SHOWN]
        )
        return table(("action", "region", "rule", "for example", "flows"), rows, caption, _beyond(answer))
    if isinstance(first, Finding):
        found = (
            (f.severity, f.code, f["file"] and f"{f['file']}:{f['line']}", Long(f["message"]), Long(f["witness"] or ""))
            for f in answer[:SHOWN]
        )
        return table(("severity", "code", "place", "message", "for example"), found, caption, _beyond(answer))
    return _rows(answer, caption)


def _changes(found: Answer[Change], old: Policy, new: Policy) -> str:
    """By cause, the most dangerous first, as `fwengine diff` tells them."""
    changed = Changed.of([Compared.of(Review(old, new, found))])
    rows: list[Any] = []
    for group in changed.groups:
        if len(rows) >= SHOWN:
            break
        rows.append(Part(f"{group.text} ({group.places})" if group.places else group.text))
        rows += [
            (
                f"newly {WORDS[c.newly]}",
                Long(c.region.text),
                str(c.old),
                str(c.new),
                Long(c.witness.packet),
                Count(c.region.flows),
            )
            for c in changed.changes[group.first : group.first + min(group.count, SHOWN)]
        ]
    rows = rows[:SHOWN]
    told = sum(not isinstance(row, Part) for row in rows)
    head = ("change", "region", "before", "after", "for example", "flows")
    return table(head, rows, summary_line(changed.files[0], changed.groups), len(found) - told)


def _called(row: Row, prefix: str) -> str:
    """`web-in (edge.fwl:12)`, or what stands for it."""
    label, file, line = (row[f"{prefix}{key}"] for key in ("rule", "file", "line"))
    return str(label) if file is None or label == f"{file}:{line}" else f"{label} ({file}:{line})"


def _beyond(values: Sequence[object]) -> int:
    return len(values) - min(len(values), SHOWN)


def _rows(values: Sequence[Row], caption: str) -> str:
    """Answers of one kind; a rule's file and line stand together."""
    some = values[:SHOWN]
    head = [key for key in some[0] if not key.endswith("line")]
    rows = ([Long(row[key]) if key == "region" else _with_line(row, key) for key in head] for row in some)
    return table(head, rows, caption, _beyond(values))


def _with_line(row: Row, key: str) -> Any:
    if not key.endswith("file") or row[key] is None:
        return row[key]
    return f"{row[key]}:{row[key.removesuffix('file') + 'line']}"


@html.register
def _(policy: Policy) -> str:
    count = len(policy.rules)
    caption = f"{policy.name}: {count:,} rule{'s' * (count != 1)}, default {policy.default}, as of {policy.as_of}"
    rows = (
        (number, rule.action.value, rule.name, Long(_said(rule, policy)), f"{rule.span.file}:{rule.span.line}")
        for number, rule in enumerate(policy.rules[:SHOWN], 1)
    )
    return table(("#", "action", "name", "rule", "place"), rows, caption, count - min(count, SHOWN))


def _said(rule: Rule, policy: Policy) -> str:
    """The rule as it stands in the policy's text, if it has one."""
    lines = policy.sources.get(rule.span.file, "").removeprefix("\ufeff").split("\n")
    span = rule.span
    if span.file in policy.sources and span.end_line <= len(lines):
        part = [*lines[span.line - 1 : span.end_line]]
        part[-1] = part[-1][: span.end_column - 1]
        part[0] = part[0][span.column - 1 :]
        return " ".join(" ".join(part).split())
    return sentence(rule)


@html.register
def _(report: CaptureReport) -> str:
    rows: list[tuple[Any, ...]] = [
        (
            count.label,
            count["file"] and f"{count.file}:{count.line}",
            count.action.value,
            Bar(count.packets, report.packets),
            count.bytes,
        )
        for count in report.rules
    ]
    rows += [(word, None, "deny", Bar(n, report.packets), None) for word, n in _undecided(report) if n]
    if report.not_ip:
        rows.append(("not IP", None, "", Bar(report.not_ip, report.packets), None))
    return table(("rule", "place", "action", "packets", "bytes"), rows, report_line(report))


def _undecided(report: CaptureReport) -> list[tuple[str, int]]:
    """What no rule was asked about, and is denied."""
    return [
        ("malformed", report.malformed),
        ("truncated", report.truncated),
        ("tiny-fragment", report.tiny_fragment),
    ]
