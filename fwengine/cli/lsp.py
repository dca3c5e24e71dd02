"""`fwengine lsp`: policies in an editor."""

from __future__ import annotations

import click


@click.command("lsp", epilog="\b\nExit codes: 0 the client ended it; 2 the server's library is not installed.\n")
def command() -> int:
    """Serve an editor by the language server protocol, on standard input and output.

    Findings while one types, quick fixes, what a name or a rule means, completion, renaming, formatting. It needs the extra
    `lsp`: `pip install 'fwengine[lsp]'`. `docs/how-to/editors.md` has the settings of editors.
    """
    try:
        from ..lsp.server import run
    except ModuleNotFoundError as error:
        if error.name not in ("pygls", "lsprotocol"):
            raise
        raise click.UsageError("the language server needs `pygls`: pip install 'fwengine[lsp]'") from None
    run()
    return 0
