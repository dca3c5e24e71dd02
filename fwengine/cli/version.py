"""`fwengine version`: what is installed, and which engines are live."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import click

from .._version import __version__
from ..errors import PolicyError
from .failure import Failures
from .options import format_option, say_answer
from .output import complain

if TYPE_CHECKING:
    from ..report.described import Build


@click.command(
    "version",
    epilog="\b\nExit codes: 0 told; 1 what runs was not made of the sources beside it;\n2 could not answer.\n",
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Also tell the engines, the libraries, the machine and the configuration."
)
@format_option("text", "json", "jsonl", "markdown")
def command(verbose: bool, format_: str) -> int:
    """Tell the version and, with --verbose, which engines are live and of which sources all of it was made.

    Two machines with the same digests give the same answers. Exits 1 if what runs was not made of the sources beside it.
    """
    from ..report.described import Version

    failures = Failures()
    made = _build(_configured(failures)) if verbose else None
    say_answer(Version(__version__, made, bool(failures)), format_, failures)
    wrong = made.wrong if made else ()
    for text in wrong:
        complain(f"error: {text}")
    return failures.code(1 if wrong else 0)


def _configured(failures: Failures) -> str | None:
    """The configuration that commands take here."""
    from ..sources.configuration import nearest

    try:
        return nearest().file or None
    except PolicyError as error:
        failures.tell(error)
        return None


def _build(configuration: str | None) -> Build:
    """What runs, and of which sources it was made."""
    from importlib.metadata import version

    from .. import build
    from ..native import available, engines, why_not
    from ..report.described import Build, Engine, Library

    live = available()
    stale = build.stale_bytecode()
    wrong = [f"the bytecode of {path.relative_to(build.PACKAGE)} is that of another text: remove it" for path in stale]
    built = None
    if live:
        from ..native import _native

        built, here = _native.sources or "unknown", build.native_digest()
        if built != "unknown" and here not in (None, built):
            wrong.append(f"the C sources beside the native module are others, sha256:{here}: build it anew")
    return Build(
        platform.python_version(),
        sys.implementation.name,
        f"{platform.system()} {platform.machine()}",
        tuple(Library(name, version(name)) for name in ("lark", "netaddr", "click")),
        (
            Engine("tree", True, ("plain Python",), ""),
            Engine("native", live, tuple(engines()) if live else (), "" if live else str(why_not())),
        ),
        f"sha256:{build.digest()}",
        len(build.sources()),
        f"sha256:{built}" if built else None,
        tuple(wrong),
        configuration,
    )
