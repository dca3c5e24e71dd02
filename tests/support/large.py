"""A policy of many rules between named zones, the same whenever it is made; for screens that must stay readable."""

from __future__ import annotations

import random

ZONES = ["office", "guests", "lab", "db-tier", "web-tier", "backup", "voice", "cameras", "branch-1", "branch-2"]
HEAD = [
    "default deny",
    *(f"net     {zone:<8} = {{ 10.{n}.0.0/16, 2001:db8:{n:x}::/48 }}" for n, zone in enumerate(ZONES)),
    "ports   high     = 1024-65535",
    "ports   postgres = 5432",
    "service www      = { tcp/http, tcp/https }",
    "service dns      = { udp/domain, tcp/domain }",
    "",
]


def rules(count: int = 800) -> list[str]:
    """Most allow something between a zone, or a part of one, and another."""
    draw = random.Random(800)
    out = []
    for n in range(count):
        a, b = draw.sample(range(len(ZONES)), 2)
        here, there = ZONES[a], ZONES[b]
        part, host = f"10.{a}.{draw.randrange(256)}.0/24", f"10.{b}.{draw.randrange(256)}.{draw.randrange(256)}"
        action = draw.choice(["allow", "allow", "allow", "deny"])
        match = draw.choice(
            [
                f"tcp from {here} port high to {there} port postgres",
                f"www from {part} to {there}",
                f"dns from {here} to {host}",
                f"tcp from {part} to {host} port {draw.randrange(1, 9000)}",
                f"udp from {part} to {there} port {{ ntp, {draw.randrange(5000, 6000)} }}",
            ]
        )
        out.append(f"{action} {match} as r{n}")
    return out


def text(inserted: str = "", at: int = 0, count: int = 800) -> str:
    lines = rules(count)
    if inserted:
        lines.insert(at, inserted)
    return "\n".join([*HEAD, *lines]) + "\n"
