"""What other firewalls have and this language has not: for each word of theirs why, and what to do instead."""

from __future__ import annotations

_MAC = "a packet is what IP says of it, and routers replace hardware addresses"
_RATE = "whether a packet matches must not depend on how many came before it"
_CLOCK = "verdicts must not change by the hour; for a last day write `until 2027-06-30`"
_TAG = "tags are taken off before the rules are asked; name the interface with `in` or `out`"
_CHAIN = "a policy is one list of rules, and the first that matches decides"
_ZONE = "a policy knows interfaces by their names: write `in` and `out`"
_NAT = "nothing is translated here: write the addresses that the filter sees"
_WHO = "a packet does not say whose process sent it"
_INSIDE = "only headers are looked at, never what a packet carries"
_NAME = "names would be looked up, and verdicts change with the answers: write the addresses"
_MARK = "a mark is not part of a packet"
_STATE = "the engine keeps no connections: write a rule for the replies, with `established` or `state established`"
_QUEUE = "rules allow or deny, and do nothing else"
_LOG = "`log` takes no value"

# what stands behind "because"
LACKING: dict[str, str] = {
    **dict.fromkeys(("mac", "mac-source", "mac-address", "--mac-source", "ether", "ethertype", "arp"), _MAC),
    **dict.fromkeys(
        ("limit", "rate", "hashlimit", "connlimit", "quota", "burst", "recent", "meter", "police", "policer", "overload",
         "max-src-conn", "max-src-conn-rate", "limit-burst", "rate-limit", "threshold", "max-states"), _RATE),
    **dict.fromkeys(
        ("time", "time-range", "timestart", "timestop", "weekday", "weekdays", "schedule", "scheduler", "hour", "hours",
         "day", "days", "daily", "datestart", "datestop", "period"), _CLOCK),
    **dict.fromkeys(("vlan", "vlan-id", "vid", "dot1q", "pcp", "vrf", "vxlan", "mpls"), _TAG),
    **dict.fromkeys(
        ("chain", "jump", "goto", "return", "-j", "-g", "--jump", "policy-map", "class-map", "hook", "priority", "anchor",
         "table", "ruleset", "call"), _CHAIN),
    **dict.fromkeys(("zone", "from-zone", "to-zone", "zones", "security-zone", "nameif", "interface-group"), _ZONE),
    **dict.fromkeys(
        ("nat", "snat", "dnat", "masquerade", "nat-to", "rdr-to", "rdr", "binat", "binat-to", "translate", "redir",
         "redirect", "tproxy", "--to-destination", "--to-source", "static-nat", "route-to", "reply-to", "dup-to"), _NAT),
    **dict.fromkeys(
        ("user", "uid", "gid", "owner", "uid-owner", "gid-owner", "skuid", "skgid", "group", "process", "cgroup",
         "source-user", "security-group", "sgt"), _WHO),
    **dict.fromkeys(
        ("app", "application", "applications", "app-id", "url", "uri", "string", "content", "l7", "layer7", "payload",
         "helper", "inspect", "u32", "bpf", "tls", "sni", "mss", "tcpmss", "user-agent"), _INSIDE),
    **dict.fromkeys(("fqdn", "domain-name", "geoip", "country", "asn", "dns-name", "region", "hostname"), _NAME),
    **dict.fromkeys(("mark", "connmark", "fwmark", "ctmark", "tag", "tagged", "label", "qos", "priority-map"), _MARK),
    **dict.fromkeys(
        ("keep", "keep-state", "modulate", "synproxy", "stateful", "reflexive", "reflect", "evaluate", "ct", "conntrack",
         "sloppy", "check-state"), _STATE),
    **dict.fromkeys(("queue", "nfqueue", "nflog", "divert", "divert-to", "tee", "mirror", "set", "ipset", "dup"), _QUEUE),
    **dict.fromkeys(("log-prefix", "prefix", "log-level", "level", "--log-prefix", "log-input", "syslog"), _LOG),
}  # fmt: skip

DROPPED: dict[str, str] = {  # words that say nothing here, so that they can simply go
    "quick": "the first rule that matches decides, always",
    "counter": "the engine counts every rule",
    "counters": "the engine counts every rule",
    "stateless": "every rule is",
}
