"""The page of a policy: it loads nothing, runs nothing but its own, shows what the commands answer, and stays of a size to mail."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.commands import run
from support.paths import ROOT

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

from fwengine import load, loads
from fwengine.analysis.diff import diff
from fwengine.report.changed import Changed, Compared
from fwengine.report.findings import check
from fwengine.report.page.compose import compose
from fwengine.report.page.listing import MOST_LINES
from fwengine.report.page.reach import reach
from fwengine.report.page.shell import page
from fwengine.report.review import Review

RULES = ROOT / "rules"
EDGE = str(RULES / "edge.fwl")


class Reader(HTMLParser):
    """What a browser would make of a page: elements with their attributes, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.own: dict[str, str] = {"style": "", "script": ""}
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in self.own:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.own[self.inside[-1]] += data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def report(text: str, name: str = "<text>") -> str:
    return page("report.html", page=compose(loads(text, file=name)))


HOSTILE = (
    "# </code></style><script>alert(1)</script> & \"quotes\" 'x' {{ 7*7 }} {% raw %}\n"
    "net a.b-c = 192.0.2.1 # <img src=x onerror=alert(1)>\n"
    'allow tcp from any to a.b-c port ssh in "</td><svg onload=alert(1)>" as x\n'
)


def test_nothing_is_loaded_and_nothing_else_runs() -> None:
    text = report(Path(EDGE).read_text("utf-8").replace('include "common.fwl"', f'include "{RULES}/common.fwl"'))
    reader = Reader(text)
    tags = [tag for tag, _ in reader.elements]
    assert (tags.count("script"), tags.count("style")) == (1, 1)
    assert not {"img", "link", "iframe", "object", "embed", "form", "base", "video", "audio"} & set(tags)
    for tag, attributes in reader.elements:
        assert not any(name.startswith("on") or name in ("src", "srcset", "style", "action") for name in attributes), (
            tag
        )
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in text
    assert "@import" not in text
    (security,) = [a["content"] for t, a in reader.elements if t == "meta" and a.get("http-equiv")]
    assert security is not None
    assert security.startswith("default-src 'none'; ")
    assert "unsafe" not in security
    for kind, own in reader.own.items():
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in security


def test_what_stands_in_a_policy_is_text() -> None:
    text = report(HOSTILE, "<b>&.fwl")
    reader = Reader(text)
    tags = [tag for tag, _ in reader.elements]
    assert (tags.count("script"), tags.count("style"), tags.count("svg"), tags.count("img"), tags.count("b")) == (
        1,
        1,
        1,
        0,
        0,
    )
    assert "alert(1)" in reader.text
    assert "{{ 7*7 }}" in reader.text
    assert "<b>&.fwl" in reader.text
    assert "alert" not in reader.own["script"]


def test_what_cannot_be_seen_is_made_visible() -> None:
    policy = load(EDGE)
    hidden = policy.sources[EDGE] + "# \u202e\u2066\x07\x1b[31m\n"
    shown = page("report.html", page=compose(replace(policy, sources={EDGE: hidden})))
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]", shown)


def test_every_link_leads_somewhere_and_no_place_is_there_twice() -> None:
    policy = load(EDGE)
    old = load(str(RULES / "mail.fwl"))
    changed = Changed.of([Compared.of(Review(old, policy, diff(old, policy)))])
    reports = [policy.evaluate_capture(str(RULES / "edge.pcapng"))]
    reader = Reader(page("report.html", page=compose(policy, reports, changed, old.name)))
    places = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(places) == len(set(places))
    for _, attributes in reader.elements:
        if attributes.get("href"):
            assert str(attributes["href"])[1:] in places
        if attributes.get("aria-labelledby"):
            assert attributes["aria-labelledby"] in places


def test_it_says_what_the_commands_answer() -> None:
    text = (
        "net web = 192.0.2.80\nallow tcp from any to web as open\n"
        "deny tcp from any to web port telnet as late\nallow udp from any to web port domain as dns\n"
        "expect deny tcp from any to web port telnet\nexpect allow udp from any to web port domain\n"
    )
    policy = loads(text)
    found = [f for f in check(policy) if f.severity != "info"]
    shown = compose(policy)
    told = [f for file in shown.files for line in file.lines for f in line.findings if f.severity != "info"]
    assert [f.code for f in told] == [f.code for f in found]
    assert [o.passed for o in shown.outcomes] == [False, True]
    assert shown.first[0].text.startswith("does not hold: `expect deny")
    assert shown.first[0].link == "#f0l5"
    lines = {line.number: line for line in shown.files[0].lines}
    assert [lines[n].kind for n in (1, 2, 3, 4, 5)] == ["", "allow", "deny", "allow", "expect"]
    assert lines[2].tested
    assert not lines[3].tested
    reader = Reader(page("report.html", page=shown))
    for f in found:
        assert f.code in reader.text
    assert "counterexample" in reader.text


def test_the_map_is_exact() -> None:
    """Each bar's ports are open as it says, and the ports without a bar are shut: asked of `decide`, port by port."""
    policy = loads(
        "net web = 192.0.2.80\nnet office = 10.0.0.0/8\n"
        "allow tcp from office to web port { 22, 8000-8010 }\nallow tcp from any to web port https\n"
        "allow udp from 10.1.0.0/16 to web port 53\ndeny any"
    )
    found = reach(policy)
    names = found.names
    inside = {"web": "192.0.2.80", "office": "10.2.0.1", "rest of the world": "198.51.100.7"}
    told = {bar.told for band in found.bands if band.name == "web" for bar in band.bars}
    for port in (21, 22, 23, 443, 444, 7999, 8000, 8005, 8010, 8011):
        here = [t for t in told if re.match(rf"tcp/({port}|.*)\b", t) and _holds(t, port)]
        opened = [
            n
            for n in names
            if policy.decide(f"tcp {inside[n]}:1 -> 192.0.2.80:{port} flags syn").action.value == "allow"
        ]
        assert len(here) == bool(opened), port
        for text in here:
            assert set(text.partition("open from ")[2].split("; ")[0].split(", ")) == set(opened)
    (udp,) = [t for t in told if t.startswith("udp/")]
    assert udp == "udp/53 of web: in part from office"


def _holds(told: str, port: int) -> bool:
    found = re.match(r"tcp/(\d+)(?:-(\d+))?", told)
    return found is not None and int(found[1]) <= port <= int(found[2] or found[1])


def rules(count: int) -> str:
    draw = random.Random(3)
    return "net web = 192.0.2.0/24\nnet office = 10.0.0.0/8\n" + "".join(
        f"{draw.choice(('allow', 'deny'))} tcp from 10.{draw.randrange(256)}.{draw.randrange(256)}.0/24 to "
        f"192.0.2.{draw.randrange(256)} port {draw.randrange(1, 65536)} as rule-{n}\n"
        for n in range(count)
    )


def test_a_thousand_rules_make_a_page_to_mail() -> None:
    text = report(rules(1000))
    assert len(text.encode()) < 2_000_000
    assert text == report(rules(1000))


def test_of_a_large_policy_it_says_what_it_leaves_out() -> None:
    shown = compose(loads(rules(MOST_LINES + 500)))
    assert sum(len(file.lines) for file in shown.files) == MOST_LINES
    assert any("502 lines of the text are left out" in note for note in shown.notes)
    assert any("what rules still decide is not told" in note for note in shown.notes)
    assert len(page("report.html", page=shown)) < 6_000_000


class TestCommand:
    def test_it_writes_the_file(self, tmp_path: Path) -> None:
        out = tmp_path / "edge.html"
        done = run("report", EDGE, "-r", str(RULES / "edge.pcapng"), "--old", str(RULES / "mail.fwl"), "-o", str(out))
        assert done.code == 0, done.err
        reader = Reader(out.read_text("utf-8"))
        assert "38 of 44" in reader.text
        assert "newly allowed" in reader.text

    def test_what_is_wrong_leaves_no_file(self, tmp_path: Path) -> None:
        out = tmp_path / "edge.html"
        wrong = tmp_path / "wrong.fwl"
        wrong.write_text("alow tcp\n")
        for arguments in (
            (str(wrong), "-o", str(out)),
            (EDGE, "--old", str(wrong), "-o", str(out)),
            (EDGE, "--in", "lan0", "-o", str(out)),
            (EDGE, "-o", str(tmp_path / "none" / "edge.html")),
        ):
            done = run("report", *arguments)
            assert done.code == 2
            assert done.err
            assert not out.exists()

    def test_a_capture_that_cannot_be_read_is_told_in_the_page(self, tmp_path: Path) -> None:
        out, broken = tmp_path / "edge.html", tmp_path / "broken.pcap"
        broken.write_bytes((RULES / "web-server.pcap").read_bytes()[:-7])
        done = run("report", EDGE, "-r", str(broken), "-o", str(out))
        assert done.code == 2
        assert "the numbers are of what stands before" in Reader(out.read_text("utf-8")).text

    def test_another_firewalls_policy_has_a_page(self, tmp_path: Path) -> None:
        dump, out = tmp_path / "edge.rules", tmp_path / "edge.html"
        dump.write_text(
            "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -j ACCEPT\n-A INPUT -p tcp --dport 22 -j DROP\nCOMMIT\n"
        )
        done = run("report", str(dump), "-o", str(out))
        assert done.code == 0, done.err
        assert "FW201" in Reader(out.read_text("utf-8")).text

    @pytest.mark.parametrize("arguments", [("check", EDGE), ("test", EDGE), ("diff", EDGE, str(RULES / "mail.fwl"))])
    def test_answers_are_pages_too(self, arguments: tuple[str, ...]) -> None:
        done = run(*arguments, "--format", "html")
        reader = Reader(done.out)
        assert done.out.startswith("<!doctype html>")
        assert [tag for tag, _ in reader.elements].count("script") == 1
        assert f"fwengine {arguments[0]}" in reader.text


class TestFlows:
    LOGS = ROOT / "tests/flows/logs"

    def test_fates_top_flows_and_what_could_not_be_read(self, tmp_path: Path) -> None:
        log = tmp_path / "flows.csv"
        log.write_text(
            "src,dst,protocol,sport,dport,action\n"
            "198.51.100.7,192.0.2.80,tcp,40000,443,ACCEPT\n"
            "198.51.100.7,192.0.2.80,tcp,40000,23,ACCEPT\n"
            "198.51.100.7,<script>alert(2)</script>,tcp,40000,23,ACCEPT\n"
        )
        (tmp_path / "no <img src=x>.log").write_text("nothing\n")
        out = tmp_path / "page.html"
        done = run("report", EDGE, "--flows", log, "--flows", tmp_path / "no <img src=x>.log", "--stateful", "-o", out)
        assert (done.code, "FW907" in done.err) == (2, True)
        reader = Reader(out.read_text("utf-8"))
        assert "img" not in {tag for tag, _ in reader.elements}
        assert [tag for tag, _ in reader.elements].count("script") == 1
        told = reader.text[reader.text.index("2 flows:") :]
        assert "telnet" in told
        assert "flows.csv:4" in told
        assert "accepted by the filter that wrote the log, and not by the policy" in told
        assert "error[FW907]: this is no flow log that is known" in reader.text

    def test_a_page_of_logs_of_which_none_can_be_read(self, tmp_path: Path) -> None:
        done = run("report", EDGE, "--flows", tmp_path / "none.log", "-o", tmp_path / "page.html")
        assert done.code == 2
        assert "error[FW905]: cannot be read" in Reader((tmp_path / "page.html").read_text("utf-8")).text

    def test_what_goes_with_logs(self, tmp_path: Path) -> None:
        for options in (["--stateful"], ["--opener", "src"], ["--since", "2026-01-01"], ["--columns", "src=1"]):
            done = run("report", EDGE, *options, "-o", tmp_path / "page.html")
            assert (done.code, "goes with `--flows`" in done.err) == (2, True), options
        done = run(
            "report",
            EDGE,
            "--flows",
            self.LOGS / "vpc-v5.log",
            "--in",
            "wan0",
            "-o",
            tmp_path / "p.html",
            "--format",
            "json",
        )
        assert (done.code, done.json["logs"]) == (0, [str(self.LOGS / "vpc-v5.log")])
