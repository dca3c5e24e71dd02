"""`fwengine fmt`: policies in canonical form."""

from __future__ import annotations

import difflib

import click

from ..errors import PolicyError
from ..report.screen import visible
from ..sources.opening import expand, open_source
from ..sources.writing import failure, replace
from .failure import complain, show_policy_error
from .options import color_option, say, style_of, write_bytes


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
    for path in expand(paths):
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

    source = open_source(path)
    try:
        return decode(source.read(source.file), source.name)
    except OSError as error:
        raise failure("read", path, error) from None


def _formatted(text: str, path: str) -> str:
    from ..language.syntax.parser import parse
    from ..language.syntax.printer import show_document

    return show_document(parse(text, path))
