"""Diagnostics as screens: the source line, a caret under the exact words, what was expected.

Control characters of a source are never passed on to a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from ..errors import Diagnostic, Span
from .fit import wrapped
from .style import Style

WIDTH: Final = 160  # of a source line where nothing else is said; longer ones are shown around the caret
_BESIDE: Final = 30  # columns that are room enough for words beside a caret
_BEFORE: Final = 40  # columns that are shown before a caret, if there are so many
_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


def render(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, color: bool = False, width: int | None = None
) -> str:
    """All diagnostics, a blank line between them; the empty string for none. Without a `width` messages are not broken.

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
    return "\n".join(_one(d, sources, lines, style, width) for d in diagnostics)


def _one(
    d: Diagnostic, sources: Mapping[str, str], split: dict[str, list[str]], style: Style, width: int | None
) -> str:
    color = _COLORS[d.severity]
    out = list(_headed(f"{d.severity}[{d.code}]", visible(d.message), style, color, width))
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
            shown, before, length = _window(source, span, WIDTH if width is None else width - margin - len(" | "))
            if span.line != last:
                if last and span.line > last + 1:
                    out.append(style("...", "blue"))
                out.append(f"{style(f'{span.line:>{margin}}', 'blue')} {bar} {shown}".rstrip())
            last = span.line
            told = _marked(sign * length, visible(text), before, None if width is None else width - margin - len(" | "))
            out += [f"{pad} {bar} {blanks}{style(marked, hue)}" for blanks, marked in told]
    told_below = [d.label] * (not drawn and bool(d.label)) + [*d.notes] + [f"help: {d.help}"] * bool(d.help)
    for words in map(visible, told_below):
        begun, *more = [words] if width is None else wrapped(words, width - margin - len(" = "))
        out.append(f"{pad} {style('=', 'blue')} {begun}")
        out += [f"{pad}   {line}" for line in more]
    return "\n".join(out) + "\n"


def _headed(code: str, message: str, style: Style, color: str, width: int | None) -> Iterator[str]:
    """The code and the message."""
    head = f"{code}: "
    first, *more = [head + message] if width is None else wrapped(message, width, head, "    ")
    yield f"{style(code, color, bold=True)}: {style(first[len(head) :], bold=True)}"
    yield from (f"    {style(line.strip(), bold=True)}" for line in more)


def _marked(carets: str, label: str, before: int, room: int | None) -> Iterator[tuple[str, str]]:
    """Carets and what is said of them, beside or, if there is little room, below: blanks and words, line by line."""
    beside = before + len(carets) + 1
    if room is None or beside + len(label) <= room:
        yield " " * before, f"{carets} {label}".rstrip()
    elif room - beside >= _BESIDE:
        first, *more = wrapped(label, room - beside)
        yield " " * before, f"{carets} {first}"
        yield from ((" " * beside, line) for line in more)
    else:
        margin = min(before, max(room // 2, room - len(label)))
        yield " " * before, carets
        yield from ((" " * margin, line) for line in wrapped(label, room - margin))


def _window(source: str, span: Span, room: int) -> tuple[str, int, int]:
    """The part of a line to show, the columns before the caret, and the caret's length, all as seen on a terminal."""
    source = source.rstrip("\r")
    begin = min(span.column - 1, len(source))
    end = len(source) if span.end_line > span.line else min(span.end_column - 1, max(len(source), begin + 1))
    end = max(end, begin + 1)
    first, last = _around(source, begin, min(end, len(source)), room)
    prefix, suffix = "…" * (first > 0), "…" * (last < len(source))
    part, begin, end = source[first:last], begin - first, min(end, max(last, begin + 1)) - first
    length = max(1, _columns(part[begin:end]) or (end - begin))
    return prefix + visible(part) + suffix, len(prefix) + _columns(part[:begin]), length


def _around(source: str, begin: int, end: int, room: int) -> tuple[int, int]:
    """Which part of a line is shown: all of it if there is room, else what is marked, as far as it goes, and what stands around it."""
    start = max(0, begin - room)
    near = source[start : begin + room + 1]  # no character is looked at that cannot be shown
    sums = [0, *accumulate(map(_width, near))]
    if len(near) == len(source) and sums[-1] + (begin == len(source)) <= room:  # a caret behind the end takes a column
        return 0, len(source)
    room -= 2  # for what says that there is more
    begin, end = begin - start, min(end - start, len(near))
    first = last = begin
    while last < end and sums[last + 1] - sums[begin] <= room:
        last += 1
    while first > 0 and sums[last] - sums[first - 1] <= room and sums[begin] - sums[first - 1] <= _BEFORE:
        first -= 1
    while last < len(near) and sums[last + 1] - sums[first] <= room:
        last += 1
    while first > 0 and sums[last] - sums[first - 1] <= room:
        first -= 1
    return start + first, start + last


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
