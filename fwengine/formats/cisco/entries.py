"""One entry of an access list -> a match.

Fragments, as IOS has it: an entry with ports, types or flags that permits lets later fragments pass which agree in protocol
and addresses; one that denies does not see them; `fragments` is about them alone. ASA puts fragments together before it
looks: there the fate of a later fragment is in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ...model import address
from ...model.fields import (
    CODE,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    ICMP,
    ICMPV6,
    PORTS,
    PROTOCOL,
    SPORT,
    SRC,
    TCP,
    TYPE,
)
from ...model.interval import EMPTY, IntervalSet
from ...model.scattered import masked
from ..chains import Part
from ..matching import Conditions, Match, union
from . import names
from .groups import Group, Groups, Service
from .words import RefusedError, Word, Words, short

EARLY, LATER = IntervalSet(((0, 1),)), IntervalSet.single(2)
_ESTABLISHED = IntervalSet.union((v, v) for v in range(256) if v & 0x14)
_WITH_PORTS = frozenset({6, 17, 33, 132, 136})


@dataclass(frozen=True)
class Dialect:
    """How a system writes its lists.

    Attributes:
        masks: an address is followed by a mask whose one bits are compared (ASA), not by its inverse.
        whole: fragments are put together first.
    """

    name: str
    masks: bool = False
    whole: bool = False


IOS, NXOS, ASA = Dialect("IOS"), Dialect("NX-OS"), Dialect("ASA", masks=True, whole=True)


@dataclass
class Entry:
    """What the words of an entry mean: an action, and what it matches."""

    permit: bool
    parts: tuple[Part, ...]
    log: bool = False
    inactive: bool = False
    notes: list[str] = field(default_factory=list)


def standard(words: Words, permit: bool, dialect: Dialect, groups: Groups, v6: bool) -> Entry:
    """An entry of a standard list: source addresses alone."""
    reader = _Reader(words, permit, dialect, groups, v6)
    source = reader.addresses(alone=True)
    reader.match.require({SRC: source})
    reader.options()
    return reader.entry()


def extended(words: Words, permit: bool, dialect: Dialect, groups: Groups, v6: bool | None) -> Entry:
    """An entry of an extended list. `v6` is None where a list may have both families (ASA)."""
    reader = _Reader(words, permit, dialect, groups, v6)
    reader.protocols()
    reader.match.require({SRC: reader.addresses()})
    reader.ports(SPORT)
    reader.match.require({DST: reader.addresses()})
    reader.ports(DPORT)
    reader.message()
    reader.options()
    return reader.entry()


class _Reader:
    def __init__(self, words: Words, permit: bool, dialect: Dialect, groups: Groups, v6: bool | None) -> None:
        self.words = words
        self.permit = permit
        self.dialect = dialect
        self.groups = groups
        self.v6 = v6
        family = address.ALL if v6 is None else address.V6 if v6 else address.V4
        self.match = Match({SRC: family, DST: family})
        self.services: list[Service] = []
        self.deep: list[tuple[int, IntervalSet]] = []  # conditions on the transport header, applied at the end
        self.alternatives: list[Conditions] = []
        self.later_only = False
        self.doubts: list[str] = []
        self.log = self.off = False

    # Protocols

    def protocols(self) -> None:
        """A protocol, or a group or object that stands for protocols or services."""
        word = self.words.take("a protocol")
        text = word.text.lower()
        if text in ("object-group", "object"):
            name = self.words.take("the name of a group")
            for group in self._groups(name):
                self.services += group.services
                self.services += [Service(p) for p in group.protocols]
            return
        self.services = [Service(self._protocol(word))]

    def _protocol(self, word: Word) -> int | None:
        text = word.text.lower()
        if text in names.ANY_PROTOCOL:
            return None
        if re.fullmatch("[0-9]{1,3}", text) and int(text) < 256:
            number = int(text)
        else:
            found = names.PROTOCOLS.get(text)
            if found is None:
                raise RefusedError(word, f"`{short(word.text)}` is not a protocol", code="FW403")
            number = found
        return ICMPV6 if number == ICMP and self.v6 else number

    @property
    def protocol(self) -> int | None:
        """The one protocol, if it is one."""
        found = {s.protocol for s in self.services}
        return found.pop() if len(found) == 1 else None

    def _groups(self, name: Word) -> list[Group]:
        if name.text not in self.groups:
            raise RefusedError(name, f"there is no group `{short(name.text)}`", "define it, or check its name", "FW404")
        whole = self.groups.whole(name.text)
        for group in whole:
            if group.unknown:
                self.doubts.append(group.unknown)
        return whole

    # Addresses

    def addresses(self, *, alone: bool = False) -> IntervalSet:
        """A source or a destination."""
        word = self.words.take("an address")
        text = word.text.lower()
        family = address.ALL if self.v6 is None else address.V6 if self.v6 else address.V4
        if text in ("any", "any4", "any6"):
            return {"any": family, "any4": address.V4, "any6": address.V6}[text]
        if text == "host":
            return IntervalSet.single(self._point(self.words.take("an address")))
        if text in ("object-group", "object", "net-group", "addrgroup"):
            found = [
                network for group in self._groups(self.words.take("the name of a group")) for network in group.networks
            ]
            return union(found) if found else EMPTY
        if text == "interface":
            self.words.take("the name of an interface")
            self.doubts.append("the address of an interface is not known here")
            return family
        return self._network(word, alone)

    def _network(self, word: Word, alone: bool) -> IntervalSet:
        host, slash, length = word.text.partition("/")
        point = self._point(Word(host, word.column, word.column + len(host)))
        bits = address.bits_of(point)
        if slash:
            if not re.fullmatch("[0-9]{1,3}", length) or int(length) > bits:
                raise RefusedError(word, f"`/{short(length)}` is not a prefix length of {bits} bits", code="FW403")
            return IntervalSet((address.prefix(point, int(length)),))
        if bits == 128:
            return IntervalSet.single(point)
        follows = self.words.word
        if follows is None or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", follows.text):
            if alone or self.dialect.masks:
                return IntervalSet.single(point)
            raise RefusedError(follows, f"`{word.text}` lacks its wildcard mask", f"write `host {word.text}`", "FW403")
        self.words.take("a mask")
        mask = address.to_value(self._point(follows))
        if not self.dialect.masks:
            mask ^= 0xFFFFFFFF
        return masked(point, mask)

    def _point(self, word: Word) -> int:
        try:
            point = address.parse(word.text)
        except ValueError as error:
            raise RefusedError(word, f"`{short(word.text)}` is not an address: {error}", code="FW403") from None
        if self.v6 is not None and (address.family_of(point) == 6) != self.v6:
            raise RefusedError(word, f"`{word.text}` is not of this list's family", code="FW403")
        return point

    # Ports and ICMP messages

    def ports(self, f: int) -> None:
        """A condition on ports, if one stands here."""
        if self.words.accept("portgroup", "port-group"):
            name = self.words.take("the name of a group")
            found = [ports for group in self._groups(name) for ports in group.ports]
            self.deep.append((f, union(found) if found else EMPTY))
        elif self.words.next in ("object-group", "object") and self._names_ports():
            self.words.take("")
            found = []
            for group in self._groups(self.words.take("the name of a group")):
                found += group.ports
                found += [s.target for s in group.services if s.target is not None]
            self.deep.append((f, union(found) if found else EMPTY))
        else:
            chosen = port_condition(self.words, self.protocol)
            if chosen is not None:
                self.deep.append((f, chosen))

    def _names_ports(self) -> bool:
        """Is the group that is named here one of ports? One of networks is the destination."""
        name = self.words.all[self.words.at + 1].text if self.words.at + 1 < len(self.words.all) else ""
        return any(g.ports or g.services for g in self.groups.whole(name))

    def message(self) -> None:
        """An ICMP message, if one stands here."""
        if self.protocol not in (ICMP, ICMPV6) or not self.words:
            return
        if self.words.next in ("object-group", "object"):
            self.words.take("")
            messages = [m for group in self._groups(self.words.take("the name of a group")) for m in group.messages]
        else:
            found = icmp_message(self.words, self.protocol == ICMPV6)
            if found is None:
                return
            messages = [found]
        self.alternatives = message_conditions(messages)

    # Options

    def options(self) -> None:
        """What follows the addresses."""
        while self.words:
            word = self.words.take("")
            option = _OPTIONS.get(word.text.lower())
            if option is not None:
                option(self, word)
            elif word.text.lower() in names.FLAGS and self.protocol == TCP:
                self._any_flag([word])
            else:
                raise RefusedError(word, f"`{short(word.text)}` is not understood here")

    def established(self, word: Word) -> None:
        if self.protocol == TCP:
            self.deep.append((FLAGS, _ESTABLISHED))
        else:
            raise RefusedError(word, "`established` is of tcp alone", code="FW403")

    def fragments(self, word: Word) -> None:
        self.later_only = True

    def logged(self, word: Word) -> None:
        self.log = True
        if self.dialect is ASA or word.text.lower() == "log":
            while self.words and (self.words.next.isdigit() or self.words.next in _LOG_WORDS):
                self.words.take("")

    def perhaps(self, word: Word) -> None:
        name = self.words.take("a value")
        self.doubts.append(f"{word.text} {name.text}")

    def compared(self, word: Word) -> None:
        """`ttl eq 5`: an operator and one value, or two."""
        operator = self.words.take("an operator")
        values = [self.words.take("a value").text]
        if operator.text.lower() == "range":
            values.append(self.words.take("a value").text)
        self.doubts.append(" ".join([word.text, operator.text, *values]))

    def inactive(self, word: Word) -> None:
        self.off = True

    def match_flags(self, word: Word) -> None:
        """`match-all +ack -syn`, `match-any +ack +rst`."""
        signed = []
        while self.words and self.words.next[:1] in "+-" and self.words.next[1:] in names.FLAGS:
            taken = self.words.take("")
            signed.append((taken.text[0] == "+", names.FLAGS[taken.text[1:].lower()]))
        if not signed:
            raise RefusedError(self.words.word, "flags such as `+ack -syn` are expected", code="FW403")
        every = word.text.lower() == "match-all"
        agreeing = [(v, [bool(v & bit) == wanted for wanted, bit in signed]) for v in range(256)]
        chosen = [v for v, agrees in agreeing if (all(agrees) if every else any(agrees))]
        self.deep.append((FLAGS, IntervalSet.union((v, v) for v in chosen)))

    def _any_flag(self, found: list[Word]) -> None:
        while self.words and self.words.next in names.FLAGS:
            found.append(self.words.take(""))
        mask = sum({names.FLAGS[w.text.lower()] for w in found})
        self.deep.append((FLAGS, IntervalSet.union((v, v) for v in range(256) if v & mask)))

    # The whole

    def entry(self) -> Entry:
        """The match, with fragments as the system treats them."""
        for reason in dict.fromkeys(self.doubts):
            self.match.doubt(reason)
        options: list[Conditions] = []
        for service in dict.fromkeys(self.services or [Service(None)]):
            options += self._conditions(service)
        deep = [o for o in options if set(o) - {PROTOCOL}]  # these look at the transport header
        shallow = [o for o in options if not set(o) - {PROTOCOL}]
        later = [{**{f: s for f, s in o.items() if f == PROTOCOL}, FRAGMENT: LATER} for o in deep]
        early = [{**o, FRAGMENT: EARLY} for o in deep]
        if self.later_only:
            self.match.require_any([*later, *({**o, FRAGMENT: LATER} for o in shallow)])
        elif deep and self.dialect.whole:
            fragments = self.match.copy()
            fragments.doubt("fragments are put together first")
            fragments.require_any(later)
            self.match.require_any([*shallow, *early])
            return Entry(self.permit, (*self.match.parts(), *fragments.parts()), self.log, self.off)
        else:
            self.match.require_any([*shallow, *early, *(later if self.permit else [])])
        return Entry(self.permit, self.match.parts(), self.log, self.off)

    def _conditions(self, service: Service) -> list[Conditions]:
        """The conditions of one service: a disjunction."""
        base: dict[int, IntervalSet] = {}
        if service.protocol is not None:
            base[PROTOCOL] = IntervalSet.single(service.protocol)
        for f, chosen in [
            *self.deep,
            *((f, s) for f, s in ((SPORT, service.source), (DPORT, service.target)) if s is not None),
        ]:
            base[f] = base[f] & chosen if f in base else chosen
        if service.message is not None:
            return [{**base, **m} for m in message_conditions([service.message])]
        return [{**base, **m} for m in self.alternatives] if self.alternatives else [base]


_OPTIONS: dict[str, Callable[[_Reader, Word], None]] = {
    "established": _Reader.established,
    "fragments": _Reader.fragments,
    "log": _Reader.logged,
    "log-input": _Reader.logged,
    "time-range": _Reader.perhaps,
    "dscp": _Reader.perhaps,
    "precedence": _Reader.perhaps,
    "tos": _Reader.perhaps,
    "option": _Reader.perhaps,
    "flow-label": _Reader.perhaps,
    "reflect": _Reader.perhaps,
    "ttl": _Reader.compared,
    "packet-length": _Reader.compared,
    "inactive": _Reader.inactive,
    "match-all": _Reader.match_flags,
    "match-any": _Reader.match_flags,
}
_LOG_WORDS = frozenset(
    {"alerts", "critical", "debugging", "default", "disable", "emergencies", "errors", "informational", "interval",
     "notifications", "warnings"}
)  # fmt: skip


def port_condition(words: Words, protocol: int | None) -> IntervalSet | None:
    """`eq 80`, `neq`, `lt`, `gt`, `range 1 9`; `eq` and `neq` take several. None if none stands here.

    Raises:
        RefusedError: for a port that is none.
    """
    operator = words.accept("eq", "neq", "lt", "gt", "range")
    if operator is None:
        return None
    text = operator.text.lower()
    if text == "range":
        first, last = (_port(words.take("a port"), protocol) for _ in range(2))
        return IntervalSet(((min(first, last), max(first, last)),))
    ports = [_port(words.take("a port"), protocol)]
    if text in ("lt", "gt"):
        chosen = (0, ports[0] - 1) if text == "lt" else (ports[0] + 1, 65535)
        return IntervalSet((chosen,)) if chosen[0] <= chosen[1] else EMPTY
    while words and (words.next.isdigit() or words.next in names.ANY_PORTS):
        ports.append(_port(words.take("a port"), protocol))
    listed = IntervalSet.union((p, p) for p in ports)
    return listed if text == "eq" else PORTS - listed


def _port(word: Word, protocol: int | None) -> int:
    text = word.text.lower()
    if re.fullmatch("[0-9]{1,5}", text) and int(text) <= 65535:
        return int(text)
    found = names.PORTS.get(protocol or 0, {}).get(text)
    if found is None:
        found = names.ANY_PORTS.get(text)
    if found is None:
        raise RefusedError(word, f"`{short(word.text)}` is not a port", code="FW403")
    return found


def icmp_message(words: Words, v6: bool) -> tuple[int, ...] | None:
    """A type by number or name, and a code; None if none stands here."""
    known = names.ICMPV6 if v6 else names.ICMP
    text = words.next
    if text in known:
        words.take("")
        return known[text]
    if not re.fullmatch("[0-9]{1,3}", text):
        return None
    numbers: list[int] = []
    while words and re.fullmatch("[0-9]{1,3}", words.next) and len(numbers) < 2:
        word = words.take("")
        if int(word.text) > 255:
            raise RefusedError(word, f"`{word.text}` is above 255", code="FW403")
        numbers.append(int(word.text))
    return tuple(numbers)


def message_conditions(messages: list[tuple[int, ...]]) -> list[Conditions]:
    """ICMP types, and pairs of type and code, as conditions: a disjunction."""
    single = IntervalSet.single
    return [{TYPE: single(m[0]), CODE: single(m[1])} if len(m) == 2 else {TYPE: single(m[0])} for m in messages]


__all__ = ["ASA", "IOS", "NXOS", "Dialect", "Entry", "extended", "icmp_message", "port_condition", "standard"]
