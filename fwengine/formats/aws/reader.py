"""JSON of AWS's command line, or of terraform -> a document."""

from __future__ import annotations

from dataclasses import replace

from ...errors import Diagnostic, PolicyError, Span
from ..document import Document
from ..placed import Members, NotJsonError, Placed
from .describe import Describe
from .lists import document, names_of
from .plan import Plan
from .terraform import Side
from .words import RefusedError

MAX_ERRORS = 100
_TERRAFORM = ("terraform_version", "resource_changes", "planned_values", "prior_state", "format_version")
_JSON = (
    "save JSON: `aws ec2 describe-network-acls` or `describe-security-groups` with `--output json`, "
    "or `terraform show -json`"
)
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
        if isinstance(placed.root, Members) and any(key in placed.root for key in _TERRAFORM):
            return self._planned(placed)
        found = Describe(placed, self._failed)
        if not found.lists and not self.errors:
            raise RefusedError(placed.span((0, 1)), "there is no network ACL and no security group", _JSON, "FW407")
        return document(found.lists.values(), found.interfaces, found.remarks)

    def _planned(self, placed: Placed) -> Document:
        plan = Plan(placed)
        was = None if plan.before is None else Side(plan, plan.before, self._failed)
        now = Side(plan, plan.after, self._failed, was)
        if not now.lists and not (was and was.lists) and not self.errors:
            text = "there is no network ACL and no security group among the resources"
            raise RefusedError(placed.span((0, 1)), text, "nothing is filtered by what it changes", "FW407")
        if was is None:
            return document(now.lists.values(), (), now.remarks)
        sides = []
        for one, other in ((was, now), (now, was)):
            absent = frozenset(other.lists) - frozenset(one.lists)
            lists = [*one.lists.values(), *(other.counterpart(name) for name in other.lists if name in absent)]
            made = document(lists, (), one.remarks)
            sides.append(replace(made, absent=names_of(absent - other.strangers)))
        return replace(sides[1], before=sides[0])

    def _failed(self, error: RefusedError) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(Diagnostic(error.code, error.message, error.span, help=error.help))
