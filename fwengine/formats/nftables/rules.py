"""One rule of nft's text -> its statements, in order. What it does not know it refuses, at the word."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import Span
from .syntax import (
    REMEMBERED,
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
_LOGGED = ["prefix", "level", "group", "snaplen", "queue-threshold"]
_RATES = frozenset({
    "rate", "over", "until", "burst", "packets", "bytes", "kbytes", "mbytes", "used", "/", "second", "minute", "hour", "day",
    "week",
})  # fmt: skip
_SPELT = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_STATEMENTS = VERDICTS | {"counter", "log", "comment", "limit", "vmap"}
_ENDS = ("\n", ";", "}")


class Cursor:
    """A place in the words of some texts, and the definitions known there: those of each open block, the innermost last."""

    def __init__(self, tokens: list[Token], texts: Mapping[str, str]) -> None:
        self.tokens, self.at = tokens, 0
        self.rows = {file: text.split("\n") for file, text in texts.items()}
        self.scopes: list[dict[str, list[Token]]] = [{}]

    @property
    def token(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else self.tokens[-1]

    @property
    def text(self) -> str:
        token = self.token
        return "" if token.quoted else token.text

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
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.text in texts and not token.quoted:
                self.at += 1
                return token
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

    def to_statement(self) -> None:
        """Over the words of a condition that is not looked at, to what is surely the next statement."""
        while not self.done and self.text not in _ENDS and self.text not in _STATEMENTS:
            if self.text == "{":
                self.skip_block()
            else:
                self.at += 1

    def has(self, *words: str) -> bool:
        """Is one of the words in the rest of the statement?"""
        at = self.at
        while at < len(self.tokens) and self.tokens[at].text not in _ENDS:
            if self.tokens[at].text in words:
                return True
            at += 1
        return False

    def define(self, name: Token, *, again: bool) -> None:
        """Keeps the words of a definition, up to its end. A name is defined once in a block, unless `again` is said."""
        begin = self.at
        self.to_end()
        if name.text in self.scopes[-1] and not again:
            raise RefusedError(name, f"`{short(name.text)}` is defined twice", "the second time it is `redefine`")
        self.scopes[-1][name.text] = self._filled(self.tokens[begin : self.at])

    def undefine(self, name: Token) -> None:
        """Forgets a definition."""
        self.lookup(name)
        next(scope for scope in reversed(self.scopes) if name.text in scope).pop(name.text)

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
        found = next((scope[name.text] for scope in reversed(self.scopes) if name.text in scope), None)
        if found is None and name.text in _ENDS:
            raise RefusedError(name, "a name is expected here", code="FW406")
        if found is None:
            raise RefusedError(name, f"`${short(name.text)}` is not defined", "define it above", "FW404")
        return found

    def replace(self) -> None:
        """Puts the words of a definition in the place of its name, where one stands."""
        while not self.done and self.text == "$" and self.at + 1 < len(self.tokens):
            name = self.tokens[self.at + 1]
            put = [
                t._replace(line=name.line, column=name.column, end=name.end, file=name.file) for t in self.lookup(name)
            ]
            self.tokens[self.at : self.at + 2] = put

    def span(self, first: Token, last: Token | None = None) -> Span:
        last = last or first
        if last.file != first.file or (last.line, last.end) < (first.line, first.end):
            last = first
        return Span(first.file, first.line, first.column, last.line, last.end)


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
            while c.text in _LOGGED or c.text == "flags":
                _skip(c, _LOGGED)
                if c.accept("flags") and c.take("flags").text in ("tcp", "ip"):
                    _skip_list(c)
        elif c.accept("counter", "last"):
            _skip(c, ["packets", "bytes", "name", "used"])
        elif c.accept("notrack"):
            pass
        elif c.accept("flow"):  # established connections may be forwarded elsewhere: it decides nothing
            c.take("add")
            c.expect("@")
            c.take("a flow table")
        elif c.text == "xt":
            raise RefusedError(token, "a rule of iptables within nft shows no content", "save it by `iptables-save`")
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
    span = c.span(first, last)
    words = " ".join(" ".join(row.split()) for row in c.rows[span.file][span.line - 1 : span.end_line])
    return Rule(tuple(statements), span, words, comment, log)


def _skip_list(c: Cursor) -> None:
    c.take("a value")
    while c.accept(","):
        c.take("a value")


def _skip(c: Cursor, names: list[str]) -> None:
    """Options that decide nothing, each with a value."""
    while c.accept(*names):
        _skip_list(c)
    if c.token.quoted:  # `counter "name"`
        c.take("")


def _rest_of_rate(c: Cursor) -> None:
    if c.accept("name"):
        c.take("a name")
        return
    while not c.done and (c.text in _RATES or c.text[:1].isdigit() or c.token.quoted):
        c.take("a rate")


def _dynamic(c: Cursor, statements: list[Statement], token: Token) -> None:
    """`add @set { … }`: remembers something of the packet. What follows is not met by one that lacks it, nor once the set is full."""
    if token.text == "dup":
        c.to_end()
        return
    c.accept("@")
    c.take("a set")
    begin = c.at
    c.skip_block()
    rates = {t.text for t in c.tokens[begin : c.at]} & {"limit", "quota"}
    statements.append(Doubt(token.text if rates or token.text == "meter" else f"{token.text} @set: {REMEMBERED}"))


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
        if keys[0] == _OPTION:
            c.to_statement()
            return Doubt("tcp option … set: of what the packet may lack")
        if keys[0].family not in ("meta", "ct"):
            return Refused(f"{keys[0]} set")
        return Doubt(f"{keys[0]} set: of what the packet may lack") if _assigned(c) else None
    strange = next((key for key in keys if key.family in OTHERS or key in (_OPTION, _RAW)), None)
    if strange is not None and c.text != "vmap":
        _unread(c)
        if c.text != "vmap":
            return Doubt(str(strange))
    if c.accept("vmap"):
        return _choice(c, keys)
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


def _choice(c: Cursor, keys: list[Key]) -> Choice:
    c.replace()
    if c.accept("@"):
        return Choice(tuple(keys), (), c.take("a map").text)
    found = [(value, done) for value, done in element_map(c) if done is not None]
    return Choice(tuple(keys), tuple(found))


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


_OPTION, _RAW = Key("tcp", "option"), Key("raw", "payload")


def _unread(c: Cursor) -> None:
    """What is asked and compared by a condition that is in doubt anyway."""
    if c.accept("oif", "oifname", "type"):  # of `fib`: its value is one like others, and more conditions may follow
        c.accept(*_OPS)
        if c.text != "vmap":
            _right(c)
    else:
        c.to_statement()


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
        c.take("an option")
        while c.text not in (*_ENDS, "set", "==", "!=", "<", ">", "{") and c.text not in _STATEMENTS:
            if c.accept("exists", "missing"):
                break
            c.take("a field")
            if c.after(0)[:1].isdigit():
                break
        return _OPTION
    if word in OTHERS:
        return Key(word, c.take("a key").text)
    if word in PAYLOADS:
        return Key(word, c.take("a field").text)
    if word == "@":  # `@th,16,16`
        for at in range(3):
            if at:
                c.expect(",")
            c.take("where the bytes are")
        return _RAW
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
        length = c.take("a length")
        if length.text[0] == "0" != length.text:  # octal
            raise RefusedError(length, f"`{short(length.text)}` is not a length of a prefix", code="FW403")
        return Prefix(word, int(length.text))
    if c.accept("-"):
        c.replace()
        return Range(word, Word(c.take("the end of a range").text))
    return word


def elements(c: Cursor) -> list[tuple[Value | None, Verdict | None]]:
    """The elements that a definition or a word stands for."""
    c.replace()
    return element_map(c) if c.text == "{" else [(_concat(c), None)]


def _kept(c: Cursor) -> None:
    """What nft remembers of an element: how long it stays, how often it was met."""
    while c.accept("timeout", "expires", "comment", "counter", "packets", "bytes", "limit", "quota", "last"):
        if c.tokens[c.at - 1].text in ("limit", "quota"):
            _rest_of_rate(c)
        elif c.text not in (",", ":", "}", "\n", "packets", "comment"):
            c.take("a value")


def element_map(c: Cursor) -> list[tuple[Value | None, Verdict | None]]:
    """The elements of a set in braces, or of a map with what each leads to."""
    c.replace()
    c.expect("{")
    out: list[tuple[Value | None, Verdict | None]] = []
    c.skip_lines()
    while not c.accept("}"):
        c.replace()
        value = None if c.accept("*") else _bits(c)
        _kept(c)
        done: Verdict | None = None
        c.skip_lines()
        if c.accept(":"):
            c.skip_lines()
            if c.text in VERDICTS:
                done = verdict(c)
            else:
                _concat(c)
        if isinstance(value, Several) and value.kind == "set" and done is None:
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
