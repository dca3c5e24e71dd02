"""Policies from texts, by hand: a statement a line, each led by its keyword."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from independent import values
from independent.conditions import Between, Condition, Or, Word, holds
from independent.facts import ACK_OR_RST, STATES
from independent.meaning import Expectation, Match, Part, Policy, Region, Rule
from independent.scanning import RefusedError, Scanner

RULE_OPTIONS = ("as", "log", "until")
Files = Mapping[str, str]
Item = tuple[int, Condition | None]  # a protocol, with its destination ports if the service names them
MAIN = "<text>"


@dataclass
class Names:
    """What the statements so far, or those to come, define."""

    nets: dict[str, Condition] = field(default_factory=dict)
    ports: dict[str, Condition] = field(default_factory=dict)
    services: dict[str, tuple[Item, ...]] = field(default_factory=dict)
    interfaces: dict[str, Condition] = field(default_factory=dict)


class Reader:
    """Definitions first, wherever they stand, in as many rounds as they need; then rules and expectations in their order."""

    def __init__(self, files: Files, main: str = MAIN) -> None:
        self.files = files
        self.main = main
        self.names = Names()
        self.default = "deny"
        self.rules: list[Rule] = []
        self.expectations: list[Expectation] = []

    def policy(self) -> Policy:
        for _ in range(10):  # definitions may refer to later ones
            if not self._each(self.main, self._define):
                break
        else:
            raise RefusedError("FW101", "a name that is never defined")
        self._each(self.main, self._state)
        return Policy(tuple(self.rules), self.default, tuple(self.expectations))

    def _each(self, name: str, use: Callable[[Scanner, str, str], bool]) -> int:
        """Each statement of a file and of those it includes; how many were of no use yet."""
        scanner, left = Scanner(self.files[name]), 0
        while scanner.at < len(scanner.text):
            if scanner.ended():
                scanner.next_line()
                continue
            keyword = scanner.word()
            if keyword == "include":
                left += self._each(scanner.match(values.TEXT)[1:-1], use)
            else:
                left += not use(scanner, keyword, name)
            if not scanner.ended():
                raise RefusedError("FW010", f"unexpected {scanner.peek()!r}", scanner.line)
            scanner.next_line()
        return left

    def _define(self, scanner: Scanner, keyword: str, _: str) -> bool:
        """A definition, if all that it names is defined; other statements are passed over."""
        kinds = {"net": self.addresses, "ports": self.ports, "interface": self.interfaces, "service": self.services}
        if keyword not in kinds:
            self._pass(scanner)
            return True
        name = scanner.word()
        if not scanner.take("="):
            raise RefusedError("FW010", "expected `=`", scanner.line)
        begin = scanner.at
        try:
            found = kinds[keyword](scanner)
        except RefusedError:
            scanner.at, scanner.depth = begin, 0
            self._pass(scanner)
            return False
        table = {"net": self.names.nets, "ports": self.names.ports, "interface": self.names.interfaces}
        if keyword == "service":
            self.names.services[name] = found  # type: ignore[assignment]
        else:
            table[keyword][name] = found  # type: ignore[assignment]
        return True

    @staticmethod
    def _pass(scanner: Scanner) -> None:
        """To the end of the statement, braces and all."""
        while not scanner.ended() or scanner.depth:
            sign = scanner.text[scanner.at]
            if sign == '"':
                scanner.match(values.TEXT)
                continue
            scanner.depth += {"{": 1, "}": -1}.get(sign, 0)
            scanner.at += 1
            scanner.skip()

    def _state(self, scanner: Scanner, keyword: str, name: str) -> bool:
        line = scanner.line
        if keyword == "default":
            self.default = scanner.word()
        elif keyword in ("allow", "deny"):
            self.rules.append(self.rule(scanner, keyword, name, line))
        elif keyword == "expect":
            action = scanner.word()
            region = self.asked(scanner)
            by = scanner.word() if scanner.take("by") else None
            self.expectations.append(Expectation(action, region, by, line))
        else:
            self._pass(scanner)
        return True

    # Sets

    def addresses(self, scanner: Scanner) -> Condition:
        return scanner.selection(lambda: values.addresses(scanner.word(), self.names.nets))

    def ports(self, scanner: Scanner) -> Condition:
        return scanner.selection(lambda: values.ports(scanner, self.names.ports))

    def interfaces(self, scanner: Scanner) -> Condition:
        return scanner.selection(lambda: values.interface(scanner, self.names.interfaces))

    def services(self, scanner: Scanner) -> tuple[Item, ...]:
        """Protocols with the destination ports that each brings along, if it does."""
        if scanner.take("not"):
            without = dict(self.services(scanner))
            return _alone(protocol for protocol in range(256) if protocol not in without)
        items = self._some_services(scanner)
        while scanner.take("except"):
            without = dict(self._some_services(scanner))
            items = [item for item in items if item[0] not in without]
        return tuple(items)

    def _some_services(self, scanner: Scanner) -> list[Item]:
        if scanner.peek() == "{":
            return [item for _ in scanner.listed() for item in self.services(scanner)]
        return list(self._service(scanner))

    def _service(self, scanner: Scanner) -> tuple[Item, ...]:
        word = scanner.word()
        if word in self.names.services:
            return self.names.services[word]
        name, slash, port = word.partition("/")
        chosen = values.protocol_word(name)
        ports = values.port_word(port, self.names.ports) if slash else None
        return tuple((protocol, ports) for protocol in range(256) if holds(chosen, protocol))

    # Rules, regions, packets

    def rule(self, scanner: Scanner, action: str, file: str, line: int) -> Rule:
        match, rest = self.match(scanner)
        label = str(rest.get("as") or f"{file}:{line}")
        until = rest.get("until")
        return Rule(action, match, label, line, datetime.date.fromisoformat(until) if until else None)

    def match(self, scanner: Scanner) -> tuple[Match, dict[str, str]]:
        """Services, addresses, ports and options, and what only rules have."""
        items = self.services(scanner)
        conditions: list[tuple[str, Condition]] = []
        for keyword, side, port in (("from", "src", "sport"), ("to", "dst", "dport")):
            if scanner.take(keyword):
                conditions.append((side, self.addresses(scanner)))
                if scanner.take("port"):
                    conditions.append((port, self.ports(scanner)))
        by_protocol: dict[int, list[tuple[str, Condition]]] = {protocol: [] for protocol, _ in items}
        rest = self._options(scanner, conditions, by_protocol)
        return _parts(items, conditions, by_protocol), rest

    def _options(
        self,
        scanner: Scanner,
        conditions: list[tuple[str, Condition]],
        by_protocol: Mapping[int, list[tuple[str, Condition]]],
    ) -> dict[str, str]:
        rest: dict[str, str] = {}
        plain: dict[str, tuple[str, Callable[[Scanner], Condition]]] = {
            "code": ("code", lambda s: values.numbers(s, "code", {})),
            "flags": ("flags", values.flag_test),
            "fragment": ("fragment", values.fragment),
            "state": ("state", values.state),
            "dscp": ("dscp", values.dscp),
            "ttl": ("ttl", lambda s: values.numbers(s, "ttl", {})),
            "hoplimit": ("ttl", lambda s: values.numbers(s, "ttl", {})),
            "length": ("length", lambda s: values.numbers(s, "length", {})),
            "in": ("in", lambda s: values.interface(s, self.names.interfaces)),
            "out": ("out", lambda s: values.interface(s, self.names.interfaces)),
        }
        while scanner.peek() in (*plain, "type", "established", *RULE_OPTIONS):
            option = scanner.word()
            if option == "established":
                conditions.append(("flags", _established()))
            elif option == "type":
                begin = scanner.at
                for protocol, own in by_protocol.items():
                    scanner.at = begin
                    own.append(("type", scanner.selection(partial(values.types, scanner, protocol))))
            elif option == "log":
                rest["log"] = "yes"
            elif option in ("as", "until"):
                rest[option] = scanner.word()
            else:
                name, element = plain[option]
                conditions.append((name, scanner.selection(partial(element, scanner))))
        return rest

    def region(self, scanner: Scanner) -> Region:
        """`A or B unless C or D`."""
        match = self._joined(scanner)
        return Region(match, self._joined(scanner) if scanner.take("unless") else ())

    def _joined(self, scanner: Scanner) -> Match:
        match = self.match(scanner)[0]
        while scanner.take("or"):
            match += self.match(scanner)[0]
        return match

    def asked(self, scanner: Scanner) -> Region:
        """A region, or a packet, which has an arrow."""
        end = scanner.text.find("\n", scanner.at)
        line = scanner.text[scanner.at : end if end >= 0 else None].partition("#")[0]
        return Region((self.packet(scanner),)) if "->" in line else self.region(scanner)

    def packet(self, scanner: Scanner) -> Part:
        """A packet as it is written: what is stated, `whole` and `new` unless stated, and all else open."""
        protocol = values.protocol_word(scanner.word())
        found: list[tuple[str, Condition]] = [("protocol", protocol)]
        for arrow, side, port in ((False, "src", "sport"), (True, "dst", "dport")):
            if arrow and not scanner.take("->"):
                raise RefusedError("FW131", "expected `->`", scanner.line)
            host, number = _endpoint(scanner.word())
            found.append((side, _one(values.address(host))))
            if number is not None:
                found.append((port, _one(number)))
        found += self._stated(scanner, protocol)
        stated = dict(found)
        stated.setdefault("fragment", _one(0))
        stated.setdefault("state", _one(STATES.index("new")))
        return tuple(stated.items())

    def _stated(self, scanner: Scanner, protocol: Condition) -> Iterable[tuple[str, Condition]]:
        number = next(one for one in range(256) if holds(protocol, one))
        while not scanner.ended() and scanner.peek() != "by":
            option = scanner.word()
            if option == "flags":
                yield "flags", _one(values.flags(scanner.match(values.FLAG_LIST)))
            elif option in ("in", "out"):
                yield option, values.interface(scanner, {})
            elif option == "type":
                yield "type", values.types(scanner, number)
            elif option == "dscp":
                yield "dscp", values.dscp(scanner)
            elif option in ("fragment", "state"):
                yield option, (values.fragment if option == "fragment" else values.state)(scanner)
            else:
                name = "ttl" if option == "hoplimit" else option
                yield name, values.numbers(scanner, name, {})


def _alone(protocols: Iterable[int]) -> tuple[Item, ...]:
    return tuple((protocol, None) for protocol in protocols)


def _parts(
    items: Iterable[Item],
    conditions: list[tuple[str, Condition]],
    by_protocol: Mapping[int, list[tuple[str, Condition]]],
) -> Match:
    """A part for each protocol that asks for something of its own, one for all that ask for nothing."""
    plain = sorted({protocol for protocol, ports in items if ports is None and not by_protocol[protocol]})
    parts: list[Part] = []
    if plain:
        starts = [one for one in plain if one - 1 not in plain]
        ends = [one for one in plain if one + 1 not in plain]
        runs = tuple(Between(lo, hi) for lo, hi in zip(starts, ends, strict=True))
        parts.append((("protocol", Or(runs)), *conditions))
    for protocol, ports in items:
        own = by_protocol[protocol]
        if ports is not None or own:
            told = [("dport", ports)] if ports is not None else []
            parts.append((("protocol", _one(protocol)), *told, *own, *conditions))
    return tuple(parts)


def _established() -> Condition:
    """ACK or RST is set."""
    return Or(tuple(Between(bits, bits) for bits in range(256) if bits & ACK_OR_RST))


def _one(number: int) -> Condition:
    return Between(number, number)


def _endpoint(word: str) -> tuple[str, int | None]:
    if word.startswith("["):
        host, _, port = word[1:].partition("]")
        return host, int(port[1:]) if port else None
    host, colon, port = word.partition(":")
    return (host, int(port)) if colon and ":" not in port else (word, None)


def read(text: str, files: Files | None = None) -> Policy:
    """A policy from its text; files that it includes are given beside it."""
    return Reader({MAIN: text, **(files or {})}).policy()


def reader_of(text: str, files: Files | None = None) -> Reader:
    """The same, for questions in the policy's words."""
    reader = Reader({MAIN: text, **(files or {})})
    reader.policy()
    return reader


def read_region(reader: Reader, text: str) -> Region:
    """A region, or a packet, in the words of a policy."""
    scanner = Scanner(text)
    found = reader.asked(scanner)
    if not scanner.ended():
        raise RefusedError("FW010", f"unexpected {scanner.peek()!r} in {text!r}")
    return found


__all__ = ["MAIN", "Policy", "Reader", "Word", "read", "read_region", "reader_of"]
