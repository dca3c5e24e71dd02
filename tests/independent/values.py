"""The values of fields as people write them: addresses, ports, types, flags, interfaces, numbers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from independent.conditions import V6, Between, Condition, Masked, Or, Word
from independent.facts import DSCP, FLAGS, FRAGMENTS, PORTS, PROTOCOLS, STATES, TOPS, TYPES, WITH_PORTS
from independent.scanning import NUMBER, RANGE, RefusedError, Scanner

IPV4, IPV6 = Between(0, (1 << 32) - 1), Between(V6, 2 * V6 - 1)
ANY_ADDRESS = Or((IPV4, IPV6))
ANY_FLAGS = (1 << 8) - 1
FLAG_TEST = re.compile(r"[a-z]+(?:,[a-z]+)*/[a-z]+(?:,[a-z]+)*")
FLAG_LIST = re.compile(r"[a-z]+(?:,[a-z]+)*")
TEXT = re.compile(r'"[^"\n]*"')
COMPARISON = re.compile(r"[<>]=?")
Ports = Mapping[int, Condition]  # by protocol: a name has a port for each
Names = Mapping[str, Condition]


def address(text: str) -> int:
    """One address as a number."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError as error:
        raise RefusedError("FW101", str(error)) from error
    return int(found) + (V6 if found.version == 6 else 0)


def addresses(text: str, nets: Names) -> Condition:
    """What a word stands for where addresses are asked for."""
    if text in nets:
        return nets[text]
    fixed: Names = {"any": ANY_ADDRESS, "ipv4": IPV4, "ipv6": IPV6}
    if text in fixed:
        return fixed[text]
    if "/" in text:
        value, under = text.split("/")
        base = address(value)
        width, zero = (128, V6) if base >= V6 else (32, 0)
        if NUMBER.fullmatch(under):
            size = 1 << width - int(under)
            return Between(base, base + size - 1)
        return Masked(base - zero, address(under) - zero, width, zero)
    if "-" in text:
        lo, hi = text.split("-")
        return Between(address(lo), address(hi))
    one = address(text)
    return Between(one, one)


def numbers(scanner: Scanner, field: str, names: Mapping[str, int]) -> Condition:
    """A number, a range, a comparison, or a name, of a field with a largest value."""
    scanner.skip()
    if scanner.peek()[:1] in ("<", ">"):
        sign = scanner.match(COMPARISON)
        value = int(scanner.match(NUMBER))
        return compared(sign, value, TOPS[field])
    word = scanner.word()
    found = RANGE.fullmatch(word)
    if found:
        return Between(int(found[1]), int(found[2]))
    lo, _, hi = word.partition("-")
    if hi and lo in names and hi in names:
        return Between(names[lo], names[hi])
    value = int(word) if NUMBER.fullmatch(word) else names.get(word, -1)
    if not 0 <= value <= TOPS[field]:
        raise RefusedError("FW139", word, scanner.line)
    return Between(value, value)


def compared(sign: str, value: int, top: int) -> Condition:
    if sign[0] == ">":
        return Between(value + (sign == ">"), top)
    return Between(0, value - (sign == "<"))


def ports(scanner: Scanner, defined: Names) -> Condition:
    """A port, a range, a comparison, a name of the policy's or of IANA's."""
    scanner.skip()
    if scanner.peek()[:1] in ("<", ">"):
        return numbers(scanner, "dport", {})
    return port_word(scanner.word(), defined)


def port_word(word: str, defined: Names) -> Condition:
    if word in defined:
        return defined[word]
    if word in PORTS:
        return Or(tuple(Between(lo, hi) for lo, hi in PORTS[word]))
    found = RANGE.fullmatch(word)
    if found:
        return Between(int(found[1]), int(found[2]))
    if not NUMBER.fullmatch(word) or int(word) > TOPS["dport"]:
        raise RefusedError("FW112", word)
    return Between(int(word), int(word))


def protocol_word(word: str) -> Condition:
    if word == "any":
        return Between(0, 255)
    number = int(word) if NUMBER.fullmatch(word) else PROTOCOLS.get(word)
    if number is None or number > TOPS["protocol"]:
        raise RefusedError("FW115", word)
    return Between(number, number)


def types(scanner: Scanner, protocol: int) -> Condition:
    return numbers(scanner, "type", TYPES[protocol])


def dscp(scanner: Scanner) -> Condition:
    return numbers(scanner, "dscp", DSCP)


def flags(text: str) -> int:
    """Flags by their names, as bits."""
    return (
        {"none": 0, "all": ANY_FLAGS}.get(text, -1)
        if text in ("none", "all")
        else sum(FLAGS[n] for n in text.split(","))
    )


def flag_test(scanner: Scanner) -> Condition:
    value, under = scanner.match(FLAG_TEST).split("/")
    return Masked(flags(value), flags(under), 8)


def among(words: tuple[str, ...], word: str, code: str) -> Condition:
    if word not in words:
        raise RefusedError(code, word)
    return Between(words.index(word), words.index(word))


def fragment(scanner: Scanner) -> Condition:
    return among(FRAGMENTS, scanner.word(), "FW122")


def state(scanner: Scanner) -> Condition:
    return among(STATES, scanner.word(), "FW123")


def interface(scanner: Scanner, declared: Names) -> Condition:
    scanner.skip()
    if scanner.peek() == '"':
        return Word(scanner.match(TEXT)[1:-1])
    word = scanner.word()
    if word == "none":
        return Word(None)
    return declared.get(word) or Word(word)


def has_ports(protocol: int) -> bool:
    return protocol in WITH_PORTS
