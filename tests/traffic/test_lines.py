"""Lines written natively are those of the slow way, packet for packet, on captures of every kind."""

from __future__ import annotations

import json
import random
import struct
import tarfile
from pathlib import Path
from typing import Any

import pytest
from support.commands import run
from support.scripts import load_script

from fwengine import native
from fwengine.errors import CaptureError
from fwengine.model import address
from fwengine.model.rules import ALLOW, DENY
from fwengine.native import Classifier, lines
from fwengine.packets.encode import encode
from fwengine.policy import Policy, loads
from fwengine.report.choice import EVERY, Choice
from fwengine.report.stream import OutcomeLines
from fwengine.report.style import Style
from fwengine.traffic.codec import Packet
from fwengine.traffic.count import iterate_batches
from fwengine.traffic.lines import NativeLines

needs_native = pytest.mark.skipif(not native.available(), reason=f"no native module: {native.why_not()}")

load_script("fuzz/frame_generator.py")  # before those that import it
generator = load_script("fuzz/capture_generator.py")
captures = load_script("fuzz/native_captures.py")

Told = tuple[bytes, int, int, list[str], str | None]

# policies that ask for different fields: what is told of a packet depends on that
POLICIES = [
    "allow tcp from any to any port { 80, 443 } as web\nallow udp from 10.0.0.0/8 to any as ten\n",
    'deny any in wan0 as "q"\nallow tcp established\nallow any from any to any in eth0 out eth1\ndeny icmp type 8\n'.replace(
        '"q"', "q"
    ),
    "allow any ttl < 64\nallow any dscp ef\nallow any length 40-100\nallow any fragment later\n",
    "allow any state established\nallow ipv6-icmp type 128\nallow icmp type 3 code 1\n".replace("ipv6-icmp", "icmpv6"),
    "default allow\n",
]


def _into(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _written(policy: Policy, form: str, chosen: Choice = EVERY, color: bool = False) -> OutcomeLines:
    return OutcomeLines(policy, form, Style(color), lambda value, indent: json.dumps(value, indent=indent), chosen)


def slowly(policy: Policy, path: Path, form: str, chosen: Choice = EVERY, first: int = 0, **stated: Any) -> Told:
    written, notes, error = _written(policy, form, chosen), list[str](), None
    out: list[str] = []
    try:
        for batch in iterate_batches(policy, path, notes=notes, **stated):
            out += [written.whole(one._replace(number=first + one.number)) for one in batch]
    except CaptureError as caught:
        error = f"{caught.code} {caught.packets}: {caught.message}"
    return _into("".join(out)), written.allowed, written.denied, notes, error


def natively(policy: Policy, path: Path, form: str, chosen: Choice = EVERY, first: int = 0, **stated: Any) -> Told:
    written, notes, error = _written(policy, form, chosen), list[str](), None
    out: list[bytes] = []
    try:
        told = NativeLines(
            Classifier(policy),
            path,
            written.words(_into),
            lambda outcome: _into(written.whole(outcome)),
            first=first,
            notes=notes,
            **stated,
        )
        try:
            out += told
        finally:
            written.count(told.told, told.denied)
    except CaptureError as caught:
        error = f"{caught.code} {caught.packets}: {caught.message}"
    return b"".join(out), written.allowed, written.denied, notes, error


def _agree(policy: Policy, path: Path, draw: random.Random, about: object) -> int:
    """Compares both ways once, under drawn options; how many bytes there were."""
    form = draw.choice(("text", "json", "jsonl"))
    chosen = draw.choice((EVERY, EVERY, Choice(DENY), Choice(ALLOW), Choice(None, frozenset({0, len(policy.rules)}))))
    stated: dict[str, Any] = {
        "inbound": draw.choice((None, None, "wan0", "", "eth0", 'o"d\\d')),
        "outbound": draw.choice((None, None, "eth1", "")),
        "state": draw.choice(("new", "established")),
        "first": draw.choice((0, 99_999, 10**12)),
    }
    want = slowly(policy, path, form, chosen, **stated)
    assert natively(policy, path, form, chosen, **stated) == want, about
    return len(want[0])


@needs_native
@pytest.mark.parametrize("runs", [range(250), pytest.param(range(250, 6_000), marks=pytest.mark.slow)])
def test_generated_captures(tmp_path: Path, runs: range) -> None:
    """Interfaces, logs, fragments, cut and damaged frames, what is not IP, damaged files: whatever the generator makes."""
    policies = [loads(text) for text in POLICIES]
    path = tmp_path / "x.pcap"
    told = 0
    for run_ in runs:
        draw = random.Random(run_)
        data = generator.generate(draw)
        if run_ % 5 == 0:
            data = captures.damaged(draw, data)
        path.write_bytes(data)
        told += _agree(draw.choice(policies), path, draw, f"run {run_}")
    assert told > 100 * len(runs)


@needs_native
def test_captures_of_others(tmp_path: Path, shared: Path) -> None:
    policies = [loads(text) for text in POLICIES]
    path = tmp_path / "x.pcap"
    with tarfile.open(shared / "data/captures/tcpdump-tests.tar.gz") as archive:
        for number, member in enumerate(archive.getmembers()):
            stream = archive.extractfile(member) if member.isfile() and number % 4 == 0 else None
            if stream is not None:
                path.write_bytes(stream.read())
                _agree(policies[number // 4 % len(policies)], path, random.Random(number), member.name)


def _pcap(frames: list[bytes], link: int = 101) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack("<IIII", 0, 0, len(one), len(one)) + one for one in frames)


@needs_native
def test_addresses_are_written_as_everywhere(tmp_path: Path) -> None:
    """All shapes of IPv6 addresses: runs of zeros anywhere, and those that hold an IPv4 address."""
    draw = random.Random(6)
    policy = loads("allow udp\nallow any\n")
    pairs = []
    for _ in range(3000):
        groups = [draw.choice((0, 0, 0, 1, 0xF, 0xFF, 0xABC, 0xFFFF, draw.randrange(1 << 16))) for _ in range(8)]
        value = sum(group << 16 * k for k, group in enumerate(groups))
        pairs.append((value, draw.choice((0, 1, 0xFFFF << 32 | value & 0xFFFFFFFF, value >> 64))))
    packets = [Packet(6, draw.choice((6, 17, 58, 47, 132)), src, dst) for src, dst in pairs]
    path = tmp_path / "six.pcap"
    path.write_bytes(_pcap([encode(packet, "ip") for packet in packets]))
    out = natively(policy, path, "jsonl")
    assert out == slowly(policy, path, "jsonl")
    texts = [json.loads(line)["packet"] for line in out[0].decode().splitlines()]
    for (src, _), text in zip(pairs, texts, strict=True):
        shown = address.show(address.to_point(6, src))
        assert text.split()[1] in (shown, f"[{shown}]") or text.split()[1].startswith(f"[{shown}]:")


@needs_native
def test_of_more_interfaces_than_are_tabled_each_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_TABLED", 3)
    block = load_script("tests/native/test_native_capture.py").block
    parts = [load_script("tests/native/test_native_capture.py").SECTION]
    frame = encode(Packet(4, 17, 1, 2, sport=1, dport=2), "ip")
    for n in range(9):
        name = f"eth{n}".encode()
        options = struct.pack("<HH", 2, len(name)) + name + bytes(-len(name) % 4) + bytes(4)
        parts.append(block(1, struct.pack("<HHI", 101, 0, 0) + options))
        parts += [block(6, struct.pack("<IIIII", n, 0, 0, len(frame), len(frame)) + frame)] * 2
    path = tmp_path / "many.pcapng"
    path.write_bytes(b"".join(parts))
    policy = loads("allow any in eth7\n")
    assert natively(policy, path, "text") == slowly(policy, path, "text")
    assert b" in eth8" in natively(policy, path, "text")[0]


@needs_native
def test_without_the_native_module_it_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, path = tmp_path / "p.fwl", tmp_path / "x.pcap"
    policy.write_text(POLICIES[0])
    path.write_bytes(_pcap([encode(Packet(4, 6, 1, n, sport=9, dport=80, flags=2), "ip") for n in range(6000)]))
    here = run("eval", policy, "-r", path, "--per-packet")
    monkeypatch.setattr(native, "available", lambda: False)
    assert run("eval", policy, "-r", path, "--per-packet") == here
    assert run("eval", policy, "-r", path, "--per-packet", "--engine", "native").code == 2


@needs_native
@pytest.mark.parametrize("form", ["text", "json", "jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "utf-16-le"])
def test_the_command_says_the_same_with_both_engines(tmp_path: Path, form: str, encoding: str) -> None:
    policy, path, other = tmp_path / "p.fwl", tmp_path / "x.pcap", tmp_path / "y.pcap"
    policy.write_text("allow tcp to any port 80 as web\ndeny any in wan0 as gone\n")
    path.write_bytes(_pcap([encode(Packet(4, 6, 1, 2, sport=9, dport=80, flags=2), "ip"), b"\x45", b"\x00" * 20]))
    other.write_bytes(generator.generate(random.Random(8)))
    for options in ((), ("--only", "deny"), ("--rule", "web"), ("--color", "always"), ("--expect", "deny")):
        asked = ("eval", policy, "-r", path, "-r", other, "--per-packet", "--format", form, *options)
        with_tree = run(*asked, "--engine", "tree", encoding=encoding)
        assert run(*asked, "--engine", "native", encoding=encoding) == with_tree, options
        assert run(*asked, encoding=encoding) == with_tree
