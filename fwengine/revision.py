"""`REV:PATH` of a git repository -> policy, its includes read from the same revision."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

from .errors import Diagnostic, PolicyError, Span
from .loading import load, load_from
from .policy import Policy


def load_revision(spec: str, *, as_of: datetime.date | None = None) -> Policy:
    """The policy in a file, or in `REV:PATH` where no such file is there; PATH is relative to the repository's root,
    or to the working directory if it begins with `./`.

    Raises:
        PolicyError: as for `load`; FW001 if git cannot show the file.
    """
    revision, colon, path = spec.partition(":")
    if not colon or not revision or Path(spec).exists():
        return load(spec, as_of=as_of)
    if revision.startswith("-"):
        raise PolicyError([Diagnostic("FW001", f"`{revision}` is no revision", Span(spec, 1, 1, 1, 1))])
    if path.startswith("./"):
        path = _git("rev-parse", "--show-prefix").decode().strip() + path[2:]

    def reader(name: str) -> bytes:
        return _git("show", f"{revision}:{name}")

    return load_from(path, reader, as_of=as_of, shown=f"{revision}:")


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False, timeout=60)  # noqa: S603, S607  # git, from the user's path
    except FileNotFoundError:
        raise OSError("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise OSError("git does not answer") from None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").split("\n")[0]
        raise OSError(reason or "git failed")
    return done.stdout
