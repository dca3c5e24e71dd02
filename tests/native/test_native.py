"""The native classifier and decoder: the same answers as `decide`, the tree and the Python decoder, whatever the engine."""

from __future__ import annotations

import io
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.paths import ROOT
from support.scripts import load_script

from fwengine import native
from fwengine.errors import LimitError
from fwengine.model.address import V6_BASE
from fwengine.model.box import Box
from fwengine.model.fields import (
    DPORT,
    DST,
    FLAGS,
    FULL,
    IN,
    OUT,
    PORTS,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TOPS,
    TYPE,
    Point,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, Rule, rules_of
from fwengine.model.ruleset import decide
from fwengine.native import Classifier, encode
from fwengine.policy import Policy

needs_native = pytest.mark.skipif(not native.available(), reason=f"no native module: {native.why_not()}")
ENGINES = ("tree", *native.engines())
single = IntervalSet.single


differential = load_script("fuzz/native_differential.py")

IP = (0, 64, 84)  # dscp, ttl, length


def tcp(src: int, dst: int, sport: int = 1, dport: int = 1, flags: int = 0, **other: int) -> Point:
    return (6, src, dst, sport, dport, 256, 256, flags, other.get("fragment", 0), other.get("inside", 0), 0, 0, *IP)


def check(policy: Policy, points: Sequence[Point]) -> None:
    want = [decide(policy, point).index for point in points]
    for engine in ENGINES:
        assert Classifier(policy, engine).index_points(points) == want, engine


# --- what is here -----------------------------------------------------------------------------------------------------


def test_why_not_speaks_exactly_when_the_module_is_absent() -> None:
    assert native.available() == (native.why_not() is None)
    assert bool(native.engines()) == native.available()


def test_an_engine_that_is_not_here_is_refused() -> None:
    with pytest.raises(ValueError, match="no engine `turbo` here: one of auto, tree"):
        Classifier(Policy(()), "turbo")


def test_without_the_native_module_the_tree_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fwengine.native.module.native", None)
    monkeypatch.setattr("fwengine.native.columns.native", None)
    monkeypatch.setattr("fwengine.native.capture.native", None)
    assert not native.available()
    assert native.engines() == ()
    classifier = Classifier(Policy(rules_of([(ALLOW, Box.of({DPORT: single(80)}))])))
    assert classifier.engine == "tree"
    assert classifier.tables == ()
    assert classifier.index_points([tcp(1, 2, dport=80), tcp(1, 2)]) == [0, 1]
    with pytest.raises(LimitError, match="natively only"):
        native.count_capture(classifier, io.BytesIO())
    with pytest.raises(LimitError, match="not here"):
        list(native.decode_capture(io.BytesIO()))


# --- against the definition -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_every_engine_agrees_with_decide(seed: int) -> None:
    assert differential.disagreement(seed, (1, 3, 8, 20)[seed % 4], 300) is None


@pytest.mark.parametrize("seed", range(100, 130))
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_hulls_with_exact_checks_agree_with_decide(seed: int, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "ENTRIES", 0)
    monkeypatch.setattr(encode, "EACH", limit)
    assert differential.disagreement(seed, 12, 200) is None


@pytest.mark.slow
def test_larger_policies_agree_with_decide() -> None:
    for seed in range(
        1000, 1012
    ):  # of 200 such rules, with conditions on all fields, nearly all exceed the limit of classes
        assert differential.disagreement(seed, 60, 400) is None


@pytest.mark.parametrize("name", ["acl1_1k", "fw1_1k", "ipc1_1k"])
@pytest.mark.parametrize("engine", ENGINES)
def test_classbench_traces_are_decided_as_they_say(name: str, engine: str, shared: Path) -> None:
    sys.path.insert(0, str(ROOT / "bench"))
    from classbench import load_policy, load_trace

    policy = load_policy(name)
    trace = load_trace(name, len(policy.rules), 3000 if engine == "tree" else 100_000)
    assert Classifier(policy, engine).classify(**trace.columns) == trace.truth


# --- corners ----------------------------------------------------------------------------------------------------------


def test_the_empty_policy_leaves_all_to_the_default() -> None:
    check(Policy(()), [tcp(0, 0), tcp(V6_BASE, V6_BASE), tcp(2**32 - 1, 0)])


def test_rules_that_are_empty_or_expired_do_not_match() -> None:
    import datetime

    day = datetime.date(2026, 1, 2)
    rules = (
        Rule(ALLOW, ()),
        Rule(ALLOW, (Box.of({SRC: IntervalSet()}),)),
        Rule(ALLOW, (Box(FULL),), until=datetime.date(2026, 1, 1)),
        Rule(DENY, (Box(FULL),), until=day),
    )
    check(Policy(rules, as_of=day), [tcp(1, 1), tcp(V6_BASE + 1, V6_BASE)])


def test_the_ends_of_every_domain() -> None:
    ends = [
        (ALLOW, Box.of({SRC: single(0), DPORT: single(65535)})),
        (ALLOW, Box.of({SRC: single(2**32 - 1), DPORT: single(0)})),
        (ALLOW, Box.of({SRC: single(V6_BASE), SPORT: single(0)})),
        (ALLOW, Box.of({SRC: single(TOPS[SRC]), SPORT: single(65535)})),
    ]
    points = [
        tcp(src, 7 if src < V6_BASE else V6_BASE + 7, sport, dport)
        for src in (0, 1, 2**32 - 1, V6_BASE, V6_BASE + 1, TOPS[SRC] - 1, TOPS[SRC])
        for sport in (0, 1, 65535)
        for dport in (0, 1, 65535)
    ]
    check(Policy(rules_of(ends)), points)


def test_ipv6_intervals_that_are_no_prefixes() -> None:
    base = V6_BASE + (0x20010DB8 << 96)
    cuts = [base, base + 1, base + 2**32 - 1, base + 2**64 + 5, base + 2**96 - 1, base + 2**96 + 2**70]
    rules = [(ALLOW, Box.of({DST: IntervalSet(((a, b),))})) for a in cuts for b in reversed(cuts) if a < b]
    check(Policy(rules_of(rules)), [tcp(base, c + d) for c in cuts for d in (-1, 0, 1, 77, 2**40)])


def test_a_condition_on_an_absent_field_is_false_and_so_is_its_negation() -> None:
    rules = rules_of([(ALLOW, Box.of({DPORT: single(80)})), (ALLOW, Box.of({DPORT: PORTS - single(80)}))])
    ping = (1, 1, 2, 65536, 65536, 8, 0, 256, 0, 0, 0, 0, *IP)
    later = (6, 1, 2, 65536, 65536, 256, 256, 256, 2, 0, 0, 0, *IP)
    check(Policy(rules), [ping, later, tcp(1, 2, dport=80), tcp(1, 2, dport=81)])
    assert Classifier(Policy(rules)).index_points([ping, later]) == [2, 2]


def test_interfaces_that_no_rule_names_are_told_apart_only_by_their_sets() -> None:
    a, b = interface_number("a"), interface_number("b")
    between = interface_number("a!")  # longer, so beyond both
    rules = rules_of([
        (ALLOW, Box.of({IN: single(a)})),
        (DENY, Box.of({IN: IntervalSet(((b, between),))})),
        (ALLOW, Box.of({IN: IntervalSet(((1, TOPS[IN]),)) - single(a), OUT: single(b)})),
    ])  # fmt: skip
    points = [
        (17, 1, 2, 3, 4, 256, 256, 256, 0, inside, outside, 0, *IP)
        for inside in (0, a, a + 1, b, b + 1, between - 1, between, between + 1, TOPS[IN])
        for outside in (0, a, b)
    ]
    check(Policy(rules), points)


def test_many_rules_that_differ_in_one_field_only() -> None:
    for field, values in ((SPORT, range(0, 600, 2)), (FLAGS, range(200)), (STATE, range(5)), (PROTOCOL, range(256))):
        policy = Policy(rules_of([(ALLOW, Box.of({field: single(value)})) for value in values]))
        points: list[Point] = [tcp(1, 2, sport=v, flags=v % 256) for v in range(600)]
        points += [(p, 1, 2, 65536, 65536, 256, 256, 256, 2, 0, 0, s, *IP) for p in range(256) for s in (0, 3)]
        check(policy, points)


def test_rules_that_all_overlap_do_not_explode() -> None:
    wide = [
        (ALLOW, Box.of({SRC: IntervalSet(((i, 2**31 + i * i),)), DST: IntervalSet(((7 * i, 2**31 + i),)),
                        DPORT: IntervalSet(((i, 60_000 + i),)), SPORT: IntervalSet(((3 * i, 50_000 + 2 * i),))}))
        for i in range(1500)
    ]  # fmt: skip
    policy = Policy(rules_of(wide))
    if native.available():
        assert sum(table.bytes for table in Classifier(policy).tables) < 8 << 20
    points = [tcp(2**31 + i * i - 1, 7 * i + 1, 3 * i, 60_000 + i) for i in range(0, 1500, 50)]
    want = [decide(policy, point).index for point in points]
    for engine in native.engines():
        assert Classifier(policy, engine).index_points(points) == want


@needs_native
@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="needs interval timers")
def test_building_a_table_can_be_interrupted() -> None:
    import gc
    import random
    import signal

    draw = random.Random(1)

    def interval(top: int) -> IntervalSet:
        a, b = draw.randint(0, top), draw.randint(0, top)
        return IntervalSet(((min(a, b), max(a, b)),))

    tops = {SRC: 2**32 - 1, DST: 2**32 - 1, SPORT: 65535, DPORT: 65535}
    policy = Policy(rules_of([(ALLOW, Box.of({f: interval(top) for f, top in tops.items()})) for _ in range(8000)]))
    classifier = Classifier(policy)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # an exception in a callback of the collector would be swallowed
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.4, 0.4)
        with pytest.raises(KeyboardInterrupt):
            classifier.native_tables()
        assert not classifier._native  # interrupted on the way, not behind it
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    assert not classifier.index_points([])


@needs_native
def test_the_same_policy_gives_the_same_table() -> None:
    sizes = {Classifier(differential.policy(differential.random.Random(5), 200)).tables for _ in range(3)}
    assert len(sizes) == 1


@needs_native
@pytest.mark.parametrize(("limit", "value"), [("CELLS", 2), ("DISTINCT", 1), ("CLASSES", 1), ("WORK", 1)])
def test_a_policy_beyond_the_limit_goes_through_the_tree(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode, limit, value)
    policy = Policy(rules_of([(ALLOW, Box.of({FLAGS: single(2)})), (DENY, Box.of({TYPE: single(8)}))]))
    assert Classifier(policy).index_points([tcp(1, 2, flags=2), tcp(1, 2, flags=3)]) == [0, 2]
    assert Classifier(policy).tables == ()
    with pytest.raises(LimitError, match="the native classifier takes"):
        Classifier(policy, native.engines()[0]).index_points([tcp(1, 2)])


# --- columns ----------------------------------------------------------------------------------------------------------

WEB = Policy(rules_of([(ALLOW, Box.of({PROTOCOL: single(6), DPORT: single(80)})), (DENY, Box.of({SRC: single(9)}))]))


def columns(count: int) -> dict[str, Any]:
    return {
        "protocol": bytes(6 + 11 * (i % 2) for i in range(count)),
        "src": array("I", [i % 11 for i in range(count)]),
        "dst": array("I", [i * 77 for i in range(count)]),
        "sport": array("H", [i & 0xFFFF for i in range(count)]),
        "dport": array("H", [80 + i % 3 for i in range(count)]),
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 1000])
def test_batches_of_any_length(engine: str, count: int) -> None:
    want = [0 if i % 2 == 0 and i % 3 == 0 else 1 if i % 11 == 9 else 2 for i in range(count)]
    assert list(Classifier(WEB, engine).classify(**columns(count))) == want


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_do_not_depend_on_the_number_of_jobs(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    out = array("I", bytes(4 * 10_001))
    classifier = Classifier(WEB)
    monkeypatch.setattr("fwengine.native.columns.SHARE", 1000)
    assert classifier.classify(**columns(10_001), out=out, jobs=jobs) is out
    assert out == classifier.classify(**columns(10_001))


def test_a_numpy_array_is_a_column() -> None:
    numpy = pytest.importorskip("numpy")
    given = columns(200)
    arrays = {
        name: numpy.frombuffer(memoryview(values), dtype=memoryview(values).format) for name, values in given.items()
    }
    assert Classifier(WEB).classify(**arrays) == Classifier(WEB).classify(**given)
    out = numpy.zeros(200, dtype=numpy.uint32)
    Classifier(WEB).classify(**arrays, out=out)
    assert out.tolist() == list(Classifier(WEB).classify(**given))
    with pytest.raises(TypeError, match="adjacent"):
        Classifier(WEB).classify(**{**given, "src": numpy.arange(400, dtype=numpy.uint32)[::2]})


def test_columns_that_do_not_fit_are_refused() -> None:
    for engine in ENGINES:
        classifier = Classifier(WEB, engine)
        good = columns(10)
        for changes, error, message in (
            ({"src": array("H", [1] * 10)}, TypeError, "src: items have 4 bytes, not 2"),
            ({"dport": array("H", [1] * 9)}, ValueError, "dport has 9 items where protocol has 10"),
            ({"dport": None}, ValueError, "the policy's rules look at dport: that column is needed"),
            ({"fragment": bytes([0] * 9 + [3])}, ValueError, "outside its field's domain"),
            ({"out": array("I", [0] * 9)}, ValueError, "out has 36 bytes; 10 packets need 40"),
            ({"jobs": 0}, ValueError, "jobs is at least 1"),
            ({"family": 5}, ValueError, "family is 4 or 6"),
            ({"family": 6, "src": bytes(15)}, TypeError, "IPv6 addresses have 16 bytes each"),
        ):
            if "fragment" in changes and engine != "tree":
                continue  # no rule looks at fragments, so the native engines do not, either
            with pytest.raises(error, match=message):
                classifier.classify(**{**good, **changes})


def test_columns_that_no_rule_looks_at_may_be_left_out() -> None:
    policy = Policy(rules_of([(ALLOW, Box.of({SRC: single(3)}))]))
    for engine in ENGINES:
        found = Classifier(policy, engine).classify(
            protocol=bytes([6, 1]), src=array("I", [3, 4]), dst=array("I", [0, 0])
        )
        assert list(found) == [0, 1]


@needs_native
def test_the_native_functions_check_what_they_are_given() -> None:
    from fwengine.native import _native

    zeros = array("H", bytes(2 * 768))
    empty = array("I")
    good: list[Any] = [5, 1, zeros, (), empty, empty, empty, empty, array("I", [0]), empty, 100]
    _native.family(*good)
    for at, value in (
        (0, 7),
        (1, 1 << 31),
        (2, array("H", [0])),
        (2, array("H", [65535] * 768)),
        (3, ((0, array("H", [0]), 0, zeros),)),
        (3, ((9, array("H", [0]), 1, zeros),)),
        (3, ((0, array("H", [5]), 1, zeros),)),
        (3, ((0, array("H", [0]), 1, array("H")),)),
        (4, array("I", [1])),
        (6, array("I", [0])),
        (8, array("I", [0, 1])),
        (8, array("I", [1])),
        (9, array("I", [1])),
    ):
        with pytest.raises((ValueError, OverflowError)):
            _native.family(*[value if i == at else x for i, x in enumerate(good)])  # type: ignore[arg-type]  # wrong on purpose
    reversed_entry = [
        array("I", [5, 0, 0, 0, 0]),
        array("I", [4, 0, 0, 0, 0]),
        array("I", [0]),
        array("I", [0xFFFFFFFF]),
    ]
    with pytest.raises(ValueError, match="out of range"):
        _native.family(*good[:4], *reversed_entry, *good[8:])
    frames = bytearray(40)
    frames[0:4] = b"\xff\0\0\0"
    table = _native.family(*good)
    with pytest.raises(ValueError, match="within the data"):
        _native.decoded(b"abc", frames, 1)
    table_of_flows = _native.flow_table(4, bytes(512), bytes(1 + 6), 1, 2)
    with pytest.raises(ValueError, match="within the data"):
        _native.add_flows(table_of_flows, b"abc", frames, 1, bytearray(4))
    with pytest.raises(ValueError, match="too few"):
        _native.add_flows(table_of_flows, b"abc", frames, 1, b"")
    for wrong in ((0, bytes(512), bytes(7)), (4, bytes(511), bytes(7)), (4, bytes(512), bytes(6))):
        with pytest.raises(ValueError, match=r"flows|protocols"):
            _native.flow_table(*wrong, 1, 2)
    with pytest.raises(ValueError, match="two families"):
        _native.count(table, table, "portable", b"", frames, 0, 0, bytearray(80), bytearray(80), bytearray(4))
