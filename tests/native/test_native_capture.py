"""Captures counted natively: the same counts, classes and errors as the Python decoder's, however the bytes come."""

from __future__ import annotations

import gc
import io
import random
import re
import struct
import tarfile
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.scripts import load_script

from fwengine import native
from fwengine.errors import CaptureError
from fwengine.model.address import V6_BASE
from fwengine.model.box import Box
from fwengine.model.fields import (
    DPORT,
    FLAGS,
    FRAGMENT,
    IN,
    OUT,
    PROTOCOL,
    SRC,
    STATE,
    STEPPED_THROUGH,
    TOPS,
    TYPE,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, rules_of
from fwengine.model.ruleset import decide
from fwengine.native import Classifier, capture
from fwengine.native.walk import Frames
from fwengine.packets.capture import Capture
from fwengine.packets.links import find, is_supported, locate
from fwengine.packets.logs import recorded
from fwengine.packets.tags import STEPPED_THROUGH as TAGS
from fwengine.packets.wire import decode, known
from fwengine.policy import Policy

needs_native = pytest.mark.skipif(not native.available(), reason=f"no native module: {native.why_not()}")
single = IntervalSet.single

load_script("fuzz/frame_generator.py")  # before those that import it
generator = load_script("fuzz/capture_generator.py")
captures = load_script("fuzz/native_captures.py")


def block(kind: int, body: bytes) -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
IP = bytes.fromhex("45000014000000004063 0000 0a000001 0a000002")


def interface(link: int) -> bytes:
    """The description of interface wan0."""
    return block(1, struct.pack("<HHI", link, 0, 0) + struct.pack("<HH", 2, 4) + b"wan0" + bytes(4))


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
    small = [data for data in files.values() if 0 < len(data) < 20_000]
    for run in range(1500):
        draw = random.Random(run)
        data = captures.damaged(draw, draw.choice(small))
        chunk = draw.choice((64, 1000, 1 << 18))
        assert captures.natively(data, chunk) == captures.by_python(data, 1 << 18), run


def assert_generated_agree(runs: range) -> None:
    for run in runs:
        draw = random.Random(run)
        data = generator.generate(draw)
        found = captures.compare(draw, data)
        assert not found, f"run {run}: {found}\n{data.hex()}"


@needs_native
def test_both_decoders_agree_on_generated_captures() -> None:
    assert_generated_agree(range(2000))


@needs_native
@pytest.mark.slow
def test_both_decoders_agree_on_many_generated_captures() -> None:
    assert_generated_agree(range(100_000, 160_000))


@needs_native
def test_counts_names_kinds_and_actions_of_generated_captures() -> None:
    classifier = Classifier(Policy(()))
    for run in range(20_000, 21_000):
        data = generator.generate(random.Random(run))
        packets, octets = [0] * 7, [0] * 7
        inbound, outbound = {""}, {""}
        kinds: Counter[int | str | tuple[int, int]] = Counter()
        done = [[0, 0] for _ in range(7)]
        try:
            with Capture(captures.Memory(data, 1 << 18)) as capture:
                for frame, wire, link, inside, outside, _ in capture:
                    found = decode(frame, link, wire)
                    row = 1 + native.capture.CLASSES.index(found) if isinstance(found, str) else 0
                    if found == "truncated" and known(frame, link, wire) is not None:
                        row = 0  # whatever it may be
                        packets[6] += 1
                        octets[6] += wire
                    packets[row] += 1
                    octets[row] += wire
                    inbound.add(inside)
                    outbound.add(outside)
                    if row == 1:
                        kinds[find(frame, link, max(wire, len(frame)))] += 1
                    action = recorded(frame, link).action if link == 117 else ""
                    if action:
                        done[row][action == "block"] += 1
        except CaptureError:
            pass
        stream = captures.Memory(data, 400)
        got = native.count_capture(
            classifier,
            stream,
            jobs=1 + run % 2,
            cut=lambda data, link, wire, *_: 3 if known(data, link, wire) is None else 0,
        )
        assert (list(got.packets), list(got.octets)) == (packets, octets), run
        assert (set(got.inbound), set(got.outbound)) == (inbound - {""}, outbound - {""}), run
        assert (got.kinds, [list(row) for row in got.recorded]) == (kinds, done), run


def features(data: bytes) -> Iterator[str]:
    """What the Python decoder tells apart in a capture."""
    try:
        for frame, wire, link, inside, outside, _ in Capture(captures.Memory(data, 1 << 18)):
            found = decode(frame, link, wire)
            yield f"link {link} {'decoded' if isinstance(found, tuple) else found}"
            yield from (f"{link} {way}" for way, name in (("in", inside), ("out", outside)) if name)
            if isinstance(found, str):
                kind = find(frame, link, max(wire, len(frame)))
                if isinstance(kind, int):
                    yield f"kind {kind >> 16}"
                continue
            place = locate(frame, link, wire)
            assert not isinstance(place, str)
            at = place[1]
            family = 4 if found[SRC] < V6_BASE else 6
            yield f"IPv{family} fragment {found[FRAGMENT]}"
            yield f"IPv{family} protocol {found[PROTOCOL]}"
            if family == 6:
                yield f"extension {frame[at + 6]}"
            if link == 1:
                kind = int.from_bytes(frame[12:14], "big")
                yield f"ethertype {kind:#x}" if kind > 1500 else f"LLC {frame[14]:#x}"
    except CaptureError as error:
        yield error.code
        yield re.sub(r"\d+(,\d{3})*", "N", re.sub(r"^(behind )?packet [\d,]+: ", "", error.message))


ERRORS = {
    "FW901", "FW902", "FW903", "FW904", "neither pcap nor pcapng", "the file is empty", "pcap version N.N is not known",
    "pcapng version N.N is not known", "the file ends inside its header", "the file ends inside a record",
    "the file ends inside a block", "N captured bytes are more than N", "N captured bytes do not fit into their block",
    "a block of N bytes",
    "a section header without the byte-order magic", "the lengths at the two ends of a block differ",
    "a packet of interface N, which is not described", "an option that does not fit into its block",
    "an interface name of more than N bytes", "a time resolution or offset of an impossible size",
}  # fmt: skip


def test_generated_captures_reach_all_that_the_decoder_tells_apart() -> None:
    links = [link for link in range(0x10000) if is_supported(link)]
    raw = {8, 14, 101, 228, 229}
    want = ERRORS | {f"link {link} {how}" for link in links for how in ("decoded", "malformed", "truncated")}
    want |= {f"link {link} not-ip" for link in (*links, 165, 0xFFFF) if link not in raw}
    want |= {f"{link} {way}" for link in links if link != 239 for way in ("in", "out")}  # NFLOG has no names
    want |= {f"kind {kind}" for kind in range(20)}
    want |= {f"IPv{family} fragment {fragment}" for family in (4, 6) for fragment in (0, 1, 2)}
    want |= {f"IPv{family} protocol {number}" for family in (4, 6) for number in (1, 6, 17, 33, 47, 58, 132, 136)}
    want |= {f"extension {number}" for number in STEPPED_THROUGH}
    want |= {f"ethertype {kind:#x}" for kind in TAGS}
    want |= {"LLC 0x6", "LLC 0xaa", "LLC 0xfe"}
    for run in range(12_000):
        if not want:
            break
        want.difference_update(features(generator.generate(random.Random(run))))
    assert not want


RECEIVED, SENT, END = 0, 4, bytes(4)  # packet types of cooked headers; the end of options


def flags(direction: int) -> bytes:
    return struct.pack("<HHI", 2, 4, direction)


@pytest.mark.parametrize("decoder", ["by_python", pytest.param("natively", marks=needs_native)])
@pytest.mark.parametrize("link", [113, 276])
@pytest.mark.parametrize(
    ("options", "received", "sent"),
    [
        (b"", IN, OUT),
        (END, IN, OUT),
        (END + flags(2), IN, OUT),
        (flags(0), IN, OUT),
        (flags(0) + END, IN, OUT),
        (flags(1) + END, IN, IN),
        (flags(2), OUT, OUT),
        (flags(2) + END, OUT, OUT),
        (struct.pack("<HHI", 2, 2, 2), IN, OUT),  # of another length than flags have
    ],
)
def test_flags_tell_where_a_packet_went_and_else_its_cooked_header(
    decoder: str, link: int, options: bytes, received: int, sent: int
) -> None:
    wan = interface_number("wan0")
    for way, expected in (RECEIVED, received), (SENT, sent):
        cooked = struct.pack(">HHH8sH", way, 1, 6, bytes(8), 0x800)
        if link == 276:
            cooked = struct.pack(">HHIHBB8s", 0x800, 0, 1, 1, way, 6, bytes(8))
        data = cooked + IP
        blocks = [
            (6, struct.pack("<IIIII", 0, 0, 0, len(data), len(data)), expected),
            (2, struct.pack("<HHIIII", 0, 0, 0, 0, len(data), len(data)), expected),
            (3, struct.pack("<I", len(data)), IN if way == RECEIVED else OUT),  # which has no options
        ]
        for kind, head, field in blocks:
            capture = SECTION + interface(link) + block(kind, head + data + options)
            answers, error = getattr(captures, decoder)(capture, 1 << 18)
            assert error is None
            ((point, _),) = answers
            assert (point[IN], point[OUT]) == ((wan, 0) if field == IN else (0, wan)), (kind, way)


@needs_native
def test_every_cut_of_a_capture_gives_a_prefix(files: dict[str, bytes]) -> None:
    for data in sorted(files.values(), key=len)[:12]:
        whole, _ = captures.natively(data, 1 << 18)
        for end in range(len(data)):
            part, _ = captures.natively(data[:end], 1 << 18)
            assert part == whole[: len(part)]


@needs_native
@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("engine", native.engines())
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
        packets, octets = [0] * 9, [0] * 9
        for found, wire in answers:
            if isinstance(found, tuple):
                row = decide(policy, found).index
            else:
                row = 5 + (native.capture.CLASSES.index(found) if isinstance(found, str) else 0)
            assert row is not None
            packets[row] += 1
            octets[row] += wire
        # what is truncated is the subject of tests/traffic/test_cut.py: here it is left where it belongs by its class
        whole = native.count_capture(classifier, Chunks(data, 5000), jobs=jobs)
        if not whole.packets[-1]:
            assert (list(whole.packets[:9]), list(whole.octets[:9])) == (packets, octets), name
        got = native.count_capture(classifier, Chunks(data, 5000), jobs=jobs, cut=lambda *_: 7)
        assert sum(got.packets[:-1]) == len(answers)
        assert got.packets[5:7] + got.packets[8:9] == (packets[5], packets[6], packets[8]), name
        told = None if got.error is None else f"{got.error.code} {got.error.packets}: {got.error.message}"
        assert told == error or name.endswith("LICENSE")


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
                got = native.count_capture(classifier, Broken(data[:end], size), jobs=jobs)
                want, _ = captures.by_python(data[:end], 1 << 18)
                assert sum(got.packets[:-1]) == len(want)
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
        native.count_capture(classifier, Endless(5 << 20, OSError("gone")), jobs=jobs)
    stream = Endless(1 << 33, None)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        native.count_capture(classifier, stream, jobs=jobs, progress=interrupt)
    assert stream.given < 1 << 30


@needs_native
def test_all_cores_count_every_packet_once() -> None:
    stream = Endless(40 << 20, None)
    got = native.count_capture(Classifier(Policy(())), stream, jobs=3)
    assert got.error is None
    assert sum(got.packets[:-1]) == (stream.given - len(HEADER)) // len(RECORD)


@needs_native
def test_a_block_longer_than_all_that_is_read_at_a_time() -> None:
    packet = block(6, struct.pack("<IIIII", 0, 0, 0, 20, 20) + IP)
    data = SECTION + interface(101) + packet + block(0xBAD, bytes(5 << 20)) + packet
    for size in (7777, 1 << 18, 1 << 30):
        got = native.count_capture(Classifier(Policy(())), Chunks(data, size))
        assert (got.packets, got.error) == ((2, 0, 0, 0, 0, 0, 0), None)
    short = native.count_capture(Classifier(Policy(())), io.BytesIO(data[: 3 << 20]))
    assert short.packets[0] == 1
    assert short.error is not None
    assert short.error.code == "FW902"


@needs_native
def test_stated_interfaces_and_state_take_the_place_of_the_recorded() -> None:
    data = SECTION + interface(101)
    for options in (b"", struct.pack("<HHI", 2, 4, 1), struct.pack("<HHI", 2, 4, 2)):
        data += block(6, struct.pack("<IIIII", 0, 0, 0, 20, 20) + IP + options)
    wan, lan = interface_number("wan0"), interface_number("lan0")
    policy = Policy(rules_of([
        (ALLOW, Box.of({IN: single(wan), STATE: single(0)})),
        (ALLOW, Box.of({OUT: single(wan)})),
        (ALLOW, Box.of({IN: single(lan)})),
        (ALLOW, Box.of({STATE: single(1)})),
    ]))  # fmt: skip
    classifier = Classifier(policy)
    none = [0] * 6
    given = native.count_capture(classifier, io.BytesIO(data))
    assert given.packets == (2, 1, 0, 0, 0, *none)
    assert given.inbound == given.outbound == frozenset({"wan0"})
    assert native.count_capture(classifier, io.BytesIO(data), inbound="lan0").packets == (0, 1, 2, 0, 0, *none)
    assert native.count_capture(classifier, io.BytesIO(data), outbound="").packets == (2, 0, 0, 0, 1, *none)
    assert native.count_capture(classifier, io.BytesIO(data), state=1).packets == (0, 1, 0, 2, 0, *none)


@needs_native
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FW901"),
        (b"hello", "FW901"),
        (b"snoop\0\0\0", "FW901"),  # whoever opens files says more
        (b"\xd4\xc3\xb2\xa1", "FW902"),
        (b"\n\r\r\n", "FW902"),
    ],
)
def test_what_is_no_capture_is_told_by_its_code(data: bytes, code: str) -> None:
    got = native.count_capture(Classifier(Policy(())), io.BytesIO(data))
    assert isinstance(got.error, CaptureError)
    assert got.error.code == code
    assert sum(got.packets) == 0


@needs_native
def test_damage_keeps_no_piece_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error's traceback holds frames, which held the error: megabytes for each damaged capture, until they are looked for."""
    made: list[weakref.ref[Frames]] = []

    class Kept(Frames):
        def __init__(self) -> None:
            super().__init__()
            made.append(weakref.ref(self))

    monkeypatch.setattr(capture, "Frames", Kept)
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<4I", 0, 0, 60, 60) + b"cut off"
    gc.disable()
    try:
        with suppress(CaptureError):
            list(capture.decode_capture(io.BytesIO(data)))
        counted = native.count_capture(Classifier(Policy(rules_of([(ALLOW, Box.of({}))]))), io.BytesIO(data))
        assert counted.error is not None
        assert made
        assert [one() for one in made] == [None] * len(made)
    finally:
        gc.enable()
