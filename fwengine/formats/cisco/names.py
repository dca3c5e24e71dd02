"""Cisco's own names of protocols, ports and ICMP messages.

Sources: the command references of IOS (`access-list (IP extended)`, `ipv6 access-list`) and of ASA (`Addresses, Protocols,
and Ports`). They are not IANA's: `kerberos` is port 750, `syslog` also tcp's 514, `www` is `http`.
"""

from __future__ import annotations

from collections.abc import Mapping

PROTOCOLS: Mapping[str, int] = {
    "hbh": 0, "icmp": 1, "igmp": 2, "ipinip": 4, "ipip": 4, "tcp": 6, "igrp": 9, "udp": 17, "gre": 47, "esp": 50, "esp50": 50, "ipsec": 50,
    "ah": 51, "ahp": 51, "icmp6": 58, "icmpv6": 58, "eigrp": 88, "ospf": 89, "nos": 94, "pim": 103, "pcp": 108, "snp": 109,
    "vrrp": 112, "l2tp": 115, "sctp": 132, "udplite": 136, "pptp": 47,
}  # fmt: skip
ANY_PROTOCOL = frozenset({"ip", "ipv4", "ipv6"})

_TCP = {
    "aol": 5190, "bgp": 179, "chargen": 19, "cifs": 3020, "citrix-ica": 1494, "cmd": 514, "ctiqbe": 2748, "daytime": 13,
    "drip": 3949, "exec": 512, "finger": 79, "ftp": 21, "ftp-data": 20, "gopher": 70, "h323": 1720, "hostname": 101,
    "https": 443, "ident": 113, "imap4": 143, "irc": 194, "klogin": 543, "kshell": 544, "ldap": 389, "ldaps": 636,
    "login": 513, "lotusnotes": 1352, "lpd": 515, "msrpc": 135, "netbios-ssn": 139, "nntp": 119, "onep-plain": 15001,
    "onep-tls": 15002, "pcanywhere-data": 5631, "pop2": 109, "pop3": 110, "pptp": 1723, "rsh": 514, "rtsp": 554,
    "smtp": 25, "sqlnet": 1521, "ssh": 22, "telnet": 23, "uucp": 540, "whois": 43,
}  # fmt: skip
_UDP = {
    "biff": 512, "bootpc": 68, "bootps": 67, "cisco-tdp": 711, "dnsix": 195, "isakmp": 500, "mobile-ip": 434,
    "nameserver": 42, "netbios-dgm": 138, "netbios-ns": 137, "netbios-ss": 139, "non500-isakmp": 4500, "ntp": 123,
    "pcanywhere-status": 5632, "radius": 1645, "radius-acct": 1646, "rip": 520, "ripv6": 521, "secureid-udp": 5510,
    "snmp": 161, "snmptrap": 162, "tftp": 69, "vxlan": 4789, "who": 513, "xdmcp": 177,
}  # fmt: skip
_BOTH = {
    "discard": 9, "domain": 53, "echo": 7, "http": 80, "kerberos": 750, "nfs": 2049, "pim-auto-rp": 496, "rpc": 111, "sip": 5060,
    "sunrpc": 111, "syslog": 514, "tacacs": 49, "talk": 517, "time": 37, "www": 80,
}  # fmt: skip
PORTS: Mapping[int, Mapping[str, int]] = {6: {**_BOTH, **_TCP}, 17: {**_BOTH, **_UDP}}
ANY_PORTS: Mapping[str, int] = {**_UDP, **_BOTH, **_TCP}

# (type) or (type, code)
ICMP: Mapping[str, tuple[int, ...]] = {
    "administratively-prohibited": (3, 13), "alternate-address": (6,), "conversion-error": (31,),
    "dod-host-prohibited": (3, 10), "dod-net-prohibited": (3, 9), "echo": (8,), "echo-reply": (0,),
    "general-parameter-problem": (12, 0), "host-isolated": (3, 8), "host-precedence-unreachable": (3, 14),
    "host-redirect": (5, 1), "host-tos-redirect": (5, 3), "host-tos-unreachable": (3, 12), "host-unknown": (3, 7),
    "host-unreachable": (3, 1), "information-reply": (16,), "information-request": (15,), "mask-reply": (18,),
    "mask-request": (17,), "mobile-redirect": (32,), "net-redirect": (5, 0), "net-tos-redirect": (5, 2),
    "net-tos-unreachable": (3, 11), "net-unreachable": (3, 0), "network-unknown": (3, 6), "no-room-for-option": (12, 2),
    "option-missing": (12, 1), "packet-too-big": (3, 4), "parameter-problem": (12,), "port-unreachable": (3, 3),
    "precedence-unreachable": (3, 15), "protocol-unreachable": (3, 2), "reassembly-timeout": (11, 1), "redirect": (5,),
    "router-advertisement": (9,), "router-solicitation": (10,), "source-quench": (4,), "source-route-failed": (3, 5),
    "time-exceeded": (11,), "timestamp-reply": (14,), "timestamp-request": (13,), "traceroute": (30,),
    "ttl-exceeded": (11, 0), "unreachable": (3,),
}  # fmt: skip
ICMPV6: Mapping[str, tuple[int, ...]] = {
    "beyond-scope": (1, 2), "destination-unreachable": (1,), "dhaad-reply": (145,), "dhaad-request": (144,),
    "echo": (128,), "echo-reply": (129,), "echo-request": (128,), "header": (4, 0), "hop-limit": (3, 0),
    "membership-query": (130,), "membership-reduction": (132,), "membership-report": (131,), "mld-query": (130,),
    "mld-reduction": (132,), "mld-report": (131,), "mldv2": (143,), "mpd-advertisement": (147,), "mpd-solicitation": (146,),
    "nd-na": (136,), "nd-ns": (135,), "neighbor-advertisement": (136,), "neighbor-redirect": (137,),
    "neighbor-solicitation": (135,), "next-header": (4, 1), "no-admin": (1, 1), "no-route": (1, 0),
    "packet-too-big": (2,), "parameter-option": (4, 2), "parameter-problem": (4,), "port-unreachable": (1, 4),
    "reassembly-timeout": (3, 1), "renum-command": (138, 0), "renum-result": (138, 1), "renum-seq-number": (138, 255),
    "router-advertisement": (134,), "router-renumbering": (138,), "router-solicitation": (133,), "time-exceeded": (3,),
    "unreachable": (1,),
}  # fmt: skip

FLAGS: Mapping[str, int] = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32}

IGMP = frozenset(
    {"create-group-reply", "create-group-request", "confirm-group-reply", "confirm-group-request", "dvmrp", "host-query",
     "host-report", "leave-group-reply", "leave-group-request", "pim", "trace", "v2-leave", "v2-report", "v3-report"}
)  # fmt: skip
PRECEDENCES: Mapping[str, int] = {
    "routine": 0, "priority": 1, "immediate": 2, "flash": 3, "flash-override": 4, "critical": 5, "internet": 6, "network": 7,
}  # fmt: skip
# of the four bits of RFC 1349: delay 8, throughput 4, reliability 2, cost 1
SERVICES: Mapping[str, int] = {
    "normal": 0, "min-monetary-cost": 1, "max-reliability": 2, "max-throughput": 4, "min-delay": 8,
}  # fmt: skip
