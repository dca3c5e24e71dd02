"""ICMP's types and codes by name: the first name is the one to show, all of them are understood.

Besides the RFCs' names those that iptables, nft, pf, Cisco, Juniper, pcap-filter and Wireshark have for the same numbers.
A word that some of them take for another number is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..model.fields import ICMP, ICMPV6

# RFC 792, 950 (masks), 1256 (routers), 1393 (traceroute), 2521 (photuris), 8335 (extended echo); those between 6 and 39
# that RFC 6918 deprecates are still seen and filtered.
_TYPES_4 = {
    0: "echo-reply pong echorep icmp-echoreply", 3: "destination-unreachable unreachable unreach icmp-unreach",
    4: "source-quench squench icmp-sourcequench", 5: "redirect redir icmp-redirect",
    6: "alternate-host-address alternate-address althost", 8: "echo-request echo ping echoreq icmp-echo",
    9: "router-advertisement routeradv router-advert icmp-routeradvert",
    10: "router-solicitation router-selection routersol router-solicit icmp-routersolicit",
    11: "time-exceeded ttl-exceeded timex icmp-timxceed", 12: "parameter-problem paramprob icmp-paramprob",
    13: "timestamp-request timestamp timereq icmp-tstamp", 14: "timestamp-reply timerep icmp-tstampreply",
    15: "information-request info-request inforeq icmp-ireq",
    16: "information-reply info-reply inforep icmp-ireqreply",
    17: "address-mask-request mask-request maskreq icmp-maskreq",
    18: "address-mask-reply mask-reply maskrep icmp-maskreply", 30: "traceroute trace",
    31: "conversion-error dataconv", 32: "mobile-redirect mobredir", 33: "where-are-you ipv6-where",
    34: "i-am-here ipv6-here", 35: "mobile-registration-request mobregreq", 36: "mobile-registration-reply mobregrep",
    37: "domain-name-request", 38: "domain-name-reply", 39: "skip", 40: "photuris", 42: "extended-echo-request",
    43: "extended-echo-reply",
}  # fmt: skip

# RFC 4443, 2710 and 9777 (listeners), 4861 (neighbours), 2894, 4620, 3122, 6275 (mobility), 3971, 4286, 5568, 6550,
# 6743, 6775, 7731, 8335.
_TYPES_6 = {
    1: "destination-unreachable unreachable unreach icmp6-destinationrunreach",
    2: "packet-too-big toobig icmp6-packettoobig", 3: "time-exceeded ttl-exceeded timex icmp6-timeexceeded",
    4: "parameter-problem paramprob icmp6-parameterproblem", 128: "echo-request echo ping echoreq icmp6-echo",
    129: "echo-reply pong echorep icmp6-echoreply",
    130: "mld-listener-query mld-query multicast-listener-query membership-query groupqry listqry "
    "icmp6-multicastlistenerquery",
    131: "mld-listener-report mld-report multicast-listener-report membership-report grouprep listenrep "
    "mldv1-report icmp6-multicastlistenerreportv1",
    132: "mld-listener-done mld-done multicast-listener-done mld-listener-reduction mld-reduction "
    "membership-reduction membership-termination groupterm listendone icmp6-multicastlistenerdone",
    133: "router-solicitation nd-router-solicit router-solicit routersol icmp6-routersolicit",
    134: "router-advertisement nd-router-advert router-advert routeradv icmp6-routeradvert",
    135: "neighbor-solicitation neighbour-solicitation nd-neighbor-solicit neighbor-solicit nd-ns neighbrsol "
    "icmp6-neighborsolicit",
    136: "neighbor-advertisement neighbour-advertisement nd-neighbor-advert neighbor-advert nd-na neighbradv "
    "icmp6-neighboradvert",
    137: "redirect nd-redirect neighbor-redirect redir icmp6-redirect", 138: "router-renumbering routrrenum",
    139: "node-information-query node-information-request niqry fqdnreq wrureq",
    140: "node-information-response node-information-reply nirep fqdnrep wrurep",
    141: "inverse-neighbor-solicitation inverse-neighbour-solicitation ind-neighbor-solicit "
    "inverse-neighbor-discovery-solicitation",
    142: "inverse-neighbor-advertisement inverse-neighbour-advertisement ind-neighbor-advert "
    "inverse-neighbor-discovery-advertisement",
    143: "mld2-listener-report mldv2-listener-report mldv2-report mld2-report multicast-listener-report-v2 "
    "icmp6-multicastlistenerreportv2",
    144: "home-agent-address-discovery-request dhaad-request", 145: "home-agent-address-discovery-reply dhaad-reply",
    146: "mobile-prefix-solicitation mpd-solicitation",
    147: "mobile-prefix-advertisement mpd-advertisement mobile-prefix-advertisement-reply",
    148: "certification-path-solicitation certificate-path-solicitation",
    149: "certification-path-advertisement certificate-path-advertisement", 151: "multicast-router-advertisement",
    152: "multicast-router-solicitation", 153: "multicast-router-termination", 154: "fmipv6", 155: "rpl-control",
    156: "locator-update", 157: "duplicate-address-request", 158: "duplicate-address-confirmation",
    159: "mpl-control", 160: "extended-echo-request", 161: "extended-echo-reply",
}  # fmt: skip

TYPES: Mapping[int, Mapping[int, str]] = {ICMP: _TYPES_4, ICMPV6: _TYPES_6}

_EXTENDED_ECHO = {  # RFC 8335 section 3
    0: "no-error", 1: "malformed-query", 2: "no-such-interface", 3: "no-such-table-entry",
    4: "multiple-interfaces-satisfy-query multiple-interfaces",
}  # fmt: skip

# By protocol, type and code. IPv4: RFC 792, 1122 section 3.2.2.1 (3: 6-12), 1812 section 5.2.7.1 (3: 13-15), 1108 (12).
# IPv6: RFC 4443, 6550 (1: 7), 8883 (1: 8, 4: 5-10), 7112 (4: 3), 8754 (4: 4), 2894 (138).
CODES: Mapping[int, Mapping[int, Mapping[int, str]]] = {
    ICMP: {
        3: {
            0: "network-unreachable net-unreachable net-unr", 1: "host-unreachable host-unr",
            2: "protocol-unreachable prot-unreachable proto-unr", 3: "port-unreachable port-unr",
            4: "fragmentation-needed frag-needed packet-too-big needfrag", 5: "source-route-failed srcfail",
            6: "network-unknown net-unknown destination-network-unknown net-unk",
            7: "host-unknown destination-host-unknown host-unk", 8: "source-host-isolated host-isolated isolate",
            9: "network-prohibited net-prohibited destination-network-prohibited dod-net-prohibited net-prohib",
            10: "host-prohibited destination-host-prohibited dod-host-prohibited host-prohib",
            11: "tos-network-unreachable net-tos-unreachable network-unreachable-for-tos net-tos",
            12: "tos-host-unreachable host-tos-unreachable host-unreachable-for-tos host-tos",
            13: "communication-prohibited administratively-prohibited admin-prohibited "
            "communication-prohibited-by-filtering filter-prohib",
            14: "host-precedence-violation host-precedence-unreachable host-preced",
            15: "precedence-cutoff precedence-cutoff-in-effect precedence-unreachable cutoff-preced",
        },
        5: {
            0: "network-redirect net-redirect redirect-for-network redir-net",
            1: "host-redirect redirect-for-host redir-host",
            2: "tos-network-redirect net-tos-redirect redirect-for-tos-and-net redir-tos-net",
            3: "tos-host-redirect host-tos-redirect redirect-for-tos-and-host redir-tos-host",
        },
        11: {
            0: "ttl-zero-during-transit ttl-exceeded ttl-eq-zero-during-transit transit",
            1: "ttl-zero-during-reassembly reassembly-timeout fragment-reassembly-time-exceeded "
            "ttl-eq-zero-during-reassembly reassemb",
        },
        12: {
            0: "ip-header-bad general-parameter-problem badhead", 1: "required-option-missing option-missing optmiss",
            2: "bad-length no-room-for-option badlen",
        },
        43: _EXTENDED_ECHO,
    },
    ICMPV6: {
        1: {
            0: "no-route no-route-to-destination noroute-unr",
            1: "communication-prohibited administratively-prohibited admin-prohibited no-admin admin-unr",
            2: "beyond-scope beyond-unr", 3: "address-unreachable addr-unreachable addr-unr",
            4: "port-unreachable port-unr", 5: "failed-policy policy-fail", 6: "reject-route",
            7: "source-routing-header-error", 8: "headers-too-long",
        },
        3: {
            0: "hop-limit-exceeded ttl-zero-during-transit ttl-exceeded hop-limit ttl-eq-zero-during-transit transit",
            1: "reassembly-timeout ttl-zero-during-reassembly fragment-reassembly-time-exceeded "
            "ttl-eq-zero-during-reassembly reassemb",
        },
        4: {
            0: "erroneous-header-field bad-header ip6-header-bad header badhead",
            1: "unrecognized-next-header unknown-header-type next-header nxthdr",
            2: "unrecognized-option unknown-option parameter-option", 3: "incomplete-header-chain",
            4: "sr-upper-layer-header-error", 5: "unrecognized-next-header-by-intermediate-node",
            6: "extension-header-too-big", 7: "extension-header-chain-too-long", 8: "too-many-extension-headers",
            9: "too-many-options", 10: "option-too-big",
        },
        138: {
            0: "router-renumbering-command renum-command", 1: "router-renumbering-result renum-result",
            255: "sequence-number-reset renum-seq-number",
        },
        161: _EXTENDED_ECHO,
    },
}  # fmt: skip
