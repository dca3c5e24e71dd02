"""The options of one rule of iptables -> a match, and what becomes of the packets that it matches.

What is measured on the kernel, and differs from the rule language of this package: tcp, udp and multiport options, negated or
not, never match later fragments (`-m tcp` alone does not either); `! -o eth9` holds where there is no `out` interface; a
reversed range of udp ports never matches, and its negation always does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ...model import address
from ...model.fields import (
    BYTE,
    CODE,
    DPORT,
    DSCP,
    DST,
    FLAGS,
    FRAGMENT,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    INTERFACE_BYTES,
    LENGTH,
    OPEN,
    OUT,
    PORT_PROTOCOLS,
    PORTS,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    STATES,
    TTL,
    TYPE,
    interface_number,
)
from ...model.interval import EMPTY, IntervalSet
from ...registry import names
from ...registry import values as values_
from ..chains import Kind, Part
from ..matching import Match, beginning, union, without
from . import ipsets, tables
from .ipsets import Content
from .values import RefusedError, flags, is_decimal, network, point_of, port, short
from .words import Token

EARLY, LATER = IntervalSet(((0, 1),)), IntervalSet.single(2)  # fragments with and without a transport header
TRANSPORTS = {"tcp": 6, "udp": 17, "sctp": 132, "dccp": 33, "udplite": 136}
_STATE = {name.upper(): IntervalSet.single(number) for number, name in enumerate(STATES)}
_CONNECTED = union([_STATE["NEW"], _STATE["ESTABLISHED"], _STATE["RELATED"]])  # may have been translated


@dataclass
class Rule:
    """What the words of one rule mean."""

    kind: Kind = Kind.PASS
    target: str | None = None
    comment: str | None = None
    log: bool = False
    parts: tuple[Part, ...] = ()
    notes: list[str] = field(default_factory=list)


def rule_of(tokens: Sequence[Token], v6: bool, chains: Mapping[str, object], sets: Mapping[str, Content]) -> Rule:
    """The meaning of the words behind `-A CHAIN`.

    Args:
        v6: of ip6tables, not of iptables.
        chains: the chains of the table, for jumps.
        sets: the contents of ipsets by name, as far as they are given.

    Raises:
        RefusedError: at the first word that is not understood.
    """
    return _Reader(tokens, v6, chains, sets).read()


class _Reader:
    def __init__(
        self, tokens: Sequence[Token], v6: bool, chains: Mapping[str, object], sets: Mapping[str, Content]
    ) -> None:
        self.tokens = tokens
        self.at = 0
        self.v6 = v6
        self.chains = chains
        self.sets = sets
        family = address.V6 if v6 else address.V4
        self.match = Match({SRC: family, DST: family})
        self.rule = Rule()
        self.modules: list[str] = []
        self.protocol: int | None = None
        self.negated = False
        self.option = Token("", 1, 1)

    def read(self) -> Rule:
        while self.at < len(self.tokens):
            self.option = self.tokens[self.at]
            self.at += 1
            if self.option.text == "!" and not self.option.quoted:
                if self.negated:
                    raise RefusedError(self.option, "`!` stands twice")
                self.negated = True
                continue
            if not self.option.is_option:
                raise RefusedError(self.option, f"`{short(self.option.text)}` stands where an option is expected")
            self._option(self.option.text)
            self.negated = False
        if self.negated:
            raise RefusedError(self.option, "`!` has nothing to negate")
        self.rule.parts = self.match.parts()
        return self.rule

    def _option(self, name: str) -> None:
        general = _GENERAL.get(name)
        if general is not None:
            general(self)
            return
        for module in reversed(self.modules):
            reader = _OPTIONS.get(module, {}).get(name)
            if reader is not None:
                reader(self)
                return
            if module in tables.IN_DOUBT:
                self._skip_values()
                return
        # `-p tcp --dport 80` loads its module by itself
        implied = next((module for module, number in TRANSPORTS.items() if number == self.protocol), None)
        if self.protocol == (ICMPV6 if self.v6 else ICMP):
            implied = "icmp6" if self.v6 else "icmp"
        reader = _OPTIONS.get(implied or "", {}).get(name)
        if reader is not None:
            self._load(implied or "")
            reader(self)
            return
        owner = next((module for module, options in _OPTIONS.items() if name in options), None)
        help = f"it belongs to `-m {owner}`, which is not loaded here" if owner else ""
        raise RefusedError(self.option, f"`{name}` is not an option that is understood", help)

    # Values

    def value(self, what: str = "a value") -> Token:
        """The next word; an old spelling puts the `!` before it."""
        if self.at < len(self.tokens) and self.tokens[self.at].text == "!" and not self.tokens[self.at].quoted:
            self.negated = not self.negated
            self.at += 1
        if self.at >= len(self.tokens) or self.tokens[self.at].is_option:
            raise RefusedError(self.option, f"`{self.option.text}` lacks {what}")
        self.at += 1
        return self.tokens[self.at - 1]

    def _skip_values(self) -> None:
        while self.at < len(self.tokens) and not self.tokens[self.at].is_option and self.tokens[self.at].text != "!":
            self.at += 1

    def put(self, f: int, chosen: IntervalSet, within: IntervalSet | None = None) -> None:
        """A condition on a field, negated within the values that a packet with that field may have."""
        domain = within if within is not None else OPEN[f]
        self.match.require({f: domain - chosen if self.negated else chosen})

    def early(self) -> None:
        self.match.require({FRAGMENT: EARLY})

    # General options

    def address(self, f: int) -> None:
        token = self.value("an address")
        parts = [part for part in token.text.split(",") if part]
        self.put(f, union([network(part, token, self.v6) for part in parts] or [EMPTY]))

    def interface(self, f: int) -> None:
        name = self.value("an interface").text
        if name == "+":
            if self.negated:
                self.match.require_any([])
            return
        if len(name.encode("utf-8", "surrogatepass")) > INTERFACE_BYTES or name.startswith("\0"):
            raise RefusedError(self.tokens[self.at - 1], "the name of the interface is too long", code="FW403")
        chosen = beginning(name[:-1]) if name.endswith("+") else IntervalSet.single(interface_number(name))
        self.put(f, chosen, FULL[f])  # the absence of an interface is none of these

    def protocol_option(self) -> None:
        token = self.value("a protocol")
        word = token.text.lower()
        number = int(word) if is_decimal(word) else tables.PROTOCOLS.get(word)
        if number is None or number > 255:
            meant = names.near(word, list(tables.PROTOCOLS))
            raise RefusedError(
                token,
                f"`{short(token.text)}` is not a protocol",
                f"did you mean `{meant[0]}`?" if meant else "",
                "FW403",
            )
        if number == 0:  # "all"
            if self.negated:
                self.match.require_any([])
            return
        if not self.negated:
            self.protocol = number
        self.put(PROTOCOL, IntervalSet.single(number))

    def fragment(self) -> None:
        if self.v6:
            raise RefusedError(self.option, "`-f` is of IPv4 alone")
        self.match.require({FRAGMENT: EARLY if self.negated else LATER})

    def module(self) -> None:
        token = self.value("a module")
        self._load(token.text, token)

    def _load(self, name: str, token: Token | None = None) -> None:
        self.modules.append(name)
        if name in _EARLY_MODULES:
            self.early()
        elif name in tables.IN_DOUBT:
            self.match.doubt(f"-m {name}")
        elif name not in _OPTIONS and name not in tables.NO_CONDITION:
            known = [*_OPTIONS, *tables.IN_DOUBT, *tables.NO_CONDITION]
            meant = names.near(name, known)
            help = f"did you mean `{meant[0]}`?" if meant else "it may be a private extension: tell what it does"
            raise RefusedError(token, f"`{short(name)}` is not a match module that is understood", help)
        if name in TRANSPORTS and self.protocol is None:
            self.match.require({PROTOCOL: IntervalSet.single(TRANSPORTS[name])})

    def jump(self) -> None:
        token = self.value("a target")
        name = token.text
        rule = self.rule
        goto = self.option.text in ("-g", "--goto")
        if name in self.chains:
            rule.kind, rule.target = Kind.GOTO if goto else Kind.JUMP, name
            return
        if goto:
            raise RefusedError(
                token, f"there is no chain `{short(name)}` to go to", _near_chain(name, self.chains), "FW404"
            )
        if name in tables.DENYING:
            rule.kind = Kind.DENY
        elif name in tables.ASKING:
            rule.kind = Kind.EITHER
        elif name in tables.PERHAPS_DENYING:
            rule.kind = Kind.DENY
            self.match.doubt(f"-j {name}")
        elif name in tables.PASSING:
            rule.log = rule.log or name in tables.LOGGING
            rule.notes.append(f"-j {name}")
        elif name == "ACCEPT":
            rule.kind = Kind.ALLOW
        elif name == "RETURN":
            rule.kind = Kind.RETURN
        elif name in tables.TRANSLATING:
            raise RefusedError(token, f"`{name}` translates addresses, and is not for the filter table")
        else:
            help = _near_chain(name, [*self.chains, *tables.DENYING, *tables.PASSING, "ACCEPT", "RETURN"])
            raise RefusedError(
                token, f"`{short(name)}` is neither a chain of this table nor a known target", help, "FW404"
            )
        self._target_options()

    def _target_options(self) -> None:
        """What follows a target is its own, until a match is loaded or a general option comes."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.text == "!" or (token.is_option and token.text in _GENERAL):
                return
            self.at += 1

    def counters(self) -> None:
        self.value("counters")
        self.value("counters")

    # Options of modules

    def ports(self, f: int) -> None:
        chosen = self._range(self.value("a port"), f)
        self.put(f, chosen)

    def _range(self, token: Token, f: int, text: str | None = None) -> IntervalSet:
        first, colon, last = (token.text if text is None else text).partition(":")
        lo = port(first, token, self.protocol) if first or not colon else 0
        hi = lo if not colon else port(last, token, self.protocol) if last else 65535
        if lo > hi:
            if self.protocol == 17 and text is None:
                self.rule.notes.append(f"`{token.text}` is reversed, and matches no port")
                return EMPTY
            raise RefusedError(token, f"`{token.text}` is reversed", f"write `{hi}:{lo}`", "FW403")
        return IntervalSet(((lo, hi),))

    def several_ports(self, which: str) -> None:
        token = self.value("ports")
        chosen = union([self._range(token, DPORT, part) for part in token.text.split(",") if part] or [EMPTY])
        if which != "either":
            self.put(SPORT if which == "source" else DPORT, chosen)
        elif self.negated:
            self.match.require({SPORT: PORTS - chosen, DPORT: PORTS - chosen})
        else:
            self.match.require_any([{SPORT: chosen, DPORT: PORTS}, {SPORT: PORTS - chosen, DPORT: chosen}])
        if self.protocol is None:
            self.match.require({PROTOCOL: IntervalSet.union((p, p) for p in PORT_PROTOCOLS)})

    def tcp_flags(self) -> None:
        mask, wanted = flags(self.value("a mask")), flags(self.value("flags"))
        self._flag_test(mask, wanted)

    def syn(self) -> None:
        self._flag_test(0x17, 0x02)

    def _flag_test(self, mask: int, wanted: int) -> None:
        self.put(FLAGS, IntervalSet.union((v, v) for v in range(256) if v & mask == wanted))

    def in_doubt(self, values: int) -> None:
        for _ in range(values):
            self.value()
        self.match.doubt(self.option.text)

    def icmp_type(self) -> None:
        token = self.value("a type")
        known = tables.ICMPV6_TYPES if self.v6 else tables.ICMP_TYPES
        word = token.text.lower()
        numbers: tuple[int, ...] | None
        if word in known:
            numbers = known[word]
        elif len(word.split("/")) <= 2 and all(is_decimal(n) and int(n) < 256 for n in word.split("/")):
            numbers = tuple(map(int, word.split("/")))
            if numbers[0] == 255 and not self.v6:  # the kernel's "any", with whatever code
                numbers = None
        else:
            meant = names.near(word, list(known))
            help = f"did you mean `{meant[0]}`?" if meant else ""
            raise RefusedError(token, f"`{short(token.text)}` is not a type of this ICMP", help, "FW403")
        self.match.require({PROTOCOL: IntervalSet.single(ICMPV6 if self.v6 else ICMP)})
        if numbers is None:
            if self.negated:
                self.match.require_any([])
            return
        kind = IntervalSet.single(numbers[0])
        if len(numbers) == 1:
            self.put(TYPE, kind)
        elif self.negated:
            code = IntervalSet.single(numbers[1])
            self.match.require_any([{TYPE: BYTE - kind}, {TYPE: kind, CODE: BYTE - code}])
        else:
            self.match.require({TYPE: kind, CODE: IntervalSet.single(numbers[1])})

    def state(self) -> None:
        token = self.value("a state")
        named = [word for word in token.text.upper().split(",") if word]
        translated = [word for word in named if word in ("SNAT", "DNAT")]
        for word in named:
            if word not in _STATE and not (word in translated and self.option.text == "--ctstate"):
                raise RefusedError(token, f"`{short(word)}` is not a connection state", code="FW403")
        chosen = union([_STATE[word] for word in named if word in _STATE] or [EMPTY])
        if not translated:
            self.put(STATE, chosen)
            return
        # a packet without a connection was not translated; of the others it is not known
        reason = f"--ctstate {','.join(translated)}"
        if self.negated:
            self.match.require({STATE: FULL[STATE] - chosen})
            self.match.doubt(reason, (STATE, FULL[STATE] - _CONNECTED))
        else:
            self.match.require({STATE: union([chosen, _CONNECTED])})
            self.match.doubt(reason, (STATE, chosen))

    def address_range(self, f: int) -> None:
        token = self.value("a range")
        first, dash, last = token.text.partition("-")
        lo = point_of(first, token, self.v6)
        hi = point_of(last, token, self.v6) if dash else lo
        if lo > hi:
            raise RefusedError(token, f"`{token.text}` is reversed", f"write `{last}-{first}`", "FW403")
        self.put(f, IntervalSet(((lo, hi),)))

    def compared(self, f: int, way: str) -> None:
        """`--ttl-lt 5`, `--ttl-gt 5`, `--ttl-eq 5`."""
        number, top = self._plain(FULL[f].hi), FULL[f].hi
        pairs = {"eq": (number, number), "lt": (0, number - 1), "gt": (number + 1, top)}
        lo, hi = pairs[way]
        self.put(f, IntervalSet(((lo, hi),)) if lo <= hi else EMPTY)

    def length(self) -> None:
        token = self.value("a length")
        found = re.fullmatch("([0-9]{0,5})(:?)([0-9]{0,5})", token.text)
        if not found or not (found[1] or found[3]) or not all(is_decimal(n) for n in (found[1], found[3]) if n):
            raise RefusedError(token, f"`{short(token.text)}` is not a length", "such as `64` or `64:1500`", "FW403")
        lo = int(found[1] or 0)
        hi = int(found[3] or 65535) if found[2] else lo  # what iptables puts in, also where IPv6 packets are longer
        if lo > hi:
            raise RefusedError(token, f"`{token.text}` is reversed", f"write `{hi}:{lo}`", "FW403")
        self.put(LENGTH, IntervalSet(((lo, hi),)))

    def dscp(self, named: bool) -> None:
        token = self.value("a value")
        if named:
            number = values_.named("dscp", token.text.lower())
            if number is None:
                raise RefusedError(token, f"`{short(token.text)}` is not a class", "such as EF, AF11 or CS1", "FW403")
        else:
            self.at -= 1
            number = self._plain(63)
        self.put(DSCP, IntervalSet.single(number))

    def _plain(self, top: int) -> int:
        token = self.value("a number")
        base = 16 if token.text[:2].lower() == "0x" else 10
        is_number = is_decimal(token.text) or re.fullmatch("0[xX][0-9a-fA-F]{1,4}", token.text)
        if not is_number or int(token.text, base) > top:
            raise RefusedError(token, f"`{short(token.text)}` is not a number up to {top}", code="FW403")
        return int(token.text, base)

    def comment(self) -> None:
        self.rule.comment = self.value("a comment").text

    def match_set(self) -> None:
        name, directions = self.value("the name of a set"), self.value("directions")
        found = ipsets.asked(name, directions, self.v6, self.sets)
        if isinstance(found, str):
            self.match.doubt(f"-m set {short(name.text)}: {found}")
        else:
            self.match.require_any(without(found) if self.negated else found)


def _near_chain(name: str, known: Mapping[str, object] | Sequence[str]) -> str:
    meant = names.near(name, list(known)) if len(name) < 80 else []
    return f"did you mean `{meant[0]}`?" if meant else ""


_EARLY_MODULES = frozenset({*TRANSPORTS, "icmp", "icmp6", "icmpv6", "multiport"})

Option = Callable[[_Reader], None]
_GENERAL: Mapping[str, Option] = {
    **dict.fromkeys(("-s", "--source", "--src"), lambda r: r.address(SRC)),
    **dict.fromkeys(("-d", "--destination", "--dst"), lambda r: r.address(DST)),
    **dict.fromkeys(("-i", "--in-interface"), lambda r: r.interface(IN)),
    **dict.fromkeys(("-o", "--out-interface"), lambda r: r.interface(OUT)),
    **dict.fromkeys(("-p", "--protocol", "--proto"), _Reader.protocol_option),
    **dict.fromkeys(("-f", "--fragment"), _Reader.fragment),
    **dict.fromkeys(("-m", "--match"), _Reader.module),
    **dict.fromkeys(("-j", "--jump", "-g", "--goto"), _Reader.jump),
    **dict.fromkeys(("-c", "--set-counters"), _Reader.counters),
}
_PORT_OPTIONS: Mapping[str, Option] = {
    **dict.fromkeys(("--sport", "--source-port"), lambda r: r.ports(SPORT)),
    **dict.fromkeys(("--dport", "--destination-port"), lambda r: r.ports(DPORT)),
}
_ICMP_OPTIONS: Mapping[str, Option] = {"--icmp-type": _Reader.icmp_type, "--icmpv6-type": _Reader.icmp_type}
_OPTIONS: Mapping[str, Mapping[str, Option]] = {
    "tcp": {
        **_PORT_OPTIONS,
        "--tcp-flags": _Reader.tcp_flags,
        "--syn": _Reader.syn,
        "--tcp-option": lambda r: r.in_doubt(1),
    },
    "udp": _PORT_OPTIONS,
    "udplite": _PORT_OPTIONS,
    "sctp": {**_PORT_OPTIONS, "--chunk-types": lambda r: r.in_doubt(2)},
    "dccp": {**_PORT_OPTIONS, "--dccp-types": lambda r: r.in_doubt(1), "--dccp-option": lambda r: r.in_doubt(1)},
    "icmp": _ICMP_OPTIONS,
    "icmp6": _ICMP_OPTIONS,
    "icmpv6": _ICMP_OPTIONS,
    "multiport": {
        **dict.fromkeys(("--sports", "--source-ports"), lambda r: r.several_ports("source")),
        **dict.fromkeys(("--dports", "--destination-ports"), lambda r: r.several_ports("destination")),
        **dict.fromkeys(("--ports", "--port"), lambda r: r.several_ports("either")),
    },
    "iprange": {
        "--src-range": lambda r: r.address_range(SRC),
        "--dst-range": lambda r: r.address_range(DST),
    },
    "state": {"--state": _Reader.state},
    "conntrack": {
        "--ctstate": _Reader.state,
        **dict.fromkeys(
            ("--ctproto", "--ctorigsrc", "--ctorigdst", "--ctreplsrc", "--ctrepldst", "--ctorigsrcport", "--ctorigdstport",
             "--ctreplsrcport", "--ctrepldstport", "--ctstatus", "--ctexpire", "--ctdir"),
            lambda r: r.in_doubt(1),
        ),
    },
    "ttl": {f"--ttl-{way}": partial(_Reader.compared, f=TTL, way=way) for way in ("eq", "lt", "gt")},
    "hl": {f"--hl-{way}": partial(_Reader.compared, f=TTL, way=way) for way in ("eq", "lt", "gt")},
    "length": {"--length": _Reader.length},
    "dscp": {"--dscp": lambda r: r.dscp(False), "--dscp-class": lambda r: r.dscp(True)},
    "comment": {"--comment": _Reader.comment},
    "set": {
        "--match-set": _Reader.match_set,
        **dict.fromkeys(("--update-counters", "--update-subcounters"), lambda r: None),
        "--return-nomatch": lambda r: r.in_doubt(0),
        **dict.fromkeys([f"--{what}-{way}" for what in ("packets", "bytes") for way in ("eq", "lt", "gt")], lambda r: r.in_doubt(1)),
    },
}  # fmt: skip
