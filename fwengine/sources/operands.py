"""What an operand names: a file, the files that a pattern matches, all that is in a folder. Knows nothing of what is in them."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from ..errors import CaptureError


def named_files(specs: Iterable[str], code: str) -> list[str]:
    """The files that operands name: themselves, those that a pattern matches, all in a folder; sorted within each.

    Raises:
        CaptureError: with this code, if an operand names no file.
    """
    out: list[str] = []
    for spec in specs:
        if spec == "-":
            out.append(spec)
        elif Path(spec).is_dir():
            found = sorted(
                str(path) for path in Path(spec).rglob("*") if path.is_file() and not path.name.startswith(".")
            )
            if not found:
                raise CaptureError(code, spec, "there is no file in the folder")
            out += found
        elif glob.has_magic(spec) and not Path(spec).exists():
            found = sorted(path for path in glob.glob(spec, recursive=True) if Path(path).is_file())  # noqa: PTH207  # a pattern may begin at the root
            if not found:
                raise CaptureError(code, spec, "the pattern matches no file")
            out += found
        else:
            out.append(spec)
    return out
