"""`fwengine check`: errors of policies."""

from __future__ import annotations

import datetime
from typing import Any

import click

from ..errors import Diagnostic, PolicyError
from .options import as_of_option, color_option, format_option, policy_files, say, say_json, say_json_line, style_of


@click.command("check")
@click.argument("policies", nargs=-1, required=True, type=click.Path(path_type=str), metavar="POLICY...")
@format_option("text", "json", "jsonl")
@as_of_option
@color_option
def command(policies: tuple[str, ...], format_: str, as_of: datetime.date | None, color: str) -> int:
    """Find every error of policies, in files and folders.

    Exits 0 if there is none, 2 if a policy does not compile.
    """
    from ..load import load
    from ..report.screen import render

    style = style_of(color)
    failed = False
    findings: list[dict[str, Any]] = []
    for path in policy_files(policies):
        try:
            policy = load(path, as_of=as_of)
        except PolicyError as error:
            failed = True
            if format_ == "text":
                say(render(error.diagnostics, error.sources, color=style.color))
                count = len(error.diagnostics)
                say(f"{path}: {style(f'{count} error' + 's' * (count != 1), 'red', bold=True)}")
            findings += [_finding(d) for d in error.diagnostics]
            continue
        policy.tree  # noqa: B018  # a policy is clean when it compiles
        if format_ == "text":
            rules = len(policy.rules)
            what = f"{rules} rule{'s' * (rules != 1)}, default {policy.default}"
            if not rules:
                what = f"no rules: every packet is {'denied' if policy.default.value == 'deny' else 'allowed'} by the default"
            say(f"{path}: {style('ok', 'green', bold=True)}, {what}")
    if format_ == "json":
        say_json(findings=findings)
    elif format_ == "jsonl":
        for finding in findings:
            say_json_line(**finding)
    return 2 if failed else 0


def _finding(d: Diagnostic) -> dict[str, Any]:
    return {
        "code": d.code,
        "severity": d.severity,
        "file": d.span.file,
        "line": d.span.line,
        "column": d.span.column,
        "rule": None,
        "message": d.message,
        "label": d.label,
        "help": d.help,
        "blockers": [],
        "witness": None,
    }
