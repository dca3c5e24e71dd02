"""The packets that `eval` is asked about, from its arguments and from standard input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..codes import NOT_A_PACKET, UNREADABLE
from ..errors import PacketError, PolicyError, Span, UndecodableError
from ..model.packet import Packet
from ..policy import Policy
from ..report.failure import Failure
from ..report.nothing import no_input
from ..sources.source import STDIN, read_stdin
from ..traffic.notation import parse
from .failure import Failures
from .output import complain

MAX_ERRORS = 20  # texts that are not packets, after which the rest is not read
_CAPTURES: Final = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")


def read_packets(
    texts: Sequence[str], policy: Policy, failures: Failures
) -> list[tuple[str, Packet | UndecodableError]]:
    """What the texts ask of a policy, which may declare interfaces; each `-` is for the lines of standard input.

    Whatever is not a packet is a failure.
    """
    asked: list[tuple[str, Packet | UndecodableError]] = []
    errors = 0
    for line, text in _texts(texts, failures):
        try:
            asked.append((text.strip(), policy.located(parse(text))))
        except UndecodableError as error:
            if error.kind != "not-ip":  # fails closed: it is denied
                asked.append((text.strip(), error))
                continue
            errors += 1
            _tell(error, line, text, failures)
        except PacketError as error:
            errors += 1
            _tell(error, line, text, failures)
        if errors == MAX_ERRORS:
            complain(f"error: {errors} texts are not packets; the rest was not read")
            break
    if not asked and not failures:
        failures.add(no_input(STDIN, "packet"))
    return asked


def _texts(texts: Sequence[str], failures: Failures) -> Iterator[tuple[int | None, str]]:
    """The packets' texts, each with its line on standard input, or None for an argument."""
    for text in texts:
        if text != "-":
            yield None, text
            continue
        try:
            data = read_stdin()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            failures.add(Failure("file", UNREADABLE, f"cannot be read: {reason}", STDIN))
            return
        for number, raw in enumerate(data.split(b"\n"), 1):
            try:
                line = raw.decode("utf-8").rstrip()
            except UnicodeDecodeError:
                span = Span(STDIN, number, 1, number, 1)
                failures.add(Failure("question", NOT_A_PACKET, "not UTF-8 text", STDIN, span, help=_LINES))
                return
            if line and not line.lstrip().startswith("#"):
                yield number, line


_LINES: Final = "packets are text, one a line; a capture is read with `-r -`"


def _tell(error: PacketError, line: int | None, text: str, failures: Failures) -> None:
    asked = text.strip()
    hint = _meant(asked) if line is None else ""
    cause = error.__cause__
    if isinstance(cause, PolicyError) and not hint:
        failures.tell(cause if line is None else _at_line(cause, line), kind="question")
        return
    words = f"`{asked if len(asked) <= 200 else asked[:199] + '…'}`"
    span = None if line is None else Span(STDIN, line, 1, line, len(text) + 1)
    message = f"{words} is not a packet" if hint else f"{words}: {error}"
    failures.add(Failure("question", NOT_A_PACKET, message, span and STDIN, span, help=hint))


def _meant(text: str) -> str:
    """What to do if a text that is not a packet is the name of a file."""
    try:
        there = Path(text).is_file()
    except (OSError, ValueError):  # too long a name, a NUL in it
        there = False
    if text.lower().endswith(_CAPTURES):
        return f"a capture is read with `-r {text}`"
    if there:
        return f"it is a file: a capture is read with `-r {text}`, packets one a line with `-` and `< {text}`"
    return ""


def _at_line(error: PolicyError, line: int) -> PolicyError:
    """The error of a packet's text, placed on its line of standard input."""

    def moved(span: Span) -> Span:
        return span._replace(file=STDIN, line=span.line + line - 1, end_line=span.end_line + line - 1)

    return PolicyError(
        [
            replace(
                d,
                span=moved(d.span),
                labels=tuple(replace(label, span=moved(label.span)) for label in d.labels),
                suggestions=tuple(replace(s, span=moved(s.span)) for s in d.suggestions),
            )
            for d in error.diagnostics
        ],
        dict.fromkeys([STDIN] * bool(error.sources), "\n" * (line - 1) + "".join(error.sources.values())),
    )
