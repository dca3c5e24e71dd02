"""The names that the rule language uses: of protocols, services, port classes, ICMP types and codes.

All names are looked up without regard to case, and exactly otherwise. They come from two tables that ship with the
package (`bench/names_table.py` derives them from IANA's registries) and from the tables of `icmp`; never from the
machine, whose own files differ from machine to machine. Knows nothing of rules, and decides nothing: what a word means
in its place is `lower`'s affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from ..model.fields import DCCP, SCTP, TCP, UDP
from ..model.interval import IntervalSet
from . import icmp

PORT_CLASSES: Mapping[str, IntervalSet] = {
    name: IntervalSet((pair,))
    for names, pair in (  # RFC 6335 section 6; `unprivileged` is custom
        ("well-known system privileged", (0, 1023)),
        ("registered", (1024, 49151)),
        ("dynamic private ephemeral", (49152, 65535)),
        ("unprivileged", (1024, 65535)),
    )
    for name in names.split()
}

_TRANSPORTS = (TCP, UDP, SCTP, DCCP)  # the columns of services.tsv behind the name
_PLAIN = re.compile(r"[a-z][a-z0-9-]*")  # a word that nothing in the language could take for something else
_FAMILIAR = ("tcp", "udp", "icmp", "icmpv6", "esp", "gre", "sctp")  # suggested before rarer ones

# Services that IANA lists under a name which few remember. Suggested, never understood: IANA's name is the one name.
_CALLED_OTHERWISE: Mapping[str, str] = {
    "afp": "afpovertcp", "dhcp": "bootps", "dns": "domain", "ike": "isakmp", "jetdirect": "pdl-datastream",
    "lpd": "printer", "mssql": "ms-sql-s", "portmap": "sunrpc", "portmapper": "sunrpc", "postgres": "postgresql",
    "quic": "https", "rdp": "ms-wbt-server", "rexec": "exec", "rlogin": "login", "rpcbind": "sunrpc",
    "rsh": "shell", "smb": "microsoft-ds", "smtps": "submissions", "vnc": "rfb", "whois": "nicname",
}  # fmt: skip


def _rows(table: str) -> list[str]:
    return Path(__file__).with_name(table).read_text(encoding="ascii").splitlines()[1:]


@cache
def _services() -> dict[str, str]:
    """The rest of its line by service name. Cells are read when asked for: most policies name a handful."""
    return dict([row.split("\t", 1) for row in _rows("services.tsv")])  # INVARIANT: no row lacks a port


@cache
def _protocols() -> tuple[dict[str, int], dict[int, str]]:
    """Protocols by name, and the names to show by number."""
    numbers, shown = {}, {}
    for row in _rows("protocols.tsv"):
        number, name, *other = row.split("\t")
        if name:
            numbers[name] = int(number)
            shown[int(number)] = name
        for spelling in " ".join(other).split():
            numbers[spelling] = int(number)
    return numbers, shown


def _key(name: str) -> str:
    return name.lower() if name.isascii() else ""  # the Kelvin sign lower-cases to `k`


def protocol(name: str) -> int | None:
    """The number of a protocol given by name, or by number in its one canonical spelling; None if it is neither.

    >>> protocol("TCP"), protocol("ipv6-icmp"), protocol("47"), protocol("047"), protocol("256")
    (6, 58, 47, None, None)
    """
    if name.isascii() and name.isdigit():
        return int(name) if len(name) <= 3 and int(name) <= 255 and (name == "0" or name[0] != "0") else None
    return _protocols()[0].get(_key(name))


def protocol_name(number: int) -> str:
    """The name to show for a protocol, or its number as text if it has none: `protocol` reads both back.

    Raises:
        ValueError: if the number is not within 0-255.

    >>> protocol_name(6), protocol_name(58), protocol_name(253)
    ('tcp', 'icmpv6', '253')
    """
    if not 0 <= number <= 255:
        raise ValueError(f"a protocol is between 0 and 255, not {number}")
    return _protocols()[1].get(number, str(number))


def protocols_of(name: str) -> dict[int, IntervalSet]:
    """The ports that a service name stands for, by protocol; empty if it is not a service name.

    >>> {protocol_name(number): ports.ranges for number, ports in protocols_of("imap").items()}
    {'tcp': ((143, 143),)}
    """
    cells = _services().get(_key(name), "").split("\t")
    return {number: _ports(cell) for number, cell in zip(_TRANSPORTS, cells, strict=False) if cell}


def _ports(cell: str) -> IntervalSet:
    pairs = (part.partition("-") for part in cell.split(","))
    return IntervalSet.union((int(lo), int(hi or lo)) for lo, _, hi in pairs)


def ports(name: str, protocol: int) -> IntervalSet | None:
    """The ports that IANA assigns to a service name over one protocol; None if there are none.

    >>> ports("X11", TCP).ranges, ports("imap", UDP)
    (((6000, 6063),), None)
    """
    return protocols_of(name).get(protocol)


def port_class(name: str) -> IntervalSet | None:
    """The ports of a class such as `registered`, which means the same for every protocol that has ports.

    >>> port_class("well-known").ranges
    ((0, 1023),)
    """
    return PORT_CLASSES.get(_key(name))


def _listed(protocol: int) -> Iterator[tuple[str, str]]:
    """The plain service names that IANA lists for a protocol, each with its cell, by lowest port."""
    if protocol in _TRANSPORTS:
        column = _TRANSPORTS.index(protocol)
        for name, rest in _services().items():
            cells = rest.split("\t")
            if len(cells) > column and cells[column] and _PLAIN.fullmatch(name):
                yield name, cells[column]


@cache
def _services_by_port(protocol: int) -> dict[str, str]:
    names: dict[str, str] = {}
    for name, cell in _listed(protocol):
        names.setdefault(cell, name)
    return names


def service_name(protocol: int, port: int) -> str | None:
    """The name to show for a port, or None: reading it back gives that port alone, and `http-alt` means three.

    >>> service_name(TCP, 80), service_name(TCP, 2049), service_name(TCP, 8080)
    ('http', 'nfs', None)
    """
    return _services_by_port(protocol).get(str(port))  # a cell of several ports is not a number, so never found


def _icmp_types(protocol: int) -> Mapping[int, str]:
    return icmp.TYPES.get(protocol, {})


@cache
def _icmp_type_numbers(protocol: int) -> dict[str, int]:
    return {name: number for number, names in _icmp_types(protocol).items() for name in names.split()}


@cache
def _icmp_code_numbers(protocol: int, type_: int | None) -> dict[str, int]:
    types = icmp.CODES.get(protocol, {})
    found: dict[str, set[int]] = {}
    for codes in types.values() if type_ is None else [types.get(type_, {})]:
        for number, names in codes.items():
            for name in names.split():
                found.setdefault(name, set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


def icmp_type(protocol: int, name: str) -> int | None:
    """The number of an ICMP type by name, for protocol 1 (icmp) or 58 (icmpv6); None if there is none.

    >>> icmp_type(1, "echo-request"), icmp_type(58, "echo-request"), icmp_type(1, "packet-too-big")
    (8, 128, None)
    """
    return _icmp_type_numbers(protocol).get(_key(name))


def icmp_code(protocol: int, type: int | None, name: str) -> int | None:
    """The number of a code of an ICMP type, or of any type if that is None and the name means one number everywhere.

    >>> icmp_code(1, 3, "port-unreachable"), icmp_code(58, None, "port-unreachable"), icmp_code(1, 8, "any")
    (3, 4, None)
    """
    return _icmp_code_numbers(protocol, type).get(_key(name))


def icmp_type_name(protocol: int, number: int) -> str | None:
    """The name to show for an ICMP type, or None; `icmp_type` reads it back.

    >>> icmp_type_name(1, 11), icmp_type_name(58, 135), icmp_type_name(1, 255)
    ('time-exceeded', 'neighbor-solicitation', None)
    """
    names = _icmp_types(protocol).get(number)
    return names.split()[0] if names else None


def icmp_code_name(protocol: int, type: int, code: str) -> str:
    """The name to show for a code that goes by some name of a type's.

    >>> icmp_code_name(1, 3, "needfrag")
    'fragmentation-needed'
    """
    number = icmp_code(protocol, type, code)
    return icmp.CODES[protocol][type][number].split()[0] if number is not None else code


def icmp_type_names(protocol: int) -> tuple[str, ...]:
    """Every name that `icmp_type` knows for the protocol, by number: what `near` may choose from."""
    return tuple(_icmp_type_numbers(protocol))


def icmp_code_names(protocol: int, type: int | None = None) -> tuple[str, ...]:
    """Every name that `icmp_code` knows for the type, or for any."""
    return tuple(_icmp_code_numbers(protocol, type))


def near(word: str, candidates: Iterable[str], limit: int = 1, *, digits_too: bool = False) -> list[str]:
    """The candidates that a word may be a slip for, nearest first; among equally near ones in the order given.

    Near is a Damerau-Levenshtein distance (optimal string alignment: an insertion, a deletion, a substitution or a swap
    of neighbours counts 1) of at most 2, and at most a third of the longer word; its digits are the same, unless
    `digits_too`. Case does not count, and the word itself is not a slip for itself. O(len(word)²) a candidate at worst, much less for most.

    >>> near("sxrc", ["dst", "src"]), near("offcie", ["office", "officer"], limit=2), near("x", ["y"])
    (['src'], ['office', 'officer'], [])
    """
    mine = word.lower()
    letters = set(mine)
    digits = _digits(mine)
    found: list[tuple[int, int, str]] = []
    bound = 2
    for place, candidate in enumerate(candidates):
        its = candidate.lower()
        if not digits_too and (digits or not its.isalpha()) and _digits(its) != digits:
            continue  # another number is another thing: `mld2-report` is not `mld-report`
        most = min(bound, max(len(mine), len(its)) // 3)
        # each edit changes at most two members of the set of letters
        if abs(len(mine) - len(its)) > most or len(letters.symmetric_difference(its)) > 2 * most or candidate == word:
            continue
        distance = _distance(mine, its, most)
        if distance <= most:
            found.append((distance, place, candidate))
            if limit == 1:
                bound = distance - 1  # only a nearer one can still win
                if bound < 0:
                    break
    return [candidate for _, _, candidate in sorted(found)[:limit]]


def _digits(word: str) -> str:
    return "".join(c for c in word if c.isdigit())


def _distance(a: str, b: str, most: int) -> int:
    """The distance between two words, or some number above `most` if it is above `most`."""
    older: list[int] = []
    before = list(range(len(b) + 1))
    for i, x in enumerate(a):
        row = [i + 1]
        for j, y in enumerate(b):
            cost = min(before[j + 1] + 1, row[j] + 1, before[j] + (x != y))
            if i and j and x == b[j - 1] and a[i - 1] == y:
                cost = min(cost, older[j - 1] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        older, before = before, row
    return before[-1]


@cache
def _suggestible(protocol: int | None) -> tuple[str, ...]:
    # a class comes first, then the lower ports, which are the better known
    if protocol is None:
        return (*PORT_CLASSES, *filter(_PLAIN.fullmatch, _services()))
    return (*PORT_CLASSES, *(name for name, _ in _listed(protocol)))


def near_service(word: str, protocol: int | None = None) -> list[str]:
    """What may have been meant by a word in the place of a port: a service or a port class, at most one.

    With a protocol only services that IANA lists for it.

    >>> near_service("htpt"), near_service("ephemral"), near_service("whois"), near_service("slip-of-the-pen")
    (['http'], ['ephemeral'], ['nicname'], [])
    """
    otherwise = _CALLED_OTHERWISE.get(_key(word))
    if otherwise and (protocol is None or protocol in protocols_of(otherwise)):
        return [otherwise]
    return near(word, _suggestible(protocol))


def near_protocol(word: str) -> list[str]:
    """What may have been meant by a word in the place of a protocol, at most one.

    >>> near_protocol("upd"), near_protocol("imcpv6")
    (['udp'], ['icmpv6'])
    """
    return near(word, [*_FAMILIAR, *filter(_PLAIN.fullmatch, _protocols()[0])])
