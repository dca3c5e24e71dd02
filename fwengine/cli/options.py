"""Options that several commands share, and what they mean."""

from __future__ import annotations

import datetime
import errno
import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

import click

from ..errors import PacketError
from ..report.style import Style, wants_color
from .failure import COLOR, chosen_color, complain, shown

if TYPE_CHECKING:
    from io import TextIOWrapper

FORMAT_VERSION = "1.0"
F = TypeVar("F", bound=Callable[..., Any])


def _day(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime.date | None:
    """A date, strictly YYYY-MM-DD."""
    if value is None:
        return None
    from ..language.meaning.literals import Mistake, date

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
    raise click.BadParameter(f"`{value}` is no state: {hint}", ctx, param)


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


def stated_options(command: F) -> F:
    """`--in`, `--out` and `--state`, of all packets of captures: the arguments `inbound`, `outbound` and `state`."""
    decorate = [
        click.option(
            "--in",
            "inbound",
            metavar="NAME",
            callback=_interface,
            help="With -r: the interface on which the packets arrive.",
        ),
        click.option(
            "--out", "outbound", metavar="NAME", callback=_interface, help="With -r: the interface by which they leave."
        ),
        click.option(
            "--state",
            metavar="STATE",
            callback=_state,
            help="With -r: the connection state of the packets: new, established, related, invalid or untracked."
            "  [default: new]",
        ),
    ]
    for option in reversed(decorate):
        command = option(command)
    return command


def policy_argument(command: F) -> F:
    return click.argument("policy", type=click.Path(path_type=str))(command)


def style_of(color: str) -> Style:
    return Style(sys.stdout is not None and wants_color(color, sys.stdout))


def say(text: str = "") -> None:
    """A line of the answer (or several), on stdout, whatever its encoding can say. No control character passes.

    Raises:
        OSError: if stdout is closed or cannot be written.
    """
    _write(shown(text, color=sys.stdout is not None and wants_color(chosen_color(), sys.stdout)))


def say_json(**fields: Any) -> None:
    """One JSON document on stdout, with the version of its form."""
    _write(_json({"format_version": FORMAT_VERSION, **fields}, indent=2))


def say_json_line(**fields: Any) -> None:
    """One JSON document on one line of stdout."""
    _write(_json(fields, indent=None))


def json_text(value: object) -> str:
    """A value as JSON on one line."""
    return _json(value, indent=None)


def say_json_lines(lines: Sequence[str]) -> None:
    """Lines of JSON, many at a time."""
    if lines:
        _write("\n".join(lines))


def say_items(items: Sequence[str], *, begun: bool) -> None:
    """More items of the list `results` of a document that is written as it comes; `begun` says that there were some."""
    if items:
        head = ",\n" if begun else f'{{\n  "format_version": "{FORMAT_VERSION}",\n  "results": [\n'
        _write(head + ",\n".join(items), end="")


def end_items(*, begun: bool) -> None:
    """The end of such a document, whose form is that of `say_json(results=...)`."""
    if begun:
        _write("\n  ]\n}")
    else:
        say_json(results=[])


def _json(value: object, indent: int | None) -> str:
    """JSON as readable as the encoding of stdout allows: what that cannot say, or nobody should see, is escaped."""
    encoding = (_stdout().encoding or "utf-8").lower().replace("-", "")
    text = json.dumps(value, ensure_ascii=encoding != "utf8", indent=indent)
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1].replace("\x7f", "\\u007f") for c in text)


def _write(text: str, end: str = "\n") -> None:
    stream = _stdout()
    write_bytes(f"{text}{end}".encode(stream.encoding or "utf-8", "backslashreplace"))


def _stdout() -> TextIOWrapper:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    return cast("TextIOWrapper", sys.stdout)


def write_bytes(data: bytes) -> None:
    """Bytes to stdout, all of them: an unbuffered stream may take a part and say so, which `print` does not hear.

    Raises:
        OSError: if stdout is closed or cannot be written.
    """
    stream = _stdout()
    buffer = cast("BinaryIO", stream.buffer)
    while data:
        data = data[buffer.write(data) :]
    if stream.line_buffering:  # a terminal
        buffer.flush()


def note(text: str) -> None:
    """A remark on stderr."""
    complain(f"note: {text}")
