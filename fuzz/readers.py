"""The readers of other firewalls' rule sets: whatever the bytes are, there is a document or an error that says where.

    python -m fuzz NAME [--seconds 30] [--seed 0] [--keep FOLDER]

The invariant: a reader gives a document, or raises `PolicyError` with at least one diagnostic, or `LimitError`, and nothing else; each
diagnostic has a code that is explained, a message on one line, and a place within the text; each line of a document stands within the
text; each of its policies unfolds to two bounds with the same default, or there is a `LimitError`.
"""

from __future__ import annotations

from collections.abc import Sequence

from target import Target, files_of

from fwengine.codes import EXPLANATIONS
from fwengine.errors import Diagnostic, LimitError, PolicyError, Span
from fwengine.formats.document import Document
from fwengine.formats.passed import unfold_all
from fwengine.formats.registry import FORMATS
from fwengine.model.rules import ALLOW, DENY

MOST_BOXES = 20_000


def _holds(format_: str, data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    rows = text.split("\n")
    document, told = _read(format_, text)
    for one in told:
        assert one.code in EXPLANATIONS, one
        assert one.message, one
        assert "\n" not in one.message, one
        stands(one.span, rows)
    if document is not None:
        for chain in document.chains.chains.values():
            for line in chain.lines:
                stands(line.span, rows)
        for name in document.policies:
            entries = document.entries_of(name)
            try:
                upper, lower = (unfold_all(document.chains, entries, favour, MOST_BOXES) for favour in (ALLOW, DENY))
            except LimitError:
                continue
            assert upper.default is lower.default


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


def stands(span: Span, rows: list[str], file: str = "fuzzed") -> None:
    """A place within a text of these lines."""
    assert span.file == file, span
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


_OWN = {"ip6tables": "iptables"}

TARGETS = tuple(
    Target(run, files_of(f"fuzz/corpus/readers/{_OWN.get(run.__name__, run.__name__)}/*"))
    for run in (iptables, ip6tables, ipset, nft, nft_json, cisco, aws)
)
