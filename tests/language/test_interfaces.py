"""Interfaces: declared or not, a name that nobody knows is never taken for understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commands import run as fwengine

from fwengine import Packet, PacketError, Policy, PolicyError, check, loads
from fwengine import strategies as fst
from fwengine.analysis.interfaces import Stranger, slips, strangers
from fwengine.language.meaning.scope import RESERVED
from fwengine.language.syntax.parser import parse
from fwengine.language.syntax.printer import show_document
from fwengine.model.fields import IN, interface_number
from fwengine.model.packet import _WORDS, write_interface
from fwengine.policy import region
from fwengine.report.making import region_text
from fwengine.testing.boundary import edges, interface_names

ZONES = """
interface wan    = eth0
interface lan    = { eth1, eth2 }
interface inside = { lan, "tun 0" }
interface eth9   = eth9
"""
GATE = (
    ZONES
    + "allow tcp to any port 80 in lan as web\ndeny any in not inside as rest\nallow udp in { eth2, wan } out eth9\n"
)


def names_in(policy: Policy, text: str) -> set[str]:
    chosen = region(policy, text)[0].sets[IN]
    return {name for name in ("eth0", "eth1", "eth2", "eth9", "tun 0", "eth3") if interface_number(name) in chosen}


class TestDeclared:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("any in wan", {"eth0"}),
            ("any in eth0", {"eth0"}),
            ("any in lan", {"eth1", "eth2"}),
            ("any in inside", {"eth1", "eth2", "tun 0"}),
            ('any in { wan, "tun 0" }', {"eth0", "tun 0"}),
            ("any in inside except lan", {"tun 0"}),
            ("any in not lan", {"eth0", "eth9", "tun 0", "eth3"}),
            ("any in eth9", {"eth9"}),
        ],
    )
    def test_names_stand_for_their_interfaces(self, text: str, names: set[str]) -> None:
        assert names_in(loads(GATE), text) == names

    @pytest.mark.parametrize(
        ("rule", "word", "offer"),
        [
            ("allow any in eht0", "eht0", "did you mean `eth0`?"),
            ("allow any out { lan, lna }", "lna", "did you mean `lan`?"),
            ('allow any in "tun 1"', "tun 1", "declare it with"),
            ("allow any in not ppp0", "ppp0", "declare it with `interface NAME = ppp0`"),
            ("expect deny tcp 1.1.1.1:1 -> 2.2.2.2:2 in eth7", "eth7", "declare it with"),
            ("expect deny tcp from any in eth7", "eth7", "declare it with"),
        ],
    )
    def test_once_one_is_declared_all_are(self, rule: str, word: str, offer: str) -> None:
        with pytest.raises(PolicyError) as caught:
            loads(f"{GATE}{rule}\n")
        (told,) = caught.value.diagnostics
        assert told.code == "FW137"
        assert f"`{word}`" in told.message
        assert offer in told.help
        if "lan" not in rule:
            loads(f"{rule}\n")  # without declarations any name will do

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("interface a = none", "FW125"),
            ("interface a = eth+", "FW125"),
            ("interface a = { b }\ninterface b = { a }", "FW103"),
            ("interface a = eth0\ninterface a = eth1", "FW102"),
            ("interface lan = { lan, eth1 }", "FW138"),
            ('interface eth0 = eth1\ninterface x = "eth0"', "FW138"),
            ("net a = 10.0.0.0/8\ninterface b = a", "FW127"),
            ("interface a = eth0\nallow tcp from a", "FW127"),
            ("interface a =", "FW011"),
            ("interface any = eth0", "FW129"),
            ("interface 1a = eth0", "FW134"),
            ("interface a = { }", "FW017"),
        ],
    )
    def test_what_is_no_declaration(self, text: str, code: str) -> None:
        with pytest.raises(PolicyError) as caught:
            loads(f"{text}\nallow any\n")
        assert code in [d.code for d in caught.value.diagnostics]

    def test_a_declaration_that_cannot_be_parsed_makes_no_second_error(self) -> None:
        with pytest.raises(PolicyError) as caught:
            loads("interface wan = eth0\ninterface lan = = eth1\nallow any in eth1\nallow any in lan\n")
        assert [d.span.line for d in caught.value.diagnostics] == [2]

    def test_an_interface_that_a_rule_names_uses_the_declaration(self) -> None:
        policy = loads("interface a = eth0\ninterface b = eth1\nallow tcp from 10.0.0.0/8 in eth0\n")
        assert {d.name: d.uses for d in policy.definitions} == {"a": 1, "b": 0}
        assert [f.definition.name for f in check(policy, ["FW209"]) if f.definition] == ["b"]

    def test_canonical_text_is_a_fixed_point(self) -> None:
        text = "interface a={eth1,eth2}\nnet bb = ::1\n\nservice s = tcp/1\n"
        shown = show_document(parse(text))
        assert shown == "interface a  = { eth1, eth2 }\nnet       bb = ::1\n\nservice s = tcp/1\n"
        assert show_document(parse(shown)) == shown

    def test_packets_are_on_interfaces_not_in_groups(self) -> None:
        policy = loads(GATE)
        web = Packet.parse("tcp 1.1.1.1:1 -> 2.2.2.2:80 in wan")
        assert policy.located(web).in_interface == "eth0"
        assert policy.located(web.replace(in_interface="eth2")).in_interface == "eth2"
        assert policy.located(web.replace(in_interface="")).in_interface == ""
        for name, said in (("lan", "a packet has one interface"), ("eth7", "not a declared interface")):
            with pytest.raises(PacketError, match=said):
                policy.located(web.replace(in_interface=name))

    @given(st.data())
    def test_packets_are_drawn_on_declared_interfaces(self, data: st.DataObject) -> None:
        policy = loads(GATE)
        packet = data.draw(st.one_of(fst.boundary_packets(policy), fst.packets_matching(policy, "deny")))
        assert packet.in_interface in {"", "eth0", "eth1", "eth2", "eth9", "tun 0"}

    def test_edges_lie_beside_declared_interfaces(self) -> None:
        policy = loads(GATE)
        found = edges(IN, policy.rules[0].boxes[0].sets[IN], interface_names(policy))
        assert {edge.off for edge in found} == {0, interface_number("eth0")}


class TestUndeclared:
    GATE = "allow tcp to any port 80 in eth0 as web\nallow udp out not wan0\nallow gre in { lan1, lan2, lan3 }\n"

    @pytest.mark.parametrize(
        ("claim", "code", "said"),
        [
            ("deny tcp to any port 80 in eht0", 1, "no rule names interface `eht0`: did you mean `eth0`?"),
            ("deny tcp to any port 80 in ppp7", 1, "no rule names interface `ppp7`"),
            ("deny tcp to any port 81 in eth0", 0, ""),
            ("deny tcp to any port 80 out wan0 in wan0", 0, ""),
            ("deny tcp to any port 81", 0, ""),
            ("deny tcp to any port 81 in lan2", 0, ""),  # one of neighbours, whose numbers are one interval
            ("deny tcp to any port 81 in { lan1, lan3, lan4 }", 1, "no rule names interface `lan4`"),
        ],
    )
    def test_a_proof_about_an_unknown_interface_is_no_success(
        self, tmp_path: Path, claim: str, code: int, said: str
    ) -> None:
        path = tmp_path / "gate.fwl"
        path.write_text(self.GATE)
        done = fwengine("prove", path, claim)
        assert done.code == code
        assert done.out.startswith("PROVED")
        assert said in done.out
        assert ("no rule names" in done.out) == bool(said)
        (answer,) = json.loads(fwengine("prove", path, claim, "--format", "json").out)["results"]
        assert answer["holds"] == (code == 0)
        assert bool(answer["unknown_interfaces"]) == bool(said)

    def test_other_questions_say_so_too(self, tmp_path: Path) -> None:
        path = tmp_path / "gate.fwl"
        path.write_text(self.GATE)
        packet = "tcp 1.1.1.1:1 -> 2.2.2.2:80 flags syn in eht0"
        for words in (
            ("query", path, "allow any in eht0"),
            ("eval", path, packet),
            ("eval", path, packet, "--expect", "deny"),
        ):
            done = fwengine(*words)
            assert "no rule names interface `eht0`: did you mean `eth0`?" in done.err
        assert fwengine("eval", path, packet).code == 0
        assert fwengine("eval", path, packet, "--expect", "deny").code == 1
        (result,) = json.loads(fwengine("eval", path, packet, "--format", "json").out)["results"]
        assert result["unknown_interfaces"] == [{"name": "eht0", "did_you_mean": "eth0"}]

    def test_with_declarations_such_a_question_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "gate.fwl"
        path.write_text(GATE)
        packet = "tcp 1.1.1.1:1 -> 2.2.2.2:80 in eht0"
        for words in (
            ("prove", path, "deny any in eht0"),
            ("query", path, "allow any in eht0"),
            ("eval", path, packet),
        ):
            done = fwengine(*words)
            assert done.code == 2
            assert "`eht0` is not a declared interface" in done.err
            assert "did you mean `eth0`?" in done.err


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["eth0", "eth0", "eht0"], [("eht0", "eth0")]),
        (["office", "offce", "office"], [("offce", "office")]),
        (["Wan0", "wan0", "wan0"], [("Wan0", "wan0")]),
        (["eth0", "eth1", "eth1"], []),
        (["lan0", "wan0", "wan0"], []),
        (["eth0.10", "eth0.20", "eth0.20"], []),
        (["office-a", "office-b", "office-b"], []),
        (["eth0", "eth0", "eht0", "eht0"], []),
        (["dmz", "dmx"], [("dmx", "dmz")]),
        (["vlan7", "wlan7"], []),
    ],
)
def test_a_name_used_once_that_resembles_another_is_told(names: list[str], found: list[tuple[str, str]]) -> None:
    policy = loads("".join(f"allow tcp to any port {port} in {name}\n" for port, name in enumerate(names, 1)))
    assert [(slip.name, slip.resembles) for slip in slips(policy)] == found
    assert len(check(policy, ["FW310"])) == len(found)
    every = ", ".join(f'"{name}"' for name in set(names))
    declared = loads(f"interface all-of-them = {{ {every} }}\nallow tcp in {{ {every} }}\n")
    assert not check(declared, ["FW310"])


class TestSteppedThrough:
    """IPv6's extension headers are no protocol of any packet, but of later fragments."""

    @pytest.mark.parametrize("name", ["hopopt", "ipv6-route", "ipv6-frag", "ah", "ipv6-opts", "43"])
    def test_over_ipv6_it_is_an_error_that_says_why(self, name: str) -> None:
        policy = loads("default allow\nallow tcp to 192.0.2.80\n")
        for text in (f"{name} from 2001:db8::/32", f"{name} from any to ipv6 fragment whole"):
            with pytest.raises(PolicyError) as caught:
                loads(f"deny {text}\n")
            assert [d.code for d in caught.value.diagnostics] == ["FW140"]
            with pytest.raises(PolicyError, match="no IPv6 packet has protocol"):
                policy.prove(f"deny {text}")
        with pytest.raises(PacketError, match="no IPv6 packet has protocol"):
            Packet.parse(f"{name} 2001:db8::1 -> 2001:db8::2")

    def test_over_ipv4_and_of_later_fragments_it_is_a_protocol(self) -> None:
        loads("allow ah from 198.51.100.7 to 192.0.2.1")  # two hosts of IPv4 with nothing in common
        policy = loads(
            "deny ipv6-route from ipv4 as four\ndeny ipv6-opts from ipv6 fragment later as later\ndefault allow\n"
        )
        assert not check(policy, ["FW305", "FW204"])
        assert policy.evaluate(Packet.parse("43 1.1.1.1 -> 2.2.2.2")).by == "four"
        assert policy.evaluate(Packet.parse("60 ::1 -> ::2 fragment later")).by == "later"

    def test_over_both_families_a_finding_says_what_is_left(self) -> None:
        policy = loads(
            "default allow\ndeny ipv6-route as one\ndeny { esp, ah } to any as two\ndeny any as three\ndeny { tcp, udp } as four\n"
        )
        apart = loads("allow ah from { 1.1.1.1, ::1 } to { 2.2.2.2, ::2 }")
        assert [finding.protocols for finding in check(apart, ["FW305"])] == [(51,)]
        found = check(policy, ["FW305"])
        assert [(finding.rule, finding.protocols) for finding in found] == [(0, (43,)), (1, (51,))]

    @given(st.data())
    def test_no_witness_and_no_drawn_packet_has_one(self, data: st.DataObject) -> None:
        policy = loads("default allow\ndeny { 43, 44, 60, 0, ah, 47 } as headers\n")
        packet = data.draw(st.one_of(fst.packets_matching(policy, "deny"), fst.boundary_packets(policy), fst.packets()))
        assert packet.family == 4 or packet.fragment == "later" or packet.protocol not in {0, 43, 44, 51, 60}
        for answer in policy.query("deny any"):
            witness = answer.witness
            assert witness.family == 4 or witness.fragment == "later" or witness.protocol not in {0, 43, 44, 51, 60}
            assert region(policy, region_text(answer.box))  # what is printed can be asked again


def test_of_two_usual_names_each_is_meant() -> None:
    assert strangers(["lan0", "dmz1"], ["wan0", "lna0"]) == (Stranger("lna0", "lan0"), Stranger("wan0", ""))


def test_packets_quote_the_words_that_the_language_reserves() -> None:
    """The model does not know the language, so that it has a copy of them."""
    assert _WORDS == RESERVED
    assert all(write_interface(word) == f'"{word}"' for word in RESERVED)
