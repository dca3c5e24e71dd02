"""Diagnostics as screens: the source line, a caret under the exact words, what was expected.

Control characters of a source are never passed on to a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from ..errors import Diagnostic, Span
from .style import Style

WIDTH = 160  # of a source line; longer ones are shown around the caret
_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, color: bool = False) -> str:
    """All diagnostics, a blank line between them; the empty string for none.

    >>> from fwengine.errors import Diagnostic, Span
    >>> at = Span("a.fwl", 1, 1, 1, 5)
    >>> print(render([Diagnostic("FW012", "`alow` is not a statement", at, "here", "did you mean `allow`?")], {"a.fwl": "alow"}))
    error[FW012]: `alow` is not a statement
     --> a.fwl:1:1
      |
    1 | alow
      | ^^^^ here
      = help: did you mean `allow`?
    <BLANKLINE>
    """
    style = Style(color)
    lines: dict[str, list[str]] = {}
    return "\n".join(_one(d, sources, lines, style) for d in diagnostics)


def _one(d: Diagnostic, sources: Mapping[str, str], split: dict[str, list[str]], style: Style) -> str:
    color = _COLORS[d.severity]
    out = [f"{style(f'{d.severity}[{d.code}]', color, bold=True)}: {style(visible(d.message), bold=True)}"]
    marks = [(d.span, d.label, "^", color)] + [(label.span, label.text, "-", "blue") for label in d.labels]
    margin = max([len(str(span.line)) for span, *_ in marks] + [1])
    pad = " " * margin
    arrow = style("-->", "blue")
    out.append(f"{pad}{arrow} {visible(str(d.span))}")
    bar = style("|", "blue")
    drawn = False
    files = list(dict.fromkeys(span.file for span, *_ in marks))
    for file in files:
        if file not in sources:
            continue
        if file not in split:
            split[file] = sources[file].removeprefix("\ufeff").split("\n")
        if file != d.span.file:
            first = min(span.line for span, *_ in marks if span.file == file)
            out.append(f"{pad}{style(':::', 'blue')} {visible(file)}:{first}")
        out.append(f"{pad} {bar}")
        drawn = True
        last = 0
        for span, text, sign, hue in sorted(
            (m for m in marks if m[0].file == file), key=lambda m: (m[0].line, m[2] == "^")
        ):
            if not 1 <= span.line <= len(split[file]):
                continue
            source = split[file][span.line - 1]
            shown, before, length = _window(source, span)
            if span.line != last:
                if last and span.line > last + 1:
                    out.append(style("...", "blue"))
                out.append(f"{style(f'{span.line:>{margin}}', 'blue')} {bar} {shown}".rstrip())
            last = span.line
            out.append(f"{pad} {bar} {' ' * before}{style(f'{sign * length} {visible(text)}'.rstrip(), hue)}")
    if not drawn and d.label:
        out.append(f"{pad} {style('=', 'blue')} {visible(d.label)}")
    out += [f"{pad} {style('=', 'blue')} {visible(note)}" for note in d.notes]
    if d.help:
        out.append(f"{pad} {style('=', 'blue')} help: {visible(d.help)}")
    return "\n".join(out) + "\n"


def _window(source: str, span: Span) -> tuple[str, int, int]:
    """The part of a line to show, the columns before the caret, and the caret's length, all as seen on a terminal."""
    source = source.rstrip("\r")
    begin = min(span.column - 1, len(source))
    end = len(source) if span.end_line > span.line else min(span.end_column - 1, max(len(source), begin + 1))
    end = max(end, begin + 1)
    prefix = suffix = ""
    if len(source) > WIDTH:
        first = max(0, min(begin - 40, len(source) - WIDTH))
        prefix, suffix = "…" if first else "", "…" if first + WIDTH < len(source) else ""
        source, begin, end = source[first : first + WIDTH], begin - first, min(end - first, WIDTH)
    length = max(1, _columns(source[begin:end]) or (end - begin))
    return prefix + visible(source) + suffix, len(prefix) + _columns(source[:begin]), length


def visible(text: str) -> str:
    """The text with every control, invisible or reordering character made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(c) for c in text)


def _seen(c: str) -> str:
    if c == "\t":
        return " "
    if c.isprintable():
        return c
    return "\ufffd" if ord(c) < 32 or 127 <= ord(c) < 160 else f"<U+{ord(c):04X}>"


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(_width(c) for c in text)


def _width(c: str) -> int:
    if not c.isprintable() and c != "\t":
        return len(_seen(c))
    if unicodedata.combining(c):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1
