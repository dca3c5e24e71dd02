"""Columns of packets -> indices of the rules that decide them: natively where that is possible, else through the tree.

A column is anything with the buffer protocol: numpy arrays, Arrow buffers, `array`, `bytes`. Results do not depend on
the engine, on `jobs`, or on whether the native module is there at all.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Final, Literal, NamedTuple

from ..errors import LimitError
from ..model.address import V6_BASE, Family
from ..model.fields import (
    CODE,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    FULL,
    IN,
    NO_FLAGS,
    NO_PORT,
    NO_TYPE,
    OUT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TYPE,
    Point,
    has_flags,
    has_ports,
    has_type,
    interface_number,
)
from ..model.ruleset import RuleSet
from .encode import Encoded, Interfaces, encode
from .module import engines, native

Buffer = Any  # whatever `memoryview` takes; `collections.abc.Buffer` is of Python 3.12

CHUNK = 1 << 20  # packets classified without looking for an interrupt
SHARE = 1 << 16  # packets that a thread takes at a time, where there are several

# columns in the native module's order: field, bytes of an item (IPv6 addresses have 16)
_COLUMNS = (
    (PROTOCOL, 1), (FRAGMENT, 1), (SRC, 4), (DST, 4), (SPORT, 2), (DPORT, 2),
    (FLAGS, 1), (TYPE, 1), (CODE, 1), (IN, 2), (OUT, 2), (STATE, 1),
)  # fmt: skip
_NAMES = {
    PROTOCOL: "protocol", FRAGMENT: "fragment", SRC: "src", DST: "dst", SPORT: "sport", DPORT: "dport", FLAGS: "flags",
    TYPE: "icmp_type", CODE: "icmp_code", IN: "in_interface", OUT: "out_interface", STATE: "state",
}  # fmt: skip
_STAGE = {FLAGS: 0, TYPE: 1, CODE: 2, IN: 3, OUT: 4, STATE: 5}  # the native module's numbers
_FORMATS: Final[Mapping[int, Literal["B", "H", "I"]]] = {1: "B", 2: "H", 4: "I"}
_MAY_LACK = frozenset({FRAGMENT, IN, OUT, STATE})  # left out: whole packets, no interface, new


class Table(NamedTuple):
    """The size of one family's native table."""

    family: Family
    bytes: int
    trees: int
    entries: int
    nodes: int
    blocks: int


class Classifier:
    """A policy, ready for batches of packets.

    Args:
        policy: what to classify by.
        engine: one of `fwengine.native.engines()`, "tree" for plain Python, or "auto" for the fastest that is here.

    Raises:
        ValueError: if that engine is not here.
        LimitError: later, if a native engine is asked for by name and the policy is more than it takes ("auto" goes
            through the tree then), or if the policy names more than 65,000 interfaces.
    """

    def __init__(self, policy: RuleSet, engine: str = "auto") -> None:
        live = engines()
        if engine not in ("auto", "tree", *live):
            raise ValueError(f"no engine `{engine}` here: one of {', '.join(('auto', 'tree', *live))}")
        self.policy = policy
        self.engine = live[0] if engine == "auto" and live else "tree" if engine == "auto" else engine
        self._boxes = policy.active_boxes
        self._native: dict[Family, Any] = {}
        sets = [box for _, box in self._boxes]
        self._used = frozenset(
            f for f in range(len(FULL)) if any(s[f] is not FULL[f] and s[f] != FULL[f] for s in sets)
        )
        self._in, self._out = Interfaces.of(sets, IN), Interfaces.of(sets, OUT)
        self._may_fall_back = engine == "auto"

    def __repr__(self) -> str:
        return f"Classifier({self.policy!r}, engine={self.engine!r})"

    # --- interfaces ---------------------------------------------------------------------------------------------------

    def in_interface(self, name: str) -> int:
        """What a column of inbound interfaces holds for this name; 0 for the empty one, which is "not recorded"."""
        return self._in.code(interface_number(name))

    def out_interface(self, name: str) -> int:
        """The same for outbound interfaces."""
        return self._out.code(interface_number(name))

    # --- classification -----------------------------------------------------------------------------------------------

    def classify(
        self,
        *,
        family: Family = 4,
        protocol: Buffer,
        src: Buffer,
        dst: Buffer,
        sport: Buffer = None,
        dport: Buffer = None,
        flags: Buffer = None,
        icmp_type: Buffer = None,
        icmp_code: Buffer = None,
        fragment: Buffer = None,
        in_interface: Buffer = None,
        out_interface: Buffer = None,
        state: Buffer = None,
        out: Buffer = None,
        jobs: int = 1,
    ) -> Buffer:
        """The index of the deciding rule for each packet of a batch; the number of rules where the default decides.

        Args:
            family: of all the packets, 4 or 6.
            protocol, flags, icmp_type, icmp_code: unsigned 8-bit numbers.
            src, dst: unsigned 32-bit numbers for IPv4; sixteen bytes each, as in the header, for IPv6.
            sport, dport: unsigned 16-bit numbers.
            fragment: 8 bits: 0 whole, 1 first, 2 later. Left out: all whole.
            in_interface, out_interface: 16 bits, from the methods of these names. Left out: not recorded.
            state: 8 bits, an index into `header.STATES`. Left out: new.
            out: unsigned 32-bit numbers to write the result to, as many as packets; made if left out.
            jobs: how many threads share the work.

        A column's value counts only where the packet has that field: the port of an ICMP packet may be anything.

        Returns:
            `out`, or an `array` of unsigned 32-bit numbers.

        Raises:
            ValueError: if columns differ in length, a value is outside its domain, or a column is left out that the
                policy's rules look at.
            TypeError: if a column's items are not of the right size.

        >>> from fwengine import native
        >>> from fwengine.model.rules import ALLOW, rules_of
        >>> from fwengine.model.box import Box
        >>> from fwengine.model.interval import IntervalSet
        >>> web = Box.of({PROTOCOL: IntervalSet.single(6), DPORT: IntervalSet.of((80, 80), (443, 443))})
        >>> c = Classifier(RuleSet(rules_of([(ALLOW, web)])))
        >>> list(c.classify(protocol=bytes([6, 6, 17]), src=array("I", [1, 2, 3]), dst=array("I", [4, 5, 6]),
        ...                 sport=array("H", [9, 9, 9]), dport=array("H", [443, 22, 443])))
        [0, 1, 1]
        """
        if family not in (4, 6):
            raise ValueError(f"family is 4 or 6, not {family!r}")
        if jobs < 1:
            raise ValueError(f"jobs is at least 1, not {jobs}")
        given = {
            PROTOCOL: protocol, SRC: src, DST: dst, SPORT: sport, DPORT: dport, FLAGS: flags, TYPE: icmp_type,
            CODE: icmp_code, FRAGMENT: fragment, IN: in_interface, OUT: out_interface, STATE: state,
        }  # fmt: skip
        columns, count = self._columns(given, family)
        result = array("I", bytes(4 * count)) if out is None else out
        written = memoryview(result).cast("B")
        if len(written) != 4 * count:
            raise ValueError(f"out has {len(written)} bytes; {count} packets need {4 * count}")
        table = self._table(family)
        if table is None:
            self._walk(columns, count, family, written.cast("I"))
            return result

        share = CHUNK if jobs == 1 else SHARE
        begins = iter(range(0, count, share))
        turn = Lock()

        def work() -> None:
            assert native is not None  # an engine other than "tree" was chosen
            while True:
                with turn:
                    begin = next(begins, None)
                if begin is None:
                    return
                native.classify(table, self.engine, columns, written, begin, min(begin + share, count))

        if jobs == 1 or count <= share:
            work()
        else:
            from concurrent.futures import ThreadPoolExecutor  # late: it costs more than many a batch

            with ThreadPoolExecutor(jobs - 1) as pool:
                others = [pool.submit(work) for _ in range(min(jobs - 1, count // share))]
                work()
                for other in others:
                    other.result()
        return result

    def index_points(self, points: Sequence[Point]) -> list[int]:
        """The index of the deciding rule for each point, of either family. Points must be packets."""
        found = [0] * len(points)
        families: tuple[Family, Family] = (4, 6)
        for family in families:
            chosen = [i for i, p in enumerate(points) if (p[SRC] < V6_BASE) == (family == 4)]
            if chosen:
                columns = self._of_points([points[i] for i in chosen], family)
                for i, index in zip(chosen, self.classify(family=family, **columns), strict=True):
                    found[i] = index
        return found

    def _of_points(self, points: Sequence[Point], family: Family) -> dict[str, Any]:
        def column(code: str, field: int) -> array[int]:
            # an absent value fits no item, and does not count
            return array(code, [p[field] & (0xFF if code == "B" else 0xFFFF) for p in points])

        if family == 4:
            src, dst = (array("I", [p[f] for p in points]) for f in (SRC, DST))
        else:
            src, dst = (array("B", b"".join((p[f] - V6_BASE).to_bytes(16, "big") for p in points)) for f in (SRC, DST))
        return {
            "protocol": column("B", PROTOCOL), "src": src, "dst": dst, "sport": column("H", SPORT),
            "dport": column("H", DPORT), "flags": column("B", FLAGS), "icmp_type": column("B", TYPE),
            "icmp_code": column("B", CODE), "fragment": column("B", FRAGMENT), "state": column("B", STATE),
            "in_interface": array("H", [self._in.code(p[IN]) for p in points]),
            "out_interface": array("H", [self._out.code(p[OUT]) for p in points]),
        }  # fmt: skip

    # --- columns ------------------------------------------------------------------------------------------------------

    def _columns(self, given: dict[int, Buffer], family: Family) -> tuple[tuple[memoryview | None, ...], int]:
        columns: list[memoryview | None] = []
        count = -1
        for field, size in _COLUMNS:
            name = _NAMES[field]
            if field in (SRC, DST) and family == 6:
                size = 16
            if given[field] is None:
                if field in (SPORT, DPORT) and not self._used & {SPORT, DPORT}:
                    columns.append(memoryview(bytes(2 * max(count, 0))).cast("H"))
                elif field in self._used and field not in _MAY_LACK:
                    raise ValueError(f"the policy's rules look at {name}: that column is needed")
                else:
                    columns.append(None)
                continue
            view = memoryview(given[field])
            if not view.c_contiguous:
                raise TypeError(f"{name}: the items must be adjacent")
            if size == 16:
                view = view.cast("B")
                if len(view) % 16:
                    raise TypeError(f"{name}: IPv6 addresses have 16 bytes each")
            elif view.itemsize != size:
                raise TypeError(f"{name}: items have {size} bytes, not {view.itemsize}")
            else:
                view = view.cast("B").cast(_FORMATS[size])
            items = len(view) // 16 if size == 16 else len(view)
            if count < 0:
                count = items
            if items != count:
                raise ValueError(f"{name} has {items} items where protocol has {count}")
            columns.append(view)
        if columns[0] is None or columns[2] is None or columns[3] is None:
            raise ValueError("protocol, src and dst are needed")
        for at in (4, 5):
            if columns[at] is None:  # no rule looks at this one
                columns[at] = memoryview(bytes(2 * count)).cast("H")
        return tuple(columns), count

    def _walk(self, columns: tuple[memoryview | None, ...], count: int, family: Family, out: memoryview) -> None:
        """The same in plain Python, through the decision tree."""
        index = self.policy.tree.index
        protocol, fragment, src, dst, sport, dport, flags, types, codes, inside, outside, state = columns
        assert protocol is not None and src is not None and dst is not None  # noqa: PT018  # checked when they came
        assert sport is not None and dport is not None  # noqa: PT018  # likewise
        tops = (len(self._in.cuts), len(self._out.cuts))
        of_in, of_out = (0, *self._in.cuts), (0, *self._out.cuts)  # a number for each code
        for i in range(count):
            p = protocol[i]
            f = fragment[i] if fragment else 0
            s = state[i] if state else 0
            a, b = inside[i] if inside else 0, outside[i] if outside else 0
            if f > 2 or s > FULL[STATE].hi or a > tops[0] or b > tops[1]:
                raise ValueError(f"a value outside its field's domain at or behind packet {i}")
            ports, types_there, flags_there = has_ports(p, f), has_type(p, family, f), has_flags(p, f)
            out[i] = index((
                p,
                src[i] if family == 4 else V6_BASE + int.from_bytes(src[16 * i : 16 * i + 16], "big"),
                dst[i] if family == 4 else V6_BASE + int.from_bytes(dst[16 * i : 16 * i + 16], "big"),
                sport[i] if ports else NO_PORT,
                dport[i] if ports else NO_PORT,
                (types[i] if types else 0) if types_there else NO_TYPE,
                (codes[i] if codes else 0) if types_there else NO_TYPE,
                (flags[i] if flags else 0) if flags_there else NO_FLAGS,
                f, of_in[a], of_out[b], s,
            ))  # fmt: skip

    # --- tables -------------------------------------------------------------------------------------------------------

    def _table(self, family: Family) -> Any:
        """The native table, built on first use; None if packets of this family go through the tree."""
        if native is None or self.engine == "tree":
            return None
        if family not in self._native:
            try:
                self._native[family] = _build(encode(self._boxes, family, self._in, self._out), len(self.policy.rules))
            except LimitError:
                if not self._may_fall_back:
                    raise
                self._native[family] = None
        return self._native[family]

    def native_tables(self) -> tuple[Any, Any] | None:
        """The native module's tables for IPv4 and IPv6; None unless it takes both."""
        both = (self._table(4), self._table(6))
        return None if None in both else both

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The sizes of the native tables; none where packets go through the tree."""
        if native is None:
            return ()
        families: tuple[Family, Family] = (4, 6)
        built = [(family, self._table(family)) for family in families]
        return tuple(Table(family, *native.describe(table)) for family, table in built if table is not None)


def _build(encoded: Encoded, rules: int) -> Any:
    assert native is not None  # a native engine was chosen
    # references from leaves to entries: about 40 bytes each, and 64 MB are the most for 100,000 rules
    budget = 20_000 + 12 * len(encoded.rule)
    try:
        return native.family(
            5 if encoded.family == 4 else 11,
            rules,
            encoded.of_protocol,
            tuple((_STAGE[s.field], s.of_value, s.width, s.table) for s in encoded.stages),
            encoded.lo,
            encoded.hi,
            encoded.rule,
            encoded.box,
            encoded.offset,
            encoded.words,
            budget,
        )
    except OverflowError as error:
        raise LimitError(f"the policy is more than the native classifier takes: {error}") from None


def classifier(policy: RuleSet, engine: str = "auto") -> Classifier:
    """A classifier for batches of packets: see `Classifier`."""
    return Classifier(policy, engine)
