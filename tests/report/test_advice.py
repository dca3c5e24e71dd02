"""Advice as edits: on generated policies all advice of one run is followed at once, as a machine would, and held to its word."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.commands import run

from fwengine import ALLOW, PolicyError, check, decide, loads
from fwengine.analysis.diff import diff, equivalent
from fwengine.analysis.finding import Finding
from fwengine.analysis.prove import prove
from fwengine.errors import Diagnostic, Span, Suggestion, follow
from fwengine.fix import fix
from fwengine.policy import Policy
from fwengine.report.advice import FIXED
from fwengine.report.findings import to_diagnostics

TODAY = datetime.date(2026, 11, 21)
EVERY = [pytest.param(range(100), id="fast"), pytest.param(range(100, 3_000), id="slow", marks=pytest.mark.slow)]

NETS = (
    "10.0.0.0/30",
    "10.0.0.0/31",
    "10.0.0.1",
    "10.0.0.2-10.0.0.6",
    "10.0.0.3",
    "2001:db8::/126",
    "2001:db8::1",
    "any",
)
PORTS = ("80", "79-81", "80-82", "443", ">= 443", "81", "0-65535", "1-65535")
PROTOCOLS = ("tcp", "tcp", "udp", "{ tcp, udp }", "{ tcp, tcp }", "{ 6, udp, tcp }", "any")


class Writer:
    """Policies as texts: few addresses and ports, so that everything overlaps; comments, long sets, odd line ends."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names: list[str] = []

    def set(self, words: Sequence[str]) -> str:
        rnd = self.random
        some = [rnd.choice(words) for _ in range(rnd.choice((1, 1, 2, 3, 4)))]
        if len(some) == 1 and rnd.random() < 0.8:
            return f"not {some[0]}" if rnd.random() < 0.15 and some[0] not in ("any", "0-65535") else some[0]
        if rnd.random() < 0.2:  # over several lines, with comments and stray commas
            return (
                "{\n" + "\n".join(f"    {w},  # {w} is meant" for w in some) + rnd.choice(("\n}", "\n    # no more\n}"))
            )
        if rnd.random() < 0.1:
            return "{ " + "\n  , ".join(some) + " }"
        return "{ " + rnd.choice((", ", ",")).join(some) + rnd.choice((" }", ", }"))

    def text(self) -> str:
        rnd = self.random
        lines = []
        for name in ("inside", "hosts", "spare"):
            if rnd.random() < 0.5:
                lines.append(f"net {name} = {self.set([*NETS, *self.names])}")
                self.names.append(name)
        if rnd.random() < 0.3:
            lines.append(f"ports served = {self.set(PORTS)}")
        ports = [*PORTS, "served"] if lines and lines[-1].startswith("ports") else list(PORTS)
        rules = [self.rule(n, ports) for n in range(rnd.randint(2, 9))]
        if rnd.random() < 0.6:
            rules.append(f"{rnd.choice(('allow', 'deny'))} any as rest")
        if rnd.random() < 0.5:  # the same again
            again = rnd.choice(rules)
            rules.insert(rnd.randint(0, len(rules)), again.replace(" as ", " as again-"))
        body = [*lines, "# rules", *rules]
        if rnd.random() < 0.3:
            rnd.shuffle(body)
        labels = [rule.rpartition(" as ")[2].split()[0] for rule in rules]
        body += [self.claim(labels) for _ in range(rnd.choice((0, 0, 1, 2)))]
        if rnd.random() < 0.3:
            body.insert(0, "default allow")
        return rnd.choice(("", "", "\ufeff")) + "\n".join(body) + rnd.choice(("\n", "", "\n\n"))

    def rule(self, n: int, ports: Sequence[str]) -> str:
        rnd = self.random
        protocol = rnd.choice(PROTOCOLS)
        port = f" port {self.set(ports)}" if protocol != "any" and rnd.random() < 0.6 else ""
        end = rnd.choice(("", "", "", " until 2026-11-20", " until 2026-11-21", " until 2027-01-01"))
        src, dst = (self.set([*NETS, *self.names]) if rnd.random() < 0.6 else "any" for _ in range(2))
        comment = rnd.choice(("", "", "  # why", "\n# beside"))
        return f"{rnd.choice(('allow', 'deny'))} {protocol} from {src} to {dst}{port}{end} as r{n}{comment}"

    def claim(self, labels: Sequence[str]) -> str:
        rnd = self.random
        by = rnd.choice(("", f" by {rnd.choice(labels)}", " by default"))
        region = rnd.choice(
            ("tcp from any to any port 80", "udp from 10.0.0.1", "tcp 10.0.0.1:5 -> 10.0.0.2:80 flags syn")
        )
        return f"expect {rnd.choice(('allow', 'deny'))} {region}{by}"


def read(text: str) -> Policy:
    return loads(text, file="drawn.fwl", as_of=TODAY)


def policies(seeds: range) -> list[tuple[int, str, Policy]]:
    out = []
    for seed in seeds:
        text = Writer(seed).text()
        try:
            out.append((seed, text, read(text)))
        except PolicyError:
            continue  # two families, or a set read in two ways
    assert len(out) > len(seeds) // 3
    return out


def edits(policy: Policy, found: Sequence[Finding]) -> list[tuple[Finding, Suggestion]]:
    told = to_diagnostics(policy, found)
    assert all(len(d.suggestions) <= 1 for d in told)
    return [(f, d.suggestions[0]) for f, d in zip(found, told, strict=True) if d.suggestions]


def key(policy: Policy, finding: Finding) -> tuple[str, str]:
    if finding.remark is not None:
        return finding.code, finding.remark.message
    name = finding.definition.name if finding.definition else policy.label(finding.rule or 0)
    return finding.code, name


@pytest.mark.parametrize("seeds", EVERY)
def test_all_advice_of_a_run_followed_at_once(seeds: range) -> None:
    seen: dict[str, int] = {}
    for seed, text, policy in policies(seeds):
        proposed = edits(policy, check(policy))
        rnd = random.Random(seed)
        for part in (proposed, [p for p in proposed if rnd.random() < 0.5]):
            new = read(follow(text, [suggestion for _, suggestion in part]))
            moved = {policy.label(f.rule or 0): f for f, _ in part if f.above is not None}
            changes = diff(policy, new)
            for change in changes:  # nothing but what a moved rule now decides
                assert new.label(change.new_rule) in moved, (seed, change)
            for label, f in moved.items():
                assert f.witness is not None
                verdict = decide(new, f.witness)
                assert verdict.by == label, (seed, label)
                assert policy.evaluate(f.witness).action is verdict.action.other
            if not moved:
                assert equivalent(policy, new)
            assert len(new.expectations) == len(policy.expectations)
            for before, after in zip(policy.expectations, new.expectations, strict=True):
                assert prove(new, after).holds or not prove(policy, before).holds, (seed, before.text)
            if part is proposed:
                left = Counter(key(policy, f) for f in check(policy))
                left.subtract(key(policy, f) for f, _ in part)
                again = Counter(key(new, f) for f in check(new))
                for f, _ in part:
                    seen[f.code] = seen.get(f.code, 0) + 1
                    assert again[key(policy, f)] <= left[key(policy, f)], (seed, key(policy, f))
    assert seen.keys() == {"FW201", "FW202", "FW203", "FW207", "FW209", "FW210"}, seen


@pytest.mark.parametrize("seeds", EVERY)
def test_fix_is_the_fixable_advice_followed_until_there_is_none(seeds: range) -> None:
    for seed, text, policy in policies(seeds):
        now, current = text, policy
        while True:
            proposed = [s for _, s in edits(current, check(current, FIXED))]
            if not proposed:
                break
            now = follow(now, proposed)
            current = read(now)
        fixed = fix(policy, text, read)
        assert (fixed.text or text) == now, seed
        assert equivalent(policy, read(fixed.text or text))
        for comment in ("# rules", "# beside", "# no more"):
            assert (fixed.text or text).count(comment) == text.count(comment) or comment == "# no more"


def only(text: str, code: str) -> Diagnostic:
    policy = loads(text, file="p.fwl", as_of=TODAY)
    found = check(policy, [code])
    (d,) = to_diagnostics(policy, found)
    return d


@pytest.mark.parametrize(
    ("before", "message", "after"),
    [
        (
            "net a = { 10.0.0.0/8, 10.1.0.0/16 }",
            "`10.1.0.0/16` adds nothing to its set: `10.0.0.0/8` holds all of it",
            "net a = { 10.0.0.0/8 }",
        ),
        ("ports a = { 80, 80-90 }", "`80` adds nothing to its set: `80-90` holds all of it", "ports a = { 80-90 }"),
        ("ports a = {80,81,80}", "`80` stands twice in one set", "ports a = {80,81}"),
        (
            "ports a = { 80-85, 84-90, 83-86 }",
            "`83-86` adds nothing to its set: other elements together hold all of it",
            "ports a = { 80-85, 84-90 }",
        ),
        (
            "ports a = { 1, 2, 2, 3, 1-2 }",
            "`1` adds nothing to its set: `1-2` holds all of it, and 2 more add nothing either",
            "ports a = { 3, 1-2 }",
        ),
        (
            "net a = {\n    10.0.0.0/8,   # all of it\n    10.1.0.0/16,  # a part\n}",
            "`10.1.0.0/16` adds nothing to its set: `10.0.0.0/8` holds all of it",
            "net a = {\n    10.0.0.0/8,   # all of it\n    # a part\n}",
        ),
        (
            "net a = {\n    10.0.0.0/8,   # all of it\n    10.1.0.0/16  # a part\n    , 10.2.0.0/16\n    , 11.0.0.1 }",
            "`10.1.0.0/16` adds nothing to its set: `10.0.0.0/8` holds all of it, and 1 more adds nothing either",
            "net a = {\n    10.0.0.0/8,   # all of it\n      # a part\n\n     11.0.0.1 }",
        ),
        (
            "service a = { tcp/http, tcp/80-88 }",
            "`tcp/http` adds nothing to its set: `tcp/80-88` holds all of it",
            "service a = { tcp/80-88 }",
        ),
        (
            "allow tcp from not { 10.0.0.1, 10.0.0.1 } to 10.0.0.2",
            "`10.0.0.1` stands twice in one set",
            "allow tcp from not { 10.0.0.1 } to 10.0.0.2",
        ),
        (
            "net b = 10.0.0.0/8\nallow tcp from { b, b, 10.0.0.1 }",
            "`b` stands twice in one set, and 1 more adds nothing either",
            "net b = 10.0.0.0/8\nallow tcp from { b }",
        ),
        (
            "allow tcp from { 10.0.0.1, { 10.0.0.1, 10.0.0.2, 10.0.0.2 } }",
            "`10.0.0.1` adds nothing to its set: `{ 10.0.0.1, 10.0.0.2, 10.0.0.2 }` holds all of it",
            None,
        ),
    ],
)  # fmt: skip
def test_elements_that_add_nothing(before: str, message: str, after: str | None) -> None:
    if after is None:
        policy = loads(before, file="p.fwl")
        assert next(d.message for d in to_diagnostics(policy, check(policy, ["FW210"]))) == message
        return
    d = only(f"{before}\n", "FW210")
    assert (d.message, d.severity) == (message, "info")
    mended = follow(f"{before}\n", d.suggestions)
    assert "\n".join(line.rstrip() for line in mended.splitlines()) == after
    assert check(loads(mended, file="p.fwl"), ["FW210"]) == ()


@pytest.mark.parametrize(
    "text",
    [
        "net a = { 10.0.0.0/8, 11.0.0.0/8 }",
        "net b = 10.1.0.0/16\nnet a = { 10.0.0.0/8, b }",  # a name may come to stand for something else
        "ports a = { http, 80 }",  # in which protocol?
        "allow { tcp, udp } from any to any port { 80, 443 }",
        "net a = any except 10.0.0.0/8",
    ],
)
def test_elements_that_may_well_add_something(text: str) -> None:
    assert check(loads(f"{text}\n"), ["FW210"]) == ()


def test_a_large_set_is_looked_at_in_time() -> None:
    many = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(20_000)]
    policy = loads("net a = { " + ", ".join([*many, "10.3.0.0/16"]) + " }\n", file="p.fwl")
    (f,) = check(policy, ["FW210"])
    assert f.remark is not None
    assert f.remark.message.endswith("`10.3.0.0/16` holds all of it, and 255 more add nothing either")


def test_the_pair_that_was_told_twice(tmp_path: Path) -> None:
    """Who followed both findings about two equal rules closed the service."""
    text = "allow tcp from any to 192.0.2.80 port https as a\nallow tcp from any to 192.0.2.80 port https as b\n"
    path = tmp_path / "pair.fwl"
    path.write_text(text)
    done = run("check", path, "--select", "FW2", "--format", "json")
    (finding,) = done.json["findings"]
    assert (finding["code"], finding["rule"]["label"]) == ("FW202", "b")
    assert [rule["label"] for rule in finding["blockers"]] == ["a"]
    place = {"file": str(path), "line": 2, "column": 1, "end_line": 3, "end_column": 1}
    assert finding["suggestions"][0] == {"place": place, "text": "", "also": []}
    assert run("check", path, "--fix").code == 0
    assert path.read_text() == text.splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("by", "goes", "help"),
    [
        ("a", ["b"], "remove it; `--fix` does"),
        ("b", [], "the expectation in line 4 names it, and no packet reaches it: correct that one first"),
    ],
)
def test_fix_and_advice_agree_on_rules_that_an_expectation_names(by: str, goes: list[str], help: str) -> None:
    head = "allow tcp from any to 10.0.0.1 port 80 as a\nallow tcp from any to 10.0.0.1 port 80 as b\n\n"
    text = f"{head}expect allow tcp from any to 10.0.0.1 port 80 by {by}\n"
    policy = loads(text, file="p.fwl")
    found = check(policy, ["FW202", "FW203"])
    assert [d.help for d in to_diagnostics(policy, found)] == [help]
    fixed = fix(policy, text, lambda changed: loads(changed, file="p.fwl"))
    assert [policy.label(f.rule or 0) for f in fixed.settled] == goes


def test_lines_that_an_expectation_counts_stay_where_they_are() -> None:
    text = (
        "net unused = {\n    10.0.0.1,\n}\nallow udp until 2020-01-01\n"
        "allow tcp from any to 10.0.0.1 port 80\nexpect allow tcp from any to 10.0.0.1 port 80 by p.fwl:5\n"
    )
    policy = loads(text, file="p.fwl", as_of=TODAY)
    fixed = fix(policy, text, lambda changed: loads(changed, file="p.fwl", as_of=TODAY))
    assert fixed.text == "\n\n\n\n" + "".join(text.splitlines(keepends=True)[4:])


def test_a_move_says_what_it_would_break() -> None:
    rules = "allow tcp from any to 10.0.0.0/8 port 22 as all\ndeny tcp from any to 10.0.0.1 port 22 as not-this\n"
    d = only(rules, "FW201")
    assert d.help == "move line 2 above line 1 if it is to have an effect, or remove it"
    assert follow(rules, d.suggestions) == "".join(reversed(rules.splitlines(keepends=True)))
    d = only(f"{rules}expect allow tcp from any to 10.0.0.0/8 port 22\n", "FW201")
    assert d.suggestions == ()
    assert d.help.endswith("or remove it; the expectation in line 3 speaks against a move")


def test_the_wording_of_a_rule_that_another_one_repeats() -> None:
    """It said that `web` decides all of it the other way, and to move it where nothing would change."""
    text = (
        "deny any from 10.0.0.0/8 in eth0 as antispoof\n"
        "allow tcp from any to 192.0.2.0/24 port { 80, 443 } as web\n"
        "allow tcp from any to 192.0.2.80 port 443 as web-again\n"
    )
    d = only(text, "FW201")
    assert (
        d.message
        == "rule `web-again` can never match: `web` matches all of it, and `antispoof` denies some before that"
    )
    assert d.help == "remove it: wherever it stands, it adds nothing to them"
    assert "above" not in d.help
    assert equivalent(loads(text, file="p.fwl"), loads(follow(text, d.suggestions), file="p.fwl"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "allow tcp from any to not 10.0.0.0/8 port 22 as r",
            "takes in every IPv6 address as destination: `not 10.0.0.0/8`",
        ),
        ("allow tcp from not 2001:db8::/32 as r", "takes in every IPv4 address as source: `not 2001:db8::/32`"),
        ("net out-there = any except { 10.0.0.0/8, 192.0.2.0/24 }\nallow tcp from out-there as r", "`out-there`"),
        ("net a = 10.0.0.0/8\nnet b = not a\nallow udp from { b, 10.0.0.1 } as r", "`{ b, 10.0.0.1 }`"),
        ("deny any from ::/0 to 2001:db8::/32\nallow tcp from any to not 10.0.0.0/8 port 22 as r", "`not 10.0.0.0/8`"),
    ],
)
def test_leaving_out_one_family_lets_in_the_other(text: str, said: str) -> None:
    policy = loads(f"{text}\n", file="p.fwl")
    (finding,) = check(policy, ["FW304"])
    (d,) = to_diagnostics(policy, [finding])
    assert d.severity == "warning"
    assert said in d.message
    assert finding.witness is not None
    verdict = decide(policy, finding.witness)
    assert (verdict.action, verdict.by) == (ALLOW, "r")
    assert f"IPv{finding.witness.family}" in d.message
    if "write `" in d.help:  # what it suggests leaves them out, and nothing else
        words = d.help.split("`")[1]
        assert check(loads(text.replace(said.split("`")[1], words) + "\n", file="p.fwl"), ["FW304"]) == ()


@pytest.mark.parametrize(
    "text",
    [
        "allow tcp from any to { 0.0.0.0/0 except 10.0.0.0/8, ::/0 }",  # said
        "allow tcp from any to 0.0.0.0/0 except 10.0.0.0/8",
        "allow tcp from 10.0.0.0/8 to not 10.0.0.0/8",  # no IPv6 comes from there
        "deny any from not 10.0.0.0/8",  # closes
        "allow tcp from not { 10.0.0.0/8, fd00::/8 }",
        "deny any from ::/0\nallow tcp from any to not 10.0.0.0/8",
        "allow icmp from not 10.0.0.0/8",
        "allow tcp from any",
    ],
)
def test_what_lets_in_no_family_by_the_way(text: str) -> None:
    assert check(loads(f"{text}\n"), ["FW304"]) == ()


def test_the_half_of_a_net_that_never_matches() -> None:
    nets = "net web = { 192.0.2.80, 2001:db8::80 }\nnet office = 10.20.0.0/16\n"
    d = only(f"{nets}allow tcp from office to web port 80 as r\n", "FW211")
    assert (d.message, d.severity) == (
        "the IPv6 addresses of `web` never match in rule `r`: `office` is IPv4 only",
        "info",
    )
    d = only(f"{nets}allow tcp from web to 2001:db8::1 as r\n", "FW211")
    assert d.message == "the IPv4 addresses of `web` never match in rule `r`: `2001:db8::1` is IPv6 only"
    for rule in ("from any to web", "from office to any", "from office to not web", "from web to web"):
        assert check(loads(f"{nets}allow tcp {rule}\n"), ["FW211"]) == ()


@pytest.mark.parametrize(
    ("port", "told"),
    [("1-65535", True), (">= 1", True), ("{ 1-100, 101-65535 }", True), ("all-of-them", True),
     ("not 0", False), ("> 0", False), ("not none-of-them", False), ("but-zero", False), ("0-65535", False)],
)  # fmt: skip
def test_port_0_left_out_on_purpose_is_not_told(port: str, told: bool) -> None:
    names = "ports all-of-them = 1-65535\nports none-of-them = 0\nports but-zero = not 0\n"
    assert len(check(loads(f"{names}allow tcp from any to any port {port}\n"), ["FW302"])) == told


def test_follow_edits_a_text() -> None:
    def edit(line: int, column: int, end_line: int, end_column: int, text: str = "") -> Suggestion:
        return Suggestion(Span("f", line, column, end_line, end_column), text)

    assert (
        follow("\ufeffab\ncd", [edit(2, 1, 2, 2, "x"), edit(1, 1, 1, 1, "1"), edit(1, 1, 1, 1, "2")])
        == "\ufeff12ab\nxd"
    )
    with pytest.raises(ValueError, match="overlap"):
        follow("abc", [edit(1, 1, 1, 3), edit(1, 2, 1, 4)])
    for wrong in (edit(2, 1, 2, 1), edit(1, 1, 1, 5), edit(0, 1, 1, 1)):
        with pytest.raises(ValueError, match="no line"):
            follow("abc", [wrong])
