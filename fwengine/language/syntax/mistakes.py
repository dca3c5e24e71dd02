"""What people get wrong in the rule language, and what to tell them: no parsing, only the words.

Each function turns what a reader stumbled over into the parts of a diagnostic. The style is Cedar's: lower case, no
final period, the user's words in backticks, and always what to write instead where that is clear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from ...errors import Diagnostic, PolicyError, Span, Suggestion
from ...model.fields import KEYWORDS as FIELDS
from ...registry.names import near, protocol
from .ast import OPTIONS, Place, cover, span_of
from .statements import comment_at

MAX_ERRORS = 1000  # after which a file is not a policy but something else

STATEMENTS = ("allow", "deny", "net", "ports", "service", "interface", "include", "default", "expect")
KEYWORDS = (
    *STATEMENTS, "from", "to", "port", "except", "by", "or", "unless", "not", *dict.fromkeys((*OPTIONS, *FIELDS)),
)  # fmt: skip
_OTHER_WORDS = {  # what other firewalls call it
    "permit": "allow", "accept": "allow", "pass": "allow", "drop": "deny", "reject": "deny", "block": "deny",
    "import": "include", "network": "net", "object": "net", "port": "ports", "assert": "expect", "test": "expect",
    "policy": "default", "src": "from", "source": "from", "dst": "to", "dest": "to", "destination": "to",
    "dport": "port", "sport": "port", "eq": "port", "iif": "in", "oif": "out", "iifname": "in", "oifname": "out",
    "on": "in", "ctstate": "state", "name": "as", "expires": "until", "icmp-type": "type",
}  # fmt: skip
_WRITTEN = {
    "_ARROW": "->", "_EQUAL": "=", "_COMMA": ",", "LBRACE": "{", "RBRACE": "}", "_FROM": "from", "_TO": "to",
    "_PORT": "port", "_EXCEPT": "except", "_BY": "by", "_OR": "or", "_UNLESS": "unless",
}  # fmt: skip
_INTERFACES = tuple(word.upper() for word, spec in FIELDS.items() if spec.kind == "interface")
_OPERANDS = frozenset({"WORD", "STRING", "LBRACE", "NOT", "COMPARE"})  # what begins a value

# NUL and other controls; marks that change the order or presence of what is seen (CVE-2021-42574)
_CONTROL = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]|\r(?!\n)")
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_HARMLESS = re.compile("[\u200c\u200d]")  # joiners: parts of words and of emoji, so let them be in comments
_SUSPECT = re.compile("|".join([_CONTROL.pattern, _INVISIBLE.pattern, _SPACES.pattern, "\ufffd"]))
UNDECODED = "\ufffd"  # what a decoder puts where bytes are not text
MAX_CHARACTERS = 20  # errors about characters; a file with more is not text


Fix = str | tuple[Place, str]  # a text to put in the mistake's own place, or in another


class SyntaxMistake(Exception):  # noqa: N818  # becomes a diagnostic, never leaves the package
    """A statement that cannot be read; places are relative to it. Each of the `fixes` mends it."""

    def __init__(
        self, code: str, at: Place, message: str, label: str = "", help: str = "", fixes: Iterable[Fix] = ()
    ) -> None:
        super().__init__(code, at, message, label, help)
        self.code, self.at, self.message, self.label, self.help = code, at, message, label, help
        self.fixes = tuple(fixes)


def suggestion(fix: Fix, place: Place, file: str, line: int) -> Suggestion:
    """A fix of a mistake at a place inside a statement that begins on `line`."""
    at, text = (place, fix) if isinstance(fix, str) else fix
    return Suggestion(span_of(at, file, line), text)


class Seen(NamedTuple):
    """A token and its place."""

    type: str
    text: str
    at: Place


def decode(data: bytes, file: str) -> str:
    """The text of a policy file, without a byte order mark.

    Raises:
        PolicyError: FW002, at the first byte that is not UTF-8.
    """
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        line = good.count("\n") + 1
        column = len(good) - (good.rfind("\n") + 1) + 1
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            label, help = "begins like UTF-16", "save the file as UTF-8"
        else:
            label, help = f"byte 0x{data[error.start]:02x} is not UTF-8 here", "save the file as UTF-8, or write ASCII"
        shown = data.decode("utf-8", "replace").removeprefix("\ufeff")
        at = Span(file, line, column, line, column + 1)
        raise PolicyError([Diagnostic("FW002", "the file is not UTF-8 text", at, label, help)], {file: shown}) from None


def characters(text: str, file: str) -> Iterator[Diagnostic]:
    """Errors for characters that cannot be seen or that deceive: the first of each line, as one tells of the others."""
    if text.isascii() and not _CONTROL.search(text):  # far the most common case, in one pass
        return
    text = text.removeprefix("\ufeff")
    if not _SUSPECT.search(text):
        return
    found = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.endswith("\r"):
            line = line[:-1]
        first = _SUSPECT.search(line)
        comment = comment_at(line) if first else 0
        while first and first.start() > comment and (_SPACES.match(first.group()) or _HARMLESS.match(first.group())):
            first = _SUSPECT.search(line, first.end())
        if not first:
            continue
        found += 1
        at = Span(file, number, first.start() + 1, number, first.end() + 1)
        if found > MAX_CHARACTERS:
            yield Diagnostic(
                "FW005", "too many such characters: this is hardly a text file", at, "stopped reading here"
            )
            return
        yield _character(first.group(), at)


def suspect(line: str) -> bool:
    """May one of `characters` be in a line? What only comments may hold is suspect, too."""
    return _SUSPECT.search(line.removesuffix("\r")) is not None


def _character(c: str, at: Span) -> Diagnostic:
    name = f"U+{ord(c):04X}"
    if _SPACES.match(c):
        return Diagnostic(
            "FW003",
            f"{name} looks like a space but is not one",
            at,
            "not a plain space",
            "write a plain space",
            suggestions=(Suggestion(at, " "),),
        )
    if _INVISIBLE.match(c):
        help = "remove this character"
        return Diagnostic(
            "FW003",
            f"{name} is invisible or reorders what is read",
            at,
            "an invisible character",
            help,
            suggestions=(Suggestion(at, ""),),
        )
    if c == UNDECODED:
        return Diagnostic(
            "FW002", "the file is not UTF-8 text", at, "not UTF-8 here", "save the file as UTF-8, or write ASCII"
        )
    if c == "\r":
        return Diagnostic("FW003", "carriage return without a line feed", at, "U+000D", "end lines with LF or CRLF")
    what = "NUL byte" if c == "\0" else f"control character {name}"
    removed = Suggestion(at, " " if c.isspace() else "")
    return Diagnostic(
        "FW003", f"{what} in the text", at, "cannot be seen", "remove this character", suggestions=(removed,)
    )


def too_many(file: str, line: int) -> Diagnostic:
    at = Span(file, line, 1, line, 2)
    return Diagnostic("FW005", "too many errors: the rest was not read", at, "stopped here", "is this a policy at all?")


def unexpected_character(text: str, at: Place) -> SyntaxMistake:
    """A character that cannot begin a token: a lone quote, `!`, or the like."""
    c = text.split("\n")[at[0] - 1][at[1] - 1]
    if c == '"':
        return SyntaxMistake(
            "FW016", at, "the text in quotes is not closed on its line", "opened here", 'write a `"` behind it'
        )
    help, fixes = ("write `not` for a negation", [_negation(text, at)]) if c == "!" else ("", [])
    return SyntaxMistake("FW010", at, f"`{c}` is not part of the language", "unexpected here", help, fixes)


def _negation(text: str, at: Place) -> Fix:
    """`not ` in the place of a `!`, and of the space behind it."""
    line = text.split("\n")[at[0] - 1]
    behind = len(line) - len(line[at[1] :].lstrip(" "))
    return (at[0], at[1], at[0], behind + 1), "not "


def unexpected_token(
    token: Seen, accepts: frozenset[str], seen: Sequence[Seen], rest: Sequence[Seen] = ()
) -> SyntaxMistake:
    """A token that cannot stand where it does; `seen` are those before it in the statement, `rest` those behind."""
    braces = _open_braces(seen)
    if token.type == "RBRACE" and not braces:
        return SyntaxMistake(
            "FW015",
            token.at,
            "`}` without a `{`",
            "nothing is open here",
            "remove it, or open the set with `{`",
            [""] if "$END" in accepts else [],
        )
    if not seen and "NET" in accepts:
        return _no_statement(token)
    found = slip(token, accepts, seen)
    if found:
        return found
    if token.type == "$END":
        if braces:
            return SyntaxMistake(
                "FW014",
                braces[-1].at,
                "`{` is never closed",
                "opened here",
                "write `}` behind the last element",
                [(_behind(seen[-1].at), " }")] if len(braces) == 1 and seen[-1].at[0] == braces[0].at[0] else [],
            )
        if not seen:
            return SyntaxMistake(
                "FW011",
                token.at,
                "the text is empty",
                f"expected {_expected(accepts, seen)}",
                "for example `tcp from any to 192.0.2.80 port https`",
            )
        return SyntaxMistake(
            "FW011", token.at, "the statement ends too early", f"expected {_expected(accepts, seen)}", _missing(seen)
        )
    if token.type == "_COMMA" and not braces and seen:
        help, fixes = _listed(token, seen, rest)
        return SyntaxMistake("FW020", token.at, "several values stand in braces", "outside a set", help, fixes)
    short = _short(token.text)
    if braces and "_COMMA" in accepts and token.type in _OPERANDS:
        gap: list[Fix] = [(_between(seen[-1].at, token.at), ", ")]
        return SyntaxMistake(
            "FW010", token.at, f"unexpected `{short}`", "expected `,` between the elements, or `}`", "", gap
        )
    hint, *ways = _hint(token, accepts, seen)
    return SyntaxMistake(
        "FW010", token.at, f"unexpected `{short}`", f"expected {_expected(accepts, seen)}", str(hint), ways
    )


def _between(first: Place, last: Place) -> Place:
    """The gap between two places."""
    return (first[2], first[3], last[0], last[1])


def _listed(comma: Seen, seen: Sequence[Seen], rest: Sequence[Seen]) -> tuple[str, list[Fix]]:
    """What to write for `80, 443`, values and commas in turns, outside of a set."""
    first = seen[-1]
    row = [first, comma]
    for token in rest:
        if token.type != ("_COMMA" if row[-1].type == "WORD" else "WORD") or token.at[0] != first.at[0]:
            break
        row.append(token)
    words = [token.text for token in row if token.type == "WORD"]
    if first.type != "WORD" or row[-1].type != "WORD" or len(words) < 2:
        return f"write `{{ {_short(first.text)}, … }}`", []
    text = f"{{ {', '.join(words)} }}"
    return f"write `{_short(text)}`", [(cover(first.at, row[-1].at), text)]


def _behind(place: Place) -> Place:
    return (place[2], place[3], place[2], place[3])


def _no_statement(token: Seen) -> SyntaxMistake:
    label = "expected " + _or([f"`{word}`" for word in STATEMENTS])
    short = _short(token.text)
    if not token.text[:1].isalpha():
        return SyntaxMistake("FW012", token.at, f"`{short}` cannot begin a statement", label, "")
    meant = [w for w in _meant(token.text, STATEMENTS) if w in STATEMENTS]
    help = f"did you mean {_or([f'`{w}`' for w in meant])}?" if meant else ""
    if not meant and (token.text.lower() == "any" or protocol(token.text.lower()) is not None):
        help = f"a rule begins with what it does: `allow {short} …` or `deny {short} …`"
    elif not meant and token.text in KEYWORDS:
        help = "a statement stands on one line; only a set in braces may go over several"
    return SyntaxMistake("FW012", token.at, f"`{short}` is not a statement", label, help, meant)


def slip(token: Seen, accepts: frozenset[str], seen: Sequence[Seen], *, exact: bool = False) -> SyntaxMistake | None:
    """A misspelt keyword: the word itself, or a word before it that was taken for a value.

    If `exact`, only by a letter dropped, doubled or swapped, or by its case; else also what is near, or called otherwise.
    """
    if token.text.isalpha():
        found = _as_keyword(token, [w for w in map(written, accepts) if w.isalpha()], exact=exact)
        if found:
            return found
    if accepts == {"_ARROW"}:
        # `expect` may go on with a packet, `tcp SRC -> DST`, so that `tcp form any` stumbles over the third word
        return _as_keyword(
            seen[-1], ("from", "to", "except", *OPTIONS, "by", "or", "unless"), exact=exact or token.type == "$END"
        ) or _as_keyword(seen[-2], ("not",), exact=True)
    if seen and seen[-1].type == "WORD" and token.type in _OPERANDS:
        return _as_keyword(seen[-1], ("not",), exact=True)
    return None


def _as_keyword(token: Seen, keywords: Iterable[str], *, exact: bool = False) -> SyntaxMistake | None:
    if token.type != "WORD" and token.text not in KEYWORDS:
        return None
    meant = _meant(token.text, keywords, exact=exact)
    if not meant:
        return None
    label = "a keyword, but not in this place" if token.text in KEYWORDS else "not a keyword"
    help = f"did you mean {_or([f'`{w}`' for w in meant])}?"
    return SyntaxMistake("FW013", token.at, f"unexpected `{_short(token.text)}`", label, help, meant)


def _meant(word: str, keywords: Iterable[str], *, exact: bool = False) -> list[str]:
    """The keywords that a word may be a slip for: a letter dropped, doubled or swapped, or, unless `exact`, anything near."""
    if len(word) > 20 or not word.isascii():
        return []
    word, keywords = word.lower(), sorted(set(keywords))
    if word in keywords:
        return [word]
    found = [k for k in _slips().get(word, ()) if k in keywords]
    if found or exact:
        return found
    other = _OTHER_WORDS.get(word)
    if other is not None:  # known, so not a slip for anything near
        return [other] if other in keywords else []
    return near(word, keywords)


@cache
def _slips() -> dict[str, list[str]]:
    """The keywords by their commonest misspellings. Two-letter words are too short to be near to anything."""
    out: dict[str, list[str]] = {}
    for keyword in KEYWORDS:
        for wrong in sorted(slips_of(keyword)):
            out.setdefault(wrong, []).append(keyword)
    return out


def slips_of(word: str) -> set[str]:
    """A word with one letter dropped, doubled, or swapped with the next.

    >>> sorted(slips_of("to"))
    ['o', 'ot', 't', 'too', 'tto']
    """
    at = range(len(word))
    out = {word[:i] + word[i + 1 :] for i in at} | {word[: i + 1] + word[i:] for i in at}
    out |= {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in at[:-1]}
    return out - {word, ""}


def _open_braces(seen: Sequence[Seen]) -> list[Seen]:
    stack: list[Seen] = []
    for token in seen:
        if token.type == "LBRACE":
            stack.append(token)
        elif token.type == "RBRACE" and stack:
            stack.pop()
    return stack


def _missing(seen: Sequence[Seen]) -> str:
    last, first = seen[-1].text, seen[0].text
    if last in ("allow", "deny") and first == last:
        return f"for example `{last} tcp from any to 192.0.2.80 port https`"
    examples = {
        "include": 'for example `include "common.fwl"`', "default": "write `default deny` or `default allow`",
        "net": "for example `net office = 10.20.0.0/16`", "ports": "for example `ports high = 1024-65535`",
        "service": "for example `service www = { tcp/http, tcp/https }`", "as": "for example `as web-in`",
        "interface": "for example `interface lan = { eth1, eth2 }`",
        "expect": "for example `expect deny tcp from any to any port telnet`", "until": "for example `until 2027-06-30`",
        "port": "for example `port https`", "flags": "for example `flags syn/syn,ack`", "by": "write the rule's name",
    }  # fmt: skip
    return examples.get(last, "")


def _hint(token: Seen, accepts: frozenset[str], seen: Sequence[Seen]) -> tuple[str | Fix, ...]:
    """What to say of a token in the wrong place, and the texts or places with texts that mend it."""
    text, last = token.text, seen[-1] if seen else Seen("", "", token.at)
    if token.type == "_PORT" and "_FROM" in accepts:
        ends = ("from any port", "to any port")
        return ("say whose port: `from any port …` is the source's, `to any port …` the destination's", *ends)
    if token.type == "_PORT" and "_TO" in accepts:
        return "the destination's port stands behind `to ADDRESSES`", "to any port"
    if token.type == "_FROM":
        if len(seen) == 1 and seen[0].type in ("ALLOW", "DENY"):
            return f"the protocol comes first: `{seen[0].text} any from …`", "any from"
        return ("`from` stands before `to` and before the options",)
    if token.type == "_TO" and any(t.type.lower() in OPTIONS for t in seen):
        return ("`to` stands before the options",)
    if token.type in ("COMPARE", "_EQUAL") and text in ("=", "=="):
        if last.type == "_PORT":
            return "leave it out: `port 80` is equality", (cover(last.at, token.at), "port")
        return ("a definition is `net NAME = …`" if len(seen) == 1 else "",)
    if token.type == "COMPARE" and "_ARROW" in accepts:
        return "write the arrow of a packet as `->`", *(["->"] if text == ">" else [])
    if token.type == "_ARROW":
        return ("`->` is for a single packet; a region is written `PROTOCOL from ADDRESSES to ADDRESSES`",)
    if text in STATEMENTS and "$END" in accepts:
        return ("each statement stands on a line of its own",)
    if token.type == "WORD" and accepts == {"STRING"}:
        return f'write it in quotes: `include "{_short(text)}"`', *([] if "\\" in text else [f'"{text}"'])
    if token.type in ("WORD", "STRING") and "_EQUAL" in accepts:
        return f"write `= {_short(text)}`", f"= {text}"
    if token.type in _OPERANDS and "_EXCEPT" in accepts:
        return _hint_value(token, accepts, last)
    if text in KEYWORDS and accepts & {"WORD", "STRING"}:
        if "STRING" in accepts and last.type in _INTERFACES:
            return f'`{text}` is a keyword: write `"{text}"` for an interface of that name', f'"{text}"'
        return (f"`{text}` is a keyword and cannot be a name",)
    return ("",)


def _hint_value(token: Seen, accepts: frozenset[str], last: Seen) -> tuple[str | Fix, ...]:
    """A value behind a value: a keyword was left out, or the braces of a set."""
    text = _short(token.text)
    if "_FROM" in accepts:
        if token.type != "WORD":
            return ("",)
        return f"addresses stand behind `from` and `to`: `from {text}`", *_address_ways(token.text)
    if "_PORT" in accepts and text[:1].isdigit() and "." not in text and ":" not in text:
        return f"did you mean `port {text}`?", f"port {token.text}"
    if last.type == "WORD" and token.type == "WORD" and _alike(last.text, token.text):
        whole = f"{{ {last.text}, {token.text} }}"
        return f"several values stand in braces: `{_short(whole)}`", (cover(last.at, token.at), whole)
    return ("several values are a set, and stand in braces",)


_NUMBERS = re.compile(r"[0-9]+(?:-[0-9]+)?")


def _alike(one: str, other: str) -> bool:
    """Are two words values of one kind, numbers or addresses?"""
    both = (one, other)
    return all(map(_NUMBERS.fullmatch, both)) or all("." in word or ":" in word for word in both)


def _address_ways(text: str) -> list[str]:
    return [f"from {text}"] if "." in text or ":" in text else []


def written(terminal: str) -> str:
    """How a terminal is written, for keywords and punctuation."""
    return _WRITTEN.get(terminal, terminal.lower())


_ONE_WORD = {
    "NET": "a name", "PORTS": "a name", "SERVICE": "a name", "AS": "a name for the rule", "UNTIL": "a date",
    "COMPARE": "a number", **dict.fromkeys(_INTERFACES, "an interface"),
    "FLAGS": "flags such as `syn/syn,ack`", "_ARROW": "an address", "_BY": "the name of a rule",
}  # fmt: skip


def _expected(accepts: frozenset[str], seen: Sequence[Seen]) -> str:
    """What could stand here, in a user's words."""
    out = []
    left = set(accepts)
    last = seen[-1].type if seen else ""
    if "WORD" in left and last in _ONE_WORD:
        out.append(_ONE_WORD[last])
        left -= {"WORD", "LBRACE", "NOT", "DEFAULT"}
    elif "WORD" in left and "LBRACE" in left:
        what = "a protocol, a service" if last in ("", "ALLOW", "DENY") else "a value, a name"
        out.append(f"{what} or a set in braces")
        left -= {"WORD", "LBRACE", "STRING", "NOT", "COMPARE"}
    elif "WORD" in left:
        out.append("an address" if "_FROM" in left or last == "WORD" else "a word")
        left -= {"WORD"}
    if "STRING" in left:
        out.append("a text in quotes")
    out += [f"`{w}`" for w in ("allow", "deny") if w.upper() in left]
    out += [
        f"`{w}`"
        for w in ("from", "to", "port", "except", "->", "=", ",", "}", "by", "or", "unless")
        if w in map(written, left)
    ]
    if "ESTABLISHED" in left:
        out.append("an option such as `established` or `in`")
    if "$END" in left:
        out.append("the end of the line")
    return _or(out) if out else "something else"


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
