"""What commands that write files answer: `init`, `report`, `synth`, of a capture and its verdicts, and `fmt`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..codes import NOT_CANONICAL, UNEXERCISED
from .answer import Answer, Block, Case, Note, heading, table
from .record import Act, Place, Record, RuleRecord, Size
from .screen import visible
from .style import Style
from .unified import diff_lines
from .wording import counted


@dataclass(frozen=True)
class Started(Answer):
    """The files written to begin with, and what to do `next`; null if not all of them could be written."""

    command: ClassVar[str] = "init"
    rows: ClassVar[str] = "files"

    files: tuple[Place, ...]
    next: str | None

    def lines(self, style: Style) -> Iterator[str]:
        for place in self.files:
            yield visible(f"wrote {place}")
        if self.next is not None:
            yield visible(f"try:  {self.next}")

    def blocks(self) -> Iterable[Block]:
        yield heading("Files written")
        yield table(("file",), [(f"`{place}`",) for place in self.files])
        if self.next is not None:
            yield Block(f"To go on: `{self.next}`")


@dataclass(frozen=True)
class Reported(Answer):
    """The page that was written, what it is about, and how many bytes it has."""

    command: ClassVar[str] = "report"
    rows: ClassVar[str] = "captures"

    policy: str
    old: str | None
    captures: tuple[str, ...]
    logs: tuple[str, ...]
    page: Place
    bytes: Size

    @property
    def told(self) -> str:
        about = [f"`{self.policy}`"]
        about += [f"what changed since `{self.old}`"] * (self.old is not None)
        about += [f"what it does to {counted(len(self.captures), 'capture')}"] * bool(self.captures)
        about += [f"what becomes of the flows of {counted(len(self.logs), 'log')}"] * bool(self.logs)
        return f"wrote `{self.page}`: {counted(self.bytes, 'byte')} about {', '.join(about)}"

    def lines(self, style: Style) -> Iterator[str]:
        yield visible(self.told.replace("`", ""))

    def blocks(self) -> Iterable[Block]:
        yield Block(self.told)


@dataclass(frozen=True)
class SynthesizedPacket(Record):
    """A line of the verdicts' file: a packet of the capture, numbered from 0, what to expect of it, and what it is about."""

    number: int
    packet: str
    verdict: Act
    rule: RuleRecord
    about: str


@dataclass(frozen=True)
class MissedRule(Record):
    """A rule for which there is no packet, and why."""

    rule: RuleRecord
    reason: Literal["unreachable", "not in a capture", "unknown", "beyond the limit"]


@dataclass(frozen=True)
class Synthesized(Answer):
    """The files written, and which rules their packets exercise, the default included."""

    command: ClassVar[str] = "synth"
    rows: ClassVar[str] = "missed"

    capture: str
    kind: Literal["pcap", "pcapng"]
    verdicts: str
    packets: int
    rules: int
    exercised: int
    missed: tuple[MissedRule, ...]
    left_out: int

    def lines(self, style: Style) -> Iterator[str]:
        name, verdicts = style(self.capture, bold=True), style(self.verdicts, bold=True)
        yield f"{name}: {self.packets:,} packets; what to expect of them: {verdicts}"
        yield f"{self.exercised:,} of {self.rules:,} rules exercised, the default included"
        for row in self.missed:
            rule = row.rule
            label = f"{rule.label}  {style(str(rule.place), 'grey')}" if rule.place and rule.named else rule.label
            yield f"  not {label}: {row.reason}"

    def blocks(self) -> Iterable[Block]:
        yield heading(f"`{self.capture}`: {counted(self.packets, 'packet')}")
        yield Block(f"what to expect of them: `{self.verdicts}`; {self.exercised:,} of {self.rules:,} rules exercised")
        if self.missed:
            yield table(("not exercised", "because"), [(f"`{row.rule}`", row.reason) for row in self.missed])

    def notes(self) -> Iterable[Note]:
        for row in self.missed:
            message = f"no packet of `{self.capture}` exercises `{row.rule.label}`: {row.reason}"
            yield Note(UNEXERCISED, "info", message, row.rule.place, about=(row.rule.label,))

    def cases(self) -> Iterable[Case]:
        yield Case(self.capture, "written", True)


@dataclass(frozen=True)
class FormattedFile(Record):
    """A policy: was its text another than the canonical one? `diff` is there with --diff."""

    place: Place
    changed: bool
    diff: tuple[str, ...]


@dataclass(frozen=True)
class Formatted(Answer):
    """The files looked at; `written`: those that were changed have been replaced."""

    command: ClassVar[str] = "fmt"
    rows: ClassVar[str] = "files"

    written: bool
    files: tuple[FormattedFile, ...]

    def lines(self, style: Style) -> Iterator[str]:
        """The differences, if they were asked for; what was written, or would be, is told beside."""
        for f in self.files:
            yield from diff_lines(f.diff, style)

    @property
    def told(self) -> str:
        changed = sum(f.changed for f in self.files)
        return (
            f"{counted(changed, 'file')} of {len(self.files)} {'formatted' if self.written else 'would be formatted'}"
        )

    def blocks(self) -> Iterable[Block]:
        yield heading("Canonical form")
        yield Block(self.told)
        for f in self.files:
            if f.changed:
                yield Block(f"`{f.place}`")
                if f.diff:
                    yield Block(lines=f.diff, kind="code")

    def notes(self) -> Iterable[Note]:
        for f in self.files:
            if f.changed and not self.written:
                yield Note(
                    NOT_CANONICAL, "warning", f"`{f.place}` is not in canonical form", f.place, about=(f.place.file,)
                )

    def cases(self) -> Iterable[Case]:
        for f in self.files:
            text = "\n".join(f.diff)
            ok = self.written or not f.changed
            yield Case(f.place.file, "canonical form", ok, f.place, "not in canonical form", text, "format")
