"""The names that iptables knows: protocols, ICMP types, modules and targets, and what each is to us.

Protocols are those of Debian's /etc/protocols, from which iptables-save prints (`ipip` is 94 there and `ipencap` 4). ICMP
names are those of the extensions `libipt_icmp` and `libip6t_icmp6`; modules and targets those of iptables-extensions(8).
"""

from __future__ import annotations

from collections.abc import Mapping

PROTOCOLS: Mapping[str, int] = {
    "ip": 0, "all": 0, "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9,
    "pup": 12, "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37,
    "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50,
    "ipv6-crypt": 50, "ah": 51, "ipv6-auth": 51, "skip": 57, "ipv6-icmp": 58, "icmpv6": 58, "icmp6": 58, "ipv6-nonxt": 59,
    "ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88, "ospf": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98,
    "pim": 103, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "fc": 133, "mobility-header": 135,
    "ipv6-mh": 135, "mh": 135, "udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139, "shim6": 140, "wesp": 141,
    "rohc": 142, "ethernet": 143,
}  # fmt: skip

# (type) or (type, code); None: any
ICMP_TYPES: Mapping[str, tuple[int, ...] | None] = {
    "any": None, "echo-reply": (0,), "pong": (0,), "destination-unreachable": (3,), "network-unreachable": (3, 0),
    "host-unreachable": (3, 1), "protocol-unreachable": (3, 2), "port-unreachable": (3, 3),
    "fragmentation-needed": (3, 4), "source-route-failed": (3, 5), "network-unknown": (3, 6), "host-unknown": (3, 7),
    "network-prohibited": (3, 9), "host-prohibited": (3, 10), "tos-network-unreachable": (3, 11),
    "tos-host-unreachable": (3, 12), "communication-prohibited": (3, 13), "host-precedence-violation": (3, 14),
    "precedence-cutoff": (3, 15), "source-quench": (4,), "redirect": (5,), "network-redirect": (5, 0),
    "host-redirect": (5, 1), "tos-network-redirect": (5, 2), "tos-host-redirect": (5, 3), "echo-request": (8,),
    "ping": (8,), "router-advertisement": (9,), "router-solicitation": (10,), "time-exceeded": (11,),
    "ttl-exceeded": (11,), "ttl-zero-during-transit": (11, 0), "ttl-zero-during-reassembly": (11, 1),
    "parameter-problem": (12,), "ip-header-bad": (12, 0), "required-option-missing": (12, 1),
    "timestamp-request": (13,), "timestamp-reply": (14,), "address-mask-request": (17,), "address-mask-reply": (18,),
}  # fmt: skip
ICMPV6_TYPES: Mapping[str, tuple[int, ...] | None] = {
    "destination-unreachable": (1,), "no-route": (1, 0), "communication-prohibited": (1, 1), "beyond-scope": (1, 2),
    "address-unreachable": (1, 3), "port-unreachable": (1, 4), "failed-policy": (1, 5), "reject-route": (1, 6),
    "packet-too-big": (2,), "time-exceeded": (3,), "ttl-exceeded": (3,), "ttl-zero-during-transit": (3, 0),
    "ttl-zero-during-reassembly": (3, 1), "parameter-problem": (4,), "bad-header": (4, 0),
    "unknown-header-type": (4, 1), "unknown-option": (4, 2), "echo-request": (128,), "ping": (128,),
    "echo-reply": (129,), "pong": (129,), "mld-listener-query": (130,), "mld-listener-report": (131,),
    "mld-listener-done": (132,), "mld-listener-reduction": (132,), "router-solicitation": (133,),
    "router-advertisement": (134,), "neighbour-solicitation": (135,), "neighbor-solicitation": (135,),
    "neighbour-advertisement": (136,), "neighbor-advertisement": (136,), "redirect": (137,),
}  # fmt: skip

TCP_FLAGS: Mapping[str, int] = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}

# Matches that ask for more than the packet's header fields here: what they say is in doubt.
IN_DOUBT = frozenset({
    "account", "addrtype", "ah", "bpf", "cgroup", "cluster", "condition", "connbytes", "connlabel", "connlimit",
    "connmark", "cpu", "devgroup", "dst", "ecn", "esp", "eui64", "frag", "fuzzy", "geoip", "hashlimit", "hbh",
    "helper", "ipp2p", "ipv4options", "ipv6header", "ipvs", "l2tp", "layer7", "limit", "mac", "mark", "mh", "nfacct",
    "nth", "osf", "owner", "physdev", "pkttype", "policy", "psd", "quota", "quota2", "random", "rateest", "realm",
    "recent", "rpfilter", "rt", "socket", "srh", "statistic", "string", "tcpmss", "time", "tos", "u32", "unclean",
})  # fmt: skip
NO_CONDITION = frozenset({"comment", "standard"})  # matches that always hold

PASSING = frozenset({
    "ACCOUNT", "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "CT", "DSCP", "ECN", "HL", "HMARK",
    "IDLETIMER", "LED", "LOG", "LOGMARK", "MARK", "NETFLOW", "NFLOG", "NOTRACK", "RATEEST", "SECMARK", "SET",
    "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "TTL", "ULOG",
})  # fmt: skip
LOGGING = frozenset({"LOG", "ULOG", "NFLOG", "AUDIT", "LOGMARK"})
DENYING = frozenset({"DROP", "REJECT", "TARPIT"})
ASKING = frozenset({"QUEUE", "NFQUEUE"})  # a program outside decides
TRANSLATING = frozenset({"SNAT", "DNAT", "MASQUERADE", "REDIRECT", "NETMAP", "SAME"})
PERHAPS_DENYING = frozenset({"CLUSTERIP", "SYNPROXY"})  # take some packets for themselves, and let go of others
