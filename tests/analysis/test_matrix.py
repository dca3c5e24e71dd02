"""The matrix against brute force over the universe: what is open, partly open and shut, and under which condition."""

from __future__ import annotations

import pytest
from support.universe import POINTS, Maker, allowed, mask

from fwengine.analysis import matrix as module
from fwengine.analysis.confirm import Disagreement
from fwengine.analysis.matrix import Cell, Matrix, Zone, between, matrix, says
from fwengine.analysis.services import SERVICE, of_ports, ports_of, protocols_of, service, services, types_of, whole
from fwengine.model import address
from fwengine.model.box import Box, pieces
from fwengine.model.fields import DST, FIELDS, FULL, IN, OUT, PROTOCOL, SRC, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import Rule
from fwengine.model.ruleset import RuleSet
from fwengine.policy import loads

FAST, SLOW = range(24), range(24, 120)
EVERY = [pytest.param(FAST, id="fast"), pytest.param(SLOW, id="slow", marks=pytest.mark.slow)]


def _zones(maker: Maker) -> list[Zone]:
    """Zones that overlap, the rest of the world among them: first those of which the universe knows what comes from them
    (`LEFT`), then those of which it knows what goes to them. The outgoing interface is one cell: it is no zone there."""
    one, other = maker.some(SRC), maker.some(SRC)
    left = [one, other, address.ALL - one - other or address.ALL]
    to = maker.some(DST)
    right = [to, maker.some(DST), address.ALL - to or address.ALL]
    return [
        *(Zone(f"from{n}", "net", chosen) for n, chosen in enumerate(left)),
        Zone("in", "interface", maker.some(IN)),
        *(Zone(f"to{n}", "net", chosen) for n, chosen in enumerate(right)),
    ]


LEFT = 4


def _looked_at(found: Matrix) -> list[Cell]:
    return [cell for cell in found.cells if cell.source < LEFT <= cell.destination]


def _fates(policy: RuleSet, box: Box) -> dict[int, dict[Point, bool]]:
    """By service, the packets of a box, and whether they are allowed: by the loop over the rules."""
    yes, inside = allowed(policy), mask([box])
    out: dict[int, dict[Point, bool]] = {}
    for n, point in enumerate(POINTS):
        if inside >> n & 1:
            out.setdefault(service(point), {})[point] = bool(yes >> n & 1)
    return out


def _decisive(fates: dict[Point, bool]) -> set[int]:
    """The fields of which one alone makes a difference; source and destination together where the family does."""
    out: set[int] = set()
    for f in range(FIELDS):
        seen: dict[Point, bool] = {}
        if any(seen.setdefault((*p[:f], *p[f + 1 :]), fate) != fate for p, fate in fates.items()):
            out.add(f)
    by_rest: dict[Point, dict[int, set[bool]]] = {}
    for p, fate in fates.items():
        by_rest.setdefault((p[PROTOCOL], *p[DST + 1 :]), {}).setdefault(address.family_of(p[SRC]), set()).add(fate)
    # some fate of the one family is not that of all packets of the other
    if any(len(some) == 2 and len(some[4] | some[6]) == 2 for some in by_rest.values()):
        out |= {SRC, DST}
    return out


def _check(policy: RuleSet, zones: list[Zone], cell: Cell) -> None:
    fates = _fates(policy, between(zones[cell.source], zones[cell.destination]))
    assert cell.impossible == (not fates)
    assert cell.everything == (bool(fates) and all(all(some.values()) for some in fates.values()))
    assert cell.nothing == (bool(fates) and not any(any(some.values()) for some in fates.values()))
    assert sum(mask([box]) for box in cell.regions) == mask(cell.regions), "regions overlap"
    assert mask(cell.regions) == allowed(policy) & mask([between(zones[cell.source], zones[cell.destination])])
    conditions = {number: c for c in cell.partly for number in fates if number in c.services}
    for number, some in fates.items():
        assert number in cell.possible
        assert (number in cell.open) == all(some.values())
        assert (number in conditions) == (len(set(some.values())) == 2)
        for point, fate in some.items():
            told = says(cell, point)
            assert told in (None, fate)
            assert (told is None) == (number in conditions and conditions[number].values is None)
    for number, condition in conditions.items():
        assert condition.fields is not None
        assert set(condition.fields) == _decisive(fates[number])


@pytest.mark.parametrize("seeds", EVERY)
def test_every_cell_is_what_its_packets_fare(seeds: range) -> None:
    for seed in seeds:
        maker = Maker(seed)
        policy, zones = maker.policy(6), _zones(maker)
        found = matrix(policy, zones)
        assert found.confirmed.points
        for cell in _looked_at(found):
            _check(policy, zones, cell)


def test_a_product_is_told_as_its_condition() -> None:
    """Where what is allowed of a service is a product of sets, the condition is told, and it is that product."""
    policy = loads("allow tcp from 10.0.0.0/9 port 1024-65535 to any port 22 state established\n")
    (cell,) = matrix(policy, [Zone("ten", "net", IntervalSet.of((0x0A000000, 0x0AFFFFFF)))]).cells
    (condition,) = cell.partly
    assert condition.values is not None
    wanted = policy.rules[0].boxes[0].sets
    assert dict(condition.values) == {f: wanted[f] for f in condition.fields or ()}
    assert condition.services == services(wanted)


def test_a_cell_of_too_many_parts_is_unknown_and_the_others_are_not() -> None:
    lines = [f"allow tcp from 10.0.{n}.0/24 to 10.1.0.0/16 port {n + 1}" for n in range(60)]
    policy = loads("\n".join(lines))
    zones = [
        Zone("ten", "net", IntervalSet.of((0x0A000000, 0x0A00FFFF))),
        Zone("web", "net", IntervalSet.of((0x0A010000, 0x0A01FFFF))),
    ]
    found = matrix(policy, zones, cell_parts=40)
    known = [cell.known for cell in found.cells]
    assert known == [True, False, True, True]
    unknown = found.cell(0, 1)
    assert (unknown.everything, unknown.nothing, unknown.impossible) == (False, False, False)
    assert all(cell.known for cell in matrix(policy, zones).cells)
    assert not any(cell.known for cell in matrix(policy, zones, all_parts=0).cells)


def test_with_too_much_to_compare_less_is_told_and_nothing_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limits a condition says less; what it says stays true."""
    for limit, value in (("_PAIRS", 0), ("_CUTS", 0)):
        monkeypatch.setattr(module, limit, value)
        for seed in range(3):
            maker = Maker(seed)
            policy, zones = maker.policy(6), _zones(maker)
            for cell in _looked_at(matrix(policy, zones)):
                for some in _fates(policy, between(zones[cell.source], zones[cell.destination])).values():
                    assert all(says(cell, point) in (None, fate) for point, fate in some.items())


def test_a_fault_in_the_first_way_is_found_by_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = loads("allow tcp from 10.0.0.0/8 to any port 22\n")
    zones = [Zone("any", "net", address.ALL)]
    right = module._cell

    def wrong(*arguments: object) -> Cell:
        cell = right(*arguments)  # type: ignore[arg-type]  # handed on
        return Cell(cell.source, cell.destination, cell.possible, cell.possible)

    monkeypatch.setattr(module, "_cell", wrong)
    with pytest.raises(Disagreement):
        matrix(policy, zones)


def test_services_of_a_product_are_those_of_its_points() -> None:
    """Each packet has one service, and that of a product's packets is in the product's, and nothing else is."""
    for seed in range(60):
        box = Maker(seed).box()
        inside = mask([box])
        mine = IntervalSet.union(pair for piece in pieces(box.sets) for pair in services(piece))
        got = {service(point) for n, point in enumerate(POINTS) if inside >> n & 1}
        every = {service(point) for point in POINTS}
        assert {number for number in every if number in mine} == got
        for sets in pieces(box.sets):
            assert all(p in sets[PROTOCOL] for p in protocols_of(services(sets)))


def test_services_are_taken_apart_again() -> None:
    for protocol in (6, 17, 132):
        ports = IntervalSet.of((0, 5), (80, 80), (65536, 65536))
        assert ports_of(of_ports(protocol, ports), protocol) == ports
    every = IntervalSet.union(pair for piece in pieces(FULL) for pair in services(piece))
    for protocol in range(256):
        assert whole(protocol) == IntervalSet.union(
            (lo, hi) for lo, hi in every & IntervalSet(((protocol << 17, (protocol + 1 << 17) - 1),))
        )
    assert {t: c.size for t, c in types_of(whole(1), 1).items()} == {**dict.fromkeys(range(256), 256), 256: 1}


def test_interfaces_stand_on_both_sides() -> None:
    policy = loads("allow udp from any to any port 53 in lan0 out wan0\nallow tcp from any to any in wan0\n")
    lan, wan = (
        Zone(name, "interface", next(iter(policy.rules[n].boxes)).sets[IN]) for n, name in ((0, "lan0"), (1, "wan0"))
    )
    found = matrix(policy, [lan, wan])
    assert between(lan, wan).sets[OUT] == wan.chosen
    assert [c.nothing for c in found.cells] == [True, False, False, False]
    assert found.cell(0, 1).open == of_ports(17, IntervalSet.single(53))
    assert found.cell(1, 0).open == found.cell(1, 1).open == whole(6)
    assert not any(c.partly for c in found.cells)


def test_rules_without_a_packet_do_not_count() -> None:
    nothing = RuleSet((Rule(loads("allow tcp\n").rules[0].action, (Box((IntervalSet(),) * FIELDS),)),))
    (cell,) = matrix(nothing, [Zone("any", "net", address.ALL)]).cells
    assert cell.nothing
    assert set(SERVICE) < set(range(FIELDS))
