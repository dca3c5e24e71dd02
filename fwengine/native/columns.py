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
    DPORT,
    DST,
    FIELDS,
    FRAGMENT,
    FULL,
    IN,
    INTERFACES,
    OUT,
    PROTOCOL,
    SPORT,
    SRC,
    STAGES,
    TABLE,
    Point,
    interface_number,
    lacking,
)
from ..model.ruleset import RuleSet
from .encode import Encoded, Interfaces, encode
from .module import engines, native

Buffer = Any  # whatever `memoryview` takes; `collections.abc.Buffer` is of Python 3.12

CHUNK = 1 << 20  # packets classified without looking for an interrupt
SHARE = 1 << 16  # packets that a thread takes at a time, where there are several

_COLUMNS = (PROTOCOL, FRAGMENT, SRC, DST, SPORT, DPORT, *STAGES)  # in the native module's order
_FIELDS = {TABLE[f].attribute: f for f in _COLUMNS}  # by the column's name
_FORMATS: Final[Mapping[int, Literal["B", "H", "I"]]] = {1: "B", 2: "H", 4: "I"}
# left out: whole packets, no interface, new
_MAY_LACK = frozenset(s.field for s in TABLE if s.unstated is not None or s.kind == "interface")


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
        self._interfaces = {f: Interfaces.of(sets, f) for f in INTERFACES}
        self._may_fall_back = engine == "auto"

    def __repr__(self) -> str:
        return f"Classifier({self.policy!r}, engine={self.engine!r})"

    # --- interfaces ---------------------------------------------------------------------------------------------------

    def in_interface(self, name: str) -> int:
        """What a column of inbound interfaces holds for this name; 0 for the empty one, which is "not recorded"."""
        return self._interfaces[IN].code(interface_number(name))

    def out_interface(self, name: str) -> int:
        """The same for outbound interfaces."""
        return self._interfaces[OUT].code(interface_number(name))

    def interface(self, field: int, number: int) -> int:
        """What the column of an interface field holds for the number that a point has there."""
        return self._interfaces[field].code(number)

    # --- classification -----------------------------------------------------------------------------------------------

    def classify(
        self,
        *,
        family: Family = 4,
        out: Buffer = None,
        jobs: int = 1,
        **columns: Buffer,
    ) -> Buffer:
        """The index of the deciding rule for each packet of a batch; the number of rules where the default decides.

        Args:
            family: of all the packets, 4 or 6.
            out: unsigned 32-bit numbers to write the result to, as many as packets; made if left out.
            jobs: how many threads share the work.
            columns: each by the name that `Packet` gives the field. `protocol`, `src` and `dst` are needed, and of the
                others those that the policy's rules look at. Addresses are unsigned 32-bit numbers for IPv4, and sixteen
                bytes each, as in the header, for IPv6; ports and interfaces have 16 bits, all others 8.
                `fragment`: 0 whole, 1 first, 2 later; left out, all are whole. `state`: an index into `fields.STATES`;
                left out, all are new. Interfaces: from the methods of these names; left out, not recorded.

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
        for name in columns:
            if name not in _FIELDS:
                raise TypeError(f"no column is called `{name}`: there are {', '.join(_FIELDS)}")
        views, count = self._columns({_FIELDS[name]: given for name, given in columns.items()}, family)
        result = array("I", bytes(4 * count)) if out is None else out
        written = memoryview(result).cast("B")
        if len(written) != 4 * count:
            raise ValueError(f"out has {len(written)} bytes; {count} packets need {4 * count}")
        table = self.native_table(family)
        if table is None:
            self._walk(views, count, family, written.cast("I"))
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
                native.classify(table, self.engine, views, written, begin, min(begin + share, count))

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
        def column(field: int) -> array[int]:
            if field in INTERFACES:
                return array("H", [self._interfaces[field].code(p[field]) for p in points])
            if family == 6 and field in (SRC, DST):
                return array("B", b"".join((p[field] - V6_BASE).to_bytes(16, "big") for p in points))
            size = TABLE[field].bytes  # an absent value may fit no item, and does not count
            return array(_FORMATS[size], [p[field] & ((1 << 8 * size) - 1) for p in points])

        return {name: column(field) for name, field in _FIELDS.items()}

    # --- columns ------------------------------------------------------------------------------------------------------

    def _columns(self, given: dict[int, Buffer], family: Family) -> tuple[tuple[memoryview | None, ...], int]:
        columns: list[memoryview | None] = []
        count = -1
        for field in _COLUMNS:
            name, size = TABLE[field].attribute, TABLE[field].bytes
            if field in (SRC, DST) and family == 6:
                size = 16
            if given.get(field) is None:
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
        of_code = {f: (0, *codes.cuts) for f, codes in self._interfaces.items()}  # a number for each code
        held = [
            (f, view) for f, view in zip(_COLUMNS, columns, strict=True) if view is not None and f not in (SRC, DST)
        ]
        checked = [(f, view, len(of_code[f]) - 1 if f in of_code else TABLE[f].values.hi) for f, view in held]
        coded = [(f, of_code[f]) for f, _ in held if f in of_code]
        src, dst = columns[_COLUMNS.index(SRC)], columns[_COLUMNS.index(DST)]
        assert src is not None and dst is not None  # noqa: PT018  # checked when they came
        point = [0] * FIELDS
        for i in range(count):
            for f, view, top in checked:
                point[f] = view[i]
                if point[f] > top:
                    raise ValueError(f"a value outside its field's domain at or behind packet {i}")
            for f, addresses in ((SRC, src), (DST, dst)):
                point[f] = (
                    V6_BASE + int.from_bytes(addresses[16 * i : 16 * i + 16], "big") if family == 6 else addresses[i]
                )
            for f, numbers in coded:
                point[f] = numbers[point[f]]
            for f, none in lacking(point[PROTOCOL], family, point[FRAGMENT]):
                point[f] = none
            out[i] = index(tuple(point))

    # --- tables -------------------------------------------------------------------------------------------------------

    def native_table(self, family: Family) -> Any:
        """The native module's table, built on first use; None if packets of this family go through the tree."""
        if native is None or self.engine == "tree":
            return None
        if family not in self._native:
            try:
                self._native[family] = _build(encode(self._boxes, family, self._interfaces), len(self.policy.rules))
            except LimitError:
                if not self._may_fall_back:
                    raise
                self._native[family] = None
        return self._native[family]

    def native_tables(self) -> tuple[Any, Any] | None:
        """The native module's tables for IPv4 and IPv6; None unless it takes both."""
        both = (self.native_table(4), self.native_table(6))
        return None if None in both else both

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The sizes of the native tables; none where packets go through the tree."""
        if native is None:
            return ()
        families: tuple[Family, Family] = (4, 6)
        built = [(family, self.native_table(family)) for family in families]
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
            tuple((STAGES.index(s.field), s.of_value, s.width, s.table) for s in encoded.stages),
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
