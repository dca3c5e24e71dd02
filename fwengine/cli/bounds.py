"""What every command but `lsp` has besides its own options: `--timeout`, and for those that read policies `--limit-…`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import click

from ..deadline import LONGEST, Deadline
from ..errors import LimitError
from ..limits import MEANINGS, Limits
from .output import CLOCK

COUNTED: Final = tuple(name for name in MEANINGS if name != "seconds")
ENDLESS: Final = frozenset({"lsp"})  # it serves until its client ends it
UNBOUND: Final = frozenset({"explain", "play", "schema", "version"})  # they ask no policy


class _Limit(click.Option):
    """One of many options that are one line of help, which the first of them has."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        if self.name != f"limit_{COUNTED[0]}":
            return None
        named = ", ".join(f"{name} ({getattr(Limits(), name):,})" for name in COUNTED)
        return "--limit-WHAT N", f"Another limit than usual; beyond it the answer is unknown. WHAT: {named}."


def _countable(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """Seconds that a clock can count; `nan` passes every range."""
    if value is not None and not value <= LONGEST:
        raise click.BadParameter(f"{value} is no number of seconds up to {LONGEST:,}", ctx, param)
    return value


def bounded(command: click.Command, name: str) -> click.Command:
    """The command with the options, heeded; one that has them already is left as it is."""
    asked = command.callback
    if asked is None or name in ENDLESS or any(param.name == "timeout" for param in command.params):
        return command
    options = [
        click.Option(
            ["--timeout"],
            type=click.FloatRange(0, min_open=True),
            metavar="SECONDS",
            callback=_countable,
            help="Give up then: exit 2, and no answer.",
        )
    ]
    if name not in UNBOUND:
        options += [_Limit([f"--limit-{one}"], type=click.IntRange(1), metavar="N") for one in COUNTED]
    own = [param for param in command.params if param.name not in ("format_", "as_of", "color")]
    command.params = [*own, *options, *(param for param in command.params if param not in own)]
    command.callback = _heeding(asked)
    return command


def _heeding(asked: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(asked)
    def within(*args: Any, timeout: float | None = None, **options: Any) -> Any:
        given = {one: options.pop(f"limit_{one}", None) for one in COUNTED}
        try:
            limits = Limits(**{one: most for one, most in given.items() if most is not None})
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        with limits.applied():
            if timeout is None:
                return asked(*args, **options)
            with Deadline(timeout, by_signal=True) as clock:
                click.get_current_context().meta[CLOCK] = clock
                return asked(*args, **options)

    return within


def out_of_time() -> LimitError:
    """Stops the clock of a command that has run out of time, and has something to end."""
    clock = click.get_current_context().meta[CLOCK]
    clock.stop()
    error: LimitError = clock.error
    return error
