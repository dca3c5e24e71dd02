"""`fwengine fmt`: policies in canonical form."""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from ..errors import Diagnostic, PolicyError, Span
from ..report.screen import visible
from .failure import complain, show_policy_error
from .options import color_option, policy_files, read_stdin, say, style_of, write_bytes


@click.command("fmt")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=str), metavar="PATH...")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is not in canonical form.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
@color_option
def command(paths: tuple[str, ...], check: bool, show_diff: bool, color: str) -> int:
    """Rewrite policies in canonical form, comments kept; `-` formats standard input to standard output.

    A file with a syntax error is left as it is. Each file is replaced in one step.
    """
    style = style_of(color)
    changed = failed = 0
    for path in policy_files(paths):
        called = "<stdin>" if path == "-" else visible(path)
        try:
            before = _read(path)
            after = _formatted(before, path)
        except PolicyError as error:
            failed += 1
            show_policy_error(error)
            continue
        differs = after != before
        changed += differs
        if show_diff:
            for line in difflib.unified_diff(before.splitlines(), after.splitlines(), called, called, lineterm=""):
                say(style(visible(line), {"+": "green", "-": "red"}.get(line[:1])))
        elif check:
            if differs:
                complain(f"would format {called}")
        elif path == "-":
            write_bytes(after.encode("utf-8"))
        elif differs:
            try:
                replace(path, after)
            except PolicyError as error:
                failed += 1
                show_policy_error(error)
            else:
                complain(f"formatted {called}")
    return 2 if failed else 1 if check and changed else 0


def _read(path: str) -> str:
    from ..language.syntax.mistakes import decode

    try:
        return decode(read_stdin() if path == "-" else Path(path).read_bytes(), path)
    except OSError as error:
        raise _failure("read", path, error) from None


def _formatted(text: str, path: str) -> str:
    from ..language.syntax.parser import parse
    from ..language.syntax.printer import show_document

    return show_document(parse(text, path))


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
        raise _failure("write", path, error) from None


def _umask() -> int:
    mask = os.umask(0o077)  # the only way to ask is to set
    os.umask(mask)
    return mask


def _failure(verb: str, path: str, error: OSError | RuntimeError) -> PolicyError:
    reason = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()
    return PolicyError([Diagnostic("FW001", f"cannot {verb} `{path}`: {reason}", Span(path, 1, 1, 1, 1))])
