"""JSON of AWS's command line, or of terraform -> a document."""

from __future__ import annotations

from ...errors import Diagnostic, PolicyError, Span
from ..document import Document
from ..placed import NotJsonError, Placed
from .describe import Describe
from .lists import document
from .words import RefusedError

MAX_ERRORS = 100
_JSON = "save JSON: `aws ec2 describe-network-acls --output json` or `aws ec2 describe-security-groups --output json`"
_CUT = "save it again, as JSON and whole; answers of several commands are merged by `jq -s add`"


def read(text: str, file: str) -> Document:
    """The document in a text.

    Raises:
        PolicyError: with every error, each with its line and column.
    """
    return _Reader(text, file).read()


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.errors: list[Diagnostic] = []

    def read(self) -> Document:
        try:
            found = self._document()
        except NotJsonError as error:
            self._failed(RefusedError(error.span, f"this is not JSON: {error.message}", _CUT, "FW406"))
        except RefusedError as error:
            self._failed(error)
        if self.errors:
            raise PolicyError(sorted(self.errors, key=lambda d: (d.span.line, d.span.column)), {self.file: self.text})
        return found

    def _document(self) -> Document:
        if self.text.lstrip()[:1] not in ("{", "["):
            raise RefusedError(Span(self.file, 1, 1, 1, 1), "this is not JSON", _JSON, "FW401")
        placed = Placed(self.text, self.file)
        found = Describe(placed, self._failed)
        if not found.lists and not self.errors:
            raise RefusedError(placed.span((0, 1)), "there is no network ACL and no security group", _JSON, "FW407")
        return document(found.lists.values(), found.interfaces, found.remarks)

    def _failed(self, error: RefusedError) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(Diagnostic(error.code, error.message, error.span, help=error.help))
