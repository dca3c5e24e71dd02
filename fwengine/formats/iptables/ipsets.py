"""What `ipset save` prints -> sets by name, and the packets that `--match-set NAME src,dst` selects of each.

As the kernel tests them: each direction says which side a part of an element is compared with; a set asked with fewer directions
than it has parts, or of the other family, matches nothing; ports are those of tcp, udp, udplite and sctp, ICMP's type and code
stand for one, every other protocol has port 0; a later fragment of a protocol with ports matches nothing. Of several networks the
longest decides, and may say `nomatch`. A negated match is true whenever the test is not.

Sources: ipset(8); net/netfilter/ipset of Linux (`ip_set_getport.c`, `ip_set_hash_*.c`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...model.fields import CODE, DPORT, DST, FRAGMENT, ICMP, ICMPV6, PROTOCOL, SPORT, SRC, TYPE
from ...model.interval import IntervalSet
from ...registry import names
from ..matching import Conditions, union
from . import tables
from .values import RefusedError, network, point_of, port, short
from .words import Token

EARLY = IntervalSet(((0, 1),))  # fragments with a transport header
_PORTED = (6, 17, 132, 136)
_PARTS = {
    "hash:ip": "a", "hash:net": "a", "bitmap:ip": "a", "hash:ip,port": "ap", "hash:net,port": "ap", "hash:ip,port,ip": "apa",
    "hash:ip,port,net": "apa", "hash:net,port,net": "apa", "hash:net,net": "aa", "bitmap:port": "p", "list:set": "",
}  # fmt: skip
_DOUBTED = ("hash:mac", "hash:ip,mac", "bitmap:ip,mac", "hash:ip,mark", "hash:net,iface")
_VALUED = frozenset({
    "timeout", "comment", "packets", "bytes", "skbmark", "skbprio", "skbqueue", "hashsize", "maxelem", "netmask", "markmask", "range",
    "family", "size", "bucketsize", "initval", "bitmask",
})  # fmt: skip
_FLAGS = frozenset({"counters", "comment", "skbinfo", "forceadd", "nomatch", "-exist", "wildcard", "before", "after"})


@dataclass(frozen=True)
class Element:
    """One element: what stands for each part (addresses; a protocol and its ports), whether it is left out of a wider one."""

    parts: tuple[object, ...]
    length: int = 0  # of the prefix, which says who goes first
    nomatch: bool = False


@dataclass
class Content:
    """A set: `doubt` says why its content is not the whole truth; `members` are the sets of a list."""

    name: str
    kind: str
    v6: bool = False
    netmask: int | None = None
    doubt: str = ""
    elements: list[Element] = field(default_factory=list)
    members: list[str] = field(default_factory=list)


Ports = tuple[int, IntervalSet]  # a protocol, and its ports; of ICMP type * 256 + code


def command(words: Sequence[Token], sets: dict[str, Content]) -> None:
    """Takes in a line of `ipset save`.

    Raises:
        RefusedError: for what is not understood.
    """
    verb, *rest = words
    if len(rest) < 2 or verb.text not in ("create", "add"):
        raise RefusedError(verb, f"`{short(verb.text)}` is not a line of `ipset save`", _LINES, "FW406")
    name, what, *options = rest
    given = _options(options)
    if verb.text == "create":
        if name.text in sets:
            raise RefusedError(name, f"set `{short(name.text)}` is created twice", code="FW402")
        sets[name.text] = _created(name, what, given)
        return
    content = sets.get(name.text)
    if content is None:
        raise RefusedError(name, f"set `{short(name.text)}` is not created above", _LINES, "FW404")
    if content.kind == "list:set":
        if what.text not in sets:
            raise RefusedError(what, f"set `{short(what.text)}` is not created above", _LINES, "FW404")
        if sets[what.text].kind == "list:set":  # as the kernel does: it could lead in a circle
            raise RefusedError(
                what, f"set `{short(what.text)}` is a list of sets itself", "a list holds no lists", "FW403"
            )
        content.members.append(what.text)
    elif content.kind in _PARTS:
        content.elements.append(_element(content, what, "nomatch" in given))


def _options(words: Sequence[Token]) -> dict[str, Token | None]:
    """The options behind a name, with their values."""
    out: dict[str, Token | None] = {}
    at = 0
    while at < len(words):
        word = words[at]
        valued = word.text in _VALUED and at + 1 < len(words) and (word.text != "comment" or words[at + 1].quoted)
        if not valued and word.text not in _FLAGS:
            raise RefusedError(word, f"`{short(word.text)}` is not an option of ipset that is understood", code="FW402")
        out[word.text] = words[at + 1] if valued else None
        at += 1 + valued + (word.text in ("before", "after"))
    return out


def _created(name: Token, kind: Token, given: Mapping[str, Token | None]) -> Content:
    if kind.text not in _PARTS and kind.text not in _DOUBTED:
        raise RefusedError(kind, f"`{short(kind.text)}` is not a type of sets that is understood", code="FW402")
    family = given.get("family")
    mask = given.get("netmask")
    made = Content(name.text, kind.text, family is not None and family.text == "inet6")
    if mask is not None:
        if not re.fullmatch("[0-9]{1,3}", mask.text) or int(mask.text) > (128 if made.v6 else 32):
            raise RefusedError(mask, f"`{short(mask.text)}` is not a prefix length", code="FW403")
        made.netmask = int(mask.text)
    if kind.text in _DOUBTED:
        made.doubt = f"{kind.text} asks for more than the packet holds here"
    elif "timeout" in given:
        made.doubt = "its elements go by time"
    elif "bitmask" in given:
        made.doubt = "it compares behind a mask"
    return made


def _element(content: Content, word: Token, nomatch: bool) -> Element:
    shape = _PARTS[content.kind]
    texts = word.text.split(",")
    if len(texts) != len(shape):
        raise RefusedError(word, f"an element of {content.kind} has {len(shape)} parts", code="FW403")
    parts: list[object] = []
    length = 0
    for letter, text in zip(shape, texts, strict=True):
        if letter == "p":
            parts.append(_ports(text, word, content.kind == "bitmap:port"))
        else:
            parts.append(_addresses(text, word, content))
            found = re.search("/([0-9]{1,3})$", text)
            length = int(found[1]) if found else 128
    if "net" in content.kind and "-" in texts[0]:
        raise RefusedError(
            word, f"`{short(texts[0])}` is not a network as `ipset save` writes it", "such as `10.0.0.0/8`"
        )
    if nomatch and (shape.count("a") > 1 or any(isinstance(p, tuple) and p[1].size > 1 for p in parts)):
        content.doubt = "`nomatch` among pairs of networks, or ranges of ports"
    return Element(tuple(parts), length, nomatch)


def _addresses(text: str, word: Token, content: Content) -> IntervalSet:
    if content.netmask is not None and "-" not in text and "/" not in text:
        text = f"{text}/{content.netmask}"
    first, dash, last = text.partition("-")
    if not dash:
        return network(text, word, content.v6)
    lo, hi = point_of(first, word, content.v6), point_of(last, word, content.v6)
    if lo > hi:
        raise RefusedError(word, f"`{short(text)}` is reversed", code="FW403")
    return IntervalSet(((lo, hi),))


def _ports(text: str, word: Token, bare: bool) -> Ports:
    name, colon, value = text.rpartition(":")
    protocol = 6
    if colon:
        number = int(name) if re.fullmatch("[0-9]{1,3}", name) else tables.PROTOCOLS.get(name.lower())
        if number is None or number > 255 or bare:
            raise RefusedError(word, f"`{short(name)}` is not a protocol", code="FW403")
        protocol = number
    if protocol in (ICMP, ICMPV6):
        known = tables.ICMP_TYPES if protocol == ICMP else tables.ICMPV6_TYPES
        kind = known.get(value) or tuple(int(n) for n in value.split("/") if re.fullmatch("[0-9]{1,3}", n))
        if not kind or any(n > 255 for n in kind):
            raise RefusedError(word, f"`{short(value)}` is not a type of ICMP", code="FW403")
        number = kind[0] << 8 | (kind[1] if len(kind) > 1 else 0)
        return protocol, IntervalSet.single(number)
    first, dash, last = value.partition("-")
    lo = port(first, word, protocol)
    hi = port(last, word, protocol) if dash else lo
    if lo > hi:
        raise RefusedError(word, f"`{short(value)}` is reversed", code="FW403")
    return protocol, IntervalSet(((lo, hi),))


def asked(name: Token, directions: Token, v6: bool, sets: Mapping[str, Content]) -> list[Conditions] | str:
    """What `--match-set NAME DIRECTIONS` selects, as products that may overlap; or why that is not known for sure.

    Raises:
        RefusedError: if there are sets, and this is none of them.
    """
    sides = directions.text.split(",")
    if not set(sides) <= {"src", "dst"} or len(sides) > 6:
        raise RefusedError(directions, f"`{short(directions.text)}` are not directions", "such as `src,dst`", "FW403")
    content = sets.get(name.text)
    if content is None:
        if not sets:
            return "its content is not given"
        meant = names.near(name.text, list(sets))
        help = f"did you mean `{meant[0]}`?" if meant else ""
        raise RefusedError(name, f"there is no set `{short(name.text)}` in the file", help, "FW404")
    doubts = [f"{name}: {sets[name].doubt}" for name in content.members if sets[name].doubt]
    return content.doubt or next(iter(doubts), "") or selected(content, sides, v6, sets)


def selected(content: Content, sides: Sequence[str], v6: bool, sets: Mapping[str, Content]) -> list[Conditions]:
    """The packets of a family that a set selects, as products that may overlap."""
    if content.kind == "list:set":
        return [one for name in content.members for one in selected(sets[name], sides, v6, sets)]
    shape = _PARTS[content.kind]
    if len(sides) < len(shape) or ("a" in shape and content.v6 != v6):
        return []
    out: list[Conditions] = []
    for ports, elements in _by_ports(content).items():
        first = _addressed(elements, sides, shape)
        for conditions in _of_ports(content.kind, ports, sides, shape):
            out += [{**one, **conditions} for one in first]
    return out


def _by_ports(content: Content) -> dict[Ports | None, list[Element]]:
    at = _PARTS[content.kind].find("p")
    out: dict[Ports | None, list[Element]] = {}
    for element in content.elements:
        part = element.parts[at] if at >= 0 else None
        assert part is None or isinstance(part, tuple)
        out.setdefault(part, []).append(element)
    return out


def _addressed(elements: Sequence[Element], sides: Sequence[str], shape: str) -> list[Conditions]:
    """The addresses of elements that are alike but for these."""
    places = [at for at, letter in enumerate(shape) if letter == "a"]
    if not places:
        return [{}]
    fields = [SRC if sides[at] == "src" else DST for at in places]
    if len(places) == 1:
        (at,) = places
        chosen = IntervalSet(())
        for nomatch, sets in _runs(elements, at):
            chosen = chosen - union(sets) if nomatch else union([chosen, *sets])
        return [{fields[0]: chosen}] if chosen else []
    out: list[Conditions] = []
    for element in elements:
        one: dict[int, IntervalSet] = {}
        for at, f in zip(places, fields, strict=True):
            part = element.parts[at]
            assert isinstance(part, IntervalSet)
            one[f] = one[f] & part if f in one else part
        out.append(one)
    return out


def _runs(elements: Sequence[Element], at: int) -> Iterator[tuple[bool, list[IntervalSet]]]:
    """The networks from the widest to the longest, those of one length that say the same together."""
    grouped: dict[tuple[int, bool], list[IntervalSet]] = {}
    for element in elements:
        part = element.parts[at]
        assert isinstance(part, IntervalSet)
        grouped.setdefault((element.length, element.nomatch), []).append(part)
    for (_, nomatch), sets in sorted(grouped.items(), key=lambda item: item[0]):
        yield nomatch, sets


def _of_ports(kind: str, ports: Ports | None, sides: Sequence[str], shape: str) -> Iterator[Conditions]:
    if ports is None:
        yield {}
        return
    protocol, numbers = ports
    side = SPORT if sides[shape.index("p")] == "src" else DPORT
    for number in (6, 17) if kind == "bitmap:port" else (protocol,):
        if number in _PORTED:
            yield {PROTOCOL: IntervalSet.single(number), FRAGMENT: EARLY, side: numbers}
        elif number in (ICMP, ICMPV6):
            kinds = {TYPE: IntervalSet.single(numbers.lo >> 8), CODE: IntervalSet.single(numbers.lo & 255)}
            yield {PROTOCOL: IntervalSet.single(number), FRAGMENT: EARLY, **kinds}
        elif 0 in numbers:
            yield {PROTOCOL: IntervalSet.single(number)}


_LINES = "`{ ipset save; iptables-save; } > FILE` writes sets before the rules that ask for them"
__all__ = ["Content", "asked", "command", "selected"]
