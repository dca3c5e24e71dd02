"""A capture's bytes -> one line of text a packet, natively: what a capture of any length is told with.

The words of a line are given, and what is rare (frames of logs, packets cut short, addresses that hold another) is written
by whoever asks, so that every line is what the slow way writes. Knows neither formats nor screens.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import LimitError
from ..model.fields import (
    CODE,
    DETAILS,
    DPORT,
    FLAGS,
    FRAGMENT,
    INTERFACES,
    OPTIONS,
    SPORT,
    STAGES,
    TYPE,
    WHOLE,
    Spec,
    interface_number,
    present,
)
from ..model.packet import option_word, protocol_word
from .capture import CLASSES
from .module import native
from .walk import UNBOUNDED, Frames, Stream, Walk

if TYPE_CHECKING:
    from .columns import Classifier

_NO_NAME: Final = 0xFFFFFFFF
_FRAGMENT: Final = len(STAGES)
_TABLED: Final = 4096  # interface names in the native module's tables; packets of others are written by whoever asks
_NOT_IP: Final = 0xFFFFFFFF  # the first of the classes' numbers, which go down
_HAS: Final = ((1, {SPORT, DPORT}), (2, {TYPE, CODE}), (4, {FLAGS}))


class Words(NamedTuple):
    """How lines are put together: begin, number, head of the rule, the packet, tail of the rule.

    `head`, `tail` and `shown` have an item for each rule, then one for the default; `width` is that of a number; `encode`
    turns a packet's words into the bytes of the form. `rest` is what follows the number of a frame of one of `capture.CLASSES`
    about which the kind of a frame without IP says all else; None if it has no line.
    """

    begin: bytes
    width: int
    head: tuple[bytes, ...]
    tail: tuple[bytes, ...]
    shown: bytes
    encode: Callable[[str], bytes]
    rest: Callable[[str, int], bytes | None]


class Other(NamedTuple):
    """A frame that must be looked at, and whose line is to be written by whoever asks."""

    number: int
    data: bytes
    wire_length: int
    link: int
    came_in: str
    went_out: str


class CaptureLines:
    """The lines of one capture, in pieces; iterable once.

    `told` are the packets by rule whose lines were written here, shown or not, `alike` the frames by class and kind whose
    lines were; `packets` are all so far. The names of interfaces are remembered, nothing else is.

    Raises:
        CaptureError: while iterating, behind the lines before the damage.
        LimitError: if the policy is more than the native classifier takes, or the module is not here.
    """

    def __init__(
        self,
        classifier: Classifier,
        stream: Stream,
        words: Words,
        other: Callable[[Other], bytes],
        *,
        file: str = "<stream>",
        inbound: str | None = None,
        outbound: str | None = None,
        state: int = 0,
        first: int = 0,
        asked: frozenset[int] = frozenset(),
    ) -> None:
        tables = classifier.native_tables()
        if native is None or tables is None:
            raise LimitError("lines are written natively only where the native classifier takes the policy")
        self._classifier, self._tables = classifier, tables
        self._words, self._other, self._state, self._first, self._asked = words, other, state, first, asked
        stated = (
            None if inbound is None else classifier.in_interface(inbound),
            None if outbound is None else classifier.out_interface(outbound),
        )
        self._walk = Walk(stream, file, self._codes, stated, UNBOUNDED)
        self._stated = tuple(_NO_NAME if name is None else self._walk.number(name) for name in (inbound, outbound))
        self._writer: Any = None
        self._named = 0
        self._has = bytes(_has(family, protocol) for family in (4, 6) for protocol in range(256))
        self._rows = len(words.head)
        self.told = array("Q", bytes(8 * self._rows))
        self.alike: Counter[tuple[str, int]] = Counter()
        self.packets = 0
        self._rests: dict[tuple[int, int], tuple[str, bytes | None] | None] = {}

    def names(self) -> tuple[frozenset[str], frozenset[str]]:
        """The interfaces where packets came in, and those where some went out."""
        return self._walk.names(1), self._walk.names(2)

    def _codes(self, name: str) -> tuple[int, int]:
        return self._classifier.in_interface(name), self._classifier.out_interface(name)

    def __iter__(self) -> Iterator[bytes]:
        assert native is not None  # looked at above
        piece = Frames()
        counts, recorded = (array("Q", bytes(16 * (self._rows + len(CLASSES) + 2))) for _ in range(2))
        indices = array("I")
        while self._walk.next(piece):
            if len(indices) < piece.count:
                indices = array("I", bytes(4 * piece.count))
            with memoryview(piece.data)[: piece.size] as data:
                frames = (data, piece.frames, piece.count)
                native.count(
                    *self._tables, self._classifier.engine, *frames, self._state, counts, recorded, piece.kinds, indices
                )
                text, others = native.lines(self._fresh(), *frames, indices, self._first + self.packets, self.told)
                yield self._whole(text, others, piece, data)
            self.packets += piece.count
        del piece  # an error that is raised keeps in a circle what is here, and that is megabytes
        if self._walk.error is not None:
            raise self._walk.error

    def _whole(self, text: bytes, others: list[tuple[int, int, int, int]], piece: Frames, data: memoryview) -> bytes:
        """The text with the lines of other frames in their places."""
        out = []
        done = 0
        begin, width, first, rests = self._words.begin, self._words.width, self._first + self.packets, self._rests
        for at, frame, index, what in others:
            if at > done:
                out.append(text[done:at])
                done = at
            alike = rests[index, what] if (index, what) in rests else self._rest(index, what)
            if alike is None:
                out.append(self._other(self._frame(piece, data, frame)))
                continue
            kind, rest = alike
            self.alike[kind, what] += 1
            if rest is not None:
                out.append(b"%b%*d%b" % (begin, width, first + frame, rest))
        return b"".join([*out, text[done:]]) if out else text

    def _rest(self, index: int, what: int) -> tuple[str, bytes | None] | None:
        """The class of frames with this index, and what follows their numbers; None if each must be looked at."""
        place = _NOT_IP - index
        found = None
        if place < len(CLASSES) and CLASSES[place] != "truncated":
            found = CLASSES[place], self._words.rest(CLASSES[place], what)
        self._rests[index, what] = found
        return found

    def _frame(self, piece: Frames, data: memoryview, frame: int) -> Other:
        offset, size, wire, link, spare = piece.frame(frame)
        name = self._walk.name(spare & 0x7FFFFFFF)
        came_in, went_out = ("", name) if spare >> 31 else (name, "")
        number = self._first + self.packets + frame
        return Other(number, bytes(data[offset : offset + size]), wire, link, came_in, went_out)

    def _fresh(self) -> Any:
        """The native writer; made anew where the capture has told of more interfaces."""
        known = min(self._walk.known, _TABLED)
        if self._writer is None or known != self._named:
            assert native is not None  # as above
            words = self._words
            self._named = known
            self._writer = native.writer(
                _packed([words.begin]),
                _packed(words.head),
                _packed(words.tail),
                words.shown,
                words.width,
                _packed(words.encode(protocol_word(p)) for p in range(256)),
                self._has,
                tuple(self._option(spec) for spec in OPTIONS if spec.field not in DETAILS or spec.field in self._asked),
                self._state,
                *self._stated,
            )
        return self._writer

    def _option(self, spec: Spec) -> tuple[int, tuple[bytes, array[int]]]:
        """A field's place in the native module, and the words for its values."""
        place = _FRAGMENT if spec.field == FRAGMENT else STAGES.index(spec.field)
        values: Iterable[int] = range(spec.values.hi + 1)
        if spec.field in INTERFACES:
            values = (interface_number(self._walk.name(number)) for number in range(self._named))
        return place, _packed(self._words.encode(option_word(spec, value, self._asked)) for value in values)


def _has(family: int, protocol: int) -> int:
    """What packets of a protocol have, as the native module wants it told."""
    there = present(protocol, family, WHOLE)
    return sum(bit for bit, fields in _HAS if fields <= there)


def _packed(words: Iterable[bytes]) -> tuple[bytes, array[int]]:
    """Words side by side, and where each begins and the last ends."""
    text = bytearray()
    at = array("I", [0])
    for word in words:
        text += word
        at.append(len(text))
    return bytes(text), at
