"""Syntax tree -> canonical text: one form for each thing, comments kept; `parse(show(tree)) == tree`.

Definitions that stand in neighbouring lines are aligned, actions are padded to the same width, options stand in one
order, blank lines are kept but never two. A set that would make its line too long is filled over several lines; one
that holds comments has an element on each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import singledispatch

from .ast import (
    OPTIONS,
    Asked,
    Blank,
    Compare,
    Default,
    Definition,
    Document,
    Except,
    Expect,
    Expr,
    Include,
    Match,
    Not,
    Option,
    Rule,
    Set,
    Statement,
    String,
    Word,
    WrittenPacket,
)

WIDTH = 100
_INDENT = "    "
_SPECIAL = re.compile(r'["\\]|[^ -~]')


def show_document(document: Document) -> str:
    """The canonical text of a file; the empty string for one without a line.

    >>> from fwengine.language.syntax.parser import parse
    >>> print(show_document(parse("net a={10.0.0.0/8,}  # inner\\ndeny any   from a as x")), end="")
    net     a = { 10.0.0.0/8 }  # inner
    deny  any from a as x
    """
    out: list[str] = []
    lines = document.lines
    blank = True  # no blank line at the top
    for i, line in enumerate(lines):
        if isinstance(line, Blank):
            if line.comment:
                out.append(line.comment)
            elif not blank:
                out.append("")
            blank = not line.comment
        else:
            text = show_statement(line, *_widths(lines, i))
            out.append(f"{text}  {line.comment}" if line.comment else text)
            blank = False
    while out and not out[-1]:
        out.pop()
    return "".join(f"{line}\n" for line in out)


def _widths(lines: Sequence[Statement | Blank], at: int) -> tuple[int, int]:
    """The longest keyword (at least `service`) and name in the block of definitions around a line; 0 outside one."""
    if _name_of(lines[at]) is None:
        return 0, 0
    first = last = at
    while first > 0 and _name_of(lines[first - 1]) is not None:
        first -= 1
        if at - first > 50:  # a long list of definitions is aligned by neighbourhood, in bounded time
            break
    while last + 1 < len(lines) and _name_of(lines[last + 1]) is not None:
        last += 1
        if last - at > 50:
            break
    block = [line.content for line in lines[first : last + 1] if isinstance(line, Statement)]
    definitions = [content for content in block if isinstance(content, Definition)]
    return max(7, *(len(d.kind) for d in definitions)), max(len(d.name.text) for d in definitions)


def _name_of(line: Statement | Blank) -> str | None:
    if isinstance(line, Statement) and isinstance(line.content, Definition):
        return line.content.name.text
    return None


def show_statement(statement: Statement, kinds_width: int = 7, names_width: int = 0) -> str:
    """One statement without its trailing comment; several lines where a set is long or holds comments."""
    c = statement.content
    if isinstance(c, Rule):
        return f"{c.action:<5} {_match(c.match, _noted)}"
    if isinstance(c, Definition):
        head = f"{c.kind:<{kinds_width}} {c.name.text:<{names_width}} = "
        text = head + _noted(c.value)
        return text if len(text) <= WIDTH or "\n" in text else head + _filled(c.value, len(head))
    if isinstance(c, Default):
        return f"default {c.action}"
    if isinstance(c, Include):
        return f"include {show(c.path)}" + (f" from {show(c.policy)}" if c.policy is not None else "")
    return _show_expect(c)


def _show_expect(c: Expect) -> str:
    subject = _packet(c.subject, _noted) if isinstance(c.subject, WrittenPacket) else _asked(c.subject, _noted)
    by = f" by {show(c.by)}" if c.by else ""
    return f"expect {c.action:<5} {subject}{by}"


def show_match(match: Match | Asked) -> str:
    """A region: protocol, `from`, `to`, options, or several such parts; on one line, without comments."""
    return _asked(match, show)


def _asked(asked: Match | Asked, one: Callable[[Expr], str]) -> str:
    if isinstance(asked, Match):
        return _match(asked, one)
    parts = [" or ".join(_match(match, one) for match in some) for some in (asked.included, asked.excluded)]
    return " unless ".join(part for part in parts if part)


def show_packet(packet: WrittenPacket) -> str:
    return _packet(packet, show)


def _match(match: Match, one: Callable[[Expr], str]) -> str:
    words = [one(match.protocol)]
    for keyword, end in (("from", match.source), ("to", match.target)):
        if end is not None:
            words += [keyword, one(end.addresses)]
            if end.ports is not None:
                words += ["port", one(end.ports)]
    return " ".join(words + _options(match.options, one))


def _packet(packet: WrittenPacket, one: Callable[[Expr], str]) -> str:
    words = [packet.protocol.text, packet.source.text, "->", packet.target.text]
    return " ".join(words + _options(packet.options, one))


def _options(options: tuple[Option, ...], one: Callable[[Expr], str]) -> list[str]:
    ordered = sorted(options, key=lambda o: OPTIONS.index(o.name))
    return [o.name if o.value is None else f"{o.name} {one(o.value)}" for o in ordered]


@singledispatch
def show(expr: Expr) -> str:
    """An expression on one line, without comments."""
    raise AssertionError(f"no expression: {expr!r}")


@show.register
def _(expr: Word) -> str:
    return expr.text


@show.register
def _(expr: String) -> str:
    return '"' + _SPECIAL.sub(_escaped, expr.text) + '"'


def _escaped(match: re.Match[str]) -> str:
    c = match.group()
    if c in '"\\':
        return "\\" + c
    return (
        c if c.isprintable() and c != "\ufffd" else f"\\u{{{ord(c):x}}}"
    )  # what cannot be seen, or not be told, would be refused


@show.register
def _(expr: Compare) -> str:
    return f"{expr.operator} {expr.word.text}"


@show.register
def _(expr: Not) -> str:
    return f"not {show(expr.term)}"


@show.register
def _(expr: Except) -> str:
    return " except ".join([show(expr.base), *map(show, expr.excluded)])


@show.register
def _(expr: Set) -> str:
    return "{ " + ", ".join(map(show, expr.items)) + " }" if expr.items else "{ }"


def _noted(expr: Expr) -> str:
    """An expression with its comments; several lines where a set holds some."""
    if isinstance(expr, Not):
        return f"not {_noted(expr.term)}"
    if isinstance(expr, Except):
        return " except ".join([_noted(expr.base), *map(_noted, expr.excluded)])
    if not isinstance(expr, Set):
        return show(expr)
    items = [_noted(item) for item in expr.items]
    if not expr.comments:
        return "{ " + ", ".join(items) + " }" if items else "{ }"
    lines = ["{"]
    comments = list(reversed(expr.comments))
    for i in range(len(items) + 1):
        while comments and comments[-1].before == i:
            comment = comments.pop()
            if comment.alone:
                lines.append(_INDENT + comment.text)
            else:
                lines[-1] += f"  {comment.text}"
        if i < len(items):
            lines.append(_INDENT + items[i].replace("\n", "\n" + _INDENT) + ",")
    return "\n".join([*lines, "}"])


def _filled(expr: Expr, column: int) -> str:
    """A long set over several lines, as many elements on each as fit."""
    if isinstance(expr, Except):
        parts = [_filled(e, column) for e in (expr.base, *expr.excluded)]
        return " except ".join(parts)
    if not isinstance(expr, Set) or len(show(expr)) + column <= WIDTH:
        return show(expr)
    lines = [_INDENT]
    for item in expr.items:
        text = show(item) + ","
        if len(lines[-1]) + 1 + len(text) > WIDTH and lines[-1].strip():
            lines.append(_INDENT)
        lines[-1] += text if lines[-1] == _INDENT else " " + text
    return "\n".join(["{", *lines, "}"])
