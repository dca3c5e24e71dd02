"""Words -> sets: what a number, a port, a protocol, a flag test or a date stands for, strictly read.

Pure functions of a word. A word that is wrong raises `Mistake`, which says what to write instead; where the word stands
is the caller's affair.
"""

from __future__ import annotations

import datetime
import re

from ...model.fields import FLAG_NAMES, TCP, UDP
from ...model.interval import IntervalSet
from ...registry import names

MAX_WORD = 200  # characters of an address; the longest, two full IPv6 addresses, has 91

_NUMBER = re.compile(r"[0-9]+")
_RANGE = re.compile(r"([0-9]+)-([0-9]+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_LOOSE_DATE = re.compile(r"([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})")
_DIGITS_LIKE = re.compile(r"[+-]?(?:[\d_]+|0[xob][0-9a-f_]+)", re.IGNORECASE)  # with digits of all scripts, on purpose


class Mistake(Exception):  # noqa: N818  # becomes a diagnostic, never leaves the package
    """A word with a wrong value: the parts of a diagnostic but its place.

    Each of the `fixes` may stand in the word's place; if `alone`, only of a word that is a whole value of a statement.
    """

    def __init__(
        self, code: str, message: str, label: str = "", help: str = "", *fixes: str, alone: bool = False
    ) -> None:
        super().__init__(code, message, label, help)
        self.code, self.message, self.label, self.help = code, message, label, help
        self.fixes, self.alone = fixes, alone


def written(code: str, message: str, label: str, *texts: str, alone: bool = False) -> Mistake:
    """A mistake in a word, with what to write instead of it."""
    help = f"write {' or '.join(f'`{short(text)}`' for text in texts)}" if texts else ""
    return Mistake(code, message, label, help, *texts, alone=alone)


def meant(code: str, message: str, label: str, near: list[str], otherwise: str) -> Mistake:
    """A word that is not known, with what it may be a slip for, or what to do if it is near to nothing."""
    if not near:
        return Mistake(code, message, label, otherwise)
    return Mistake(code, message, label, f"did you mean {' or '.join(f'`{word}`' for word in near)}?", *near)


def is_name(text: str) -> bool:
    """Could the word be a defined name?"""
    return _NAME.fullmatch(text) is not None


def number(text: str, top: int, what: str, code: str) -> int:
    """A plain decimal number up to `top`.

    >>> number("80", 65535, "port", "FW111")
    80
    """
    if not _NUMBER.fullmatch(text):
        raise _not_plain(text, what)
    if len(text) > 1 and text[0] == "0":
        plain = text.lstrip("0") or "0"
        raise written("FW116", f"`{short(text)}` has leading zeros", "some programs read it as octal", plain)
    if len(text) > 9 or int(text) > top:
        raise Mistake(
            code, f"{what} `{short(text)}` does not exist", f"the largest is {top}", f"write a number from 0 to {top}"
        )
    return int(text)


def _not_plain(text: str, what: str) -> Mistake:
    plain = re.sub(r"[_+]", "", text)
    if _NUMBER.fullmatch(plain):
        return written("FW116", f"`{short(text)}` is not a plain number", "only the digits 0-9", plain)
    if re.fullmatch(r"-[0-9]+", text):
        code = "FW111" if what == "port" else "FW116"
        help = f"for a range write `0-{short(text[1:])}`" if what == "port" else "write a number from 0"
        return Mistake(code, f"{what} `{short(text)}` does not exist", "the smallest is 0", help)
    if any(c.isdigit() and not c.isascii() for c in text):
        digits = "".join(str(int(c)) if c.isdecimal() else c for c in text)
        right = [digits] if _NUMBER.fullmatch(digits) else []
        return written("FW116", f"`{short(text)}` has digits of another script", "only the digits 0-9", *right)
    message, label = f"`{short(text)}` is not a plain number", "only the digits 0-9, in decimal"
    try:
        return written("FW116", message, label, *([str(int(text, 0))] if len(text) < 20 else []))
    except ValueError:
        return Mistake("FW116", message, label, f"a {what} is written as a decimal number")


def looks_numeric(text: str) -> bool:
    """Is the word meant as a number, though perhaps a wrong one?"""
    return _DIGITS_LIKE.fullmatch(text) is not None


def port_literal(text: str) -> IntervalSet | None:
    """A port number or a range of numbers; None if the word is neither, nor an attempt at one."""
    if _NUMBER.fullmatch(text):
        return IntervalSet.single(number(text, 65535, "port", "FW111"))
    match = _RANGE.fullmatch(text)
    if match:
        lo, hi = (number(part, 65535, "port", "FW111") for part in match.groups())
        if lo > hi:
            raise written("FW107", f"`{short(text)}` is reversed", "the first end is larger", f"{hi}-{lo}")
        return IntervalSet(((lo, hi),))
    if looks_numeric(text):
        raise _not_plain(text, "port")
    match = re.fullmatch(r"([0-9]+)[:.]+([0-9]+)", text)
    if match:
        raise written("FW111", f"`{short(text)}` is not a port", "a range has a hyphen", f"{match[1]}-{match[2]}")
    match = re.fullmatch(r"([0-9]+)-|-([0-9]+)", text)
    if match:
        full = f"{match[1]}-65535" if match[1] else f"0-{match[2]}"
        raise written("FW111", f"`{short(text)}` is not a port", "a range has two ends", full)
    if any(c.isdigit() and not c.isascii() for c in text):
        raise _not_plain(text, "port")
    return None


def named_ports(text: str, protocol: int | None) -> IntervalSet:
    """A port class, a service name of IANA, or a range between two names.

    With a protocol the name must be that protocol's; without one (in a definition not yet used) any protocol's will do.
    """
    word = text.lower() if text.isascii() and len(text) <= MAX_WORD else ""
    found = names.port_class(word) or _service(word, protocol)
    if found is not None:
        return found
    readings = []
    for i, c in enumerate(word):
        if c == "-":
            lo, hi = (_one_end(part, protocol) for part in (word[:i], word[i + 1 :]))
            if lo is not None and hi is not None:
                readings.append((lo, hi))
    if len(readings) > 1:
        both = [f"{lo}-{hi}" for lo, hi in readings]
        raise written("FW024", f"`{short(text)}` can be read in two ways", "which hyphen?", *both)
    if not readings:
        raise _unknown_port(text, protocol)
    return between(text, *readings[0])


def _service(word: str, protocol: int | None) -> IntervalSet | None:
    if protocol is not None:
        return names.ports(word, protocol)
    every = names.protocols_of(word)
    return IntervalSet.union(pair for ports in every.values() for pair in ports) if every else None


def _one_end(word: str, protocol: int | None) -> int | None:
    if _NUMBER.fullmatch(word):
        return number(word, 65535, "port", "FW111")
    found = _service(word, protocol)
    return found.lo if found is not None and found.size == 1 else None


def between(text: str, lo: int, hi: int) -> IntervalSet:
    if lo > hi:
        raise written("FW107", f"`{short(text)}` is reversed", f"{lo} is larger than {hi}", f"{hi}-{lo}")
    return IntervalSet(((lo, hi),))


def _unknown_port(text: str, protocol: int | None) -> Mistake:
    others = names.protocols_of(text)
    if others and protocol is not None:
        having = " and ".join(names.protocol_name(p) for p in sorted(others))
        return Mistake(
            "FW113",
            f"`{text}` is {having} only",
            f"has no {names.protocol_name(protocol)} port",
            f"write a number, or a rule of its own for {having}",
        )
    if "/" in text and names.protocol(text.partition("/")[0]) is not None:
        port = text.partition("/")[2]
        return Mistake(
            "FW112",
            f"`{short(text)}` is not a port",
            "the protocol stands in front",
            f"write `{short(port)}`, with the protocol behind the action",
            *([port] if protocol == names.protocol(text.partition("/")[0]) else []),
        )
    near = names.near_service(text, protocol) if len(text) < 40 else []
    otherwise = "write a number, a range, or a name of IANA's registry"
    return meant("FW112", f"no port is called `{short(text)}`", "unknown port name", near, otherwise)


def protocol(text: str) -> int:
    """A protocol by name or number.

    >>> protocol("tcp"), protocol("47")
    (6, 47)
    """
    if looks_numeric(text):
        return number(text, 255, "protocol", "FW115")
    found = names.protocol(text)
    if found is None:
        raise _unknown_protocol(text)
    if found in _AMBIGUOUS and text.lower() in _AMBIGUOUS[found]:
        label, help, fixes = _AMBIGUOUS[found][text.lower()]
        raise Mistake("FW115", f"`{text}` can be read in two ways", label, help, *fixes)
    return found


_TUNNEL = "the version of every packet, or a tunnel?"
_AMBIGUOUS: dict[
    int, dict[str, tuple[str, str, tuple[str, ...]]]
] = {  # names that IANA gives to something nobody means by them
    4: {"ipv4": (_TUNNEL, "write `any` with IPv4 addresses such as `from ipv4`, or `4` for IPv4 in IP", ())},
    27: {
        "rdp": ("Reliable Data, or Remote Desktop?", "write `27`, or `tcp/ms-wbt-server`", ("27", "tcp/ms-wbt-server"))
    },
    41: {"ipv6": (_TUNNEL, "write `any` with IPv6 addresses such as `from ipv6`, or `41` for IPv6 in IP", ())},
}


def protocol_text(number: int) -> str:
    """A protocol as `protocol` reads it back.

    >>> protocol_text(6), protocol_text(41), protocol_text(253)
    ('tcp', '41', '253')
    """
    name = names.protocol_name(number)
    return str(number) if name in _AMBIGUOUS.get(number, ()) else name


_BOTH = re.compile(r"(?:tcp[-_/+|&]?udp|udp[-_/+|&]?tcp|tcpudp)", re.IGNORECASE)


def _unknown_protocol(text: str) -> Mistake:
    word = text.lower()
    message, label = f"no protocol is called `{short(text)}`", "unknown protocol or service"
    if word in ("ip", "ip4", "ip6", "inet", "inet6", "all", "*"):
        fix = ["any"] if word in ("all", "*") else []
        return Mistake("FW115", message, label, "write `any`; the addresses say which family", *fix)
    if _BOTH.fullmatch(text):
        return written("FW115", message, "two protocols are a set", "{ tcp, udp }", alone=True)
    having = names.protocols_of(text)
    if having:
        known = [names.protocol_name(p) for p in sorted(having) if p in (TCP, UDP)] or [
            names.protocol_name(p) for p in sorted(having)
        ]
        ways = [f"{p}/{text}" for p in known]
        said = ", ".join(f"`{way}`" for way in ways)
        if len(ways) == 2:
            ways.append(f"{{ {', '.join(ways)} }}")
            said += f" or `{ways[2]}` for both"
        help = f"`{text}` is a port: write {said}, or `{known[0]} … port {text}`"
        return Mistake("FW115", message, label, help, *ways)
    near = (names.near(word, ["any"]) or names.near_protocol(word)) if len(text) < 40 else []
    return meant("FW115", message, label, near, "write a name such as `tcp`, or a number from 0 to 255")


_PF_LETTERS = {"F": "fin", "S": "syn", "R": "rst", "P": "psh", "A": "ack", "U": "urg", "E": "ece", "W": "cwr"}
_PF_FLAGS = re.compile(r"[FSRPAUEW]*/[FSRPAUEW]+")


def flag_test(text: str) -> IntervalSet:
    """The flag bytes that pass a test such as `syn/syn,ack`.

    >>> 0b00010 in flag_test("syn/syn,ack"), 0b10010 in flag_test("syn/syn,ack")
    (True, False)
    """
    value_text, slash, mask_text = text.partition("/")
    if not slash:
        byte = flag_byte(value_text)
        tests = [f"{text}/{text}"] if byte else ["none/all"]
        help = f"write `{tests[0]}` " + ("to ask that they are set" if byte else "for no flag at all")
        if byte == 2:
            tests = [f"{text}/{text},ack", f"{text}/{text}"]
            help = (
                f"write `{tests[0]}` for the first packet of a connection, or `{tests[1]}` to ask only that it is set"
            )
        raise Mistake("FW121", f"`{short(text)}` has no mask", "which flags must be clear?", help, *tests)
    if "/" in mask_text:
        raise Mistake(
            "FW121",
            f"`{short(text)}` has two masks",
            "several tests?",
            "write `{ a/b, c/d }`, with spaces behind the commas",
        )
    if _PF_FLAGS.fullmatch(text):  # pf's letters
        value_text, mask_text = (",".join(_PF_LETTERS[c] for c in part) or "none" for part in (value_text, mask_text))
        raise written("FW121", f"`{text}` is not a test of flags", "pf's letters", f"{value_text}/{mask_text}")
    value, mask = flag_byte(value_text), flag_byte(mask_text)
    if value & ~mask:
        raise Mistake(
            "FW121",
            f"`{short(text)}` can never hold",
            "set, but not compared",
            f"write `{value_text}/{_flags(value | mask)}`",
            f"{value_text}/{_flags(value | mask)}",
        )
    return IntervalSet.union((v, v) for v in range(256) if v & mask == value)


def flag_byte(text: str) -> int:
    """The flags named, as the byte of the header."""
    word = text.lower() if text.isascii() else text
    if word == "none":
        return 0
    if word == "all":
        return 255
    byte = 0
    for name in word.split(","):
        if name not in FLAG_NAMES:
            near = names.near(name, FLAG_NAMES) if len(name) < 20 else []
            help = f"did you mean `{near[0]}`?" if near else "the flags are " + ", ".join(FLAG_NAMES)
            raise UnknownFlag(name, near, help)
        byte |= 1 << FLAG_NAMES.index(name)
    return byte


class UnknownFlag(Mistake):
    """A word among flags that is not one; `near` may have been meant."""

    def __init__(self, name: str, near: list[str], help: str) -> None:
        super().__init__("FW121", f"`{short(name)}` is not a tcp flag", "unknown flag", help)
        self.name, self.near = name, near

    def within(self, text: str) -> UnknownFlag:
        """The same, with the whole text set right as its suggestion, if each word in it is near to a flag."""
        known = (*FLAG_NAMES, "none", "all")
        mended = []
        for word in re.split(r"([,/])", text):
            near = [word] if word in ",/" or word.lower() in known else names.near(word, FLAG_NAMES)
            if not near or len(text) > MAX_WORD:
                return self
            mended.append(near[0])
        self.fixes = ("".join(mended),)
        return self


def _flags(byte: int) -> str:
    return ",".join(name for bit, name in enumerate(FLAG_NAMES) if byte >> bit & 1)


ESTABLISHED = IntervalSet.union((v, v) for v in range(256) if v & 0b10100)  # ACK or RST set


def date(text: str) -> datetime.date:
    """A day, written YYYY-MM-DD.

    >>> date("2027-06-30")
    datetime.date(2027, 6, 30)
    """
    match = _DATE.fullmatch(text)
    if not match:
        loose = _LOOSE_DATE.fullmatch(text)
        plain = f"{loose[1]}-{int(loose[2]):02}-{int(loose[3]):02}" if loose else ""
        help = f"write it as `{plain or '2027-06-30'}`"
        fix = [plain] if plain and plain != text and _is_day(plain) else []
        raise Mistake("FW124", f"`{short(text)}` is not a date", "expected YYYY-MM-DD", help, *fix)
    try:
        return datetime.date(*map(int, match.groups()))
    except ValueError:
        raise Mistake(
            "FW124", f"there is no day `{text}`", "no such day in the calendar", "write a day as YYYY-MM-DD"
        ) from None


def _is_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def compared(operator: str, text: str, value: int, top: int) -> IntervalSet:
    """The numbers up to `top` that are `>=`, `<=`, `>` or `<` a value."""
    if operator not in (">=", "<=", ">", "<"):
        raise unknown_comparison(operator, text)
    lo, hi = {">=": (value, top), ">": (value + 1, top), "<=": (0, value), "<": (0, value - 1)}[operator]
    if lo > hi:
        raise Mistake("FW128", f"no number is {operator} {text}", "selects nothing", f"numbers here go from 0 to {top}")
    return IntervalSet(((lo, hi),))


def unknown_comparison(operator: str, text: str) -> Mistake:
    """What to say of `=`, `==` and `!=`, which the language does without, or of an order among what has none."""
    if operator in (">=", "<=", ">", "<"):
        return Mistake("FW132", f"`{operator}` compares numbers only", "no numbers here", "list the values")
    wanted = f"not {text}" if operator == "!=" else text
    return written("FW132", f"`{operator}` is not a comparison here", "unknown comparison", wanted)


def short(text: str, most: int = 60) -> str:
    """A user's words, in a message."""
    return text if len(text) <= most else text[: most - 3] + "…"
