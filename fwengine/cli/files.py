"""The operands of commands that take several files and folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from ..errors import PolicyError
from ..sources.opening import expand, is_revision
from .failure import Failures


def expanded(specs: Iterable[str], failures: Failures) -> Iterator[tuple[str, list[str]]]:
    """Each operand with the files that it names; one that names none is a failure, and the others are gone on with."""
    for spec in specs:
        try:
            files = list(expand([spec]))
        except PolicyError as error:
            failures.tell(error)
        else:
            yield spec, files


def rewritable(what: str, specs: Iterable[str]) -> None:
    """Refuses to rewrite what is not a file.

    Raises:
        UsageError: for `-` and `REV:PATH`.
    """
    for spec in specs:
        if spec == "-" or is_revision(spec):
            where = "standard input" if spec == "-" else "in a git revision"
            raise click.UsageError(f"`{what}` rewrites files, and `{spec}` is {where}")
