"""What is converted means the same for every packet, or is refused with the line and the reason."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.commands import run as fwengine_
from support.iptables_rules import draw_policy as draw_iptables
from support.nft_rules import draw_policy as draw_nft
from support.paths import RULES

import fwengine
from fwengine.analysis.confirm import Disagreement
from fwengine.cli.group import cli
from fwengine.conversion import convert
from fwengine.errors import PolicyError
from fwengine.formats.fwl import writer
from fwengine.formats.registry import WRITERS
from fwengine.formats.writing import Task, Written
from fwengine.language.meaning.region import show_box
from fwengine.policy import load_all
from fwengine.sources.foreign import InDoubt, Reading

FILES = sorted(path for path in (RULES / "formats").iterdir() if path.suffix in (".rules", ".nft", ".cfg"))
SIDES: tuple[InDoubt, ...] = ("allow", "deny")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("side", SIDES)
def test_examples_are_converted(path: Path, side: InDoubt) -> None:
    for policy in load_all(path, reading=Reading(in_doubt=side)):
        text = convert(policy, "fwl")
        again = fwengine.loads(text)
        assert not fwengine.diff(policy, again)
        assert [rule.log for rule in again.rules if rule.log] == [True] * sum(rule.log for rule in again.rules)
        assert again.default is policy.default


def bare(line: str) -> str:
    """A line of a drawn policy as nft has it."""
    return re.sub(r"&(?=m\d)", "@", re.sub("[@%]", "", line))


@pytest.mark.parametrize("seed", range(10))
def test_drawn_policies_are_converted_or_refused(seed: int) -> None:
    draw = random.Random(seed)
    for family in (4, 6):
        drawn = draw_iptables(draw, family)
        rows = ["*filter", f":FORWARD {drawn.default} [0:0]", *(f":{n} - [0:0]" for n in drawn.chains if n != "entry")]
        for name, lines in drawn.chains.items():
            rows += [f"-A {'FORWARD' if name == 'entry' else name} {line.replace('@', '')}" for line in lines]
        told = "iptables-save" if family == 4 else "ip6tables-save"
        converted_or_refused("\n".join([*rows, "COMMIT", ""]), Reading(told, in_doubt="deny"), "v+")
        drawn = draw_nft(draw, family)
        rows = ["table inet drawn {", *(bare(line) for line in drawn.sets)]
        for name, lines in drawn.chains.items():
            base = [f"type filter hook forward priority 0; policy {drawn.default};"] if name == "entry" else []
            rows += [f"chain {name} {{", *base, *(bare(line) for line in lines), "}"]
        converted_or_refused("\n".join([*rows, "}", ""]), Reading("nftables", in_doubt="allow"), '"v*"')


def converted_or_refused(text: str, reading: Reading, unsayable: str) -> None:
    """To a policy that means the same, unless a line has what the language cannot say."""
    policy = fwengine.loads(text, file="drawn", reading=reading)
    try:
        again = fwengine.loads(convert(policy, "fwl"))
    except PolicyError as error:
        codes = {d.code for d in error.diagnostics}
    else:
        assert not fwengine.diff(policy, again)
        return
    assert codes == {"FW462"}
    assert unsayable in text


def test_what_is_in_doubt_is_refused_with_each_place() -> None:
    policy = fwengine.load(RULES / "formats" / "server.rules", reading=Reading(policy="INPUT"))
    with pytest.raises(PolicyError) as caught:
        convert(policy, "fwl")
    assert [(d.code, d.span.line) for d in caught.value.diagnostics] == [("FW461", 3), ("FW461", 11), ("FW461", 14)]


def test_a_fault_in_writing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = fwengine.load(RULES / "formats" / "border.cfg", reading=Reading(in_doubt="deny"))
    monkeypatch.setattr(writer, "show_box", lambda box: show_box(box).replace("port 80", "port 81"))
    with pytest.raises(Disagreement):
        convert(policy, "fwl")


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "border.fwl"
    words = ["convert", str(RULES / "formats" / "border.cfg"), "--in-doubt", "deny", "-o", str(out)]
    assert CliRunner().invoke(cli, words, standalone_mode=False).return_value == 0
    assert out.read_text().startswith("# ")
    assert "# line 13: permit tcp any host 192.0.2.25 eq smtp" in out.read_text()
    refused = CliRunner().invoke(cli, words[:2], standalone_mode=False)
    assert refused.return_value == 2
    assert "FW461" in refused.stderr


@pytest.mark.parametrize("to", ["nft", "iptables", "cisco"])
def test_what_a_list_says_nothing_of_is_no_difference(to: str, tmp_path: Path) -> None:
    """A list about IPv4 and what it was converted to: IPv6 is in doubt in both, and in the same way."""
    out = tmp_path / "new"
    old = str(RULES / "formats" / "border.cfg")
    assert (
        CliRunner().invoke(cli, ["convert", old, "--to", to, "-o", str(out)], standalone_mode=False).return_value == 0
    )
    done = CliRunner().invoke(cli, ["diff", old, str(out)], standalone_mode=False)
    assert done.return_value == 0
    assert done.output.startswith("EQUIVALENT")
    policy = load_all(out)[0]
    assert policy.prove("deny tcp from ipv4 to 192.0.2.25 port 25").holds


def run(*words: str) -> tuple[int, str, str]:
    done = fwengine_("convert", *words)
    return done.code, done.out, done.err


def test_a_refusal_names_every_rule_and_touches_no_file(tmp_path: Path) -> None:
    old, out = tmp_path / "lan.fwl", tmp_path / "lan.cfg"
    old.write_text(
        "allow tcp from 10.0.0.0/8 to any port 80 in lan0\n"
        "allow tcp from any to any port 22 as fine\n"
        "allow udp from any to any port 53 state established out wan0 as dns\n"
        "allow any from 10.0.0.0/8 to any length < 100\n"
    )
    out.write_text("as it was")
    code, said, wrong = run(str(old), "--to", "cisco", "-o", str(out))
    assert (code, said, out.read_text()) == (2, "", "as it was")
    assert [line for line in wrong.splitlines() if " --> " in line] == [f" --> {old}:{n}:1" for n in (1, 3, 4)]
    assert "the rule is not exact in Cisco IOS: an access list of IOS cannot ask for `in`" in wrong
    assert "rule `dns` is not exact in Cisco IOS: an access list of IOS cannot ask for `out`, `state`" in wrong
    assert wrong.count("= help:") == 3


def test_options_are_of_those_targets_that_have_them() -> None:
    edge = str(RULES / "telnet.fwl")
    assert "Cisco IOS has no chains" in run(edge, "--to", "cisco", "--chain", "input")[2]
    assert "names nothing in iptables" in run(edge, "--to", "iptables", "--name", "x")[2]
    for to in ("nft", "cisco", "aws"):
        code, _, wrong = run(edge, "--to", to, "--name", "two words")
        assert code == 2
        assert "`two words` is not a name" in wrong
    assert "hook output priority" in run(edge, "--to", "nft", "--chain", "OUTPUT", "--name", "mine")[1]
    assert "table inet mine {" in run(edge, "--to", "nft", "--name", "mine")[1]
    assert "ipv6 access-list" not in run(str(RULES / "formats" / "border.cfg"), "--to", "cisco")[1]


def test_a_last_day_needs_a_day() -> None:
    edge = str(RULES / "edge.fwl")
    code, _, wrong = run(edge, "--to", "nft")
    assert code == 2
    assert "rule `admin` ends on 2027-06-30" in wrong
    kept, gone = (run(edge, "--to", "nft", "--as-of", day)[1] for day in ("2027-06-30", "2027-07-01"))
    assert "# admin: ends on 2027-06-30" in kept
    assert 'comment "admin"' in kept
    assert "# admin: left out, it ended on 2027-06-30" in gone
    assert 'comment "admin"' not in gone


def test_a_side_that_was_taken_is_told_in_the_text() -> None:
    words = [str(RULES / "formats" / "server.rules"), "--policy", "INPUT", "--to", "iptables"]
    assert run(*words)[0] == 2
    code, said, _ = run(*words, "--in-doubt", "deny")
    assert code == 0
    assert "# in doubt, and taken to deny more: line 11 (-m recent)" in said
    assert ":INPUT DROP [0:0]" in said


def test_what_aws_cannot_keep_is_told(tmp_path: Path) -> None:
    policy = tmp_path / "web.fwl"
    policy.write_text("allow tcp from 10.0.0.0/8 to any port 443 log as web\n")
    code, said, told = run(str(policy), "--to", "aws", "--name", "acl-1")
    assert code == 0
    assert '"NetworkAclId": "acl-1"' in said
    assert [word for word in ("later fragments", "names", "log") if word in told] == ["later fragments", "names", "log"]


def test_the_record_tells_where_what_was_written_and_for_which_packets(tmp_path: Path) -> None:
    old, out = tmp_path / "lan.fwl", tmp_path / "lan.out"
    old.write_text("allow tcp from 10.0.0.0/8 to any port 443 log as web\n")
    for to, families in (("ip6tables", ["ipv6"]), ("cisco", ["ipv4", "ipv6"])):
        said = fwengine_("convert", old, "--to", to, "-o", out, "--format", "json").json
        assert (said["place"]["file"], said["text"], said["rules"], "errors" in said) == (str(out), None, 1, False)
        for part, family in zip(said["proved"], families, strict=True):
            assert f"to {family}" in part["packets"]["text"]
            # the region can be asked: of it the text says what the policy says
            claim = f"deny {part['packets']['text']} unless tcp to any port 443"
            assert fwengine.load(old).prove(claim).holds
            assert fwengine.load(out, reading=Reading(policy=part["name"])).prove(claim).holds
    shown = fwengine_("convert", old, "--to", "aws", "--format", "json")
    assert (shown.code, shown.err) == (0, "")
    assert shown.json["text"] == run(str(old), "--to", "aws")[1]
    assert any("log" in kept for kept in shown.json["not_kept"])
    marks = fwengine_("convert", old, "--to", "aws", "--format", "github").out.splitlines()
    assert [line.split(" ")[0] for line in marks] == ["::notice"] * len(shown.json["not_kept"])


def test_a_refusal_is_told_in_every_form(tmp_path: Path) -> None:
    old, out = tmp_path / "lan.fwl", tmp_path / "lan.cfg"
    old.write_text("allow tcp from 10.0.0.0/8 to any port 80 in lan0\n")
    done = fwengine_("convert", old, "--to", "cisco", "-o", out, "--format", "json")
    assert (done.code, done.json["proved"], done.json["place"], out.exists()) == (2, [], None, False)
    (error,) = done.json["errors"]
    assert (error["code"], error["place"]["line"]) == ("FW462", 1)
    assert "cannot ask for `in`" in error["message"]
    assert error["help"]


@pytest.mark.parametrize("to", ["nft", "iptables", "cisco", "aws"])
def test_a_fault_in_a_writer_is_noticed(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is one too many."""
    policy = fwengine.loads("deny tcp from 10.0.0.0/8 to any port 22\nallow tcp from any to any port 22")
    real = WRITERS[to]

    def wrong(task: Task) -> Written:
        written = real.write(task)
        return replace(written, text="23".join(written.text.rsplit("22", 1)))

    monkeypatch.setitem(WRITERS, to, real._replace(write=wrong))
    with pytest.raises(Disagreement):
        convert(policy, to)


def test_there_is_no_other_format() -> None:
    policy = fwengine.loads("allow any")
    with pytest.raises(ValueError, match="did you mean `nft`"):
        convert(policy, "nftt")
    with pytest.raises(ValueError, match="there is no chain `sideways`"):
        convert(policy, "nft", chain="sideways")


@pytest.mark.parametrize(("hook", "chain"), [("input", "INPUT"), ("output", "OUTPUT"), ("forward", "FORWARD")])
def test_a_policy_goes_to_the_chain_that_it_comes_from(hook: str, chain: str) -> None:
    """Whatever it is called there."""
    text = f"table ip t {{\n chain mine {{\n type filter hook {hook} priority 0; policy drop;\n ip saddr 10.0.0.1 accept\n }}\n}}\n"
    assert f":{chain} DROP [0:0]" in convert(fwengine.loads(text), "iptables")
