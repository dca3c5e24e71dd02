"""Policies of the language drawn at random, over the values of the packets that `iptables_rules.draw_packet` draws."""

from __future__ import annotations

import random

from support.iptables_rules import NETS, PORTS

FLAGS = ["established", "flags syn/syn", "flags syn/syn,ack", "flags none/fin,syn,rst,ack", "flags fin/fin,ack"]
WIRE = ["in vb", "in not vb", "in { vb, eth0 }", "in not { eth0, eth1 }", "in eth0"]


def draw_rule(draw: random.Random, family: int) -> str:
    """One rule."""
    words = [draw.choice(["allow", "deny"])]
    ping = "icmp" if family == 4 else "icmpv6"
    protocol = draw.choice(["tcp", "tcp", "tcp", "udp", "{ tcp, udp }", "sctp", "dccp", ping, "any", "any", "47"])
    words += [protocol, *_side(draw, family, "from"), *_port(draw, protocol), *_side(draw, family, "to")]
    ports = _port(draw, protocol)
    words += ports
    if protocol == "tcp" and draw.random() < 0.3:
        words.append(draw.choice(FLAGS))
    elif protocol == ping and draw.random() < 0.6:
        words.append("type " + draw.choice(["8", "0", "{ 0, 3 }", "not 8", "128", "3 code 1"]))
    elif protocol in ("any", "47") and draw.random() < 0.3:
        words.append("fragment " + draw.choice(["later", "{ whole, first }", "whole", "first"]))
    if draw.random() < 0.2:
        words.append(draw.choice(WIRE))
    if draw.random() < 0.1:
        words.append(draw.choice(["ttl < 60", "ttl 64", "length 0-60", "length > 45", "dscp 0", "dscp not 0"]))
    return " ".join(words)


def _side(draw: random.Random, family: int, word: str) -> list[str]:
    chosen = draw.random()
    own = "ipv4" if family == 4 else "ipv6"
    if chosen < 0.4:
        return [word, own]
    nets = draw.sample(NETS[family], 2)
    return [word, nets[0] if chosen < 0.7 else f"{{ {nets[0]}, {nets[1]} }}" if chosen < 0.85 else f"not {nets[0]}"]


def _port(draw: random.Random, protocol: str) -> list[str]:
    if protocol not in ("tcp", "udp", "{ tcp, udp }", "sctp", "dccp") or draw.random() < 0.5:
        return []
    low, high = sorted(draw.sample(PORTS, 2))
    return ["port", draw.choice([str(low), f"{low}-{high}", f"{{ {low}, {high} }}", f"not {low}", f"> {low}"])]


def draw_policy(draw: random.Random, family: int) -> str:
    """A policy of a few rules."""
    rules = [draw_rule(draw, family) for _ in range(draw.randint(2, 6))]
    return "\n".join([f"default {draw.choice(['allow', 'deny'])}", *rules, ""])
