"""Policies as commands take them: a file, or `-` for standard input."""

from __future__ import annotations

import datetime
from pathlib import Path

from ..model.rules import Policy
from ..sources.loading import load, load_from
from .options import read_stdin

STDIN = "<stdin>"


def load_policy(path: str, as_of: datetime.date | None) -> Policy:
    """The policy in a file, or on standard input for `-`; what that includes is looked up from the working directory.

    Raises:
        PolicyError: with every diagnostic.
    """
    if path != "-":
        return load(path, as_of=as_of)
    return load_from(STDIN, lambda name: read_stdin() if name == STDIN else Path(name).read_bytes(), as_of=as_of)
