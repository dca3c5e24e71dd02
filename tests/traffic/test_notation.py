"""Packets as people write them. A misread is the worst that can happen here; to refuse is always allowed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.generators import open_packets, packets
from support.paths import ROOT

from fwengine import Packet, PacketError, PolicyError
from fwengine.errors import CaptureError, UndecodableError
from fwengine.model.fields import DETAILS, FIRST, FRAGMENT, IN, OUT, STEPPED_THROUGH, WHOLE, Point
from fwengine.model.packet import write
from fwengine.packets.capture import open_capture
from fwengine.packets.encode import write_pcap
from fwengine.packets.wire import decode
from fwengine.traffic.notation import NotationError, from_mapping, parse, to_mapping

TCPDUMP = shutil.which("tcpdump")
# any interface that has a number, and more of those that look like something else; words of the language stand apart
NAMES = st.sampled_from(
    ["none", '"none"', '"', "\\", "x y", "\x1b[31m", "é", "eth0.100", "a->b1", "#1", "1eth", "None1"]
)
INTERFACES = NAMES | st.text(max_size=9).filter(lambda name: not name.startswith("\0"))


class TestRoundTrips:
    @given(packets() | open_packets())
    def test_text(self, packet: Packet) -> None:
        """What is absent is open again, unless the writer is told to say that it is absent."""
        assert parse(write(packet, (IN, OUT))) == packet
        recorded = packet.replace(in_interface=packet.in_interface or None, out_interface=packet.out_interface or None)
        assert parse(str(packet)) == recorded

    @given(packets() | open_packets())
    def test_mappings_and_json(self, packet: Packet) -> None:
        mapping = to_mapping(packet)
        assert from_mapping(mapping) == packet
        assert parse(json.dumps(mapping)) == packet
        assert parse(" ".join(f"{key}={value}" for key, value in mapping.items())) == packet

    @given(INTERFACES, INTERFACES | st.none())
    @example("", None)
    def test_interfaces_of_any_name(self, inbound: str, outbound: str | None) -> None:
        packet = Packet.of("tcp", "10.0.0.1", "10.0.0.2", in_interface=inbound, out_interface=outbound)
        assert from_mapping(to_mapping(packet)) == packet
        assert parse(json.dumps(to_mapping(packet))) == packet

    @given(packets())
    def test_hexadecimal(self, packet: Packet) -> None:
        """Bytes tell no interface, which is then open, and no state, which is then new."""
        plain = packet.replace(in_interface=None, out_interface=None, state="new", length=1480)
        if plain.family == 6 and plain.protocol in STEPPED_THROUGH and plain.fragment != "later":
            return
        digits = plain.to_bytes().hex()
        assert parse(f"hex:{digits}") == plain
        assert parse(f" HEX: {digits[:10].upper()} {digits[10:20]}:{digits[20:]}\n") == plain


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("tcp 5.6.7.8:1029 -> 1.2.3.4:http", "tcp 5.6.7.8:1029 -> 1.2.3.4:80"),
        ("  udp [2001:DB8::1]:53   ->  [2001:db8:0::2]:4000 ", "udp [2001:db8::1]:53 -> [2001:db8::2]:4000"),
        ("proto=tcp src=5.6.7.8 sport=1029 dst=1.2.3.4 dport=http", "tcp 5.6.7.8:1029 -> 1.2.3.4:80"),
        ("PROTO=6 SRC=5.6.7.8 DST=1.2.3.4 flags=syn,ack in=wan0", "tcp 5.6.7.8 -> 1.2.3.4 flags syn,ack in wan0"),
        ("dst=::1 proto=icmpv6 src=::2 type=echo-request code=0", "icmpv6 ::2 -> ::1 type 128 code 0"),
        ("proto=udp src=[2001:db8::1] sport=1 dst=[2001:db8::2]", "udp [2001:db8::1]:1 -> 2001:db8::2"),
        ('{"proto": 47, "src": "1.1.1.1", "dst": "2.2.2.2", "fragment": "later"}', "47 1.1.1.1 -> 2.2.2.2 fragment later"),
        ('{"src":"1.1.1.1","dst":"2.2.2.2","protocol":"tcp","dport":80,"sport":null}', "tcp 1.1.1.1 -> 2.2.2.2:80"),
        ('{"proto":"tcp","src":"1.1.1.1","dst":"2.2.2.2","in":"none","state":"related"}',
         "tcp 1.1.1.1 -> 2.2.2.2 in none state related"),
        ('{"proto":"tcp","src":"1.1.1.1","dst":"2.2.2.2","in":"\\"none\\"","family":4}', 'tcp 1.1.1.1 -> 2.2.2.2 in "none"'),
        ("IP 5.6.7.8.1029 > 1.2.3.4.80: Flags [S], seq 1, length 0", "tcp 5.6.7.8:1029 -> 1.2.3.4:80 flags syn"),
        ("12:00:01.123456 IP 5.6.7.8.1029 > 1.2.3.4.80: Flags [FP.UEWR], seq 1",
         "tcp 5.6.7.8:1029 -> 1.2.3.4:80 flags fin,rst,psh,ack,urg,ece,cwr"),
        ("2026-11-21 12:00:01.1 IP 5.6.7.8.1029 > 1.2.3.4.80: Flags [none], win 1", "tcp 5.6.7.8:1029 -> 1.2.3.4:80 flags none"),
        ("1700000000.123456 IP6 2001:db8::1.53 > 2001:db8::2.4000: 4711 NXDomain", "udp [2001:db8::1]:53 -> [2001:db8::2]:4000"),
        ("12:00:01 IP 5.6.7.8.1029 > 1.2.3.4.80: tcp 0", "tcp 5.6.7.8:1029 -> 1.2.3.4:80"),  # -q: no flags, so they are open
        ("12:00:01 IP 5.6.7.8.1029 > 1.2.3.4.80: UDP, length 0", "udp 5.6.7.8:1029 -> 1.2.3.4:80"),
        ("12:00:01 IP 5.6.7.8.1029 > 1.2.3.4.80: sctp (1) [INIT] [init tag: 1]", "sctp 5.6.7.8:1029 -> 1.2.3.4:80"),
        ("12:00:01 IP 5.6.7.8.1029 > 1.2.3.4.80: DCCP DCCP-Request (service=0)", "dccp 5.6.7.8:1029 -> 1.2.3.4:80"),
        ("12:00:01 wan0  In  IP 5.6.7.8.1029 > 1.2.3.4.80: UDP, length 0", "udp 5.6.7.8:1029 -> 1.2.3.4:80 in wan0"),
        ("12:00:01 wan0  Out IP 5.6.7.8.1029 > 1.2.3.4.80: UDP, length 0", "udp 5.6.7.8:1029 -> 1.2.3.4:80 out wan0"),
        ("12:00:01 IP 1.1.1.1 > 2.2.2.2: ICMP echo request, id 1, seq 2, length 64", "icmp 1.1.1.1 -> 2.2.2.2 type 8"),
        ("12:00:01 IP 1.1.1.1 > 2.2.2.2: ICMP net 3.3.3.3 unreachable, length 36", "icmp 1.1.1.1 -> 2.2.2.2 type 3 code 0"),
        ("12:00:01 IP 1.1.1.1 > 2.2.2.2: ICMP host 3.3.3.3 unreachable - admin prohibited, length 36",
         "icmp 1.1.1.1 -> 2.2.2.2 type 3 code 10"),
        ("12:00:01 IP 1.1.1.1 > 2.2.2.2: ICMP host 3.3.3.3 unreachable - admin prohibited filter, length 36",
         "icmp 1.1.1.1 -> 2.2.2.2 type 3 code 13"),
        ("12:00:01 IP 1.1.1.1 > 2.2.2.2: ip-proto-17", "udp 1.1.1.1 -> 2.2.2.2 fragment later"),
        ("12:00:01 IP 1.1.1.1 > 2.2.2.2: ip-proto-201 32", "201 1.1.1.1 -> 2.2.2.2"),
        ("IP6 :: > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28", "icmpv6 :: -> ff02::16 type 143"),
        ("12:00:01.5 IP6 ::1 > ::2: DSTOPT 41851 > 443: Flags [S], seq 1", "tcp [::1]:41851 -> [::2]:443 flags syn"),
        ("IP6 ::1 > ::2: RT6 (len=2, type=0 [Deprecated], segleft=1, [0]::3) 7 > 8: UDP, length 0", "udp [::1]:7 -> [::2]:8"),
        ("IP 10.0.0.1 > 10.0.0.2: igmp v2 report 239.1.1.1", "igmp 10.0.0.1 -> 10.0.0.2"),
        ("IP 10.0.0.1 > 10.0.0.2: AH(spi=0x1,seq=0x1): ICMP echo request, id 1, seq 1, length 8", "ah 10.0.0.1 -> 10.0.0.2"),
        ("IP 10.0.0.1 > 10.0.0.2: IP 10.9.0.1.5 > 10.9.0.2.6: UDP, length 0 (ipip-proto-4)", "ipip 10.0.0.1 -> 10.0.0.2"),
        ("00:00:00.1 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 78: vlan 5, p 0, ethertype IPv4 (0x0800), "
         "10.0.0.1.5 > 10.0.0.2.6: Flags [.], ack 1", "tcp 10.0.0.1:5 -> 10.0.0.2:6 flags ack"),
        ("IP (tos 0x0, ttl 64, id 1, offset 0, flags [+], proto UDP (17), length 1500)\n    10.0.0.1.5 > 10.0.0.2.6: UDP, length 3000",
         "udp 10.0.0.1:5 -> 10.0.0.2:6 fragment first dscp 0 ttl 64 length 1500"),
        ("IP (tos 0x0, ttl 64, id 1, offset 1480, flags [none], proto TCP (6), length 60)\n    10.0.0.1 > 10.0.0.2: ip-proto-6",
         "tcp 10.0.0.1 -> 10.0.0.2 fragment later dscp 0 ttl 64 length 60"),
        ("IP (tos 0xb9,ECT(1), id 1, offset 0, flags [DF], proto UDP (17), length 60)\n    1.1.1.1.5 > 2.2.2.2.6: UDP, length 32",
         "udp 1.1.1.1:5 -> 2.2.2.2:6 dscp ef ttl 0 length 60"),
        ("IP6 (class 0x28, flowlabel 0x1, hlim 3, next-header UDP (17) payload length: 20) 2001:db8::1.5 > 2001:db8::2.6: UDP, length 12",
         "udp [2001:db8::1]:5 -> [2001:db8::2]:6 dscp af11 hoplimit 3 length 60"),
        ("IP6 (hlim 255, next-header UDP (17) payload length: 20) 2001:db8::1.5 > 2001:db8::2.6: UDP, length 12",
         "udp [2001:db8::1]:5 -> [2001:db8::2]:6 dscp 0 ttl 255 length 60"),
        ("12:00:01 IP 1.1.1.1 > 2.2.2.2: GREv0, length 4: unknown-proto-0", "gre 1.1.1.1 -> 2.2.2.2"),
    ],
)  # fmt: skip
def test_other_notations(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("nonsense", ""),
        ("tcp 1.1.1.1 > 2.2.2.2", ""),
        ("tcp 1.1.1.1 -> 2.2.2.2 -> 3.3.3.3", ""),
        ("tcp 1.1.1.1:80-90 -> 2.2.2.2", "a packet has one"),
        ("any 1.1.1.1 -> 2.2.2.2", "a packet has one protocol"),
        ("icmp 1.1.1.1:1 -> 2.2.2.2", "`icmp` has no ports"),
        ("tcp 1.1.1.1 -> ::1", "share no family"),
        ("tcp 1.1.1.1 -> 2.2.2.2 flags syn/syn,ack", "not a test"),
        ("udp 1.1.1.1 -> 2.2.2.2 flags syn", "no tcp flags"),
        ("tcp 1.1.1.1:80 -> 2.2.2.2 fragment later", "no sport"),
        ("tcp 1.1.1.1:80 -> 2.2.2.2:80\nudp 1.1.1.1:80 -> 2.2.2.2:80", ""),
        ("hex:", "even number"),
        ("hex:450", "even number"),
        ("hex:0x45", "even number"),
        ("hex:45", "malformed"),
        ("{", "no JSON"),
        ("{}", "`proto` is missing"),
        ('{"proto":"tcp"}', "`src` is missing"),
        ('[{"proto":"tcp"}]', ""),
        ('{"proto":"tcp","proto":"udp","src":"1.1.1.1","dst":"2.2.2.2"}', "`proto` is given twice"),
        ('{"proto":"tcp","protocol":"udp","src":"1.1.1.1","dst":"2.2.2.2"}', "given twice"),
        ('{"proto":"tcp","srcc":"1.1.1.1","dst":"2.2.2.2"}', "did you mean `src`?"),
        ('{"proto":"tcp","src":"1.1.1.1","dst":"2.2.2.2","dport":80.0}', "a word or a whole number"),
        ('{"proto":"tcp","src":"1.1.1.1","dst":"2.2.2.2","dport":true}', "a word or a whole number"),
        ('{"proto":"tcp","src":"1.1.1.1","dst":"2.2.2.2","dport":"1_0"}', "not a plain number"),
        ('{"proto":"tcp","src":"1.1.1.1","dst":"2.2.2.2","dport":"80 in wan0"}', "is one word"),
        ('{"proto":"tcp","src":"1.1.1.1","dst":"2.2.2.2","dport":"80#"}', "is one word"),
        ('{"proto":"tcp","src":"1.1.1.1","dst":"2.2.2.2","family":6}', "the addresses are IPv4"),
        ('{"dport":' + "9" * 5000 + "}", "no JSON"),
        ('{"a":' + "[" * 100_000, "no JSON"),
        ("proto=tcp src=1.1.1.1 dst=2.2.2.2 src=3.3.3.3", "given twice"),
        ("proto=tcp src=1.1.1.1 dst=2.2.2.2 in=a b", "`b` is not KEY=VALUE"),
        ("proto=tcp src= dst=2.2.2.2", "`src` is a word"),
        ("12:00:01 IP 5.6.7.8.1029 > 1.2.3.4.80: Flags [x], seq 1", "unknown flag"),
        ("12:00:01 IP 5.6.7.8 > 1.2.3.4: something", "cannot tell the protocol"),
        ("12:00:01 IP6 ::1 > ::2: frag (1448|1448)", "does not write"),
        ("12:00:01 IP6 ::1 > ::2: frag (0|1448) 1 > 2: UDP, length 9000", "`fragment first`"),
        ("12:00:01 IP6 ::1 > ::2: HBH ", "cannot tell the protocol"),
        ("12:00:01 IP6 ::1 > ::2: IP6 ::3 > ::4: ICMP6, echo request, id 1, seq 1, length 8", "which"),
        ("12:00:01 IP 5.6.7.8.1029 > 1.2.3.4.80: ", "cannot tell the protocol"),
        ("12:00:01 IP 5.6.7.8.1029 > 1.2.3.4.80: Flags", "cannot tell the protocol"),
        ("12:00:01 IP gate.example.1029 > 1.2.3.4.80: UDP, length 0", "`tcpdump -nn`"),
        ("12:00:01 IP 1.2.3.4.1029 > 5.6.7.8.https: UDP, length 0", "`tcpdump -nn`"),
        ("IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto UDP (17), length 28)", "below this one, is missing"),
        ("IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto UDP (17), length 40)\n    1.1.1.1.5 > 2.2.2.2.6: Flags [S]", "17"),
        ("IP 1.1.1.1.5 > 2.2.2.2.6: UDP, length 0\nIP 1.1.1.1.5 > 2.2.2.2.7: UDP, length 0", "several lines"),
        ("12:00:01 IP 1.1.1.1 > 2.2.2.2: ip-proto-256 20", ""),
        ("12:00:01 IP 5.6.7.8.1029 > 1.2.3.4: UDP, length 0", ""),
        ("12:00:01 ARP, Request who-has 1.2.3.4 tell 5.6.7.8, length 28", ""),
        ("12:00:01 IP (tos 0x0, ttl 64, id 1, offset 0, flags [+], proto UDP (17), length 60)", ""),
    ],
)  # fmt: skip
def test_what_is_no_packet_is_refused(text: str, said: str) -> None:
    with pytest.raises(PacketError) as caught:
        parse(text)
    told = caught.value.__cause__ if isinstance(caught.value.__cause__, PolicyError) else caught.value
    assert said in str(caught.value) + str(told)


@settings(max_examples=300)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(["tcp", "1.1.1.1", "->", "2.2.2.2:80", "{", '"', "hex:", "IP", ">", ":", "in", "=", "src="])
    ).map(" ".join)
)
def test_any_text_is_a_packet_or_an_error(text: str) -> None:
    try:
        packet = parse(text)
    except PacketError:
        return
    assert parse(str(packet)).replace(in_interface=packet.in_interface, out_interface=packet.out_interface) == packet


@pytest.mark.parametrize("size", range(0, 54, 6))
def test_bytes_cut_before_the_flags_are_no_packet(size: int) -> None:
    data = parse("tcp [2001:db8::1]:1 -> [2001:db8::2]:80 flags syn").to_bytes()[:size]
    with pytest.raises(PacketError):
        parse(f"hex:{data.hex()}")
    if data:
        with pytest.raises(UndecodableError):
            parse(f"hex:{data.hex()}")


@pytest.mark.skipif(TCPDUMP is None, reason="needs tcpdump")
class TestTcpdump:
    """Every line of tcpdump that is taken for a packet is that packet, as far as such lines tell.

    The one thing they do not tell is a first fragment, which then reads as a whole packet; so it is documented.
    """

    @pytest.mark.parametrize(
        "options",
        [(), ("-q",), ("-t",), ("-tttt", "-S"), ("-e", "-ttt"), ("-v",), ("-e", "-vv", "-tt"), ("-e", "-q")],
        ids=" ".join,
    )
    def test_of_its_own_captures(self, shared: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
        archive = shared / "data" / "captures" / "tcpdump-tests.tar.gz"
        if not archive.exists():
            pytest.skip("the reference captures are not here")
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path, filter="data")
        seen: Counter[str] = Counter()
        files = sorted(path for path in tmp_path.rglob("*") if path.suffix in (".pcap", ".pcapng"))
        for path in files[:: 1 if not options else 5]:
            seen += self.compared(path, options)
        assert not seen["misread"]
        assert seen["read"] > (4000 if not options else 300)
        # tcpdump puts what it says of some encapsulations in front of the packet
        assert seen["refused"] < seen["read"] / (10 if "-q" in options else 40)

    def test_of_every_icmp_message_and_protocol(self, tmp_path: Path) -> None:
        path = tmp_path / "x.pcap"
        write_pcap(path, list(_messages()), link="ip")
        seen = self.compared(path, ())
        assert not seen["misread"]
        assert seen["read"] > 1700

    @pytest.mark.parametrize("options", [(), ("-v",), ("-e",), ("-e", "-v")], ids=" ".join)
    def test_of_what_this_project_writes(self, tmp_path: Path, options: tuple[str, ...]) -> None:
        """The captures of `rules/`, and every field's every kind of value once, over IPv4 and IPv6."""
        path = tmp_path / "made.pcap"
        texts = [
            f"{protocol} {ends} {rest}"
            for protocol in (
                "tcp",
                "udp",
                "sctp",
                "dccp",
                "udplite",
                "gre",
                "esp",
                "ah",
                "ospf",
                "pim",
                "vrrp",
                "igmp",
                "99",
            )
            for a, b in (("10.0.0.1", "10.0.0.2"), ("[2001:db8::1]", "[2001:db8::2]"))
            if (protocol, a) != ("ah", "[2001:db8::1]")
            for ported in (protocol in ("tcp", "udp", "sctp", "dccp", "udplite"),)
            for rest in ("", "fragment first", "fragment later")
            for ends in (
                (
                    f"{a}:1029 -> {b}:4433"
                    if ported and rest != "fragment later"
                    else f"{a} -> {b}".translate({91: "", 93: ""})
                ),
            )
        ]
        write_pcap(path, [Packet.parse(text) for text in texts], link="ethernet")
        seen: Counter[str] = Counter()
        for capture in [path, *sorted((ROOT / "rules").glob("*.pcap*"))]:
            seen += self.compared(capture, options)
        assert not seen["misread"]
        assert seen["read"] > 400
        assert seen["refused"] < 40  # fragments of IPv6

    def compared(self, path: Path, options: tuple[str, ...]) -> Counter[str]:
        assert TCPDUMP is not None
        truths: list[Point | str] = []
        try:
            with open_capture(path) as capture:
                for data, length, link, *_ in capture:
                    truths.append(decode(data, link, length, 0, 0, 0))
                    if len(truths) == 4000:
                        break
        except CaptureError:
            pass
        seen: Counter[str] = Counter()
        if all(isinstance(truth, str) for truth in truths):
            return seen
        out = subprocess.run(
            [TCPDUMP, "-nn", "-#", *options, "-r", path], capture_output=True, env={"TZ": "UTC"}, check=False
        ).stdout.decode("utf-8", "replace")
        texts: list[str] = []
        for line in out.split("\n"):
            match = re.match(r" *(\d+)  (.*)", line)
            if match is not None and int(match[1]) == len(texts) + 1:
                texts.append(match[2])
            elif texts and line[:1].isspace() and texts[-1].count("\n") < 2:  # with -v, of IPv4 and of MPLS
                texts[-1] += "\n" + line
        detailed = any("-v" in option for option in options)
        for truth, text in zip(truths, texts, strict=False):
            try:
                packet = parse(text if detailed else text.split("\n")[0])
            except PacketError:
                seen["refused"] += not isinstance(truth, str)
                continue
            if isinstance(truth, str):
                seen["misread"] += truth == "not-ip"
            elif _told(truth, packet, detailed):
                seen["read"] += 1
            else:
                seen["misread"] += 1
                print(path.name, text, Packet.from_point(truth), packet, sep="\n  ")
        return seen


def _told(truth: Point, packet: Packet, detailed: bool) -> bool:
    values = list(truth)
    if truth[FRAGMENT] == FIRST and not detailed:
        values[FRAGMENT] = WHOLE
    sets = packet.sets
    return all(value in sets[f] for f, value in enumerate(values) if f not in (IN, OUT))


def _messages() -> Iterator[bytes | Packet]:
    """Every type of ICMP with every code that means something, quoting a packet; every protocol, whole and in part."""
    quoted = {4: Packet.parse("udp 3.3.3.3:1 -> 4.4.4.4:2"), 6: Packet.parse("udp [::3]:1 -> [::4]:2")}
    for protocol, src, dst, last in (("icmp", "1.1.1.1", "2.2.2.2", 45), ("icmpv6", "2001:db8::1", "2001:db8::2", 160)):
        for kind in range(last):
            for code in range(17 if kind < 13 else 2):
                packet = Packet.of(protocol, src, dst, icmp_type=kind, icmp_code=code)
                data = bytearray(packet.to_bytes())
                data += bytes(4) * (len(data) % 40 == 4) + quoted[packet.family].to_bytes()
                data += bytes(24)
                if packet.family == 4:
                    data[2:4] = len(data).to_bytes(2, "big")
                else:
                    data[4:6] = (len(data) - 40).to_bytes(2, "big")
                yield bytes(data)
    for number in range(256):
        for src, dst in (("1.1.1.1", "2.2.2.2"), ("2001:db8::1", "2001:db8::2")):
            for fragment in ("whole", "first", "later"):
                if ":" in src and number in STEPPED_THROUGH and fragment != "later":
                    continue
                yield Packet.of(number, src, dst, fragment=fragment)


class TestHexadecimal:
    """What stands behind `hex:` is an IP packet; an Ethernet frame is never taken for one, whatever its address."""

    def frame(self, packet: Packet, first: str) -> str:
        """A frame whose destination address begins with these digits."""
        return first + packet.to_bytes("ethernet").hex()[len(first) :]

    @pytest.mark.parametrize("first", ["02", "45", "450000", "4500003c", "46", "60", "6000", "600000000014"])
    @pytest.mark.parametrize(
        "text", ["tcp 10.0.0.1:1 -> 10.0.0.2:2 flags syn", "udp [2001:db8::1]:1 -> [2001:db8::2]:2"]
    )
    def test_a_frame_is_recognised_whatever_its_address(self, first: str, text: str) -> None:
        packet = Packet.parse(text)
        digits = self.frame(packet, first)
        with pytest.raises(NotationError, match="`ethernet:…`"):
            parse(f"hex:{digits}")
        assert parse(f"ethernet:{digits}").without(DETAILS) == packet
        assert parse(f"ETHERNET: {digits[:12]} {digits[12:]}").without(DETAILS) == packet

    def test_padded_tagged_and_foreign_frames(self) -> None:
        packet = Packet.parse("udp 10.0.0.1:1 -> 10.0.0.2:2")
        plain = packet.to_bytes("ethernet").hex()
        padded = plain + "00" * (60 - len(plain) // 2)
        tagged = plain[:24] + "81000005" + plain[24:]
        arp = "4500003c0001020000000001080600010800060400010200000000010a0000010000000000000a000002"
        for digits in (padded, "45" + padded[2:], tagged, "60" + tagged[2:], arp):
            with pytest.raises(NotationError, match="`ethernet:…`"):
                parse(f"hex:{digits}")
        assert parse(f"ethernet:{padded}") == parse(f"ethernet:{tagged}") == packet.replace(dscp=0, ttl=64, length=28)
        with pytest.raises(UndecodableError) as caught:
            parse(f"ethernet:{arp}")
        assert caught.value.kind == "not-ip"

    def test_both_at_once_must_be_said(self) -> None:
        """Bytes that are right as an IPv6 packet and right as a frame with an IPv4 packet in it."""
        inner = Packet.parse("udp 10.0.0.1:1 -> 10.0.0.2:2").to_bytes()
        digits = "60000000" + f"{len(inner) + 14 - 40:04x}" + "6340" + "00000000" + "0800" + inner.hex()
        assert Packet.from_bytes(bytes.fromhex(digits)).family == 6
        assert Packet.from_bytes(bytes.fromhex(digits), "ethernet").family == 4
        with pytest.raises(NotationError, match="`ip:…` or `ethernet:…`") as caught:
            parse(f"hex:{digits}")
        assert caught.value.reason == "ambiguous"
        assert parse(f"ip:{digits}").family == 6
        assert parse(f"ethernet:{digits}").family == 4

    def test_packets_that_hold_an_ethertype_are_packets(self) -> None:
        """From 8.0.69.1 bytes 12 to 14 of an IPv4 packet read 0800 45; checksum and length tell."""
        for text in ("tcp 8.0.69.1:1 -> 10.0.0.2:2 flags syn", "tcp 134.221.96.1:1 -> 10.0.0.2:2 flags syn"):
            assert parse(f"hex:{Packet.parse(text).to_bytes().hex()}").without(DETAILS) == Packet.parse(text)

    @pytest.mark.parametrize("digits", ["00", "d4c3b2a1", "0000020045", "ff" * 60])
    def test_what_begins_like_no_ip_packet_gets_no_verdict(self, digits: str) -> None:
        with pytest.raises(NotationError, match="version 4 or 6"):
            parse(f"hex:{digits}")

    def test_said_to_be_ip_it_is_judged_as_such(self) -> None:
        for digits in ("00", "ff" * 60):
            with pytest.raises(UndecodableError) as caught:
                parse(f"ip:{digits}")
            assert caught.value.kind == "malformed"

    @given(packets())
    def test_no_packet_is_taken_for_a_frame_nor_a_frame_for_a_packet(self, packet: Packet) -> None:
        plain = packet.replace(in_interface=None, out_interface=None, state="new", length=1480)
        if plain.family == 6 and plain.protocol in STEPPED_THROUGH and plain.fragment != "later":
            return
        assert parse(f"hex:{plain.to_bytes().hex()}") == plain
        with pytest.raises(NotationError):
            parse(f"hex:{plain.to_bytes('ethernet').hex()}")
