"""Names: where one is given and used, across the files that are read; what renames it; the outline of a file."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from ..errors import Span
from ..language.meaning.literals import is_name
from ..language.meaning.names import Mention
from ..language.meaning.scope import RESERVED
from ..language.syntax import ast
from ..language.syntax.printer import show
from .located import holds
from .opened import Opened


@dataclass(frozen=True)
class Symbol:
    """A line of the outline: a definition, a rule, an expectation, an include."""

    name: str
    detail: str
    kind: str  # net, ports, service, interface, rule, expect, include, default
    span: Span
    name_span: Span


def mention_at(opened: Opened, line: int, column: int) -> Mention | None:
    """The name under a cursor."""
    if opened.policy is None:
        return None
    here = opened.policy.names.around(opened.file, line)
    return next((mention for mention in here if holds(mention.span, line, column)), None)


def included_at(opened: Opened, line: int, column: int) -> str | None:
    """The file that the cursor's include names."""
    piece = opened.piece_at(line)
    if piece is None or not piece.text.lstrip().startswith("include"):
        return None
    from ..language.syntax.parser import read

    document, _, _ = read(piece.text, opened.file)
    for statement in document.statements:
        if isinstance(statement.content, ast.Include):
            folder = posixpath.dirname(opened.file)
            return posixpath.normpath(posixpath.join(folder, statement.content.path.text))
    return None


def definitions(opened: Opened, mention: Mention) -> tuple[Span, ...]:
    """Where a name is given."""
    assert opened.policy is not None
    found = opened.policy.names.of(mention.name, mention.kind)
    given = tuple(m.span for m in found if m.defines)
    if given or mention.kind != "rule":
        return given
    # a rule without a name, called by its place
    return tuple(rule.span for rule in opened.policy.rules if rule.label == mention.name)


def places(opened: Opened, mention: Mention, *, also_given: bool = True) -> tuple[Span, ...]:
    """Where a name stands, in all files that were read."""
    assert opened.policy is not None
    return tuple(m.span for m in opened.policy.names.of(mention.name, mention.kind) if also_given or not m.defines)


def unfit(opened: Opened, mention: Mention, new: str) -> str | None:
    """Why a name cannot be given instead; None if it can."""
    assert opened.policy is not None
    if new in RESERVED or not is_name(new):
        what = "a word of the language" if new in RESERVED else "not a name"
        return f"`{new}` is {what}: a name is a letter, then letters, digits, `_`, `-`, `.`"
    rules = {rule.label for rule in opened.policy.rules}
    taken = rules if mention.kind == "rule" else set(opened.policy.names.defined)
    return f"`{new}` is taken" if new in taken and new != mention.name else None


def symbols(opened: Opened) -> tuple[Symbol, ...]:
    """The outline of the file, in its order."""
    if opened.foreign:
        seen: dict[Span, Symbol] = {}
        for policy in opened.policies:
            for rule in policy.rules:
                if rule.span.file == opened.file:
                    seen.setdefault(rule.span, Symbol(rule.label, str(rule.action), "rule", rule.span, rule.span))
        return tuple(sorted(seen.values(), key=lambda symbol: symbol.span))
    out = []
    for statement in opened.statements:
        if statement.span.file == opened.file:
            out.append(_symbol(statement))
    return tuple(sorted(out, key=lambda symbol: symbol.span))


def _symbol(statement: ast.Statement) -> Symbol:
    content, span = statement.content, statement.span
    line = span.line
    if isinstance(content, ast.Definition):
        at = ast.span_of(content.name.at, span.file, line)
        return Symbol(content.name.text, f"{content.kind} = {_brief(show(content.value))}", content.kind, span, at)
    if isinstance(content, ast.Rule):
        named = next((o.value for o in content.match.options if o.name == "as"), None)
        if isinstance(named, ast.Word):
            return Symbol(named.text, _brief(_said(statement)), "rule", span, ast.span_of(named.at, span.file, line))
        return Symbol(_brief(_said(statement)), "", "rule", span, span)
    kind = {ast.Expect: "expect", ast.Include: "include"}.get(type(content), "default")
    return Symbol(_brief(_said(statement)), "", kind, span, span)


def _said(statement: ast.Statement) -> str:
    from ..language.syntax.printer import show_statement

    return " ".join(show_statement(statement).split())


def _brief(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
