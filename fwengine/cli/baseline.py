"""`check --baseline` and `--write-baseline`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

from ..errors import PolicyError
from .failure import Failures
from .output import note

if TYPE_CHECKING:
    from ..report.baseline import Baseline, Entry
    from ..report.finding_record import BaselineRecord
    from ..report.findings import Examined
    from ..sources.configuration import Configuration


def known_findings(given: str | None, write: str | None, config: Configuration) -> Baseline | None:
    """The baseline that a run is compared with, or the one that it is to write; None if it has neither.

    Raises:
        UsageError: if it is to do both.
        PolicyError: if the baseline cannot be read.
    """
    if given is not None and write is not None:
        raise click.UsageError("`--baseline` and `--write-baseline` exclude each other")
    file = given or config.baseline
    if write is None and file is None:
        return None
    from ..report.baseline import Everything, load_baseline  # late: most runs have none

    return Everything(write) if write is not None else load_baseline(file or "")


def baseline_told(
    known: Baseline, checked: Sequence[Examined | PolicyError], codes: Collection[str], failures: Failures
) -> list[Entry]:
    """At the end of a run: writes the baseline, if nothing went wrong, or tells what of it was not found any more."""
    from ..report.baseline import Everything

    wrong = any(isinstance(one, PolicyError) for one in checked)
    if isinstance(known, Everything):
        if wrong or failures:
            note(f"{known.file} is not written: not everything could be checked")
            return []
        try:
            count = known.write()
        except PolicyError as error:
            failures.tell(error)
        else:
            note(f"{known.file}: {count} finding{'s' * (count != 1)} written")
        return []
    # of a file that is only included other policies may find more: nothing is known to be gone
    policies = [one.policy for one in checked if not isinstance(one, PolicyError)]
    files = {file for p in policies for file in ([p.name] if p.imported is None else p.sources)}
    stale = known.stale(files, codes)
    for entry in stale:
        note(f"{known.file}: not found any more: {entry.code} {entry.file}: {_short(entry.statement)}")
    if stale:
        note("`--write-baseline` writes the baseline anew, without what is gone")
    return stale


def baseline_record(known: Baseline, stale: Sequence[Entry]) -> BaselineRecord:
    from ..report.finding_record import BaselineRecord, StaleRecord

    return BaselineRecord(known.file, known.count, tuple(StaleRecord(**entry.to_dict()) for entry in stale))


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
