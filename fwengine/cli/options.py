"""Options that several commands share, and what they mean."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from ..errors import PacketError
from .output import (
    COLOR,
    FORMAT,
    FORMS,
    chosen_color,
    note,
    say,
    say_answer,
    style_of,
    width,
    write_bytes,
)

__all__ = [
    "as_of_option", "chosen_color", "color_option", "exit_codes", "format_option", "interface_options", "note", "once", "policy_argument",
    "say", "say_answer", "shown_options", "stated_day", "stated_options", "style_of", "width", "write_bytes",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


def exit_codes(yes: str, no: str, nothing: str = "no rule, no packet, empty input", examples: str = "") -> str:
    """The end of a command's help: what its exit codes mean. The rule about answers about nothing is `report.nothing`'s."""
    codes = (
        f"Exit codes: 0 {yes};{f' 1 {no};' if no else ''}\n2 could not answer, or an answer about nothing\n({nothing})."
    )
    return f"\b\n{examples}{codes}\n"


def once(*specs: str) -> None:
    """Refuses to read standard input twice.

    Raises:
        UsageError: if `-` stands for two things.
    """
    if specs.count("-") > 1:
        raise click.UsageError("`-` stands twice, and standard input can be read once")


def _day(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime.date:
    """A date, strictly YYYY-MM-DD; today if none is given. The one clock of a command: nothing else reads the day."""
    if value is None:
        return datetime.date.today()
    from ..language.meaning.literals import Mistake, date

    try:
        return date(value)
    except Mistake as error:
        raise click.BadParameter(f"{error.message}: expected YYYY-MM-DD", ctx, param) from None


def stated_day(as_of: datetime.date) -> datetime.date | None:
    """The day that `--as-of` states, for commands to be pasted; None if it is today, and nothing was stated."""
    source = click.get_current_context().get_parameter_source("as_of")
    return None if source is ParameterSource.DEFAULT else as_of


def format_option(*formats: str) -> Callable[[F], F]:
    """`--format`, with text as the default; every form unless some are named."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats or FORMS),
        default="text",
        show_default=True,
        is_eager=True,
        callback=_format,
        help="Form of the answer.",
    )


def _format(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Kept where failures can find it, too."""
    ctx.meta[FORMAT] = value
    return value


def color_option(command: F) -> F:
    decorate = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        is_eager=True,
        callback=_color,
        help="Colours; auto obeys NO_COLOR, FORCE_COLOR and the terminal.",
    )
    return decorate(command)


def _color(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Kept where errors can find it, too: they are shown after the command has gone."""
    ctx.meta[COLOR] = value
    return value


def as_of_option(command: F) -> F:
    decorate = click.option(
        "--as-of",
        callback=_day,
        metavar="DATE",
        help="The day on which to ask, for rules with `until`; today if not given.",
    )
    return decorate(command)


def _state(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    from ..model.fields import STATES
    from ..registry.names import near

    if value is None or value in STATES:
        return value
    meant = near(value, STATES)
    hint = f"did you mean `{meant[0]}`?" if meant else f"it is one of {', '.join(STATES)}"
    raise click.BadParameter(f"`{value}` is not a state: {hint}", ctx, param)


def _interface(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """An interface's name, in quotes or not, and the empty string for `none`."""
    from ..model.fields import interface_number

    if value is None or value == "none":
        return value and ""
    name = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if not name:
        raise click.BadParameter("it is a name, or `none` if none is to be recorded", ctx, param)
    try:
        interface_number(name)
    except PacketError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    return name


def interface_options(inside: str, outside: str) -> Callable[[F], F]:
    """`--in` and `--out`, with these helps: the arguments `inbound` and `outbound`."""

    def decorate(command: F) -> F:
        out = click.option("--out", "outbound", metavar="NAME", callback=_interface, help=outside)
        return click.option("--in", "inbound", metavar="NAME", callback=_interface, help=inside)(out(command))

    return decorate


def stated_options(command: F) -> F:
    """`--in`, `--out` and `--state`, of all packets of captures: the arguments `inbound`, `outbound` and `state`."""
    state = click.option(
        "--state",
        metavar="STATE",
        callback=_state,
        help="With -r: the connection state of the packets: new, established, related, invalid or untracked."
        "  [default: new]",
    )
    interfaces = interface_options(
        "With -r: the interface on which the packets arrive.", "With -r: the interface by which they leave."
    )
    return interfaces(state(command))


def shown_options(command: F) -> F:
    """How much of an answer is shown: the arguments `detail`, `limit` and `plain`."""
    decorate = [
        click.option("--detail", is_flag=True, help="Text in full: nothing folded, nothing cut short."),
        click.option(
            "--limit",
            type=click.IntRange(1),
            metavar="N",
            help="Show N regions, or causes where text is folded, and say how many more there are.  [default: all; folded text: some]",
        ),
        click.option("--plain", is_flag=True, help="Write regions without the policy's names."),
    ]
    for option in reversed(decorate):
        command = option(command)
    return command


def policy_argument(command: F) -> F:
    return click.argument("policy", type=click.Path(path_type=str))(command)
