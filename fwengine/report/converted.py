"""What `convert` answers: a policy in another format, where it was written, and for which packets it was proved the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..codes import NOT_KEPT
from .answer import Answer, Block, Case, Note, code, heading, table
from .fit import wrapped
from .making import region_of
from .record import Place, Record, RegionRecord
from .screen import visible
from .style import Style
from .wording import counted

if TYPE_CHECKING:
    from ..conversion import Converted


@dataclass(frozen=True)
class ProvedSame(Record):
    """A policy of the text, by its name there, and the packets for which it was proved to say what the original says.

    `name` is null where a text is one policy.
    """

    name: str | None
    packets: RegionRecord

    @property
    def told(self) -> str:
        if not self.packets.fields:
            return "proved the same for every packet"
        return f"proved the same for every packet of `{self.packets}`" + (f": `{self.name}`" if self.name else "")


@dataclass(frozen=True)
class Conversion(Answer):
    """A policy in another format, read back and proved the same; what is refused is among the `errors`, and nothing is written.

    Attributes:
        to: the format; `title` is what people call it.
        place: the file that was written; null if there is none.
        text: what was made, where no file was named; else null.
        rules: how many rules are in it.
        not_kept: what the format cannot keep although no verdict hangs on it.
    """

    command: ClassVar[str] = "convert"
    rows: ClassVar[str] = "proved"

    policy: str
    to: str
    title: str
    place: Place | None
    text: str | None
    rules: int
    not_kept: tuple[str, ...]
    proved: tuple[ProvedSame, ...]

    @classmethod
    def of(cls, policy: str, to: str, title: str, found: Converted, file: str | None) -> Conversion:
        proved = tuple(ProvedSame(name or None, region_of(box)) for name, box in found.proved)
        place, text = (None, found.text) if file is None else (Place(file), None)
        return cls(policy, to, title, place, text, found.rules, found.told, proved)

    @classmethod
    def refused(cls, policy: str, to: str, title: str) -> Conversion:
        return cls(policy, to, title, None, None, 0, (), ())

    @property
    def told(self) -> str:
        if not self.proved:
            return f"not written for {self.title}: what is not exact there is refused"
        where = f"wrote {self.place}: " if self.place is not None else ""
        return f"{where}{counted(self.rules, 'rule')} for {self.title}"

    def lines(self, style: Style) -> Iterator[str]:
        """The text, or where it is; why it is neither stands beside the answer, as all failures do."""
        if self.text is not None:
            yield self.text.rstrip("\n")
        elif self.proved:
            for told in (self.told, *(part.told.replace("`", "") for part in self.proved)):
                yield from wrapped(visible(told), style.width, rest="  ")

    def blocks(self) -> Iterable[Block]:
        yield heading(f"`{self.policy}` for {self.title}")
        yield Block(self.told)
        if self.proved:
            yield table(
                ("in the text", "proved the same for every packet of"),
                [(f"`{p.name}`" if p.name else "", f"`{p.packets}`") for p in self.proved],
            )
        yield from (Block(f"not kept: {what}") for what in self.not_kept)
        if self.text is not None:
            yield code(self.text.rstrip("\n").split("\n"))

    def notes(self) -> Iterable[Note]:
        for what in self.not_kept:
            yield Note(NOT_KEPT, "info", what, Place(self.policy), about=(self.to, what))

    def cases(self) -> Iterable[Case]:
        if self.proved:
            yield Case(self.policy, f"the same for {self.title}", True, Place(self.policy))
