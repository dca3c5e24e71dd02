"""The text of a configuration -> a document: every access list, the groups that they use, and where they are applied.

Other lines of a configuration are none of our business; what stands in a list, or speaks of one, is understood or refused.
A list ends in `deny ip any any`; a list of IPv6 permits neighbour discovery before that. A list that is applied and not
defined permits everything on IOS, and so does one without entries: both are remarked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from ...errors import Diagnostic, PolicyError, Span
from ...model import address
from ...model.fields import DST, SRC
from ..chains import Chains, Kind, Line, Part
from ..document import Document
from ..matching import Match
from .applied import Uses, block_of
from .entries import ASA, IOS, NXOS, Dialect, extended, standard
from .groups import Group, Groups, heading, member
from .lists import AccessList, chain_of, fragments_line
from .words import RefusedError, Words, short

MAX_ERRORS = 100
MAX_LINE = 1 << 16

_ASA = re.compile(
    r"^(?:ASA|PIX) Version|^access-group \S+ (?:in|out) interface |^object (?:network|service) |^ nameif ", re.MULTILINE
)
_EXTENDED = re.compile(
    r"^access-list (?:\S+ (?:line \d+ )?extended |[A-Za-z]\S* (?:line \d+ )?(?:permit|deny) )", re.MULTILINE
)
# a mask whose first bits are not compared, such as 0.0.0.255; 0.0.0.0 may be any address
_INVERSE = re.compile(r"^access-list .* 0\.(?!0\.0\.0\b)\d+\.\d+\.\d+(?: |$)", re.MULTILINE)
_IOS = re.compile(r"^ip access-list (?:standard|extended) ", re.MULTILINE)
_BLOCKS = re.compile(r"^(?:ip|ipv6) access-list (?:standard |extended )?\S+[ \t]*$", re.MULTILINE)
_NXOS = re.compile(
    r"^object-group ip(?:v6)? (?:address|port) |^ip access-list \S+[ \t]*$|^[ \t]+statistics per-entry|^feature |"
    r"^[ \t]+ip port access-group ",
    re.MULTILINE,
)
_SHOWN = re.compile(
    r"\(hitcnt=\d+\)|\(\d+ match(?:es)?\)|\[match=\d+\]|elements; name hash|, wildcard bits |"
    r"^\s*(?:(?:Extended |Standard |Reflexive )?IP|IPv[46]) access list ",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"(?:\d+\s+)?(?:permit|deny|remark|no|evaluate|dynamic|sequence)\s+\S")
_ASIDE = ("resequence", "log-update", "logging", "helper", "persistent", "match-local-traffic", "role-based", "fqdn")
_NOT_FOR_PACKETS = {
    "ethertype": "does not filter IP packets", "webtype": "filters URLs", "standard": "is about routes on ASA, not packets",
}  # fmt: skip


def dialect_of(text: str) -> Dialect:
    """The system that writes so.

    ASA by what only it has, or by `extended` lists with masks; then IOS and NX-OS by how their lists begin, else IOS.
    """
    if _ASA.search(text) or (_EXTENDED.search(text) and not _INVERSE.search(text) and not _BLOCKS.search(text)):
        return ASA
    return NXOS if _NXOS.search(text) and not _IOS.search(text) else IOS


def read(text: str, file: str, *, dialect: Dialect | None = None) -> Document:
    """The document in a text.

    Raises:
        PolicyError: with every error, each with its line and column.
    """
    plain = text.replace("\r\n", "\n")
    return _Reader(plain, file, dialect or dialect_of(plain)).read()


@dataclass
class _Block:
    """What the lines behind a heading belong to: a list, a group, or (its heading) where lists are applied."""

    target: AccessList | Group | str
    indented: bool = False
    paused: bool = False  # a comment stood in it, at the beginning of a line


class _Reader:
    def __init__(self, text: str, file: str, dialect: Dialect) -> None:
        self.text = text
        self.file = file
        self.dialect = dialect
        self.errors: list[Diagnostic] = []
        self.remarks: list[Diagnostic] = []
        self.lists: dict[str, AccessList] = {}
        self.groups = Groups()
        self.uses = Uses()
        self.statements: Counter[str] = Counter()
        self.block: _Block | None = None
        self.waiting: list[tuple[int, str, Callable[[int, str], None]]] = []  # done when all groups are known
        self.numbers = count(1)

    def read(self) -> Document:
        rows = [row.rstrip("\r") for row in self.text.split("\n")]
        for number, row in enumerate(rows, 1):
            self._guarded(number, row, self._row)
        for number, row, work in self.waiting:
            self._guarded(number, row, work)
        self._remarks()
        if not self.lists and not self.errors:
            self.errors.append(
                Diagnostic(
                    "FW407", "there is no access list", Span(self.file, 1, 1, 1, 1), help="save `show running-config`"
                )
            )
        if self.errors:
            raise PolicyError(sorted(self.errors, key=lambda d: (d.span.line, d.span.column)), {self.file: self.text})
        chains = {name: chain_of(found, self.dialect, self.numbers) for name, found in self.lists.items()}
        return Document(
            f"cisco-{self.dialect.name.lower()}", Chains(chains, {name: frozenset() for name in chains}),
            {name: name for name in chains}, tuple(self.remarks), dict(self.statements),
            tuple((use.name, use.where, use.span) for use in self.uses),
        )  # fmt: skip

    def _remarks(self) -> None:
        happens = {IOS: "it permits everything", NXOS: "what then happens is not known", ASA: "ASA refuses that"}
        for use in self.uses:
            if use.filters and use.name not in self.lists:
                message = f"list `{use.name}` is applied {use.where} and not defined: {happens[self.dialect]}"
                self.remarks.append(Diagnostic("FW454", message, use.span, severity="warning"))
        applied = {use.name for use in self.uses if use.filters}
        for name, found in self.lists.items():
            if not found.lines and self.dialect is IOS:
                where = "and is applied: it" if name in applied else "where it is applied it"
                message = f"list `{name}` has no entry, {where} permits everything"
                self.remarks.append(Diagnostic("FW470", message, found.span, severity="warning"))

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

    def _aside(self, message: str, span: Span) -> None:
        self.block = None
        if not any(told.message == message for told in self.remarks):
            self.remarks.append(Diagnostic("FW452", message, span, severity="info"))

    # Rows

    def _row(self, number: int, row: str) -> None:
        words = Words(row)
        if not words or row.lstrip().startswith("!"):
            if row.startswith("!") and self.block is not None:
                self.block.paused = True
                if not isinstance(self.block.target, AccessList):
                    self.block = None
            return
        if _SHOWN.search(row) and not {"remark", "description"} & {word.text.lower() for word in words.all}:
            raise RefusedError(
                words.word, "this is the output of `show access-lists`", "save `show running-config`", "FW401"
            )
        if self._heading(words, number, row):
            return
        if words.next in ("exit", "end") and not row[0].isspace():
            self.block = None
            return
        if self.block is not None and not row[0].isspace():
            # a list may go on behind a comment, and what stands there may be something else
            over = self.block.indented or (self.block.paused and not _ENTRY.match(row))
            self.block = None if over else self.block
        if self.block is None:
            if not row[0].isspace() and _ENTRY.match(row):
                raise RefusedError(words.word, "an entry stands outside of any list", "indent the entries of a list")
            self.uses.top(words, self._span(number, row))
            return
        self.block.indented = self.block.indented or row[0].isspace()
        if isinstance(self.block.target, AccessList):
            self.waiting.append((number, row, partial(self._entry, self.block.target)))
        elif isinstance(self.block.target, Group):
            member(self.block.target, words, self.groups, number)
            self._tell(words, number)
        else:
            self.uses.inside(words, self.block.target, self._span(number, row))

    def _heading(self, words: Words, number: int, row: str) -> bool:
        """Begins a block, or is a line that says all by itself; False if it is neither."""
        first, second = words.next, words.all[1].text.lower() if len(words.all) > 1 else ""
        if row[0].isspace() and self.block is not None:
            return False
        if first in ("ip", "ipv6", "ipv4") and second == "access-list":
            words.at = 2
            self._list_heading(words, number, row, v6=first == "ipv6")
        elif first in ("mac", "arp", "ipx") and second == "access-list":
            self._aside(f"a list of `{first}` does not filter IP packets", self._span(number, row))
            self.block = _Block("")
        elif first == "access-list":
            words.at = 1
            self._list_line(words, number, row)
        elif first in ("object-group", "object"):
            words.at = 1
            single, inverse = first == "object", self.dialect is NXOS
            found = heading(words, self.groups, self._span(number, row), single=single, inverse=inverse)
            self.block = _Block(found) if found is not None else None
        elif first == "name" and self.dialect is ASA and len(words.all) > 2:
            self.groups.hosts[words.all[2].text] = words.all[1].text
        elif first == "no" and not (
            (self.block is not None and second.isdigit()) or second in ("permit", "deny", "remark")
        ):
            self._no(words, number, row)
        elif (block := block_of(words)) is not None:
            self.block = _Block(block)
        else:
            return False
        return True

    def _no(self, words: Words, number: int, row: str) -> None:
        """Takes a list, an entry of ASA's, or a group away; other lines do not matter."""
        self.block = None
        texts = [word.text.lower() for word in words.all]
        if "access-list" in texts[1:3]:
            words.at = texts.index("access-list") + 1
            words.accept("standard", "extended")
            name = words.take("the name of a list").text
            if self.dialect is ASA and words:
                words.accept("extended", "standard")
                self.waiting.append((number, row, partial(self._removed, self.lists.get(name), words)))
            else:
                self.lists.pop(name, None)
        elif texts[1:2] in (["object-group"], ["object"]):
            self.groups.named.pop(words.all[-1].text, None)

    def _tell(self, words: Words, number: int) -> None:
        for word, message, help in words.told:
            span = Span(self.file, number, word.column, number, word.end)
            self.remarks.append(Diagnostic("FW472", message, span, help=help, severity="warning"))

    def _removed(self, found: AccessList | None, words: Words, number: int, row: str) -> None:
        at = words.word
        if found is None or not found.remove(" ".join(word.text for word in words.all[words.at :])):
            raise RefusedError(at, "there is no such entry to remove", code="FW404")

    def _list_heading(self, words: Words, number: int, row: str, v6: bool) -> None:
        if words.next == "resequence":
            self.block = None
            self.waiting.append((number, row, self._resequence))
            return
        if words.next in _ASIDE and self.dialect is not NXOS:
            self.block = None
            return
        kind = words.accept("standard", "extended")
        name = words.take("the name of a list").text
        simple = kind is not None and kind.text.lower() == "standard"
        target = self._list(name, v6, simple, self._span(number, row))
        self.block = _Block(target)
        if words:  # the whole entry stands here
            self._wait(target, words, number, row)
            self.block = None

    def _wait(self, target: AccessList, words: Words, number: int, row: str) -> None:
        column = words.all[words.at].column - 1
        self.waiting.append((number, " " * column + row[column:], partial(self._entry, target)))

    def _list(self, name: str, v6: bool | None, simple: bool, span: Span) -> AccessList:
        return self.lists.setdefault(name, AccessList(name, v6, span, simple))

    def _list_line(self, words: Words, number: int, row: str) -> None:
        """`access-list NAME …`, numbered or ASA's."""
        asa = self.dialect is ASA
        word = words.take("the name of a list")
        name = word.text
        if not asa and _is_number(name) and not _is_standard(name) and not _is_extended(name):
            self._aside(f"list {name} does not filter IP packets, by its number", self._span(number, row))
            return
        if not asa and name in ("compiled", "dynamic-extended"):
            return
        position = words.number() if words.accept("line") else None
        kind = words.accept("extended", "standard", "ethertype", "webtype")
        text = kind.text.lower() if kind is not None else ""
        if text in _NOT_FOR_PACKETS and (asa or text != "standard"):
            self._aside(f"list `{name}` {_NOT_FOR_PACKETS[text]}", self._span(number, row))
            return
        target = self._list(
            name,
            None if asa else False,
            not asa and (text == "standard" or _is_standard(name)),
            self._span(number, row),
        )
        self.block = None
        if not words:
            self.block = _Block(target)
        elif position is not None:
            column = words.all[words.at].column - 1
            work = partial(self._entry, target, position=position)
            self.waiting.append((number, " " * column + row[column:], work))
        else:
            self._wait(target, words, number, row)

    def _resequence(self, number: int, row: str) -> None:
        words = Words(row)
        words.at = 3
        name = words.take("the name of a list")
        if name.text not in self.lists:
            raise RefusedError(name, f"there is no list `{short(name.text)}`", code="FW404")
        first, step = (words.number() if words else 10 for _ in range(2))
        self.lists[name.text].resequence(first, step)

    # Entries

    def _entry(self, target: AccessList, number: int, row: str, *, position: int | None = None) -> None:
        words = Words(row)
        at = words.word
        sequence = words.number() if words.at_number else None
        if words.accept("sequence"):
            at, sequence = words.word, words.number()
        begin = words.at
        text = words.next
        if text == "no":
            words.take("")
            self._removed(target, words, number, row)
            return
        line: Line | None = None
        if text in ("permit", "deny", "dynamic", "evaluate"):
            line, own = self._line(target, words, number, row)
            sequence = own if own is not None else sequence
        elif self._says_no_match(target, words, number, row):
            return
        said = " ".join(word.text for word in words.all[begin:])
        if self.dialect is ASA:
            target.insert(said, number, line, len(target.entries) + 1 if position is None else position)
        elif line is not None or self.dialect is NXOS:  # elsewhere remarks have no numbers
            target.place(said, number, line, sequence, at)

    def _says_no_match(self, target: AccessList, words: Words, number: int, row: str) -> bool:
        """A line of a list that is no entry; True if it has no place among them either."""
        first = words.take("`permit` or `deny`")
        text = first.text.lower()
        if text not in ("remark", "statistics", "description", "ignore", "fragments"):
            raise RefusedError(first, f"`{short(first.text)}` is not `permit`, `deny` or `remark`", "", "FW402")
        self.statements["exact" if text == "fragments" else "ignored"] += 1
        if text == "fragments":
            way = words.take("`permit-all` or `deny-all`")
            if way.text.lower() not in ("permit-all", "deny-all"):
                raise RefusedError(way, "`permit-all` or `deny-all` is expected", code="FW403")
            permit = way.text.lower() == "permit-all"
            span = self._span(number, row)
            target.fragments = fragments_line(next(self.numbers), span, row.strip(), permit, target.v6)
        return text != "remark"

    def _line(self, target: AccessList, words: Words, number: int, row: str) -> tuple[Line, int | None]:
        """An entry that matches packets, and the number that stands at its end, if one does."""
        kind, log, own = Kind.ALLOW, False, None
        if words.accept("evaluate"):
            name = words.take("the name of a list").text
            parts = _reflexive(target, name)
            if words.accept("sequence"):
                own = words.number()
            if words:
                raise RefusedError(words.word, f"`{short(words.all[words.at].text)}` is not understood here")
        else:
            dynamic = _dynamic(words)
            first = words.take("`permit` or `deny`")
            if first.text.lower() not in ("permit", "deny"):
                raise RefusedError(first, "`permit` or `deny` is expected")
            permit = first.text.lower() == "permit"
            if target.standard:
                entry = standard(words, permit, self.dialect, self.groups, bool(target.v6))
            else:
                entry = extended(words, permit, self.dialect, self.groups, target.v6)
            parts, log, own = entry.parts, entry.log, entry.sequence
            if dynamic:
                parts = tuple(Part(part.products, (*part.doubts, dynamic)) for part in parts)
            kind = Kind.PASS if entry.inactive else Kind.ALLOW if permit else Kind.DENY
        self._tell(words, number)
        in_doubt = any(part.doubts for part in parts)
        self.statements["ignored" if kind is Kind.PASS else "in doubt" if in_doubt else "exact"] += 1
        return Line(next(self.numbers), self._span(number, row), row.strip(), kind, parts, None, None, log), own


def _dynamic(words: Words) -> str:
    """Lock and key: whether its entries are there hangs on who has logged in."""
    if not words.accept("dynamic"):
        return ""
    name = words.take("a name").text
    if words.accept("timeout"):
        words.take("a number")
    return f"dynamic {name}"


def _reflexive(target: AccessList, name: str) -> tuple[Part, ...]:
    """`evaluate`: permits replies to what a `reflect` has let out, as long as its time lasts."""
    family = address.V6 if target.v6 else address.V4
    match = Match({SRC: family, DST: family})
    match.doubt(f"evaluate {name}")
    return match.parts()


def _is_standard(name: str) -> bool:
    return _is_number(name) and (1 <= int(name) <= 99 or 1300 <= int(name) <= 1999)


def _is_extended(name: str) -> bool:
    return _is_number(name) and (100 <= int(name) <= 199 or 2000 <= int(name) <= 2699)


def _is_number(name: str) -> bool:
    return re.fullmatch("[0-9]{1,9}", name) is not None
