"""A rule of nft -> lines of a chain: its conditions as products of packets, exact or in doubt, and what becomes of them.

A condition on a header holds for packets that have it, negated or not: `tcp dport != 22` is about tcp alone. Without an operator
flags and states ask for any of the bits (`tcp flags syn`), everything else for equality. A verdict map is a line for each
element: their keys are disjoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...model import address
from ...model.fields import (
    DST,
    FLAGS,
    FRAGMENT,
    FULL,
    IN,
    LATER,
    OUT,
    PORT_PROTOCOLS,
    PROTOCOL,
    SRC,
    STATE,
    STATES,
    TTL,
)
from ...model.interval import IntervalSet
from ...model.scattered import masked
from ..chains import Kind, Part
from ..matching import Conditions, Match, beginning, less, union
from . import fragments, keys
from .keys import DOUBTED, FAMILIES, KEYS, Asked
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
    Set,
    Several,
    Test,
    Value,
    Verdict,
    Word,
)
from .words import RefusedError, short

MOST = 20_000  # products of one condition
_KINDS = {
    "accept": Kind.ALLOW, "drop": Kind.DENY, "reject": Kind.DENY, "return": Kind.RETURN, "jump": Kind.JUMP,
    "goto": Kind.GOTO, "continue": Kind.PASS, "queue": Kind.EITHER,
}  # fmt: skip
_INDEXED = (("meta", "iif"), ("meta", "oif"))
_STATE_BITS = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
BITS: Mapping[int, Callable[[int], int]] = {FLAGS: lambda v: v, STATE: lambda v: _STATE_BITS[STATES[v]]}


@dataclass(frozen=True)
class Made:
    """What one line comes to."""

    kind: Kind
    parts: tuple[Part, ...]
    target: str | None = None


def lines_of(rule: Rule, family: str, sets: Mapping[str, Set]) -> list[Made]:
    """The lines of a rule, in the order in which they are met.

    Raises:
        RefusedError: for what is not understood.
    """
    within: Conditions = {"ip": keys.V4, "ip6": keys.V6}.get(family, {})
    match = Match(within)
    reader = _Reader(sets)
    for at, statement in enumerate(rule.statements):
        if isinstance(statement, Refused):
            raise RefusedError(
                None, f"`{statement.what}` changes packets or their way, which no filter does", code="FW402"
            )
        if isinstance(statement, Doubt):
            match.doubt(statement.reason)
        elif isinstance(statement, Test):
            reader.test(match, statement)
        else:
            if at != len(rule.statements) - 1:
                raise RefusedError(None, "something stands behind the verdict, and is never come to", code="FW402")
            if isinstance(statement, Verdict):
                return [Made(_KINDS[statement.kind], match.parts(), statement.target or None)]
            return list(reader.choice(match, statement))
    return [Made(Kind.PASS, match.parts())]


class _Reader:
    def __init__(self, sets: Mapping[str, Set]) -> None:
        self.sets = sets

    def set_of(self, name: str) -> Set:
        found = self.sets.get(name)
        if found is None:
            raise RefusedError(None, f"there is no set or map `{short(name)}` in the table", code="FW404")
        return found

    # Tests

    def test(self, match: Match, test: Test) -> None:
        """Narrows a match by a condition."""
        if isinstance(test.value, Named) and self.set_of(test.value.name).changes:
            for key in test.keys:
                match.require(_needs(key))
            match.doubt(f"@{test.value.name}: its elements change")
            return
        if len(test.keys) > 1:
            self._concat(match, test)
            return
        (key,) = test.keys
        kind = (key.family, key.name)
        if kind in FAMILIES:
            self._family(match, test, FAMILIES[kind])
        elif key.name in ("frag-off", "more-fragments") and fragments.narrow(match, key, test):
            pass
        elif kind == ("ip6", "nexthdr"):
            self._next_header(match, test)
        elif kind in _INDEXED and any(isinstance(v, Word) and v.text.isdigit() for v in self._flat(test.value)):
            match.doubt(f"{key}: which interface has that number is not known")
        elif kind in KEYS:
            asked = KEYS[kind]
            if key.family == "th":
                self._transport(match, asked, test)
            else:
                chosen = self.chosen(asked, test)
                _narrow(match, asked.needs, [{**asked.needs, asked.field: chosen}] if chosen else [])
        elif key.family in DOUBTED:
            match.require(DOUBTED[key.family])
            match.doubt(str(key))
        else:
            raise RefusedError(None, f"`{key}` is not a condition that is understood")

    def chosen(self, asked: Asked, test: Test) -> IntervalSet:
        """The values of a field that a test selects."""
        if asked.field in BITS:
            return self._bit_test(asked, test)
        negated = test.op in ("!=", "!")
        if test.mask is not None:
            wanted = self._masked(asked, test)
        elif test.op in ("<", ">", "<=", ">="):
            return _compared(asked, test.op, self._number(asked, test.value) + asked.shift)
        else:
            wanted = self.values(asked, test.value)
        return asked.domain - wanted if negated else wanted

    def _masked(self, asked: Asked, test: Test) -> IntervalSet:
        """The values that are, behind the mask, among those that are named."""
        assert test.mask is not None
        mask = self._number(asked, test.mask)
        if test.op in ("<", ">", "<=", ">=") or asked.shift:
            raise RefusedError(None, "behind a mask values are compared by `==` and `!=`", code="FW402")
        if asked.field in (SRC, DST):
            if mask not in asked.domain:
                raise RefusedError(None, "the mask of an address is one of its family", code="FW403")
            try:
                return union(
                    [masked(self._number(asked, one), address.to_value(mask)) for one in self._flat(test.value)]
                )
            except ValueError as error:
                raise RefusedError(None, str(error), code="FW403") from None
        if asked.domain.size > 1 << 17:
            raise RefusedError(None, "a mask is understood of addresses, ports, types and flags", code="FW402")
        wanted = self.values(asked, test.value)
        return IntervalSet.union((v, v) for lo, hi in asked.domain for v in range(lo, hi + 1) if v & mask in wanted)

    def _bit_test(self, asked: Asked, test: Test) -> IntervalSet:
        """Flags and states, each value a number of bits. As nft has it: several with commas are one number; without an
        operator any of its bits does, and a set of one element is no set.
        """
        bits = BITS[asked.field]
        mask = self._bits_of(asked, test.mask) if test.mask is not None else -1
        found = [(v, bits(v) & mask) for lo, hi in asked.domain for v in range(lo, hi + 1)]
        if test.op in ("<", ">", "<=", ">=") or isinstance(test.value, Range):
            if asked.field == STATE or test.mask is not None:
                raise RefusedError(None, "bits have no order", code="FW402")
            return self.chosen(asked._replace(field=TTL), test)
        among = list(self._flat(test.value)) if _in_braces(test.value) else [test.value]
        numbers = {self._bits_of(asked, one) for one in among}
        several = len(among) > 1 or isinstance(test.value, Named)
        if test.op == "!" or (test.op == "" and not several and test.mask is None):
            if len(numbers) != 1:
                raise RefusedError(None, "`!` asks for the bits of one value", "write `!= { … }`")
            (number,) = numbers
            return IntervalSet.union((v, v) for v, held in found if bool(held & number) == (test.op == ""))
        return IntervalSet.union((v, v) for v, held in found if (held in numbers) == (test.op != "!="))

    def _bits_of(self, asked: Asked, value: Value) -> int:
        """Bits by name, joined, or as one number."""
        if isinstance(value, Several) and value.kind != "set":
            return _union(self._bits_of(asked, one) for one in value.values)
        if isinstance(value, Word):
            plain = keys.plain(value.text)
            number = asked.number(value.text)
            if plain is not None:
                return plain
            if number is not None:
                return BITS[asked.field](number)
        raise RefusedError(None, f"`{short(getattr(value, 'text', 'it'))}` is not one value", code="FW403")

    def _family(self, match: Match, test: Test, known: Mapping[str, Conditions]) -> None:
        words = [v.text.lower() for v in self._flat(test.value) if isinstance(v, Word)]
        chosen = {address.family_of(known[w][SRC].lo) for w in words if w in known}
        wanted = {4, 6} - chosen if test.op in ("!=", "!") else chosen
        match.require_any([{4: keys.V4, 6: keys.V6}[family] for family in sorted(wanted)])

    def _next_header(self, match: Match, test: Test) -> None:
        """The first header, which is the protocol unless extension headers stand before it."""
        chosen = self.values(KEYS["meta", "l4proto"], test.value)
        match.require(keys.V6)
        if test.op in ("", "==") and test.mask is None and all(keys_ not in chosen for keys_ in (0, 43, 44, 51, 60)):
            match.require({PROTOCOL: chosen})
        match.doubt("ip6 nexthdr: extension headers may stand before")

    def _transport(self, match: Match, asked: Asked, test: Test) -> None:
        """Bytes at the place of ports, whatever the protocol is."""
        ported = IntervalSet.union((p, p) for p in PORT_PROTOCOLS)
        chosen = self.chosen(asked, test)
        others = {PROTOCOL: FULL[PROTOCOL] - ported, FRAGMENT: keys.EARLY}
        _narrow(match, {FRAGMENT: keys.EARLY}, [{PROTOCOL: ported, FRAGMENT: keys.EARLY, asked.field: chosen}, others])
        match.doubt(f"{test.keys[0]}: of a protocol without ports", unless=(PROTOCOL, ported))

    def _concat(self, match: Match, test: Test) -> None:
        """Several keys at once. One that asks for more than our packets hold leaves the others certain, and itself in doubt."""
        asked = [_asked(key) for key in test.keys]
        known = [a for a in asked if a is not None]
        reasons = [str(key) for key, a in zip(test.keys, asked, strict=True) if a is None]
        bare = _met_all([_needs(key) for key in test.keys])  # without what ports at any protocol ask for
        needs = _met_all([bare, *(a.needs for a in known)])
        options: list[Conditions] = [_met(needs, self._product(asked, value)) for value in self._flat(test.value)]
        if len(options) > MOST:
            raise RefusedError(None, f"a set has more than {MOST:,} elements", code="FW402")
        if test.op in ("!=", "!"):
            inside = {**needs, **{a.field: needs.get(a.field, a.domain) & a.domain for a in known}}
            options = [needs] if reasons else self._others(inside, options)
        if any(key.family == "th" for key in test.keys):
            others = bare.get(PROTOCOL, FULL[PROTOCOL]) - keys.PORTED
            options += [{**bare, PROTOCOL: others, FRAGMENT: keys.EARLY}] if others else []
            _narrow(match, {**bare, FRAGMENT: keys.EARLY}, options)
            match.doubt("th: of a protocol without ports", unless=(PROTOCOL, keys.PORTED))
        else:
            _narrow(match, needs, options)
        for reason in reasons:
            match.doubt(reason)

    def _others(self, inside: Conditions, options: Sequence[Conditions]) -> list[Conditions]:
        """What none of the elements takes."""
        left = [inside]
        for option in options:
            left = [rest for one in left for rest in less(one, option)]
            if len(left) > MOST:
                raise RefusedError(None, "the set is too large to be negated", code="FW402")
        return left

    def _product(self, asked: Sequence[Asked | None], value: Value) -> Conditions:
        parts = value.values if isinstance(value, Concat) else (value,)
        if len(parts) != len(asked):
            raise RefusedError(
                None, f"an element has {len(parts)} parts, and {len(asked)} keys are asked", code="FW403"
            )
        out: dict[int, IntervalSet] = {}
        for a, part in zip(asked, parts, strict=True):
            if a is not None:
                chosen = self.values(a, part)
                out[a.field] = out[a.field] & chosen if a.field in out else chosen
        return out

    # Verdict maps

    def choice(self, match: Match, choice: Choice) -> Iterator[Made]:
        """A line for each element of a verdict map."""
        entries = choice.elements
        if choice.named:
            found = self.set_of(choice.named)
            entries = tuple((value, done) for value, done in found.elements if done is not None)
            if found.changes:
                match.doubt(f"@{choice.named}: its elements change")
        others = [done for value, done in entries if value is None]
        taken: list[Value] = []
        for value, done in entries:
            if value is None:
                continue
            taken.append(value)
            mine = match.copy()
            # in a map flags and states are compared, not looked for
            self.test(mine, Test(choice.keys, "==", value))
            yield Made(_KINDS[done.kind], mine.parts(), done.target or None)
        for done in others[:1]:
            self.test(match, Test(choice.keys, "!=", Several(tuple(taken))))
            yield Made(_KINDS[done.kind], match.parts(), done.target or None)

    # Values

    def _flat(self, value: Value) -> Iterator[Value]:
        if isinstance(value, Named):
            for one, _ in self.set_of(value.name).elements:
                if one is not None:
                    yield from self._flat(one)
        elif isinstance(value, Several) and value.kind == "set":
            for one in value.values:
                yield from self._flat(one)
        else:
            yield value

    def values(self, asked: Asked, value: Value) -> IntervalSet:
        """The values of a field, ours, that an expression lists."""
        if isinstance(value, Several) and value.kind == "list" and asked.field not in BITS:
            raise RefusedError(None, "several values stand in braces", "such as `{ 22, 80 }`")
        found = [self._value(asked, one) for one in self._flat(value)]
        chosen = IntervalSet.union(pair for one in found for pair in one)
        if asked.shift:
            chosen = IntervalSet.union((lo + asked.shift, hi + asked.shift) for lo, hi in chosen)
        if asked.field not in (IN, OUT) and chosen and not chosen.issubset(asked.domain):
            raise RefusedError(None, "a value is out of its range, or of another family", code="FW403")
        return chosen

    def _value(self, asked: Asked, value: Value) -> IntervalSet:
        if asked.field in BITS and not isinstance(value, Range):
            number = self._bits_of(asked, value)
            return IntervalSet.union((v, v) for lo, hi in asked.domain for v in range(lo, hi + 1)
                                     if BITS[asked.field](v) == number)  # fmt: skip
        if isinstance(value, Several) and value.kind == "bits":
            return IntervalSet.single(self._number(asked, value))
        if isinstance(value, Range):
            return _pair(self._number(asked, value.first), self._number(asked, value.last))
        if isinstance(value, Prefix):
            if asked.field not in (SRC, DST):
                raise RefusedError(None, "a prefix is of addresses", code="FW403")
            start = self._number(asked, value.address)
            if not 0 <= value.length <= address.bits_of(start):
                raise RefusedError(None, f"`/{value.length}` is not a prefix length", code="FW403")
            mask = ((1 << value.length) - 1) << (address.bits_of(start) - value.length)
            base = address.to_point(address.family_of(start), address.to_value(start) & mask)
            return IntervalSet((address.prefix(base, value.length),))
        if isinstance(value, Word):
            return self._word(asked, value.text)
        raise RefusedError(None, "the value is not one of this condition", code="FW403")

    def _word(self, asked: Asked, text: str) -> IntervalSet:
        number = asked.number(text)
        if number is not None:
            return IntervalSet.single(number)
        if asked.field in (IN, OUT) and text.endswith("*") and "*" not in text[:-1]:
            return beginning(text[:-1])
        for at, sign in enumerate(text):
            if sign == "-":
                lo, hi = asked.number(text[:at]), asked.number(text[at + 1 :])
                if lo is not None and hi is not None:
                    return _pair(lo, hi)
        raise RefusedError(None, f"`{short(text)}` is not a value that is understood here", code="FW403")

    def _number(self, asked: Asked, value: Value) -> int:
        if isinstance(value, Several):
            return _union(self._number(asked, one) for one in value.values)
        number = asked.number(value.text) if isinstance(value, Word) else None
        if number is None and isinstance(value, Word):
            number = keys.plain(value.text)
        if number is None:
            raise RefusedError(None, f"`{short(getattr(value, 'text', 'it'))}` is not one value", code="FW403")
        return number


def _pair(lo: int, hi: int) -> IntervalSet:
    if lo > hi:
        raise RefusedError(None, "a range is reversed", code="FW403")
    return IntervalSet(((lo, hi),))


def _union(numbers: Iterator[int]) -> int:
    out = 0
    for number in numbers:
        out |= number
    return out


def _in_braces(value: Value) -> bool:
    return isinstance(value, Named) or (isinstance(value, Several) and value.kind == "set")


def _compared(asked: Asked, op: str, number: int) -> IntervalSet:
    lo, hi = asked.domain.lo, asked.domain.hi
    below = {"<": number - 1, "<=": number}.get(op)
    pair = (lo, min(hi, below)) if below is not None else (max(lo, number + (op == ">")), hi)
    return asked.domain & IntervalSet((pair,)) if pair[0] <= pair[1] else IntervalSet(())


def _narrow(match: Match, needs: Conditions, options: list[Conditions]) -> None:
    """Narrows a match to one of several products. nft does not look at the offset of a fragment, and takes what a later one
    carries for ports, types and flags: of those it is in doubt whether they match.
    """
    if FRAGMENT not in needs or not options:
        match.require_any(options)
        return
    later = {**needs, FRAGMENT: IntervalSet.single(LATER)}
    match.require_any([*options, later])
    match.doubt("a later fragment: what it carries is taken for a header", unless=(FRAGMENT, keys.EARLY))


def _asked(key: Key) -> Asked | None:
    """What a key asks for among others; None if it is in doubt."""
    found = KEYS.get((key.family, key.name))
    if found is None and key.family not in DOUBTED:
        raise RefusedError(None, f"`{key}` is not a condition that is understood")
    return found


def _needs(key: Key) -> Conditions:
    """What a packet has to be for a key to be there, whatever it is compared with."""
    found = KEYS.get((key.family, key.name))
    if key.family == "th":
        return {}
    return found.needs if found is not None else DOUBTED.get(key.family, {})


def _met_all(several: Sequence[Conditions]) -> Conditions:
    out: Conditions = {}
    for one in several:
        out = _met(out, one)
    return out


def _met(one: Conditions, other: Conditions) -> dict[int, IntervalSet]:
    out = dict(one)
    for f, chosen in other.items():
        out[f] = out[f] & chosen if f in out else chosen
    return out
