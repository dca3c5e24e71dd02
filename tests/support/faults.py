"""A command whose calls to the system fail one by one: every file of the folder it works in, and standard output.

As a program (with `faults.c` loaded before the C library): reads a job as JSON, does the command again and again, each time in a
child with another call failing, and prints what each left as lines of JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_suffix(".c")


@dataclass(frozen=True)
class Left:
    """What a run left: its exit code, its streams, the folder's files by name, its calls and the one that failed."""

    code: int
    out: str
    err: str
    files: dict[str, str]
    calls: int
    failed: str


def build(folder: Path) -> Path:
    """The library that makes calls fail.

    Raises:
        OSError, subprocess.CalledProcessError: without a compiler.
    """
    made = folder / "faults.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", made, SOURCE, "-ldl"], check=True, capture_output=True)
    return made


def failing(library: Path, folder: Path, words: list[str], most: int, every: int = 1) -> Iterator[Left]:
    """The run without a fault, then those in which each call, or every so-maniest, of the first `most` fails."""
    job = {"library": str(library), "folder": str(folder), "words": words, "most": most, "every": every}
    done = subprocess.run(
        [sys.executable, __file__], input=json.dumps(job), capture_output=True, text=True, check=False, timeout=900,
        env={**os.environ, "LD_PRELOAD": str(library), "COLUMNS": "100", "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        yield Left(**json.loads(line))


def _files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_bytes().decode("latin-1")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _child(faults: Any, work: Path, streams: Path, words: list[str], n: int) -> None:
    """The command, in this process, which ends here."""
    from fwengine import cli

    os.chdir(work)
    for fd, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(streams / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
    sys.argv = ["fwengine", *words]
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    code: object = 99
    faults.fault_arm(str(work).encode(), n)
    try:
        cli.main()
    except SystemExit as left:
        code = left.code
    except BaseException:
        import traceback

        traceback.print_exc()
    failed = ctypes.create_string_buffer(32)
    calls = faults.fault_disarm(failed, len(failed))
    sys.stderr.flush()
    (streams / "calls").write_text(f"{calls} {failed.value.decode()}")
    os._exit(code if isinstance(code, int) else 98)


def _main() -> None:
    sys.path.insert(0, str(SOURCE.parents[2]))
    job = json.load(sys.stdin)
    faults, template = ctypes.CDLL(job["library"]), Path(job["folder"])
    work, streams = template.with_name("work"), template.with_name("streams")
    streams.mkdir()
    n, calls = 0, 0
    while n == 0 or n <= min(calls, job["most"]):
        shutil.copytree(template, work)
        child = os.fork()
        if not child:
            _child(faults, work, streams, job["words"], n)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told, _, failed = (streams / "calls").read_text().partition(" ")
        calls = calls or int(told)
        out, err = ((streams / name).read_bytes().decode("latin-1") for name in ("out", "err"))
        left = {"code": code, "out": out, "err": err, "files": _files(work), "calls": int(told), "failed": failed}
        print(json.dumps(left))
        shutil.rmtree(work)
        n += job["every"]


if __name__ == "__main__":
    _main()
