"""Pages with their generated parts: a page says by a comment what stands there, as in `<!-- generated: command check -->`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import fwengine
from fwengine import strategies

from . import api, commands, findings, schemas

MAKERS: Final[Mapping[str, Callable[..., str]]] = {
    "commands": commands.index,
    "command": commands.reference,
    "codes": findings.reference,
    "schemas": schemas.reference,
    "api": lambda: api.reference(fwengine),
    "strategies": lambda: api.reference(strategies, "strategies."),
}
_MARK: Final = re.compile(r"^<!-- generated: (\w+)((?: \w+)*) -->$", re.MULTILINE)


def filled(text: str) -> str:
    """The page with all that is generated in its place."""
    return _MARK.sub(lambda mark: MAKERS[mark[1]](*mark[2].split()), text)
