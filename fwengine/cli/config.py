"""`--config` and `--no-config`: what commands assume where their options say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..sources.configuration import Configuration

F = TypeVar("F", bound="Callable[..., Any]")


def config_options(command: F, *, exposed: bool = True) -> F:
    """`--config FILE` and `--no-config`: the argument `config` of the command is the configuration.

    Where it is not `exposed`, what it says of interfaces counts all the same (`interfaces`), and nothing else does.
    """
    from_file = click.option(
        "--config",
        type=click.Path(),
        metavar="FILE",
        callback=_configuration,
        expose_value=exposed,
        help="Configuration; else fwengine.toml or pyproject.toml, in the working directory or the nearest one above it.",
    )
    none = click.option(
        "--no-config", is_flag=True, is_eager=True, expose_value=False, callback=_without, help="Use no configuration."
    )
    return from_file(none(command))


def interfaces() -> tuple[str, ...]:
    """Those that the configuration of the running command declares."""
    found: Configuration | None = click.get_current_context().meta.get(_CONFIG)
    return () if found is None else found.interfaces


_NO_CONFIG, _CONFIG = "fwengine.no-config", "fwengine.config"


def _without(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.meta[_NO_CONFIG] = value


def _configuration(ctx: click.Context, param: click.Parameter, value: str | None) -> Configuration | None:
    from ..sources.configuration import Configuration, configuration, nearest

    if ctx.resilient_parsing:
        return None
    if ctx.meta.get(_NO_CONFIG):
        if value is not None:
            raise click.UsageError("`--config` and `--no-config` exclude each other", ctx)
        return Configuration()
    ctx.meta[_CONFIG] = found = nearest() if value is None else configuration(value)
    return found


def paths_of(paths: Sequence[str], config: Configuration) -> tuple[str, ...]:
    """What is named, or what the configuration names.

    Raises:
        UsageError: if neither does.
    """
    found = tuple(paths) or config.paths
    if not found:
        where = f", and `{config.file}` has no `paths`" if config.file else ""
        raise click.UsageError(f"Missing argument 'PATH...'{where}.")
    return found


def codes_of(select: Sequence[str], ignore: Sequence[str], config: Configuration) -> frozenset[str]:
    """The codes of findings that are asked for; `--select` puts both lists of the configuration aside, `--ignore` one.

    Raises:
        UsageError, PolicyError: for what is not a code.
    """
    from ..codes import FINDINGS
    from ..registry.names import near
    from ..report.findings import selected

    for key in ("select", "ignore"):
        try:
            selected(getattr(config, key), ())
        except ValueError as error:
            meant = near(str(error), sorted(FINDINGS), digits_too=True)
            help = f"did you mean `{meant[0]}`?" if meant else "`fwengine explain` lists them"
            raise config.wrong(key, f"`{error}` is not a code of a finding", help) from None
    try:
        if select:
            return selected(select, ignore)
        return selected(config.select, ignore or config.ignore)
    except ValueError as error:
        raise click.UsageError(f"`{error}` is not a code of a finding: `fwengine explain` lists them") from None
