"""Policies made to be hard: each kind drives one way in which an exact question may explode. Deterministic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

FLAGS = ("syn", "ack", "rst", "fin", "psh", "urg")


def _ip(value: int) -> str:
    return ".".join(str(byte) for byte in value.to_bytes(4, "big"))


def _action(random: Random) -> str:
    return random.choice(("allow", "deny"))


def _range(random: Random, bits: int) -> tuple[int, int]:
    one, other = random.getrandbits(bits), random.getrandbits(bits)
    return min(one, other), max(one, other)


def _side(random: Random) -> str:
    (lo, hi), (low, high) = _range(random, 32), _range(random, 16)
    return f"{_ip(lo)}-{_ip(hi)} port {low}-{high}"


def crossing(random: Random, rules: int) -> Iterator[str]:
    """Wide ranges in four fields, none within another."""
    for _ in range(rules):
        yield f"{_action(random)} tcp from {_side(random)} to {_side(random)}"


def masks(random: Random, rules: int) -> Iterator[str]:
    """Masks with holes on both sides."""
    for _ in range(rules):
        wide = _ip(random.choice((0xFF00FFFF, 0xFFFF00FF, 0xFFFFFF01, 0xFF00FF01)))
        odd = _ip(0xFFFFFF00 | 1 << random.randrange(8) | 1)
        yield f"{_action(random)} any from 10.0.0.1/{wide} to 10.{random.randrange(4)}.0.1/{odd}"


def _listed(random: Random, rules: int, negated: str) -> Iterator[str]:
    for n in range(rules):
        listed = ", ".join(_ip(random.getrandbits(32)) for _ in range(1000))
        yield f"net n{n} = {{ {listed} }}"
        yield f"{_action(random)} tcp from {negated}n{n} to {negated}n{random.randrange(n + 1)}"


def sets(random: Random, rules: int) -> Iterator[str]:
    """Sets of a thousand single addresses."""
    return _listed(random, rules, "")


def notsets(random: Random, rules: int) -> Iterator[str]:
    """All but sets of a thousand single addresses."""
    return _listed(random, rules, "not ")


def parity(random: Random, rules: int) -> Iterator[str]:
    """Ports at regular distances, another distance in each rule."""
    for n in range(rules):
        step = 16 * (n + 2)
        even, odd = (", ".join(map(str, range(begin, 65536, step + begin % 2))) for begin in (n % (n + 2), 1))
        yield f"{_action(random)} tcp from any port {{ {even} }} to any port {{ {odd} }}"


def ifaces(random: Random, rules: int) -> Iterator[str]:
    """Many sets of interfaces."""
    for _ in range(rules):
        one, other = (", ".join(sorted({f"eth{random.randrange(64)}" for _ in range(20)})) for _ in range(2))
        yield f"{_action(random)} any from {_ip(random.getrandbits(24) << 8)}/24 in {{ {one} }} out {{ {other} }}"


def diagonal(random: Random, rules: int) -> Iterator[str]:
    """Each rule leaves out one value in every field: what is left of a rule takes unions of all before it."""
    for n in range(rules):
        flag = FLAGS[n % len(FLAGS)]
        yield (
            f"{('allow', 'deny')[n % 2]} tcp from not 10.0.0.{n % 256} port not {n} to not 10.1.0.{n % 256} port not {n + 1} "
            f"flags not {flag}/{flag} in not eth{n % 64} out not eth{n * 7 % 64}"
        )


def stripes(random: Random, rules: int) -> Iterator[str]:
    """Each rule has a condition on one of four fields: parts double with every rule."""
    for n in range(rules):
        lo, hi = _range(random, 16)
        words = (f"from {_ip(lo << 16)}-{_ip(hi << 16)}", f"from any port {lo}-{hi}",
                 f"to {_ip(lo << 16)}-{_ip(hi << 16)}", f"to any port {lo}-{hi}")  # fmt: skip
        yield f"{('allow', 'deny')[n % 2]} tcp {words[n % 4]}"


KINDS: dict[str, Callable[[Random, int], Iterator[str]]] = {
    kind.__name__: kind for kind in (crossing, masks, sets, notsets, parity, ifaces, diagonal, stripes)
}


def policy(kind: str, rules: int) -> str:
    """The text of a policy of a kind, with some expectations."""
    lines = list(KINDS[kind](Random(kind), rules))
    lines.append("expect deny udp from 10.0.0.1 port 9 to 10.0.0.2 port 9")
    lines.append("expect deny tcp from 10.0.0.0/30 to 10.0.0.2 port 80 unless tcp from any port 0-60000 to any")
    return "\n".join(lines) + "\n"


def edited(text: str, edits: int = 10) -> str:
    """The same policy with the action of some rules, evenly spread, turned round."""
    lines = text.splitlines()
    rules = [n for n, line in enumerate(lines) if line.startswith(("allow", "deny"))]
    other = {"allow": "deny", "deny": "allow"}
    for n in rules[:: max(1, len(rules) // edits)][:edits]:
        action, rest = lines[n].split(" ", 1)
        lines[n] = f"{other[action]} {rest}"
    return "\n".join(lines) + "\n"
