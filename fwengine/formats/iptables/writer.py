"""Rules -> the filter table of iptables-restore or ip6tables-restore: one chain that packets enter, and small ones where needed.

iptables looks at no later fragment for ports, types and flags, and `-p tcp -m tcp` matches all of tcp but later fragments. So a
rule that is about later fragments alone says `-f` in IPv4; ip6tables has no such word, and a chain lets go of the others first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from ...model.box import HEADERS, Box
from ...model.fields import BYTE, DPORT, FIRST, FLAGS, ICMPV6, LATER, PROTOCOL, SPORT, WHOLE
from ...model.interval import IntervalSet
from ...model.rules import ALLOW, Action, Rule
from ..terms import Term, terms
from ..writing import HOOKS, Refusal, Refusals, RefusedError, Task, UnsayableError, Written, on_hook, plain, scope
from . import spelled
from .spelled import Excluded, Spelt, Words

_LINES = 4096  # of one rule
_COMMENT = 255  # bytes of a comment
_FIRST_WORDS = spelled.HEADERS


@dataclass
class _Chains:
    """The lines of the chain that packets enter, and of those that it calls."""

    entry: str
    lines: list[str] = field(default_factory=list)
    called: dict[str, list[str]] = field(default_factory=dict)

    def new(self) -> str:
        name = f"{self.entry.lower()}-{len(self.called) + 1}"
        self.called[name] = []
        return name


def write(task: Task, *, family: int) -> Written:
    """The table for one family, and how it is read back.

    Raises:
        RefusedError: for each rule that iptables cannot say exactly.
    """
    return _Writer(task, family).written()


class _Writer:
    def __init__(self, task: Task, family: int) -> None:
        self.task, self.family = task, family
        self.chains = _Chains(task.chain.upper())
        self.refusals = Refusals()

    def written(self) -> Written:
        task, family = self.task, self.family
        if family not in task.families:
            message = f"the policy says nothing of IPv{family}"
            other = "`--to ip6tables`" if family == 4 else "`--to iptables`"
            raise RefusedError([Refusal(None, message, f"it is about the other family: {other}")])
        for rule, line in zip(task.rules, task.lines or ("",) * len(task.rules), strict=True):
            if line:
                self.chains.lines.append(f"# {plain(line)}")
            before = len(self.chains.lines)
            with self.refusals.of(rule):
                self._rule(rule)
            if len(self.chains.lines) == before:
                self.chains.lines.append("# matches none of these packets")
        self.refusals.done()
        entry = self.chains.entry
        rows = [f"# {plain(row)}" for row in task.title]
        mine, other = ("iptables", "ip6tables") if family == 4 else ("ip6tables", "iptables")
        rest = f": `--to {other}` writes the rest" if len(task.families) > 1 else ""
        rows.append(f"# for {mine}, IPv{family} alone{rest}")
        rows += ["*filter", f":{entry} {_verdict(task.default)} [0:0]"]
        rows += [f":{name} - [0:0]" for name in self.chains.called]
        rows += self.chains.lines
        for lines in self.chains.called.values():
            rows += lines
        name = "iptables-save" if family == 4 else "ip6tables-save"
        within = scope((family,), HOOKS[task.chain])
        return Written("\n".join([*rows, "COMMIT", ""]), name, ((entry, within),))

    def _rule(self, rule: Rule) -> None:
        count = 0
        for box in rule.boxes:
            hooked = on_hook(box, self.task.chain)
            if hooked is None:
                continue
            for term, spelt in self._lines(hooked):
                count += self._put(rule, term, spelt)
                if count > _LINES:
                    raise UnsayableError(f"it takes more than {_LINES:,} rules of iptables", "take it apart")

    # Fragments

    def _lines(self, box: Box) -> Iterator[tuple[Term, list[Spelt]]]:
        """The terms of a box, each with what tells its fragments."""
        early, first, later = (list(terms(box, kind, (self.family,))) for kind in (WHOLE, FIRST, LATER))
        if early != first:
            raise UnsayableError(
                "iptables does not tell a first fragment from a whole packet", "leave out `fragment`, or ask for both"
            )
        for term in list(early):
            if term.fields & _FIRST_WORDS:
                yield from self._with_header(term)
                early.remove(term)
        for term in early:  # what is alike for all fragments needs no word about them
            mine = _protocols(term)
            for other in list(later):
                if _rest(term) != _rest(other):
                    continue
                common = mine & _protocols(other)
                if common:
                    yield _of(term, common), []
                    later.remove(other)
                    left = _protocols(other) - common
                    later += [_of(other, left)] if left else []
                    mine = mine - common
            if mine:
                yield from self._only_early(_of(term, mine))
        for term in later:
            yield from self._only_later(term)

    def _with_header(self, term: Term) -> Iterator[tuple[Term, list[Spelt]]]:
        """A term with conditions on ports, flags or types: for each protocol by itself."""
        for protocol in _each(_protocols(term)):
            spelt = [Spelt((("-p", spelled.NAMES[protocol]),))]
            for f in (SPORT, DPORT):
                chosen = term.get(f)
                if chosen is not None:
                    spelt.append(spelled.ports(f, protocol, chosen))
            flags = term.get(FLAGS)
            if flags is not None:
                spelt.append(spelled.flags(flags))
            if not {SPORT, DPORT, FLAGS} & term.fields:
                spelt.append(spelled.messages(term))
            yield term, spelt

    def _only_early(self, term: Term) -> Iterator[tuple[Term, list[Spelt]]]:
        if self.family == 4:
            yield term, [Spelt((("!", "-f"),))]
            return
        protocols = _protocols(term) - HEADERS
        for protocol in _each(_known(protocols)):
            yield _of(term, BYTE), [Spelt(spelled.early(protocol))]

    def _only_later(self, term: Term) -> Iterator[tuple[Term, list[Spelt]]]:
        if self.family == 4:
            yield term, [Spelt((("-f",),))]
            return
        for protocol in _each(_known(_protocols(term))):
            others = tuple(Excluded(words) for words in spelled.early(protocol))
            yield _of(term, IntervalSet.single(protocol)), [Spelt(excluded=others)]

    # Lines

    def _put(self, rule: Rule, term: Term, told: Sequence[Spelt]) -> int:
        """Writes a term; how many lines that takes."""
        spelt = [
            spell(self.family, chosen) for f, spell in spelled.SIMPLE.items() if (chosen := term.get(f)) is not None
        ]
        protocols = term.get(PROTOCOL)
        if protocols is not None and not term.fields & _FIRST_WORDS:
            spelt.append(spelled.protocols(protocols))
        spelt += told
        inline: list[Words] = []
        excluded: list[Excluded] = []
        several = any(
            "," in word for one in spelt for words in one.options for word in words[1:2] if words[0] in _SIDES
        )
        for one in spelt:
            first, *others = one.excluded or (None,)
            # no negated address beside several: iptables would refuse it
            if first and not others and first.negated and not (several and first.words[0] in _SIDES):
                inline.append(first.negated)
            else:
                excluded += one.excluded
        heads = [_joined([*words, *inline]) for words in product(*(one.options for one in spelt))]
        if len(heads) > _LINES:
            raise UnsayableError(f"it takes more than {_LINES:,} rules of iptables", "take it apart")
        tails = [("-j", "LOG")] * rule.log + [("-j", _verdict(rule.action))]
        entry, lines = self.chains.entry, self.chains.lines
        comment = _comment(rule)
        if not excluded:
            lines += [_line(entry, (*head, *comment, *tail)) for head in heads for tail in tails]
            return len(heads)
        name = self.chains.new()
        lines += [_line(entry, (*head, *comment, "-j", name)) for head in heads]
        self.chains.called[name] += [_line(name, (*one.words, "-j", "RETURN")) for one in excluded]
        self.chains.called[name] += [_line(name, (*comment, *tail)) for tail in tails]
        return len(heads) + len(excluded) + 1


def _known(protocols: IntervalSet) -> IntervalSet:
    """Protocols whose later fragments ip6tables tells from the rest.

    Raises:
        UnsayableError: if there are others.
    """
    known = IntervalSet.union((p, p) for p in (*spelled.PORTED, ICMPV6))
    if not protocols.issubset(known):
        raise UnsayableError(
            "ip6tables tells later fragments of no other protocols than tcp, udp, dccp, sctp, udplite and icmpv6 from the rest",
            "name the protocol, or leave out `fragment`",
        )
    return protocols


def _each(protocols: IntervalSet) -> Iterator[int]:
    for lo, hi in protocols:
        yield from range(lo, hi + 1)


def _protocols(term: Term) -> IntervalSet:
    chosen = term.get(PROTOCOL)
    return BYTE if chosen is None else chosen


def _rest(term: Term) -> tuple[tuple[int, IntervalSet], ...]:
    return tuple((f, chosen) for f, chosen in term.sets if f != PROTOCOL)


def _of(term: Term, protocols: IntervalSet) -> Term:
    """The term for other protocols."""
    sets = [*_rest(term), (PROTOCOL, protocols)] if protocols != BYTE else list(_rest(term))
    return Term(term.family, tuple(sorted(sets, key=lambda one: one[0])))


def _joined(parts: Sequence[Words]) -> Words:
    """Words in the order that iptables-save has: addresses, interfaces, the protocol, fragments, then modules."""
    general = [words for words in parts if words and words[0] != "-m"]
    modules = [words for words in parts if words and words[0] == "-m"]
    general.sort(key=lambda words: _ORDER.index(words[1] if words[0] == "!" else words[0]))
    out: list[str] = [word for words in general for word in words]
    last = out[out.index("-m") + 1] if "-m" in out else ""
    for module, *rest in ((words[1], *words[2:]) for words in modules):
        if module != last or module not in spelled.PORTED.values():
            out += ["-m", module]
        out += rest
        last = module
    return tuple(out)


_SIDES = ("-s", "-d")
_ORDER = ("-s", "-d", "-i", "-o", "-p", "-f")


def _line(chain: str, words: Sequence[str]) -> str:
    return " ".join(["-A", chain, *words])


def _verdict(action: Action) -> str:
    return "ACCEPT" if action is ALLOW else "DROP"


def _comment(rule: Rule) -> Words:
    text = plain(rule.name or "")
    while len(text.encode()) > _COMMENT:
        text = text[:-1]
    if not text:
        return ()
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "-m", "comment", "--comment", f'"{escaped}"' if not escaped.replace("-", "").isalnum() else escaped
