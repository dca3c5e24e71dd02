"""Flows written in one line, and flows drawn near a policy's corners."""

from __future__ import annotations

import random

from support.generators import random_points

from fwengine.flows.flow import ANSWERS, Flow
from fwengine.model import address
from fwengine.model.fields import TYPE, lacking
from fwengine.policy import Policy, loads

STATELESS = loads("""\
allow tcp to 192.0.2.80 port https as web
allow tcp from 192.0.2.80 port https established as web-replies
allow udp to 192.0.2.53 port domain as dns
allow tcp to 192.0.2.81 port http flags syn/syn,ack as half
""")


def flow(text: str, **more: object) -> Flow:
    """`tcp 10.0.0.1:1029 -> 192.0.2.80:80`, with what else the log tells."""
    protocol, src, _, dst = text.split()
    ends = []
    for end in (src, dst):
        host, _, port = end.partition(":") if end.count(":") < 2 else (end, "", "")
        ends.append((address.parse(host), int(port) if port else None))
    number = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}.get(protocol) or int(protocol)
    return Flow(number, ends[0][0], ends[1][0], ends[0][1], ends[1][1])._replace(**more)  # type: ignore[arg-type]


def random_flows(seed: int, policy: Policy, world: object, count: int) -> list[Flow]:
    """Flows near the policy's corners; some fields are told, some are not."""
    luck = random.Random(seed)
    out = []
    for point in random_points(seed, world, policy, count):  # type: ignore[arg-type]  # a world
        protocol, src, dst, sport, dport, type_, code = point[:7]
        if (src < address.V6_BASE) != (dst < address.V6_BASE) or luck.random() < 0.5:
            protocol, sport, dport = (
                luck.choice((6, 17)),
                luck.choice((0, 22, 80, 65535)),
                luck.choice((0, 22, 80, 65535)),
            )
            dst = src ^ 1
        family = 4 if src < address.V6_BASE else 6
        lacks = {f for f, _ in lacking(protocol, family, 0)}
        told = Flow(
            protocol, src, dst, opened=luck.random() < 0.5, recorded=luck.randrange(3), bytes=luck.randrange(1 << 40)
        )
        if 3 not in lacks:
            told = told._replace(
                sport=sport % 65536 if luck.random() < 0.9 else None,
                dport=dport % 65536 if luck.random() < 0.9 else None,
            )
        if TYPE not in lacks and luck.random() < 0.5:
            told = told._replace(type=luck.choice((type_ % 256, *ANSWERS[family])), code=code % 256)
        if luck.random() < 0.2:
            told = told._replace(inbound=luck.choice(("", "a", "wan0")), outbound=luck.choice(("", "b", None)))
        out.append(
            told._replace(
                first=luck.choice((None, luck.randrange(10**12))), last=luck.choice((None, luck.randrange(10**12)))
            )
        )
    return out
