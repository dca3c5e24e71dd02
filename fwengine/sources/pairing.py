"""Two folders of policies: which file is which file's other version, by its name in the folder, else by what it says."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .folders import policies_of
from .opening import is_revision, open_source
from .source import ENDING

_ALIKE = 0.5  # of the lines of the longer text, so many are in the shorter one: then a file was renamed


@dataclass(frozen=True)
class Pair:
    """Two versions of a file, each as a user would name it; None where there is none."""

    old: str | None
    new: str | None
    renamed: bool = False


def is_folder(spec: str) -> bool:
    """Does it name a folder, on the disk or in a git revision?

    Raises:
        PolicyError: FW001 if git cannot tell.
    """
    if spec == "-":
        return False
    if is_revision(spec):
        from .revision import files_of_revision

        return files_of_revision(spec, ENDING) is not None
    return os.path.isdir(spec)  # noqa: PTH112  # says no to what cannot be a path


def paired(old: str, new: str) -> list[Pair]:
    """The policies of two folders: those of one name, those renamed, those removed and those added, each by name.

    A file was renamed if most of its lines are in one that has no other version: the most alike first.

    Raises:
        PolicyError: FW001 for a folder without one.
    """
    before, after = (
        dict(sorted((_inner(folder, name), name) for name in policies_of(folder))) for folder in (old, new)
    )
    out = [Pair(name, after[inner]) for inner, name in before.items() if inner in after]
    gone = [name for inner, name in before.items() if inner not in after]
    come = [name for inner, name in after.items() if inner not in before]
    for one, other in _renamed(gone, come):
        out.append(Pair(one, other, renamed=True))
        gone.remove(one)
        come.remove(other)
    return [*out, *(Pair(name, None) for name in gone), *(Pair(None, name) for name in come)]


def _inner(folder: str, name: str) -> str:
    """A file's name within its folder."""
    if is_revision(name):
        revision, _, folder = folder.partition(":")
        name = name.partition(":")[2]
        folder = _from_root(revision, folder)
    return os.path.relpath(name, folder or ".").replace(os.sep, "/")


def _from_root(revision: str, folder: str) -> str:
    from .revision import of_folder

    return of_folder(f"{revision}:{folder}")


def _renamed(gone: Sequence[str], come: Sequence[str]) -> list[tuple[str, str]]:
    lines = {name: _lines(name) for name in (*gone, *come)} if gone and come else {}
    ways = sorted(
        ((_likeness(lines[one], lines[other]), one, other) for one in gone for other in come),
        key=lambda way: (-way[0], way[1:]),
    )
    done: set[str] = set()
    out = []
    for likeness, one, other in ways:
        if likeness >= _ALIKE and one not in done and other not in done:
            done |= {one, other}
            out.append((one, other))
    return out


def _lines(name: str) -> Counter[bytes]:
    source = open_source(name)
    try:
        text = source.read(source.file)
    except OSError:
        return Counter()  # told where it is loaded
    return Counter(line.strip() for line in text.splitlines() if line.strip())


def _likeness(one: Counter[bytes], other: Counter[bytes]) -> float:
    most = max(one.total(), other.total())
    return (one & other).total() / most if most else 0.0
