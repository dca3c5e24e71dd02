"""The names and numbers that the generated texts use, written down by hand from IANA's registries and the RFCs."""

from __future__ import annotations

PROTOCOLS = {
    "hopopt": 0, "ipv6-route": 43, "ipv6-frag": 44, "ah": 51, "ipv6-opts": 60,
    "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "icmpv6": 58, "ospf": 89, "sctp": 132, "udplite": 136,
}  # fmt: skip
WITH_PORTS = frozenset({6, 17, 33, 132, 136})
STEPPED_THROUGH = frozenset({0, 43, 44, 51, 60})  # of IPv6: headers before the protocol; a later fragment may name one

Ranges = tuple[tuple[int, int], ...]
PORTS: dict[str, Ranges] = {
    "ftp": ((21, 21),), "ssh": ((22, 22),), "telnet": ((23, 23),), "smtp": ((25, 25),), "domain": ((53, 53),),
    "ftp-data": ((20, 20),), "bootps": ((67, 67),), "bootpc": ((68, 68),), "pop3": ((110, 110),), "sunrpc": ((111, 111),),
    "nntp": ((119, 119),), "imap": ((143, 143),), "bgp": ((179, 179),), "imaps": ((993, 993),), "pop3s": ((995, 995),),
    "nfs": ((2049, 2049),), "submission": ((587, 587),),
    "http": ((80, 80),), "ntp": ((123, 123),), "snmp": ((161, 161),), "irc": ((194, 194),), "https": ((443, 443),),
    "http-alt": ((591, 591), (8008, 8008), (8080, 8080)), "x11": ((6000, 6063),),
    "well-known": ((0, 1023),), "system": ((0, 1023),), "privileged": ((0, 1023),), "registered": ((1024, 49151),),
    "dynamic": ((49152, 65535),), "private": ((49152, 65535),), "ephemeral": ((49152, 65535),), "unprivileged": ((1024, 65535),),
}  # fmt: skip

TYPES = {
    1: {"echo-reply": 0, "destination-unreachable": 3, "redirect": 5, "echo-request": 8, "time-exceeded": 11},
    58: {
        "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "echo-request": 128, "echo-reply": 129,
        "router-advertisement": 134, "neighbor-solicitation": 135, "neighbor-advertisement": 136, "redirect": 137,
    },
}  # fmt: skip
FLAGS = {name: 1 << bit for bit, name in enumerate(("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"))}
ACK_OR_RST = FLAGS["ack"] | FLAGS["rst"]
FRAGMENTS = ("whole", "first", "later")
STATES = ("new", "established", "related", "invalid", "untracked")
DSCP = {"be": 0, "le": 1, "voice-admit": 44, "ef": 46} | {f"cs{n}": 8 * n for n in range(8)}
DSCP |= {f"af{c}{drop}": 8 * c + 2 * drop for c in range(1, 5) for drop in range(1, 4)}
TOPS = {
    "protocol": 255,
    "sport": 65535,
    "dport": 65535,
    "type": 255,
    "code": 255,
    "dscp": 63,
    "ttl": 255,
    "length": 65575,
}
