"""Writes the captures of `rules/`: the traffic of each page, packet by packet, through fwengine's own writers.

    python tests/make_captures.py [FOLDER]

Deterministic: the same bytes on every run and machine, which `test_rules.py` holds the stored files to. Packets stand here
in the notation of the rule language, so that this file reads like the traffic. Where a policy asks for interfaces its
capture is a pcapng, which has room for them; the others are pcap. Must never know what a policy says about a packet.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from support.paths import RULES

from fwengine import Packet
from fwengine.packets.encode import encode, write_pcap, write_pcapng


def connection(client: str, server: str, there: str = "", back: str = "") -> list[str]:
    """A whole tcp connection: opened, a question, an answer, closed. `there` and `back` are each side's interface."""
    ask, answer = f"tcp {client} -> {server}", f"tcp {server} -> {client}"
    return [
        f"{ask} flags syn {there}",
        f"{answer} flags syn,ack {back}",
        f"{ask} flags ack {there}",
        f"{ask} flags psh,ack {there}",
        f"{answer} flags psh,ack {back}",
        f"{ask} flags fin,ack {there}",
        f"{answer} flags fin,ack {back}",
        f"{ask} flags ack {there}",
    ]


def exchange(client: str, server: str, there: str = "", back: str = "") -> list[str]:
    """A question and its answer over udp."""
    return [f"udp {client} -> {server} {there}", f"udp {server} -> {client} {back}"]


WEB_SERVER = [
    *connection("5.6.7.8:1029", "1.2.3.4:80"),
    "tcp 5.6.7.8:1023 -> 1.2.3.4:80 flags syn",  # from a privileged port
    "tcp 5.6.7.8:1029 -> 1.2.3.4:22 flags syn",
    "tcp 1.2.3.4:80 -> 5.6.7.8:1029 flags syn",  # the server opens
    "tcp 1.2.3.4:80 -> 198.51.100.99:5555 flags ack",  # forged: answers nothing
    "udp 5.6.7.8:1029 -> 1.2.3.4:80",
]

TELNET = [
    *connection("10.0.0.5:3097", "10.0.0.9:23"),
    *connection("10.0.0.5:3098", "10.0.0.9:23"),  # the same hosts, another connection
    "tcp 10.0.0.6:3097 -> 10.0.0.9:23 flags syn",  # another client
    "tcp 10.0.0.9:3097 -> 10.0.0.5:23 flags syn",  # the other way round
    *connection("10.0.0.5:40000", "10.0.0.9:22"),  # ssh
]

FTP_AND_WEB = [
    *connection("198.51.100.20:60000", "192.0.2.10:21"),
    *connection("198.51.100.20:60000", "192.0.2.10:80"),  # the same port of the client, another of the server
    *connection("198.51.100.20:60001", "192.0.2.10:80"),  # the browser's next connection
    "tcp 192.0.2.10:20 -> 198.51.100.20:60002 flags syn",  # active ftp's data
    "tcp 198.51.100.20:60003 -> 192.0.2.10:50123 flags syn",  # passive ftp's data
    "tcp 198.51.100.20:60004 -> 192.0.2.10:79 flags syn",
]

MAIL = [
    *connection("203.0.113.9:33000", "192.0.2.25:25", "in wan0", "in dmz0"),
    *connection("192.0.2.25:33001", "203.0.113.9:25", "in dmz0", "in wan0"),
    *connection("10.20.3.4:50000", "192.0.2.25:110", "in lan0", "out lan0"),
    *connection("10.20.3.4:50001", "192.0.2.25:143", "in lan0", "out lan0"),
    "tcp 203.0.113.9:33002 -> 192.0.2.25:110 flags syn in wan0",
    "tcp 203.0.113.9:33003 -> 192.0.2.25:143 flags syn in wan0",
    "tcp 10.20.3.4:50002 -> 192.0.2.25:143 flags syn in wan0",  # forged
]

DNS = [
    *exchange("10.20.1.1:40000", "192.0.2.53:53"),
    *exchange("10.30.1.1:40000", "192.0.2.53:53"),
    *connection("10.20.1.1:40000", "192.0.2.53:53"),
    "tcp 10.30.1.1:40000 -> 192.0.2.53:53 flags syn",  # the lab was forgotten, and tries three times
    "tcp 10.30.1.1:40000 -> 192.0.2.53:53 flags syn",
    "tcp 10.30.1.1:40000 -> 192.0.2.53:53 flags syn",
    "tcp 192.0.2.53:53 -> 10.20.1.1:40001 flags syn",
    "sctp 10.20.1.1:40000 -> 192.0.2.53:53",
]

SERVICES = [
    *connection("203.0.113.5:50001", "192.0.2.40:119"),
    *connection("203.0.113.5:50002", "192.0.2.40:194"),
    *connection("203.0.113.5:50003", "192.0.2.40:443"),
    *connection("203.0.113.5:50004", "192.0.2.40:8080"),
    *exchange("203.0.113.5:123", "192.0.2.40:123"),
    *exchange("10.20.9.2:50006", "10.20.77.1:161"),
    *exchange("10.20.9.2:50007", "192.0.2.40:161"),
    "udp 203.0.113.5:50008 -> 192.0.2.40:161",  # not the station
    "udp 10.20.9.2:50009 -> 10.20.77.2:161",  # not a router
    "tcp 203.0.113.5:50010 -> 192.0.2.40:6667 flags syn",
    "tcp 203.0.113.5:50011 -> 192.0.2.40:8008 flags syn",
]

DHCP = [
    "udp 0.0.0.0:68 -> 255.255.255.255:67 in lan0",  # discover
    "udp 10.20.0.1:67 -> 255.255.255.255:68 out lan0",  # offer
    "udp 0.0.0.0:68 -> 255.255.255.255:67 in lan0",  # request
    "udp 10.20.0.1:67 -> 255.255.255.255:68 out lan0",  # acknowledgement
    *exchange("10.20.0.50:68", "10.20.0.1:67", "in lan0", "out lan0"),  # renewal
    "udp 10.20.0.66:67 -> 255.255.255.255:68 in lan0",  # a second server
    "udp 10.20.0.50:50000 -> 10.20.0.1:67 in lan0",  # from a client port of the usual kind
    "udp 0.0.0.0:68 -> 255.255.255.255:67 in wan0",
]

X11 = [
    *connection("10.20.2.7:41000", "10.20.1.30:6000"),
    "tcp 10.20.2.7:41001 -> 10.20.1.30:6001 flags syn",  # another display
    "tcp 10.20.7.7:41000 -> 10.20.1.30:6000 flags syn",  # another host
    "tcp 203.0.113.80:443 -> 10.20.1.30:6000 flags ack",  # looks like a web server's answer
    *connection("10.20.1.30:50000", "203.0.113.80:443"),
    "tcp 203.0.113.80:443 -> 10.20.1.30:50000 flags syn",
]

NFS = [
    *connection("10.20.5.5:1000", "10.20.0.9:2049"),
    "tcp 10.20.5.5:50000 -> 10.20.0.9:2049 flags syn",  # not from root
    "tcp 10.20.66.6:1000 -> 10.20.0.9:2049 flags syn",  # a guest
    "udp 10.20.5.5:1000 -> 10.20.0.9:111",  # version 3 asks the portmapper
]

PORT_CLASSES = [
    f"{protocol} 198.51.100.1:40000 -> 192.0.2.7:{port} {flags}"
    for protocol, flags in (("tcp", "flags syn"), ("udp", ""))
    for port in (0, 1, 1023, 1024, 49151, 49152, 65535)
]

_SCANNED = [
    *range(1, 41),
    53,
    80,
    110,
    111,
    135,
    139,
    143,
    389,
    443,
    445,
    993,
    1433,
    3306,
    3389,
    5900,
    6000,
    8080,
    65535,
]
PORT_SCAN = [
    *(f"tcp 203.0.113.66:54321 -> 192.0.2.80:{port} flags syn" for port in _SCANNED),
    *(f"udp 203.0.113.66:54321 -> 192.0.2.80:{port}" for port in (53, 123, 161, 443)),
    *(f"tcp 203.0.113.66:54322 -> 192.0.2.80:443 flags {flags}" for flags in ("none", "fin", "fin,psh,urg", "fin,syn")),
    "icmp 203.0.113.66 -> 192.0.2.80 type echo-request code 0",
]

SPOOFED = [
    *connection("203.0.113.5:50000", "192.0.2.80:443", "in wan0", "in dmz0"),
    *connection("10.20.1.1:50000", "192.0.2.80:443", "in lan0", "in dmz0"),
    "tcp 10.20.1.1:50001 -> 203.0.113.99:443 flags syn in lan0",
    "tcp 10.20.1.1:50000 -> 192.0.2.80:443 flags syn in wan0",  # ours, from outside
    "tcp 127.0.0.1:50000 -> 192.0.2.80:443 flags syn in wan0",
    "tcp 192.0.2.80:443 -> 192.0.2.80:443 flags syn in wan0",  # to itself from itself
    "udp [2001:db8:20::1]:53 -> [2001:db8::80]:443 in wan0",
    "udp 203.0.113.5:123 -> 198.51.100.1:123 in lan0",  # foreign, from inside
    "tcp 192.168.1.1:50000 -> 203.0.113.99:443 flags syn in lan0",
]

FRAGMENTS = [
    "udp 198.51.100.9:40000 -> 192.0.2.53:53",
    "udp 198.51.100.9:40000 -> 192.0.2.53:53 fragment first",
    "udp 198.51.100.9 -> 192.0.2.53 fragment later",
    "udp 198.51.100.9:40000 -> 192.0.2.53:123 fragment first",
    "udp 198.51.100.9 -> 192.0.2.53 fragment later",  # its tail, which nothing can tell from the other one
    "tcp 198.51.100.9:40000 -> 192.0.2.80:80 fragment first",
    "tcp 198.51.100.9 -> 192.0.2.80 fragment later",
    "tcp [2001:db8:9::9]:40000 -> [2001:db8::80]:80 fragment first",
    "tcp 2001:db8:9::9 -> 2001:db8::80 fragment later",
]

IPV6 = [
    *connection("198.51.100.9:50000", "192.0.2.80:443"),
    *connection("[2001:db8:9::9]:50000", "[2001:db8::80]:443"),
    "icmp 198.51.100.9 -> 192.0.2.80 type echo-request code 0",
    "icmp 192.0.2.80 -> 198.51.100.9 type echo-reply code 0",
    "icmpv6 2001:db8:9::9 -> 2001:db8::80 type echo-request code 0",
    "icmpv6 2001:db8::80 -> 2001:db8:9::9 type echo-reply code 0",
    "icmpv6 2001:db8:9::1 -> 2001:db8::80 type packet-too-big code 0",
    "icmpv6 fe80::1 -> ff02::1:ff00:80 type neighbor-solicitation code 0",
    "icmpv6 2001:db8::80 -> fe80::1 type neighbor-advertisement code 0",
    "icmpv6 fe80::bad -> ff02::1 type router-advertisement code 0",
    "icmpv6 fe80::bad -> 2001:db8::80 type redirect code 0",
    "58 198.51.100.9 -> 192.0.2.80",  # the protocol's number in an IPv4 packet
    "tcp [::ffff:198.51.100.9]:50000 -> [::ffff:192.0.2.80]:443 flags syn",
]

EDGE = [
    *connection("5.6.7.8:1029", "192.0.2.80:80", "in wan0", "in dmz0"),
    *connection("[2001:db8:9::9]:50000", "[2001:db8::80]:443", "in wan0", "in dmz0"),
    *connection("203.0.113.9:33000", "192.0.2.25:25", "in wan0", "in dmz0"),
    *exchange("10.20.4.4:50000", "198.51.100.53:53", "in lan0", "in wan0"),
    *connection("[2001:db8:20::4]:50000", "[2001:db8:53::53]:53", "in lan0", "in wan0"),
    "icmp 203.0.113.5 -> 192.0.2.81 type echo-request code 0 in wan0",
    "icmp 192.0.2.81 -> 203.0.113.5 type echo-reply code 0 in dmz0",
    "tcp 10.20.9.17:40000 -> 192.0.2.80:22 flags syn in lan0",
    "gre 198.51.100.7 -> 203.0.113.1 in wan0",
    "gre 198.51.100.7 -> 10.20.4.4 in wan0",
    "tcp 198.51.100.7:49152 -> 192.0.2.80:23 flags syn in wan0",  # what the first draft let through
    "tcp 10.20.9.17:40000 -> 192.0.2.80:22 flags syn in wan0",  # forged
    "udp [2001:db8:20::1]:50000 -> [2001:db8:53::53]:53 in wan0",  # forged, as the first draft did not see
    "tcp 203.0.113.66:54321 -> 192.0.2.80:22 flags syn in wan0",
    "tcp 203.0.113.66:54321 -> 192.0.2.25:143 flags syn in wan0",
]

CALLS = [
    "udp 10.20.40.7:20000 -> 192.0.2.60:20000 dscp ef length 200",
    "udp 192.0.2.60:20000 -> 10.20.40.7:20000 dscp ef length 200",
    "udp 10.20.40.7:20000 -> 192.0.2.60:20000 dscp cs0 length 200",  # not marked
    "udp 10.20.40.7:20000 -> 192.0.2.60:20000 dscp ef length 1400",  # marked, and no call
    "tcp 10.20.9.9:50000 -> 203.0.113.9:443 flags ack dscp ef length 1500",  # a download that is in a hurry
    "tcp 192.0.2.1:40000 -> 192.0.2.2:179 flags syn dscp cs6 ttl 255",
    "tcp 192.0.2.1:179 -> 192.0.2.2:40000 flags syn,ack dscp cs6 ttl 255",
    "tcp 192.0.2.1:40000 -> 192.0.2.2:179 flags syn dscp cs6 ttl 247",  # from eight hops away
    *(f"udp 198.51.100.7:40000 -> 192.0.2.60:{33433 + ttl} ttl {ttl}" for ttl in (1, 2, 3)),  # traceroute
    "icmp 198.51.100.7 -> 192.0.2.60 type echo-request code 0 length 84",
    "icmpv6 2001:db8::7 -> 2001:db8::60 type echo-request code 0 hoplimit 60 length 104",
    "icmp 198.51.100.7 -> 192.0.2.60 type echo-request code 0 length 65535",
    "icmp 198.51.100.7 -> 192.0.2.60 fragment later length 1500",
]

CAPTURES = {
    "calls.pcap": CALLS,
    "dhcp.pcapng": DHCP,
    "dns.pcap": DNS,
    "edge.pcapng": EDGE,
    "fragments.pcap": FRAGMENTS,
    "ftp-and-web.pcap": FTP_AND_WEB,
    "ipv6.pcap": IPV6,
    "mail.pcapng": MAIL,
    "nfs.pcap": NFS,
    "port-classes.pcap": PORT_CLASSES,
    "port-scan.pcap": PORT_SCAN,
    "services.pcap": SERVICES,
    "spoofed.pcapng": SPOOFED,
    "telnet.pcap": TELNET,
    "web-server.pcap": WEB_SERVER,
    "x11.pcap": X11,
}


def crafted() -> Iterator[bytes]:
    """The frames of `fragments.pcap` that no `Packet` stands for: bytes that only the wire knows."""
    ethernet = 14
    whole = encode(Packet.parse("tcp [2001:db8:9::9]:40000 -> [2001:db8::80]:80"), "ethernet")
    head, segment = whole[: ethernet + 40], whole[ethernet + 40 :]
    # an atomic fragment: a fragment header (44) with offset 0 and no more to come (RFC 6946)
    length = (len(segment) + 8).to_bytes(2, "big")
    yield head[:18] + length + bytes([44]) + head[21:] + bytes([6, 0, 0, 0, 0, 0, 0, 1]) + segment
    # a first fragment with 8 bytes of tcp: the ports, but not the flags (RFC 1858's tiny fragment)
    first = encode(Packet.parse("tcp 198.51.100.9:40000 -> 192.0.2.80:23 fragment first"), "ethernet")
    header = bytearray(first[ethernet : ethernet + 20])
    header[2:4], header[10:12] = (28).to_bytes(2, "big"), bytes(2)
    total = sum(int.from_bytes(header[i : i + 2], "big") for i in range(0, 20, 2))
    header[10:12] = (~(total % 0xFFFF) & 0xFFFF).to_bytes(2, "big")  # RFC 1071, by the remainder
    yield first[:ethernet] + bytes(header) + first[ethernet + 20 : ethernet + 28]
    # ARP, who has 192.0.2.80: no IP, so no verdict
    sender, asked = bytes.fromhex("020000000001 c0000201"), bytes.fromhex("000000000000 c0000250")
    yield b"\xff" * 6 + sender[:6] + bytes.fromhex("0806 0001 0800 06 04 0001") + sender + asked


def write(folder: Path) -> list[Path]:
    """Writes all captures into a folder; returns their paths."""
    paths = []
    for name, lines in CAPTURES.items():
        packets = [Packet.parse(line) for line in lines]
        path = folder / name
        if path.suffix == ".pcapng":
            write_pcapng(path, packets)
        else:
            write_pcap(path, [*packets, *(crafted() if name == "fragments.pcap" else ())])
        paths.append(path)
    return paths


if __name__ == "__main__":
    for written in write(Path(sys.argv[1]) if len(sys.argv) > 1 else RULES):
        sys.stdout.write(f"{written}\n")
