"""Names that captures give where they know no interface: which of them name one. Knows neither bytes nor files.

Seen in captures: Wireshark up to 2.4 wrote a sentence when it saved a pcap as pcapng, `-` and a path stand for a pipe
that was read, text2pcap makes an interface up, and macOS lists several behind a comma.
"""

from __future__ import annotations

_SENTENCES = ("unknown/not available in original file format", "fake if,")
_WORDS = frozenset({"", "-", "unknown", "<unknown>", "stdin", "<stdin>", "standard input"})


def recorded_name(name: str) -> str:
    """The name of an interface, or the empty string for what names none.

    >>> recorded_name("eth0"), recorded_name("-")
    ('eth0', '')
    """
    lowered = name.strip().lower()
    if lowered in _WORDS or lowered.startswith(_SENTENCES) or name.startswith("/") or "," in name:
        return ""
    return name
