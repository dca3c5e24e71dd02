"""The text of a configuration -> a document: every access list, the groups that they use, and where they are applied.

Other lines of a configuration are none of our business; what stands in a list, or speaks of one, is understood or refused.
A list ends in `deny ip any any`; a list of IPv6 permits neighbour discovery before that. A list that is applied and not
defined permits everything on IOS, which is remarked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ...errors import Diagnostic, PolicyError, Span
from ...model import address
from ...model.fields import DST, FULL, ICMPV6, PORTS, PROTOCOL, SRC, TYPE
from ...model.interval import IntervalSet
from ...model.rules import DENY
from ...model.scattered import masked
from ..chains import Chain, Chains, Kind, Line, Part
from ..document import Document
from ..matching import Match
from . import names
from .entries import ASA, IOS, NXOS, Dialect, Entry, extended, icmp_message, port_condition, standard
from .groups import Group, Groups, Service
from .words import RefusedError, Word, Words, short

MAX_ERRORS = 100
MAX_LINE = 1 << 16


def dialect_of(text: str) -> Dialect:
    """The system that writes so.

    What only IOS has tells first; ASA by its version or its `extended` lists with masks, NX-OS by its own lists, else IOS.
    """
    if re.search(r"^ ip access-group |^ipv6 access-list |^ip access-list (?:standard|extended) ", text, re.MULTILINE):
        return IOS
    if re.search(
        r"^(?:ASA|PIX) Version|^access-list \S+ (?:line \d+ )?extended |^object (?:network|service) ",
        text,
        re.MULTILINE,
    ):
        inverse = re.search(r"^access-list \S+ extended .* 0\.\d+\.\d+\.\d+(?: |$)", text, re.MULTILINE)
        return IOS if inverse and not re.search("^(?:ASA|PIX) Version", text, re.MULTILINE) else ASA
    if re.search(r"^object-group ip (?:address|port) |^ip access-list (?!standard |extended )\S+$", text, re.MULTILINE):
        return NXOS
    return IOS


def read(text: str, file: str, *, dialect: Dialect | None = None) -> Document:
    """The document in a text.

    Raises:
        PolicyError: with every error, each with its line and column.
    """
    return _Reader(text, file, dialect or dialect_of(text)).read()


@dataclass
class _List:
    """An access list under way."""

    name: str
    v6: bool | None
    span: Span
    standard: bool = False
    entries: list[tuple[int, int, Line]] = field(default_factory=list)  # (sequence number, order, line)
    remark: str | None = None


@dataclass
class _Block:
    """What the lines behind a heading belong to."""

    kind: str  # "list", "networks", "services", "ports", "protocols", "messages", "interface"
    target: _List | Group | str | None = None
    protocol: int | None = None
    indented: bool = False


class _Reader:
    def __init__(self, text: str, file: str, dialect: Dialect) -> None:
        self.text = text
        self.file = file
        self.dialect = dialect
        self.errors: list[Diagnostic] = []
        self.remarks: list[Diagnostic] = []
        self.lists: dict[str, _List] = {}
        self.groups = Groups()
        self.applied: list[tuple[str, str, Span]] = []  # (list, where, place)
        self.statements: Counter[str] = Counter()
        self.block: _Block | None = None
        self.waiting: list[tuple[_List, int, str]] = []  # entries, read when all groups are known
        self.number = 0

    def read(self) -> Document:
        rows = [row.rstrip("\r") for row in self.text.split("\n")]
        for number, row in enumerate(rows, 1):
            self._guarded(number, row, self._row)
        for target, number, row in self.waiting:
            self._guarded(number, row, partial(self._entry, target))
        for name, where, span in self.applied:
            if name not in self.lists:
                what = "permits everything" if self.dialect is not ASA else "cannot be applied"
                self._remark("FW454", f"list `{name}` is applied {where} and not defined: it {what}", span, "warning")
        if not self.lists and not self.errors:
            self.errors.append(
                Diagnostic(
                    "FW407", "there is no access list", Span(self.file, 1, 1, 1, 1), help="save `show running-config`"
                )
            )
        if self.errors:
            raise PolicyError(sorted(self.errors, key=lambda d: (d.span.line, d.span.column)), {self.file: self.text})
        chains = {name: self._chain(found) for name, found in self.lists.items()}
        return Document(
            f"cisco-{self.dialect.name.lower()}", Chains(chains, {name: frozenset() for name in chains}),
            {name: name for name in chains}, tuple(self.remarks), dict(self.statements), tuple(self.applied),
        )  # fmt: skip

    def _guarded(self, number: int, row: str, work: Callable[[int, str], None]) -> None:
        if len(self.errors) >= MAX_ERRORS:
            return
        try:
            if len(row) > MAX_LINE:
                raise RefusedError(None, f"the line has more than {MAX_LINE:,} characters", code="FW406")
            work(number, row)
        except RefusedError as error:
            begin, end = (error.word.column, error.word.end) if error.word else (len(row.rstrip()) + 1,) * 2
            self.errors.append(
                Diagnostic(error.code, error.message, Span(self.file, number, begin, number, end), help=error.help)
            )

    def _span(self, number: int, row: str) -> Span:
        return Span(self.file, number, len(row) - len(row.lstrip()) + 1, number, len(row.rstrip()) + 1)

    def _remark(self, code: str, message: str, span: Span, severity: str = "info") -> None:
        self.remarks.append(Diagnostic(code, message, span, severity="warning" if severity == "warning" else "info"))

    # Rows

    def _row(self, number: int, row: str) -> None:
        words = Words(row)
        if not words or row.lstrip().startswith("!"):
            if row.startswith("!") and self.block is not None and self.block.kind != "list":
                self.block = None
            return
        if _COUNTED.search(row):
            raise RefusedError(
                words.word, "this is the output of `show access-lists`", "save `show running-config`", "FW401"
            )
        if self._heading(words, number, row):
            return
        if words.next in ("exit", "end") and not row[0].isspace():
            self.block = None
            return
        if self.block is None:
            return
        if self.block.indented and not row[0].isspace():
            self.block = None
            return
        self.block.indented = self.block.indented or row[0].isspace()
        if isinstance(self.block.target, _List):
            self.waiting.append((self.block.target, number, row))
        elif isinstance(self.block.target, Group):
            self._member(self.block, self.block.target, words, number, row)
        elif self.block.kind == "interface":
            self._applied(words, number, row, f"to {self.block.target}")

    def _heading(self, words: Words, number: int, row: str) -> bool:
        """Begins a block, or is a line that says all by itself; False if it is neither."""
        first = words.next
        if row[0].isspace() and self.block is not None:
            return False
        if first in ("ip", "ipv6", "ipv4") and len(words.all) > 2 and words.all[1].text.lower() == "access-list":
            words.at = 2
            self._list_heading(words, number, row, v6=first == "ipv6")
        elif first == "access-list":
            words.at = 1
            self._list_line(words, number, row)
        elif first in ("object-group", "object"):
            words.at = 1
            self._group_heading(words, number, row, single=first == "object")
        elif first == "interface":
            self.block = _Block("interface", " ".join(w.text for w in words.all))
        elif first == "access-group":
            words.at = 1
            self._asa_applied(words, number, row)
        elif first == "no" and len(words.all) > 2 and "access-list" in (words.all[1].text, words.all[2].text):
            self.lists.pop(words.all[-1].text, None)
            self.block = None
        else:
            return False
        return True

    def _list_heading(self, words: Words, number: int, row: str, v6: bool) -> None:
        if words.next in (
            "resequence",
            "log-update",
            "logging",
            "helper",
            "persistent",
            "match-local-traffic",
            "role-based",
        ):
            self.block = None
            return
        kind = words.accept("standard", "extended")
        name = words.take("the name of a list").text
        simple = kind is not None and kind.text.lower() == "standard"
        target = self._list(name, v6, simple, self._span(number, row))
        self.block = _Block("list", target)
        if words:  # the whole entry stands here
            self.waiting.append(
                (target, number, " " * (words.all[words.at].column - 1) + row[words.all[words.at].column - 1 :])
            )
            self.block = None

    def _list(self, name: str, v6: bool | None, simple: bool, span: Span) -> _List:
        return self.lists.setdefault(name, _List(name, v6, span, simple))

    def _list_line(self, words: Words, number: int, row: str) -> None:
        """`access-list NAME …`, numbered or ASA's."""
        name = words.take("the name of a list").text
        words.accept("line") and words.take("a number")
        kind = words.accept("extended", "standard", "remark", "ethertype", "webtype")
        if kind is not None and kind.text.lower() in ("ethertype", "webtype"):
            raise RefusedError(kind, f"a list of `{kind.text}` does not filter IP packets", code="FW402")
        simple = _is_standard(name) or (kind is not None and kind.text.lower() == "standard")
        both = self.dialect is ASA and not simple
        target = self._list(name, None if both else False, simple, self._span(number, row))
        self.block = None
        if kind is not None and kind.text.lower() == "remark":
            words.at -= 1
        if not words:
            self.block = _Block("list", target)
            return
        column = words.all[words.at].column - 1
        self.waiting.append((target, number, " " * column + row[column:]))

    # Groups

    def _group_heading(self, words: Words, number: int, row: str, single: bool) -> None:
        kind = words.take("a kind").text.lower()
        if kind == "ip" and words.next in ("address", "port"):
            kind = "network" if words.take("").text.lower() == "address" else "port"
        if kind == "ipv6" and words.next == "address":
            words.take("")
            kind = "network"
        if kind == "network":
            words.accept("ipv4", "ipv6")
        kinds = {
            "network": "networks",
            "service": "services",
            "port": "ports",
            "protocol": "protocols",
            "icmp-type": "messages",
        }
        if kind not in kinds:
            self.block = None
            return
        name = words.take("the name of a group").text
        protocol = None
        if kind == "service" and not single and words:
            kinds = {**kinds, "service": "ports"}
            words.take("")
        self.block = _Block(kinds[kind], self.groups.begin(name, self._span(number, row)), protocol)

    def _member(self, block: _Block, group: Group, words: Words, number: int, row: str) -> None:
        if words.next.isdigit() and len(words.all) > 1 and words.all[1].text.lower() not in ("", "code"):
            words.take("")  # NX-OS numbers members
        first = words.next
        if first in ("description", "nat", "!"):
            return
        if first == "group-object":
            words.take("")
            group.members.append((words.take("the name of a group").text, self._span(number, row)))
        elif block.kind == "networks":
            self._network_member(group, words)
        elif block.kind == "services":
            words.accept("service-object", "service")
            if words.accept("object"):
                group.members.append((words.take("the name of an object").text, self._span(number, row)))
            else:
                group.services += _service(words)
        elif block.kind == "ports":
            words.accept("port-object")
            found = port_condition(words, None)
            if found is None:
                raise RefusedError(words.word, "a port such as `eq 80` or `range 1 9` is expected")
            group.ports.append(found)
        elif block.kind == "protocols":
            words.accept("protocol-object")
            word = words.take("a protocol")
            text = word.text.lower()
            number_ = int(text) if re.fullmatch("[0-9]{1,3}", text) and int(text) < 256 else names.PROTOCOLS.get(text)
            if number_ is None and text not in names.ANY_PROTOCOL:
                raise RefusedError(word, f"`{short(word.text)}` is not a protocol", code="FW403")
            group.protocols.append(number_)
        else:
            words.accept("icmp-object")
            message = icmp_message(words, v6=False)
            if message is None:
                raise RefusedError(words.word, "an ICMP type is expected", code="FW403")
            group.messages.append(message)
        if words:
            raise RefusedError(words.word, f"`{short(words.all[words.at].text)}` is not understood here")

    def _network_member(self, group: Group, words: Words) -> None:
        words.accept("network-object")
        if words.accept("object", "object-group"):
            group.members.append((words.take("the name of an object").text, group.span))
        elif words.accept("host"):
            group.networks.append(IntervalSet.single(_point(words.take("an address"))))
        elif words.accept("range"):
            first, last = _point(words.take("an address")), _point(words.take("an address"))
            group.networks.append(IntervalSet(((min(first, last), max(first, last)),)))
        elif words.accept("fqdn"):
            rest = " ".join(w.text for w in words.all[words.at :])
            words.at = len(words.all)
            group.unknown = f"the addresses of {rest} are not known here"
            group.networks.append(address.ALL)
        elif words.accept("any", "any4", "any6"):
            group.networks.append(address.ALL)
        else:
            words.accept("subnet")
            word = words.take("an address")
            host, slash, length = word.text.partition("/")
            point = _point(Word(host, word.column, word.column + len(host)))
            if slash:
                if not re.fullmatch("[0-9]{1,3}", length) or int(length) > address.bits_of(point):
                    raise RefusedError(word, f"`/{short(length)}` is not a prefix length", code="FW403")
                group.networks.append(IntervalSet((address.prefix(point, int(length)),)))
            elif words and re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", words.next):
                mask_word = words.take("")
                mask = address.to_value(_point(mask_word))
                if self.dialect is NXOS:
                    mask ^= 0xFFFFFFFF
                group.networks.append(masked(point, mask))
            else:
                group.networks.append(IntervalSet.single(point))

    # Entries

    def _entry(self, target: _List, number: int, row: str) -> None:
        words = Words(row)
        order = len(target.entries)
        sequence = target.entries[-1][0] + 10 if target.entries else 10
        if words.next.isdigit():
            sequence = int(words.take("").text)
        if words.accept("sequence"):
            sequence = int(words.take("a number").text)
        first = words.take("`permit` or `deny`")
        text = first.text.lower()
        if text == "remark":
            target.remark = " ".join(w.text for w in words.all[words.at :]) or None
            self.statements["ignored"] += 1
            return
        if text in ("statistics", "fragments", "description"):  # NX-OS: per-entry counters and the like
            if text == "fragments":
                raise RefusedError(first, "`fragments permit-all` and `deny-all` are not understood yet")
            self.statements["ignored"] += 1
            return
        if text not in ("permit", "deny"):
            raise RefusedError(first, f"`{short(first.text)}` is not `permit`, `deny` or `remark`", "", "FW402")
        reader = standard if target.standard else extended
        v6 = target.v6
        entry: Entry = (
            standard(words, text == "permit", self.dialect, self.groups, bool(v6))
            if reader is standard
            else extended(words, text == "permit", self.dialect, self.groups, v6)
        )
        self.number += 1
        in_doubt = any(part.doubts for part in entry.parts)
        self.statements["ignored" if entry.inactive else "in doubt" if in_doubt else "exact"] += 1
        kind = Kind.PASS if entry.inactive else Kind.ALLOW if entry.permit else Kind.DENY
        line = Line(self.number, self._span(number, row), row.strip(), kind, entry.parts, None, None, entry.log)
        target.entries = [e for e in target.entries if e[0] != sequence or not words.all[0].text.isdigit()]
        target.entries.append((sequence, order, line))

    def _chain(self, found: _List) -> Chain:
        lines = [line for _, _, line in sorted(found.entries, key=lambda e: e[:2])]
        if found.v6 is not None:
            other = address.V4 if found.v6 else address.V6
            self.number += 1
            reason = f"this list is about {'IPv6' if found.v6 else 'IPv4'} alone"
            sets = list(FULL)
            sets[SRC] = sets[DST] = other
            lines.insert(0, Line(self.number, found.span, reason, Kind.EITHER, (Part((tuple(sets),), (reason,)),)))
        if found.v6:
            match = Match({SRC: address.V6, DST: address.V6})
            types = IntervalSet.of((135, 136))
            match.require({PROTOCOL: IntervalSet.single(ICMPV6), TYPE: types})
            self.number += 1
            lines.append(
                Line(self.number, found.span, "permit icmp any any nd-na, nd-ns (implicit)", Kind.ALLOW, match.parts())
            )
        return Chain(found.name, tuple(lines), DENY, found.span)

    # Where lists are applied

    def _applied(self, words: Words, number: int, row: str, where: str) -> None:
        texts = [w.text for w in words.all]
        lowered = [text.lower() for text in texts]
        if "access-group" in lowered[:2] or lowered[:2] == ["ipv6", "traffic-filter"]:
            at = 2 if lowered[0] in ("ip", "ipv6") else 1
            if len(texts) > at:
                way = texts[at + 1] if len(texts) > at + 1 else ""
                self.applied.append((texts[at], f"{where} {way}".strip(), self._span(number, row)))

    def _asa_applied(self, words: Words, number: int, row: str) -> None:
        name = words.take("the name of a list").text
        where = " ".join(w.text for w in words.all[words.at :])
        self.applied.append((name, f"to {where}", self._span(number, row)))
        self.block = None


_COUNTED = re.compile(
    r"\((?:hitcnt=\d+\)|\d+ match(?:es)?\))|^(?:Extended|Standard|IPv6) IP(?:v6)? access list |elements; name hash"
)


def _is_standard(name: str) -> bool:
    return name.isdigit() and (1 <= int(name) <= 99 or 1300 <= int(name) <= 1999)


def _point(word: Word) -> int:
    try:
        return address.parse(word.text)
    except ValueError as error:
        raise RefusedError(word, f"`{short(word.text)}` is not an address: {error}", code="FW403") from None


def _service(words: Words) -> list[Service]:
    """`tcp destination eq 80`, `tcp-udp source range 1 9`, `icmp echo`, `eq 80` (both), or a protocol alone."""
    word = words.word
    if words.next in ("eq", "neq", "lt", "gt", "range"):
        found = port_condition(words, None)
        return [Service(p, None, found) for p in (6, 17)]
    text = words.take("a protocol").text.lower()
    protocols = [6, 17] if text == "tcp-udp" else [names.PROTOCOLS.get(text, -1)]
    if text in names.ANY_PROTOCOL:
        return [Service(None)]
    if re.fullmatch("[0-9]{1,3}", text) and int(text) < 256:
        protocols = [int(text)]
    if protocols == [-1]:
        raise RefusedError(word, f"`{short(text)}` is not a protocol", code="FW403")
    if protocols[0] in (1, ICMPV6) and words:
        message = icmp_message(words, protocols[0] == ICMPV6)
        return [Service(protocols[0], message=message)]
    source = target = None
    if words.accept("source"):
        source = port_condition(words, protocols[0])
    words.accept("destination")
    target = port_condition(words, protocols[0])
    if source is None and target is None:
        return [Service(p) for p in protocols]
    return [Service(p, source, target if target is not None else PORTS) for p in protocols]
