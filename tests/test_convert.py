"""What is converted means the same for every packet, or is refused with the line and the reason."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.iptables_rules import draw_policy as draw_iptables
from support.nft_rules import draw_policy as draw_nft
from support.paths import RULES

import fwengine
from fwengine.analysis.confirm import Disagreement
from fwengine.cli.group import cli
from fwengine.conversion import convert
from fwengine.errors import PolicyError
from fwengine.formats.fwl import writer
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
        rows = ["table inet drawn {"]
        for name, lines in drawn.chains.items():
            base = [f"type filter hook forward priority 0; policy {drawn.default};"] if name == "entry" else []
            rows += [f"chain {name} {{", *base, *(line.replace("@", "").replace("%", "") for line in lines), "}"]
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
