"""`fwengine fmt`: policies in canonical form."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from pathlib import Path

import click

from ..errors import Diagnostic, FwengineError, PolicyError, Span
from .failure import complain, show_policy_error
from .options import color_option, policy_files, say, style_of


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
        try:
            before = _read(path)
            after = _formatted(before, path)
        except FwengineError as error:
            failed += 1
            if isinstance(error, PolicyError):
                show_policy_error(error)
            else:
                complain(str(error))
            continue
        differs = after != before
        changed += differs
        if show_diff and differs:
            for line in difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm=""):
                hue = {"+": "green", "-": "red"}.get(line[:1])
                say(style(line, hue))
        if path == "-" and not check and not show_diff:
            sys.stdout.write(after)
        elif differs and not check and not show_diff:
            replace(path, after)
            complain(f"formatted {path}")
        elif differs and check and not show_diff:
            complain(f"would format {path}")
    return 2 if failed else 1 if check and changed else 0


def _read(path: str) -> str:
    from ..language.mistakes import decode

    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PolicyError([Diagnostic("FW001", f"cannot read `{path}`: {reason}", Span(path, 1, 1, 1, 1))]) from None
    return decode(data, path)


def _formatted(text: str, path: str) -> str:
    from ..language.parser import parse
    from ..language.printer import show_document

    return show_document(parse(text, path))


def replace(path: str, text: str) -> None:
    """Writes a file in one step: whoever reads it sees the old text or the new one, never a part."""
    target = Path(path).resolve()  # of a link the file, not the link, is replaced
    try:
        mode = target.stat().st_mode & 0o7777
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(mode)
            os.replace(temporary, target)  # noqa: PTH105  # the atomic one, on all systems
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PolicyError([Diagnostic("FW001", f"cannot write `{path}`: {reason}", Span(path, 1, 1, 1, 1))]) from None
