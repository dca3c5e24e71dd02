"""The fields of a packet as a program states them -> their numbers: names of the language, addresses as text or of `ipaddress`.

Each value is read as a written packet's is, and a mistake says as much. What is a number already is passed on: `Packet`
itself knows the domains.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import PacketError
from ...model import address
from ...model.fields import KEYWORDS, TABLE, Spec
from ...registry import names
from ..syntax.ast import Word
from . import conditions, literals
from .literals import Mistake, UnknownFlag
from .scope import Scope
from .services import ICMPS

_BY_ATTRIBUTE = {spec.attribute: spec for spec in TABLE}
_OTHERWISE = {"proto": "protocol", "source": "src", "destination": "dst", "in_": "in_interface", "iif": "in_interface",
              "oif": "out_interface", "hoplimit": "ttl", "sourceport": "sport", "destport": "dport", "port": "dport",
              **{spec.word: spec.attribute for spec in TABLE}}  # fmt: skip


def unknown_field(name: str) -> PacketError:
    """What to say of a keyword that is no field."""
    known = ("family", *_BY_ATTRIBUTE)
    near = [_OTHERWISE[name]] if name in _OTHERWISE else names.near(name, known)
    help = f"did you mean `{near[0]}`?" if near else f"the fields are {', '.join(known)}"
    return PacketError(f"a packet has no field `{name}`: {help}")


def stated(family: int | None, given: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The family and the numbers of what is stated; `family` may be told by the addresses.

    Raises:
        PacketError: naming the field, what is wrong with its value, and what was meant if something is near.
    """
    found = dict(given)
    for name in ("protocol", "src", "dst"):
        if found[name] is None:
            raise PacketError(f"`{name}` is missing: a packet has a protocol and two addresses")
    told: dict[str, int] = {} if family is None else {"family": family}
    for name in ("src", "dst"):
        point = _address(name, found[name], family)
        if point is not None:
            told[name], found[name] = address.family_of(point), address.to_value(point)
    if not told:
        raise PacketError("say `family=4` or `family=6` where both addresses are numbers")
    if len(set(told.values())) > 1:
        words = " and ".join(f"`{name}` of IPv{number}" for name, number in told.items() if name != "family")
        asked = f" in a packet of family {family}" if family is not None else ""
        raise PacketError(f"{words}{asked}: no packet has both")
    protocol = found["protocol"] = _number("protocol", found["protocol"], None, None)
    for name, value in given.items():
        if name not in ("protocol", "src", "dst") and value is not None:
            found[name] = _number(name, value, protocol, found.get("icmp_type"))
    return next(iter(told.values())), found


def _address(name: str, value: Any, family: int | None) -> int | None:
    """The point of an address; None for a number, of which the family is told elsewhere."""
    if isinstance(value, str):
        try:
            return address.parse(value)
        except ValueError as error:
            raise PacketError(f"{name} `{literals.short(value)}`: {error}") from None
    version = getattr(value, "version", None)
    if version in (4, 6) and hasattr(value, "__int__") and not hasattr(value, "network"):  # ipaddress, netaddr
        return address.to_point(version, int(value))
    if not isinstance(value, int) and not hasattr(value, "__index__"):
        raise PacketError(f"{name} is an address, as text or of `ipaddress`, not {value!r}")
    return None


def _number(name: str, value: Any, protocol: Any, icmp_type: Any) -> Any:
    """A value as a number, if it is a word or some other kind of whole number; itself if not."""
    if not isinstance(value, str):
        whole = hasattr(value, "__index__") and not isinstance(value, bool)  # also numpy's, from a column
        return operator.index(value) if whole else value
    spec = _BY_ATTRIBUTE[name]
    scope = Scope()
    scope.begin("<packet>", 1)
    found = _read(scope, spec, Word(value), protocol, icmp_type)
    if scope.errors:
        first = scope.errors[0]
        raise PacketError(f"{name}: {first.message}: {first.help or first.label}")
    if found is None or len(found) != 1:
        raise PacketError(f"{name} `{literals.short(value)}`: a packet has one")
    return found[0]


def _read(scope: Scope, spec: Spec, word: Word, protocol: Any, icmp_type: Any) -> list[int] | None:
    """The values that a word stands for, two at most; mistakes are told to the scope."""
    try:
        if spec.kind == "protocol":
            return [literals.protocol(word.text)]
        if spec.kind == "flags":
            return [literals.flag_byte(word.text)]
    except Mistake as error:
        scope.mistake(error.within(word.text) if isinstance(error, UnknownFlag) else error, word.at)
        return None
    if spec.kind == "port":
        found = scope.port_word(word, protocol if isinstance(protocol, int) else None)
    elif spec.kind == "icmp":
        if protocol not in ICMPS:
            raise PacketError(f"this packet has no {spec.attribute.replace('_', ' ')}: leave {spec.attribute} out")
        found = conditions.icmp(scope, spec.field, word, protocol, icmp_type if isinstance(icmp_type, int) else None)
    else:
        found = conditions.option(scope, KEYWORDS[spec.word], word, one=True)
    if found is None:
        return None
    return [found.lo] if found.size == 1 else [found.lo, found.hi]


def near(word: object, candidates: Iterable[str]) -> str:
    """`: did you mean ...?` if one of the candidates is near; nothing if none is."""
    found = names.near(word, candidates) if isinstance(word, str) and len(word) < 40 else []
    return f": did you mean `{found[0]}`?" if found else ""
