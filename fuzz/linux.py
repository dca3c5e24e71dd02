"""The Linux kernel as a judge: policies drawn at random, loaded as nft and as iptables-legacy rules, verdict by verdict.

    python fuzz/linux.py [--policies 1200] [--verdicts 1200000] [--seed 1]

The invariant: for every policy and packet the kernel decides as our flat rules say, by the same line, wherever they say so for
certain. Policies have user chains with RETURN and goto, of nft also sets, maps and concatenations, over IPv4 and IPv6.
Needs root and Debian's `nftables iptables iproute2`. A difference ends the run with exit code 1, and shows the policy, the packets
and the seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.judging import BATCH, FILTERS, POLICIES, Tally, judge
from support.kernel import Family, kernel, why_not

FAMILIES: tuple[Family, ...] = (4, 6)


def main() -> int:
    """All filters and families in turn, some loads of policies each."""
    parser = argparse.ArgumentParser(description="policies beside the Linux kernel")
    parser.add_argument("--policies", type=int, default=1200)
    parser.add_argument("--verdicts", type=int, default=1_200_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    reason = why_not()
    if reason:
        print(f"the kernel cannot be asked: {reason}", file=sys.stderr)
        return 2
    kinds = [(kind, family) for kind in FILTERS.values() for family in FAMILIES]
    loads = -(-given.policies // (POLICIES * len(kinds)))
    batches = -(-given.verdicts // (loads * len(kinds) * POLICIES * BATCH))
    total, begun = Tally(), time.monotonic()
    with kernel() as linux:
        for load in range(loads):
            for kind, family in kinds:
                try:
                    total += judge(linux, kind, family, given.seed * 1000 + load, 1, batches)
                except AssertionError as error:
                    print(error, file=sys.stderr)
                    return 1
            print(f"{time.monotonic() - begun:5.0f} s: {total}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
