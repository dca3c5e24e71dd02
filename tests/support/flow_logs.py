"""Flow logs drawn at random, plain rows and odd ones, and what becomes of their flows under one policy."""

from __future__ import annotations

import random
from pathlib import Path

from fwengine.flows.counting import Counter
from fwengine.flows.options import Reading
from fwengine.flows.reading import Left, read
from fwengine.flows.sums import FlowSums
from fwengine.policy import loads

POLICY = loads("""\
allow any state established
allow tcp to 192.0.2.0/24 port { 80, 443 } as web
allow udp to any port domain
allow icmp
""")
WORDS: dict[str, tuple[str, ...]] = {
    "srcaddr": ("203.0.113.7", "192.0.2.80", "2001:db8::7", "10.0.0.256", "01.2.3.4", "-", "1.2.3", "224.0.0.1", "", "1.2.3.4 "),
    "dstaddr": ("192.0.2.80", "203.0.113.7", "2001:db8::80", "255.255.255.255", "239.1.1.1", "x", "0.0.0.0"),
    "srcport": ("50000", "443", "0", "65535", "65536", "-", "", "080", "4a"),
    "dstport": ("443", "80", "53", "0", "-", "99999999999999999999", "+1"),
    "protocol": ("6", "6", "6", "17", "1", "47", "58", "256", "tcp", "006", "-", "0"),
    "bytes": ("0", "40", "4249", "999999999999999999", "1e3", "-", "9223372036854775808"),
    "packets": ("1", "20", "-", "x"),
    "start": ("1793491200", "1793491260", "1793491200000", "0", "-", "later", "179349120"),
    "end": ("1793491260", "1793491320", "-", "1793491320.5"),
    "action": ("ACCEPT", "REJECT", "-", "accept", "PERHAPS"),
    "log-status": ("OK", "OK", "OK", "NODATA", "SKIPDATA", "ok"),
    "tcp-flags": ("0", "2", "3", "18", "19", "-", "256", "S"),
    "vpc-id": ("vpc-1", "-", '"a b"', '"'),
}  # fmt: skip


def lines(seed: int, fields: list[str], separator: str, count: int) -> str:
    """Rows of which many have something odd."""
    luck = random.Random(seed)
    out = [separator.join(fields)]
    for _ in range(count):
        odd = luck.random() < 0.5
        row = [luck.choice(WORDS[field] if odd and luck.random() < 0.3 else WORDS[field][:2]) for field in fields]
        if luck.random() < 0.02:
            row = row[: luck.randrange(len(row))]
        elif luck.random() < 0.02:
            row.append("more")
        out.append(separator.join(row) + luck.choice(("", "", "", "\r")))
        if luck.random() < 0.01:
            out.append(luck.choice(("", "  ", out[0], "\N{SNOWMAN}", "\r")))
    return "\n".join(out) + luck.choice(("", "\n"))


def sums_of(path: Path, reading: Reading) -> tuple[FlowSums, Left]:
    left = Left("log")
    counter = Counter(POLICY)
    sums = FlowSums()
    for batch in read(str(path), reading, left):
        sums += counter.count(batch)
    return sums, left


FIELDS = list(WORDS)
