"""What went wrong, as a record: commands raise, and here each failure becomes one value, which every format carries.

Knows the exceptions of the package, and nothing of forms (`report.render`) or streams (`cli`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from ..codes import CONFIGURATION, LIMIT, NO_BASELINE, NOT_A_PACKET, USAGE
from ..errors import (
    CaptureError,
    Diagnostic,
    FwengineError,
    Label,
    LimitError,
    MissingExtraError,
    PacketError,
    PolicyError,
    Span,
    Suggestion,
)
from .record import Edit, FailureRecord, Place, Related

Kind = Literal["usage", "file", "policy", "question", "capture", "limit", "nothing"]


_FILES: Final = frozenset({"FW001", "FW021", "FW905", NO_BASELINE, CONFIGURATION})
_QUESTIONS: Final = frozenset({"<region>", "<packet>"})


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that kept a command from its answer, or that keeps the answer from being a success.

    Attributes:
        kind: what it is about. `file`: one that cannot be read or written; `policy`: a text that does not compile;
            `question`: a packet, claim or region that is none; `nothing`: an answer about nothing.
        code: as `fwengine explain` has it.
        file: what it is in, if it is in something that has a name.
        span: the place in it, if it has one.
    """

    kind: Kind
    code: str
    message: str
    file: str | None = None
    span: Span | None = None
    label: str = ""
    help: str = ""
    notes: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def record(self) -> FailureRecord:
        """The failure as answers carry it."""
        place = Place.of(self.span) if self.span else Place(self.file) if self.file is not None else None
        edits = tuple(map(Edit.of, self.suggestions))
        related = tuple(map(Related.of, self.labels))
        return FailureRecord(
            self.kind, self.code, "error", self.message, place, self.label, self.help, self.notes, related, edits
        )

    @property
    def told(self) -> tuple[str, ...]:
        """All that it says, part by part."""
        return tuple(part for part in (self.message, self.label, *self.notes, self.help) if part)

    def __str__(self) -> str:
        """One line: `edge.fwl: error[FW501]: no rule: ...`."""
        where = f"{self.span}: " if self.span else f"{self.file}: " if self.file else ""
        help = f" ({self.help})" if self.help else ""
        return f"{where}error[{self.code}]: {self.message}{help}"


def failures(error: FwengineError) -> tuple[Failure, ...]:
    """What an exception of the package tells of: a policy's text may have several errors.

    >>> [(f.kind, f.code) for f in failures(LimitError("unknown: limit reached"))]
    [('limit', 'FW512')]
    """
    if isinstance(error, PolicyError):
        return tuple(map(_of_diagnostic, error.diagnostics))
    if isinstance(error, PacketError):
        cause = error.__cause__
        if isinstance(cause, PolicyError):
            return tuple(replace(_of_diagnostic(d), kind="question") for d in cause.diagnostics)
        return (Failure("question", NOT_A_PACKET, str(error)),)
    if isinstance(error, CaptureError):
        return (Failure("file" if error.code in _FILES else "capture", error.code, error.message, error.file),)
    if isinstance(error, MissingExtraError):
        return (Failure("usage", USAGE, str(error)),)
    if isinstance(error, LimitError):
        return (Failure("limit", LIMIT, str(error)),)
    raise error


def _of_diagnostic(d: Diagnostic) -> Failure:
    kind: Kind = "file" if d.code in _FILES else "question" if d.span.file in _QUESTIONS else "policy"
    return Failure(kind, d.code, d.message, d.span.file, d.span, d.label, d.help, d.notes, d.labels, d.suggestions)
