"""What stands beside the text: the numbers behind the names of ports, and what is proved of each expectation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..analysis.prove import Status, prove
from ..errors import LimitError, Span
from ..registry import names
from ..report.packets import details_of, packet_text
from .opened import Opened

_PORT: Final = re.compile(r"\b(?:port|ports [\w.-]+ =)[ \t]+(?:not[ \t]+)?(\{[^{}]*\}|[^\s{}]+)")
_NAME: Final = re.compile(r"[A-Za-z][\w.-]*")
_CALLED: Final = re.compile(r"[ \t]*(?:allow|deny|expect[ \t]+(?:allow|deny))[ \t]+(\S+)")


@dataclass(frozen=True)
class Hint:
    """A text to show behind a place."""

    line: int
    column: int
    text: str


@dataclass(frozen=True)
class Lens:
    """A line of text to show over a statement; `packet` is one to ask about, where there is one."""

    span: Span
    text: str
    packet: str | None = None


def hints(opened: Opened, first: int, last: int) -> Iterator[Hint]:
    """The numbers behind the names of ports, on some lines: ` = 443`."""
    if opened.foreign or opened.policy is None:
        return
    texts = opened.lines
    own = opened.policy.names.defined
    for number in range(first, min(last, len(texts)) + 1):
        line = texts[number - 1].partition("#")[0]
        called = _CALLED.match(line)
        protocol = names.protocol(called[1]) if called else None
        for match in _PORT.finditer(line):
            for name in _NAME.finditer(line, match.start(1), match.end(1)):
                if name[0] in own or name[0] in ("not", "except"):
                    continue
                said = _number(name[0], protocol)
                if said:
                    yield Hint(number, name.end() + 1, f" = {said}")


def _number(name: str, protocol: int | None) -> str:
    known = names.port_class(name)
    if known is not None:
        return f"{known.lo}-{known.hi}"
    found = names.protocols_of(name)
    if protocol is not None:
        found = {p: chosen for p, chosen in found.items() if p == protocol}
    said = {", ".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in chosen) for chosen in found.values()}
    return said.pop() if len(said) == 1 else ""


def lenses(opened: Opened, hits: dict[str, int] | None = None) -> Iterator[Lens]:
    """What is proved of each expectation of the file, and how many packets of a capture each rule decided.

    Nothing is said of expectations while a line of the policy has no meaning: what would be true of the rest may not be.
    """
    policy = opened.policy
    if policy is None:
        return
    if hits is not None:
        seen = set()
        for rule in policy.rules:
            if rule.span.file == opened.file and rule.span not in seen:
                seen.add(rule.span)
                yield Lens(rule.span, f"{hits.get(rule.label, 0):,} packets of the capture")
    for expectation in policy.expectations:
        if expectation.span.file != opened.file:
            continue
        if opened.errors:
            yield Lens(expectation.span, "not asked: the policy has errors")
            continue
        try:
            proof = prove(policy, expectation)
        except LimitError as error:
            yield Lens(expectation.span, f"unknown: {error}")
            continue
        if proof.status is Status.PROVED:
            yield Lens(expectation.span, "proved")
        elif proof.counterexample is None:
            yield Lens(expectation.span, "about no packet: it proves nothing")
        else:
            packet = packet_text(proof.counterexample, policy, kept=details_of(expectation.boxes))
            assert proof.verdict is not None
            yield Lens(
                expectation.span, f"does not hold: {packet} is {proof.verdict.action} by {proof.verdict.by}", packet
            )
