"""`fwengine fmt`: policies in canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..errors import PolicyError
from ..report.screen import visible
from ..sources.opening import open_source
from ..sources.text import decoded
from ..sources.writing import failure, replace
from .config import config_options, paths_of
from .failure import Failures
from .files import expanded, rewritable
from .options import color_option, exit_codes, format_option, once, say_answer, style_of, write_bytes
from .output import complain

if TYPE_CHECKING:
    from ..sources.configuration import Configuration


@click.command("fmt", epilog=exit_codes("formatted, or canonical", "with --check: not canonical", "empty input"))
@click.argument("paths", nargs=-1, type=click.Path(path_type=str), metavar="PATH...")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is not in canonical form.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
@config_options
@format_option()
@color_option
def command(
    paths: tuple[str, ...], check: bool, show_diff: bool, config: Configuration, format_: str, color: str
) -> int:
    """Rewrite policies in canonical form, comments kept; `-` formats standard input to standard output.

    A file with a syntax error is left as it is. Each file is replaced in one step. Of a git revision (REV:PATH) --check and
    --diff can be asked.
    """
    from ..report.nothing import no_input
    from ..report.record import Place
    from ..report.unified import unified
    from ..report.written import Formatted, FormattedFile

    paths = paths_of(paths, config)
    once(*paths)
    if format_ != "text" and "-" in paths and not (check or show_diff):
        raise click.UsageError(
            "`-` is formatted to standard output: `--format` goes with --check, --diff and with files"
        )
    if not check and not show_diff:
        rewritable("fmt", [path for path in paths if path != "-"])
    failures = Failures()
    looked_at: list[FormattedFile] = []
    for _, files in expanded(paths, failures):
        for path in files:
            called = "<stdin>" if path == "-" else visible(path)
            try:
                before = _read(path)
                after = _formatted(before, path)
                if not before.strip("\ufeff \t\r\n"):
                    failures.add(no_input("<stdin>" if path == "-" else path, "statement"))
                    continue
                differs = after != before
                if differs and not check and not show_diff and path != "-":
                    replace(path, after)
            except PolicyError as error:
                failures.tell(error)
                continue
            diff = unified(before, after, called) if show_diff else ()
            looked_at.append(FormattedFile(Place("<stdin>" if path == "-" else path), differs, diff))
            if show_diff:
                continue
            if path == "-" and not check:
                write_bytes(after.encode("utf-8"))
            elif differs:
                complain(f"{'would format' if check else 'formatted'} {called}")
    answer = Formatted(not check and not show_diff, tuple(looked_at))
    say_answer(answer, format_, failures, style_of(color))
    return failures.code(1 if check and any(f.changed for f in answer.files) else 0)


def _read(path: str) -> str:
    source = open_source(path)
    try:
        return decoded(source.read(source.file), source.name)
    except OSError as error:
        raise failure("read", path, error) from None


def _formatted(text: str, path: str) -> str:
    from ..language.syntax.parser import read
    from ..language.syntax.printer import show_document
    from ..sources.looks import instead

    document, errors, _ = read(text, path)
    if errors:
        other = instead(text, path, len(document.statements), len(errors))
        raise PolicyError(errors if other is None else [other], {path: text})
    return show_document(document)
