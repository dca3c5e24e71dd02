"""Damaged captures: whatever the bytes are, the reader and the decoder keep their promises.

    python fuzz/damage.py [--runs 10000] [--seed 0] [--keep FOLDER] [CAPTURE ...]

The invariant: a file with 2 % of its bytes replaced, or cut off anywhere, or both, gives records and then at most one
`CaptureError`, within seconds; each record has a point that is a packet, or a class; the fast path of the decoder agrees with
the long way; a file that is only cut gives a prefix of the whole file's records; a policy's counts add up.

Without captures on the command line it damages the reference captures beside the checkout, and always some of our
own. What breaks the invariant is written to `--keep` and ends the run with exit code 1: such a file belongs into a test.
"""

from __future__ import annotations

import argparse
import gzip
import io
import random
import sys
import tarfile
import tempfile
import traceback
from pathlib import Path

from target import hanging

from fwengine.errors import CaptureError
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, ICMPV6
from fwengine.model.interval import IntervalSet
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY, Rule
from fwengine.packets.capture import Record, open_capture
from fwengine.packets.encode import write_pcap, write_pcapng
from fwengine.packets.wire import decode, decode_any
from fwengine.policy import Policy
from fwengine.traffic.count import evaluate_capture

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data" / "captures" / "tcpdump-tests.tar.gz"
CLASSES = ("not-ip", "malformed", "truncated", "tiny-fragment")
MOST = 100_000  # bytes of a capture that are used

POLICY = Policy(
    (
        Rule(ALLOW, (Box.of({DPORT: IntervalSet.of((0, 1023))}),), "low"),
        Rule(DENY, (Box.of({DPORT: IntervalSet.of((1024, 65535))}),), "high"),
    )
)


def own_captures() -> list[bytes]:
    """Small captures of every kind that we write, plain and compressed."""
    packets = [
        Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=80, in_interface="wan0"),
        Packet.of("udp", "2001:db8::1", "2001:db8::2", sport=53, dport=4000, out_interface="lan0"),
        Packet.of("icmp", "10.0.0.1", "10.0.0.2", icmp_type=8, icmp_code=0),
        Packet(6, ICMPV6, 1, 2, fragment="later"),
        Packet.of("tcp", "2001:db8::1", "2001:db8::2", fragment="first"),
    ]
    out = []
    for link in ("ip", "ethernet"):
        for write in (write_pcap, write_pcapng):
            stream = io.BytesIO()
            write(stream, packets, link)
            out += [stream.getvalue(), gzip.compress(stream.getvalue(), mtime=0)]
    return out


def reference_captures() -> list[bytes]:
    if not REFERENCE.exists():
        return []
    with tarfile.open(REFERENCE) as archive:
        members = [archive.extractfile(member) for member in archive.getmembers() if ".pcap" in member.name]
        return [member.read(MOST) for member in members if member is not None]


def damage(whole: bytes, chance: random.Random) -> tuple[bytes, bool]:
    """The damaged file, and whether it was only cut."""
    kind = chance.randrange(3)
    data = bytearray(whole)
    if kind != 0:
        for _ in range(max(1, len(data) // 50)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    if kind != 1:
        del data[chance.randrange(len(data)) :]
    return bytes(data), kind == 0


def records_of(file: Path) -> list[Record]:
    records: list[Record] = []
    told = None
    try:
        with open_capture(file) as capture:
            records.extend(capture)
    except CaptureError as error:
        told = error.packets
    assert told in (None, len(records)), "the error counts other packets than were given"
    return records


def check(file: Path, data: bytes, whole: list[Record] | None) -> None:
    """Raises whatever the damaged file brings about, and AssertionError where a promise is broken."""
    file.write_bytes(data)
    records = records_of(file)
    for frame, wire_length, link, *_ in records:
        found = decode(frame, link, wire_length)
        assert found == decode_any(frame, link, wire_length), "the fast path of the decoder disagrees"
        if isinstance(found, tuple):
            assert Packet.from_point(found).point == found, "a point that is no packet"
        else:
            assert found in CLASSES, "an undeclared class"
    report = evaluate_capture(POLICY, file)
    assert report.packets == len(records) == report.allow + report.deny + report.not_ip, "the counts do not add up"
    ruled = sum(row.packets for row in report.rules)
    classed = report.malformed + report.truncated + report.tiny_fragment + report.several + report.not_ip
    assert ruled + classed == report.packets, "a packet is lost"
    assert whole is None or records == whole[: len(records)], "a cut file gives other records than the whole"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("captures", nargs="*", type=Path, metavar="CAPTURE")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path())
    options = parser.parse_args()
    given = [file.read_bytes()[:MOST] for file in options.captures] or reference_captures()
    captures = [data for data in [*own_captures(), *given] if data]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "capture"
        wholes: list[list[Record]] = []
        for data in captures:
            file.write_bytes(data)
            wholes.append(records_of(file))
        for run in range(options.seed, options.seed + options.runs):
            number = run % len(captures)
            data, cut = damage(captures[number], random.Random(run))
            try:
                with hanging():
                    check(file, data, wholes[number] if cut else None)
            except Exception:
                failures += 1
                kept = options.keep / f"damage-{run}.capture"
                kept.write_bytes(data)
                print(f"run {run}, kept as {kept}:\n{traceback.format_exc()}", file=sys.stderr)
    print(f"{options.runs:,} runs over {len(captures)} captures, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
