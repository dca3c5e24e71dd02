"""A text under an editor's hands -> what it means, as far as it means something: mistakes in one line silence no other."""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..analysis.finding import Finding
from ..codes import LIMIT
from ..errors import Diagnostic, LimitError, PolicyError, Span
from ..language.meaning.kept import Kept
from ..language.meaning.lower import lower
from ..language.syntax import ast
from ..language.syntax.declaring import declarations
from ..language.syntax.edited import Edited
from ..language.syntax.statements import Piece
from ..policy import Policy, load_all
from ..report.findings import Examined, examine, to_diagnostics
from ..sources.foreign import is_foreign
from ..sources.gathering import Parsed, gather
from ..sources.source import ENDING, Source

_EARLIER = frozenset({"FW201", "FW202", "FW204"})  # what is true of a rule whatever stands behind it


class Memory:
    """What is known of one document from the last time that it was read. Of use to one reading at a time."""

    def __init__(self) -> None:
        self.files: dict[str, Edited] = {}
        self.kept = Kept()
        self._read: set[str] = set()

    def parsed(self, text: str, file: str) -> Parsed:
        self._read.add(file)
        return self.files.setdefault(file, Edited(file)).read(text)

    def forget(self) -> None:
        """Drops the files that were not met in this reading."""
        self.files = {name: edited for name, edited in self.files.items() if name in self._read}
        self._read = set()


@dataclass(frozen=True)
class Opened:
    """What an open text means.

    Attributes:
        file: its name, which spans have.
        texts: it and what it includes, by name.
        errors: what is wrong, of all the files.
        statements: of the language, includes in their places; empty for another firewall's text.
        policies: one; of another firewall's text each chain or list; none if nothing could be made of it.
        sure: how many rules stand before the first that has no meaning: what is said of them is true of the whole.
        pieces: the statements of the file by themselves, also those that cannot be parsed, and the lines between them.
    """

    file: str
    texts: Mapping[str, str]
    errors: tuple[Diagnostic, ...]
    statements: tuple[ast.Statement, ...] = ()
    policies: tuple[Policy, ...] = ()
    sure: int = 0
    foreign: bool = False
    pieces: tuple[Piece, ...] = field(default=(), repr=False)

    @property
    def policy(self) -> Policy | None:
        return self.policies[0] if self.policies else None

    @property
    def text(self) -> str:
        return self.texts.get(self.file, "")

    def piece_at(self, line: int) -> Piece | None:
        """The statement that stands on a line."""
        at = bisect_right(self.pieces, line, key=lambda piece: piece.line) - 1
        piece = self.pieces[at] if at >= 0 else None
        found = piece is not None and piece.text and line <= piece.line + piece.text.count("\n")
        return piece if found else None

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines of the file, as the language counts them."""
        return tuple(self.text.removeprefix("\ufeff").split("\n"))

    def rules_at(self, line: int) -> list[tuple[Policy, int]]:
        """The rules that stand on a line of the file; of another firewall's line each of its copies."""
        return [
            (policy, index)
            for policy in self.policies
            for index, rule in enumerate(policy.rules)
            if rule.span.file == self.file and rule.span.line <= line <= rule.span.end_line
        ]

    def findings(self, codes: Sequence[str] | None = None) -> tuple[Diagnostic, ...]:
        """What `check` finds. Where something has no meaning, what is true all the same: of rules before the first such line.

        Where that is more than may be looked for, a diagnostic says so at the top of the file.
        """
        found: list[Diagnostic] = []
        for policy in self.policies:
            if not self.errors:
                examined = _examined(policy, codes)
            elif self.foreign or not self.sure:
                continue
            else:
                some = _EARLIER if codes is None else _EARLIER & set(codes)
                examined = _examined(replace(policy, rules=policy.rules[: self.sure]), sorted(some))
            if isinstance(examined, Diagnostic):
                found.append(examined)
                continue
            told: Sequence[Finding] = examined.told()
            if self.errors:
                told = [f for f in told if f.rule is not None]
            found += to_diagnostics(examined.policy, told)
        return tuple(dict.fromkeys(d for d in found if d.span.file == self.file))


def _examined(policy: Policy, codes: Sequence[str] | None) -> Examined | Diagnostic:
    try:
        return examine(policy, codes)
    except LimitError as error:
        at = Span(next(iter(policy.sources), policy.name), 1, 1, 1, 2)
        return Diagnostic(LIMIT, f"not everything could be looked for: {error}", at, severity="info")


def open_text(
    file: str,
    read: Callable[[str], bytes],
    *,
    interfaces: Sequence[str] = (),
    as_of: datetime.date | None = None,
    memory: Memory | None = None,
) -> Opened:
    """What a text means; `read` has the bytes of a file by name, those that are open in the editor as they stand there.

    Args:
        memory: of the last time that it was read: only what has changed is read again then, with the same answer.

    >>> found = open_text("a.fwl", lambda name: b"alow tcp\\nallow udp from any to 192.0.2.1 port dns")
    >>> [d.code for d in found.errors], len(found.policies), found.sure
    (['FW012', 'FW112'], 1, 0)
    """
    try:
        text = read(file).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    if not file.endswith(ENDING) and is_foreign(text):
        return _foreign(file, text, as_of)
    return _own(file, read, interfaces, as_of, memory or Memory())


def _foreign(file: str, text: str, as_of: datetime.date | None) -> Opened:
    data = text.encode("utf-8", "surrogatepass")
    try:
        policies = load_all(Source(file, lambda name: data), as_of=as_of)
    except PolicyError as error:
        return Opened(file, {file: text}, error.diagnostics, foreign=True)
    except LimitError as error:
        return Opened(file, {file: text}, (Diagnostic(LIMIT, str(error), Span(file, 1, 1, 1, 2)),), foreign=True)
    return Opened(file, {file: text}, (), (), policies, foreign=True)


def _own(
    file: str,
    read: Callable[[str], bytes],
    interfaces: Sequence[str],
    as_of: datetime.date | None,
    memory: Memory,
) -> Opened:
    found = gather(Source(file, read), memory.parsed)
    pieces = memory.files[file].pieces if file in memory.files else ()
    memory.forget()
    if found.foreign:  # expectations about another firewall's policy: all of it, or what is wrong
        try:
            policies = load_all(Source(file, read), as_of=as_of)
        except (PolicyError, LimitError) as error:
            at = Diagnostic(LIMIT, str(error), Span(file, 1, 1, 1, 2))
            errors = error.diagnostics if isinstance(error, PolicyError) else (at,)
            return Opened(file, found.texts, errors, found.statements, pieces=pieces)
        return Opened(file, found.texts, (), found.statements, policies, len(policies[0].rules), pieces=pieces)
    statements = (*declarations(interfaces, found.statements), *found.statements)
    try:
        lowered = lower(statements, sources=found.texts, spoilt=found.missing, errors=found.errors, kept=memory.kept)
    except LimitError as error:
        errors = (*found.errors, Diagnostic(LIMIT, str(error), Span(file, 1, 1, 1, 2)))
        return Opened(file, found.texts, errors, found.statements, pieces=pieces)
    policy = Policy(
        lowered.rules,
        lowered.default,
        as_of or datetime.date.today(),
        file,
        lowered.expectations,
        lowered.definitions,
        found.texts,
        lowered.names,
        lowered.remarks,
    )
    sure = _sure(file, statements, policy, found.errors)
    return Opened(file, found.texts, lowered.diagnostics, statements, (policy,), sure, pieces=pieces)


def _sure(file: str, statements: Sequence[ast.Statement], policy: Policy, errors: Sequence[Diagnostic]) -> int:
    """How many rules stand before the first that has no meaning."""
    made = {rule.span for rule in policy.rules}
    first = next((s.span for s in statements if isinstance(s.content, ast.Rule) and s.span not in made), None)
    if any(error.span.file != file for error in errors):
        return 0  # something in a file that is included: what follows where is not known
    lines = [error.span.line for error in errors] + ([first.line] if first is not None and first.file == file else [])
    if not lines and first is None:
        return len(policy.rules)
    if first is not None and first.file != file:
        return 0
    before = min(lines)
    count = 0
    for rule in policy.rules:
        if rule.span.file == file and rule.span.line >= before:
            break
        count += 1
    return count
