"""Lines that firewalls log: read where they tell a packet, refused with a reason where they do not."""

from __future__ import annotations

import pytest

from fwengine import Packet, PacketError
from fwengine.traffic.notation import NotationError, notations, of_line, parse

MAC = "MAC=02:00:00:00:00:02:02:00:00:00:00:01:08:00"
V4 = "SRC=203.0.113.9 DST=192.0.2.80 LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID=4711"
V6 = "SRC=2001:0db8:0000:0000:0000:0000:0000:0001 DST=2001:0db8:0000:0000:0000:0000:0000:0002 LEN=80 TC=0 HOPLIMIT=64 FLOWLBL=0"
ASA = "Nov 21 12:00:01 fw1 %ASA-"
PF = "Nov 21 12:00:01 gate filterlog[71]: 5,,,1000000103,em0,match,block,"
PF4 = PF + "in,4,0x0,,64,4711,0,DF,"
PF6 = PF + "out,6,0x00,0x00000,64,"
FLOW = "2 123456789012 eni-0a1b2c3d4e5f 203.0.113.9 192.0.2.80"

READ = [
    # netfilter, as Linux 6.18 writes it
    (f"IN=eth0 OUT= {MAC} {V4} DF PROTO=TCP SPT=40000 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0",
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22 flags syn in eth0"),
    (f"Nov 21 12:00:01 gate kernel: [ 4711.12] drop: IN=eth0 OUT=eth1 {MAC} {V4} CE DF PROTO=TCP SPT=1 DPT=2 SEQ=5 ACK=0 WINDOW=1 "
     "RES=0x00 ECE ACK FIN URGP=0 OPT (020405B40402) MARK=0x1 ", "tcp 203.0.113.9:1 -> 192.0.2.80:2 flags fin,ack,ece in eth0 out eth1"),
    (f"[UFW BLOCK] IN= OUT=wg0 {V4} PROTO=UDP SPT=1 DPT=53 LEN=40", "udp 203.0.113.9:1 -> 192.0.2.80:53 out wg0"),
    (f"PREFIXIN=eth0 IN=eth0 OUT= {V4} PROTO=47", "gre 203.0.113.9 -> 192.0.2.80 in eth0"),
    (f"{V4} PROTO=ICMP TYPE=8 CODE=0 ID=1 SEQ=2", "icmp 203.0.113.9 -> 192.0.2.80 type 8 code 0"),
    (f"IN=eth0 OUT= {V4} MF PROTO=UDP SPT=1 DPT=53 LEN=1480", "udp 203.0.113.9:1 -> 192.0.2.80:53 fragment first in eth0"),
    (f"IN=eth0 OUT= {V4} MF FRAG:185 PROTO=TCP", "tcp 203.0.113.9 -> 192.0.2.80 fragment later in eth0"),
    (f"IN=eth0 OUT= {V4} FRAG:185 PROTO=ICMP", "icmp 203.0.113.9 -> 192.0.2.80 fragment later in eth0"),
    (f"IN=eth0 OUT= {V4} PROTO=ICMP TYPE=3 CODE=4 [SRC=192.0.2.80 DST=203.0.113.9 LEN=28 TOS=0x00 PREC=0x00 TTL=64 ID=0 DF "
     "PROTO=UDP INCOMPLETE [4 bytes] ] MTU=1400", "icmp 203.0.113.9 -> 192.0.2.80 type 3 code 4 in eth0"),
    (f"IN=eth0 OUT= {V4} PROTO=ICMP TYPE=3 CODE=3 [SRC=192.0.2.80 DST=203.0.113.9 LEN=40 TTL=64 ID=0 PROTO=TCP SPT=22 DPT=9 "
     "WINDOW=1 RES=0x00 SYN URGP=0 ] ", "icmp 203.0.113.9 -> 192.0.2.80 type 3 code 3 in eth0"),
    (f"IN=eth0 OUT= {V4} PROTO=ICMP TYPE=5 CODE=1 INCOMPLETE [8 bytes]", "icmp 203.0.113.9 -> 192.0.2.80 type 5 code 1 in eth0"),
    (f"IN=eth0 OUT= {V4} PROTO=ESP SPI=0x10", "esp 203.0.113.9 -> 192.0.2.80 in eth0"),
    (f"IN=eth0 OUT= {V4} PROTO=TCP SPT=1 DPT=2", "tcp 203.0.113.9:1 -> 192.0.2.80:2 in eth0"),
    (f"IN=br0 OUT=br0 PHYSIN=eth0 PHYSOUT=eth1 {V6} PROTO=TCP SPT=40000 DPT=22 WINDOW=1 RES=0x00 ACK PSH URGP=0",
     "tcp [2001:db8::1]:40000 -> [2001:db8::2]:22 flags psh,ack in br0 out br0"),
    (f"IN=eth0 OUT= {V6} FRAG:0 INCOMPLETE ID:0000000a PROTO=UDP SPT=1 DPT=22 LEN=32",
     "udp [2001:db8::1]:1 -> [2001:db8::2]:22 fragment first in eth0"),
    (f"IN=eth0 OUT= {V6} FRAG:0 ID:0000000a PROTO=UDP SPT=1 DPT=22 LEN=32", "udp [2001:db8::1]:1 -> [2001:db8::2]:22 in eth0"),
    (f"IN=eth0 OUT= {V6} FRAG:24 ID:0000000a PROTO=UDP", "udp [2001:db8::1] -> [2001:db8::2] fragment later in eth0"),
    (f"IN=eth0 OUT= {V6} OPT ( FRAG:24 ID:0000000a ) PROTO=UDP", "udp [2001:db8::1] -> [2001:db8::2] fragment later in eth0"),
    (f"IN=eth0 OUT= {V6} OPT ( ESP SPI=0x1 )", "esp 2001:db8::1 -> 2001:db8::2 in eth0"),
    (f"IN=eth0 OUT= {V6} PROTO=ICMPv6 TYPE=135 CODE=0", "icmpv6 2001:db8::1 -> 2001:db8::2 type 135 code 0 in eth0"),
    (f"IN=eth0 OUT= {V6} PROTO=ICMPv6 TYPE=2 CODE=0 [TRUNCATED] MTU=0", "icmpv6 2001:db8::1 -> 2001:db8::2 type 2 code 0 in eth0"),
    # pfSense, OPNsense
    (PF4 + "6,tcp,60,203.0.113.9,192.0.2.80,40000,22,0,S,1,,64240,,mss;sackOK", "tcp 203.0.113.9:40000 -> 192.0.2.80:22 flags syn in em0"),
    (PF4 + "6,tcp,40,203.0.113.9,192.0.2.80,1,2,0,PA,1:5,9,64240,,", "tcp 203.0.113.9:1 -> 192.0.2.80:2 flags psh,ack in em0"),
    (PF4 + "6,tcp,40,203.0.113.9,192.0.2.80,1,2,0,SEC,1,,64240,,", "tcp 203.0.113.9:1 -> 192.0.2.80:2 flags syn,ece,cwr in em0"),
    (PF4 + "17,udp,60,203.0.113.9,192.0.2.80,1,53,32", "udp 203.0.113.9:1 -> 192.0.2.80:53 in em0"),
    (PF4 + "1,icmp,84,203.0.113.9,192.0.2.80,request,5113,6664", "icmp 203.0.113.9 -> 192.0.2.80 type 8 in em0"),
    (PF4 + "1,icmp,56,203.0.113.9,192.0.2.80,unreachport,192.0.2.80,17,53", "icmp 203.0.113.9 -> 192.0.2.80 type 3 code 3 in em0"),
    (PF4 + "1,icmp,56,203.0.113.9,192.0.2.80,something,1", "icmp 203.0.113.9 -> 192.0.2.80 in em0"),
    (PF4 + "47,gre,56,203.0.113.9,192.0.2.80,datalength=36", "gre 203.0.113.9 -> 192.0.2.80 in em0"),
    (PF + "in,4,0x0,,64,4711,1480,none,17,udp,60,203.0.113.9,192.0.2.80", "udp 203.0.113.9 -> 192.0.2.80 fragment later in em0"),
    (PF + "in,4,0x0,,64,4711,0,+,17,udp,1500,203.0.113.9,192.0.2.80,1,53,1480",
     "udp 203.0.113.9:1 -> 192.0.2.80:53 fragment first in em0"),
    (PF6 + "UDP,17,32,2001:db8::1,2001:db8::2,546,547,24", "udp [2001:db8::1]:546 -> [2001:db8::2]:547 out em0"),
    (PF6 + "ICMPv6,58,32,2001:db8::1,2001:db8::2,", "icmpv6 2001:db8::1 -> 2001:db8::2 out em0"),
    # Cisco ASA
    (ASA + '4-106023: Deny tcp src outside:203.0.113.9/40000 dst inside:192.0.2.80/22 by access-group "outside_in" [0x0, 0x0]',
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22 in outside out inside"),
    (ASA + '4-106023: Deny icmp src outside:2001:db8::1 dst inside:2001:db8::2 (type 128, code 0) by access-group "a" [0x0, 0x0]',
     "icmpv6 2001:db8::1 -> 2001:db8::2 type 128 code 0 in outside out inside"),
    (ASA + '4-106023: Deny protocol 47 src outside:203.0.113.9 dst inside:192.0.2.80 by access-group "a" [0x0, 0x0]',
     "gre 203.0.113.9 -> 192.0.2.80 in outside out inside"),
    (ASA + '4-106023: Deny udp src inside:192.0.2.80/1 (LOCAL\\jane) dst outside:203.0.113.9/53 by access-group "a" [0x0, 0x0]',
     "udp 192.0.2.80:1 -> 203.0.113.9:53 in inside out outside"),
    (ASA + "2-106001: Inbound TCP connection denied from 203.0.113.9/40000 to 192.0.2.80/22 flags SYN  on interface outside",
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22 flags syn in outside"),
    (ASA + "6-106015: Deny TCP (no connection) from 203.0.113.9/443 to 192.0.2.80/4000 flags FIN PSH ACK on interface outside",
     "tcp 203.0.113.9:443 -> 192.0.2.80:4000 flags fin,psh,ack in outside"),
    (ASA + "2-106006: Deny inbound UDP from 203.0.113.9/1 to 192.0.2.80/53 on interface outside",
     "udp 203.0.113.9:1 -> 192.0.2.80:53 in outside"),
    (ASA + "3-106014: Deny inbound icmp src outside:203.0.113.9 dst inside:192.0.2.80 (type 8, code 0)",
     "icmp 203.0.113.9 -> 192.0.2.80 type 8 code 0 in outside out inside"),
    (ASA + "6-106100: access-list out permitted tcp outside/203.0.113.9(40000) -> inside/192.0.2.80(22) hit-cnt 1 first hit [0x1, 0x2]",
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22 in outside out inside"),
    (ASA + "6-106100: access-list out denied icmp outside/203.0.113.9(8) -> inside/192.0.2.80(0) hit-cnt 1 first hit [0x1, 0x2]",
     "icmp 203.0.113.9 -> 192.0.2.80 in outside out inside"),
    (ASA + "6-302013: Built inbound TCP connection 11 for outside:203.0.113.9/40000 (203.0.113.9/40000) to inside:192.0.2.80/443 "
     "(192.0.2.80/443)", "tcp 203.0.113.9:40000 -> 192.0.2.80:443 in outside out inside"),
    (ASA + "6-302013: Built outbound TCP connection 9 for outside:203.0.113.9/443 (203.0.113.9/443) to inside:192.0.2.80/5000 "
     "(192.0.2.80/5000)", "tcp 192.0.2.80:5000 -> 203.0.113.9:443 in inside out outside"),
    (ASA + "6-302013: Built inbound TCP connection 8 for inside:192.0.2.80/5000 (192.0.2.80/5000) to NP Identity Ifc:192.0.2.1/22 "
     "(192.0.2.1/22)", "tcp 192.0.2.80:5000 -> 192.0.2.1:22 in inside"),
    (ASA + "6-302020: Built inbound ICMP connection for faddr 203.0.113.9/1 gaddr 192.0.2.80/0 laddr 192.0.2.80/0 type 8 code 0",
     "icmp 203.0.113.9 -> 192.0.2.80 type 8 code 0"),
    (ASA + "3-710003: TCP access denied by ACL from 203.0.113.9/40000 to outside:192.0.2.1/22",
     "tcp 203.0.113.9:40000 -> 192.0.2.1:22 in outside"),
    # Cisco IOS
    ("*Nov 21 12:00:01.5: %SEC-6-IPACCESSLOGP: list 101 denied tcp 203.0.113.9(40000) -> 192.0.2.80(22), 1 packet",
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22"),
    ("%SEC-6-IPACCESSLOGP: list in denied udp 203.0.113.9(1) (Gi0/1 0000.5e00.5301) -> 192.0.2.80(53), 12 packets",
     "udp 203.0.113.9:1 -> 192.0.2.80:53 in Gi0/1"),
    ("%SEC-6-IPACCESSLOGDP: list a denied icmp 203.0.113.9 -> 192.0.2.80 (3/1), 1 packet", "icmp 203.0.113.9 -> 192.0.2.80 type 3 code 1"),
    ("%SEC-6-IPACCESSLOGRP: list 101 denied igmp 203.0.113.9 -> 224.0.0.1 (20), 1 packet", "igmp 203.0.113.9 -> 224.0.0.1"),
    ("%SEC-6-IPACCESSLOGNP: list 101 permitted 47 203.0.113.9 -> 192.0.2.80, 1 packet", "gre 203.0.113.9 -> 192.0.2.80"),
    ("%IPV6_ACL-6-ACCESSLOGP: list v6in/10 denied tcp 2001:DB8::1(40000) -> 2001:DB8::2(22), 1 packet",
     "tcp [2001:db8::1]:40000 -> [2001:db8::2]:22"),
    ("%IPV6_ACL-6-ACCESSLOGDP: list v6in/20 denied icmpv6 2001:DB8::1 -> 2001:DB8::2 (128/0), 1 packet",
     "icmpv6 2001:db8::1 -> 2001:db8::2 type 128 code 0"),
    # pf
    ("00:00:00.000000 rule 5/0(match): block in on em0: 203.0.113.9.40000 > 192.0.2.80.22: Flags [S], seq 1, win 65535, length 0",
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22 flags syn in em0"),
    ("Nov 21 12:00:01.123456 rule 5/(match) block in on em0: 203.0.113.9.40000 > 192.0.2.80.22: S 1:1(0) win 16384 <mss 1460> (DF)",
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22 flags syn in em0"),
    ("Nov 21 12:00:01.123456 rule 7/(match) pass out on em1: 192.0.2.80.22 > 203.0.113.9.40000: P 1:5(4) ack 9 win 16384",
     "tcp 192.0.2.80:22 -> 203.0.113.9:40000 flags psh,ack out em1"),
    ("rule 7/(match) pass in on em1: 192.0.2.80.22 > 203.0.113.9.40000: . ack 9 win 16384 (DF)",
     "tcp 192.0.2.80:22 -> 203.0.113.9:40000 flags ack in em1"),
    ("rule 2.a.1/0(match): block in on em0: 203.0.113.9.1 > 192.0.2.80.53: 4711+ A? example.com. (29)",
     "udp 203.0.113.9:1 -> 192.0.2.80:53 in em0"),
    ("rule 2/(match) block in on em0: 203.0.113.9.1 > 192.0.2.80.161: udp 30", "udp 203.0.113.9:1 -> 192.0.2.80:161 in em0"),
    ("rule 2/(match) block in on em0: 203.0.113.9 > 192.0.2.80: icmp: echo request", "icmp 203.0.113.9 -> 192.0.2.80 type 8 in em0"),
    ("rule 2/0(match): block in on em0: fe80::1 > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28",
     "icmpv6 fe80::1 -> ff02::16 type 143 in em0"),
    # Juniper
    ("Nov 21 12:00:01 srx RT_FLOW: RT_FLOW_SESSION_DENY: session denied 203.0.113.9/40000->192.0.2.80/22 0x0 junos-ssh 6(0) "
     "deny(global) untrust trust UNKNOWN UNKNOWN N/A(N/A) ge-0/0/0.0 No",
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22 in ge-0/0/0.0"),
    ("RT_FLOW_SESSION_DENY: session denied 203.0.113.9/1->192.0.2.80/2 icmp 1(8) no a b", "icmp 203.0.113.9 -> 192.0.2.80 type 8"),
    ("RT_FLOW_SESSION_CREATE: session created 203.0.113.9/40000->192.0.2.80/443 junos-https 203.0.113.9/40000->192.0.2.80/443 "
     "None None 6 web untrust trust 4711", "tcp 203.0.113.9:40000 -> 192.0.2.80:443"),
    ("RT_FLOW_SESSION_CREATE: session created 203.0.113.9/40000->192.0.2.80/443 0x0 junos-https 203.0.113.9/40000->192.0.2.80/443 0x0 "
     "N/A N/A N/A N/A 6 web untrust trust 4711 N/A(N/A) reth0.0", "tcp 203.0.113.9:40000 -> 192.0.2.80:443 in reth0.0"),
    ('RT_FLOW_SESSION_DENY [junos@2636.1.1.1.2.28 source-address="203.0.113.9" source-port="40000" destination-address="192.0.2.80" '
     'destination-port="22" protocol-id="6" icmp-type="0" packet-incoming-interface="ge-0/0/0.0"]',
     "tcp 203.0.113.9:40000 -> 192.0.2.80:22 in ge-0/0/0.0"),
    ("fpc0 PFE_FW_SYSLOG_IP: FW: ge-0/1/0.0   D  udp 203.0.113.9 192.0.2.80     1    53 (1 packets)",
     "udp 203.0.113.9:1 -> 192.0.2.80:53 in ge-0/1/0.0"),
    ("fpc0 PFE_FW_SYSLOG_IP: FW: ge-0/1/0.0   A icmp 203.0.113.9 192.0.2.80     8     0 (1 packets)",
     "icmp 203.0.113.9 -> 192.0.2.80 in ge-0/1/0.0"),
    # AWS
    (FLOW + " 40000 22 6 4 240 1700000000 1700000060 REJECT OK", "tcp 203.0.113.9:40000 -> 192.0.2.80:22"),
    (FLOW + " 0 0 1 4 240 1700000000 1700000060 ACCEPT OK", "icmp 203.0.113.9 -> 192.0.2.80"),
]  # fmt: skip

REFUSED = [
    (PF4 + "6,tcp,60,203.0.113.9", "untold", "cut short"),
    (PF4 + "6,tcp,60,203.0.113.9,192.0.2.80,40000,22", "untold", "before the flags"),
    (PF4 + "17,udp,60,203.0.113.9,192.0.2.80", "untold", "no ports"),
    (PF4 + "6,tcp,60,203.0.113.9,192.0.2.80,40000,22,0,Sx,1,,64240,,", "unreadable", "`Sx`"),
    (PF4 + "6,tcp,60,203.0.113.9,192.0.2.80,40000,ssh,0,S,1,,64240,,", "unreadable", "`ssh`"),
    (PF4 + "17,udp,60,203.0.113.9,2001:db8::2,1,2,0", "unreadable", "families"),
    (PF6 + "Options,0,32,2001:db8::1,ff02::16,HBH,RTALERT,0x0000", "ambiguous", "protocol 0"),
    ("IN=eth0 OUT= ARP HTYPE=1 PTYPE=0x0800 OPCODE=1", "not-ip", "ARP"),
    (f"IN=eth0 OUT= {V4} PROTO=TCP SPT=1 DPT=2 WINDOW=1 RES=0x00 SYN", "untold", "URGP"),
    (f"IN=eth0 OUT= {V4} PROTO=TCP INCOMPLETE [8 bytes]", "untold", "too short"),
    (f"IN=eth0 OUT= {V4} DF", "untold", "`PROTO=`"),
    (f"IN=eth0 OUT= {V4} PROTO=UDP", "untold", "`SPT=`"),
    (f"IN=eth0 OUT= {V4} PROTO=UDP SPT=1 DPT=53 SHAPE=1", "unreadable", "`SHAPE=1`"),
    (f"IN=eth0 OUT= {V4} PROTO=UDP SPT=1 DPT=53 SYN", "unreadable", "`SYN`"),
    (f"IN=eth0 OUT= {V4} PROTO=UDP SPT=1 DPT=53 DPT=80", "ambiguous", "`DPT=` stands twice"),
    (f"IN=eth0 OUT= {V4} PROTO=ICMP TYPE=3 CODE=3 [SRC=192.0.2.80 DST=203.0.113.9", "unreadable", "no end"),
    (f"IN=eth0 OUT= {V4} PROTO=WHAT", "unreadable", "`WHAT` is not a protocol"),
    (f"IN=eth0 OUT= {V6}", "untold", "`PROTO=`"),  # ESP over IPv6, without --log-ip-options
    (f"{ASA}6-302014: Teardown TCP connection 9 for outside:203.0.113.9/22 to inside:192.0.2.80/1 duration 0:00:30 bytes 0",
     "no-packet", "end"),
    (f"{ASA}6-302013: Built outbound TCP connection 9 for outside:203.0.113.9/443 (203.0.113.9/443) to inside:10.0.0.1/5000 "
     "(192.0.2.1/61000)", "translated", "10.0.0.1 to 192.0.2.1"),
    (f"{ASA}2-106016: Deny IP spoof from (10.0.0.1) to 10.0.0.2 on interface outside", "untold", "protocol"),
    (f"{ASA}5-111008: User 'enable_15' executed the 'write' command.", "unreadable", "111008 is not among"),
    (f"{ASA}4-106023: Deny tcp src outside:203.0.113.9/40000 dst inside:192.0.2.80/www", "unreadable", "names of ports"),
    (f"{ASA}4-106023: Deny something else", "unreadable", "not message 106023"),
    ("%SEC-6-IPACCESSLOGP: list 101 denied tcp 203.0.113.9(0) -> 192.0.2.80(0), 1 packet", "ambiguous", "`fragment later`"),
    ("%SEC-6-IPACCESSLOGS: list 1 permitted 203.0.113.9 1 packet", "untold", "no destination"),
    ("%SEC-6-IPACCESSLOGP: list 1 denied tcp 203.0.113.9 to 192.0.2.80", "unreadable", "not a line"),
    ("RT_FLOW_SESSION_CLOSE: session closed TCP FIN: 203.0.113.9/1->192.0.2.80/2 6: web", "no-packet", "end"),
    ("RT_FLOW_SESSION_CREATE: session created 10.0.0.1/40000->192.0.2.80/443 junos-https 198.51.100.1/9->192.0.2.80/443 None None 6 w",
     "translated", "198.51.100.1"),
    ("PFE_FW_SYSLOG_IP6_GEN: FW: something else", "unreadable", "IP6_GEN"),
    ("rule 2/(match) block in on em0: 203.0.113.9.1 > 192.0.2.80.53: something", "untold", "cannot tell the protocol"),
    (f"{FLOW.replace('203.0.113.9 192.0.2.80', '- -')} - - - - - 1700000000 1700000060 - NODATA", "no-packet", "NODATA"),
    (FLOW + " 0 0 17 4 240 1700000000 1700000060 ACCEPT OK", "ambiguous", "both ports are 0"),
    (FLOW + " 1 2 6 4 240 1700000000 1700000060 ACCEPT OK extra", "unreadable", "14 fields"),
    (FLOW.replace("2 ", "3 ", 1) + " 1 2 6 4 240 1700000000 1700000060 ACCEPT OK", "unreadable", "version 2"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "same"), READ)
def test_a_log_line_is_the_packet_it_tells_of(line: str, same: str) -> None:
    assert parse(line) == Packet.parse(same)
    assert parse(f"  {line}  \n") == Packet.parse(same)


@pytest.mark.parametrize(("line", "reason", "said"), REFUSED)
def test_what_a_line_does_not_tell_is_refused_with_its_reason(line: str, reason: str, said: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(line)
    assert caught.value.reason == reason
    assert said in str(caught.value)


@pytest.mark.parametrize("line", [line for line, _ in READ] + [line for line, _, _ in REFUSED])
def test_one_notation_claims_a_line_and_a_cut_line_never_becomes_another_packet(line: str) -> None:
    """Every beginning of a line is refused, or tells no more than the whole line does."""
    assert sum(notation.looks(line) for notation in notations()) <= 2  # pf's lines end in one of tcpdump's
    assert of_line(line) is not None
    try:
        whole = parse(line)
    except PacketError:
        return
    last = len(line.rstrip())
    for end in (i for i, c in enumerate(line[:last]) if c == " "):
        try:
            part = parse(line[:end])
        except PacketError:
            continue
        for name in ("family", "protocol", "src", "fragment"):
            assert getattr(part, name) == getattr(whole, name), line[:end]
        for name in ("icmp_type", "flags", "in_interface"):
            assert getattr(part, name) in (getattr(whole, name), None), line[:end]
