"""The command line as tests call it: in this process, where that is enough, or as a program of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from support.paths import ROOT

from fwengine import cli

_OURS = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL")

# A policy with everything that a screen may have to show: services, nameless and expired rules, flags, interfaces.
EDGE = """\
net     office = { 10.20.0.0/16, 2001:db8:20::/48 }
net     web    = 192.0.2.80
net     mail   = { 192.0.2.25, 192.0.2.26 }
service www    = { tcp/http, tcp/https }
service dns    = { udp/domain, tcp/domain }

deny  any from office in wan0 as spoofed
allow www to web as web-in
allow tcp from web port http to any port 1024-65535 established
allow dns from office as dns-out
allow icmp to web type echo-request as ping
allow tcp from office to web port { ssh, 8000-8080 } until 2026-06-30 as admin
deny  tcp from not { office, web } to mail port smtp
"""


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout, of our version, without the command's name; `errors`, which all have, only if there are any."""
        document = json.loads(self.out)
        assert document.pop("format_version") == "2.0"
        document.pop("command", None)
        if not document["errors"]:
            del document["errors"]
        return document

    @property
    def lines(self) -> list[Any]:
        """The documents on stdout, one a line, but not the summary that is the last."""
        found = [json.loads(line) for line in self.out.splitlines()]
        assert all("summary" not in line for line in found[:-1])
        return found[:-1] if found and "summary" in found[-1] else found


class Screen(io.TextIOWrapper):
    """A stream in memory that may say it is a terminal."""

    def __init__(self, encoding: str = "utf-8", *, tty: bool = False, errors: str = "strict") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors=errors, newline="")
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty

    @property
    def data(self) -> bytes:
        self.flush()
        held = self.buffer
        assert isinstance(held, io.BytesIO)
        return held.getvalue()


def run(
    *arguments: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
    tty: str = "",
) -> Done:
    """A command in this process; `tty` names the streams that are terminals: "out", "err" or both."""
    out, err = Screen(encoding, tty="out" in tty), Screen(encoding, tty="err" in tty, errors="backslashreplace")
    inside = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if key not in _OURS}
    with (
        mock.patch.dict(os.environ, {**kept, "COLUMNS": "100", **(env or {})}, clear=True),
        mock.patch.multiple(sys, argv=["fwengine", *map(str, arguments)], stdin=inside, stdout=out, stderr=err),
    ):
        try:
            cli.main()
        except SystemExit as left:
            code = left.code
    assert isinstance(code, int)
    return Done(code, out.data.decode(encoding), err.data.decode(encoding))


def program(
    *arguments: str | bytes | Path,
    stdin: bytes | int = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdout: Any = subprocess.PIPE,
    stderr: Any = subprocess.PIPE,
    script: str | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """A command as a program of its own; with a `script`, that Python program instead."""
    kept = {key: value for key, value in os.environ.items() if key not in _OURS}
    begin = [sys.executable, "-c", script] if script is not None else [sys.executable, "-m", "fwengine"]
    return subprocess.run(
        [*begin, *arguments],
        input=stdin if isinstance(stdin, bytes) else None,
        stdin=stdin if isinstance(stdin, int) else None,
        stdout=stdout,
        stderr=stderr,
        env={**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **(env or {})},
        cwd=cwd,
        timeout=60,
        check=False,
    )
