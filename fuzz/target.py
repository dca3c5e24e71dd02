"""What a fuzz target is: an invariant, a function of bytes that raises where it is broken, bytes to begin with, and how to change them."""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
MOST = 100_000  # bytes of an input
HANGING = 60.0  # seconds after which a campaign says that an input hangs; the tests know no such limit

Run = Callable[[bytes], None]
Change = Callable[[random.Random, Sequence[bytes]], bytes]

_WORD = re.compile(rb"[\w.:/-]+|[^\w\s]")
_ODD = (
    b"", b"0", b"-1", b"65536", b"4294967296", b"9" * 400, b"!", b'"', b"{", b"}", b"\\", b"\n", b"\0", b"\xff", "٣".encode(),
    b"*", b"@", b"::", b"::/0", b"0.0.0.0/0", b"1.2.3", b"$x", b"include", b"-", b"--", b"-j", b"/", b".", b",", b"a" * 300,
)  # fmt: skip


@contextmanager
def hanging() -> Iterator[None]:
    """Ends what takes far too long, where there are signals; for campaigns alone."""

    def give_up(*_: object) -> None:
        raise AssertionError(f"it hangs: {HANGING} seconds, and no answer")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, HANGING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def changed_text(draw: random.Random, files: Sequence[bytes]) -> bytes:
    """A file with some of its words or lines changed: taken away, doubled, put elsewhere, or replaced by others' or by odd ones."""
    data = draw.choice(files)
    others = _WORD.findall(draw.choice(files))
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        way = draw.randrange(7)
        if way == 0:
            data = data[: draw.randrange(len(data) + 1)]
        elif way <= 2:
            rows = data.split(b"\n")
            at, to = draw.randrange(len(rows)), draw.randrange(len(rows))
            rows[at:at] = [rows[to]] if way == 1 else []
            if way == 2:
                rows[at], rows[to] = rows[to], rows[at]
            data = b"\n".join(rows)
        elif way <= 5:
            words = list(_WORD.finditer(data))
            if words:
                word = draw.choice(words)
                put = draw.choice(others) if way < 5 and others else draw.choice(_ODD)
                data = data[: word.start()] + put + data[word.end() if draw.random() < 0.8 else word.start() :]
        elif data:
            at = draw.randrange(len(data))
            data = data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
    return data[:MOST]


def changed_bytes(draw: random.Random, files: Sequence[bytes]) -> bytes:
    """A file with 2 % of its bytes replaced, numbers set to their extremes, pieces cut out, doubled or swapped."""
    data = bytearray(draw.choice(files))
    for _ in range(draw.choice([1, 1, 2, 4])):
        way = draw.randrange(5)
        if not data:
            break
        at = draw.randrange(len(data))
        if way == 0:
            del data[at:]
        elif way == 1:
            for _ in range(max(1, len(data) // 50)):
                data[draw.randrange(len(data))] = draw.randrange(256)
        elif way == 2:
            size = draw.choice((1, 2, 4))
            extreme = draw.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * size
            data[at : at + size] = extreme
        elif way == 3:
            data[at:at] = data[at : at + draw.randrange(1, 65)]
        else:
            to = draw.randrange(len(data))
            at, to = min(at, to), max(at, to)
            data[:] = data[:at] + data[to:] + data[at:to]
    return bytes(data[:MOST])


def drawn(draw: random.Random, _: Sequence[bytes]) -> bytes:
    """For targets that take their bytes as a seed: nothing can be gained by changing one."""
    return draw.randbytes(8)


@dataclass(frozen=True)
class Target:
    """One target."""

    run: Run
    corpus: Callable[[], Sequence[bytes]]
    change: Change = changed_text

    @property
    def name(self) -> str:
        return self.run.__name__

    def regressions(self) -> list[Path]:
        """Inputs that once broke it."""
        folder = FOLDER / "regressions" / self.name
        return sorted(folder.iterdir()) if folder.is_dir() else []


def files_of(*patterns: str) -> Callable[[], Sequence[bytes]]:
    """The files that a target begins with, by patterns below the top of the repository."""
    return lambda: [path.read_bytes() for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.is_file()]


def seed_of(data: bytes) -> int:
    return int.from_bytes(data[:8], "little")
