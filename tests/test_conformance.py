"""The contract as data: every case of `conformance/*.toml`, run by every evaluator.

An evaluator takes a policy and a packet, perhaps with open fields, and names the action and the deciding rules. To add
one that takes points, add a line to `BY_POINTS`.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.generators import TODAY, completions

import fwengine
from fwengine import native
from fwengine.errors import PacketError, PolicyError
from fwengine.model.box import Box
from fwengine.model.fields import Point
from fwengine.model.ruleset import decide
from fwengine.policy import Policy
from fwengine.traffic.codec import Packet

Evaluator = Callable[[Policy, Packet], tuple[str, str]]  # action, and the rules' names joined by " or "
Indexes = Callable[[Policy, Sequence[Point]], Sequence[int]]

FILES = sorted((Path(__file__).parent / "conformance").glob("*.toml"))
DATA = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FILES}


def entries(kind: str) -> list[Any]:
    return [
        pytest.param(entry, id=f"{name}: {entry['title']}")
        for name, data in DATA.items()
        for entry in data.get(kind, ())
    ]


def summary(policy: Policy, indexes: Sequence[int]) -> tuple[str, str]:
    """What all completions of a packet have in common."""
    found = sorted(set(indexes))
    actions = {str(policy.action(index)) for index in found}
    return actions.pop() if len(actions) == 1 else "depends", " or ".join(policy.label(index) for index in found)


def by_points(indexes: Indexes) -> Evaluator:
    """An evaluator of points, asked about every completion of a packet that the policy could tell apart."""

    def evaluate(policy: Policy, packet: Packet) -> tuple[str, str]:
        return summary(policy, indexes(policy, completions(policy, Box.around(packet))))

    return evaluate


def by_evaluate(policy: Policy, packet: Packet) -> tuple[str, str]:
    verdict = policy.evaluate(packet)
    return str(verdict.action), verdict.by


def by_regions(policy: Policy, packet: Packet) -> tuple[str, str]:
    return summary(policy, [index for _, index in policy.tree.regions(Box.around(packet))])


def decided(policy: Policy, points: Sequence[Point]) -> list[int]:
    return [index for point in points if (index := decide(policy, point).index) is not None]


BY_POINTS: dict[str, Indexes] = {
    "decide": decided,
    "tree": lambda policy, points: [policy.tree.index(point) for point in points],
    **{
        f"native {engine}": lambda policy, points, engine=engine: native.classifier(policy, engine).index_points(points)  # type: ignore[misc]  # a default freezes the name
        for engine in ("tree", *native.engines())
    },
}
EVALUATORS: dict[str, Evaluator] = {name: by_points(indexes) for name, indexes in BY_POINTS.items()} | {
    "evaluate": by_evaluate,
    "regions": by_regions,
}


def told(packets: str) -> list[tuple[str, str, str]]:
    """(packet, action, rules) of each line `PACKET => ACTION by RULES`."""
    out = []
    for line in packets.strip().splitlines():
        packet, _, claim = line.partition("=>")
        action, _, rules = claim.strip().partition(" by ")
        assert action in ("allow", "deny", "depends"), line
        assert rules, line
        out.append((packet.strip(), action, rules.strip()))
    return out


def load(entry: dict[str, Any]) -> Policy:
    as_of = entry.get("as_of", TODAY)
    assert isinstance(as_of, datetime.date)
    return fwengine.loads(entry["policy"], as_of=as_of)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("case", entries("case"))
def test_case(case: dict[str, Any], evaluator: str) -> None:
    policy = load(case)
    for text, action, rules in told(case["packets"]):
        assert EVALUATORS[evaluator](policy, Packet.parse(text)) == (action, rules), text


@pytest.mark.parametrize("entry", entries("refused"))
def test_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as caught:
        load(entry)
    first = caught.value.diagnostics[0]
    assert first.code == entry["code"]
    assert entry["says"] in " ".join((first.message, first.label, first.help))


@pytest.mark.parametrize("entry", entries("no_packet"))
def test_no_packet(entry: dict[str, Any]) -> None:
    with pytest.raises(PacketError) as caught:
        Packet.parse(entry["packet"])
    assert entry["says"] in str(caught.value)


def test_the_native_engines_take_part_where_they_can() -> None:
    assert native.available() == any(name not in ("native tree",) for name in EVALUATORS if name.startswith("native"))


@pytest.mark.parametrize("name", DATA)
def test_the_files_hold_what_is_run(name: str) -> None:
    """A misspelt key would be a case that is never run."""
    assert set(DATA[name]) <= {"case", "refused", "no_packet"}
    keys = {"case": {"title", "policy", "packets", "as_of"}, "refused": {"title", "policy", "code", "says"}}
    for kind, entry in ((kind, entry) for kind, entries_of in DATA[name].items() for entry in entries_of):
        assert set(entry) <= keys.get(kind, {"title", "packet", "says"}), entry["title"]
    titles = [entry["title"] for entries_of in DATA[name].values() for entry in entries_of]
    assert len(set(titles)) == len(titles)
