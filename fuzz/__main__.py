"""`python -m fuzz NAME`: a target over changed inputs, for some seconds; what is to hold stands on top of the target's module.

Any target is a function of bytes. It is run by this loop, by Hypothesis in the tests (`tests/fuzz`), and by atheris where that is
installed (`--atheris`). What breaks one is kept: put it into `fuzz/regressions/NAME`, where the tests run it for ever.
"""

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

from target import Target, hanging
from targets import TARGETS


def main() -> int:
    """The loop, or atheris."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="fuzz targets over changed inputs")
    parser.add_argument("name", choices=[*TARGETS, "all"])
    parser.add_argument("--seconds", type=float, default=30, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(), help="where an input that breaks the invariant is written")
    parser.add_argument("--atheris", action="store_true", help="let atheris, which must be installed, find the inputs")
    given = parser.parse_args()
    chosen = list(TARGETS.values()) if given.name == "all" else [TARGETS[given.name]]
    if given.atheris:
        return _atheris(chosen[0])
    return max(_loop(target, given.seconds, given.seed, given.keep) for target in chosen)


def _loop(target: Target, seconds: float, seed: int, keep: Path) -> int:
    draw, files, runs = random.Random(seed), target.corpus(), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = target.change(draw, files)
        try:
            with hanging():
                target.run(data)
        except Exception:  # whatever it is, it is what is looked for
            traceback.print_exc()
            kept = keep / f"broken-{target.name}"
            kept.write_bytes(data)
            print(f"{target.name}: broken by input {runs} of seed {seed}, kept as {kept}", file=sys.stderr)
            return 1
        runs += 1
    print(f"{target.name}: {runs:,} inputs, none breaks the invariant", flush=True)
    return 0


def _atheris(target: Target) -> int:
    atheris = importlib.import_module("atheris")
    atheris.Setup([sys.argv[0]], target.run)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
