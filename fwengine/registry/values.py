"""Names of numbers that a field of the IP header may have: the same for every protocol.

IANA's registry "Differentiated Services Field Codepoints" (RFC 2474 section 6, as RFC 8436 divides it): RFC 2474 (cs), 2597
(af), 3246 (ef), 5865 (voice-admit), 8622 (le). Looked up without regard to case. `be` and `default` are what many call 0,
but `default` is a word of the language; nothing else is understood.
"""

from __future__ import annotations

from collections.abc import Mapping

_DSCP = {
    **{f"cs{n}": 8 * n for n in range(8)},
    **{f"af{n}{drop}": 8 * n + 2 * drop for n in (1, 2, 3, 4) for drop in (1, 2, 3)},
    "be": 0, "le": 1, "voice-admit": 44, "ef": 46,
}  # fmt: skip

_NAMED: Mapping[str, Mapping[str, int]] = {"dscp": _DSCP}  # by the field's word
_SHOWN = {
    word: {number: name for name, number in reversed(list(names.items()))} for word, names in _NAMED.items()
}  # of several names the first


def named(word: str, name: str) -> int | None:
    """The number that a name stands for in a field; None if there is none.

    >>> named("dscp", "EF"), named("dscp", "af11"), named("ttl", "ef")
    (46, 10, None)
    """
    return _NAMED.get(word, {}).get(name.lower() if name.isascii() else "")


def name_of(word: str, number: int) -> str | None:
    """The name to show for a number, which `named` reads back; None if it has none.

    >>> name_of("dscp", 0), name_of("dscp", 46), name_of("dscp", 45)
    ('cs0', 'ef', None)
    """
    return _SHOWN.get(word, {}).get(number)


def names_in(word: str) -> tuple[str, ...]:
    """Every name that `named` knows in a field."""
    return tuple(_NAMED.get(word, ()))
