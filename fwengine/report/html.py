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
from ..model.box import Box
from ..model.packet import Packet
from ..model.rules import Case, Claim, Rule, Verdict
from ..policy import Policy
from ..row import Row
from ..traffic.sums import CaptureReport
from .counts import report_line
from .screen import visible
from .sentences import sentence

SHOWN = 200  # rows of a table
_HUES = {"allow": "#1a8f4c", "deny": "#d2453b", "error": "#d2453b", "warning": "#b27200"}
_LINE = "1px solid rgba(128,128,128,.45)"
_CELL = f"padding:.15em .6em;text-align:left;vertical-align:top;border-bottom:{_LINE}"


class Bar(NamedTuple):
    """A number, drawn as a share of a whole as well."""

    part: int
    whole: int


def text(value: object) -> str:
    """A text as HTML: no markup of its own, nothing that cannot be seen."""
    return escape(visible(str(value)))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "", more: int = 0) -> str:
    """A table: words such as `allow` have their colour, numbers stand to the right, a `Bar` is drawn, None is empty.

    Args:
        more: rows that are not shown, besides those behind the first 200.
    """
    out = [
        f'<table class="fwengine" style="border-collapse:collapse;color:inherit;background:transparent">{_caption(caption)}'
    ]
    out.append(
        "<thead><tr>" + "".join(f'<th scope="col" style="{_CELL}">{text(word)}</th>' for word in head) + "</tr></thead>"
    )
    out.append("<tbody>")
    left = iter(rows)
    for row in islice(left, SHOWN):
        out.append("<tr>" + "".join(map(_cell, row)) + "</tr>")
    out.append("</tbody>")
    more += sum(1 for _ in left)
    if more:
        out.append(f'<tfoot><tr><td colspan="{len(head)}" style="{_CELL}">and {more:,} more</td></tr></tfoot>')
    return "".join([*out, "</table>"])


def _caption(words: str) -> str:
    style = "caption-side:top;text-align:left;font-weight:bold;color:inherit"
    return f'<caption style="{style}">{text(words)}</caption>' if words else ""


def _cell(value: Any) -> str:
    if isinstance(value, Bar):
        return f'<td style="{_CELL};text-align:right;white-space:nowrap">{value.part:,} {_bar(value)}</td>'
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
        return f'<td style="{_CELL};text-align:right">{shown}</td>'
    hue = _HUES.get(value) if isinstance(value, str) else None
    look = f";color:{hue};font-weight:bold" if hue else ""
    return f'<td style="{_CELL}{look}">{"" if value is None else text(value)}</td>'


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
    kind = type(answer[0]).__name__.lower()
    return _rows(answer, f"{len(answer):,} {kind}{'s' * (len(answer) != 1)}{word}")


def _rows(values: Sequence[Row], caption: str) -> str:
    """Answers of one kind; a rule's file and line stand together."""
    some = values[:SHOWN]
    head = [key for key in some[0] if not key.endswith("line")]
    rows = ([_with_line(row, key) for key in head] for row in some)
    return table(head, rows, caption, len(values) - len(some))


def _with_line(row: Row, key: str) -> Any:
    if not key.endswith("file") or row[key] is None:
        return row[key]
    return f"{row[key]}:{row[key.removesuffix('file') + 'line']}"


@html.register
def _(policy: Policy) -> str:
    count = len(policy.rules)
    caption = f"{policy.name}: {count:,} rule{'s' * (count != 1)}, default {policy.default}, as of {policy.as_of}"
    rows = (
        (number, rule.action.value, rule.name, _said(rule, policy), f"{rule.span.file}:{rule.span.line}")
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
    return table(("rule", "file", "action", "packets", "bytes"), rows, report_line(report))


def _undecided(report: CaptureReport) -> list[tuple[str, int]]:
    """What no rule was asked about, and is denied."""
    return [
        ("malformed", report.malformed),
        ("truncated", report.truncated),
        ("tiny-fragment", report.tiny_fragment),
    ]
