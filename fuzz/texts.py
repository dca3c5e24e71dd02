"""The language: any bytes are a policy, or there are diagnostics, each at its place; and what is printed is what was read.

The invariant of `policy`: a text gives a policy, or `PolicyError` with at least one diagnostic, each with a code that is explained, a
message on one line and a place within the text, or `LimitError`; if it parses, its canonical form parses, is canonical, and means the
same: the same rules, defaults and expectations. Of `region`: a line gives boxes or diagnostics, and what is written of the boxes gives
the same packets. Of `packet`: a line in any notation gives a packet or `PacketError` on one line, and a packet is read back from what
is written of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from readers import stands
from target import Target, files_of

import fwengine
from fwengine.analysis.region import difference, pieces_of
from fwengine.codes import EXPLANATIONS
from fwengine.errors import Diagnostic, LimitError, PacketError, PolicyError
from fwengine.language.syntax.parser import parse
from fwengine.language.syntax.printer import show_document
from fwengine.limits import Limits
from fwengine.model.box import Box, Sets
from fwengine.model.fields import IN, OUT
from fwengine.model.packet import write
from fwengine.policy import Policy
from fwengine.report.regions import Wording

FEW = Limits(elements=20_000, ranges=2_000, steps=50_000, work=500_000, rules=20_000)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("include", "includ")  # no other file is read


def _told(diagnostics: tuple[Diagnostic, ...], text: str, file: str) -> None:
    rows = text.split("\n")
    assert diagnostics
    for one in diagnostics:
        assert one.code in EXPLANATIONS, one
        assert one.message, one
        assert "\n" not in one.message, one
        stands(one.span, rows, file)


def policy(data: bytes) -> None:
    """Texts as policies."""
    text = _text(data)
    try:
        read = fwengine.loads(text, file="fuzzed", limits=FEW)
    except LimitError:
        return
    except PolicyError as error:
        _told(tuple(error.diagnostics), text, "fuzzed")
        read = None
    try:
        printed = show_document(parse(text))
    except (PolicyError, LimitError):
        assert read is None, "a policy that does not parse"
        return
    assert show_document(parse(printed)) == printed, "the canonical form is not canonical"
    if read is not None:
        again = fwengine.loads(printed, file="fuzzed", limits=FEW)
        assert _meant(again) == _meant(read), "the canonical form means something else"


def _meant(read: Policy) -> object:
    """Rules and expectations without their places."""
    rules = [(r.action, r.boxes, r.name, r.until, r.log) for r in read.rules]
    return (
        rules,
        read.default,
        [(e.action, e.boxes, e.packet, e.by if e.by in _names(read) else None) for e in read.expectations],
    )


def _names(read: Policy) -> set[str | None]:
    return {"default", *(rule.name for rule in read.rules)}


_WORLD = """net office = { 10.20.0.0/16, 2001:db8:20::/48 }
ports high = 1024-65535
service www = { tcp/http, tcp/https }
interface lan = { eth0, eth1 }
allow any
"""


def region(data: bytes) -> None:
    """Lines as regions."""
    world = fwengine.loads(_WORLD)
    for text in _text(data).split("\n")[:20]:
        try:
            with FEW.applied():
                boxes = world.region(text)
                written = [Wording(world).region(box) for box in boxes]
                back = [one for line in written for one in world.region(line)]
                left, more = _missing(boxes, back), _missing(back, boxes)
        except LimitError:
            continue
        except PolicyError as error:
            _told(tuple(error.diagnostics), text, "<region>")
            continue
        assert not left, f"{text}: {written} leaves out {left}"
        assert not more, f"{text}: {written} adds {more}"


def _missing(boxes: Iterable[Box], back: Iterable[Box]) -> list[Sets]:
    taken = pieces_of(back)
    return [left for piece in pieces_of(boxes) for left in difference(piece, taken)]


def packet(data: bytes) -> None:
    """Lines as packets, in every notation."""
    for text in data.decode("utf-8", "replace").split("\n")[:40]:
        try:
            found = fwengine.Packet.parse(text)
        except PacketError as error:
            said = str(error)
            assert said
            assert "\n" not in said, said
            continue
        written = write(found, (IN, OUT))
        again = fwengine.Packet.parse(written)
        assert again == found, f"{text}: {written} reads as {again}"


TARGETS = (
    Target(policy, files_of("rules/*.fwl", "tests/language/golden/*.fwl")),
    Target(region, files_of("fuzz/corpus/regions/*")),
    Target(packet, files_of("fuzz/corpus/notations/*")),
)
