"""The package's bytecode, compared with its sources by digest and not by size and second.

Python takes bytecode for that of a source if size and time of change, in whole seconds, are the same. A source that a test,
a mutation or a person edits and puts back within a second keeps both, and everything after runs what was never written:
a proof once came out wrong that way. Bytecode with a digest of its source is compared each time it is loaded (PEP 552).
"""

from __future__ import annotations

import py_compile
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

CHECKED = (0b11).to_bytes(4, "little")  # has a digest, and is compared


def check_by_digest(folder: Path) -> int:
    """Compiles all modules whose bytecode is not compared by digest; how many those were."""
    count = 0
    for path in folder.rglob("*.py"):
        kept = Path(cache_from_source(str(path)))
        try:
            with kept.open("rb") as stream:
                head = stream.read(8)
        except OSError:
            head = b""
        if head != MAGIC_NUMBER + CHECKED:
            py_compile.compile(str(path), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
            count += 1
    return count
