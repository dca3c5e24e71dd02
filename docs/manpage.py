"""Writes the manual page of fwengine, made of the commands themselves: python docs/manpage.py > fwengine.1"""

from __future__ import annotations

import re
import sys

import click

from fwengine._version import __version__
from fwengine.cli.group import COMMANDS, cli


def roff(text: str) -> str:
    """A text as roff takes it: nothing in it is a request or an escape."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    return re.sub(r"^\.", r"\&.", text, flags=re.MULTILINE)


def page() -> str:
    """The page, the same for the same version."""
    out = [f'.TH FWENGINE 1 "" "fwengine {__version__}" "User Commands"', ".SH NAME", roff(f"fwengine - {cli.help}")]
    out += [".SH SYNOPSIS", r".B fwengine", r"\fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]"]
    out += [".SH COMMANDS"]
    for name, entry in COMMANDS.items():
        out += [".TP", rf"\fB{roff(name)}\fR", roff(entry.help)]
    group = click.Context(cli, info_name="fwengine", help_option_names=["-h", "--help"])
    for name in COMMANDS:
        command = cli.get_command(group, name)
        assert command is not None
        out += _section(command, click.Context(command, info_name=name, parent=group))
    out += [".SH EXIT STATUS", *_paragraphs(cli.epilog or "")]
    return "\n".join(out) + "\n"


def _section(command: click.Command, context: click.Context) -> list[str]:
    out = [f".SH {roff(command.name or '').upper()}", ".SY fwengine", roff(" ".join(_usage(command, context))), ".YS"]
    out += _paragraphs(command.help or "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            out += [".TP", rf"\fB{roff(record[0])}\fR", roff(" ".join(record[1].split()))]
    return out + _paragraphs(command.epilog or "")


def _usage(command: click.Command, context: click.Context) -> list[str]:
    return [command.name or "", *command.collect_usage_pieces(context)]


def _paragraphs(text: str) -> list[str]:
    """Paragraphs; those behind a `\\b` keep their lines."""
    out = []
    for paragraph in text.split("\n\n"):
        keeps = "\b" in paragraph
        lines = [line.strip() for line in paragraph.replace("\b", "").splitlines() if line.strip()]
        if lines:
            out += [".PP", *([".nf"] if keeps else []), *map(roff, lines), *([".fi"] if keeps else [])]
    return out


if __name__ == "__main__":
    sys.stdout.write(page())
