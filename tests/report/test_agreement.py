"""All forms of one answer agree: on number, order and places; sums add up; and whatever is data is as its schema says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support import large
from support.commands import run
from support.generators import SMALL, random_policy
from support.paths import ROOT
from support.schemas import hold

from fwengine import Packet, Policy, dumps, load, region
from fwengine.analysis.confirm import volume
from fwengine.analysis.region import disjoint
from fwengine.codes import DECIDED
from fwengine.model.box import Box
from fwengine.packets.encode import write_pcap
from fwengine.sources.foreign import Reading

DAY = ("--as-of", "2026-11-25")
SIDES = {"newly_allowed": "allow", "newly_dependent": "depends", "newly_denied": "deny"}
SERVER = ROOT / "rules" / "formats" / "server.rules"
OLD = """\
net office = 10.20.0.0/16
net web    = 192.0.2.80/30
net spare  = 10.9.9.9
deny  any from office in wan0 as spoofed
allow tcp to web port { http, https } as web-in
allow tcp from office to web port ssh as admin
deny  tcp from 10.20.9.0/24 to web port ssh as late
# fwengine: ignore FW202: kept until the audit
allow tcp from 10.20.8.0/24 to web port ssh as again
allow icmp to web type echo-request
expect allow tcp 10.20.1.1:40000 -> 192.0.2.80:22 in lan0 by admin
expect deny  tcp to web port ssh
expect deny  udp to web
expect allow udp to web
"""
NEW = OLD.replace("port ssh as admin", "port { ssh, 8080 } as admin").replace(
    "deny  any from office in wan0 as spoofed\n", ""
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.fwl").write_text(OLD)
    Path("new.fwl").write_text(NEW)
    Path("bad.fwl").write_text("alow tcp\nnet a = 1.2.3\n")
    Path("claims.txt").write_text("deny tcp to web port ssh\nallow icmp to web type echo-request\ndeny udp\n")
    Path("server.rules").write_bytes(SERVER.read_bytes())
    texts = ["tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn", "tcp 10.20.7.8:1029 -> 192.0.2.80:22 flags syn"]
    write_pcap("c.pcap", [Packet.parse(text) for text in [*texts, *texts, "udp 1.1.1.1:1 -> 2.2.2.2:2"]])
    Path("c.fwl").write_text(large.text(count=40))
    for name, seed in (("a", 1), ("b", 2)):
        Path(f"{name}.fwl").write_text(dumps(random_policy(seed, SMALL)))
    return tmp_path


def form(words: tuple[str, ...], name: str) -> str:
    done = run(*words, "--format", name)
    assert "Traceback" not in done.err
    return done.out


def data(words: tuple[str, ...]) -> Any:
    return json.loads(form(words, "json"))


def results(words: tuple[str, ...]) -> list[dict[str, Any]]:
    """The results of SARIF that are no failures and were not set aside."""
    (ran,) = json.loads(form(words, "sarif"))["runs"]
    return [r for r in ran["results"] if "kind" not in r.get("properties", {}) and "suppressions" not in r]


def at(result: dict[str, Any]) -> str:
    where = result["locations"][0]["physicalLocation"]
    return f"{where['artifactLocation']['uri']}:{where['region']['startLine']}"


def place(record: dict[str, Any]) -> str:
    return f"{record['file']}:{record['line']}"


@pytest.mark.parametrize(
    "paths", [("old.fwl",), ("old.fwl", "new.fwl", "bad.fwl"), ("server.rules",), ("a.fwl", "b.fwl")]
)
def test_findings(paths: tuple[str, ...]) -> None:
    words = ("check", *paths, "--select", "all", *DAY)
    found = [(f["code"], place(f["place"])) for f in data(words)["findings"]]
    assert found
    assert [(r["ruleId"], at(r)) for r in results(words)] == found
    told = re.findall(
        r"^(?:(?:warning|error)\[(FW2\d\d|FW3\d\d|FW4\d\d)\].*\n(?: {4}\S.*\n)* *--> (.*?:\d+):\d+|info\[(FW\d+)\] (.*?:\d+): .*)$",
        form(words, "text"),
        re.MULTILINE,
    )
    assert [(a or c, b or d) for a, b, c, d in told] == found
    counts = data(words)["policies"]
    every = [f["severity"] for f in data(words)["findings"]]
    for severity, key in (("error", "errors"), ("warning", "warnings"), ("info", "info")):
        compiled = [p for p in counts if p["size"] is not None]
        assert sum(p[key] for p in compiled) == every.count(severity)


def test_expectations() -> None:
    words = ("test", "old.fwl", "new.fwl", "--coverage", *DAY)
    document = data(words)
    failed = [(place(r["place"]), r["expectation"]) for r in document["results"] if not r["passed"]]
    assert len(failed) == document["failed"] == sum(p["failed"] for p in document["policies"])
    assert (
        len(document["results"]) - len(failed) == document["passed"] == sum(p["passed"] for p in document["policies"])
    )
    text = form(words, "text")
    assert re.findall(r"^FAILED (\S+)  (.*)$", text, re.MULTILINE) == failed
    assert [(at(r), r["message"]["text"].partition(". ")[0]) for r in results(words)] == [
        (where, f"failed: {claim}") for where, claim in failed
    ]
    coverage = document["coverage"]
    assert coverage["rules"] == coverage["covered"] + len(coverage["missing"])
    assert text.count("never exercised") == len(coverage["missing"])


@pytest.mark.parametrize("pair", [("old.fwl", "new.fwl"), ("a.fwl", "b.fwl")])
def test_changes_and_their_sums(pair: tuple[str, str]) -> None:
    words = ("diff", *pair, "--detail", *DAY)
    document = data(words)
    groups, changes = document["groups"], document["changes"]
    for key, newly in SIDES.items():
        mine = [c for c in changes if c["newly"] == newly]
        assert document[key]["regions"] == len(mine) == sum(g[key]["regions"] for g in groups)
        flows = sum(int(c["region"]["flows"]) for c in mine)
        assert int(document[key]["flows"]) == flows == sum(int(g[key]["flows"]) for g in groups)
        for number, group in enumerate(groups):
            assert group[key]["regions"] == sum(c["group"] == number for c in mine)
    assert [c["group"] for c in changes] == sorted(c["group"] for c in changes)
    text = re.sub(r"\s+", " ", form(words, "text"))
    assert text.count(" e.g. ") == len(changes)
    begin = 0
    for change in changes:
        begin = text.index(change["witness"]["packet"], begin) + 1
    told = [(r["properties"]["group"], r["properties"]["regions"]) for r in results(words)]
    expected = [(n, g[key]["regions"]) for n, g in enumerate(groups) for key in SIDES if g[key]["regions"]]
    assert told == expected
    for result in results(words):
        new = groups[result["properties"]["group"]]["new"]
        assert not new or at(result) == place(new[0])


def packets(policy: Policy, texts: Iterable[str]) -> int:
    """How many packets some regions are together."""
    boxes = [box for text in texts for box in region(policy, text)]
    return volume([Box(sets) for sets in disjoint(boxes)])


@pytest.mark.parametrize("pair", [("old.fwl", "new.fwl"), ("a.fwl", "b.fwl"), ("b.fwl", "a.fwl")])
def test_causes_in_short(pair: tuple[str, str]) -> None:
    """Folded text is the `sides` of the data, and these are what the changes come to."""
    document = data(("diff", *pair, *DAY))
    after = load(pair[1], as_of=date.fromisoformat(DAY[1]))
    groups, changes = document["groups"], document["changes"]
    text = re.sub(r"\s+", " ", form(("diff", *pair, "--limit", "1000", *DAY), "text"))
    page = form(("diff", *pair, *DAY), "markdown").replace("\\", "")
    begin = beneath = 0
    for number, group in enumerate(groups):
        begin = text.index(group["text"], begin)
        beneath = page.index(f"### {group['text']}", beneath) + 1
        sides = [side["newly"] for side in group["sides"]]
        assert sides == [newly for key, newly in SIDES.items() if group[key]["regions"]]
        for side in group["sides"]:
            mine = [c for c in changes if (c["group"], c["newly"]) == (number, side["newly"])]
            widest = changes[side["first"]]
            assert widest is mine[0]
            assert (side["witness"], side["flows"]) == (widest["witness"], widest["region"]["flows"])
            shown = side["regions"] if side["whole"] or len(groups) <= 2 else side["regions"][:1]
            for words in (*(shown if all(len(told) < 120 for told in shown) else ()), side["witness"]["packet"]):
                begin = text.index(words, begin)
            if side["whole"]:
                assert packets(after, side["regions"]) == packets(after, [c["region"]["text"] for c in mine])
            else:
                assert side["regions"] == [c["region"]["text"] for c in mine[:3]]
            for which in ("old", "new"):
                deciding = Counter(c[which]["label"] for c in mine)
                assert len(deciding) == len(side[which]["rules"]) + side[which]["others"]
                assert side[which]["verdicts"] == sorted({c[which]["action"] for c in mine})
                most = [deciding[rule["label"]] for rule in side[which]["rules"]]
                assert most == sorted(deciding.values(), reverse=True)[: len(most)]
                for rule in side[which]["rules"]:
                    begin = text.index(rule["label"], begin)


@pytest.mark.parametrize("question", ["allow tcp to web", "allow any", "deny udp from office"])
def test_regions(question: str) -> None:
    words = ("query", "old.fwl", question, "--detail", *DAY)
    found = data(words)["regions"]
    text = re.sub(r"\s+", " ", form(words, "text"))
    begin = 0
    for row in found:
        begin = text.index(row["region"]["text"], begin) + 1
        begin = text.index(row["witness"]["packet"], begin) + 1
    assert text.count("e.g. ") == len(found)
    by_rule = dict.fromkeys(r["rule"]["label"] for r in found)
    assert [r["properties"]["rule"] for r in results(words)] == list(by_rule)
    assert [t for r in results(words) for t in r["properties"]["regions"]] == [
        row["region"]["text"] for label in by_rule for row in found if row["rule"]["label"] == label
    ]


@pytest.mark.parametrize(
    "asked",
    [("old.fwl", "allow tcp to web"), ("old.fwl", "allow any"), ("a.fwl", "deny any"), ("c.fwl", "allow any"),
     ("server.rules", "allow any", "--policy", "INPUT")],
)  # fmt: skip
def test_regions_in_short(asked: tuple[str, ...]) -> None:
    """Folded text is what the data has in short, and that is what the regions come to; of what is in doubt as well."""
    words = ("query", *asked, *DAY)
    document = data(words)
    lines = form(words, "text").splitlines()
    assert len(lines) <= 15
    text = re.sub(r"\s+", " ", " ".join(lines))
    chain = Reading(policy="INPUT") if "--policy" in asked else None
    policy = load(asked[0], reading=chain, as_of=date.fromisoformat(DAY[1]))
    parts = text.partition(" in doubt, unless ")
    for found, rows, part in (
        (document["found"], document["regions"], parts[0]),
        (document["in_doubt_found"], document["in_doubt"], parts[2]),
    ):
        if not rows:
            continue
        assert part.removeprefix("`--in-doubt allow` or `--in-doubt deny` takes a side: ").startswith(
            f"{found['regions']} region"
        )
        assert found["regions"] == len(rows) == sum(rule["regions"] for rule in found["rules"])
        sums = [sum(int(row["region"]["flows"]) for row in rows), sum(int(rule["flows"]) for rule in found["rules"])]
        assert sums == [int(found["flows"])] * 2
        for rule in found["rules"]:
            mine = [row for row in rows if row["rule"] == rule["rule"]]
            assert (rule["regions"], rule["witness"]) == (len(mine), mine[0]["witness"])
            if rule["whole"]:
                assert packets(policy, [rule["region"]]) == packets(policy, [row["region"]["text"] for row in mine])
            else:
                assert rule["region"] == mine[0]["region"]["text"]
        rest = re.search(r"and (\d+) more regions? of (\d+) rules? \(--detail", part)
        shown = found["rules"][: len(found["rules"]) - int(rest[2] if rest else 0)]
        assert sum(rule["regions"] for rule in shown) == found["regions"] - int(rest[1] if rest else 0)
        begin = 0
        for rule in shown:
            begin = begin if len(rule["region"]) > 120 else part.index(rule["region"], begin)
            begin = part.index(rule["rule"]["label"], begin)
            begin = part.index(rule["witness"]["packet"], begin)


@pytest.mark.parametrize(
    "asked",
    [
        ("old.fwl",),
        ("c.fwl",),
        ("a.fwl",),
        ("server.rules", "--policy", "INPUT", "--in-doubt", "deny"),
        ("c.fwl", "--between", "office,lab"),
    ],
)
def test_who_reaches_whom(asked: tuple[str, ...]) -> None:
    """Text in full, a page, a sheet and data say the same of each pair; folded text has the same counts."""
    words = ("show", *asked, "--as", "matrix", *DAY)
    document = data(words)
    hold(document, "show")
    cells, n = document["cells"], len(document["zones"])
    assert len(cells) == n * n
    counts = Counter(cell["access"] for cell in cells)
    words_of = {"all": "open for all", "part": "open in part", "nothing": "shut", "impossible": "of different families"}
    head = ", ".join(f"{counts[key]:,} {word}" for key, word in words_of.items() if counts[key])
    folded = form(words, "text")
    whole = re.sub(r"\s+", " ", form((*words, "--detail"), "text"))
    assert f"of {n * n:,} pair{'s' * (n > 1)} {head}" in re.sub(r"\s+", " ", folded)
    assert f"of {n * n:,} pair{'s' * (n > 1)} {head}" in whole
    page = [line for line in form(words, "markdown").replace("\\", "").splitlines() if line.startswith("|")][2:]
    sheet = list(csv.reader(io.StringIO(form(words, "csv"))))[1:]
    begin = 0
    for number, (cell, row) in enumerate(zip(cells, sheet, strict=True)):
        if not number % n and any(c["access"] not in ("nothing", "impossible") for c in cells[number : number + n]):
            begin = whole.index(f"from {cell['source']}", begin)
        shown = page[number // n][2:-2].split(" | ")
        assert (shown[0], *row[:3]) == (cell["source"], cell["source"], cell["destination"], cell["access"])
        conditions = [f"{', '.join(c['services'])} ({c['when'] or 'some'}" for c in cell["conditional"]]
        if cell["access"] == "part":
            assert shown[1 + number % n].count("<br>") == len(cell["services"]) + len(conditions) - 1
            assert all(told in shown[1 + number % n] for told in (*cell["services"], *conditions))
            assert row[3] == ", ".join(cell["services"])
            for told in (*filter(None, [row[3]]), *conditions):
                assert told in re.sub(r"\s+", " ", whole[begin:])
                assert told in f"{row[3]}; {row[4]}"


@pytest.mark.parametrize("file", ["old.fwl", "a.fwl", "c.fwl"])
def test_trees(file: str) -> None:
    """Text, a page and data have the same nodes, and the edges of each in the same order; so has a drawing."""
    words = ("show", file, "--as", "tree", *DAY)
    document = data(words)
    hold(document, "show")
    (tree,) = document["drawn"]
    text = form(words, "text")
    told: dict[int, list[str]] = {}
    above: list[int] = []
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        edge = re.match(r" *(?:(.*?): )?(?:\[(\d+)\]|-> node (\d+)|(?:allow|deny) by )", line)
        if edge is None:
            assert line.startswith("tree ")
            continue
        if depth:
            told.setdefault(above[depth - 1], []).append(edge[1])
        del above[depth:]
        above.append(int(edge[2] or edge[3] or -1))
    assert told == {node["node"]: [each["values"] for each in node["edges"]] for node in tree["nodes"]}
    assert text in form(words, "markdown")
    drawing = run("show", file, "--as", "dot", *DAY).out
    assert len(re.findall(r"^  n\d+ \[", drawing, re.MULTILINE)) == len(tree["nodes"])
    assert drawing.count(" -> ") == sum(len(node["edges"]) for node in tree["nodes"])


def test_claims() -> None:
    words = ("prove", "old.fwl", "new.fwl", "--claims", "claims.txt", *DAY)
    found = [(r["policy"], r["claim"], r["holds"]) for r in data(words)["results"]]
    told = re.findall(r"^(PROVED|FALSE)\s+(\S+?): (.*?)(?: \(\w+\))?$", form(words, "text"), re.MULTILINE)
    assert [(policy, claim, word == "PROVED") for word, policy, claim in told] == found
    refuted = [(r["properties"]["policy"], r["properties"]["claim"]) for r in results(words)]
    assert refuted == [(policy, claim) for policy, claim, holds in found if not holds]


def test_packets() -> None:
    packets = (
        "tcp 10.20.1.1:40000 -> 192.0.2.80:22 in lan0",
        "udp 1.1.1.1:1 -> 2.2.2.2:2",
        "tcp 10.20.1.1 -> 192.0.2.80",
    )
    words = ("eval", "old.fwl", *packets, "--expect", "allow", *DAY)
    found = [(r["verdict"], r["packet"]) for r in data(words)["results"]]
    assert [(r["properties"]["verdict"], r["properties"]["packet"]) for r in results(words)] == found
    heads = re.findall(r"^(ALLOW|DENY|DEPENDS) +(?:on [\w, ]+  )?(.*?)(?:  by .*)?$", form(words, "text"), re.MULTILINE)
    assert [(word.lower(), packet) for word, packet in heads] == found


@pytest.mark.parametrize("more", [(), ("--only", "deny"), ("--rule", "admin", "--coverage"), ("--top", "3")])
def test_counts_add_up(more: tuple[str, ...]) -> None:
    words = ("eval", "old.fwl", "-r", "c.pcap", "-r", "c.pcap", *more, *DAY)
    document = data(words)
    for sums in (document, *document["captures"]):
        assert sums["packets"] == sums["allow"] + sums["deny"] + sums["depends"] + sums["not_ip"] > 0
    for key in ("packets", "allow", "deny"):
        assert document[key] == sum(capture[key] for capture in document["captures"])
    told = {row["rule"]["label"]: row["packets"] for row in document["rules"]}
    for label in told:
        parts = [row["packets"] for c in document["captures"] for row in c["rules"] if row["rule"]["label"] == label]
        assert told[label] == sum(parts)
    if not more:
        assert sum(told.values()) == document["packets"]
    text = form(words, "text")
    rows = re.findall(r"^ *([\d,]+) +[\d,]+  (?:allow|deny) +(\S+)", text, re.MULTILINE)
    assert {label: int(packets) for packets, label in rows} == told
    told_of = [r for r in results(words) if r["ruleId"] == DECIDED]
    assert {r["properties"]["rule"]: r["properties"]["packets"] for r in told_of} == {
        k: n for k, n in told.items() if n
    }


EVERY = [
    ("check", "old.fwl", "bad.fwl", "--effective", "--select", "all"),
    ("check", "server.rules"),
    ("eval", "old.fwl", "tcp 10.20.1.1 -> 192.0.2.80", "hex:4500", "--explain=all"),
    ("eval", "server.rules", "tcp 10.20.1.1 -> 192.0.2.80", "--policy", "INPUT", "--explain"),
    ("eval", "old.fwl", "-r", "c.pcap", "--coverage", "--top", "5"),
    ("eval", "old.fwl", "-r", "c.pcap", "--per-packet"),
    ("eval", "server.rules", "-r", "c.pcap", "--per-packet", "--policy", "INPUT"),
    ("test", "old.fwl", "--coverage", "--mutate"),
    ("query", "old.fwl", "allow any"),
    ("query", "server.rules", "depends any", "--policy", "INPUT"),
    ("query", "old.fwl", "allow udp"),
    ("prove", "old.fwl", "--claims", "claims.txt", "--limit", "3"),
    ("diff", "old.fwl", "new.fwl", "-r", "c.pcap"),
    ("diff", "old.fwl", "bad.fwl"),
    ("fmt", "old.fwl", "--check", "--diff"),
    ("synth", "old.fwl", "-o", "made.pcap"),
    ("init", "begun"),
    ("explain", "FW201"),
    ("explain",),
    ("version", "--verbose"),
    ("show", "old.fwl", "--as", "matrix"),
    ("show", "old.fwl", "--as", "tree"),
    ("show", "server.rules", "--as", "tree"),
    ("show", "old.fwl", "--as", "table"),
    ("show", "server.rules", "--as", "table"),
    ("show", "server.rules", "--as", "stats"),
]
DATED = frozenset({"check", "eval", "test", "query", "prove", "diff", "synth", "show"})


@pytest.mark.parametrize("asked", EVERY, ids=lambda words: "-".join(word for word in words if "/" not in word))
def test_data_is_as_the_schema_says(asked: tuple[str, ...]) -> None:
    """In both forms; the version is everywhere, and no number is one that a reader of JSON may round."""
    words = (*asked, *DAY) if asked[0] in DATED else asked
    document = data(words)
    hold(document, asked[0])
    assert document["format_version"] == "2.0"
    if asked[0] == "init":  # it writes once
        return
    lines = [json.loads(line) for line in form(words, "jsonl").splitlines()]
    for line in lines:
        hold(line, asked[0], lines=True)
    if "command" in document:
        assert (lines[-1]["summary"]["format_version"], lines[-1]["summary"]["command"]) == ("2.0", asked[0])
    else:
        assert all(set(line) == {"error"} for line in lines)
    for value in (document, *lines):
        assert all(abs(number) <= 1 << 53 for number in _numbers(value))


def _numbers(value: Any) -> Iterator[int | float]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _numbers(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
