"""Where a policy's files are read from: the disk, standard input, a text, a git revision. `opening` chooses.

A source reads files by name and says which names are the same file. That is its own affair: of a git revision a link
leads where it led in that revision, whatever has become of it on the disk since.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..limits import current

STDIN = "<stdin>"
ENDING = ".fwl"


def _itself(name: str) -> str:
    return name


def _in_folder(name: str) -> list[str]:
    try:
        return [path.name for path in Path(name).iterdir()]
    except ValueError as error:
        raise OSError(errno.EINVAL, "not a possible file name") from error


@dataclass(frozen=True)
class Source:
    """A policy's file, and how to read it and those that it includes.

    Attributes:
        file: the name of the policy's own file, as `read` takes it.
        read: the bytes of a file; raises OSError.
        identity: what two names of one file have in common, by this source's own reckoning.
        shown: what stands before each name in diagnostics and spans, such as `HEAD:`.
        names: what stands in a folder; raises OSError.
    """

    file: str
    read: Callable[[str], bytes]
    identity: Callable[[str], str] = _itself
    shown: str = ""
    names: Callable[[str], Sequence[str]] = _in_folder

    @property
    def name(self) -> str:
        """What people call the policy."""
        return self.shown + self.file


def on_disk(path: str) -> Source:
    """A file, whose includes are beside it."""
    return Source(path, read_file, _real)


def standard_input() -> Source:
    """The text on standard input; what it includes is looked up from the working directory."""
    return Source(STDIN, lambda name: read_stdin() if name == STDIN else read_file(name), _real)


def from_text(text: str, file: str = "<text>") -> Source:
    """A text under a name; what it includes is looked up beside that name."""
    data = text.encode("utf-8", "surrogatepass")
    return Source(file, lambda name: data if name == file else read_file(name), _real)


def read_file(name: str) -> bytes:
    """All of a file on the disk.

    Raises:
        OSError: if it cannot be read, is larger than the limit of bytes, or the name is none.
    """
    try:
        with Path(name).open("rb") as stream:
            return _whole(stream)
    except ValueError as error:  # NUL, or what the file system cannot encode
        raise OSError(errno.EINVAL, "not a possible file name") from error


def _whole(stream: BinaryIO) -> bytes:
    most = current().bytes
    data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes, which is the limit")
    return data


def read_stdin() -> bytes:
    """All of standard input.

    Raises:
        OSError: if it is closed, cannot be read, or is larger than the limit of bytes.
    """
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return _whole(sys.stdin.buffer)


def _real(name: str) -> str:
    try:
        return os.path.realpath(name)
    except (OSError, ValueError):
        return name
