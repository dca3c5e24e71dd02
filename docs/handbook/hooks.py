"""What MkDocs asks while it builds the site: more files, and pages with their links and generated parts.

Nothing is written beside the sources. Pictures are taken from the folder that FWENGINE_PICTURES names (`tests/browser` makes
them); without it the pages go without.
"""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # MkDocs knows this file alone
sys.dont_write_bytecode = True

from handbook import places, schemas  # noqa: E402
from handbook.filling import filled  # noqa: E402

PICTURE = re.compile(r"^!\[[^\]]*\]\((?:\.\./)*pictures/([\w-]+\.png)\)(?:\{[^}]*\})?$\n*", re.MULTILINE)


def pictures() -> dict[str, Path]:
    """The pictures that there are, by name."""
    folder = os.environ.get("FWENGINE_PICTURES")
    return {path.name: path for path in sorted(Path(folder).glob("*-light.png"))} if folder else {}


def on_config(config: Any) -> Any:
    """Makes the language known to what colours code."""
    import_module("pygments.lexers._mapping").LEXERS["FwlLexer"] = (
        "handbook.lexer", "fwengine", ("fwl",), ("*.fwl",), (),
    )  # fmt: skip
    return config


def on_files(files: Any, config: Any) -> Any:
    """The files that do not lie in `docs/`."""
    file = import_module("mkdocs.structure.files").File
    for name, place in {**places.PAGES, **places.FILES}.items():
        files.append(file.generated(config, place, abs_src_path=str(places.ROOT / name)))
    for name in places.examples():
        files.append(file.generated(config, name, abs_src_path=str(places.ROOT / name)))
    for name, text in schemas.files():
        files.append(file.generated(config, f"reference/schema/{name}", content=text))
    for name, path in pictures().items():
        files.append(file.generated(config, f"pictures/{name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """The page with its generated parts; links as they are in the site; without pictures that there are not."""
    home = {place: name for name, place in places.PAGES.items()}.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    there = pictures()
    text = PICTURE.sub(lambda found: found[0] if found[1] in there else "", markdown)
    return filled(places.relinked(text, home))
