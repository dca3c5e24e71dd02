"""`fwengine explain`: what a diagnostic code means."""

from __future__ import annotations

import textwrap

import click

from .options import say


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> int:
    """Explain a diagnostic code; without one, list them all."""
    from ..codes import EXPLANATIONS
    from ..registry.names import near

    if code is None:
        for name, text in EXPLANATIONS.items():
            say(f"{name}  {text.split('. ')[0].split(chr(10))[0].rstrip('.:')}")
        return 0
    name = code.upper()
    if name not in EXPLANATIONS:
        meant = near(name, EXPLANATIONS, digits_too=True) or [
            code for code in EXPLANATIONS if len(name) > 2 and code.startswith(name)
        ]
        raise click.UsageError(
            f"no code `{code}`." + (f" Did you mean `{meant[0]}`?" if meant else " `fwengine explain` lists them.")
        )
    say(name)
    say()
    for paragraph in EXPLANATIONS[name].split("\n\n"):
        say(paragraph if paragraph.startswith("    ") else textwrap.fill(paragraph, 80))
        say()
    return 0
