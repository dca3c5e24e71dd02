"""`fwengine show`: every form tells the truth about what was compiled, and tools can read those meant for them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import EDGE, run
from support.generators import Seeded, make_point_near, random_policy, worlds
from support.paths import RULES

from fwengine import Policy, decide, loads, region
from fwengine.model.address import parse as parse_address
from fwengine.model.box import Box
from fwengine.model.fields import DST, FIELDS, FLAGS, FULL, IN, OUT, PRESENT, SRC, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import Rule
from fwengine.report import drawings
from fwengine.report.drawings import tree_lines
from fwengine.report.drawn import drawn
from fwengine.report.ruled import Listed, PolicyListed
from fwengine.report.shown import Shown
from fwengine.report.style import Style
from fwengine.report.verdicts import FIELD_WORDS
from fwengine.traffic.codec import Packet


@pytest.fixture
def edge(tmp_path: Path) -> Path:
    path = tmp_path / "edge.fwl"
    path.write_text(EDGE)
    return path


@st.composite
def policies_and_points(draw: st.DrawFn) -> tuple[Policy, list[Point]]:
    """Policies with names, of any shape that compiles; and packets near their corners."""
    world, seed = draw(worlds), draw(st.integers(0, 10_000))
    policy = random_policy(seed, world, 6)
    named = tuple(Rule(r.action, tuple(map(_named, r.boxes)), f"r{n}") for n, r in enumerate(policy.rules))
    source = Seeded(seed)
    return Policy(named, policy.default), [make_point_near(source, world, policy) for _ in range(30)]


def _named(box: Box) -> Box:
    """Without ranges of interface numbers, which no text has a word for."""
    for field in (IN, OUT):
        chosen = box.sets[field]
        if min(chosen.size, (FULL[field] - chosen).size) > 9:
            box = box.replace(field, FULL[field])
    return box


def test_the_table_is_the_text(edge: Path) -> None:
    lines = run("show", edge, "--as-of", "2026-11-21", env={"COLUMNS": "300"}).out.splitlines()
    assert lines[0].split() == ["#", "action", "protocol", "from", "port", "to", "port", "options", "rule"]
    assert [re.split(r"  +", line)[-1] for line in lines[1:]] == [
        "spoofed", "web-in", f"{edge}:9", "dns-out", "ping", "admin", f"{edge}:13", "default",
    ]  # fmt: skip
    assert re.split(r"  +", lines[6])[1:] == [
        "allow", "tcp", "office", "web", "{ ssh, 8000-8080 }", "until 2026-06-30 (expired)", "admin",
    ]  # fmt: skip
    assert len({len(line.rstrip()) >= lines[0].rindex("rule") for line in lines}) == 1
    assert "(expired)" not in run("show", edge, "--as-of", "2026-06-30").out


@pytest.mark.parametrize("room", [40, 60, 80, 100, 120])
def test_the_table_fits_the_terminal_and_loses_no_word(edge: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    monkeypatch.chdir(edge.parent)
    narrow = run("show", edge.name, env={"COLUMNS": str(room)}).out
    whole = run("show", edge.name, env={"COLUMNS": "300"}).out
    assert max(map(len, narrow.splitlines())) <= room
    rules, heads = ("\n".join(whole.splitlines()[1:]), {"from", "to", "port", "as"})
    assert Counter(rules.split()) <= Counter(narrow.split())
    assert set(narrow.split()) - set(rules.split()) <= heads | set(whole.splitlines()[0].split())


def test_a_policy_without_rules(tmp_path: Path) -> None:
    path = tmp_path / "p.fwl"
    path.write_text("# nothing\n")
    assert run("show", path).out.splitlines()[1:] == ["deny    any       any   any  default"]
    assert run("show", path, "--as", "tree").out == "deny by default\n"
    assert run("show", path, "--as", "json").json["roots"] == [-1]
    assert run("show", path, "--as", "stats").out.splitlines()[0] == "rules    0"
    assert 'r0 [label="deny by default"' in run("show", path, "--as", "dot").out
    assert run("show", "-", "--as", "tree", stdin=b"default allow\n").out == "allow by default\n"


@pytest.mark.parametrize("arguments", [["none.fwl"], ["/"], ["-"], ["{edge}", "--as", "picture"], []])
def test_what_cannot_be_shown(edge: Path, arguments: list[str]) -> None:
    done = run("show", *[a.replace("{edge}", str(edge)) for a in arguments], stdin=b"alow\n")
    assert (done.code, done.out) == (2, "")
    assert "rror" in done.err


class TestTree:
    """The text is parsed back into a decision procedure of its own, which must agree with `decide`."""

    @settings(max_examples=60)
    @given(policies_and_points())
    def test_the_text_decides_as_the_policy(self, case: tuple[Policy, list[Point]]) -> None:
        policy, points = case
        trees = list(_trees("\n".join(tree_lines(drawn(policy)))))
        order = [*(rule.name for rule in policy.rules), "default"]
        for point in points:
            found = min((_walk(lines, point) for lines in trees), key=lambda leaf: order.index(leaf.split(" by ")[1]))
            verdict = decide(policy, point)
            assert found == f"{verdict.action.value} by {verdict.by}"

    @pytest.mark.parametrize("name", ["web-server", "edge", "fragments", "dhcp", "port-scan", "spoofed", "ipv6"])
    def test_of_the_examples(self, name: str) -> None:
        """Readable: of two edges one says what it takes, the last one is the rest; nothing is cut off."""
        out = run("show", RULES / f"{name}.fwl", "--as", "tree").out
        assert "..." not in out
        lines = out.splitlines()
        for at, line in enumerate(lines):
            if line.strip().startswith("[") and not line.endswith(tuple(FIELD_WORDS)):
                pytest.fail(f"{at}: {line}")
        assert sum("otherwise" in line for line in lines) >= len(re.findall(r"^ *(?:.*: )?\[", out, re.M)) - out.count(
            "tree "
        )

    def test_a_huge_one_is_cut_and_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drawings, "MAX_TREE_LINES", 3)
        lines = list(tree_lines(drawn(loads(EDGE))))
        assert lines[-1].startswith("... more than 3 lines: see `--as stats`, or `--as json`")


def _trees(text: str) -> Iterator[list[str]]:
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("tree "):
            if lines:
                yield lines
            lines = []
        else:
            lines.append(line)
    yield lines


def _walk(lines: list[str], point: Point) -> str:
    """The leaf that a reader of the text comes to."""
    at = 0
    while True:
        content = lines[at].lstrip()
        target = content.split(": ")[-1] if at else content
        back = re.fullmatch(r"-> node (\d+)", target)
        if back:
            at = next(n for n, line in enumerate(lines) if re.search(rf"(?:^| )\[{back[1]}\] \w+$", line))
            continue
        node = re.fullmatch(r"\[\d+\] (\w+)", target)
        if node is None:
            return target
        field = FIELD_WORDS.index(node[1])
        depth = len(lines[at]) - len(lines[at].lstrip())
        edges = []
        for n in range(at + 1, len(lines)):
            indent = len(lines[n]) - len(lines[n].lstrip())
            if indent <= depth:
                break
            if indent == depth + 2:
                edges.append((n, lines[n].lstrip().rpartition(": ")[0] or lines[n].lstrip().partition(": ")[0]))
        assert edges
        at = next(n for n, values in edges if values == "otherwise" or point[field] in _values(field, values))


def _values(field: int, text: str) -> IntervalSet:
    """What an expression of the tree's text takes, read by the language itself."""
    if text == "any":
        return FULL[field]
    if text == "none" and field not in (IN, OUT):
        return FULL[field] - PRESENT[field]
    form = {
        "protocol": "{}", "src": "any from {}", "dst": "any to {}", "sport": "tcp from any port {}",
        "dport": "tcp to any port {}", "type": "icmp type {}", "code": "icmp code {}", "fragment": "any fragment {}",
        "flags": "tcp flags {}",
    }.get(FIELD_WORDS[field], f"any {FIELD_WORDS[field]} {{}}")  # fmt: skip
    if field == FLAGS and text == "established":
        form = "tcp established"
    boxes = region(None, form.format(text))
    return IntervalSet.union(pair for box in boxes for pair in box.sets[field])


class TestJson:
    """The document is all of it: it decides by itself."""

    @settings(max_examples=60)
    @given(policies_and_points())
    def test_the_document_decides_as_the_policy(self, case: tuple[Policy, list[Point]]) -> None:
        policy, points = case
        document = json.loads(json.dumps(Shown.of(policy).to_dict()))
        rules = [shown["rule"]["action"] for shown in document["rules"]] + [document["default"]]
        for point in points:
            index = min(_leaf(document["nodes"], root, point) for root in document["roots"])
            verdict = decide(policy, point)
            assert (index, rules[index]) == (verdict.index, verdict.action.value)

    def test_its_keys(self, edge: Path) -> None:
        document = run("show", edge, "--as", "json", "--as-of", "2026-11-21").json
        assert list(document) == ["policy", "format", "applied", "default", "rules", "statistics", "roots", "nodes"]
        assert [rule["active"] for rule in document["rules"]] == [True] * 5 + [False, True]
        statistics = document["statistics"]
        assert statistics["rules"] == len(document["rules"])
        assert statistics["nodes"] == len(document["nodes"])
        assert statistics["edges"] == sum(len(node["children"]) for node in document["nodes"])
        for node in document["nodes"]:
            assert len(node["children"]) == len(node["cuts"]) + 1
            kind = str if node["field"] in ("src", "dst", "in", "out") else int
            assert all(type(cut) is kind for cut in node["cuts"])

    def test_its_regions_are_read_back(self, edge: Path) -> None:
        policy = loads(EDGE)
        for rule, shown in zip(policy.rules, run("show", edge, "--as", "json").json["rules"], strict=True):
            boxes = [box for part in shown["regions"] for box in region(None, part["text"])]
            assert not any(piece for box in rule.boxes for piece in _without(box, boxes))
            assert not any(piece for box in boxes for piece in _without(box, list(rule.boxes)))


def _without(box: Box, others: list[Box]) -> list[Box]:
    left = [box]
    for other in others:
        left = [piece for part in left for piece in part - other]
    return left


def _leaf(nodes: list[dict[str, list[int]]], child: int, point: Point) -> int:
    while child >= 0:
        node = nodes[child]
        field = FIELD_WORDS.index(str(node["field"]))
        cuts = [parse_address(str(c)) if field in (SRC, DST) else int(c) for c in node["cuts"]]
        child = node["children"][bisect_right(cuts, point[field])]
    return -1 - child


class TestDrawings:
    def test_dot_is_whole(self, edge: Path) -> None:
        """A small parser of its own: every edge joins what is declared, every node is reached from a root."""
        out = run("show", edge, "--as", "dot").out
        assert out.startswith("digraph policy {\n")
        assert out.endswith("}\n")
        body = out.splitlines()[4:-1]
        text = r'"((?:[^"\\]|\\.)*)"'
        nodes, edges = {}, []
        for line in body:
            node = re.fullmatch(rf"  ([nr]\d+) \[label={text}(?:, style=filled, fillcolor=\w+)?\];", line)
            edge_ = re.fullmatch(rf"  (n\d+) -> ([nr]\d+) \[label={text}\];", line)
            assert node or edge_, line
            if node:
                assert node[1] not in nodes
                nodes[node[1]] = node[2]
            elif edge_:
                edges.append((edge_[1], edge_[2], edge_[3]))
        document = run("show", edge, "--as", "json").json
        assert {a for a, _, _ in edges} | {b for _, b, _ in edges} == set(nodes)
        assert sum(name.startswith("n") for name in nodes) == len(document["nodes"])
        for name in nodes:
            labels = [label for a, _, label in edges if a == name]
            assert len(labels) == len(set(labels))
            assert not labels or labels[-1] == "otherwise" or len(labels) == 1

    @pytest.mark.skipif(shutil.which("dot") is None, reason="needs graphviz")
    def test_graphviz_draws_it(self, tmp_path: Path) -> None:
        odd = tmp_path / 'a"b\\c<i>{é|}.fwl'
        odd.write_text(EDGE)
        source = run("show", odd, "--as", "dot").out
        drawn = subprocess.run(["dot", "-Tplain"], input=source.encode(), capture_output=True, check=True)
        assert drawn.stderr == b""
        assert drawn.stdout.count(b"\nnode ") == source.count(" [label=") - source.count(" -> ")

    def test_mermaid_is_escaped(self, tmp_path: Path) -> None:
        odd = tmp_path / 'a"b#1;<i>&.fwl'
        odd.write_text(EDGE)
        lines = run("show", odd, "--as", "mermaid").out.splitlines()
        assert lines[0] == "flowchart LR"
        for line in lines[1:-2]:
            assert re.fullmatch(
                r'  (?:n\d+\["\w+"\]|r\d+\(\["[^"<>]+"\]\):::\w+|n\d+ -->\|"[^"<>]+"\| [nr]\d+)', line
            ), line
        assert any("a#quot;b#35;1;#lt;i#gt;#amp;.fwl:9" in line for line in lines)

    def test_long_labels_are_cut(self) -> None:
        ports = ", ".join(str(n) for n in range(0, 2000, 2))
        policy = loads(f"allow tcp to any port {{ {ports} }} as a\n")
        assert max(map(len, drawings.dot(drawn(policy)))) < 300
        assert "1998" in "".join(tree_lines(drawn(policy)))  # but not in the tree, which is the truth


def test_statistics_are_the_trees(edge: Path) -> None:
    lines = dict(
        line.split(None, 1) for line in run("show", edge, "--as", "stats", "--as-of", "2026-11-21").out.splitlines()
    )
    assert list(lines) == ["rules", "default", "trees", "nodes", "edges", "depth", "memory"]
    tree = loads(EDGE).tree.statistics()
    assert lines["rules"] == "7 (1 expired)"
    assert lines["default"] == "deny"
    assert tree.depth <= FIELDS


def test_the_table_of_written_words_is_padded_with_colour() -> None:
    table = Listed((PolicyListed.of(loads(EDGE)),))
    coloured = list(table.lines(Style(True)))
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == list(table.lines(Style(False)))
    assert Packet.parse("tcp 1.1.1.1 -> 2.2.2.2").point is None
