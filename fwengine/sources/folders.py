"""Which files of a folder are policies: those of the language by their ending, those of other firewalls by what they say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..errors import Diagnostic, PolicyError, Span
from .foreign import is_foreign
from .opening import is_revision, open_source
from .source import ENDING

_HEAD: Final = 1 << 16  # bytes of a file that are looked at
_LARGEST: Final = 1 << 26
# what quotes rule sets, or is none for sure
_TEXTS: Final = frozenset(
    {
        ".adoc",
        ".cap",
        ".csv",
        ".css",
        ".gz",
        ".html",
        ".ipynb",
        ".js",
        ".md",
        ".pcap",
        ".pcapng",
        ".py",
        ".rst",
        ".so",
        ".svg",
    }
)


def policies_of(folder: str) -> list[str]:
    """The policies in a folder, also of a git revision (`REV:FOLDER`), in order.

    Raises:
        PolicyError: FW001 if there is none.
    """
    names = sorted(_names(folder))
    found = [name for name in names if name.endswith(ENDING) or _is_other(name)]
    if not found:
        message = f"no `{ENDING}` file and no other firewall's policy in `{folder}`"
        raise PolicyError([Diagnostic("FW001", message, Span(folder, 1, 1, 1, 1))])
    return found


def is_own(name: str) -> bool:
    """Is the file of the language of this package?"""
    return name.endswith(ENDING)


def _names(folder: str) -> Iterator[str]:
    if is_revision(folder):
        from .revision import files_of_revision

        yield from files_of_revision(folder, "") or ()
        return
    for parent, inner, files in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        yield from (str(Path(parent, name)) for name in files)


def _is_other(name: str) -> bool:
    if Path(name).suffix.lower() in _TEXTS or Path(name).name.startswith("."):
        return False
    if not is_revision(name):
        try:
            if not 0 < Path(name).stat().st_size <= _LARGEST:
                return False
            with Path(name).open("rb") as file:
                return _says_so(file.read(_HEAD))
        except OSError:
            return False
    source = open_source(name)
    try:
        return _says_so(source.read(source.file)[:_HEAD])
    except OSError:
        return False


def _says_so(head: bytes) -> bool:
    if b"\0" in head:
        return False
    return is_foreign(head.decode("utf-8", "replace").replace("\r\n", "\n"))
