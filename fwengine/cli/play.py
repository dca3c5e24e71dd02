"""`fwengine play`: the playground, served to a browser on this machine."""

from __future__ import annotations

import json
import posixpath
import secrets
import sys
from pathlib import Path

import click

from .options import color_option
from .output import note, say

EPILOG = """\b
Exit codes: 0 it was ended with Ctrl-C; 2 the playground is not installed, the
policy cannot be read, or the port is taken.
"""


@click.command("play", epilog=EPILOG)
@click.argument("policy", required=False, type=click.Path(path_type=str), metavar="[POLICY]")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port to serve on.  [default: a free one]"
)
@click.option(
    "--open",
    "browse",
    is_flag=True,
    help="Also open it in the browser, among whose arguments other users of this machine can read the address.",
)
@click.option(
    "--site",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The playground in this folder, not the one that is installed.",
)
@color_option
def command(policy: str | None, port: int, browse: bool, site: Path | None, color: str) -> int:
    """Serve the playground: an editor with live findings, packets, proofs and captures, in a browser, with POLICY in it.

    Nobody but this machine can reach it, and nothing leaves the page: the engine runs in the browser. The playground is a package
    of its own, `fwengine_playground`, beside each release; `docs/how-to/playground.md` tells how to build it.
    """
    from .._version import __version__
    from .serving import HOST, Server, SiteError, installed, read_site

    given: dict[str, bytes] = {}
    fragment = ""
    if policy is not None:
        token = secrets.token_urlsafe(
            24
        )  # other users do not know it, unless `--open` has put it among a browser's arguments
        given[f"/given/{token}.json"] = _given(policy)
        fragment = f"#given={token}"
    try:
        found = read_site(site if site is not None else installed())
    except SiteError as error:
        raise click.UsageError(str(error)) from None
    if found.version != __version__:
        note(f"the playground is of fwengine {found.version}, and this is {__version__}")
    try:
        server = Server(found, given, port)
    except OSError as error:
        raise click.UsageError(f"port {port} cannot be served: {(error.strerror or str(error)).lower()}") from None
    address = f"http://{HOST}:{server.port}/{fragment}"
    with server:
        say(address)
        if sys.stdout is not None:
            sys.stdout.flush()
        note("Ctrl-C ends it")
        if browse:
            import webbrowser

            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    raise AssertionError("a server serves until it is interrupted")


def _given(spec: str) -> bytes:
    """A policy's text and the texts that it includes, as the page takes them; it may have errors, and is shown with them.

    Raises:
        PolicyError: if it cannot be read.
    """
    from ..errors import PolicyError
    from ..sources.gathering import gather
    from ..sources.opening import open_source
    from ..sources.source import STDIN

    source = open_source(spec)
    found = gather(source)
    if source.name not in found.texts:
        raise PolicyError(found.errors)
    texts = {name.removeprefix(source.shown): text for name, text in found.texts.items()}
    main = source.file.replace("\\", "/")
    folder = posixpath.dirname(main)
    beside = {posixpath.relpath(name, folder or "."): text for name, text in texts.items() if name != source.file}
    name = "policy" if source.file == STDIN else posixpath.basename(main)
    return json.dumps({"name": name, "text": texts[source.file], "files": beside}).encode("ascii")
