"""What people get wrong in the rule language, and what to tell them: no parsing, only the words.

Each function turns what a reader stumbled over into the parts of a diagnostic. The style is Cedar's: lower case, no
final period, the user's words in backticks, and always what to write instead where that is clear.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from ..errors import Diagnostic, PolicyError, Span
from .ast import Place
from .names import near

Parts = tuple[str, Place, str, str, str]  # code, place, message, label, help

STATEMENTS = ("allow", "deny", "net", "ports", "service", "include", "default", "expect")
_OPTIONS = ("established", "flags", "type", "code", "fragment", "in", "out", "state", "log", "until", "as")
_OTHER_WORDS = {  # what other firewalls call it
    "permit": "allow", "accept": "allow", "pass": "allow", "drop": "deny", "reject": "deny", "block": "deny",
    "import": "include", "network": "net", "object": "net", "port": "ports", "assert": "expect", "test": "expect",
    "policy": "default", "src": "from", "source": "from", "dst": "to", "dest": "to", "destination": "to",
    "dport": "port", "sport": "port", "iif": "in", "oif": "out", "iifname": "in", "oifname": "out",
}  # fmt: skip

_WRITTEN = {
    "_ARROW": "->", "_EQUAL": "=", "_COMMA": ",", "LBRACE": "{", "RBRACE": "}", "_FROM": "from", "_TO": "to",
    "_PORT": "port", "_EXCEPT": "except", "_BY": "by",
}  # fmt: skip

# NUL and other controls; marks that change the order or presence of what is seen (CVE-2021-42574)
_CONTROL = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]|\r(?!\n)")
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_SUSPECT = re.compile("|".join(p.pattern for p in (_CONTROL, _INVISIBLE, _SPACES)))
MAX_CHARACTERS = 20  # errors about characters; a file with more is not text


class Seen(NamedTuple):
    """A token and its place."""

    type: str
    text: str
    at: Place


def decode(data: bytes, file: str) -> str:
    """The text of a policy file.

    Raises:
        PolicyError: FW002, at the first byte that is no UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8")
        line = good.count("\n") + 1
        column = len(good) - (good.rfind("\n") + 1) + 1
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            label, help = "begins like UTF-16", "save the file as UTF-8"
        else:
            label, help = f"byte 0x{data[error.start]:02x} is no UTF-8 here", "save the file as UTF-8, or write ASCII"
        shown = data.decode("utf-8", "replace")
        at = Span(file, line, column, line, column + 1)
        raise PolicyError([Diagnostic("FW002", "the file is not UTF-8 text", at, label, help)], {file: shown}) from None


def characters(text: str, file: str) -> Iterator[Diagnostic]:
    """Errors for characters that cannot be seen or that deceive."""
    if not _SUSPECT.search(text):  # far the most common case, in one pass
        return
    found = 0
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if line.endswith("\r"):
            line = line[:-1]
        comment = line.find("#")
        for match in _SUSPECT.finditer(line):
            if _SPACES.match(match.group()) and 0 <= comment < match.start():
                continue
            found += 1
            at = Span(file, number, match.start() + 1, number, match.end() + 1)
            yield _character(match.group(), at)
            if found == MAX_CHARACTERS:
                yield Diagnostic("FW003", "too many such characters: this is hardly a text file", at, "stopped reading here")
                return


def _character(c: str, at: Span) -> Diagnostic:
    name = f"U+{ord(c):04X}"
    if _SPACES.match(c):
        return Diagnostic("FW003", f"{name} looks like a space but is none", at, "write a plain space")
    if _INVISIBLE.match(c):
        return Diagnostic("FW003", f"{name} is invisible or reorders what is read", at, "remove this character")
    if c == "\r":
        return Diagnostic("FW003", "carriage return without a line feed", at, "end lines with LF or CRLF")
    what = "NUL byte" if c == "\0" else f"control character {name}"
    return Diagnostic("FW003", f"{what} in the text", at, "remove this character")


def too_many(file: str, line: int) -> Diagnostic:
    at = Span(file, line, 1, line, 2)
    return Diagnostic("FW005", "too many errors: the rest of the file was not read", at, "stopped here")


def without_doubles(errors: Sequence[Diagnostic]) -> list[Diagnostic]:
    """In the order of the text, with nothing more said about a line whose characters are wrong."""
    spoilt = {e.span.line for e in errors if e.code == "FW003"}
    kept = [e for e in errors if e.code == "FW003" or e.span.line not in spoilt]
    return sorted(kept, key=lambda e: (e.span.file, e.span.line, e.span.column))


def unexpected_character(text: str, at: Place) -> Parts:
    """A character that begins no token: a lone quote, `!`, or a comma out of place."""
    c = text.split("\n")[at[0] - 1][at[1] - 1]
    if c == '"':
        return "FW016", at, "the text in quotes is not closed on its line", "opened here", 'write a `"` behind it'
    help = "write `not` for a negation" if c == "!" else ""
    return "FW010", at, f"`{c}` is not part of the language", "unexpected here", help


def unexpected_token(token: Seen, accepts: frozenset[str], seen: Sequence[Seen]) -> Parts:
    """A token that cannot stand where it does; `seen` are those before it in the statement."""
    braces = _open_braces(seen)
    expected = _expected(accepts)
    if not seen and "NET" in accepts:
        return _no_statement(token)
    if token.type == "$END":
        if braces:
            return "FW014", braces[-1].at, "`{` is never closed", "opened here", "write `}` behind the last element"
        return "FW011", token.at, "the statement ends too early", f"expected {expected}", _missing(accepts, seen)
    if token.type == "RBRACE" and not braces:
        return "FW015", token.at, "`}` without a `{`", "nothing is open here", "remove it, or open the set with `{`"
    if token.type == "_COMMA" and not braces:
        return "FW020", token.at, "several values stand in braces", "outside a set", "write `{ a, b }`"
    if token.type == "WORD":
        misspelt = _misspelt(token, accepts, seen)
        if misspelt:
            return misspelt
    if braces and "_COMMA" in accepts and token.type in ("WORD", "STRING", "LBRACE", "NOT"):
        return "FW010", token.at, f"unexpected `{_short(token.text)}`", "expected `,` between the elements", ""
    return "FW010", token.at, f"unexpected `{_short(token.text)}`", f"expected {expected}", _hint(token, accepts, seen)


def _no_statement(token: Seen) -> Parts:
    label = "expected " + _or([f"`{word}`" for word in STATEMENTS])
    if token.type != "WORD":
        return "FW012", token.at, f"`{_short(token.text)}` begins no statement", label, ""
    word = token.text.lower()
    meant = near(word, STATEMENTS) or [_OTHER_WORDS.get(word, "")]
    help = f"did you mean `{meant[0]}`?" if meant[0] in STATEMENTS else ""
    return "FW012", token.at, f"`{_short(token.text)}` is no statement", label, help


def _misspelt(token: Seen, accepts: frozenset[str], seen: Sequence[Seen]) -> Parts | None:
    """A word that is nearly one of the keywords that could stand here; or the word before it, if that was the one."""
    words = [w for w in map(written, accepts) if w.isalpha()]
    meant = _keyword(token.text, words)
    if meant:
        return "FW013", token.at, f"unexpected `{_short(token.text)}`", "no keyword", f"did you mean `{meant}`?"
    if seen and seen[-1].type == "WORD":
        # the packet notation begins `tcp SRC -> DST`, so that `tcp form any` stumbles over the third word
        before = seen[-1]
        words = ["from", "to", "port", "not", "except", *_OPTIONS, "by"]
        meant = _keyword(before.text, words)
        if meant:
            return "FW013", before.at, f"unexpected `{_short(before.text)}`", "no keyword", f"did you mean `{meant}`?"
    return None


def _keyword(word: str, keywords: Collection[str]) -> str:
    word = word.lower()
    if word in keywords:
        return word
    for meant in near(word, sorted(keywords)):
        return meant
    meant = _OTHER_WORDS.get(word, "")
    return meant if meant in keywords else ""


def _open_braces(seen: Sequence[Seen]) -> list[Seen]:
    stack: list[Seen] = []
    for token in seen:
        if token.type == "LBRACE":
            stack.append(token)
        elif token.type == "RBRACE" and stack:
            stack.pop()
    return stack


def _missing(accepts: frozenset[str], seen: Sequence[Seen]) -> str:
    last = seen[-1].text if seen else ""
    if last in ("allow", "deny") and not any(t.text == "default" for t in seen):
        return f"for example `{last} tcp from any to 192.0.2.80 port https`"
    if last == "include":
        return 'for example `include "common.fwl"`'
    return ""


def _hint(token: Seen, accepts: frozenset[str], seen: Sequence[Seen]) -> str:
    if token.type == "_PORT" and "_FROM" in accepts:
        return "say whose port: `from any port …` is the source's, `to any port …` the destination's"
    if token.type == "_PORT" and "_TO" in accepts:
        return "the destination's port stands behind `to ADDRESSES`"
    if token.type == "_FROM" and any(t.type == "_TO" for t in seen):
        return "`from` stands before `to`"
    if token.type == "COMPARE" and token.text in ("=", "=="):
        return "leave it out: `port 80` is equality"
    if token.type == "_EQUAL":
        return "leave it out: `port 80` is equality" if any(t.type == "_PORT" for t in seen) else ""
    if token.text in STATEMENTS and "$END" in accepts:
        return "each statement stands on a line of its own"
    if token.text.isalpha() and token.type not in ("WORD", "STRING") and ("WORD" in accepts or "STRING" in accepts):
        return f'`{token.text}` is a keyword: write `"{token.text}"` for an interface of that name'
    return ""


def written(terminal: str) -> str:
    """How a terminal is written, for keywords and punctuation."""
    return _WRITTEN.get(terminal, terminal.lower())


def _expected(accepts: frozenset[str]) -> str:
    """What could stand here, in a user's words."""
    out = []
    left = set(accepts)
    if "WORD" in left and "LBRACE" in left:
        out.append("a value, a name or a set in braces")
        left -= {"WORD", "LBRACE", "STRING", "NOT", "COMPARE"}
    elif "WORD" in left:
        out.append("a word")
        left -= {"WORD"}
    if "STRING" in left:
        out.append("a text in quotes")
        left -= {"STRING"}
    keywords = [w for w in ("allow", "deny", "net", "ports", "service") if w.upper() in left]
    out += [f"`{w}`" for w in keywords]
    left -= {w.upper() for w in keywords}
    out += [f"`{w}`" for w in ("from", "to", "port", "except", "->", "=", ",", "}", "by") if w in map(written, left)]
    if "ESTABLISHED" in left:
        out.append("an option such as `established` or `in`")
    if "$END" in left:
        out.append("the end of the line")
    return _or(out) if out else "something else"


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
