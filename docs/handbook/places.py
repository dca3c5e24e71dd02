"""Where files of the repository that are not pages of `docs/` stand in the site: examples, changes, security, benchmarks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = {  # each a page of the site
    "rules/README.md": "rules/index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "bench/README.md": "project/benchmarks.md",
}
FILES: Final = {"LICENSE": "project/LICENSE.txt"}  # and each file of an example, by its own name
_LINK: Final = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def examples() -> Iterator[str]:
    """The files below `rules/` but for its page."""
    for path in sorted((ROOT / "rules").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and name not in PAGES:
            yield name


def place_of(name: str) -> str | None:
    """Where a file of the repository, or a folder with a page of its own, stands in the site; None if it does not."""
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    if (ROOT / name / "README.md").is_file():
        name = f"{name}/README.md"
    if name in PAGES or name in FILES:
        return PAGES.get(name) or FILES[name]
    return name if name.startswith("rules/") and (ROOT / name).is_file() else None


def relinked(text: str, home: str) -> str:
    """A page of the repository with its links as they are in the site; those to files that it does not have become their words.

    What is not in the repository either is left, to be complained of.
    """
    here = posixpath.dirname(place_of(home) or home)

    def link(found: re.Match[str]) -> str:
        words, target, anchor = found.groups()
        name = posixpath.normpath(posixpath.join(posixpath.dirname(home), target))
        place = place_of(name)
        if place is not None:
            return f"[{words}]({posixpath.relpath(place, here or '.')}{anchor or ''})"
        return words if (ROOT / name).exists() else found[0]

    return _LINK.sub(link, text)
