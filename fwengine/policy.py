"""What people hold: a rule set with its text, names and expectations, and the questions about it as methods.

`load` is the one way from a source to a policy. Each method asks a layer below, which is imported when it is first
asked: a program that holds policies does not pay for the language before it reads one.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .errors import NOWHERE, Diagnostic, PacketError, PolicyError, Span
from .handed import Handed
from .language.meaning.names import Names
from .limits import Limits, current, reached, within
from .model.box import Box
from .model.packet import Packet
from .model.rules import DENY, Action, Claim, Definition, Expectation, Rule, Verdict
from .model.ruleset import RuleSet, decide, text_of
from .sources.opening import open_source
from .sources.source import ENDING, Source, from_text

if TYPE_CHECKING:
    from .analysis.confirm import Answer
    from .analysis.interfaces import Stranger
    from .analysis.prove import Proof
    from .analysis.query import Region
    from .language.meaning.declared import Declared
    from .language.meaning.region import Words
    from .native import Classifier
    from .sources.foreign import Flat, Imported, Reading
    from .traffic.sums import CaptureReport


@dataclass(frozen=True, repr=False)
class Policy(RuleSet):
    """A rule set, and what its text says besides: the meaning is that of the rule set alone."""

    name: str = field(default="<policy>", compare=False)
    expectations: tuple[Expectation, ...] = field(default=(), compare=False)
    definitions: tuple[Definition, ...] = field(default=(), compare=False)
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    names: Names = field(default=Names(), compare=False)
    remarks: tuple[Diagnostic, ...] = field(
        default=(), compare=False
    )  # what `check` tells of a text that has a meaning
    imported: Imported | None = field(default=None, compare=False)  # where the rules come from if not from the language
    limits: Limits | None = field(default=None, compare=False)  # of the methods below; None: those in force

    @classmethod
    def of(
        cls,
        rules: Iterable[Rule],
        default: Action | str = DENY,
        *,
        name: str = "<policy>",
        as_of: datetime.date | None = None,
    ) -> Policy:
        """A policy made from rules; those without a place get one each, the first is line 1 of `name`.

        >>> web = Policy.of([Rule.allow("tcp", dst="192.0.2.80", dport=443, name="web")], "deny")
        >>> print(web.evaluate("tcp 5.6.7.8:1029 -> 192.0.2.80:443"))
        allowed by `web` (<policy>:1)

        Raises:
            ValueError: if the default is neither to allow nor to deny.
            TypeError: if one is no `Rule`.
        """
        given = tuple(rules)
        odd: object = next((rule for rule in given if not isinstance(rule, Rule)), None)
        if odd is not None:
            hint = '`Rule.allow("tcp", dport=443)` makes one, `fwengine.loads(text)` reads a whole policy'
            raise TypeError(f"a rule is a `Rule`, not {type(odd).__name__}: {hint}")
        placed = tuple(
            replace(rule, span=Span(name, line, 1, line, 1)) if rule.span == NOWHERE else rule
            for line, rule in enumerate(given, 1)
        )
        return cls(placed, Action(default), as_of or datetime.date.today(), name)

    def __repr__(self) -> str:
        name = self.name if self.name.isprintable() else ascii(self.name)
        return f"<Policy {name}: {len(self.rules)} rules, default {self.default}, as of {self.as_of}>"

    def _repr_html_(self) -> str:
        return str(Handed.load("html")(self))

    def packet(self, given: Packet | str) -> Packet:
        """A packet; a text is read, and its `in` and `out` mean what they do in the policy's own text.

        Raises:
            PacketError: as `Packet.parse`, and if the policy declares interfaces and does not know these.
        """
        if isinstance(given, Packet):
            return given
        if not isinstance(given, str):
            raise PacketError(f"a packet is a `Packet` or a text, not {type(given).__name__}")
        from .traffic.notation import parse

        return self.located(parse(given))

    def evaluate(self, packet: Packet | str) -> Verdict:
        """The verdict on a packet, as `RuleSet.evaluate`; also on one in any notation that `Packet.parse` reads.

        Raises:
            PacketError: as `packet`.
            LimitError: if an open packet falls into more parts than the limit `cases` allows.

        >>> web = loads("allow tcp from any to 192.0.2.80 port https as web")
        >>> web.evaluate("tcp 5.6.7.8:1029 -> 192.0.2.80:443").by
        'web'
        """
        return within(self.limits, super().evaluate, packet if isinstance(packet, Packet) else self.packet(packet))

    def decide(self, packet: Packet | str) -> Verdict:
        """The verdict on one packet, by the definition: the first rule that matches decides.

        Raises:
            PacketError: as `packet`.
            ValueError: if the packet leaves a field open that a rule asks for.
        """
        return decide(self, self.packet(packet))

    def region(self, text: str) -> tuple[Box, ...]:
        """The boxes of a region in the language, with the policy's names.

        Raises:
            PolicyError: pointing into the region.
        """
        return region(self, text)

    def evaluate_capture(self, path: str | os.PathLike[str], **options: Any) -> CaptureReport:
        """Counts per rule over a capture file: see `fwengine.traffic.count.evaluate_capture`."""
        from .traffic.count import evaluate_capture

        return within(self.limits, evaluate_capture, self, path, **options)

    def prove(self, claim: str | Claim) -> Proof[Claim]:
        """Is a claim such as `deny tcp from any to web port telnet` true of every packet of its region?

        Names of the policy's own text may be used. Exact; a false claim has a counterexample, and one about no packet
        does not hold. `confirmed` tells how far a second way of proving it went.

        Raises:
            PolicyError: if the text is not a claim, with a place in it.
            LimitError: if the search exceeds a limit: the answer is unknown.
        """
        from .analysis.prove import prove

        return within(self.limits, prove, self, self.claim(claim))

    def claim(self, given: str | Claim) -> Claim:
        """A claim; a text is read, with the policy's names.

        Raises:
            PolicyError: pointing into the text.
        """
        if isinstance(given, Claim):
            return given
        return read_claim(self, text_of(given, "claim", "deny tcp from any to web port telnet"))

    def query(self, question: str | Claim) -> Answer[Region]:
        """All packets that a question such as `allow any to web` is about, as disjoint regions, widest first.

        A tuple of regions, which pandas and polars take as a table.

        Raises:
            PolicyError, LimitError: as for `prove`.
        """
        from .analysis.query import query

        asked = self.claim(question)
        return within(self.limits, query, self, asked.action, asked.boxes)

    @cached_property
    def declared(self) -> Declared:
        """The interfaces that the policy's text declares."""
        from .language.meaning.declared import Declared

        some = any(definition.kind == "interface" for definition in self.definitions)
        return Declared.of(self.names) if some else Declared({}, ())

    @cached_property
    def words(self) -> Words:
        """What the policy's text calls its addresses, ports, services and interfaces."""
        from .language.meaning.region import PLAIN
        from .language.meaning.vocabulary import Vocabulary

        return Vocabulary(self.names) if self.names.statements else PLAIN

    def located(self, packet: Packet) -> Packet:
        """The packet on the interfaces that its `in` and `out` mean where the policy declares interfaces.

        Raises:
            PacketError: if no declaration knows them, or they stand for several.
        """
        names = {a: getattr(packet, a) for a in ("in_interface", "out_interface") if getattr(packet, a)}
        meant = {attribute: self.declared.one(name) for attribute, name in names.items()} if names else {}
        return packet if meant == names else packet.replace(**meant)

    @cached_property
    def interfaces(self) -> frozenset[str]:
        """The interfaces that the rules name."""
        from .analysis.interfaces import named

        return named(box for rule in self.rules for box in rule.boxes)

    def strangers(self, asked: Packet | Iterable[Box]) -> tuple[Stranger, ...]:
        """The interfaces that a packet or a region names and no rule does; none if the policy declares interfaces.

        Such a name may be mistyped, and then what is true of it is true of nothing that was meant.
        """
        from .analysis.interfaces import named

        if isinstance(asked, Packet):
            return self.unknown(filter(None, (asked.in_interface, asked.out_interface)))
        return self.unknown(named(asked))

    def unknown(self, names: Iterable[str]) -> tuple[Stranger, ...]:
        """As `strangers`, of names."""
        from .analysis.interfaces import strangers, wildcards

        asked = frozenset(names)
        if asked and not self.declared.sets and self.imported is not None:
            asked -= wildcards((box for rule in self.rules for box in rule.boxes), asked)
        return strangers(self.interfaces, asked) if asked and not self.declared.sets else ()

    def classifier(self) -> Classifier:
        """Batches of packets in columns to rule indices: the native module where it is here, else the tree."""
        from .native import classifier

        return classifier(self)


def load(
    source: str | os.PathLike[str] | Source,
    *,
    as_of: datetime.date | None = None,
    interfaces: Iterable[str] = (),
    reading: Reading | None = None,
    limits: Limits | None = None,
) -> Policy:
    """The policy in a file, on standard input for `-`, or in a git revision for `REV:PATH`.

    Args:
        source: what `sources.opening.open_source` takes, or a source.
        as_of: the day on which the policy is asked, for rules with `until`. Without it the clock is read, once for each
            policy: state one day, or take `old.on(new.as_of)`, where several are compared.
        interfaces: those that there are, as if the policy declared each of them by its name.
        reading: the format of the text, where its content does not tell; which policy of several; and what becomes of
            doubts. For policies of other firewalls only.
        limits: of reading it and of the policy's methods; if not given, and for functions, those in force.

    Raises:
        PolicyError: with every diagnostic of the file and those it includes.
        LimitError: if reading it exceeds a limit.
    """
    return replace(within(limits, _load, source, as_of, interfaces, reading, every=False)[0], limits=limits)


def load_all(
    source: str | os.PathLike[str] | Source,
    *,
    as_of: datetime.date | None = None,
    interfaces: Iterable[str] = (),
    reading: Reading | None = None,
) -> tuple[Policy, ...]:
    """All policies of a file: of another firewall's each chain that packets enter, or each list, unless one is chosen.

    Raises:
        PolicyError, LimitError: as `load`.
    """
    return _load(source, as_of, interfaces, reading, every=True)


def load_versions(
    source: str | os.PathLike[str] | Source, *, as_of: datetime.date | None = None, reading: Reading | None = None
) -> tuple[tuple[Policy, ...], tuple[Policy, ...]]:
    """The policies of a file that tells what was and what is to be, such as a plan of terraform: of each version.

    Raises:
        PolicyError, LimitError: as `load`; FW483 if it tells one version.
    """
    from .sources import foreign

    if not isinstance(source, Source):
        source = open_source(source)
    read: str | None = None
    with suppress(OSError):
        read, source = _read_once(source)
    if read is None:
        _own(source, as_of, (), reading)  # which tells what is wrong
    text = read or ""
    found = foreign.versions(text, source.name, reading or foreign.Reading())
    if found is None:
        if not foreign.is_foreign(text):
            _own(source, as_of, (), reading)  # which tells if it is of another kind
        message = "the file tells one version, and nothing to compare it with"
        help = "name two: OLD and NEW; one is enough if it is a plan of terraform as JSON"
        raise PolicyError([Diagnostic("FW483", message, Span(source.file, 1, 1, 1, 1), help=help)])
    day, texts = as_of or datetime.date.today(), {source.name: text}
    old, new = (tuple(_imported(flat, source.name, day, texts) for flat in side) for side in found)
    return old, new


def _load(
    source: str | os.PathLike[str] | Source,
    as_of: datetime.date | None,
    interfaces: Iterable[str],
    reading: Reading | None,
    *,
    every: bool,
) -> tuple[Policy, ...]:
    if not isinstance(source, Source):
        source = open_source(source)
    if source.file.endswith(ENDING) and (reading is None or reading.format is None):
        return (_own(source, as_of, interfaces, reading),)
    try:
        text, source = _read_once(source)
    except OSError:
        return (_own(source, as_of, interfaces, reading),)  # which tells what is wrong
    return _foreign(text or "", source, as_of, reading, every) or (_own(source, as_of, interfaces, reading),)


def _read_once(source: Source) -> tuple[str | None, Source]:
    """The text of a policy's file, None if it is none, and a source that has it: standard input is read once.

    Raises:
        OSError: if it cannot be read.
    """
    from .sources.text import unpacked

    data, name, others = source.read(source.file), source.file, source.read
    source = replace(source, read=lambda asked: data if asked == name else others(asked))
    try:
        return unpacked(data).decode("utf-8-sig"), source
    except UnicodeDecodeError:
        return None, source


def _foreign(
    text: str, source: Source, as_of: datetime.date | None, reading: Reading | None, every: bool
) -> tuple[Policy, ...]:
    """The policies of another firewall's text; none if it is in the language."""
    from .sources import foreign

    flats = foreign.one_of(text, source.name, reading or foreign.Reading(), every=every, beside=foreign.beside(source))
    if any(len(flat.rules) > current().rules for flat in flats):
        raise reached("rules")
    day = as_of or datetime.date.today()
    texts = {source.name: text}
    return tuple(_imported(flat, source.name, day, texts) for flat in flats)


def _imported(flat: Flat, file: str, day: datetime.date, texts: Mapping[str, str]) -> Policy:
    return Policy(
        flat.rules, flat.default, day, f"{file}:{flat.imported.name}",
        sources={**flat.imported.document.texts, **texts},
        remarks=flat.imported.document.remarks, imported=flat.imported,
    )  # fmt: skip


def _own(source: Source, as_of: datetime.date | None, interfaces: Iterable[str], reading: Reading | None) -> Policy:
    """The policy of a text in the language.

    Raises:
        PolicyError: as `load`; and if one of several is asked for, since it is one.
    """
    from .language.meaning.lower import lower
    from .language.syntax.declaring import declarations
    from .sources.gathering import gather

    found = gather(source)
    declared = declarations(interfaces, found.statements)
    if reading is not None and reading.policy is not None and not reading.perhaps:
        message = f"there is no policy `{reading.policy}` to choose: the file is in the language, and is one policy"
        raise PolicyError([Diagnostic("FW456", message, Span(source.file, 1, 1, 1, 1), help="leave out `--policy`")])
    flat = None
    if found.foreign:
        from .sources.included import included

        flat = included(found, reading, source)
    others = flat.rules if flat is not None else ()
    statements = [*declared, *found.statements]
    found = replace(found, statements=())
    lowered = lower(
        statements, sources=found.texts, spoilt=found.missing, errors=found.errors, others=others, let_go=True
    )
    meant = lowered.whole(found.texts)
    if flat is not None:
        meant = replace(meant, rules=flat.rules, default=flat.default)
        found.texts.update(flat.imported.document.texts)
    return Policy(
        meant.rules,
        meant.default,
        as_of or datetime.date.today(),
        source.name,
        meant.expectations,
        meant.definitions,
        found.texts,
        meant.names,
        meant.remarks,
        flat.imported if flat is not None else None,
    )


def loads(
    text: str,
    *,
    file: str = "<text>",
    as_of: datetime.date | None = None,
    interfaces: Iterable[str] = (),
    reading: Reading | None = None,
    limits: Limits | None = None,
) -> Policy:
    """The policy in a text; what it includes is looked up beside `file`, that is from the working directory.

    Raises:
        PolicyError, LimitError: as `load`.

    >>> loads("allow tcp from any to 192.0.2.80 port https as web").rules[0].name
    'web'
    """
    return load(
        from_text(text_of(text, "policy", "allow tcp to 192.0.2.80 port https"), file),
        as_of=as_of,
        interfaces=interfaces,
        reading=reading,
        limits=limits,
    )


def load_from(
    file: str, reader: Callable[[str], bytes], *, as_of: datetime.date | None = None, shown: str = ""
) -> Policy:
    """As `load`, with files read by a function: it takes a name and returns bytes, or raises OSError.

    What stands in `shown` is put before every file's name in diagnostics, spans and sources.
    """
    return load(Source(file, reader, shown=shown), as_of=as_of)


def region(policy: Policy | None, text: str) -> tuple[Box, ...]:
    """The boxes of a region in the language, with a policy's names in scope.

    Raises:
        PolicyError: pointing into the region.
    """
    from .language.meaning.lower import lower_region
    from .language.syntax.parser import parse_region

    text = text_of(text, "region", "tcp from any to web port telnet")
    names, sources = (policy.names, policy.sources) if policy else (Names(), {})
    return lower_region(parse_region(text), names, "<region>", text, sources)


def read_claim(policy: Policy | None, text: str) -> Claim:
    """An action and a region, as `query` and `prove` take them.

    Raises:
        PolicyError: pointing into the text.
    """
    from .language.meaning.lower import lower_region
    from .language.syntax.parser import parse_claim

    action, match = parse_claim(text)
    names, sources = (policy.names, policy.sources) if policy else (Names(), {})
    boxes = lower_region(match, names, "<region>", text, sources)
    return Claim(Action(action), boxes, text=" ".join(text.split()).partition(" ")[2])
