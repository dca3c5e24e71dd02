"""Options that several commands share, and what they mean."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import Diagnostic, PolicyError, Span
from ..report.style import Style, wants_color

FORMAT_VERSION = "1.0"
F = TypeVar("F", bound=Callable[..., Any])


def _day(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime.date | None:
    """A date, strictly YYYY-MM-DD."""
    if value is None:
        return None
    from ..language.values import Mistake, date

    try:
        return date(value)
    except Mistake as error:
        raise click.BadParameter(f"{error.message}: expected YYYY-MM-DD", ctx, param) from None


def format_option(*formats: str) -> Callable[[F], F]:
    """`--format`, with text as the default."""
    return click.option(
        "--format", "format_", type=click.Choice(formats), default="text", show_default=True, help="Form of the answer."
    )


def color_option(command: F) -> F:
    decorate = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="Colours; auto obeys NO_COLOR, FORCE_COLOR and the terminal.",
    )
    return decorate(command)


def as_of_option(command: F) -> F:
    decorate = click.option(
        "--as-of",
        callback=_day,
        metavar="DATE",
        help="The day on which to ask, for rules with `until`; today if not given.",
    )
    return decorate(command)


def policy_argument(command: F) -> F:
    return click.argument("policy", type=click.Path(path_type=str))(command)


def style_of(color: str) -> Style:
    return Style(wants_color(color, sys.stdout))


def say(text: str = "") -> None:
    """A line of the answer, on stdout, whatever its encoding can say."""
    encoding = sys.stdout.encoding or "utf-8"
    if encoding.lower().replace("-", "") != "utf8":
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")


def say_json(**fields: Any) -> None:
    """One JSON document on stdout, with the version of its form."""
    say(json.dumps({"format_version": FORMAT_VERSION, **fields}, ensure_ascii=False, indent=2))


def say_json_line(**fields: Any) -> None:
    say(json.dumps(fields, ensure_ascii=False))


def note(text: str) -> None:
    """A remark on stderr."""
    from .failure import complain

    complain(f"note: {text}")


def policy_files(paths: Iterable[str]) -> Iterator[str]:
    """The files named, and of folders every `.fwl` file in them, in order.

    Raises:
        PolicyError: FW001 for what is not there, or for a folder without one.
    """
    for path in paths:
        if path == "-" or not Path(path).is_dir():
            yield path
            continue
        found = sorted(str(p) for p in Path(path).rglob("*.fwl") if p.is_file())
        if not found:
            raise PolicyError([Diagnostic("FW001", f"no `.fwl` file in `{path}`", Span(path, 1, 1, 1, 1))])
        yield from found
