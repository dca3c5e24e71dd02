"""`fwengine version`: what is installed, and which engines are live."""

from __future__ import annotations

import platform
import sys

import click

from .._version import __version__
from .options import say


@click.command("version")
@click.option("-v", "--verbose", is_flag=True, help="Also tell the engines, the libraries and the machine.")
def command(verbose: bool) -> int:
    """Tell the version and, with --verbose, which engines are live."""
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

        say(
            f"         native: live ({', '.join(engines())})"
            if available()
            else f"         native: absent ({why_not()})"
        )
    return 0
