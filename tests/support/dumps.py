"""Real dumps of iptables in the Linux kernel: each chain that packets enter, asked with packets of the dump's own corners.

The chains stand in the mangle table, behind conntrack, entered by the source's MAC address; every packet is the first of its
connection, as none is let through to be confirmed. Interfaces are named as in the dump; there is no `out` interface yet, which
`-o` and `! -o` see. REJECT is written DROP, which is all that this table knows. Lines that the kernel has no module for, or not in
this table, are taken away before either side reads the dump, and told.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from support import kernel
from support.frames import ethernet
from support.kernel import TARGET, Kernel, mac

from fwengine.errors import PacketError
from fwengine.formats.chains import Chains
from fwengine.formats.document import Document
from fwengine.formats.iptables.reader import read
from fwengine.formats.unfold import unfold
from fwengine.model import address
from fwengine.model.box import Box
from fwengine.model.fields import (
    CODE,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    IN,
    PROTOCOL,
    SPORT,
    SRC,
    TYPE,
    Point,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY
from fwengine.model.ruleset import RuleSet, decide
from fwengine.packets.encode import encode
from fwengine.packets.wire import decode

BATCH = 10
MOST_INTERFACES = 24
single = IntervalSet.single
_PLAIN = {SRC: address.V4, DST: address.V4, FRAGMENT: single(0)}
_KINDS = (  # packets that conntrack takes for the first of a connection
    Box.of({**_PLAIN, PROTOCOL: single(6), FLAGS: IntervalSet.of((2, 2), (16, 16))}),
    Box.of({**_PLAIN, PROTOCOL: single(17)}),
    Box.of({**_PLAIN, PROTOCOL: single(1), TYPE: single(8), CODE: single(0)}),
    Box.of({**_PLAIN, PROTOCOL: IntervalSet.of((50, 50), (94, 94))}),
)
_UNKNOWN = re.compile(r"Error occurred at line: ([0-9]+)|line ([0-9]+) failed")


@dataclass
class Judged:
    """What was compared over all chains of a dump, and the lines that the kernel could not load."""

    verdicts: int = 0
    lines: int = 0
    unsure: int = 0
    left_out: tuple[str, ...] = ()


def judge(judge: Kernel, text: str, file: str, packets: int, seed: int = 1) -> Judged:
    """Loads a dump, sends packets into each of its entry chains, and compares verdicts and lines.

    Raises:
        AssertionError: at the first difference.
    """
    draw = random.Random(seed)
    rows, left_out = _loaded(
        judge, _filter(text.replace("XX:XX:XX:XX:XX:XX", "00:00:00:00:00:01"))
    )  # addresses blotted out
    document = read("\n".join(rows), file, v6=False)
    done = Judged(left_out=left_out)
    with _wires(judge, _interfaces(rows)) as wires:
        for n, entry in enumerate(document.policies):
            one = _Chain(document, entry)
            for _ in range(packets // BATCH):
                batch = [one.packet(draw, sorted(wires)) for _ in range(BATCH)]
                before = one.counts(judge)
                points: list[Point] = []
                for packet, name in batch:
                    point = decode(packet, 101, len(packet), interface_number(name))
                    assert not isinstance(point, str)
                    points.append(point)
                    wires[name].send(ethernet(packet, TARGET, mac(n)))
                judge.settle()
                got = one.counts(judge) - before
                lines, verdicts = one.expected(points)
                ends = Counter(verdict for _, verdict in got.elements())
                told = f"{file} {entry}: {lines}, {verdicts} expected, {got} counted\n" + "\n".join(
                    f"{name} {Packet.from_point(point)}" for (_, name), point in zip(batch, points, strict=True)
                )
                assert got.total() == BATCH, told
                assert got >= lines, told
                assert ends >= verdicts, told
                done.verdicts += verdicts.total()
                done.lines += lines.total()
                done.unsure += BATCH - verdicts.total()
    judge.run("iptables-legacy-restore", text="*mangle\nCOMMIT\n")
    return done


def _filter(text: str) -> list[str]:
    """The rows of the last filter table."""
    rows = text.split("\n")
    begin = max(at for at, row in enumerate(rows) if row.strip() == "*filter")
    end = next(at for at, row in enumerate(rows) if at > begin and row.strip() == "COMMIT")
    return rows[begin : end + 1]


def _loaded(judge: Kernel, rows: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Loads what can be loaded: the rows that are left, and those that are not."""
    left_out: list[str] = []
    while True:
        try:
            judge.run("iptables-legacy-restore", text=_moved(rows))
        except RuntimeError as error:
            found = _UNKNOWN.search(str(error))
            if found is None or not rows[int(found[1] or found[2]) - 1].startswith("-A"):
                raise
            left_out.append(rows.pop(int(found[1] or found[2]) - 1))
        else:
            return rows, tuple(left_out)


def _moved(rows: Sequence[str]) -> str:
    """The dump as chains of the mangle table, its own entries under other names, row by row, and how packets come to them."""
    out = []
    entries: dict[str, str] = {}
    for row in rows:
        row = re.sub(r"-j REJECT\b.*", "-j DROP", row)
        declared = re.match(r":(INPUT|FORWARD|OUTPUT) (ACCEPT|DROP)", row)
        if row.strip() == "*filter":
            row = "*mangle"
        elif declared:
            entries[declared[1]] = declared[2]
            row = f":d.{declared[1]} - [0:0]"
        out.append(re.sub(r"(-A) (INPUT|FORWARD|OUTPUT)\b", r"\1 d.\2", row))
    commit = out.pop()
    for n, (entry, policy) in enumerate(entries.items()):
        out += [f"-N e.{entry}", f"-A PREROUTING -m mac --mac-source {mac(n).hex(':')} -j e.{entry}"]
        out += [f"-A e.{entry} -j d.{entry}", f"-A e.{entry} -j {policy}"]
    return "\n".join([*out, "-P INPUT DROP", "-P FORWARD DROP", commit, ""])


def _interfaces(rows: Sequence[str]) -> list[str]:
    found = Counter(name for row in rows for name in re.findall(r"-i (\S+)", row))
    names = [name[:-1] + "0" if name.endswith("+") else name for name, _ in found.most_common(MOST_INTERFACES)]
    return [name for name in dict.fromkeys(names) if name not in ("lo", "") and len(name) <= 15]


@contextmanager
def _wires(judge: Kernel, names: Sequence[str]) -> Iterator[dict[str, kernel.Wire]]:
    """Interfaces of these names in the kernel's namespace, each with the other end to send into; and the one that is there."""
    with ExitStack() as stack:
        yield {"vb": judge.wire, **{name: stack.enter_context(judge.another(name, n)) for n, name in enumerate(names)}}


class _Chain:
    """An entry chain of a dump, as we have it and as the kernel counts it."""

    def __init__(self, document: Document, entry: str) -> None:
        chains = Chains(
            document.chains.chains
        )  # each of them asked by packets that have come in, that of OUTPUT as well
        self.bounds = []
        for favour in (ALLOW, DENY):
            flat = unfold(chains, entry, favour)
            self.bounds.append(RuleSet(flat.rules, flat.default))
        self.rows = {chain.name: [x.number for x in chain.lines if not x.implied] for chain in chains.chains.values()}

    def packet(self, draw: random.Random, names: Sequence[str]) -> tuple[bytes, str]:
        """A packet that some line is about, or nearly; and the interface it comes in by."""
        rules = self.bounds[0].rules
        numbers = {interface_number(name): name for name in names}
        while True:
            box = draw.choice(draw.choice(rules).boxes) if draw.random() < 0.9 else _KINDS[0]
            both = draw.choice(_KINDS) & box
            if not both:
                continue
            there = [number for number in numbers if number in both.sets[IN]] or list(numbers)
            src, dst, sport, dport = (_value(draw, both.sets[f]) for f in (SRC, DST, SPORT, DPORT))
            protocol = _value(draw, both.sets[PROTOCOL])
            ports = {"sport": sport, "dport": dport} if protocol in (6, 17) else {}
            flags = {"flags": _value(draw, both.sets[FLAGS])} if protocol == 6 else {}
            kind = {"type": 8, "code": 0} if protocol == 1 else {}
            try:
                made = Packet(4, protocol, src, dst, **ports, **flags, **kind)  # type: ignore[arg-type]
                return encode(made), numbers[draw.choice(there)]
            except PacketError:
                continue

    def counts(self, judge: Kernel) -> Counter[tuple[int | None, str]]:
        """The packets that each deciding line has counted, and what became of them."""
        found: Counter[tuple[int | None, str]] = Counter()
        at: Counter[str] = Counter()
        for row in judge.run("iptables-legacy-save", "-c", "-t", "mangle").splitlines():
            rule = re.match(r"\[([0-9]+):[0-9]+\] -A (\S+)", row)
            if rule is None or rule[2] == "PREROUTING":
                continue
            chain = rule[2].removeprefix("d.")
            here = at[chain]
            at[chain] += 1
            end = re.search(r"-j (ACCEPT|DROP)\b(?!.*-j)", row)
            if end is None or not int(rule[1]):
                continue
            number = None if chain.startswith("e.") else self.rows[chain][here]
            found[number, "allow" if end[1] == "ACCEPT" else "deny"] += int(rule[1])
        return found

    def expected(self, points: Sequence[Point]) -> tuple[Counter[tuple[int | None, str]], Counter[str]]:
        lines: Counter[tuple[int | None, str]] = Counter()
        verdicts: Counter[str] = Counter()
        for point in points:
            upper, lower = (decide(rules, point) for rules in self.bounds)
            if upper.action is lower.action:
                verdicts[str(upper.action)] += 1
                origins = [v.rule.origin if v.rule is not None else None for v in (upper, lower)]
                if not any(o is not None and o.doubts for o in origins) and upper.by == lower.by:
                    lines[origins[0].line if origins[0] is not None else None, str(upper.action)] += 1
        return lines, verdicts


def _value(draw: random.Random, chosen: IntervalSet) -> int:
    lo, hi = draw.choice(chosen.ranges[:200])
    return draw.choice([lo, hi, draw.randint(lo, hi)])
