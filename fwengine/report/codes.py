"""All diagnostic codes of the package, gathered from those who issue them."""

from __future__ import annotations

from ..formats import codes as formats
from ..language import codes as language
from ..packets import codes as packets
from . import failure, findings


def explanations() -> dict[str, str]:
    """For each code, in order, what it means and what to do."""
    sources = (language, findings, failure, formats, packets)
    return dict(sorted(entry for source in sources for entry in source.EXPLANATIONS.items()))
