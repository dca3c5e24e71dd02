"""`python -m fuzz NAME`: a target of `readers` over changed files, for some seconds; see there for what is to hold."""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
import traceback
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from readers import TARGETS, changed, corpus


def main() -> int:
    """The loop, or atheris."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description="readers of other firewalls' rule sets over changed files"
    )
    parser.add_argument("name", choices=[*TARGETS, "all"])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(), help="where an input that breaks the invariant is written")
    parser.add_argument("--atheris", action="store_true", help="let atheris, which must be installed, find the inputs")
    given = parser.parse_args()
    names = list(TARGETS) if given.name == "all" else [given.name]
    if given.atheris:
        return _atheris(names[0])
    for name in names:
        draw, files, runs = random.Random(given.seed), corpus(name), 0
        end = time.monotonic() + given.seconds / len(names)
        while time.monotonic() < end:
            data = changed(draw, files)
            try:
                TARGETS[name](data)
            except Exception:  # whatever it is, it is what is looked for
                traceback.print_exc()
                kept = given.keep / f"broken-{name}"
                kept.write_bytes(data)
                print(f"{name}: broken by input {runs} of seed {given.seed}, kept as {kept}", file=sys.stderr)
                return 1
            runs += 1
        print(f"{name}: {runs:,} inputs, none breaks the invariant")
    return 0


def _atheris(name: str) -> int:
    atheris = importlib.import_module("atheris")
    atheris.Setup([sys.argv[0]], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
