"""Console blocks of pages: each command must print what is shown behind it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from .paths import ROOT


def blocks_of(text: str) -> list[str]:
    """The insides of the blocks marked `console`."""
    return re.findall(r"^```console\n(.*?)^```", text, re.M | re.S)


def commands_of(block: str) -> list[tuple[str, str]]:
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


def rewritten(text: str, scratch: Path, folder: Path) -> str:
    """A page whose console blocks show what its commands print now, run one after the other in one folder."""

    def again(block: re.Match[str]) -> str:
        lines: list[str] = []
        for command, _ in commands_of(block[1]):
            lines += [f"$ {command}", *printed(command, scratch, folder).rstrip().splitlines()]
        return "```console\n" + "\n".join(lines) + "\n```"

    return re.sub(r"^```console\n(.*?)^```$", again, text, flags=re.M | re.S)


def printed(command: str, scratch: Path, folder: Path = ROOT) -> str:
    """What a command prints in a folder, standard error included; `scratch` is one for the program's stand-in."""
    shim = scratch / "fwengine"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fwengine "$@"\n')
    shim.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{scratch}:{os.environ['PATH']}",
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
    return done.stdout
