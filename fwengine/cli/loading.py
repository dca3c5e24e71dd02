"""How commands load policies: the options about other firewalls' formats, and what they mean for each operand."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from .config import config_options, interfaces

if TYPE_CHECKING:
    from ..policy import Policy
    from ..sources.foreign import Reading

F = TypeVar("F", bound=Callable[..., Any])
_FROM, _POLICY, _IN_DOUBT = (f"fwengine.{word}" for word in ("from", "policy", "in-doubt"))
SIDES: Final = ("depends", "allow", "deny", "error")


def reading_options(operands: int = 1, *, configured: bool = True) -> Callable[[F], F]:
    """`--from`, `--policy` and `--in-doubt`. With several operands the first two may stand once for each of them.

    And `--config`, for the interfaces that it declares, unless a command has that option for more.
    """
    many = operands > 1
    each = " Given twice, the first is for OLD." if many else ""

    def kept(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if many and isinstance(value, tuple) and len(value) > operands:
            raise click.BadParameter(f"it may stand {operands} times", ctx, param)
        ctx.meta[f"fwengine.{param.opts[0][2:]}"] = value

    options = [
        click.option(
            "--from", "from_", metavar="FORMAT", multiple=many, callback=kept, expose_value=False,
            help=f"The policy's format, such as `ip6tables-save`; else its content tells.{each}",
        ),
        click.option(
            "--policy", "policy_", metavar="NAME", multiple=many, callback=kept, expose_value=False,
            help=f"The chain or list to ask, where a file of another firewall has several.{each}",
        ),
        click.option(
            "--in-doubt", "in_doubt_", type=click.Choice(SIDES), default="depends", show_default=True, callback=kept,
            expose_value=False, help="What a condition becomes that the packet alone does not settle, such as a rate.",
        ),
    ]  # fmt: skip

    def decorate(command: F) -> F:
        if configured:
            command = config_options(command, exposed=False)
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def reading(operand: int = 0) -> Reading | None:
    """What the options say of one of the operands; None if that is nothing."""
    meta = click.get_current_context().meta
    format_, policy = (_for(meta.get(key), operand) for key in (_FROM, _POLICY))
    in_doubt = meta.get(_IN_DOUBT, "depends")
    if format_ is None and policy is None and in_doubt == "depends":
        return None
    from ..sources.foreign import Reading

    perhaps = isinstance(meta.get(_POLICY), tuple) and len(meta[_POLICY]) == 1  # of OLD and NEW, whichever needs it
    return Reading(format_, policy, in_doubt, perhaps)


def _for(value: Any, operand: int) -> str | None:
    if isinstance(value, tuple):
        return value[min(operand, len(value) - 1)] if value else None
    return str(value) if value is not None else None


def load(path: str, *, as_of: datetime.date, operand: int = 0) -> Policy:
    """As `fwengine.load`, as the options have it."""
    from ..policy import load

    return load(path, as_of=as_of, interfaces=interfaces(), reading=reading(operand))


def load_all(path: str, *, as_of: datetime.date, operand: int = 0) -> tuple[Policy, ...]:
    """As `fwengine.policy.load_all`, as the options have it."""
    from ..policy import load_all

    return load_all(path, as_of=as_of, interfaces=interfaces(), reading=reading(operand))
