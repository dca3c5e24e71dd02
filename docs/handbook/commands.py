"""The reference of a command, made of the command itself: usage, arguments, every option, exit codes."""

from __future__ import annotations

import click

from fwengine.cli.group import COMMANDS, cli


def command_of(name: str) -> tuple[click.Command, click.Context]:
    """A command, and the context in which it tells of itself."""
    group = click.Context(cli, info_name="fwengine", help_option_names=["-h", "--help"])
    command = cli.get_command(group, name)
    if command is None:
        raise ValueError(f"there is no command `{name}`")
    return command, click.Context(command, info_name=name, parent=group)


def index() -> str:
    """All commands, each in a line."""
    rows = [f"| [`{name}`]({name}.md) | {entry.help} |" for name, entry in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def reference(name: str) -> str:
    """Usage, what the command says of itself, options, exit codes."""
    command, context = command_of(name)
    usage = " ".join(["fwengine", name, *command.collect_usage_pieces(context)])
    parts = [f"```text\n{usage}\n```", _paragraphs(command.help or "")]
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)) is not None
    ]
    rows = [f"| `{_cell(spelled)}` | {_cell(told)} |" for spelled, told in records]
    parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    parts.append(_paragraphs(command.epilog or ""))
    return "\n\n".join(part for part in parts if part)


def _cell(text: str) -> str:
    return (
        " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;") if "`" in text or "<" in text else _plain(text)
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _paragraphs(text: str) -> str:
    """Paragraphs; those behind a `\\b` keep their lines where these are more than a sentence that was broken."""
    out = []
    for paragraph in text.split("\n\n"):
        lines = [line.strip() for line in paragraph.replace("\b", "").splitlines() if line.strip()]
        keeps = "\b" in paragraph and not lines[0].startswith("Exit codes")
        out.append("```text\n" + "\n".join(lines) + "\n```" if keeps else " ".join(lines))
    return "\n\n".join(out)
