"""Written packets -> `Packet`: `tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in wan0`.

A packet has one value where a region has a set; what is left out is open. Names of addresses are not looked up.
"""

from __future__ import annotations

from typing import cast

from ...errors import PacketError
from ...model import address
from ...model.fields import (
    KEYWORDS,
    PORT_PROTOCOLS,
    TCP,
    WHOLE,
    exists,
    interface_name,
)
from ...model.interval import IntervalSet
from ...model.packet import Packet
from ...registry import names
from ..syntax import ast
from ..syntax.ast import Expr, Option, Word, WrittenPacket
from . import addresses, conditions, literals
from .conditions import icmp
from .literals import Mistake, UnknownFlag
from .scope import Scope
from .services import ICMPS

_REGION = "for many packets write a region: `tcp from … to …`"


def packet(scope: Scope, written: WrittenPacket) -> Packet | None:
    """The packet that a written one means; None, with the mistakes reported, if it means none."""
    before = len(scope.errors)
    protocol = _protocol(scope, written.protocol)
    ends = [_endpoint(scope, word, protocol) for word in (written.source, written.target)]
    chosen: dict[str, object] = {}
    for option in sorted(written.options, key=lambda o: ast.OPTIONS.index(o.name)):  # a code's name needs the type
        if option.name in ("established", "until", "log", "as"):
            flagged = option.name == "established" and protocol == TCP
            help = "write `flags ack`" if flagged else "remove it"
            fixes = ["flags ack"] if flagged else [""] if option.name != "established" else []
            if any(other.name == "flags" for other in written.options):
                fixes = []
            scope.report(
                "FW019", option.at, f"a packet takes no `{option.name}`", "not part of a packet", help, fixes=fixes
            )
        elif protocol is not None:
            _option(scope, option, protocol, chosen)
    if len(scope.errors) > before or protocol is None or ends[0] is None or ends[1] is None:
        return None
    (src, sport), (dst, dport) = ends[0], ends[1]
    family = address.family_of(src)
    if family != address.family_of(dst):
        place = ast.cover(written.source.at, written.target.at)
        label = f"from IPv{family} to IPv{10 - family}"
        scope.report("FW117", place, "source and destination share no family", label, "no packet has both")
        return None
    optional: dict[str, object] = {"sport": sport, "dport": dport, **chosen}
    try:
        return Packet(family, protocol, address.to_value(src), address.to_value(dst), **optional)  # type: ignore[arg-type]  # Packet validates
    except PacketError as error:
        help = "later fragments have no ports, types or flags; leave them out"
        if not exists(protocol, family, WHOLE) and chosen.get("fragment") != "later":
            help = "it is stepped through: name the protocol behind it; only `fragment later` may have it"
        elif protocol in ICMPS and chosen.get("fragment") != "later":
            help = "`icmp` is IPv4's, `icmpv6` is IPv6's"
        scope.report("FW131", written.at, str(error).partition(":")[0], "no such packet", help)
        return None


def _protocol(scope: Scope, word: Word) -> int | None:
    try:
        if word.text == "any":
            help = "for many packets write a region: `any from … to …`"
            raise Mistake("FW115", "a packet has one protocol", "`any` is many", help)
        return literals.protocol(scope.no_commas(word))
    except Mistake as error:
        error.fixes = tuple(fix for fix in error.fixes if names.protocol(fix) is not None)  # a packet has no ports here
        scope.mistake(error, word.at)
        return None


def _endpoint(scope: Scope, word: Word, protocol: int | None) -> tuple[int, int | None] | None:
    """An address with or without a port: `1.2.3.4:80`, `[2001:db8::1]:53`, `2001:db8::1`."""
    line, column = word.at[:2]
    try:
        host, skip, port_text = _split(word.text, protocol in PORT_PROTOCOLS)
        place = (line, column + skip, line, column + len(word.text))
        try:
            point = _address(host)
        except Mistake as error:  # a block is no end of a packet, and the port stays
            error.fixes = tuple(word.text.replace(host, fix, 1) for fix in error.fixes if address.is_address(fix))
            raise
    except Mistake as error:
        scope.mistake(error, word.at)
        return None
    if port_text is None:
        return point, None
    if protocol is not None and protocol not in PORT_PROTOCOLS:
        label = "a port needs tcp, udp, sctp, dccp or udplite"
        scope.report("FW114", place, f"`{names.protocol_name(protocol)}` has no ports", label, f"write `{host}`")
        return None
    ports = scope.port_word(Word(port_text, place), protocol)
    if ports is None:
        return None
    if ports.size != 1:
        scope.report(
            "FW131", place, f"`{port_text}` is {ports.size} ports", "a packet has one", f"for example `{ports.lo}`"
        )
        return None
    return point, ports.lo


def _split(text: str, has_ports: bool) -> tuple[str, int, str | None]:
    """The address, where the port begins, and the port if there is one."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in host:
            raise Mistake(
                "FW131",
                f"`{_short(text)}` is not an endpoint",
                "expected `[IPV6]:PORT`",
                "write IPv6 in brackets, IPv4 without",
                *([host + rest] if bracket and address.is_address(host) and ":" not in host else []),
            )
        port, skip = (rest[1:] if rest else None), len(host) + 3
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        skip = len(host) + 1
    else:
        if has_ports:
            _one_reading(text)
        return text, 0, None
    if port == "":
        raise Mistake(
            "FW131",
            f"`{_short(text)}` ends in a colon",
            "expected a port behind it",
            f"write `{_short(text[:-1])}` to leave it open",
            text[:-1],
        )
    return host, skip, port


def _one_reading(text: str) -> None:
    """Refuses `2001:db8::1:80`, which is an address, and which some write for port 80 of another."""
    host, colon, port = text.rpartition(":")
    if (
        not colon
        or len(text) > literals.MAX_WORD
        or not (port.isascii() and port.isdigit())
        or not address.is_address(host)
    ):
        return
    ways = [f"[{host}]:{port}"]
    help = f"write `{ways[0]}`"
    if address.is_address(text):
        ways.append(f"[{text}]")
        help += f" for the port, or `{ways[1]}` for the address"
    raise Mistake("FW131", f"`{_short(text)}` can be read in two ways", "is the last part a port?", help, *ways)


def _address(host: str) -> int:
    if not host:
        raise Mistake(
            "FW131", "a packet has two addresses", "no address before the port", "for example `192.0.2.80:80`"
        )
    if literals.is_name(host):
        raise Mistake("FW131", f"`{_short(host)}` is not an address", "a packet has addresses", _REGION)
    found = addresses.literal(host)
    if "/" in host or "-" in host:
        raise Mistake("FW131", f"`{_short(host)}` is not a single address", "a packet has one", _REGION)
    return found.lo


def _option(scope: Scope, option: Option, protocol: int, chosen: dict[str, object]) -> None:
    spec = KEYWORDS[option.name]
    if spec.kind == "flags":
        _flags(scope, option, protocol, chosen)
        return
    found: IntervalSet | None
    if spec.kind == "icmp":
        if protocol not in ICMPS:
            label = "only icmp and icmpv6 have"
            message = f"`{names.protocol_name(protocol)}` has no `{spec.word}`"
            scope.report("FW118", option.at, message, label, "remove it")
            return
        known = chosen.get("icmp_type")
        found = icmp(scope, spec.field, cast("Expr", option.value), protocol, known if isinstance(known, int) else None)
    else:
        found = conditions.option(scope, spec, option.value, one=True)
    if found is None:
        return
    if found.size != 1:
        scope.report(
            "FW131",
            option.at,
            f"a packet has one `{spec.word}`",
            "several here",
            "for many packets write a region: `… from … to …`",
        )
    elif spec.kind == "word":
        chosen[spec.attribute] = spec.words[found.lo]
    elif spec.kind == "interface":
        chosen[spec.attribute] = interface_name(found.lo)
    else:
        chosen[spec.attribute] = found.lo


def _flags(scope: Scope, option: Option, protocol: int, chosen: dict[str, object]) -> None:
    if protocol != TCP:
        message = f"`{names.protocol_name(protocol)}` has no tcp flags"
        scope.report("FW120", option.at, message, "only tcp has", "remove it")
    elif not isinstance(option.value, Word) or "/" in option.value.text:
        help = "write the flags that are set, such as `flags syn,ack`"
        scope.report("FW121", option.at, "a packet has its flags, not a test", "not a list of flags", help)
    else:
        try:
            chosen["flags"] = literals.flag_byte(option.value.text)
        except Mistake as error:
            within = error.within(option.value.text) if isinstance(error, UnknownFlag) else error
            scope.mistake(within, option.value.at)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
