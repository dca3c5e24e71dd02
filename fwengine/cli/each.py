"""`fwengine eval -r --per-packet`: a line for each packet, as the captures come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from ..deadline import OutOfTime
from ..errors import CaptureError, LimitError
from ..policy import Policy
from ..report.choice import Choice
from ..report.counts import called
from ..report.nothing import verdictless
from ..report.stream import OutcomeLines
from ..traffic.count import chosen_classifier, iterate_batches
from .bounds import out_of_time
from .failure import Failures
from .output import (
    FORMAT_VERSION,
    encoded,
    end_items,
    note,
    say_failures,
    say_items,
    say_json_lines,
    shown,
    style_of,
    write_bytes,
)
from .progress import Progress, progress_bar, screen_beside_lines

_PLAIN: Final = frozenset(
    {"utf8", "ascii", "usascii", "latin1", "iso88591"}
)  # where a text's bytes are its words' bytes


def per_packet(
    policy: Policy,
    captures: tuple[str, ...],
    expect: str | None,
    stated: dict[str, Any],
    format_: str,
    color: str,
    failures: Failures,
    engine: Any,
    chosen: Choice,
) -> int:
    """One line a packet; the exit code."""
    lines = OutcomeLines(policy, format_, style_of(color), encoded, chosen)
    told = _Told(policy, lines, format_, stated, engine)
    read = 0
    for capture in captures:
        notes: list[str] = []
        damage: CaptureError | LimitError | None = None
        first, before = told.packets, lines.decided
        try:
            with progress_bar(called(capture), screen_beside_lines(format_)) as progress:
                told.capture(capture, progress, notes)
        except CaptureError as error:
            damage = error
        except OutOfTime:  # what was begun is ended
            damage = out_of_time()
        if sys.stdout is not None:
            sys.stdout.flush()  # packets come before the word about them
        for text in notes:
            note(f"{called(capture)}: {text}")
        if damage is not None:
            failures.tell(damage, counted_before(told.packets - first))
            read += told.packets > first
            if isinstance(damage, LimitError):
                break
            continue
        read += 1
        if lines.decided == before:
            failures.add(verdictless(capture, told.packets - first))
    sums = {"packets": told.packets, "allow": lines.allowed, "deny": lines.denied, "depends": lines.depending}
    if format_ == "json" and read:
        end_items(failures, begun=told.begun, **sums)
    else:
        say_failures(format_, failures)
        if format_ == "jsonl" and read:
            say_json_lines([encoded({"summary": {"format_version": FORMAT_VERSION, "command": "eval", **sums}}, None)])
    otherwise = (
        lines.decided - {"allow": lines.allowed, "deny": lines.denied}.get(expect, 0) if expect is not None else 0
    )
    if otherwise and expect is not None:
        tell_unexpected(expect, otherwise, told.packets)
    return failures.code(1 if otherwise else 0)


class _Told:
    """Writes the lines of captures, natively where that is possible; the bytes are the same."""

    def __init__(self, policy: Policy, lines: OutcomeLines, format_: str, stated: dict[str, Any], engine: Any) -> None:
        self._policy, self._lines, self._format, self._stated, self._engine = policy, lines, format_, stated, engine
        self._encoding = (sys.stdout.encoding if sys.stdout is not None else None) or "utf-8"
        self.packets = 0
        self.begun = False  # is there a line?

    def capture(self, path: str, progress: Progress | None, notes: list[str]) -> None:
        """All lines of a capture.

        Raises:
            CaptureError: at once, or behind the lines before the damage.
        """
        pieces = self._natively(path, progress, notes) or self._slowly(path, progress, notes)
        for data in pieces:
            if not data:
                continue
            if self._format == "json" and not self.begun:
                say_items([data[2:].decode(self._encoding)], begun=False)
            else:
                write_bytes(data)
            self.begun = True

    def _slowly(self, path: str, progress: Progress | None, notes: list[str]) -> Iterator[bytes]:
        write = self._lines.whole
        first = self.packets
        for batch in iterate_batches(self._policy, path, **self._stated, progress=progress, notes=notes):
            self.packets += len(batch)
            yield self._bytes("".join([write(o._replace(number=first + o.number)) for o in batch]))

    def _natively(self, path: str, progress: Progress | None, notes: list[str]) -> Iterator[bytes] | None:
        """None where plain Python must do, or will do."""
        if self._encoding.lower().replace("-", "").replace("_", "") not in _PLAIN:
            return None
        classifier = chosen_classifier(self._policy, path, self._engine)
        if classifier is None:
            return None
        from ..traffic.lines import NativeLines

        return self._pieces(
            NativeLines(
                classifier,
                path,
                self._lines.words(self._bytes),
                lambda outcome: self._bytes(self._lines.whole(outcome)),
                **self._stated,
                first=self.packets,
                progress=progress,
                notes=notes,
            )
        )

    def _pieces(self, native: Any) -> Iterator[bytes]:
        first = self.packets
        try:
            for data in native:
                self.packets = first + native.packets
                yield data
        finally:
            self.packets = first + native.packets
            self._lines.count(native.told, native.denied)

    def _bytes(self, text: str) -> bytes:
        """A part of an answer, as stdout has it."""
        safe = shown(text, color=True) if self._format == "text" else text
        return safe.encode(self._encoding, "backslashreplace")


def counted_before(packets: int) -> str:
    """What stands behind the word about damage."""
    return f" (the {packets:,} packet{'s' * (packets != 1)} before it count)" if packets else ""


def tell_unexpected(expect: str, otherwise: int, packets: int) -> None:
    note(f"expected {expect}: {otherwise:,} of {packets:,} packet{'s' * (packets != 1)} fared otherwise")
