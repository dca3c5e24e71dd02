"""The command group: names and one-line helps here, everything else in the module of the command."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, cast

import click

from .output import FORMAT, FORMS


class _Entry(NamedTuple):
    module: str
    help: str


COMMANDS = {
    "init": _Entry("init", "Write a policy to begin with, and checks for every change."),
    "check": _Entry("check", "Find errors in policies, and rules that do not do what they seem to."),
    "eval": _Entry("evaluate", "Tell what a policy does to packets or captures, and which rule decides."),
    "flows": _Entry("flows", "Tell what a policy does to the flows of logs."),
    "test": _Entry("test", "Prove every expectation in files and folders."),
    "query": _Entry("query", "List all packets of a region with a verdict."),
    "prove": _Entry("prove", "Prove a claim about every packet of a region, or refute it."),
    "diff": _Entry("diff", "Tell which packets change their verdict between two policies."),
    "synth": _Entry("synth", "Write packets from a policy's edges, with the expected verdicts."),
    "report": _Entry("report", "Write a page of HTML about a policy, to hand around."),
    "play": _Entry("play", "Serve the playground to a browser on this machine."),
    "convert": _Entry("convert", "Write a policy in another format, proved the same."),
    "fmt": _Entry("fmt", "Rewrite policies in canonical form, comments kept."),
    "show": _Entry("show", "Show who reaches whom, or a policy as table, tree, graph or figures."),
    "schema": _Entry("schema", "Write the JSON Schema of what a command answers."),
    "lsp": _Entry("lsp", "Serve an editor by the language server protocol."),
    "explain": _Entry("explain", "Explain a diagnostic code such as FW106."),
    "version": _Entry("version", "Tell the version and which engines are live."),
}

EPILOG = """\b
Exit codes: 0 yes, clean, same; 1 no, findings, differs; 2 could not answer,
or an answer about nothing (no rule, no packet, no expectation, empty input);
130 interrupted. `-` is standard input. `fwengine COMMAND --help` tells more.
Start with:  fwengine eval POLICY 'tcp 5.6.7.8:1029 -> 192.0.2.80:80'
"""


class LazyGroup(click.Group):
    """Loads a command's module when it is called; the list of commands costs nothing."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            from .output import write_error

            write_error(f"{ctx.get_help()}\n")
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> click.Context:
        asked = _form(args)
        context = super().make_context(info_name, args, *rest, **more)
        context.meta[FORMAT] = asked
        return context

    def invoke(self, ctx: click.Context) -> Any:
        from ..errors import FwengineError, LimitError  # late: help needs no errors
        from .failure import report

        if ctx.meta[FORMAT] == "html":
            _need_pages(ctx)
        try:
            return super().invoke(ctx)
        except FwengineError as error:  # here, and not in `main`, since the context still knows `--color`
            return report(error)
        except MemoryError:
            return report(LimitError("unknown: limit reached (the memory that there is)"))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        from .bounds import bounded  # late: the list of commands costs nothing

        return bounded(cast("click.Command", import_module(f".{entry.module}", __package__).command), cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-"):
            from ..registry.names import near

            meant = near(name, COMMANDS) or [c for c in COMMANDS if len(name) > 1 and c.startswith(name)]
            hint = f" Did you mean `{meant[0]}`?" if meant else ""
            raise click.UsageError(f"No such command `{name}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


def _form(args: Sequence[str]) -> str:
    """The form that `--format` asks for, before anything is parsed: also a wrong command line fails in that form."""
    words = list(args)
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word == "--":
            break
        option, equals, value = word.partition("=")
        if option in ("--format", "--as"):  # `show --as json`
            chosen = value if equals else following
            return chosen if chosen in FORMS else "text"
    return "text"


def _need_pages(ctx: click.Context) -> None:
    """A page can be made: asked before anything is done, since an answer that cannot be told comes too late."""
    from ..errors import MissingExtraError
    from ..report.page.shell import environment

    try:
        environment()
    except MissingExtraError as error:
        ctx.meta[FORMAT] = "text"  # nor can this be told in a page
        raise click.UsageError(str(error), ctx) from None


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from .._version import __version__

        click.echo(f"fwengine {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Tell the version.")
def cli() -> None:
    """Know, exactly and with a witness packet, what your firewall policy does."""
