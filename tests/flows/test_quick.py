"""Lines read natively are what they are in Python, whatever stands in them; and groups counted natively are those counted in Python."""

from __future__ import annotations

import random
from array import array
from pathlib import Path

import pytest
from support.flow_logs import FIELDS, lines, sums_of

from fwengine import native
from fwengine.flows import counting
from fwengine.flows.flow import Batch, Flow
from fwengine.flows.logs.columns import Role
from fwengine.flows.logs.detect import Stated
from fwengine.flows.options import OPENERS, Opener, Reading
from fwengine.flows.quick import Quick
from fwengine.flows.reading import Left, read

pytestmark = pytest.mark.skipif(not native.available(), reason=f"no native module: {native.why_not()}")

LAYOUTS = {
    "vpc": (FIELDS, " "),
    "vpc without flags": ([f for f in FIELDS if f != "tcp-flags"], " "),
    "csv": (FIELDS, ","),
    "tabs without a source port": ([f for f in FIELDS if f != "srcport"], "\t"),
    "csv of few": (["protocol", "srcaddr", "dstaddr", "dstport"], ";"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("since", [None, 1793491230000])
def test_lines(layout: str, opener: Opener, since: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields, separator = LAYOUTS[layout]
    log = tmp_path / "log"
    reading = Reading(opener=opener, since=since, until=None if since is None else since + 60000)
    taken = 0
    for seed in range(4):
        log.write_text(lines(seed, fields, separator, 300), encoding="utf-8", newline="")
        quick, quick_left = sums_of(log, reading)
        with monkeypatch.context() as patch:
            patch.setattr(Quick, "takes", lambda table, reading: False)
            slow, slow_left = sums_of(log, reading)
        assert quick == slow
        assert (quick_left.unread, quick_left.left_out, quick_left.lines) == (
            slow_left.unread,
            slow_left.left_out,
            slow_left.lines,
        )
        taken += quick.flows
    assert taken > (300 if since is None else 0) or (since is not None and layout == "csv of few")


def test_the_native_module_takes_the_plain_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or nothing would be shown by the others."""
    log = tmp_path / "log"
    log.write_text("srcaddr dstaddr protocol srcport dstport\n" + "203.0.113.7 192.0.2.80 6 50000 443\n" * 1000)
    monkeypatch.setattr(Flow, "__new__", None)
    left = Left("log")
    assert sum(batch.rows for batch in read(str(log), Reading(Stated()), left)) == 1000
    assert left.lines == 1000


def test_a_header_that_is_stated_is_not_read_natively_where_it_tells_more(tmp_path: Path) -> None:
    roles: dict[Role, str] = {"src": "a", "dst": "b", "protocol": "c", "in": "d"}
    log = tmp_path / "log"
    log.write_text("a,b,c,d\n203.0.113.7,192.0.2.80,47,wan0\n")
    (batch,) = read(str(log), Reading(Stated(None, roles)), Left("log"))
    assert batch.kind.inbound == "wan0"


def test_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    luck = random.Random(7)
    for keys in (1, 2, 3, 16, 17):
        rows = luck.choice((1, 1000, 20_000))

        def column(code: str, bits: int, rows: int = rows) -> array[int]:
            return array(code, [luck.getrandbits(bits) for _ in range(rows)])

        batch = Batch(
            None, rows, None, None, None,  # type: ignore[arg-type]  # not looked at
            recorded=luck.choice((None, bytes(luck.randrange(3) for _ in range(rows)))),
            bytes=luck.choice((None, column("Q", 50), column("I", 32))),
            packets=column("Q", 40),
            first=luck.choice((None, column("q", 40))),
            last=column("q", 40),
        )  # fmt: skip
        most = luck.choice((2, 50, 100_000))
        found = [array("I", [luck.randrange(most) for _ in range(rows)]) for _ in range(keys)]
        natively = counting.grouped(batch, found)
        with monkeypatch.context() as patch:
            patch.setattr(counting, "native", None)
            assert counting.grouped(batch, found) == natively
        assert sum(tally.flows for tally in natively.values()) == rows
