"""What this package was made of: a digest of its sources, and whether what runs was made of them.

A verdict is worth what the program is that gave it. Bytecode may be that of a source that was edited within a second and
kept its size, a native module that of another checkout: then a text says one thing and the machine does another.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent
KINDS: Final = (".py", ".pyi", ".lark", ".tables", ".tsv", ".html", ".css", ".js")
_HEADER: Final = 16  # bytes of a .pyc before its code


def sources() -> list[Path]:
    """The files that the package consists of, what is compiled from C left out."""
    return sorted(path for path in PACKAGE.rglob("*") if path.suffix in KINDS and path.is_file())


def digest() -> str:
    """SHA-256 over names and contents of all `sources`, in hexadecimal digits."""
    return _digest((path.relative_to(PACKAGE).as_posix(), path) for path in sources())


def native_digest() -> str | None:
    """SHA-256 over the C sources of the native module; None where they are not here, as in an installed wheel."""
    folder = PACKAGE / "native"
    found = sorted([*folder.glob("*.c"), *folder.glob("*.h")])
    return _digest((path.name, path) for path in found) if found else None


def _digest(files: Iterable[tuple[str, Path]]) -> str:
    found = hashlib.sha256()
    for name, path in files:
        data = path.read_bytes()
        found.update(f"{name}\0{len(data)}\0".encode() + data)
    return found.hexdigest()


def stale_bytecode() -> list[Path]:
    """The sources whose bytecode Python would take although it is that of another text.

    Complexity: compiles every source that has bytecode.
    """
    return [path for path in sources() if path.suffix == ".py" and _is_stale(path)]


def _is_stale(path: Path) -> bool:
    try:
        kept = Path(cache_from_source(str(path))).read_bytes()
    except (OSError, NotImplementedError):  # none, or a Python that keeps none
        return False
    if kept[:4] != MAGIC_NUMBER or kept[4:8] != bytes(
        4
    ):  # of another Python; or compared by its digest when it is loaded
        return False
    there = path.stat()
    stamp = (int(there.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little") + (there.st_size & 0xFFFFFFFF).to_bytes(
        4, "little"
    )
    if kept[8:_HEADER] != stamp:
        return False
    try:
        code = marshal.loads(kept[_HEADER:])  # noqa: S302  # Python would run it
    except (EOFError, ValueError, TypeError):
        return True
    return bool(code != compile(path.read_bytes(), str(path), "exec", dont_inherit=True))
