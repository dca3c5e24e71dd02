"""The readers of other firewalls' rule sets: whatever the bytes are, there is a document or an error that says where.

    python -m fuzz NAME [--seconds 30] [--seed 0] [--keep FOLDER]

The invariant: a reader gives a document, or raises `PolicyError` with at least one diagnostic, or `LimitError`, and nothing else; each
diagnostic has a code that is explained, a message on one line, and a place within the text; each line of a document stands within the
text; each of its policies unfolds to two bounds with the same default, or there is a `LimitError`. One input takes at most 10 seconds.

Each target is a plain function of bytes. It is run by the loop here, which changes its own small files (`fuzz/corpus/readers`), by
Hypothesis in the tests, and by atheris where that is installed (`--atheris`).
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fwengine.codes import EXPLANATIONS
from fwengine.errors import Diagnostic, LimitError, PolicyError, Span
from fwengine.formats.document import Document
from fwengine.formats.passed import unfold_all
from fwengine.formats.registry import FORMATS
from fwengine.model.rules import ALLOW, DENY

CORPUS = Path(__file__).parent / "corpus" / "readers"
SECONDS = 10.0
MOST_BOXES = 20_000
Target = Callable[[bytes], None]


def _holds(format_: str, data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    rows = text.split("\n")
    begun = time.process_time()
    document, told = _read(format_, text)
    for one in told:
        assert one.code in EXPLANATIONS, one
        assert one.message, one
        assert "\n" not in one.message, one
        _stands(one.span, rows)
    if document is not None:
        for chain in document.chains.chains.values():
            for line in chain.lines:
                _stands(line.span, rows)
        for name in document.policies:
            entries = document.entries_of(name)
            try:
                upper, lower = (unfold_all(document.chains, entries, favour, MOST_BOXES) for favour in (ALLOW, DENY))
            except LimitError:
                continue
            assert upper.default is lower.default
    assert time.process_time() - begun < SECONDS, "too slow"


def _read(format_: str, text: str) -> tuple[Document | None, Sequence[Diagnostic]]:
    """The document, or why there is none; at least one reason, unless a limit was reached."""
    try:
        return FORMATS[format_].read(text, "fuzzed"), ()
    except LimitError:
        return None, ()
    except PolicyError as error:
        told = error.diagnostics
    assert told
    return None, told


def _stands(span: Span, rows: list[str]) -> None:
    assert span.file == "fuzzed", span
    assert 1 <= span.line <= span.end_line <= len(rows), span
    assert 1 <= span.column <= len(rows[span.line - 1]) + 2, (span, rows[span.line - 1])


def iptables(data: bytes) -> None:
    """`iptables-save`."""
    _holds("iptables-save", data)


def ip6tables(data: bytes) -> None:
    """`ip6tables-save`."""
    _holds("ip6tables-save", data)


def ipset(data: bytes) -> None:
    """`ipset save` before `iptables-save`."""
    _holds("iptables-save", data)


def nft(data: bytes) -> None:
    """nft's own language."""
    _holds("nftables", data)


def nft_json(data: bytes) -> None:
    """`nft -j list ruleset`."""
    _holds("nftables", data if data.lstrip()[:1] == b"{" else b"{" + data)


def cisco(data: bytes) -> None:
    """Configurations of IOS, NX-OS and ASA."""
    for dialect in ("cisco-ios", "cisco-nx-os", "cisco-asa"):
        _holds(dialect, data)


def aws(data: bytes) -> None:
    """What `aws ec2 describe-…` and `terraform show -json` print."""
    _holds("aws", data)


TARGETS: dict[str, Target] = {f.__name__: f for f in (iptables, ip6tables, ipset, nft, nft_json, cisco, aws)}
_OWN = {"ip6tables": "iptables"}


def corpus(name: str) -> list[bytes]:
    """The files that a target begins with."""
    return [path.read_bytes() for path in sorted((CORPUS / _OWN.get(name, name)).iterdir())]


_WORD = re.compile(rb"[\w.:/-]+|[^\w\s]")
_ODD = (
    b"", b"0", b"-1", b"65536", b"4294967296", b"9" * 400, b"!", b'"', b"{", b"}", b"\\", b"\n", b"\0", b"\xff", "٣".encode(),
    b"*", b"@", b"::", b"::/0", b"0.0.0.0/0", b"1.2.3", b"$x", b"include", b"-", b"--", b"-j", b"/", b".", b",", b"a" * 300,
)  # fmt: skip


def changed(draw: random.Random, files: list[bytes]) -> bytes:
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
    return data[:100_000]
