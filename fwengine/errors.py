"""Source spans, diagnostics, and the exceptions that carry them.

A diagnostic is a value: fields first, text from fields. How one is drawn on a screen is `report.screen`'s affair.
The wording follows Cedar's style guide: lower case, no final period, the user's words in backticks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Span(NamedTuple):
    """A stretch of a source text: lines and columns count from 1, in characters; `end_column` is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def to(self, other: Span) -> Span:
        """The span from the beginning of this one to the end of the other."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)


NOWHERE = Span("<none>", 1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Label:
    """A further place that a diagnostic points at, with what is to be said about it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text to put in the place of a span: what a `help` says in words, for whoever can apply it.

    `also` are edits that belong to it, elsewhere in the same file: what moves goes from one place and comes to another.
    """

    span: Span
    text: str
    also: tuple[Suggestion, ...] = ()

    def applied(self, source: str) -> str:
        """The source text with the suggestion followed.

        >>> Suggestion(Span("a.fwl", 1, 1, 1, 5), "allow").applied("alow tcp")
        'allow tcp'
        """
        return follow(source, [self])


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to tell about a source text.

    `label` stands beside the caret, `help` says what to do about it, `labels` are further places. `suggestions` are
    the ways to do it, any one of them: where there are several, a person must choose.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    help: str = ""
    severity: Severity = "error"
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    def __str__(self) -> str:
        return f"{self.span}: {self.severity}[{self.code}]: {self.message}"


def follow(source: str, suggestions: Iterable[Suggestion]) -> str:
    r"""The source text with all of some suggestions followed, which are about it and do not overlap.

    What is to stand at one place stands there in the order given. O(n log n) in the edits, linear in the text.

    Raises:
        ValueError: if two edits overlap, or lie outside the text.

    >>> follow("a\nb\n", [Suggestion(Span("f", 1, 1, 2, 1), ""), Suggestion(Span("f", 2, 2, 2, 2), "!")])
    'b!\n'
    """
    mark = source[:1] if source[:1] == "\ufeff" else ""  # not counted in columns
    starts = [len(mark)]
    for line in source[len(mark) :].split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def place(line: int, column: int) -> int:
        if not 1 <= line < len(starts) or not 1 <= column <= starts[line] - starts[line - 1]:
            raise ValueError(f"there is no line {line} with a column {column}")
        return starts[line - 1] + column - 1

    edits = []
    for suggestion in suggestions:
        for edit in (suggestion, *suggestion.also):
            span = edit.span
            edits.append((place(span.line, span.column), place(span.end_line, span.end_column), edit.text))
    out, at = [], 0
    for begin, end, text in sorted(edits, key=lambda edit: edit[:2]):
        if not at <= begin <= end:
            raise ValueError("two suggestions overlap")
        out += [source[at:begin], text]
        at = end
    return "".join([*out, source[at:]])


class FwengineError(Exception):
    """What every exception of this package is."""


@dataclass(eq=False)
class PolicyError(FwengineError):
    """A source text that does not mean a policy: all its diagnostics, and the texts they point into."""

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: Mapping[str, str] | None = None) -> None:
        self.diagnostics = tuple(diagnostics)
        self.sources = dict(sources or {})
        super().__init__(self.diagnostics, self.sources)

    def __str__(self) -> str:
        return "\n".join(f"{d}: {d.help}" if d.help else str(d) for d in self.diagnostics)


class PacketError(FwengineError, ValueError):
    """A packet that cannot exist, or a text that is not a packet: the message says what to write instead."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong in a text of the language, each with its place; empty for packets that were stated otherwise."""
        return self.__cause__.diagnostics if isinstance(self.__cause__, PolicyError) else ()


class UndecodableError(PacketError):
    """Bytes that are not a packet: `kind` is "malformed", "truncated", "tiny-fragment" or "not-ip"; all but the last are denied.

    Of a truncated packet, `known` are the packets that it may be, as one set a field, or None where nothing is known.
    """

    def __init__(self, kind: str, message: str, known: tuple[Any, ...] | None = None) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.known = known

    def __str__(self) -> str:
        return f"{self.kind}: {self.args[1]}"


class CaptureError(FwengineError):
    """A capture file that cannot be read (any further): a code of the `FW9xx` family, the file and what is wrong."""

    def __init__(self, code: str, file: str, message: str, packets: int = 0) -> None:
        super().__init__(code, file, message, packets)
        self.code, self.file, self.message, self.packets = code, file, message, packets

    def __str__(self) -> str:
        return f"{self.file}: error[{self.code}]: {self.message}"


class MissingExtraError(FwengineError, ImportError):
    """A package that belongs to an extra is not installed: what needs it, and what to install."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(what, package, extra)
        self.what, self.package, self.extra = what, package, extra

    def __str__(self) -> str:
        return f"{self.what} needs `{self.package}`: pip install 'fwengine[{self.extra}]'"


class LimitError(FwengineError):
    """A limit was reached: the answer is unknown. The message says which one; `limit` is its name in `Limits`, if it has one."""

    def __init__(self, message: str, limit: str = "") -> None:
        super().__init__(message, limit)
        self.limit = limit

    def __str__(self) -> str:
        return str(self.args[0])
