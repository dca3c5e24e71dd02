"""`diff` by cause: what each cause is called, that all forms agree, folders, and what has no effect."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from support.commands import run
from support.edits import holds
from support.large import text

import fwengine
from fwengine.analysis.diff import diff
from fwengine.policy import region
from fwengine.report.review import Review

DAY = ["--as-of", "2026-11-25"]
OLD = """
net office = 10.20.0.0/16
net guests = 10.21.0.0/16
net all-of-us = { office, guests }
ports admin = { ssh, 8443 }
service www = { tcp/http, tcp/https }
interface wan = eth0

deny  any from guests in wan as spoofed
allow www from all-of-us to 192.0.2.0/24 as web
allow tcp from office to 192.0.2.0/24 port admin as admin
deny  udp from guests as no-udp
allow udp from all-of-us to 192.0.2.53 port domain as dns
allow tcp from 10.30.0.0/16 to any port 25
"""


def edited(*swaps: tuple[str, str]) -> str:
    new = OLD
    for old, now in swaps:
        assert old in new
        new = new.replace(old, now)
    return new


def answer(old: str, new: str, folder: Path, *more: str) -> Any:
    (folder / "old.fwl").write_text(old)
    (folder / "new.fwl").write_text(new)
    return run("diff", folder / "old.fwl", folder / "new.fwl", *more, *DAY)


CAUSES = [
    ([("allow www", "deny tcp to any port 443 as no-https\nallow www")], "added", "rule `no-https` added"),
    ([("deny  udp from guests as no-udp\n", "")], "removed", "rule `no-udp` removed"),
    (
        [("deny  udp from guests as no-udp\n", ""), ("port domain as dns\n", "port domain as dns\ndeny  udp from guests as no-udp\n")],
        "moved",
        "rule `no-udp` moved",
    ),
    ([("allow tcp from office to 192.0.2.0/24 port admin", "allow tcp from office to 192.0.2.0/25 port admin")], "edited",
     "rule `admin` edited: dst 192.0.2.0/24 -> 192.0.2.0/25"),
    ([("deny  udp from guests as", "allow udp from guests as")], "edited", "rule `no-udp` edited: deny -> allow"),
    ([("port 25", "port { 25, 587 }")], "edited", "rule edited: dport 25 -> { 25, 587 }"),
    ([("office = 10.20.0.0/16", "office = 10.20.0.0/17")], "definition", "net `office` changed, by way of `web`, `admin`, `dns`"),
    ([("{ ssh, 8443 }", "ssh")], "definition", "ports `admin` changed, by way of `admin`"),
    ([("{ tcp/http, tcp/https }", "tcp/https")], "definition", "service `www` changed, by way of `web`"),
    ([("wan = eth0", "wan = { eth0, eth1 }")], "definition", "interface `wan` changed, by way of `spoofed`"),
    ([("\nnet office", "\ndefault allow\nnet office")], "default", "default changed from deny to allow"),
]  # fmt: skip


@pytest.mark.parametrize(("swaps", "cause", "said"), CAUSES)
def test_what_caused_it(swaps: list[tuple[str, str]], cause: str, said: str, tmp_path: Path) -> None:
    done = answer(OLD, edited(*swaps), tmp_path, "--format", "json")
    assert done.code == 1
    groups = [(g["cause"], g["text"]) for g in done.json["groups"]]
    assert groups == [(cause, said)]
    assert re.sub(r"\s+", " ", answer(OLD, edited(*swaps), tmp_path).out).count(said) == 1


def test_two_definitions_in_one_rule_are_told_together(tmp_path: Path) -> None:
    new = edited(("office = 10.20.0.0/16", "office = 10.20.0.0/17"), ("{ ssh, 8443 }", "{ ssh, 8444 }"))
    groups = answer(OLD, new, tmp_path, "--format", "json").json["groups"]
    assert {g["text"] for g in groups} == {
        "ports `admin` and net `office` changed, together, by way of `admin`",
        "net `office` changed, by way of `web`, `dns`",
    }


def test_a_last_day_that_was_changed_is_an_edit(tmp_path: Path) -> None:
    """Of the rule of that name, though it does not count in one of the versions; not of one that is a little like it."""
    old = "allow udp from 10.20.0.0/16 until 2020-01-01 as gone\nallow tcp from 10.20.0.0/16 to any port 80\n"
    new = old.replace("until 2020-01-01", "until 2030-01-01").replace("port 80", "port 81")
    told = [g["text"] for g in answer(old, new, tmp_path, "--format", "json").json["groups"]]
    assert told == ["rule `gone` edited: until 2020-01-01 -> 2030-01-01", "rule edited: dport 80 -> 81"]
    ended = answer(new, old, tmp_path, "--format", "json").json["groups"]
    assert [g["text"] for g in ended][-1] == "rule `gone` edited: until 2030-01-01 -> 2020-01-01"


def test_an_edited_rule_tells_of_its_names(tmp_path: Path) -> None:
    new = edited(("office = 10.20.0.0/16", "office = 10.20.0.0/17"), ("port admin as admin", "port 22 as admin"))
    told = [g["text"] for g in answer(OLD, new, tmp_path, "--format", "json").json["groups"]]
    assert "rule `admin` edited: dport admin -> 22; it also uses net `office`, which changed" in told


QUIET = [
    ([("port 25", "port 25 log")], "rule `new.fwl:14`: is logged now"),
    ([("as dns", "as names")], "rule `names`: called `dns` before"),
    ([("port 25", "port 25 until 2030-01-01")], "until no day -> 2030-01-01"),
    ([("net guests = 10.21.0.0/16", "net guests = 10.21.0.0/16  # visitors")], "1 comment added"),
    ([("to 192.0.2.0/24 port admin", "to 192.0.2.0/24 port { ssh, 8443 }")], "is written in another way"),
    ([("ports admin", "net spare = 10.99.0.0/16\nports admin")], "net `spare` is new"),
    (
        [("allow tcp from 10.30.0.0/16 to any port 25\n", ""), ("allow www", "allow tcp from 10.30.0.0/16 to any port 25\nallow www")],
        "moved",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("swaps", "said"), QUIET)
def test_what_has_no_effect_is_told_apart(
    swaps: list[tuple[str, str]], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.fwl").write_text(OLD)
    Path("new.fwl").write_text(edited(*swaps))
    done = run("diff", "old.fwl", "new.fwl", *DAY)
    assert done.code == 0
    head, _, aside = done.out.partition("\n\n")
    assert head.startswith("EQUIVALENT")
    assert aside.startswith("without effect on any verdict:\n")
    assert said in re.sub(r"\s+", " ", aside)


def variants(seed: int) -> tuple[str, str]:
    """A policy of zones, and one with a few things done to it."""
    draw = random.Random(seed)
    lines = text(count=60).splitlines()
    first = next(n for n, line in enumerate(lines) if not line) + 1
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(first, len(lines))
        what = draw.randrange(5)
        if what == 0:
            lines.insert(
                at,
                f"{draw.choice(['allow', 'deny'])} tcp from office to backup port {draw.randrange(9000)} as new{seed}-{at}",
            )
        elif what == 1:
            del lines[at]
        elif what == 2:
            lines.insert(draw.randrange(first, len(lines)), lines.pop(at))
        elif what == 3:
            lines[at] = (
                lines[at].replace("allow", "deny")
                if lines[at].startswith("allow")
                else lines[at].replace("deny", "allow")
            )
        else:
            zone = draw.randrange(10)
            lines[1 + zone] = lines[1 + zone].replace("/16", "/17")
    return text(count=60), "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(12))
def test_text_json_and_sarif_agree_on_number_order_and_places(seed: int, tmp_path: Path) -> None:
    old, new = variants(seed)
    data = answer(old, new, tmp_path, "--format", "json").json
    whole = answer(old, new, tmp_path, "--detail").out
    folded = answer(old, new, tmp_path, "--limit", "1000").out
    results = json.loads(answer(old, new, tmp_path, "--format", "sarif").out)["runs"][0]["results"]
    assert answer(old, new, tmp_path, "--format", "jsonl").lines == data["changes"]
    # number and order: regions in the text in full are those of the data, one by one
    flat = re.sub(r"\s+", " ", whole)
    at = 0
    for change in data["changes"]:
        word = {"allow": "newly allowed", "deny": "newly denied"}[change["newly"]]
        words = f"{word} {change['region']['text']} e.g. {change['witness']['packet']} "
        at = flat.index(words, at) + len(words)
    assert whole.count("e.g. ") == len(data["changes"])
    # grouped totals add up to the ungrouped ones
    assert [g["first"] for g in data["groups"]] == [
        sum(h["newly_allowed"]["regions"] + h["newly_denied"]["regions"] for h in data["groups"][:n])
        for n in range(len(data["groups"]))
    ]
    for side, action in (("newly_allowed", "allow"), ("newly_denied", "deny")):
        mine = [change for change in data["changes"] if change["newly"] == action]
        assert data[side]["regions"] == len(mine) == sum(g[side]["regions"] for g in data["groups"])
        assert int(data[side]["flows"]) == sum(int(c["region"]["flows"]) for c in mine)
        assert int(data[side]["flows"]) == sum(int(g[side]["flows"]) for g in data["groups"])
    # places: a group's in SARIF is where it stands now
    sides = [
        (n, g, side)
        for n, g in enumerate(data["groups"])
        for side in ("newly_allowed", "newly_denied")
        if g[side]["regions"]
    ]
    assert len(results) == len(sides)
    at = 0
    for result, (n, group, side) in zip(results, sides, strict=True):
        assert result["properties"]["group"] == n
        assert result["properties"]["regions"] == group[side]["regions"]
        assert str(result["properties"]["flows"]) == str(group[side]["flows"])
        if group["new"]:
            place = group["new"][0]
            assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == place["line"]
            assert f"{place['file']}:{place['line']}" in folded.replace("\n    ", " ")
    for group in data["groups"]:
        at = re.sub(r"\s+", " ", folded).index(group["text"], at)


def test_a_changed_definition_alone_makes_its_changes_or_takes_them_back() -> None:
    """As `analysis.causes` promises of every edit; here of those that are many rules at once."""
    seen = 0
    for seed in range(40, 60):
        old, new = (fwengine.loads(some) for some in variants(seed))
        attribution = Review(old, new, diff(old, new)).attribution
        for cause in attribution.causes.found:
            seen += cause.edit.kind == "definition"
            for change in cause.changes[:20]:
                holds(attribution.edits, old, new, cause.edit, change)
    assert seen > 5


@pytest.mark.parametrize("plain", [False, True])
def test_every_region_of_a_diff_reads_back(plain: bool, tmp_path: Path) -> None:
    for seed in range(20, 30):
        old, new = (fwengine.loads(some) for some in variants(seed))
        review = Review(old, new, diff(old, new), plain=plain)
        for change in review.order[:60]:
            said = review.wording.region(change.box)
            back = region(None if plain else new, said)
            assert all(box.issubset(change.box) for box in back), said
            assert sum(box.flows for box in back) == change.flows, said
            assert change.witness.point is None or any(change.witness in box for box in back)


def test_plain_writes_without_names(tmp_path: Path) -> None:
    new = edited(("allow tcp from 10.30", "deny tcp from office to any port 22 as no-ssh\nallow tcp from 10.30"),
                 ("port admin as admin", "port 8443 as admin"))  # fmt: skip
    assert " from office " in answer(OLD, new, tmp_path).out
    done = answer(OLD, new, tmp_path, "--plain", "--format", "json")
    assert all("office" not in change["region"]["text"] for change in done.json["changes"])


def test_folders_are_compared_file_by_file(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old / "in", new / "in"):
        folder.mkdir(parents=True)
    for name, before, after in (
        ("a.fwl", OLD, edited(("port 25", "port 26"))),
        ("in/b.fwl", OLD, OLD.replace("office", "staff")),
        ("gone.fwl", "allow tcp to 10.0.0.1\n", None),
        ("come.fwl", None, "deny udp\n"),
        ("first-name.fwl", text(count=20), None),
        ("second-name.fwl", None, text(count=21)),
    ):
        if before is not None:
            (old / name).write_text(before)
        if after is not None:
            (new / name).write_text(after)
    done = run("diff", old, new, "--format", "json", *DAY)
    assert done.code == 1
    files = [
        (f["old"] and Path(f["old"]).name, f["new"] and Path(f["new"]).name, f["status"], f["renamed"])
        for f in done.json["files"]
    ]
    assert files == [
        ("a.fwl", "a.fwl", "changed", False),
        ("b.fwl", "b.fwl", "equivalent", False),
        ("first-name.fwl", "second-name.fwl", "changed", True),
        ("gone.fwl", None, "removed", False),
        (None, "come.fwl", "added", False),
    ]
    assert {g["file"] for g in done.json["groups"]} == {0, 2}
    shown = run("diff", old, new, *DAY).out
    assert shown.splitlines()[-1] == "5 files: 2 changed, 1 equivalent, 1 removed, 1 added"
    assert "renamed, changed" in shown
    (new / "a.fwl").write_text("allow nonsense\n")
    broken = run("diff", old, new, "--format", "json", *DAY)
    assert broken.code == 2
    assert [f["status"] for f in broken.json["files"]] == ["equivalent", "changed", "removed", "added"]
    assert run("diff", old, old, *DAY).code == 0
    assert run("diff", old, new / "a.fwl", *DAY).code == 2


def test_in_a_folder_what_others_include_needs_no_rule(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "edge.fwl").write_text('include "names.fwl"\nallow tcp to web port 80\n')
        (folder / "names.fwl").write_text("net web = 192.0.2.80\n")
    done = run("diff", old, new, *DAY)
    assert (done.code, done.err) == (0, "")
    assert run("diff", old / "names.fwl", new / "names.fwl", *DAY).code == 2
    (new / "empty.fwl").write_text("# nothing yet\n")
    done = run("diff", old, new, *DAY)
    assert (done.code, done.err.count("error[FW501]"), "empty.fwl: added" in done.out) == (2, 1, True)


def test_standard_input_is_a_version(tmp_path: Path) -> None:
    (tmp_path / "new.fwl").write_text(edited(("port 25", "port 26")))
    done = run("diff", "-", tmp_path / "new.fwl", *DAY, stdin=OLD.encode())
    assert done.code == 1
    assert "rule edited: dport 25 -> 26 (<stdin>:14" in done.out


@pytest.mark.parametrize("form", ["markdown", "github", "junit"])
def test_other_forms_have_each_cause(form: str, tmp_path: Path) -> None:
    new = edited(("port 25", "port 26"), ("deny  udp from guests as no-udp\n", ""))
    out = answer(OLD, new, tmp_path, "--format", form).out
    assert "no-udp" in out
    assert re.search(r"rule edited: dport 25 -(>|&gt;|\\>) 26", out)
