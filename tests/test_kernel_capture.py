"""Captures counted natively: the same counts, classes and errors as the Python decoder's, however the bytes come."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import pytest
from scripts import load_script

from fwengine import kernel
from fwengine.address import V6_BASE
from fwengine.box import Box
from fwengine.errors import CaptureError
from fwengine.header import DPORT, FLAGS, IN, OUT, PROTOCOL, SRC, STATE, TOPS, TYPE, interface_number
from fwengine.interval import IntervalSet
from fwengine.kernel import Classifier
from fwengine.policy import ALLOW, DENY, Policy, decide, rules_of

needs_native = pytest.mark.skipif(not kernel.available(), reason=f"no native module: {kernel.why_not()}")
single = IntervalSet.single


captures = load_script("fuzz/kernel_captures.py")


class Chunks(io.BytesIO):
    """Bytes that come in chunks of a size."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what a capture is read with
        return super().readinto(buffer[: self._size])


@pytest.fixture(scope="module")
def files(shared: Path) -> dict[str, bytes]:
    with tarfile.open(shared / "data/captures/tcpdump-tests.tar.gz") as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        found: dict[str, bytes] = {}
        for member in members:
            stream = archive.extractfile(member)
            assert stream is not None
            found[member.name] = stream.read()
    return found


@needs_native
def test_both_decoders_agree_on_every_packet_of_every_capture(files: dict[str, bytes]) -> None:
    packets = 0
    for name, data in files.items():
        want = captures.by_python(data, 1 << 18)
        assert captures.natively(data, 1 << 18) == want, name
        packets += len(want[0])
    assert packets > 10_000


@needs_native
def test_both_decoders_agree_on_damaged_captures(files: dict[str, bytes]) -> None:
    import random

    small = [data for data in files.values() if 0 < len(data) < 20_000]
    for run in range(1500):
        draw = random.Random(run)
        data = captures.damaged(draw, draw.choice(small))
        chunk = draw.choice((64, 1000, 1 << 18))
        assert captures.natively(data, chunk) == captures.by_python(data, 1 << 18), run


@needs_native
def test_every_cut_of_a_capture_gives_a_prefix(files: dict[str, bytes]) -> None:
    for data in sorted(files.values(), key=len)[:12]:
        whole, _ = captures.natively(data, 1 << 18)
        for end in range(len(data)):
            part, _ = captures.natively(data[:end], 1 << 18)
            assert part == whole[: len(part)]


@needs_native
@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("engine", kernel.engines())
def test_counts_per_rule_are_those_of_the_python_decoder_and_decide(
    files: dict[str, bytes], engine: str, jobs: int
) -> None:
    policy = Policy(rules_of([
        (ALLOW, Box.of({PROTOCOL: single(6), DPORT: IntervalSet(((0, 1023),))})),
        (DENY, Box.of({FLAGS: IntervalSet(((16, 31),))})),
        (ALLOW, Box.of({SRC: IntervalSet(((V6_BASE, TOPS[SRC]),))})),
        (ALLOW, Box.of({TYPE: single(8)})),
    ]))  # fmt: skip
    classifier = Classifier(policy, engine)
    for name, data in list(files.items())[::4]:
        answers, error = captures.by_python(data, 1 << 18)
        packets, octets = [0] * 8, [0] * 8
        for found, wire in answers:
            row = 5 + kernel.capture.CLASSES.index(found) if isinstance(found, str) else decide(policy, found).index
            assert row is not None
            packets[row] += 1
            octets[row] += wire
        got = kernel.count_capture(classifier, Chunks(data, 5000), jobs=jobs)
        assert (list(got.packets), list(got.octets)) == (packets, octets), name
        assert (None if got.error is None else f"{got.error.code} {got.error.packets}") == error


@needs_native
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_goes_wrong_with_reading_comes_behind_the_packets_before_it(files: dict[str, bytes], jobs: int) -> None:
    classifier = Classifier(Policy(()))

    class Broken(Chunks):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as above
            read = super().readinto(buffer)
            if not read:
                raise CaptureError("FW906", "x", "broken")
            return read

    for data in [data for data in files.values() if 2000 < len(data) < 6000][:40]:
        for end in (100, 1000, 1999):
            for size in (77, 512, 4096):
                got = kernel.count_capture(classifier, Broken(data[:end], size), jobs=jobs)
                want, _ = captures.by_python(data[:end], 1 << 18)
                assert sum(got.packets) == len(want)
                assert got.error is not None
                assert got.error.code == "FW906"


RECORD = bytes(8) + (60).to_bytes(4, "little") * 2 + bytes(60)
HEADER = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")


class Endless(io.RawIOBase):
    """A capture of ever more packets, and how many bytes of it were read."""

    def __init__(self, limit: int, at_limit: Exception | None) -> None:
        self.limit, self.at_limit, self.given = limit, at_limit, 0

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as above
        if self.given >= self.limit:
            if self.at_limit:
                raise self.at_limit
            return 0
        data = HEADER if not self.given else RECORD * (len(buffer) // len(RECORD))
        buffer[: len(data)] = data
        self.given += len(data)
        return len(data)


@needs_native
@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_an_error_of_the_stream_or_an_interrupt_ends_all_threads(jobs: int) -> None:
    classifier = Classifier(Policy(()))
    with pytest.raises(OSError, match="gone"):
        kernel.count_capture(classifier, Endless(5 << 20, OSError("gone")), jobs=jobs)
    stream = Endless(1 << 33, None)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kernel.count_capture(classifier, stream, jobs=jobs, progress=interrupt)
    assert stream.given < 1 << 30


@needs_native
def test_all_cores_count_every_packet_once() -> None:
    stream = Endless(40 << 20, None)
    got = kernel.count_capture(Classifier(Policy(())), stream, jobs=3)
    assert got.error is None
    assert sum(got.packets) == (stream.given - len(HEADER)) // len(RECORD)


@needs_native
def test_a_block_longer_than_all_that_is_read_at_a_time() -> None:
    def block(kind: int, body: bytes) -> bytes:
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    head = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 101, 0, 0))
    packet = block(
        6, struct.pack("<IIIII", 0, 0, 0, 20, 20) + bytes.fromhex("4500001400000000406300000a0000010a000002")
    )
    data = head + packet + block(0xBAD, bytes(5 << 20)) + packet
    for size in (7777, 1 << 18, 1 << 30):
        got = kernel.count_capture(Classifier(Policy(())), Chunks(data, size))
        assert (got.packets, got.error) == ((2, 0, 0, 0), None)
    short = kernel.count_capture(Classifier(Policy(())), io.BytesIO(data[: 3 << 20]))
    assert short.packets[0] == 1
    assert short.error is not None
    assert short.error.code == "FW902"


@needs_native
def test_stated_interfaces_and_state_take_the_place_of_the_recorded() -> None:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    ip = bytes.fromhex("45000014000000004063 0000 0a000001 0a000002")
    data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += block(1, struct.pack("<HHI", 101, 0, 0) + struct.pack("<HH", 2, 4) + b"wan0" + bytes(4))
    for options in (b"", struct.pack("<HHI", 2, 4, 1), struct.pack("<HHI", 2, 4, 2)):
        data += block(6, struct.pack("<IIIII", 0, 0, 0, 20, 20) + ip + options)
    wan, lan = interface_number("wan0"), interface_number("lan0")
    policy = Policy(rules_of([
        (ALLOW, Box.of({IN: single(wan), STATE: single(0)})),
        (ALLOW, Box.of({OUT: single(wan)})),
        (ALLOW, Box.of({IN: single(lan)})),
        (ALLOW, Box.of({STATE: single(1)})),
    ]))  # fmt: skip
    classifier = Classifier(policy)
    recorded = kernel.count_capture(classifier, io.BytesIO(data))
    assert recorded.packets == (2, 1, 0, 0, 0, 0, 0, 0)
    assert recorded.inbound == recorded.outbound == frozenset({"wan0"})
    assert recorded.links == frozenset({101})
    assert kernel.count_capture(classifier, io.BytesIO(data), inbound="lan0").packets == (0, 1, 2, 0, 0, 0, 0, 0)
    assert kernel.count_capture(classifier, io.BytesIO(data), outbound="").packets == (2, 0, 0, 0, 1, 0, 0, 0)
    assert kernel.count_capture(classifier, io.BytesIO(data), state=1).packets == (0, 1, 0, 2, 0, 0, 0, 0)


@needs_native
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FW901"),
        (b"hello", "FW901"),
        (b"snoop\0\0\0", "FW904"),
        (b"\xd4\xc3\xb2\xa1", "FW902"),
        (b"\n\r\r\n", "FW902"),
    ],
)
def test_what_is_no_capture_is_told_by_its_code(data: bytes, code: str) -> None:
    got = kernel.count_capture(Classifier(Policy(())), io.BytesIO(data))
    assert isinstance(got.error, CaptureError)
    assert got.error.code == code
    assert sum(got.packets) == 0
