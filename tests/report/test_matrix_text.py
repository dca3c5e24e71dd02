"""The matrix on screens and in files: a newcomer reads it, and all forms tell the same."""

from __future__ import annotations

import csv
import io
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from support.commands import EDGE, run

from fwengine import Policy, loads, region
from fwengine.analysis.matrix import Matrix, between, matrix
from fwengine.model.box import Box
from fwengine.report.matrix import access
from fwengine.report.reached import Reached
from fwengine.report.style import Style
from fwengine.report.view import FOLDED, View
from fwengine.report.zones import ELSEWHERE, MOST_ZONES, chosen_zones, split
from fwengine.testing.texts import policy_texts


def _told(policy: Policy, asked: str | None = None, view: View = FOLDED) -> tuple[Matrix, Reached]:
    sides = chosen_zones(policy, asked)
    found = matrix(policy, sides.zones)
    return found, Reached.of(policy, found, sides.notes, view)


def _screen(text: str, asked: str | None = None, width: int = 100, *, detail: bool = False) -> str:
    return "\n".join(_told(loads(text), asked, View(width, detail))[1].lines(Style(False)))


OFFICE = """\
net     office  = { 10.20.0.0/16, 2001:db8:20::/48 }
net     guests  = 10.20.9.0/24
net     web     = 192.0.2.80/30
service www     = { tcp/http, tcp/https }
ports   high    = 1024-65535

deny  any from guests to office
allow www to web
allow tcp from office to web port ssh
allow icmp from office to web type echo-request
allow udp from office port high to any port domain
allow tcp from web to any established
"""


TABLE = """\
who reaches whom: of 4 pairs 4 open in part

from \\ to  office           web
office     ~udp/domain      www, icmp/echo-request, tcp/ssh, ~udp/domain
web        ~tcp with ports  www, ~tcp/0-79, ~tcp/81-442, ~tcp/444-65535

~ not for all packets:
  office -> office  udp/domain  (from office except guests, from port high)
  office -> web     udp/domain  (from port high)
  web -> office     tcp with ports  (established)
  web -> web        tcp/0-79, tcp/81-442, tcp/444-65535  (established)"""


def test_a_table_that_fits_is_a_table() -> None:
    assert _screen(OFFICE, "office,web") == TABLE


def test_forms_agree(tmp_path: Path) -> None:
    path = tmp_path / "office.fwl"
    path.write_text(OFFICE)
    document = run("show", path, "--as", "matrix", "--format", "json").json
    rows = list(csv.DictReader(io.StringIO(run("show", path, "--as", "matrix", "--format", "csv").out)))
    page = run("show", path, "--as", "matrix", "--format", "markdown").out.replace("\\", "")
    lines = [line for line in page.splitlines() if line.startswith("|")]
    names = [zone["name"] for zone in document["zones"]]
    assert names == ["office", "guests", "web", ELSEWHERE]
    assert len(rows) == len(document["cells"]) == len(names) ** 2
    assert [line.count(" | ") for line in lines[2:]] == [len(names)] * len(names)
    for row, cell, (at, to) in zip(
        rows, document["cells"], ((i, j) for i in range(len(names)) for j in range(len(names))), strict=True
    ):
        assert (row["source"], row["destination"], row["access"]) == (
            cell["source"],
            cell["destination"],
            cell["access"],
        )
        assert (row["source"], row["destination"]) == (names[at], names[to])
        assert row["services"] == ", ".join(cell["services"])
        shown = lines[2 + at].strip("| ").split(" | ")[1 + to]
        assert all(word in shown for word in cell["services"])
        assert all(condition["when"] is None or condition["when"] in shown for condition in cell["conditional"])
        assert (cell["access"] == "nothing") == (shown == "nothing")


@settings(max_examples=30)
@given(policy_texts(0, 5, True))
def test_regions_read_back_are_what_is_allowed(text: str) -> None:
    """The regions that JSON gives read back as the packets that the cell allows."""
    policy = loads(text)
    found, told = _told(policy)
    for cell, fields in zip(found.cells, told.to_dict()["cells"], strict=True):
        read = [box for one in fields["regions"] for box in region(policy, one["text"])]
        assert _same(read, list(cell.regions))
        inside = between(found.zones[cell.source], found.zones[cell.destination])
        assert all(box.issubset(inside) for box in read)


def _same(some: list[Box], others: list[Box]) -> bool:
    return all(not _left(box, others) for box in some) and all(not _left(box, some) for box in others)


def _left(box: Box, others: list[Box]) -> list[Box]:
    left = [box]
    for other in others:
        left = [part for one in left for part in one - other if part]
    return left


class TestZones:
    def test_interfaces_where_no_network_is_named(self) -> None:
        shown = _screen("allow tcp from any to any port ssh in lan0 out wan0\n")
        assert shown.splitlines()[2:5] == [
            "from \\ to          lan0  wan0     rest of the world",
            "lan0               -     tcp/ssh  -",
            "wan0               -     -        -",
        ]
        declared = chosen_zones(loads("interface lan = { eth1, eth2 }\nallow tcp from any to any in lan\n")).zones
        assert [(zone.name, zone.kind) for zone in declared] == [("lan", "interface"), (ELSEWHERE, "interface")]

    def test_what_rules_write_out_where_nothing_has_a_name(self) -> None:
        zones = chosen_zones(loads("allow tcp from 10.0.0.0/8 to 192.0.2.1 port 22\n")).zones
        assert [zone.name for zone in zones] == ["10.0.0.0/8", "192.0.2.1", ELSEWHERE]
        assert [zone.name for zone in chosen_zones(loads("allow tcp\n")).zones] == ["any"]

    def test_two_names_of_one_set_share_a_row_and_overlaps_are_told(self) -> None:
        text = "net a = 10.0.0.0/8\nnet b = 10.0.0.0/8\nnet c = 10.1.0.0/16\nallow tcp from a to b\n"
        assert [zone.name for zone in chosen_zones(loads(text)).zones] == ["a = b", "c", ELSEWHERE]
        assert _screen(text).splitlines()[-1] == "c is within a = b: a packet counts in each"

    def test_of_many_networks_those_used_most(self) -> None:
        nets = [f"net n{n} = 10.{n}.0.0/16" for n in range(MOST_ZONES + 5)]
        rules = [f"allow tcp from n{n} to any" for n in range(5, MOST_ZONES + 5)]
        sides = chosen_zones(loads("\n".join(nets + rules)))
        assert [zone.name for zone in sides.zones] == [*(f"n{n}" for n in range(5, MOST_ZONES + 5)), ELSEWHERE]
        assert str(len(nets)) in sides.notes[0]

    def test_between_takes_names_addresses_and_sets(self) -> None:
        policy = loads(EDGE)
        zones = chosen_zones(policy, "web, {10.1.0.0/16, mail},wan0,2001:db8::1").zones
        assert [(zone.name, zone.kind) for zone in zones] == [
            ("web", "net"),
            ("{10.1.0.0/16, mail}", "net"),
            ("wan0", "interface"),
            ("2001:db8::1", "net"),
        ]
        assert split("a,{b,{c,d}},e") == ["a", "{b,{c,d}}", "e"]

    def test_of_two_families_there_is_no_packet(self) -> None:
        shown = _screen("allow any\n", "10.0.0.0/8,2001:db8::/32")
        assert shown.splitlines()[2:] == [
            "from \\ to      10.0.0.0/8  2001:db8::/32",
            "10.0.0.0/8     all         n/a",
            "2001:db8::/32  n/a         all",
            "",
            "n/a no such packet",
        ]


def test_masks_with_holes_are_zones_like_others() -> None:
    shown = _screen(
        "net odd = 1.0.0.1/1.0.0.1\nnet web = 192.0.2.80/30\nallow tcp from odd to web port 22\nallow udp from web to odd port 53\n"
    )
    assert shown.splitlines()[2:6] == [
        "from \\ to          odd         web      rest of the world",
        "odd                -           tcp/ssh  -",
        "web                udp/domain  -        -",
        "rest of the world  -           -        -",
    ]


PICTURE = """\
who reaches whom: of 16 pairs 11 open in part, 5 shut

                     1 2 3 4
1 office             ~ ~ + ~
2 guests             . . + ~
3 web                ~ ~ + ~
4 rest of the world  . . + .

from row to column: + some services, ~ some packets of some services, . nothing

from office
  to office, guests     udp/domain  (from office except
                          guests, from port high)
  to web                www, icmp/echo-request, tcp/ssh
                        udp/domain  (from port high)
  to rest of the world  udp/domain  (from port high)
from guests
  to web                www, icmp/echo-request, tcp/ssh
                        udp/domain  (from port high)
  to rest of the world  udp/domain  (from port high)
from web
  to office, guests, rest of the world
                        tcp with ports  (established)
  to web                www
                        tcp/0-79, tcp/81-442, tcp/444-65535
                          (established)
from rest of the world
  to web                www

guests is within office: a packet counts in each"""


def test_a_wide_matrix_is_a_picture_and_a_list() -> None:
    assert _screen(OFFICE, None, 60) == PICTURE


def _many(count: int, rules: int) -> str:
    draw = random.Random(count)
    lines = [f"net site-number-{n} = 10.{n}.0.0/16" for n in range(count)]
    for n in range(rules):
        a, b = draw.sample(range(count), 2)
        port = draw.choice(["ssh", "https", "smtp", "8080", "1024-65535"])
        given = draw.choice(["", " established", " in wan0"])
        lines.append(f"allow tcp from site-number-{a} to site-number-{b} port {port}{given} as r{n}")
    return "\n".join([*lines, "allow any from site-number-0 to site-number-1", ""])


@pytest.mark.parametrize(("count", "rules"), [(12, 40), (30, 60), (31, 400)])
def test_thirty_networks_stay_readable_in_100_columns(count: int, rules: int) -> None:
    found, told = _told(loads(_many(count, rules)))
    lines = list(told.lines(Style(False)))
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 3 * count + 6 * rules
    rows = [
        line for line in lines if (line.lstrip().partition(" ")[0].isdigit() and "site-" in line) or ELSEWHERE in line
    ]
    drawn = [row[-(2 * (count + 1) - 1) :].split() for row in rows[: count + 1]]
    words = {"all": "#", "nothing": ".", "part": "+~"}
    for cell in found.cells:
        assert drawn[cell.source][cell.destination] in words[access(cell)]
    assert drawn[0][1] == "#"
    head = next(n for n, line in enumerate(lines) if line.startswith("from row to column"))
    for cell in found.cells:  # what is not shut is told below, source by source
        if cell.everything or cell.open:
            assert any(line.startswith(f"from {found.zones[cell.source].name}") for line in lines[head:])


def test_what_runs_long_is_told_by_service_and_in_full_on_demand() -> None:
    text = _many(31, 400)
    found, _ = _told(loads(text))
    lines = _screen(text).splitlines()
    assert len(lines) <= 3 * 32
    at = lines.index("what is open to most of them, and to how many:")
    for i, zone in enumerate(found.zones):
        row = next(line for line in lines[at:] if line.startswith(f"from {zone.name} "))
        cells = _told(loads(text))[1].cells[i * 32 : i * 32 + 32] if i < 3 else ()
        for word, count in re.findall(r"(\S+) to (\d+)", row.partition(zone.name)[2]) if cells else ():
            assert int(count) == sum(word in cell.brief for cell in cells if cell.opens)
    whole = _screen(text, detail=True)
    assert "…" not in whole
    assert not re.search(r"and \d+ more| \+\d", whole)
    assert len(whole.splitlines()) > 300


def test_a_picture_too_wide_is_left_out() -> None:
    lines = _screen(_many(30, 60), None, 60).splitlines()
    assert not any(line.startswith("from row to column") for line in lines)
    assert any(line.startswith("  nothing to site-number-") for line in lines)
    assert max(map(len, lines)) <= 60


def test_names_that_do_not_fit_are_cut() -> None:
    text = "".join(f"net {'n' * 60}{n} = 10.{n}.0.0/16\n" for n in range(20)) + "allow tcp\n"
    lines = _screen(text).splitlines()
    assert lines[4].startswith(" 1 nnnn")
    assert "…" in lines[4]
    assert max(map(len, lines[:26])) <= 100


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "office.fwl"
    path.write_text(OFFICE)
    done = run("show", path, "--as", "matrix")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("who reaches whom: ")
    wrong = run("show", path, "--as", "matrix", "--between", "office,wbe")
    assert wrong.code == 2
    assert "did you mean `web`?" in wrong.err
    for options in (("--between", "office"), ("--format", "csv")):
        refused = run("show", path, *options)
        assert refused.code == 2
        assert "goes with `--as matrix`" in refused.err


def test_what_takes_too_long_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "__defaults__", (3, 400))
    path = tmp_path / "office.fwl"
    path.write_text(OFFICE)
    done = run("show", path, "--as", "matrix")
    assert done.code == 2
    assert "beyond the limit" in done.err
    assert "unknown" in done.out
