"""`fwengine explain`: what a diagnostic code means."""

from __future__ import annotations

import click

from .options import color_option, format_option, say_answer, style_of


@click.command("explain")
@click.argument("code", required=False)
@format_option("text", "json", "jsonl", "markdown")
@color_option
def command(code: str | None, format_: str, color: str) -> int:
    """Explain a diagnostic code; without one, list them all."""
    from ..codes import EXPLANATIONS
    from ..registry.names import near
    from ..report.described import CodeMeaning, Explained

    chosen = list(EXPLANATIONS)
    if code is not None:
        name = code.upper()
        if name not in EXPLANATIONS:
            meant = near(name, EXPLANATIONS, digits_too=True) or [
                c for c in EXPLANATIONS if len(name) > 2 and c.startswith(name)
            ]
            hint = f" Did you mean `{meant[0]}`?" if meant else " `fwengine explain` lists them."
            raise click.UsageError(f"no code `{code}`.{hint}")
        chosen = [name]
    answer = Explained(tuple(CodeMeaning.of(name, EXPLANATIONS[name]) for name in chosen), code is None)
    say_answer(answer, format_, (), style_of(color))
    return 0
