"""What of the real rule sets is exact, ignored and in doubt: `python tests/formats/rulesets.py FOLDER` prints the table."""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fwengine.errors import FwengineError, PolicyError
from fwengine.formats.document import Beside, Document
from fwengine.sources.foreign import Reading, read

KINDS = ("exact", "ignored", "in doubt")
_NOT_RULES = (".lower", ".upper", "LICENSE", "COPYING")  # bounds of the dumps, and licences


class Row(NamedTuple):
    """One file: what was made of it, or why it is refused."""

    name: str
    document: Document | None
    refused: str = ""

    @property
    def statements(self) -> Counter[str]:
        return Counter(self.document.statements if self.document is not None else {})


def rows(folder: Path) -> Iterator[Row]:
    """All files below a folder of rule sets, in order."""
    beside = Beside(lambda name: (folder / name).read_bytes(), lambda name: [p.name for p in (folder / name).iterdir()])
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if any(part in path.name for part in _NOT_RULES):
            continue
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        try:
            document = read(text, name, Reading(), beside)
        except PolicyError as error:
            d = error.diagnostics[0]
            yield Row(name, None, f"line {d.span.line}: {d.message}")
        except FwengineError as error:
            yield Row(name, None, str(error))
        else:
            yield Row(name, document, "" if document is not None else "its format is not read")


def table(found: list[Row]) -> str:
    """By folder: files read and refused, statements by kind."""
    out = ["| folder | files | refused | exact | ignored | in doubt |", "|---|---|---|---|---|---|"]
    for folder in dict.fromkeys(row.name.rpartition("/")[0] for row in found):
        mine = [row for row in found if row.name.rpartition("/")[0] == folder]
        total = sum((row.statements for row in mine), Counter[str]())
        refused = sum(row.document is None for row in mine)
        counts = " | ".join(f"{total[kind]:,}" for kind in KINDS)
        out.append(f"| {folder} | {len(mine)} | {refused} | {counts} |")
    return "\n".join(out)


if __name__ == "__main__":
    everything = list(rows(Path(sys.argv[1])))
    print(table(everything))
    for row in everything:
        if row.document is None:
            print(f"- {row.name}: {row.refused}")
