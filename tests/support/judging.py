"""Policies drawn at random, loaded into the Linux kernel by one of its filters, and judged beside ours, line by line.

Many policies are loaded at once, each entered by the source's MAC address, before conntrack and before fragments are put
together. A batch of packets goes through all of them; then the packets that each line decided are read back from the
kernel's counters, and compared with the lines that our flat rules name for the same packets, policy by policy. Where we say
that it depends (what nft takes from a later fragment), the kernel may count whatever it likes, and nothing is compared; where
both bounds say the same by different lines, the verdict is.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from support import iptables_rules, nft_rules
from support.frames import ethernet
from support.iptables_rules import Drawn, draw_packet
from support.kernel import TARGET, Family, Kernel, mac

from fwengine.formats.document import Document
from fwengine.formats.iptables.reader import read as read_iptables
from fwengine.formats.nftables.reader import read as read_nft
from fwengine.formats.unfold import unfold
from fwengine.model.fields import Point, interface_number
from fwengine.model.rules import ALLOW, DENY
from fwengine.model.ruleset import RuleSet, decide
from fwengine.packets.wire import decode

POLICIES, BATCH = 50, 25  # in one load; packets between two readings of the counters
Place = tuple[int | None, str]  # a row of a policy's text, None for its default, and what becomes of the packet there
Counts = list[Counter[Place]]


@dataclass(frozen=True)
class Text:
    """A policy as text, and for each of its chains the rows of its lines."""

    rows: list[str]
    places: dict[str, list[int]]

    def __str__(self) -> str:
        return "\n".join([*self.rows, ""])


@dataclass(frozen=True)
class Filter:
    """One of the kernel's filters: how policies are drawn for it, written, loaded, and their counters read."""

    name: str
    draw: Callable[[random.Random, int], Drawn]
    written: Callable[[Drawn], Text]
    read: Callable[[Text, Family], Document]
    entry: str
    load: Callable[[Kernel, Family, Sequence[Drawn]], None]
    counts: Callable[[Kernel, Family, Sequence[Text]], Counts]


@dataclass
class Tally:
    """How many verdicts were compared, of how many also the line, and how many not, as ours depends on what is not known."""

    policies: int = 0
    verdicts: int = 0
    lines: int = 0
    unsure: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.policies + other.policies, self.verdicts + other.verdicts, self.lines + other.lines,
                     self.unsure + other.unsure)  # fmt: skip

    def __str__(self) -> str:
        return (
            f"{self.verdicts:,} verdicts of {self.policies:,} policies agree, {self.lines:,} of them by line; "
            f"{self.unsure:,} depend, and were not compared"
        )


class Ours:
    """A policy as the reader and `unfold` have it: the line that decides each packet."""

    def __init__(self, kind: Filter, policy: Drawn, family: Family) -> None:
        self.text = kind.written(policy)
        document = kind.read(self.text, family)
        bounds = [unfold(document.chains, document.policies[kind.entry], favour) for favour in (ALLOW, DENY)]
        self.bounds = [RuleSet(flat.rules, flat.default) for flat in bounds]
        chains = document.chains.chains.values()
        self.rows = {line.number: line.span.line for chain in chains for line in chain.lines}

    def place(self, rules: RuleSet, point: Point) -> tuple[Place, bool]:
        """The line that decides, and whether nothing in doubt led there."""
        verdict = decide(rules, point)
        if verdict.rule is None:
            return (None, str(verdict.action)), True
        origin = verdict.rule.origin
        assert origin is not None
        return (self.rows[origin.line], str(verdict.action)), not origin.doubts

    def places(self, points: Sequence[Point]) -> tuple[Counter[Place], Counter[str]]:
        """How many of the packets each line decides for certain, and how many get each verdict for certain."""
        lines: Counter[Place] = Counter()
        verdicts: Counter[str] = Counter()
        for point in points:
            (upper, sure), (lower, too) = (self.place(rules, point) for rules in self.bounds)
            if upper[1] == lower[1]:
                verdicts[upper[1]] += 1
                if sure and too and upper == lower:
                    lines[upper] += 1
        return lines, verdicts


def judge(kernel: Kernel, kind: Filter, family: Family, seed: int, loads: int, batches: int) -> Tally:
    """Draws, loads, sends and compares.

    Raises:
        AssertionError: at the first difference, with the policy and the packets.
    """
    draw = random.Random(seed)
    tally = Tally()
    inside = interface_number("vb")
    for _ in range(loads):
        policies = [kind.draw(draw, family) for _ in range(POLICIES)]
        ours = [Ours(kind, policy, family) for policy in policies]
        texts = [one.text for one in ours]
        kernel.run("nft", "flush", "ruleset")  # of another filter, which would drop before this one sees a packet
        kind.load(kernel, family, policies)
        before = kind.counts(kernel, family, texts)
        for _ in range(batches):
            packets = [draw_packet(draw, family) for _ in range(BATCH)]
            points: list[Point] = []
            for packet in packets:
                point = decode(packet, 101, len(packet), inside)
                assert not isinstance(point, str), (packet.hex(), point)
                points.append(point)
            for n in range(POLICIES):
                kernel.send([ethernet(packet, TARGET, mac(n)) for packet in packets])
            kernel.settle()
            after = kind.counts(kernel, family, texts)
            for n, one in enumerate(ours):
                lines, verdicts = one.places(points)
                got = after[n] - before[n]
                ends = Counter(verdict for _, verdict in got.elements())
                told = f"{kind.name}, seed {seed}\n{one.text}{lines}, {verdicts} expected, {got} counted\n"
                assert got >= lines, told + "\n".join(packet.hex() for packet in packets)
                assert ends >= verdicts, told + "\n".join(packet.hex() for packet in packets)
                assert got.total() == BATCH, told
                tally.verdicts += verdicts.total()
                tally.lines += lines.total()
                tally.unsure += BATCH - verdicts.total()
            before = after
        tally.policies += POLICIES
    return tally


# iptables-legacy: the raw table


def _save(family: Family, what: str) -> str:
    return f"{'ip6' if family == 6 else 'ip'}tables-legacy-{what}"


def _iptables_text(policy: Drawn) -> Text:
    rows = ["*filter", f":FORWARD {policy.default} [0:0]"]
    rows += [f":{name} - [0:0]" for name in policy.chains if name != "entry"]
    places = {}
    for name, lines in policy.chains.items():
        places[name] = [len(rows) + 1 + n for n in range(len(lines))]
        rows += [f"-A {'FORWARD' if name == 'entry' else name} {line.replace('@', '')}" for line in lines]
    return Text([*rows, "COMMIT"], places)


def _iptables_load(kernel: Kernel, family: Family, policies: Sequence[Drawn]) -> None:
    declared, rules = [], []
    for n, policy in enumerate(policies):
        declared += [f":p{n}.{name} - [0:0]" for name in [*policy.chains, "whole"]]
        rules.append(f"-A PREROUTING -m mac --mac-source {mac(n).hex(':')} -j p{n}.whole")
        rules += [f"-A p{n}.whole -j p{n}.entry", f"-A p{n}.whole -j {policy.default}"]
        for name, lines in policy.chains.items():
            rules += [f"-A p{n}.{name} {line.replace('@', f'p{n}.')}" for line in lines]
    text = "\n".join(["*raw", ":PREROUTING ACCEPT [0:0]", *declared, *rules, "COMMIT", ""])
    kernel.run(_save(family, "restore"), text=text)


_COUNTED = re.compile(r"^\[([0-9]+):[0-9]+\] -A p([0-9]+)\.(\w+) .*-j (ACCEPT|DROP)$")
_A_RULE = re.compile(r"^\[[0-9]+:[0-9]+\] -A p([0-9]+\.\w+) ")


def _iptables_counts(kernel: Kernel, family: Family, texts: Sequence[Text]) -> Counts:
    found: Counts = [Counter() for _ in texts]
    at: Counter[str] = Counter()
    for text in kernel.run(_save(family, "save"), "-c", "-t", "raw").splitlines():
        rule = _A_RULE.match(text)
        if rule is None:
            continue
        here = at[rule[1]]
        at[rule[1]] += 1
        counted = _COUNTED.match(text)
        if counted is not None:
            number, chain = int(counted[2]), counted[3]
            row: int | None = None if chain == "whole" else texts[number].places[chain][here]
            found[number][row, "allow" if counted[4] == "ACCEPT" else "deny"] += int(counted[1])
    return found


LEGACY = Filter(
    "iptables-legacy", iptables_rules.draw_policy, _iptables_text,
    lambda text, family: read_iptables(str(text), "drawn", v6=family == 6), "FORWARD", _iptables_load, _iptables_counts,
)  # fmt: skip


# nft


def _nft_text(policy: Drawn) -> Text:
    rows = ["table inet drawn {", *map(_nft_words, policy.sets)]
    places = {}
    for name, lines in reversed(policy.chains.items()):
        rows.append(f"chain {name} {{")
        if name == "entry":
            rows.append(f"type filter hook prerouting priority 0; policy {policy.default};")
        places[name] = [len(rows) + 1 + n for n in range(len(lines))]
        rows += [*map(_nft_words, lines), "}"]
    return Text([*rows, "}"], places)


def _nft_words(line: str) -> str:
    return re.sub("&(?=[a-z])", "@", re.sub("[@%](?=[a-z])", "", line))


def _nft_policy(policy: Drawn, n: int, text: Text) -> list[str]:
    """A policy as chains of a common table, entered at `pN_whole`; each verdict that is written is a chain that counts."""
    ends: list[str] = []

    def numbered(line: str, row: int) -> str:
        def end(found: re.Match[str]) -> str:
            ends.append(f"  chain p{n}x{row}x{len(ends)}x{found[1]} {{ counter {found[1]}; }}")
            return f"goto p{n}x{row}x{len(ends) - 1}x{found[1]}"

        line = re.sub("[@&](?=[a-z])", lambda sign: f"p{n}_" if sign[0] == "@" else f"@p{n}_", line)
        return re.sub(r"%(accept|drop)", end, line)

    body: list[str] = []
    for name, lines in reversed(policy.chains.items()):
        rows = [f"    {numbered(line, row)}" for row, line in zip(text.places[name], lines, strict=True)]
        body += [f"  chain p{n}_{name} {{", *rows, "  }"]
    used = {
        row: line for name, lines in policy.chains.items() for row, line in zip(text.places[name], lines, strict=True)
    }
    sets = []
    for line in policy.sets:
        kind, name, rest = line.split(" ", 2)
        row = next((row for row, line in used.items() if f"&{name}" in line), 0)
        sets.append(f"  {kind} p{n}_{name} {numbered(rest, row)}")
    end = f"p{n}x0x0x{policy.default}"
    ends.append(f"  chain {end} {{ counter {policy.default}; }}")
    whole = [f"  chain p{n}_whole {{", f"    jump p{n}_entry", f"    goto {end}", "  }"]
    return [*ends, *sets, *body, *whole]


def _nft_load(kernel: Kernel, family: Family, policies: Sequence[Drawn]) -> None:
    rows = ["flush ruleset", "table inet drawn {"]
    for n, policy in enumerate(policies):
        rows += _nft_policy(policy, n, _nft_text(policy))
    rows += ["  chain pre {", "    type filter hook prerouting priority -450;"]
    rows += [f"    ether saddr {mac(n).hex(':')} jump p{n}_whole" for n in range(len(policies))]
    kernel.run("nft", "-f", "-", text="\n".join([*rows, "  }", "}", ""]))


_NFT_COUNTED = re.compile(r"chain p(\d+)x(\d+)x\d+x(accept|drop) \{\s*counter packets (\d+)")


def _nft_counts(kernel: Kernel, family: Family, texts: Sequence[Text]) -> Counts:
    found: Counts = [Counter() for _ in texts]
    for n, row, end, count in _NFT_COUNTED.findall(kernel.run("nft", "list", "ruleset")):
        if int(count):
            found[int(n)][int(row) or None, "allow" if end == "accept" else "deny"] += int(count)
    return found


NFT = Filter(
    "nft", nft_rules.draw_policy, _nft_text, lambda text, family: read_nft(str(text), "drawn"), "entry", _nft_load,
    _nft_counts,
)  # fmt: skip
FILTERS = {kind.name: kind for kind in (LEGACY, NFT)}
