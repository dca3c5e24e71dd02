"""A whole rule of another firewall in the place of one of ours: named, and translated where every word of it is understood.

Understood are iptables, nft, pf, ufw and Cisco's access lists, as far as one line says it all. A word that is not known
here makes the line untranslated, never half translated. What a line leaves to the firewall (the chain that it stands in,
the family of its table) is asked for by offering both readings, or is said beside the translation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ...model import address
from ...model.fields import ICMP, ICMPV6, STATES
from ...registry import names
from .facts import Facts, Unknown, address_of, addresses, masked, ports, protocols, set_of
from .lacking import DROPPED, LACKING
from .mistakes import SyntaxMistake
from .terms import aws, junos

_ACTIONS = {
    "allow": "allow", "accept": "allow", "pass": "allow", "permit": "allow",
    "deny": "deny", "drop": "deny", "block": "deny", "reject": "deny",
}  # fmt: skip
_WORDS = re.compile(r'"[^"]*"|[{}(),]|[<>=!]+|(?:[^\s{}()",<>=!]|,(?=[^\s{}()"]))+')
_PF_LETTERS = {"F": "fin", "S": "syn", "R": "rst", "P": "psh", "A": "ack", "U": "urg", "E": "ece", "W": "cwr"}
_CISCO, _SAYING_NOTHING = "a Cisco access list", frozenset({"sudo", "nft", "ufw", "all"})
_KINDS = (
    ("iptables", re.compile(r"(?:sudo[ \t]+)?ip6?tables\b|-[AI][ \t]+\S")),
    ("nft", re.compile(
        r"(?:nft[ \t]+)?(?:add|insert)[ \t]+rule\b"
        r"|(?:tcp|udp)[ \t]+[ds]port\b|ip6?[ \t]+[sd]addr\b|ct[ \t]+state\b|[io]if(?:name)?\b|icmp(?:v6)?[ \t]+type\b")),
    ("pf", re.compile(r"(?:pass|block)\b")),
    ("Junos", re.compile(r"set[ \t]+(?:firewall|security|policy-options)\b|term[ \t]+\S+[ \t]*\{")),
    ("an AWS security group", re.compile(r"aws[ \t]+ec2[ \t]+authorize-security-group-(?:in|e)gress\b")),
    ("ufw", re.compile(
        r"(?:allow|deny|reject|limit)[ \t]+(?:(?:in|out|on|log|proto)[ \t]|(?:from|to)[ \t].*[ \t]proto[ \t])"
        r"|(?:sudo[ \t]+)?ufw[ \t]")),
    (_CISCO, re.compile(
        r"(?:access-list[ \t]+\S+[ \t]+(?:extended[ \t]+)?|[0-9]+[ \t]+)?(?:permit|deny)[ \t]+\S+[ \t]+"
        r"(?:any4?6?|host|[0-9.]+[ \t]+[0-9.]+|object(?:-group)?)\b")),
)  # fmt: skip
_READ_HERE = frozenset({"ct", "-j", "--jump"})  # words that the language lacks, which have a use in what is understood


def translated(text: str) -> SyntaxMistake | None:
    """What to say of a statement that is another firewall's rule; None if it is not one."""
    line = text.strip()
    kind = next((kind for kind, pattern in _KINDS if pattern.match(line)), "")
    if not kind or "\n" in line:
        return None
    begin = len(text) - len(text.lstrip())
    place = (1, begin + 1, 1, begin + len(line) + 1)
    words = _WORDS.findall(line)
    message, label = f"this is a rule for {kind}", "another firewall's language"
    for word in words if kind != "Junos" else ():
        if word.lower() in LACKING and word.lower() not in _READ_HERE:
            help = f"`{word}` is not part of this language, because {LACKING[word.lower()]}"
            return SyntaxMistake("FW026", place, message, label, help)
    try:
        ways = list(_texts(_facts(kind, words)))
    except Unknown:
        help = "a rule reads `allow PROTOCOL from ADDRESSES port PORTS to ADDRESSES port PORTS OPTIONS`"
        return SyntaxMistake("FW026", place, message, label, help)
    help = "write " + " or ".join(f"`{way}`" for way in ways) + (" for IPv4 alone" if len(ways) > 1 else "")
    if kind == "an AWS security group":
        help += "; its answers pass there by themselves, and here by a rule of their own"
    if kind == "pf" and "quick" not in words:
        help += "; here the first rule that matches decides, in pf the last"
    return SyntaxMistake("FW026", place, message, label, help, ways)


def _facts(kind: str, words: list[str]) -> Facts:
    if kind in ("Junos", "an AWS security group"):
        return junos(words) if kind == "Junos" else aws(words)
    return _cisco(words) if kind == _CISCO else _Keyworded(words, kind).read()


def _texts(facts: Facts) -> Iterator[str]:
    """The line in this language; a second time for IPv4 alone if it does not say for which family it is."""
    if not facts.action:
        raise Unknown
    if facts.ports and not facts.protocols:
        facts.protocols = ["tcp", "udp"]
    family = facts.family
    known = any("." in end or ":" in end for end in facts.ends.values())  # also an exception names its family
    if "type" in facts.options:  # `icmp` has types over IPv4 only, `icmpv6` over IPv6
        known = True
    if family is not None and not known:
        yield _text(facts, f"ipv{family}")
        return
    yield _text(facts, "any")
    if facts.either and not known:
        yield _text(facts, "ipv4")


def _text(facts: Facts, source: str) -> str:
    protocol = facts.protocols[0] if len(facts.protocols) == 1 else f"{{ {', '.join(facts.protocols)} }}"
    out = [facts.action, protocol if facts.protocols else "any"]
    for end in ("from", "to"):
        addresses = facts.ends.get(end, "any")
        if end == "from" and addresses == "any":
            addresses = source
        if addresses != "any" or end in facts.ports:
            out += [end, addresses]
        if end in facts.ports:
            out += ["port", facts.ports[end]]
    for word, value in facts.options.items():
        out += [word, value] if value else [word]
    return " ".join(out)


# Rules of words and values: iptables, nft, pf, ufw


class _Line:
    """The words of a line, taken one by one."""

    def __init__(self, words: list[str]) -> None:
        self.words, self.at = words, 0

    def more(self) -> bool:
        return self.at < len(self.words)

    def peek(self) -> str:
        return self.words[self.at] if self.more() else ""

    def take(self) -> str:
        if not self.more():
            raise Unknown
        self.at += 1
        return self.words[self.at - 1]

    def values(self) -> list[str]:
        """One value, or those of a set in braces or with commas."""
        word = self.take()
        if word != "{":
            return [part for part in word.strip('"').split(",") if part]
        out: list[str] = []
        while (word := self.take()) != "}":
            if word != ",":
                out += [part for part in word.strip('"').split(",") if part]
        return out


class _Keyworded:
    """Reads a line whose words say what the values behind them are."""

    def __init__(self, words: list[str], kind: str) -> None:
        self.line, self.kind = _Line(words), kind
        self.facts = Facts(either=kind == "iptables")
        self.end = ""  # the side that `port` belongs to
        self.negated = ""

    def read(self) -> Facts:
        while self.line.more():
            word = self.line.take()
            if word in ("!", "not"):
                self.negated = "not "
                continue
            if word not in ("ip", "ip6", "meta", "ct"):  # in front of what they qualify
                self._one(word)
                self.negated = ""
            elif self.line.peek() not in ("saddr", "daddr", "protocol", "l4proto", "state"):
                raise Unknown
        if self.negated:
            raise Unknown
        return self.facts

    def _one(self, word: str) -> None:
        """A word and the values behind it."""
        low = word.lower()
        if low in _ACTIONS:
            self.facts.action = _ACTIONS[low]
        elif low in ("inet", "inet6", "iptables", "ip6tables"):
            self.facts.family = 6 if "6" in low else 4
        elif low in ("tcp", "udp", "icmp", "icmpv6", "sctp"):
            self.facts.protocols = [low]
            if self.line.peek() == "type":
                self.line.take()
                self._type()
        elif self.kind == "ufw" and "/" in word and not self.facts.ports:
            port, _, protocol = word.partition("/")
            self.facts.protocols = protocols([protocol], self.negated)
            self.facts.ports["to"] = ports(port.split(","), self.negated)
        elif low == "log" and self.kind != "iptables":
            self.facts.options["log"] = ""
        elif word in _OPTION_WORDS:  # the letters of iptables: `-i` is not `-I`
            _OPTION_WORDS[word](self, word)
        elif low not in _SAYING_NOTHING and low not in DROPPED:
            raise Unknown

    def _skipped(self, word: str) -> None:
        """A chain, which a policy has one of; or a comment."""
        self.line.take()

    def _match(self, word: str) -> None:
        if self.line.take() not in ("tcp", "udp", "multiport", "comment", "state", "conntrack", "icmp", "icmp6"):
            raise Unknown

    def _rule(self, word: str) -> None:
        if self.line.take() != "rule":
            raise Unknown
        for _ in range(3):  # family, table and chain
            self.line.take()

    def _jump(self, word: str) -> None:
        target = self.line.take()
        if target not in ("ACCEPT", "DROP", "REJECT"):
            raise Unknown
        if self.line.peek() == "--reject-with":
            self.line.take()
            self.line.take()
        self.facts.action = "allow" if target == "ACCEPT" else "deny"

    def _protocol(self, word: str) -> None:
        self.facts.protocols = protocols(self.line.values(), self.negated)

    def _addresses(self, word: str) -> None:
        self.end = "from" if word in ("from", "-s", "--source", "--src", "saddr") else "to"
        if self.line.peek() == "port":
            return
        if self.line.peek() in ("!", "!="):
            self.line.take()
            self.negated = "not "
        self.facts.ends[self.end] = addresses(self.line.values(), self.negated)

    def _port(self, word: str) -> None:
        side = self.end if word == "port" else "to" if "dport" in word else "from"
        if not side:
            raise Unknown
        if self.line.peek() == "!=":
            self.line.take()
            self.negated = "not "
        self.facts.ports[side] = ports(self.line.values(), self.negated)

    def _way(self, word: str) -> None:
        """ufw's and pf's `in on eth0`; a way without an interface is not said here."""
        while self.line.peek() in ("quick", "log"):
            if self.line.take() == "log":
                self.facts.options["log"] = ""
        if self.line.take() != "on":
            raise Unknown
        self.facts.options[word] = _interface(self.line.take(), self.negated)

    def _interface(self, word: str) -> None:
        side = "in" if word in ("-i", "--in-interface", "iif", "iifname") else "out"
        self.facts.options[side] = _interface(self.line.take(), self.negated)

    def _state(self, word: str) -> None:
        self.facts.options["state"] = self.negated + set_of([_of(v.lower(), STATES) for v in self.line.values()])

    def _flags(self, word: str) -> None:
        self.facts.options["flags"] = self.negated + (_SYN if word == "--syn" else _pf_flags(self.line.take()))

    def _type(self, word: str = "") -> None:
        if self.negated:
            raise Unknown
        _type(self.facts, self.line.values())


_SYN = "syn/fin,syn,rst,ack"
_OPTION_WORDS: dict[str, Callable[[_Keyworded, str], None]] = {
    **dict.fromkeys(("-A", "-I", "--append", "--comment", "comment"), _Keyworded._skipped),
    **dict.fromkeys(("-m", "--match"), _Keyworded._match),
    **dict.fromkeys(("add", "insert"), _Keyworded._rule),
    **dict.fromkeys(("-j", "--jump"), _Keyworded._jump),
    **dict.fromkeys(("proto", "-p", "--protocol", "l4proto", "protocol"), _Keyworded._protocol),
    **dict.fromkeys(
        ("from", "-s", "--source", "--src", "saddr", "to", "-d", "--destination", "--dst", "daddr"),
        _Keyworded._addresses,
    ),
    **dict.fromkeys(("port", "dport", "sport", "--dport", "--sport", "--dports", "--sports"), _Keyworded._port),
    **dict.fromkeys(("in", "out"), _Keyworded._way),
    **dict.fromkeys(
        ("-i", "-o", "--in-interface", "--out-interface", "iif", "iifname", "oif", "oifname"), _Keyworded._interface
    ),
    **dict.fromkeys(("state", "--state", "--ctstate"), _Keyworded._state),
    **dict.fromkeys(("flags", "--syn"), _Keyworded._flags),
    **dict.fromkeys(("--icmp-type", "icmp-type", "--icmpv6-type", "icmp6-type"), _Keyworded._type),
}


def _of(word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise Unknown
    return word


def _interface(text: str, negated: str) -> str:
    name = text.strip('"')
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", name):  # `eth+`, `em*`, `$wan`
        raise Unknown
    return negated + name


def _pf_flags(text: str) -> str:
    value, slash, mask = text.partition("/")
    if not slash or not mask or not {*value, *mask} <= set(_PF_LETTERS):
        raise Unknown
    value, mask = (",".join(_PF_LETTERS[c] for c in part) or "none" for part in (value, mask))
    return f"{value}/{mask}"


def _type(facts: Facts, values: list[str]) -> None:
    protocol = ICMPV6 if "icmpv6" in facts.protocols else ICMP
    if facts.protocols not in (["icmp"], ["icmpv6"]):
        raise Unknown
    if len(values) == 1 and (both := re.fullmatch(r"([0-9]{1,3})/([0-9]{1,3})", values[0])):
        facts.options |= {"type": both[1], "code": both[2]}
        return
    for value in values:
        if not (value.isdigit() and int(value[:4]) < 256) and names.icmp_type(protocol, value) is None:
            raise Unknown
    facts.options["type"] = set_of(values)


# Cisco's access lists: places instead of words


def _cisco(words: list[str]) -> Facts:
    facts, line = Facts(either=True), _Line(words)
    if line.peek() == "access-list":
        line.take()
        line.take()
        if line.peek() == "extended":
            line.take()
    elif line.peek().isdigit():
        line.take()
    facts.action = _ACTIONS[line.take()]
    protocol = line.take()
    if protocol == "ip":
        pass
    elif names.protocol(protocol) is None:
        raise Unknown
    else:
        facts.protocols = protocols([protocol], "")
    for end in ("from", "to"):
        facts.ends[end] = _cisco_end(line)
        if line.peek() in _CISCO_PORTS:
            facts.ports[end] = _CISCO_PORTS[line.take()](line)
    while line.more():
        word = line.take()
        if word == "established":
            facts.options["established"] = ""
        elif word == "log":
            facts.options["log"] = ""
        elif facts.protocols == ["icmp"] and names.icmp_type(ICMP, word) is not None and "type" not in facts.options:
            facts.options["type"] = names.icmp_type_name(ICMP, names.icmp_type(ICMP, word) or 0) or word
        else:
            raise Unknown
    return facts


def _cisco_end(line: _Line) -> str:
    word = line.take()
    if word in ("any", "any4", "any6"):
        return {"any": "any", "any4": "ipv4", "any6": "ipv6"}[word]
    if word == "host":
        return address_of(line.take())
    host, mask = address_of(word), line.take()
    try:
        point, bits = address.parse(host), address.to_value(address.parse(mask))
    except ValueError:
        raise Unknown from None
    if bits in (0, 0xFFFFFFFF):  # a host or everything: IOS and ASA say it the opposite way round
        raise Unknown
    return masked(point, bits if bits >> 31 else 0xFFFFFFFF ^ bits)


def _plain_port(line: _Line) -> str:
    return ports([line.take()], "")


_CISCO_PORTS: dict[str, Callable[[_Line], str]] = {
    "eq": _plain_port,
    "neq": lambda line: f"not {_plain_port(line)}",
    "gt": lambda line: f"> {_plain_port(line)}",
    "lt": lambda line: f"< {_plain_port(line)}",
    "range": lambda line: f"{_plain_port(line)}-{_plain_port(line)}",
}
