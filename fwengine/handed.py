"""What the layers above hand to the values below: how a value reads in a sentence, as a row of a table, in a notebook.

Values know neither the language nor how answers are printed. The top of the package names who does, and that is loaded
when it is first asked: `fwengine/__init__.py` has the table. This module knows nothing of either side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar


class Handed:
    """`load` finds what was handed in under a name."""

    load: ClassVar[Callable[[str], Any]]


class Shown:
    """A value that reads as a sentence, and shows itself in a notebook."""

    __slots__ = ()

    def __str__(self) -> str:
        return str(Handed.load("sentence")(self))

    def _repr_html_(self) -> str:
        return str(Handed.load("html")(self))
