"""Real dumps of iptables between their machine-verified bounds, over all packets, by proof.

The bounds are lists of `iptables -L` without interfaces and states: what the lower accepts is accepted, what the upper drops is
dropped, for whole packets of new connections. Some of them rest on assumptions of their own, named here for each.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from fwengine.analysis.prove import prove
from fwengine.analysis.query import query
from fwengine.formats.iptables.reader import read
from fwengine.formats.unfold import unfold
from fwengine.model import address
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, DST, FRAGMENT, FULL, IN, OUT, PROTOCOL, SPORT, SRC, STATE, interface_number
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, Claim, Rule
from fwengine.model.ruleset import RuleSet

single = IntervalSet.single
LOCAL = IntervalSet((address.prefix(address.parse("127.0.0.0"), 8),))
NOT_LO = {f: FULL[f] - single(interface_number("lo")) for f in (IN, OUT)}
NOT_LOCAL = {SRC: address.V4 - LOCAL, DST: address.V4 - LOCAL}
PROTOCOLS = {"all": None, "tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "47": 47}

# (folder, dump, bounds' beginning, chain, what the lower bound assumes, what the upper one does)
DUMPS = [
    ("TUM_Net", "iptables-save-2015-05-15_15-23-41.gz", "iptables-save-2015", "FORWARD", {}, {}),
    ("TUM_Net", "iptables_20.10.2013.gz", "iptables_20", "FORWARD", {}, {}),
    ("docker_topos", "iptables-save.topos4.1", "iptables-save.Ln", "FORWARD", {}, {}),
    ("openwrt.org", "iptables-save-AA.txt_fixed_newline", "iptables-save-AA", "FORWARD", {}, {}),
    ("pastebin.com_bbWXHaTn", "iptables-save", "iptables-save.Ln", "FORWARD", {}, {}),
    ("configs_synology_diskstation_ds414", "iptables-save_jun_2015_legacyifacerules", "iptables-save_jun", "INPUT", {}, NOT_LO),
    ("sargon", "iptables-save.txt", "iptables-save.txt.Ln", "INPUT", {}, NOT_LO),
    ("config_random_srv", "iptables-save", "iptables.INP", "INPUT", NOT_LOCAL, NOT_LO),
    ("gopherproxy.meulie.net", "iptables-save", "iptables-save.Ln", "INPUT", NOT_LOCAL, NOT_LO),
    # its lower bound also binds an interface to a network
    ("rlworkman.net", "iptables-save", "iptables-save.Ln", "INPUT", None, NOT_LO),
]  # fmt: skip


def text_of(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text()


def simple(text: str, chain: str) -> RuleSet:
    """A bound: lines of `iptables -L`."""
    rules: list[Rule] = []
    default = {}
    current = ""
    for line in text.splitlines():
        heading = re.match(r"Chain (\w+) \(policy (\w+)\)", line)
        if heading:
            current = heading[1]
            default[current] = ALLOW if heading[2] == "ACCEPT" else DENY
            continue
        words = line.split()
        if not words or words[0] == "target" or current != chain:
            continue
        conditions = {}
        protocol = PROTOCOLS[words[1]]
        if protocol is not None:
            conditions[PROTOCOL] = single(protocol)
        for f, word in ((SRC, words[3]), (DST, words[4])):
            host, _, length = word.partition("/")
            conditions[f] = IntervalSet((address.prefix(address.parse(host), int(length or 32)),))
        for word in words[5:]:
            side, colon, ports = word.partition(":")
            if colon:
                low, _, high = ports.partition(":")
                conditions[SPORT if side.startswith("s") else DPORT] = IntervalSet(((int(low), int(high or low)),))
        rules.append(Rule(ALLOW if words[0] == "ACCEPT" else DENY, (Box.of(conditions),)))
    return RuleSet(tuple(rules), default[chain])


@pytest.mark.parametrize(("folder", "dump", "bounds", "chain", "below", "above"), DUMPS)
def test_a_dump_lies_between_its_bounds(
    shared: Path,
    folder: str,
    dump: str,
    bounds: str,
    chain: str,
    below: dict[int, IntervalSet] | None,
    above: dict[int, IntervalSet],
) -> None:
    here = shared / "data" / "rulesets" / "iptables" / folder
    chains = read(text_of(here / dump), dump).chains
    asked = 0
    for which, favour, action, assumed in (("lower", DENY, ALLOW, below), ("upper", ALLOW, DENY, above)):
        if assumed is None:
            continue
        (file,) = (f for f in here.iterdir() if f.name.startswith(bounds) and which in f.name)
        flat = unfold(chains, chain, favour)
        ours = RuleSet(flat.rules, flat.default)
        whole = {SRC: address.V4, DST: address.V4, STATE: single(0), FRAGMENT: single(0), **assumed}
        for region in query(simple(text_of(file), chain), action, [Box.of(whole)]):
            asked += 1
            proof = prove(ours, Claim(action, (region.box,)))
            assert proof.holds, (which, str(proof.counterexample), proof.verdict)
    assert asked > 0 or folder.startswith("pastebin"), "bounds that say nothing"  # this one accepts all, or nothing
