"""fwengine beside Aerleon's `aclcheck` and `shade_check`: the same policies to both, the answers compared, then the clock.

usage: python bench/beside_aerleon.py [--sizes 100,1000] [--packets N] [--rounds N] [--seed N] [--all]

A policy is a tuple of `Term`s, written once as Aerleon's `.pol` text with its definitions and once as `.fwl`. `CASES` has
questions small enough to judge by eye. The truth about an `aclcheck` question is what `decide` says of packets that fit it;
about shading, that `decide` gives a packet to the term (not shaded), or that our exact search found none and `decide`
gives the term none of some hundred packets drawn from it (shaded). Only wrong answers are listed, and all with `--all`.
(Not called `aerleon.py`: from this folder that would be imported in place of the peer.) Reports; never fails by a time.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from aerleon_terms import CASES, Case, Term, fwl, pol, policy_of

from fwengine.analysis.anomalies import findings
from fwengine.analysis.reach import reachable, unreachable
from fwengine.model.fields import IN, NO_INTERFACE, OUT, Point
from fwengine.model.ruleset import decide
from fwengine.policy import Policy, loads
from fwengine.traffic.codec import Packet

T = TypeVar("T")
ABSENT = "aerleon is not installed: pip install aerleon"
AS_OF = datetime.date(2026, 11, 21)
DRAWN = 300  # packets of a term that `decide` is asked about where the term is said to be shaded


def ours(terms: Sequence[Term]) -> Policy:
    return loads(fwl(terms), as_of=AS_OF)


def term_of(policy: Policy, index: int) -> int | None:
    """The number of the term that a rule belongs to; None for the default."""
    return None if index == len(policy.rules) else int(policy.label(index)[1:].partition("-")[0])


def our_shaded(policy: Policy) -> frozenset[int]:
    """The terms none of whose rules decides anything: FW201 and FW202."""
    found = {finding.rule for finding in findings(policy, ("FW201", "FW202")) if finding.rule is not None}
    alive = {term_of(policy, index) for index in range(len(policy.rules)) if index not in found}
    return frozenset(number for index in found if (number := term_of(policy, index)) is not None) - alive


def confirm(policy: Policy, number: int, shaded: bool, until: datetime.date | None, draw: random.Random) -> None:
    """Raises AssertionError if `decide` does not bear out what is said about the shading of a term."""
    mine = [index for index in range(len(policy.rules)) if term_of(policy, index) == number]
    if until is not None and until < policy.as_of:
        return  # matches nothing any more, which is no question of shading
    if shaded:
        for point in drawn(policy, mine, draw, DRAWN):
            assert decide(policy, point).index not in mine, (policy.name, number, point)
    else:
        witnesses = [packet for index in mine if (packet := reachable(policy, index)) is not None]
        assert witnesses, (policy.name, number)
        assert decide(policy, witnesses[0]).index in mine, (policy.name, number)


def drawn(policy: Policy, rules: Sequence[int], draw: random.Random, count: int) -> Iterator[Point]:
    """Packets that some rules match, drawn at random."""
    pieces = [piece.sets for index in rules for box in policy.rules[index].boxes for piece in box.pieces]
    for _ in range(count):
        sets = draw.choice(pieces)
        yield tuple(draw.randint(*draw.choice(values.ranges)) for values in sets)


class Aerleon:
    """The peer, imported only when it is there. What it logs is caught: shading is reported in no other way."""

    def __init__(self) -> None:
        from aerleon.lib import aclcheck, naming, policy  # type: ignore[import-not-found, unused-ignore]  # a peer

        self.aclcheck, self.naming, self.policy = aclcheck, naming, policy
        self.log: list[str] = []
        catcher = logging.Handler()
        catcher.emit = lambda record: self.log.append(record.getMessage())  # type: ignore[method-assign]  # a sink
        logging.getLogger().handlers = [catcher]

    def parse(self, text: tuple[str, list[str], list[str]], shade_check: bool = False) -> Any:
        definitions = self.naming.Naming()
        definitions.ParseNetworkList(text[1])
        definitions.ParseServiceList(text[2])
        self.log.clear()
        return self.policy.ParsePolicy(text[0], definitions, shade_check=shade_check)

    def shaded(self, text: tuple[str, list[str], list[str]]) -> frozenset[int]:
        self.parse(text, shade_check=True)
        return frozenset(int(line.split()[0][1:]) for line in self.log if " is shaded by " in line)

    def answer(self, parsed: Any, asked: dict[str, Any]) -> frozenset[str]:
        """Every verdict it leaves possible. It stops at the first definite match; without one the default follows."""
        check = self.aclcheck.AclCheck(parsed, **asked)
        found = ["allow" if match.action == "accept" else "deny" for match in check.Matches()]
        return frozenset(found if check.ExactMatches() else [*found, "deny"])


Asked = tuple[str, str, str, str, str]  # protocol, source, destination, ports


def packets_of(policy: Policy, count: int, seed: int) -> tuple[Asked, ...]:
    """Whole IPv4 packets of tcp and udp as texts: drawn from a rule, every fourth with a neighbour's source."""
    draw = random.Random(seed)
    out: list[Asked] = []
    while len(out) < count:
        point = next(drawn(policy, [draw.randrange(len(policy.rules))], draw, 1))
        found = Packet.from_point((*point[:IN], NO_INTERFACE, NO_INTERFACE, *point[OUT + 1 :]))
        if found.family == 4 and found.protocol in (6, 17) and found.fragment == "whole" and found.dport:
            protocol = "tcp" if found.protocol == 6 else "udp"
            src, dst = found.src, found.dst
            if len(out) % 4 == 3:
                src = src >> 16 << 16 | draw.getrandbits(16)
            out.append((protocol, dotted(src), dotted(dst), "40000", str(found.dport)))
    return tuple(out)


def dotted(value: int) -> str:
    return ".".join(str(byte) for byte in value.to_bytes(4, "big"))


def packet(asked: Asked, flags: int = 2) -> Packet:
    """A packet from the texts that `aclcheck` is given: whole, new, of no interface; a tcp one opens a connection."""
    protocol, src, dst, sport, dport = asked
    return Packet.of(
        protocol,
        src,
        dst,
        sport=int(sport),
        dport=int(dport),
        flags=flags if protocol == "tcp" else None,
        in_interface="",
        out_interface="",
    )


def judge(said: frozenset[str], truth: frozenset[str]) -> str:
    """What an answer is worth: "right"; "undecided" (nothing false, but less than is known); "partial" (of several
    verdicts that packets of the question get, it names one as if it were sure); or "wrong"."""
    if said == truth:
        return "right"
    return "undecided" if truth < said else "partial" if said < truth else "wrong"


def compare_cases(peer: Aerleon | None, show_all: bool) -> None:
    """Prints the cases that the peer does not get right, and how many there are of each kind."""
    counts: Counter[tuple[str, str]] = Counter()
    for case in CASES:
        policy, text = ours(case.terms), pol(case.terms)
        if case.question is not None:
            tool, truth = "aclcheck", case.question.truth(policy)
            said = truth if peer is None else peer.answer(peer.parse(text), case.question.asked)
            asked = "   ? " + " ".join(map(str, case.question.asked.values()))
        else:
            tool, last, asked = "shade_check", len(case.terms) - 1, ""
            shaded = our_shaded(policy)
            for number, term in enumerate(case.terms):
                confirm(policy, number, number in shaded, term.until, random.Random(number))
            truth = frozenset({word(last in shaded)})
            said = truth if peer is None else frozenset({word(last in peer.shaded(text))})
        result = judge(said, truth)
        counts[tool, result] += 1
        if result != "right" or show_all:
            theirs = "" if peer is None else f"{result:9} aerleon: {' or '.join(sorted(said)):14} "
            print(f"{tool:11} {case.title:60} {theirs}truth: {' or '.join(sorted(truth))}")
            print(f"            {one_line(case)}{asked}")
    for tool in ("aclcheck", "shade_check"):
        results = {result: count for (which, result), count in counts.items() if which == tool}
        told = f": {', '.join(f'{count} {result}' for result, count in sorted(results.items()))}" if peer else ""
        print(f"{tool}, {sum(results.values())} cases{told}; the truth is confirmed by `decide`")


def word(shaded: bool) -> str:
    return "shaded" if shaded else "reachable"


def one_line(case: Case) -> str:
    """The policy as Aerleon reads it, its definitions put in place of their names."""
    text, nets, services = pol(case.terms)
    joined = " ".join(text.split()).partition("} ")[2]
    meaning: dict[str, str] = {}
    name = ""
    for line in (*nets, *services):
        left, equals, right = line.rpartition(" = ")
        name = left if equals else name
        meaning[name] = " ".join([*meaning.get(name, "").split(), right.strip() if equals else line.strip()])
    return " ".join(meaning.get(word, word) for word in joined.split())


@dataclass
class Row:
    """One comparison of times: seconds of each side, round by round."""

    what: str
    rules: int
    unit: float  # questions a round
    mine: list[float]
    theirs: list[float]

    def __str__(self) -> str:
        ours = f"{self.what:38} {self.rules:6,} {median(self.mine) / self.unit * 1e6:14,.1f}"
        if not self.theirs:
            return ours
        ratios = [theirs / mine for theirs, mine in zip(self.theirs, self.mine, strict=True)]
        spread = f"({min(ratios):,.1f}-{max(ratios):,.1f})"
        return f"{ours} {median(self.theirs) / self.unit * 1e6:14,.1f} {median(ratios):9,.1f}  {spread}"


def compare_policy(peer: Aerleon | None, size: int, packets: int, rounds: int, seed: int) -> list[Row]:
    """One policy: answers of both, printed; then their times, alternating."""
    terms = policy_of(size, seed)
    policy, text = ours(terms), pol(terms)
    questions = packets_of(policy, packets, seed)
    shaded = our_shaded(policy)
    for number in range(size):
        confirm(policy, number, number in shaded, None, random.Random(number))
    print(f"{size:,} terms: {len(shaded)} shaded, each confirmed by `decide`", end="")
    parsed: Any = None
    if peer is not None:
        parsed = peer.parse(text)
        said = peer.shaded(text)
        print(f"; shade_check says {len(said)}: {len(shaded - said)} missed, {len(said - shaded)} false", end="")
        found: Counter[str] = Counter()
        for asked in questions:
            # which flags a packet has it cannot be told: either answer is right, and both together
            truth = {str(decide(policy, packet(asked, flags)).action) for flags in (2, 16)}
            found[judge(peer.answer(parsed, named(asked)), frozenset(truth))] += 1
        results = ", ".join(f"{count} {result}" for result, count in sorted(found.items()))
        print(f"; aclcheck on {packets} packets: {results}", end="")
    assert all(policy.evaluate(packet(asked)).index == decide(policy, packet(asked)).index for asked in questions)
    print()
    rows = [
        Row("packet: texts to verdict", size, packets, [], []),
        Row("shading: which terms", size, 1, [], []),
        Row("shading: ours with blockers, witness", size, 1, [], []),
        Row("policy text to shading (as above)", size, 1, [], []),
    ]
    source, codes = fwl(terms), ("FW201", "FW202")
    logging.disable(logging.CRITICAL)  # the peer's warnings are not put into words on its time
    for _ in range(rounds):
        bare, whole = replace(policy), replace(policy)  # not compiled yet: that is on our time
        rows[0].mine.append(seconds(lambda: [policy.evaluate(packet(asked)) for asked in questions]))
        rows[1].mine.append(seconds(lambda bare=bare: list(unreachable(bare))))  # type: ignore[misc]  # bound now
        rows[2].mine.append(seconds(lambda whole=whole: findings(whole, codes)))  # type: ignore[misc]  # bound now
        rows[3].mine.append(seconds(lambda: findings(loads(source, as_of=AS_OF), codes)))
        if peer is not None:
            again = peer.parse(text)
            rows[0].theirs.append(seconds(lambda: [peer.answer(parsed, named(asked)) for asked in questions]))
            shading = seconds(lambda again=again: again._DetectShading(again.filters[0][1]))  # type: ignore[misc]  # too
            rows[1].theirs.append(shading)
            rows[2].theirs.append(shading)
            rows[3].theirs.append(seconds(lambda: peer.parse(text, shade_check=True)))
    logging.disable(logging.NOTSET)
    return rows


def named(asked: Asked) -> dict[str, Any]:
    return dict(zip(("proto", "src", "dst", "sport", "dport"), asked, strict=True))


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,1000", help="terms of the policies that are timed")
    parser.add_argument("--packets", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="list the cases that it gets right, too")
    args = parser.parse_args()
    peer = None
    if importlib.util.find_spec("aerleon") is None:
        print(f"{ABSENT}; our own figures alone")
    else:
        peer = Aerleon()
    compare_cases(peer, args.all)
    print()
    rows = []
    for size in args.sizes.split(","):
        rows += compare_policy(peer, int(size), args.packets, args.rounds, args.seed)
    print(
        f"\n{'what':38} {'terms':>6} {'ours, us':>14}"
        + (f" {'aerleon, us':>14} {'ratio':>9}  (least-most)" if peer else "")
    )
    for row in rows:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
