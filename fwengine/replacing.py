"""The one way in which this package writes files: in one step, so that whoever reads one sees the old or the new, never a part.

Knows nothing of what is written; whoever writes says what went wrong.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replaced(name: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A stream in a `with` block: what was written to it is the file once the block has been left without an exception.

    Of a link it is the file that is replaced; mode and, where that is allowed, owner stay. A file that is not there is made;
    a device or a pipe is written as it is. After an exception, an interruption among them, the file is as it was, and nothing
    is left beside it.

    Raises:
        OSError: if that fails.
    """
    target = _target(name)
    kept = target.stat() if target.exists() else None
    if kept is not None and not stat.S_ISREG(kept.st_mode):
        with target.open("wb") as stream:
            yield stream
        return
    draft = target.with_name(f".fwengine-{os.urandom(8).hex()}.part")  # beside it: a step is one within a file system
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if kept is not None and hasattr(os, "chown"):
            with suppress(PermissionError):  # only root may give files away
                os.chown(draft, kept.st_uid, kept.st_gid)
        draft.chmod(stat.S_IMODE(kept.st_mode) if kept is not None else 0o666 & ~_umask())
        draft.replace(target)
    except BaseException:
        with suppress(OSError):  # what went wrong before is the news
            draft.unlink()
        raise


_BINARY = getattr(os, "O_BINARY", 0)


def _target(name: str | os.PathLike[str]) -> Path:
    try:
        return Path(name).resolve()
    except (RuntimeError, ValueError) as error:  # links in a circle, before Python 3.13; NUL
        raise OSError(str(error)) from error


def _umask() -> int:
    mask = os.umask(0o077)  # the only way to ask is to set
    os.umask(mask)
    return mask
