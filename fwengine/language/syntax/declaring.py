"""Interfaces that are declared elsewhere than in a policy: each by its own name, as statements of the language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ...errors import Span
from .ast import Definition, Statement, Word

ELSEWHERE: Final = "<configuration>"


def declarations(names: Iterable[str], beside: Sequence[Statement]) -> list[Statement]:
    """`interface NAME = NAME` for each name that no statement beside them defines: what those say goes before.

    >>> [s.content.name.text for s in declarations(["lan0", "wan0"], [])]
    ['lan0', 'wan0']
    """
    wanted = list(names)
    if not wanted:
        return []
    defined = {s.content.name.text for s in beside if isinstance(s.content, Definition)}
    return [
        Statement(Definition("interface", Word(name), Word(name)), "", Span(ELSEWHERE, number, 1, number, 1))
        for number, name in enumerate(wanted, 1)
        if name not in defined
    ]
