"""`fwengine init`: something to begin with."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ..errors import Diagnostic, PolicyError, Span
from .failure import Failures
from .options import color_option, format_option, say_answer, style_of
from .output import say_failures


@click.command(
    "init",
    epilog="\b\nExit codes: 0 written;\n2 could not write, or a file is there already: then nothing is written.\n",
)
@click.argument("folder", default=".", type=click.Path(path_type=str))
@click.option(
    "--ci",
    "checks",
    type=click.Choice(["github", "gitlab", "pre-commit"]),
    multiple=True,
    help="What checks every change. May be repeated.  [default: github]",
)
@click.option("--no-ci", is_flag=True, help="Write nothing that checks every change.")
@format_option("text", "json", "jsonl", "markdown")
@color_option
def command(folder: str, checks: tuple[str, ...], no_ci: bool, format_: str, color: str) -> int:
    """Write a policy to begin with, its expectations, a configuration, and what checks every change.

    FOLDER is the top of a repository, the working directory if not given. No file is ever overwritten.
    """
    from ..report.record import Place
    from ..report.written import Started
    from ..sources.writing import failure, replace
    from .starter import CHECKS, FILES

    if no_ci and checks:
        raise click.UsageError("`--ci` and `--no-ci` contradict each other")
    chosen = () if no_ci else checks or ("github",)
    files = FILES | {name: text for check in chosen for name, text in CHECKS[check].items()}
    texts = {Path(folder) / name: text for name, text in files.items()}
    failures = Failures()
    there = [path for path in texts if path.exists() or path.is_symlink()]
    if there:
        failures.tell(PolicyError([_there(str(path)) for path in there]))
        say_failures(format_, failures)
        return 2
    written: list[Place] = []
    try:
        for path, text in texts.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise failure("make", str(path.parent), error) from None
            replace(str(path), text)
            written.append(Place(str(path)))
    except PolicyError as error:
        failures.tell(error)
    at = "" if folder == "." else f"cd {shlex.quote(folder)} && "
    next_step = None if failures else f"{at}fwengine check && fwengine test"
    say_answer(Started(tuple(written), next_step), format_, failures, style_of(color))
    return failures.code(0)


def _there(path: str) -> Diagnostic:
    help = "`init` overwrites nothing: move it away, or name another folder"
    return Diagnostic("FW001", f"`{path}` is there already", Span(path, 1, 1, 1, 1), help=help)
