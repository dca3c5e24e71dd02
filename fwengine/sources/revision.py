"""`REV:PATH` of a git repository as a source: files, links and includes as they were in that revision."""

from __future__ import annotations

import os
import posixpath
import subprocess
from functools import cached_property

from ..errors import Diagnostic, PolicyError, Span
from .source import Source

MAX_LINKS = 40  # followed on the way to one file, as on Linux


def of_revision(spec: str) -> Source:
    """The source of `REV:PATH`; PATH is relative to the repository's root, or to the working directory if it begins
    with `./` or `../`.

    Raises:
        PolicyError: FW001 if git cannot show the file.
    """
    revision, path = _parted(spec)
    try:
        _git("cat-file", "-e", f"{revision}:{path}")  # says more plainly than anything else what is missing
        tree = _Tree(_git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{tree}}").decode().strip())
    except OSError as error:
        raise _failure(spec, error) from None
    return Source(path, tree.read, tree.real, f"{revision}:", tree.names)


def files_of_revision(spec: str, ending: str) -> list[str] | None:
    """The files with an ending in a folder of a revision, each as `REV:PATH`; None if `REV:PATH` is not a folder.

    Raises:
        PolicyError: FW001 if git cannot tell.
    """
    revision, path = _parted(spec)
    try:
        if _git("cat-file", "-t", f"{revision}:{path}").strip() != b"tree":
            return None
        listed = _git("ls-tree", "-r", "-z", "--name-only", f"{revision}:{path}").split(b"\0")
    except OSError as error:
        raise _failure(spec, error) from None
    names = [os.fsdecode(name) for name in listed if name]
    return [f"{revision}:{posixpath.join(path, name)}" for name in sorted(names) if name.endswith(ending)]


def of_folder(spec: str) -> str:
    """The path of the folder in `REV:PATH` from the repository's root, as `files_of_revision` writes it before its files."""
    return _parted(spec)[1]


class _Tree:
    """The files of one revision, by their paths from its root."""

    def __init__(self, tree: str) -> None:
        self.tree = tree

    def read(self, name: str) -> bytes:
        return _git("cat-file", "blob", f"{self.tree}:{self._resolved(name)}")

    def real(self, name: str) -> str:
        try:
            return self._resolved(name)
        except OSError:
            return name

    def names(self, folder: str) -> list[str]:
        """What stands in a folder."""
        listed = _git("ls-tree", "-z", "--name-only", f"{self.tree}:{self._resolved(folder)}").split(b"\0")
        return [os.fsdecode(name) for name in listed if name]

    @cached_property
    def _links(self) -> frozenset[str]:
        """The paths that are links."""
        listed = _git("ls-tree", "-r", "-z", "--full-tree", self.tree).split(b"\0")
        return frozenset(os.fsdecode(entry.partition(b"\t")[2]) for entry in listed if entry.startswith(b"120000 "))

    def _resolved(self, name: str) -> str:
        """The path of a file, every link on the way followed within the revision.

        Raises:
            OSError: if a link leads out of the repository, or in a circle.
        """
        done: list[str] = []
        left = [part for part in reversed(name.split("/")) if part not in ("", ".")]
        followed = 0
        while left:
            part = left.pop()
            if part == "..":
                if not done:
                    raise OSError("the path leads out of the repository")
                done.pop()
                continue
            path = "/".join([*done, part])
            if path not in self._links:
                done.append(part)
                continue
            followed += 1
            if followed > MAX_LINKS:
                raise OSError("too many levels of links")
            target = os.fsdecode(_git("cat-file", "blob", f"{self.tree}:{path}"))
            if target.startswith("/"):
                raise OSError("a link leads out of the repository")
            left += [part for part in reversed(target.split("/")) if part not in ("", ".")]
        return "/".join(done)


def _parted(spec: str) -> tuple[str, str]:
    """The revision and the path from the repository's root."""
    revision, _, path = spec.partition(":")
    try:
        if revision.startswith("-"):
            raise OSError(f"`{revision}` is not a revision")
        if path in (".", "..") or path.startswith(("./", "../")):  # as git has it, relative to the working directory
            prefix = os.fsdecode(_git("rev-parse", "--show-prefix")).removesuffix("\n")
            path = posixpath.normpath(prefix + path)
            path = "" if path == "." else path
    except OSError as error:
        raise _failure(spec, error) from None
    return revision, path


def _failure(spec: str, error: OSError) -> PolicyError:
    return PolicyError([Diagnostic("FW001", f"cannot read `{spec}`: {error}", Span(spec, 1, 1, 1, 1))])


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
    except ValueError:  # NUL
        raise OSError("not a possible name") from None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").split("\n")[0]
        raise OSError(reason or "git failed")
    return done.stdout
