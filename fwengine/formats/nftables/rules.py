"""One rule of nft's text -> its statements, in order. What it does not know it refuses, at the word."""

from __future__ import annotations

from ...errors import Span
from .syntax import (
    Choice,
    Concat,
    Doubt,
    Key,
    Named,
    Prefix,
    Range,
    Refused,
    Rule,
    Several,
    Statement,
    Test,
    Value,
    Verdict,
    Word,
)
from .words import RefusedError, Token, short

PAYLOADS = frozenset({
    "ip", "ip6", "tcp", "udp", "udplite", "sctp", "dccp", "th", "icmp", "icmpv6", "igmp", "esp", "ah", "comp", "ether", "vlan",
    "arp", "frag", "hbh", "rt", "dst", "mh", "srh", "exthdr",
})  # fmt: skip
BARE = frozenset({
    "iif", "iifname", "iiftype", "oif", "oifname", "oiftype", "mark", "skuid", "skgid", "iifgroup", "oifgroup", "cpu", "pkttype",
    "nftrace", "rtclassid", "cgroup", "ibrname", "obrname", "ibriport", "obriport", "time", "day", "hour", "secpath",
})  # fmt: skip
VERDICTS = frozenset({"accept", "drop", "continue", "return", "jump", "goto", "queue", "reject"})
CHANGES = frozenset({"dnat", "snat", "masquerade", "redirect", "tproxy", "fwd", "synproxy"})
OTHERS = frozenset({"fib", "socket", "osf", "rt", "ipsec", "numgen", "jhash", "symhash", "xfrm", "inner"})
_OPS = frozenset({"==", "!=", "<", ">", "<=", ">=", "eq", "ne", "lt", "gt", "le", "ge"})
_SPELT = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_ENDS = ("\n", ";", "}")


class Cursor:
    """A place in the words of a text, and the definitions known there."""

    def __init__(self, tokens: list[Token], source: str, file: str) -> None:
        self.tokens, self.file, self.at = tokens, file, 0
        self.rows = source.split("\n")
        self.defined: dict[str, list[Token]] = {}

    @property
    def token(self) -> Token:
        return self.tokens[min(self.at, len(self.tokens) - 1)]

    @property
    def text(self) -> str:
        return self.token.text if not self.token.quoted else ""

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def after(self, count: int) -> str:
        at = self.at + count
        return self.tokens[at].text if at < len(self.tokens) else "\n"

    def take(self, what: str) -> Token:
        token = self.token
        if self.done or (token.text in _ENDS and not token.quoted):
            raise RefusedError(token, f"{what} is expected here", code="FW406")
        self.at += 1
        return token

    def accept(self, *texts: str) -> Token | None:
        if not self.done and not self.token.quoted and self.token.text in texts:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise RefusedError(self.token, f"`{text}` is expected here", code="FW406")

    def skip_ends(self) -> bool:
        return self.accept("\n", ";") is not None

    def skip_lines(self) -> None:
        while self.accept("\n"):
            pass

    def to_end(self) -> None:
        """To the end of the statement, over blocks."""
        while not self.done and self.text not in _ENDS:
            if self.text == "{":
                self.skip_block()
            else:
                self.at += 1

    def skip_block(self) -> None:
        depth = 0
        while not self.done:
            depth += {"{": 1, "}": -1}.get(self.text, 0)
            self.at += 1
            if depth == 0:
                return

    def has(self, *words: str) -> bool:
        """Is one of the words in the rest of the statement?"""
        at = self.at
        while at < len(self.tokens) and self.tokens[at].text not in _ENDS:
            if self.tokens[at].text in words:
                return True
            at += 1
        return False

    def define(self, name: str) -> None:
        """Keeps the words of a definition, up to its end."""
        begin = self.at
        self.to_end()
        self.defined[name] = self._filled(self.tokens[begin : self.at])

    def _filled(self, tokens: list[Token]) -> list[Token]:
        out: list[Token] = []
        at = 0
        while at < len(tokens):
            if tokens[at].text == "$" and not tokens[at].quoted and at + 1 < len(tokens):
                out += self.lookup(tokens[at + 1])
                at += 2
            else:
                out.append(tokens[at])
                at += 1
        return out

    def lookup(self, name: Token) -> list[Token]:
        if name.text not in self.defined:
            raise RefusedError(name, f"`${short(name.text)}` is not defined", "define it above", "FW404")
        return self.defined[name.text]

    def replace(self) -> None:
        """Puts the words of a definition in the place of its name, where one stands."""
        while not self.done and self.text == "$" and self.at + 1 < len(self.tokens):
            name = self.tokens[self.at + 1]
            put = [t._replace(line=name.line, column=name.column, end=name.end) for t in self.lookup(name)]
            self.tokens[self.at : self.at + 2] = put

    def span(self, first: Token, last: Token | None = None) -> Span:
        last = last or first
        return Span(self.file, first.line, first.column, last.line, last.end)


def rule(c: Cursor) -> Rule:
    """The rule that begins here, up to its end.

    Raises:
        RefusedError: at the first word that is not understood.
    """
    first = c.token
    statements: list[Statement] = []
    comment, log = None, False
    while not c.done and c.text not in _ENDS:
        c.replace()
        token = c.token
        if c.accept("comment"):
            comment = c.take("a text").text
        elif c.accept("log"):
            log = True
            _skip(c, ["prefix", "level", "group", "snaplen", "queue-threshold", "flags"])
        elif c.accept("counter"):
            _skip(c, ["packets", "bytes", "name"])
        elif c.accept("notrack"):
            pass
        elif c.accept("limit", "quota"):
            statements.append(Doubt(token.text))
            _rest_of_rate(c)
        elif c.text in VERDICTS:
            statements.append(verdict(c))
        elif c.text in CHANGES:
            statements.append(Refused(c.text))
            c.to_end()
        elif c.accept("add", "update", "delete", "dup", "meter"):
            _dynamic(c, statements, token)
        else:
            found = _condition(c)
            if found is not None:
                statements.append(found)
    last = c.tokens[c.at - 1] if c.at else first
    words = " ".join(" ".join(row.split()) for row in c.rows[first.line - 1 : last.line])
    return Rule(tuple(statements), c.span(first, last), words, comment, log)


def _skip(c: Cursor, names: list[str]) -> None:
    """Options that decide nothing, each with a value."""
    while c.accept(*names):
        c.take("a value")
        while c.accept(","):
            c.take("a value")
    if c.token.quoted:  # `counter "name"`
        c.take("")


def _rest_of_rate(c: Cursor) -> None:
    words = {
        "rate",
        "over",
        "until",
        "burst",
        "packets",
        "bytes",
        "kbytes",
        "mbytes",
        "used",
        "/",
        "name",
        "second",
        "minute",
        "hour",
        "day",
        "week",
    }
    while not c.done and (c.text in words or c.text[:1].isdigit() or c.token.quoted):
        c.take("a rate")


def _dynamic(c: Cursor, statements: list[Statement], token: Token) -> None:
    """`add @set { … }`: remembers something of the packet; a rate in the braces is a condition."""
    if token.text == "dup":
        c.to_end()
        return
    c.accept("@")
    c.take("a set")
    begin = c.at
    c.skip_block()
    inside = {t.text for t in c.tokens[begin : c.at]}
    if inside & {"limit", "quota", "ct"} or token.text == "meter":
        statements.append(Doubt(token.text))


def verdict(c: Cursor) -> Verdict:
    token = c.take("a verdict")
    if token.text in ("jump", "goto"):
        c.replace()
        return Verdict(token.text, c.take("a chain").text)
    if token.text == "reject" and c.accept("with"):
        while c.text not in _ENDS and c.text not in ("comment", ","):
            c.take("a reason")
    if token.text == "queue":
        while c.text not in _ENDS and c.text != "comment":
            c.take("a queue")
    if token.text not in VERDICTS:
        raise RefusedError(token, f"`{short(token.text)}` is not a verdict")
    return Verdict(token.text)


def _condition(c: Cursor) -> Statement | None:
    """A test, a verdict map, or None for what sets something that decides nothing."""
    keys = [_key(c)]
    while c.accept("."):
        keys.append(_key(c))
    if c.accept("set"):
        if keys[0].family not in ("meta", "ct"):
            return Refused(f"{keys[0]} set")
        return Doubt(f"{keys[0]} set: of what the packet may lack") if _assigned(c) else None
    if c.accept("vmap"):
        c.replace()
        if c.accept("@"):
            return Choice(tuple(keys), (), c.take("a map").text)
        found = [(value, done) for value, done in element_map(c) if done is not None]
        return Choice(tuple(keys), tuple(found))
    if keys[0].family in OTHERS or (keys[0].family == "tcp" and keys[0].name.startswith("option")):
        _unread(c)
        return Doubt(str(keys[0]))
    mask = None
    if c.accept("&", "and"):
        mask = _bits(c)
    op = ""
    if c.text in _OPS or c.text == "!":
        op = c.take("").text
    op = _SPELT.get(op, op)
    value = _right(c)
    if c.accept("/"):  # `syn / syn,ack`
        return Test(tuple(keys), op or "==", value, _right(c))
    return Test(tuple(keys), op, value, mask)


def _assigned(c: Cursor) -> bool:
    """Over what is assigned; does it ask for something of the packet, which a packet may not have?"""
    asks = False
    while True:
        c.replace()
        token = c.take("a value")
        if not token.quoted and (token.text in PAYLOADS or token.text in ("meta", "ct")):
            asks = True
            c.take("a field")
        if c.accept("map"):
            asks = True
            if c.text == "{":
                c.skip_block()
            else:
                c.expect("@")
                c.take("a map")
        if not c.accept("|", "&", "^", "or", "and", "xor", "."):
            return asks


def _unread(c: Cursor) -> None:
    """The value of a condition that is in doubt anyway."""
    while c.text not in _ENDS and c.text not in VERDICTS and c.text not in ("counter", "log", "comment", "limit"):
        if c.text == "{":
            c.skip_block()
        else:
            c.take("a value")


def _key(c: Cursor) -> Key:
    token = c.take("a condition")
    word = token.text
    if token.quoted:
        raise RefusedError(token, f'`"{short(word)}"` stands where a condition is expected')
    if word in BARE:
        return Key("meta", word)
    if word == "meta":
        return Key("meta", c.take("a key").text)
    if word == "ct":
        name = c.take("a key").text
        if name in ("original", "reply", "count"):
            more = []
            while c.text in (
                "ip",
                "ip6",
                "saddr",
                "daddr",
                "proto-src",
                "proto-dst",
                "over",
                "bytes",
                "packets",
                "protocol",
            ):
                more.append(c.take("a key").text)
            name = " ".join([name, *more])
        return Key("ct", name)
    if word == "tcp" and c.accept("option"):
        return Key("tcp", "option")
    if word in OTHERS:
        return Key(word, c.take("a key").text)
    if word in PAYLOADS:
        return Key(word, c.take("a field").text)
    if word == "@":
        raise RefusedError(token, "raw payloads are not understood")
    raise RefusedError(token, f"`{short(word)}` is not a condition or statement that is understood")


def _right(c: Cursor) -> Value:
    """What a condition compares with."""
    c.replace()
    if c.text == "{":
        return Several(tuple(value for value, _ in element_map(c) if value is not None))
    if c.accept("@"):
        return Named(c.take("a set").text)
    values = [_bits(c)]
    while c.accept(","):
        values.append(_bits(c))
    return values[0] if len(values) == 1 else Several(tuple(values), "list")


def _bits(c: Cursor) -> Value:
    if c.accept("("):
        found = _bits(c)
        c.expect(")")
        return found
    values = [_concat(c)]
    while c.accept("|", "or"):
        values.append(_concat(c))
    return values[0] if len(values) == 1 else Several(tuple(values), "bits")


def _concat(c: Cursor) -> Value:
    values = [_one(c)]
    while c.accept("."):
        values.append(_one(c))
    return values[0] if len(values) == 1 else Concat(tuple(values))


def _one(c: Cursor) -> Value:
    c.replace()
    if c.text == "{":  # a definition may hold a set
        return Several(tuple(value for value, _ in element_map(c) if value is not None))
    word: Value = Word(c.take("a value").text)
    if c.text == "/" and c.after(1).isdigit():
        c.take("")
        return Prefix(word, int(c.take("a length").text))
    if c.accept("-"):
        return Range(word, Word(c.take("the end of a range").text))
    return word


def elements(c: Cursor) -> list[tuple[Value | None, Verdict | None]]:
    """The elements that a definition or a word stands for."""
    c.replace()
    return element_map(c) if c.text == "{" else [(_concat(c), None)]


def element_map(c: Cursor) -> list[tuple[Value | None, Verdict | None]]:
    """The elements of a set in braces, or of a map with what each leads to."""
    c.replace()
    c.expect("{")
    out: list[tuple[Value | None, Verdict | None]] = []
    c.skip_lines()
    while not c.accept("}"):
        c.replace()
        value = None if c.accept("*") else _concat(c)
        while c.text in ("timeout", "expires", "comment", "counter", "packets", "bytes", "limit"):
            c.take("")
            if c.text not in (",", ":", "}", "\n", "packets"):
                c.take("a value")
        done: Verdict | None = None
        c.skip_lines()
        if c.accept(":"):
            c.skip_lines()
            if c.text in VERDICTS:
                done = verdict(c)
            else:
                _concat(c)
        if isinstance(value, Several) and done is None:
            out += [(one, None) for one in value.values]
        else:
            out.append((value, done))
        c.skip_lines()
        if not c.accept(","):
            c.skip_lines()
            c.expect("}")
            break
        c.skip_lines()
    return out
