"""Who reaches whom, for people and programs: a table, a list, Markdown, CSV and JSON values, in the policy's own words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final, Literal

from ..analysis.matrix import Cell, Condition, Matrix, Zone
from ..analysis.services import of_ports, of_protocol, ports_of, protocols_of, types_of, whole
from ..language.meaning.flags import show_flag_tests
from ..language.meaning.literals import ESTABLISHED, protocol_text
from ..language.meaning.region import show_addresses, show_interfaces, show_ports
from ..language.meaning.vocabulary import Vocabulary
from ..model import address
from ..model.fields import (
    CODE,
    DPORT,
    DST,
    FLAGS,
    INTERFACES,
    NO_PORT,
    NO_TYPE,
    PORT_PROTOCOLS,
    PRESENT,
    SPORT,
    SRC,
    TYPE,
)
from ..model.interval import IntervalSet
from ..policy import Policy
from ..registry.names import icmp_type_name, service_name
from .fit import wrapped
from .picture import picture
from .screen import visible
from .style import Style
from .verdicts import FIELD_WORDS, show_values
from .zones import FAMILIES, family, overlaps

_EXCEPT: Final = 3  # services that are left out by name, where that is shorter than to name all others
_SHOWN: Final = 6  # words of a set in a text
_NARROW: Final = 14  # columns of a cell; with less the matrix is a list
_LINES: Final = 5  # conditions of a cell in a text
_LONG: Final = 120  # lines of a list in which pairs have their conditions
_OVERLAPS: Final = 4  # told in a text
Access = Literal["all", "nothing", "part", "impossible", "unknown"]
_ACCESS: Final[tuple[Access, ...]] = ("all", "nothing", "part", "impossible", "unknown")
_CORNER: Final = "from \\ to"
_WORDS: Final = {SPORT: "source port", SRC: "source", DST: "destination"}


class MatrixText:
    """One matrix in words."""

    def __init__(self, policy: Policy, matrix: Matrix, notes: Sequence[str] = ()) -> None:
        self._policy, self._matrix, self._notes = policy, matrix, notes
        self._names = Vocabulary(policy.names)
        self._known: dict[tuple[IntervalSet, IntervalSet], list[str]] = {}

    @cached_property
    def unknown(self) -> int:
        """How many cells took too long."""
        return sum(not cell.known for cell in self._matrix.cells)

    # --- words ------------------------------------------------------------------------------------------------------

    def services(self, chosen: IntervalSet, possible: IntervalSet) -> list[str]:
        """Services in words: the policy's names where they fit whole, then usual ones; all but some if that is shorter."""
        known = self._known.get((chosen, possible))
        if known is None:
            known = self._listed(chosen, possible)
            if len(known) > _EXCEPT:
                others = self._listed(possible - chosen, possible)
                if len(others) <= _EXCEPT and len(others) < len(known):
                    known = [f"all except {', '.join(others)}" if others else "all"]
            self._known[chosen, possible] = known
        return list(known)

    def _listed(self, chosen: IntervalSet, possible: IntervalSet) -> list[str]:
        """Whole protocols, then what is left of others: by the policy's services, unless these make it longer."""
        by_protocol = {p: (of_protocol(chosen, p), of_protocol(possible, p)) for p in protocols_of(chosen)}
        out = [protocol_text(p) for p, (mine, every) in by_protocol.items() if mine == every]
        parts = {p: mine for p, (mine, every) in by_protocol.items() if mine != every}
        plain = [word for p, mine in parts.items() for word in self._of_protocol(p, mine)]
        left = IntervalSet.union(pair for mine in parts.values() for pair in mine)
        named = []
        for name, meant in self._services:
            here = meant & possible
            if here and here.issubset(chosen) and not here.isdisjoint(left):
                named.append(name)
                left = left - here
        if named:
            named += [word for p in protocols_of(left) for word in self._of_protocol(p, of_protocol(left, p))]
        return [*(named if named and len(named) <= len(plain) else plain), *out]

    @cached_property
    def _services(self) -> list[tuple[str, IntervalSet]]:
        """The policy's services by name, the widest first."""
        named = [
            (name, IntervalSet.union(pair for protocol, ports in groups for pair in _group(protocol, ports)))
            for name, groups in self._names.services
        ]
        return sorted(named, key=lambda one: (-one[1].size, one[0]))

    def _of_protocol(self, protocol: int, chosen: IntervalSet) -> list[str]:
        """Some services of one protocol, in usual words."""
        name = protocol_text(protocol)
        if protocol not in PORT_PROTOCOLS:
            return _typed(protocol, name, chosen)
        ports = ports_of(chosen, protocol)
        known = self._names.ports(ports & PRESENT[DPORT], IntervalSet.single(protocol))
        if known[0].isalpha() and " " not in known:  # a name of the policy
            return [f"{name}/{known}", *([f"{name} later fragments"] if NO_PORT in ports else [])]
        return [self._port(protocol, name, lo, hi) for lo, hi in _split(ports, NO_PORT)]

    def _port(self, protocol: int, name: str, lo: int, hi: int) -> str:
        if lo == NO_PORT:
            return f"{name} later fragments"
        if (lo, hi) == (0, NO_PORT - 1):
            return f"{name} with ports"
        known = self._names.ports(IntervalSet(((lo, hi),)), IntervalSet.single(protocol))
        usual = service_name(protocol, lo) if lo == hi and known.isdigit() else None
        return f"{name}/{usual or (known if ' ' not in known else _range(lo, hi))}"

    def when(self, cell: Cell, condition: Condition) -> str:
        """What a condition asks for, or at least what it is about."""
        if condition.values is None:
            words = [_WORDS.get(f, FIELD_WORDS[f]) for f in condition.fields or ()]
            return f"some, depending on {', '.join(words)}" if words else "some"
        sides = {SRC: self._matrix.zones[cell.source], DST: self._matrix.zones[cell.destination]}
        asked = {f: chosen for f, chosen in condition.values if f not in sides or chosen != _side(sides[f])}
        for f, other in ((SRC, DST), (DST, SRC)):  # what the other end says, too, needs no word
            word = f in asked and other in asked and family(sides[f], asked[f])
            if word and not family(sides[other], asked[other]) and asked[other].issubset(FAMILIES[word]):
                del asked[f]
        return ", ".join(self._asked(f, chosen, sides) for f, chosen in asked.items())

    def _asked(self, f: int, chosen: IntervalSet, sides: dict[int, Zone]) -> str:
        if f in sides:
            word = "from" if f == SRC else "to"
            text = show_addresses(chosen, self._names, _side(sides[SRC + DST - f]))
            return family(sides[f], chosen) or f"{word} {text}"
        if f == SPORT:
            return f"from port {show_ports(chosen & PRESENT[f], IntervalSet.single(6), self._names)}"
        if f == FLAGS:
            tests = chosen & PRESENT[f]
            return "established" if tests == ESTABLISHED else f"flags {show_flag_tests(tests)}"
        return f"{FIELD_WORDS[f]} {show_interfaces(chosen) if f in INTERFACES else show_values(f, chosen)}"

    def _full(self, cell: Cell) -> list[str]:
        """All that is allowed in a cell."""
        if not cell.known:
            return ["unknown: limit reached"]
        if cell.impossible:
            return ["no such packet"]
        if cell.everything:
            return ["all"]
        out = self.services(cell.open, cell.possible) if cell.open else []
        for condition in cell.partly:
            words = self.services(condition.services, cell.possible)
            out.append(f"{_few(words, len(words))} ({self.when(cell, condition)})")
        return out or ["nothing"]

    def whole(self, cell: Cell) -> str:
        """All that is allowed in a cell, with its conditions, on one line."""
        return ", ".join(self._full(cell))

    def brief(self, cell: Cell) -> str:
        """The services of a cell, few of them, with a mark for what is allowed in part."""
        return _few(self._brief(cell))

    def _brief(self, cell: Cell) -> list[str]:
        """As `_full`, with a mark for what is allowed in part."""
        if cell.everything or cell.impossible or not cell.known:
            return ["all" if cell.everything else "n/a" if cell.known else "?"]
        out = self.services(cell.open, cell.possible) if cell.open else []
        partly = IntervalSet.union(pair for condition in cell.partly for pair in condition.services)
        return [*out, *(f"~{word}" for word in self.services(partly, cell.possible) if partly)] or ["-"]

    # --- forms ------------------------------------------------------------------------------------------------------

    def text(self, style: Style, width: int) -> str:
        """A table if it fits, else a picture and a list; then what is to be said of it."""
        zones = self._matrix.zones
        many = len(zones) ** 2
        head = f"who reaches whom: of {many:,} pair{'s' * (many > 1)} {self._counts()}"
        table = self._table(style, width)
        body = table
        if not table:
            drawn = picture(self._matrix, style, width)
            body = [*drawn, *([""] if drawn else []), *self._list(style, width, bool(drawn))]
        whole_ = [style(line, bold=True) for line in wrapped(head, width, rest="  ")]
        return "\n".join([*whole_, "", *body, *self._remarks(bool(table), width)])

    def _counts(self) -> str:
        kinds = [access(cell) for cell in self._matrix.cells]
        said = {
            "all": "open for all",
            "part": "open in part",
            "nothing": "shut",
            "impossible": "of different families",
            "unknown": "unknown (limit reached)",
        }
        return ", ".join(f"{kinds.count(kind):,} {word}" for kind, word in said.items() if kind in kinds)

    def _table(self, style: Style, width: int) -> list[str]:
        """The table; nothing if its cells would be too narrow."""
        names = [visible(zone.name) for zone in self._matrix.zones]
        n = len(names)
        left = max(len(_CORNER), *map(len, names))
        words = [[self._brief(cell) for cell in self._matrix.cells[i * n : i * n + n]] for i in range(n)]
        widths = [max(len(names[j]), *(len(", ".join(row[j])) for row in words)) for j in range(n)]
        room = width - left - 2 * n
        while sum(widths) > room:  # the widest columns give way first
            widest = max(range(n), key=lambda j: widths[j])
            if widths[widest] <= max(_NARROW, len(names[widest])):
                return []
            widths[widest] -= 1
        out = ["  ".join([f"{_CORNER:<{left}}", *(f"{name:<{w}}" for name, w in zip(names, widths, strict=True))])]
        for i, row in enumerate(words):
            cells = [_padded(_fitting(some, w), w, style) for some, w in zip(row, widths, strict=True)]
            out.append("  ".join([f"{names[i]:<{left}}", *cells]).rstrip())
        return [out[0].rstrip(), *out[1:]]

    def _list(self, style: Style, width: int, drawn: bool) -> list[str]:
        """What is open, from each zone and to those alike; what is shut is told in one line a zone, unless it has been drawn."""
        zones = [visible(zone.name) for zone in self._matrix.zones]
        widest = min(max(map(len, zones)), width // 3)
        told: list[dict[tuple[str, ...], list[str]]] = [{} for _ in zones]
        for cell in self._matrix.cells:
            if not (cell.nothing or cell.impossible):
                told[cell.source].setdefault(tuple(self._lines(cell)), []).append(zones[cell.destination])
        brief = sum(len(lines) for mine in told for lines in mine) > _LONG
        if brief:
            told = [self._briefly(i, width - widest - 7) for i in range(len(zones))]
        out = []
        for name, mine in zip(zones, told, strict=True):
            if drawn and not mine:
                continue
            out.append(style(f"from {name}", bold=True))
            for lines, others in mine.items():
                out += _entry(_few(others), lines, widest, width)
            shut = [other for other in zones if not any(other in others for others in mine.values())]
            if shut and not drawn:
                out += wrapped(f"nothing to {_few(shut) if mine else 'any of them'}", width, "  ", "    ")
        if brief:
            out += ["", *wrapped("~ for some packets only: `--between A,B` says for which", width, rest="  ")]
        return out

    def _briefly(self, source: int, room: int) -> dict[tuple[str, ...], list[str]]:
        """What is open from a zone in a line each, and where to."""
        found: dict[tuple[str, ...], list[str]] = {}
        for j, zone in enumerate(self._matrix.zones):
            cell = self._matrix.cell(source, j)
            if not (cell.nothing or cell.impossible):
                found.setdefault((_fitting(self._brief(cell), room),), []).append(visible(zone.name))
        return found

    def _lines(self, cell: Cell) -> list[str]:
        """What a cell allows, for people: one line without a condition, then one a condition."""
        if not cell.partly:
            return [_few(self._full(cell))]
        out = [_few(self.services(cell.open, cell.possible))] if cell.open else []
        for condition in cell.partly[:_LINES]:
            words = self.services(condition.services, cell.possible)
            out.append(f"{_few(words)}  ({_cut(self.when(cell, condition))})")
        more = len(cell.partly) - _LINES
        return [*out, *([f"and {more:,} more condition{'s' * (more > 1)}"] if more > 0 else [])]

    def _remarks(self, table: bool, width: int) -> list[str]:
        cells = self._matrix.cells
        out = []
        if table:
            if any(cell.partly for cell in cells):
                out += ["", "~ not for all packets:", *self._conditions(width)]
            legend = [
                (any(cell.nothing for cell in cells), "- nothing"),
                (any(cell.impossible for cell in cells), "n/a no such packet"),
                (self.unknown, "? unknown"),
            ]
            if any(there for there, _ in legend):
                out += ["", "; ".join(word for there, word in legend if there)]
        shared = overlaps(self._matrix.zones)
        notes = list(self._notes)
        if shared:
            more = f", and {len(shared) - _OVERLAPS:,} more" * (len(shared) > _OVERLAPS)
            notes.append(f"{', '.join(shared[:_OVERLAPS])}{more}: a packet counts in each")
        lines = [line for text in notes for line in wrapped(visible(text), width, rest="  ")]
        return [*out, *([""] if notes and not (table and out) else []), *lines]

    def conditions(self) -> list[tuple[str, str]]:
        """Pairs of zones, and a condition that they have alike, for all cells."""
        found: dict[str, list[str]] = {}
        for cell in self._matrix.cells:
            ends = [visible(self._matrix.zones[n].name) for n in (cell.source, cell.destination)]
            for condition in cell.partly:
                words = _few(self.services(condition.services, cell.possible))
                found.setdefault(f"{words}  ({_cut(self.when(cell, condition))})", []).append(" -> ".join(ends))
        return [(_few(pairs, 2), text) for text, pairs in found.items()]

    def _conditions(self, width: int) -> list[str]:
        """The conditions of all cells of a table."""
        found = self.conditions()
        widest = max(min(60, len(pairs)) for pairs, _ in found)
        indent = " " * min(widest + 6, width // 2)
        return [line for pairs, text in found for line in wrapped(f"{pairs:<{widest}}  {text}", width, "  ", indent)]

    def markdown(self) -> str:
        """A table in Markdown, nothing shortened."""
        zones = self._matrix.zones
        names = [_escaped(zone.name) for zone in zones]
        out = [f"| {_CORNER} | {' | '.join(names)} |", "|---" * (len(zones) + 1) + "|"]
        for i, name in enumerate(names):
            cells = ["<br>".join(map(_escaped, self._full(self._matrix.cell(i, j)))) for j in range(len(zones))]
            out.append(f"| **{name}** | {' | '.join(cells)} |")
        return "\n".join([*out, *(["", *map(_escaped, self._notes)] if self._notes else [])])

    def csv(self) -> str:
        """A line for each pair: what is open, and what under a condition."""
        stream = io.StringIO()
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("source", "destination", "access", "services", "conditional"))
        for cell in self._matrix.cells:
            ends = [self._matrix.zones[n].name for n in (cell.source, cell.destination)]
            open_ = ["all"] if cell.everything else self.services(cell.open, cell.possible) if cell.open else []
            partly = [
                f"{', '.join(self.services(c.services, cell.possible))} ({self.when(cell, c)})" for c in cell.partly
            ]
            rows.writerow((*ends, access(cell), ", ".join(open_), "; ".join(partly)))
        return stream.getvalue().rstrip("\n")


def access(cell: Cell) -> Access:
    """What a cell comes to, in one word."""
    kinds = (cell.everything, cell.nothing, cell.known and bool(cell.possible), cell.impossible, not cell.known)
    return next(word for word, holds in zip(_ACCESS, kinds, strict=True) if holds)


def _side(zone: Zone) -> IntervalSet:
    """The addresses of a zone; all, of interfaces."""
    return zone.chosen if zone.kind == "net" else address.ALL


def _group(protocol: int, ports: IntervalSet | None) -> IntervalSet:
    return whole(protocol) if ports is None else of_ports(protocol, ports)


def _typed(protocol: int, name: str, chosen: IntervalSet) -> list[str]:
    """Some types of icmp or icmpv6."""
    types = types_of(chosen, protocol)
    every = [t for t, codes in types.items() if t == NO_TYPE or codes == PRESENT[CODE]]
    out = []
    if len(every) - (NO_TYPE in types) == PRESENT[TYPE].size:
        out.append(f"{name} with a type")
        types = {t: codes for t, codes in types.items() if t == NO_TYPE}
    for type_, codes in types.items():
        if type_ == NO_TYPE:
            out.append(f"{name} without a type")
            continue
        word = icmp_type_name(protocol, type_) or str(type_)
        whole_ = codes == PRESENT[CODE]
        out += [f"{name}/{word}"] if whole_ else [f"{name}/{word} code {_range(lo, hi)}" for lo, hi in codes]
    return out


def _split(ports: IntervalSet, apart: int) -> list[tuple[int, int]]:
    """The intervals of a set, one value apart from its neighbours."""
    low = [(lo, min(hi, apart - 1)) for lo, hi in ports if lo < apart]
    return [*low, *([(apart, apart)] if apart in ports else [])]


def _range(lo: int, hi: int) -> str:
    return str(lo) if lo == hi else f"{lo}-{hi}"


def _few(words: Sequence[str], most: int = _SHOWN) -> str:
    """Words, the last ones counted if there are many."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[:most])} and {len(words) - most:,} more"


def _entry(head: str, lines: Sequence[str], widest: int, width: int) -> Iterator[str]:
    """What is open to some zones, beside their names, or below where these are long."""
    indent = " " * (widest + 7)
    first = f"  to {head:<{widest}}  "
    if len(head) > widest:
        yield from wrapped(f"to {head}", width, "  ", "     ")
        first = indent
    for line in lines:
        yield from wrapped(line, width, first, indent + "  ")
        first = indent


def _cut(text: str, most: int = 80) -> str:
    """A condition of no more than a line: a long set in it is counted."""
    if len(text) <= most or ", " not in text:
        return text
    items = text[:most].split(", ")[:-1]
    return f"{', '.join(items)}, … {text.count(', ') + 1 - len(items):,} more" if items else text


def _fitting(words: Sequence[str], width: int) -> str:
    """As many words as fit, and how many more there are."""
    whole_ = ", ".join(words)
    if len(whole_) <= width:
        return whole_
    for kept in range(len(words) - 1, 0, -1):
        text = f"{', '.join(words[:kept])} +{len(words) - kept:,}"
        if len(text) <= width:
            return text
    return f"{len(words):,} services" if len(words) > 1 else words[0][: width - 1] + "…"


def _padded(text: str, width: int, style: Style) -> str:
    color = "green" if text == "all" else "grey" if text in ("-", "n/a") else "yellow" if text == "?" else None
    return style(text, color) + " " * (width - len(text))


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_[]<>|" else c for c in visible(text))
