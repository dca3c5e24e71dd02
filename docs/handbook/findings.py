"""The reference of diagnostic codes, made of the table that `fwengine explain` has; each code has an anchor of its own name."""

from __future__ import annotations

from typing import Final

from fwengine.codes import EXPLANATIONS, FINDINGS

FAMILIES: Final = {
    "FW0": "Statements and words",
    "FW1": "Names and values",
    "FW2": "Rules that do not matter",
    "FW3": "Risk",
    "FW4": "Rule sets of other firewalls",
    "FW5": "Answers that could not be given, or are about nothing",
    "FW6": "What answers say of places",
    "FW9": "Captures and logs",
}


def reference() -> str:
    """Every code with its explanation, by family."""
    parts = []
    for family, title in FAMILIES.items():
        parts.append(f"## {family}xx: {title} {{ #{family.lower()}xx }}")
        for code, told in EXPLANATIONS.items():
            if code.startswith(family):
                parts += [f"### {code} {{ #{code.lower()} }}", *_short(code), told]
    return "\n\n".join(parts)


def _short(code: str) -> list[str]:
    return [f"*{FINDINGS[code][0].upper()}{FINDINGS[code][1:]}.*"] if code in FINDINGS else []
