"""`fwengine version`: what is installed, and which engines are live."""

from __future__ import annotations

import platform
import sys

import click

from .._version import __version__
from ..errors import PolicyError
from .failure import show_policy_error
from .output import complain, say


@click.command(
    "version",
    epilog="\b\nExit codes: 0 told; 1 what runs was not made of the sources beside it;\n2 could not answer.\n",
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Also tell the engines, the libraries, the machine and the configuration."
)
def command(verbose: bool) -> int:
    """Tell the version and, with --verbose, which engines are live and of which sources all of it was made.

    Two machines with the same digests give the same answers. Exits 1 if what runs was not made of the sources beside it.
    """
    say(f"fwengine {__version__}")
    if verbose:
        from importlib.metadata import version

        say(
            f"python   {platform.python_version()} ({sys.implementation.name}) on {platform.system()} {platform.machine()}"
        )
        for name in ("lark", "netaddr", "click"):
            say(f"{name:<8} {version(name)}")
        say("engines  tree: live (plain Python)")
        from ..native import available, engines, why_not

        live = available()
        say(f"         native: live ({', '.join(engines())})" if live else f"         native: absent ({why_not()})")
        return max(_made_of(live), _configured())
    return 0


def _configured() -> int:
    """Tells the configuration that commands take here; 2 if it is wrong."""
    from ..sources.configuration import nearest

    try:
        found = nearest().file
    except PolicyError as error:
        show_policy_error(error)
        return 2
    say(f"config   {found or 'none'}")
    return 0


def _made_of(native: bool) -> int:
    """Tells the digests of the sources and of the native module; 1 if something was made of other sources than these."""
    from .. import build

    wrong = []
    say(f"sources  sha256:{build.digest()} ({len(build.sources())} files)")
    stale = build.stale_bytecode()
    wrong += [f"the bytecode of {path.relative_to(build.PACKAGE)} is that of another text: remove it" for path in stale]
    if native:
        from ..native import _native

        built, here = _native.sources, build.native_digest()
        say(f"         native module, built of sha256:{built or 'unknown'}")
        if built and here not in (None, built):
            wrong.append(f"the C sources beside the native module are others, sha256:{here}: build it anew")
    for text in wrong:
        complain(f"error: {text}")
    return 1 if wrong else 0
