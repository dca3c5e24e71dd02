"""One entry of an access list -> a match.

Fragments, as IOS has it: an entry with ports, types or flags that permits lets later fragments pass which agree in protocol
and addresses; one that denies does not see them; `fragments` is about them alone. ASA puts fragments together before it
looks, and NX-OS does not say: there the fate of a later fragment is in doubt.

Source: Cisco, "Access Control Lists and IP Fragments" (document 8014).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...model import address
from ...model.fields import (
    DPORT,
    DSCP,
    DST,
    FLAGS,
    FRAGMENT,
    ICMP,
    ICMPV6,
    LENGTH,
    PORTS,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
    STEPPED_THROUGH,
    TCP,
    TTL,
)
from ...model.interval import IntervalSet
from ..chains import Part
from ..matching import Conditions, Match, union
from . import names, values
from .groups import Group, Groups, Kind, Service
from .words import RefusedError, Word, Words, short

EARLY, LATER = IntervalSet(((0, 1),)), IntervalSet.single(2)
_ESTABLISHED = IntervalSet.union((v, v) for v in range(256) if v & 0x14)
_IGMP = 2


@dataclass(frozen=True)
class Dialect:
    """How a system writes its lists.

    Attributes:
        masks: an address is followed by a mask whose one bits are compared (ASA), not by its inverse.
        later: why the fate of a later fragment that meets an entry with ports, types or flags is not known; empty if it is.
    """

    name: str
    masks: bool = False
    later: str = ""


IOS = Dialect("IOS")
NXOS = Dialect(
    "NX-OS", later="NX-OS does not tell whether later fragments match an entry that looks behind the addresses"
)
ASA = Dialect("ASA", masks=True, later="fragments are put together first")


@dataclass
class Entry:
    """What the words of an entry mean: an action, and what it matches; `sequence` is its number, if it says so at its end."""

    permit: bool
    parts: tuple[Part, ...]
    log: bool = False
    inactive: bool = False
    sequence: int | None = None


def standard(words: Words, permit: bool, dialect: Dialect, groups: Groups, v6: bool) -> Entry:
    """An entry of a standard list: source addresses alone."""
    reader = _Reader(words, permit, dialect, groups, v6)
    reader.match.require({SRC: reader.addresses(alone=True)})
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
        self.family = address.ALL if v6 is None else address.V6 if v6 else address.V4
        self.match = Match({SRC: self.family, DST: self.family})
        self.services: list[Service] = []
        self.header: int | None = None  # an extension header of IPv6 that stands where the protocol does
        self.deep: list[tuple[int, IntervalSet]] = []  # conditions on the transport header, applied at the end
        self.alternatives: list[Conditions] = []
        self.perhaps: tuple[IntervalSet, str] | None = None  # flags that match as well, for all that is known
        self.later_only = False
        self.doubts: list[str] = []
        self.log = self.off = False
        self.sequence: int | None = None

    # Protocols

    def protocols(self) -> None:
        """A protocol, or a group or object that stands for protocols or services."""
        word = self.words.take("a protocol")
        text = word.text.lower()
        if text in ("object-group", "object"):
            for group in self._groups(self.words.take("the name of a group"), "services", "protocols"):
                self.services += [*group.services, *map(Service, group.protocols)]
            return
        number = values.protocol(word)
        if text == "icmp" and self.v6:
            number = ICMPV6
        elif number in STEPPED_THROUGH and self.v6 is not False:
            self.header = number
        self.services = [Service(number)]

    @property
    def protocol(self) -> int | None:
        """The one protocol, if it is one."""
        found = {s.protocol for s in self.services}
        return found.pop() if len(found) == 1 else None

    def _groups(self, name: Word, *kinds: Kind) -> list[Group]:
        whole = self.groups.whole(name, kinds)
        self.doubts += [group.unknown for group in whole if group.unknown]
        if all(group.empty for group in whole):
            self.doubts.append(f"group {name.text} is empty")
        return whole

    # Addresses

    def addresses(self, *, alone: bool = False) -> IntervalSet:
        """A source or a destination."""
        self._who()
        word = self.words.take("an address")
        text = word.text.lower()
        if text in ("any", "any4", "any6"):
            return {"any": self.family, "any4": address.V4, "any6": address.V6}[text]
        if text == "host":
            return IntervalSet.single(self._point(self.words.take("an address")))
        if text in ("object-group", "object", "net-group", "addrgroup"):
            groups = self._groups(self.words.take("the name of a group"), "networks")
            known = [network for group in groups for network in group.networks]
            return union(known) if known else self.family
        if text == "interface":
            name = self.words.take("the name of an interface")
            self.doubts.append(f"the address of interface {name.text} is not known here")
            return self.family
        found = values.network(self.words, word, self.groups.hosts, inverse=not self.dialect.masks, alone=alone)
        return self._own(word, found)

    def _who(self) -> None:
        """ASA's conditions on who sends, which no packet tells."""
        while word := self.words.accept(*_WHO):
            kind = [self.words.take("a name").text]
            if word.text.lower() == "security-group":
                kind.append(self.words.take("a name").text)
            self.doubts.append(" ".join([word.text, *kind]))

    def _point(self, word: Word) -> int:
        found = values.point(word, self.groups.hosts)
        self._own(word, IntervalSet.single(found))
        return found

    def _own(self, word: Word, found: IntervalSet) -> IntervalSet:
        if not (found & self.family):
            raise RefusedError(word, f"`{word.text}` is not of this list's family", code="FW403")
        return found

    # Ports and ICMP messages

    def ports(self, f: int) -> None:
        """A condition on ports, if one stands here."""
        at = self.words.word
        if self.words.accept("portgroup", "port-group") or self._names_ports(f):
            self.words.accept("object-group", "object")
            name = self.words.take("the name of a group")
            known = [ports for group in self._groups(name, "ports") for ports in group.ports]
            self.deep.append((f, union(known) if known else PORTS))
        else:
            chosen = values.port_condition(self.words, self.protocol)
            if chosen is None:
                return
            self.deep.append((f, chosen))
        if not all(values.has_ports(service.protocol) for service in self.services):
            raise RefusedError(at, "ports are of protocols that have them: tcp, udp, sctp", code="FW403")

    def _names_ports(self, f: int) -> bool:
        """Is the group that is named here one of ports? One behind the source may be the destination."""
        if self.words.next not in ("object-group", "object") or self.protocol in (ICMP, ICMPV6):
            return False
        name = self.words.all[self.words.at + 1].text if self.words.at + 1 < len(self.words.all) else ""
        found = self.groups.named.get(name)
        return f == DPORT or (found is not None and found.kind in ("ports", "services"))

    def message(self) -> None:
        """An ICMP message, or a kind of IGMP's, if one stands here."""
        if self.protocol == _IGMP and (self.words.next in names.IGMP or self.words.at_number):
            self.doubts.append(f"igmp {self.words.take('').text}")
        if self.protocol not in (ICMP, ICMPV6) or not self.words:
            return
        if self.words.accept("object-group", "object"):
            groups = self._groups(self.words.take("the name of a group"), "messages")
            messages = [m for group in groups for m in group.messages]
        else:
            found = values.icmp_message(self.words, values.is_icmpv6(self.protocol))
            messages = [] if found is None else [found]
        self.alternatives = values.message_conditions(messages)

    # Options

    def options(self) -> None:
        """What follows the addresses."""
        while self.words:
            word = self.words.take("")
            option = _OPTIONS.get(word.text.lower())
            if option is not None:
                option(self, word)
            elif word.text.lower() in names.FLAGS and self.protocol == TCP:
                self._bare_flags([word])
            else:
                raise RefusedError(word, f"`{short(word.text)}` is not understood here")

    def established(self, word: Word) -> None:
        if self.protocol != TCP:
            raise RefusedError(word, "`established` is of tcp alone", code="FW403")
        self.deep.append((FLAGS, _ESTABLISHED))

    def fragments(self, word: Word) -> None:
        self.later_only = True

    def logged(self, word: Word) -> None:
        """`log`, with what ASA writes behind it, or the tag of the messages on IOS."""
        self.log = True
        if self.dialect is ASA:
            while self.words and (self.words.at_number or self.words.next in _LOG_WORDS):
                self.words.take("")
        elif self.words and self.words.next not in _OPTIONS and self.words.next not in names.FLAGS:
            self.words.take("")

    def perhaps_so(self, word: Word) -> None:
        """A condition with one value that no packet tells."""
        self.doubts.append(f"{word.text} {self.words.take('a value').text}")

    def perhaps_equal(self, word: Word) -> None:
        """The same, with or without `eq`."""
        self.words.accept("eq")
        self.perhaps_so(word)

    def perhaps_there(self, word: Word) -> None:
        """A condition that is a word alone."""
        self.doubts.append(word.text)

    def dscp(self, word: Word) -> None:
        self.match.require({DSCP: values.dscp(self.words.take("a code point"))})

    def precedence(self, word: Word) -> None:
        self.match.require({DSCP: values.precedence(self.words.take("a precedence"))})

    def tos(self, word: Word) -> None:
        allowed, reason = values.service_type(self.words.take("a type of service"))
        self.match.require({DSCP: allowed})
        self.doubts.append(reason)

    def ttl(self, word: Word) -> None:
        self.match.require({TTL: values.compared(self.words, PRESENT[TTL])})

    def length(self, word: Word) -> None:
        self.match.require({LENGTH: values.compared(self.words, PRESENT[LENGTH])})

    def reflect(self, word: Word) -> None:
        """What is permitted is permitted; that its replies are, `evaluate` says."""
        self.words.take("the name of a list")
        if self.words.accept("timeout"):
            self.words.take("a number")

    def capture(self, word: Word) -> None:
        self.words.accept("session")
        self.words.take("a number")

    def numbered(self, word: Word) -> None:
        self.sequence = self.words.number()

    def inactive(self, word: Word) -> None:
        self.off = True

    def match_flags(self, word: Word) -> None:
        """`match-all +ack -syn`, `match-any +ack +rst`."""
        signed = []
        while self.words and self.words.next[:1] in "+-" and self.words.next[1:] in names.FLAGS:
            taken = self.words.take("")
            signed.append((taken.text[0] == "+", names.FLAGS[taken.text[1:].lower()]))
        if not signed or self.protocol != TCP:
            raise RefusedError(self.words.word or word, "flags of tcp such as `+ack -syn` are expected", code="FW403")
        every = word.text.lower() == "match-all"
        agreeing = [(v, [bool(v & bit) == wanted for wanted, bit in signed]) for v in range(256)]
        chosen = [v for v, agrees in agreeing if (all(agrees) if every else any(agrees))]
        self.deep.append((FLAGS, IntervalSet.union((v, v) for v in chosen)))

    def _bare_flags(self, found: list[Word]) -> None:
        """`syn`, or several: that one of them is enough is not told everywhere."""
        while self.words and self.words.next in names.FLAGS:
            found.append(self.words.take(""))
        mask = sum({names.FLAGS[w.text.lower()] for w in found})
        everything = IntervalSet.union((v, v) for v in range(256) if v & mask == mask)
        some = IntervalSet.union((v, v) for v in range(256) if v & mask) - everything
        self.deep.append((FLAGS, everything))
        if some:
            self.perhaps = some, f"one of the flags {' '.join(w.text for w in found)}"

    # The whole

    def entry(self) -> Entry:
        """The match, with fragments as the system treats them."""
        for reason in dict.fromkeys(self.doubts):
            self.match.doubt(reason)
        parts = self._header() if self.header is not None else self._transport()
        return Entry(self.permit, tuple(parts), self.log, self.off, self.sequence)

    def _header(self) -> list[Part]:
        """An extension header of IPv6, which may stand before any protocol, and is a protocol in IPv4."""
        assert self.header is not None
        six = self.match.copy()
        six.require({SRC: address.V6})
        six.doubt(f"a header {self.header} may stand before any protocol")
        self.match.require({SRC: address.V4, PROTOCOL: IntervalSet.single(self.header)})
        if self.later_only:
            for one in (six, self.match):
                one.require({FRAGMENT: LATER})
        return [*self.match.parts(), *six.parts()]

    def _transport(self) -> list[Part]:
        options = [o for service in dict.fromkeys(self.services or [Service(None)]) for o in self._conditions(service)]
        deep = [o for o in options if set(o) - {PROTOCOL}]  # these look at the transport header
        shallow = [o for o in options if not set(o) - {PROTOCOL}]
        later: list[Conditions] = [{**{f: s for f, s in o.items() if f == PROTOCOL}, FRAGMENT: LATER} for o in deep]
        early: list[Conditions] = [{**o, FRAGMENT: EARLY} for o in deep]
        certain: list[Conditions] = [*shallow, *early]
        doubtful: list[tuple[list[Conditions], str]] = []
        if self.perhaps is not None:
            flags, reason = self.perhaps
            doubtful.append(([{**o, FLAGS: flags} for o in early], reason))
        if self.later_only:
            certain, doubtful = [*later, *({**o, FRAGMENT: LATER} for o in shallow)], []
        elif deep and self.dialect.later:
            doubtful.append((later, self.dialect.later))
        elif self.permit:
            certain += later
        whole = self.match.copy()
        whole.require_any(certain)
        parts = [*whole.parts()]
        for conditions, reason in doubtful:
            other = self.match.copy()
            other.doubt(reason)
            other.require_any(conditions)
            parts += other.parts()
        return parts

    def _conditions(self, service: Service) -> list[Conditions]:
        """The conditions of one service: a disjunction."""
        base: dict[int, IntervalSet] = {}
        if service.protocol is not None:
            base[PROTOCOL] = IntervalSet.single(service.protocol)
        own = ((SPORT, service.source), (DPORT, service.target))
        for f, chosen in [*self.deep, *((f, s) for f, s in own if s is not None)]:
            base[f] = base[f] & chosen if f in base else chosen
        if service.message is not None:
            return [{**base, **m} for m in values.message_conditions([service.message])]
        return [{**base, **m} for m in self.alternatives] if self.alternatives else [base]


_OPTIONS: dict[str, Callable[[_Reader, Word], None]] = {
    "established": _Reader.established, "fragments": _Reader.fragments, "fragment": _Reader.fragments,
    "log": _Reader.logged, "log-input": _Reader.logged, "inactive": _Reader.inactive, "sequence": _Reader.numbered,
    "dscp": _Reader.dscp, "precedence": _Reader.precedence, "tos": _Reader.tos, "ttl": _Reader.ttl,
    "packet-length": _Reader.length, "match-all": _Reader.match_flags, "match-any": _Reader.match_flags,
    "reflect": _Reader.reflect, "capture": _Reader.capture,
    **dict.fromkeys(("time-range", "option", "routing-type", "mobility-type", "dest-option-type", "vlan",
                     "tcp-flags-mask", "http-method", "udf", "tcp-option-length"), _Reader.perhaps_so),
    "flow-label": _Reader.perhaps_equal,
    **dict.fromkeys(("routing", "mobility", "dest-option", "hbh", "auth", "undetermined-transport"), _Reader.perhaps_there),
}  # fmt: skip
_WHO = ("user", "user-group", "object-group-user", "security-group", "object-group-security")
_LOG_WORDS = frozenset(
    {"alerts", "critical", "debugging", "default", "disable", "emergencies", "errors", "informational", "interval",
     "notifications", "warnings"}
)  # fmt: skip
