"""Rendering: a diff of 200,000 regions as text, folded and in full, and as data: at most 10 s each. Memory does not grow with it.

    .venv/bin/python bench/report.py [REGIONS]

The changes are made up, of two thousand sets of addresses, over two policies of a thousand rules and twenty named zones. What is
measured, in seconds of the processor, is the wording of regions, their putting down to causes, and the rendering; not the search.
"""

from __future__ import annotations

import gc
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator

from fwengine import loads
from fwengine.analysis.confirm import Answer, Confirmation
from fwengine.analysis.diff import Change
from fwengine.analysis.witness import witness
from fwengine.model.address import prefix
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, DST, PROTOCOL, SRC
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY
from fwengine.policy import Policy
from fwengine.report.changed import Changed, Compared
from fwengine.report.render import render
from fwengine.report.review import Review
from fwengine.report.view import View

RULES, ZONES, SETS, SECONDS = 1_000, 20, 2_000, 10.0


def policies() -> tuple[Policy, Policy]:
    lines = [f"net zone{z} = {{ 10.{z}.0.0/16, 2001:db8:{z:x}::/48 }}" for z in range(ZONES)]
    rules = [f"deny tcp from zone{n % ZONES} to zone{n * 7 % ZONES} port {n + 1} as r{n}" for n in range(RULES)]
    added = [f"allow tcp from 10.{n}.0.0/16 to any as opened{n}" for n in range(ZONES)]
    return loads("\n".join([*lines, *rules])), loads("\n".join([*lines, *added, *rules]))


def changes(count: int) -> Answer[Change]:
    draw = random.Random(7)
    tops = [10 << 24 | draw.randrange(ZONES) << 16 | draw.randrange(1 << 16) for _ in range(SETS)]
    nets = [IntervalSet((prefix(top, draw.choice([16, 20, 24, 32])),)) for top in tops]
    nets = [some | draw.choice(nets) if draw.random() < 0.3 else some for some in nets]
    services = [IntervalSet.of((n, n + n % 3), (8000 + n % 50, 8080)) for n in range(1, SETS, 7)]
    out = []
    for n in range(count):
        zone = n % ZONES
        src, dst, ports = draw.choice(nets), draw.choice(nets), draw.choice(services)
        box = Box.of({PROTOCOL: IntervalSet.single(6), SRC: src, DST: dst, DPORT: ports})
        out.append(Change(box, DENY, ALLOW, draw.randrange(RULES + 1), zone, witness(box), box.flows))
    return Answer(out, Confirmation(False, 0))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    old, new = policies()
    found = changes(count)
    gc.set_threshold(50_000, 20, 20)  # as the command does
    gc.freeze()

    def in_form(form: str, view: View) -> Callable[[], Iterator[str]]:
        return lambda: render(Changed.of([Compared.of(Review(old, new, found))], view), form)

    slow = False
    for name, lines in (
        ("folded", in_form("text", View())),
        ("--detail", in_form("text", View(detail=True))),
        ("jsonl", in_form("jsonl", View())),
        ("json", in_form("json", View())),
    ):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds, number, size = timed(lines)
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        slow |= seconds > SECONDS
        print(
            f"{name:<9} {count:,} regions: {seconds:5.1f} s, {number:,} lines, {size / 1e6:.1f} MB, {more:.0f} MiB more"
        )
    sys.exit(slow)


def timed(lines: Callable[[], Iterator[str]]) -> tuple[float, int, int]:
    start = time.process_time()
    number = size = 0
    for line in lines():
        number += 1
        size += len(line) + 1
    return time.process_time() - start, number, size


if __name__ == "__main__":
    main()
