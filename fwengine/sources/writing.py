"""Files replaced in one step."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ..errors import Diagnostic, PolicyError, Span


def replace(path: str, text: str) -> None:
    """Writes a file in one step: whoever reads it sees the old text or the new one, never a part.

    Of a link it is the file that is replaced; mode and, where that is allowed, owner stay. A file that is not there is
    made; a device or a pipe is written as it is.

    Raises:
        PolicyError: FW001 if that fails; then the file is as it was, and nothing is left beside it.
    """
    try:
        target = Path(path).resolve()
        kept = target.stat() if target.exists() else None
        if kept is not None and not stat.S_ISREG(kept.st_mode):
            target.write_text(text, encoding="utf-8", newline="")
            return
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".fwengine-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            if kept is not None:
                with suppress(PermissionError):  # only root may give files away
                    os.chown(temporary, kept.st_uid, kept.st_gid)
            os.chmod(temporary, stat.S_IMODE(kept.st_mode) if kept is not None else 0o666 & ~_umask())  # noqa: PTH101
            os.replace(temporary, target)  # noqa: PTH105  # the atomic one, on all systems
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        raise failure("write", path, error) from None


def json_text(value: object, indent: int | None = None) -> str:
    """JSON that a file takes: of the name of a file that is not UTF-8, what cannot be written is escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda found: json.dumps(found[0])[1:-1], text) + "\n"


def _umask() -> int:
    mask = os.umask(0o077)  # the only way to ask is to set
    os.umask(mask)
    return mask


def failure(verb: str, path: str, error: OSError | RuntimeError) -> PolicyError:
    """What to tell of a file that cannot be read or written."""
    reason = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()
    return PolicyError([Diagnostic("FW001", f"cannot {verb} `{path}`: {reason}", Span(path, 1, 1, 1, 1))])
