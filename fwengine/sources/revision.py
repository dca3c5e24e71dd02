"""`REV:PATH` of a git repository -> policy, its includes read from the same revision."""

from __future__ import annotations

import datetime
import os
import posixpath
import subprocess

from ..errors import Diagnostic, PolicyError, Span
from ..model.rules import Policy
from .loading import load, load_from


def load_revision(spec: str, *, as_of: datetime.date | None = None) -> Policy:
    """The policy in a file, or in `REV:PATH` where no such file is there; PATH is relative to the repository's root,
    or to the working directory if it begins with `./` or `../`.

    Raises:
        PolicyError: as for `load`; FW001 if git cannot show the file.
    """
    revision, colon, path = spec.partition(":")
    if not colon or not revision or os.path.lexists(spec):
        return load(spec, as_of=as_of)
    try:
        if revision.startswith("-"):
            raise OSError(f"`{revision}` is no revision")
        if path.startswith(("./", "../")):  # as git has it, relative to the working directory
            prefix = os.fsdecode(_git("rev-parse", "--show-prefix")).removesuffix("\n")
            path = posixpath.normpath(prefix + path)
        _git("cat-file", "-e", f"{revision}:{path}")  # says more plainly than `show` what is missing
    except OSError as error:
        raise PolicyError([Diagnostic("FW001", f"cannot read `{spec}`: {error}", Span(spec, 1, 1, 1, 1))]) from None

    def reader(name: str) -> bytes:
        return _git("cat-file", "blob", f"{revision}:{name}")

    return load_from(path, reader, as_of=as_of, shown=f"{revision}:")


def _git(*arguments: str) -> bytes:
    """What git prints.

    Raises:
        OSError: with git's own reason, or that it is not there.
    """
    try:
        done = subprocess.run(  # noqa: S603  # no shell between
            ["git", *arguments],  # noqa: S607  # the user's own git, from the user's path
            capture_output=True,
            check=False,
            timeout=60,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise OSError("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise OSError("git does not answer") from None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").split("\n")[0]
        raise OSError(reason or "git failed")
    return done.stdout
