"""The console blocks of a page: what was typed, and what the page says was printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from support.paths import ROOT


def commands(block: str) -> list[tuple[str, str]]:
    """Each `$ command` of a block with the output shown behind it; a here-document belongs to its command."""
    out: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            out.append((line[2:], []))
        elif "<<'END'" in out[-1][0] and not out[-1][0].endswith("\nEND"):
            out[-1] = (out[-1][0] + "\n" + line, out[-1][1])
        else:
            out[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in out]


def consoles(text: str) -> list[tuple[str, str]]:
    """All commands of a page, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.M | re.S)
    return [pair for block in blocks for pair in commands(block)]


def printed(command: str, folder: Path, programs: Path) -> str:
    """What a command prints in a folder, standard error included; `fwengine` is this checkout's, made in `programs`."""
    shim = programs / "fwengine"
    if not shim.exists():
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fwengine "$@"\n')
        shim.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "80",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.rstrip()
