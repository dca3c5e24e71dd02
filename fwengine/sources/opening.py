"""What a user names -> a source: the one way in for every command that takes a policy."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import Diagnostic, PolicyError, Span
from .source import ENDING, Source, on_disk, standard_input


def open_source(spec: str | os.PathLike[str]) -> Source:
    """The source that a user names: a path, `-` for standard input, or `REV:PATH` where no such file is there.

    A `PathLike` is always a path.

    Raises:
        PolicyError: FW001 if git cannot show what `REV:PATH` names. What a path names is looked at when it is read.
    """
    if not isinstance(spec, str):
        return on_disk(os.fspath(spec))
    if spec == "-":
        return standard_input()
    if is_revision(spec):
        from .revision import of_revision

        return of_revision(spec)
    return on_disk(spec)


def is_revision(spec: str) -> bool:
    """Does it read as `REV:PATH`, and is there no file of that name?"""
    revision, colon, _ = spec.partition(":")
    return bool(colon and revision) and not os.path.lexists(spec)


def expand(specs: Iterable[str]) -> Iterator[str]:
    """What is named, with each folder (also one of a git revision, `REV:FOLDER`) as the `.fwl` files in it, in order.

    Raises:
        PolicyError: FW001 for a folder without one.
    """
    for spec in specs:
        found: list[str] | None = None
        if spec != "-" and is_revision(spec):
            from .revision import files_of_revision

            found = files_of_revision(spec, ENDING)
        elif spec != "-" and os.path.isdir(spec):  # noqa: PTH112  # says no to what cannot be a path
            found = sorted(str(p) for p in Path(spec).rglob("*" + ENDING) if p.is_file())
        if found is None:
            yield spec
        elif found:
            yield from found
        else:
            raise PolicyError([Diagnostic("FW001", f"no `{ENDING}` file in `{spec}`", Span(spec, 1, 1, 1, 1))])
