"""Packets of a capture as lines of text, through the native module: as `count.iterate_batches` and whoever writes outcomes.

Knows policies and captures; the words of the lines are given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from ..errors import CaptureError
from ..model.ruleset import RuleSet
from ..native import CaptureLines, Classifier, Other, Words
from ..packets.capture import refuse_foreign
from ..packets.place import NOT_IP
from ..packets.source import Source
from .count import Judge, Outcome, Progress, Stated


class NativeLines:
    """One capture's lines in pieces; iterable once.

    Args:
        classifier: whose native tables are there: `count.chosen_classifier` gives one.
        words: see `native.Words`.
        write: the line of an outcome, for what is rare.
        progress, notes: as for `count.iterate`.

    `told` has the packets by rule, the default last, whose lines were not `write`'s; `packets` are all.

    Raises:
        CaptureError: at once if the capture cannot be opened, behind the last line if it is damaged.
    """

    def __init__(
        self,
        classifier: Classifier,
        path: str | os.PathLike[str],
        words: Words,
        write: Callable[[Outcome], bytes],
        *,
        inbound: str | None = None,
        outbound: str | None = None,
        state: str = "new",
        first: int = 0,
        progress: Progress | None = None,
        notes: list[str] | None = None,
    ) -> None:
        policy: RuleSet = classifier.policy
        self._stated = Stated(inbound, outbound, state)
        self._judge = Judge(policy, self._stated)
        self._write, self._first, self._progress, self._notes = write, first, progress, notes
        self._source = Source(path)
        try:
            refuse_foreign(self._source)
        except CaptureError:
            self._source.close()
            raise
        self._lines = CaptureLines(
            classifier,
            self._source,
            words,
            self._other,
            file=self._source.file,
            inbound=inbound,
            outbound=outbound,
            state=self._stated.state,
            first=first,
            asked=policy.tree.fields,
        )

    @property
    def told(self) -> tuple[int, ...]:
        return tuple(self._lines.told)

    @property
    def denied(self) -> int:
        """The packets without a rule that can be asked whose lines were not `write`'s."""
        return sum(frames for (kind, _), frames in self._lines.alike.items() if kind != NOT_IP)

    @property
    def packets(self) -> int:
        return self._lines.packets

    def __iter__(self) -> Iterator[bytes]:
        try:
            for text in self._lines:
                yield text
                if self._progress is not None:
                    self._progress(self._source.position, self._source.size)
        finally:
            self._source.close()
            if self._notes is not None:
                self._stated.recorded(*self._lines.names())
                for (kind, what), frames in self._lines.alike.items():
                    if kind == NOT_IP:
                        self._judge.kinds[what] += frames
                self._judge.decoded = self._judge.decoded or any(self._lines.told)
                self._notes += self._judge.notes()

    def _other(self, frame: Other) -> bytes:
        record = (frame.data, frame.wire_length, frame.link, frame.came_in, frame.went_out, 0)
        return self._write(self._judge.outcome(record, frame.number))
