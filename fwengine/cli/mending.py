"""`check --fix`: files mended in place, or a preview of that."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from posixpath import normpath
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import LimitError, PolicyError
from .failure import Failures, complain

if TYPE_CHECKING:
    from ..fix import Fixed
    from ..report.mended import Mended, MendedFile
    from ..report.suppressed import Use
    from ..sources.configuration import Configuration


class _Look(NamedTuple):
    files: frozenset[str]
    used: frozenset[Use]


class Mending:
    """What all files of a run are mended by: the codes, the day and the interfaces that there are."""

    def __init__(self, codes: frozenset[str], as_of: datetime.date, config: Configuration, failures: Failures) -> None:
        self.codes, self.as_of, self.interfaces, self.failures = codes, as_of, config.interfaces, failures

    def write(self, paths: Sequence[str]) -> None:
        """Mends the files that can be read; the others have their errors told when they are checked."""
        from ..sources.writing import replace

        for path, before, fixed in self._fixed(paths, told=False):
            assert fixed.text is not None
            try:
                replace(path, fixed.text)
            except PolicyError as error:
                self.failures.tell(error)
            else:
                complain(f"{path}: {_mended(path, before, fixed).told}; proved: no verdict changes")

    def preview(self, paths: Sequence[str]) -> Mended:
        """What would be written; nothing is."""
        from ..report.mended import Mended

        files = []
        for path, before, fixed in self._fixed(paths, told=True):
            files.append(_mended(path, before, fixed))
            complain(f"{path}: would be mended: {files[-1].told}; proved: no verdict changes")
        return Mended(tuple(files))

    def _fixed(self, paths: Sequence[str], *, told: bool) -> Any:
        """Each file that there is something to mend in, with its text and the mended one; `told`: errors are told here."""
        looks = {path: self._look(path) for path in paths}
        for path in paths:
            others = [look for other, look in looks.items() if normpath(other) != normpath(path)]
            used = frozenset(use for look in others for use in look.used)
            try:
                found = self._one(path, used, included=any(normpath(path) in look.files for look in others))
            except (PolicyError, LimitError) as error:
                if told:
                    self.failures.tell(error)
                continue
            if found is not None:
                yield path, *found

    def _look(self, path: str) -> _Look:
        """What a policy of the run is made of, and the suppressions that it needs."""
        from ..policy import load
        from ..report.findings import examine

        try:
            policy = load(path, as_of=self.as_of, interfaces=self.interfaces)
        except PolicyError as error:  # told of when the file is mended or checked
            return _Look(frozenset(map(normpath, error.sources)), frozenset())
        files = frozenset(map(normpath, policy.sources))
        if not any("fwengine" in text.lower() for text in policy.sources.values()):  # then there is no suppression
            return _Look(files, frozenset())
        try:
            return _Look(files, examine(policy, self.codes).used)
        except LimitError:
            return _Look(files, frozenset())

    def _one(self, path: str, used: Collection[Use], *, included: bool) -> tuple[str, Fixed] | None:
        from ..fix import fix
        from ..policy import load_all, loads

        policy, *_ = load_all(path, as_of=self.as_of, interfaces=self.interfaces)
        if policy.imported is not None:
            raise click.UsageError(f"`--fix` rewrites `.fwl` files, and the rules of `{path}` are of another firewall")

        def reload(text: str) -> Any:
            return loads(text, file=path, as_of=policy.as_of, interfaces=self.interfaces)

        fixed = fix(policy, policy.sources[path], reload, self.codes, used, included=included)
        return None if fixed.text is None else (policy.sources[path], fixed)


def _mended(path: str, before: str, fixed: Fixed) -> MendedFile:
    from ..report.mended import MendedFile, edits_of
    from ..report.record import Place
    from ..report.screen import visible
    from ..report.suppressed import ABOUT_COMMENTS
    from ..report.unified import unified

    assert fixed.text is not None
    suppressions = sum(finding.code in ABOUT_COMMENTS for finding in fixed.settled)
    statements = sum(finding.remark is None for finding in fixed.settled)
    sets = len(fixed.settled) - statements - suppressions
    diff = unified(before, fixed.text, visible(path))
    return MendedFile(Place(path), statements, sets, suppressions, diff, edits_of(before, fixed.text, path))
