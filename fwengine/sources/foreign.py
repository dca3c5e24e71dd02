"""A text in another firewall's format -> flat rules: its format recognised, one of its policies chosen, its doubts settled.

Knows no format; `formats.registry` has them all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from ..errors import Diagnostic, PolicyError, Span
from ..formats.document import Beside, Document
from ..formats.joint import joint
from ..formats.passed import unfold_all
from ..formats.registry import FORMATS, Format, recognise
from ..formats.unfold import doubts_of
from ..model.rules import ALLOW, DENY, Action, Rule
from .source import Source

InDoubt = Literal["depends", "allow", "deny", "error"]
IN_DOUBT: Final = ("depends", "allow", "deny", "error")
SEVERAL: Final = "FW456"
UNSETTLED: Final = "FW457"
NO_FORMAT: Final = "FW458"


@dataclass(frozen=True)
class Reading:
    """How a policy's text is to be read, as far as a user says so.

    Attributes:
        format: the name of its format; None for what its content says, `fwl` for the language of this package.
        policy: the chain or list to ask where a file has several.
        in_doubt: what becomes of packets whose verdict depends on more than the packet.
        perhaps: `policy` is for those files alone that have several; else one in the language is refused.
    """

    format: str | None = None
    policy: str | None = None
    in_doubt: InDoubt = "depends"
    perhaps: bool = False


@dataclass(frozen=True)
class Imported:
    """Which policy of which document flat rules are of; `entries` are those that were asked for together.

    `included`: a file in the language of this package says which, so that nobody else need say it.
    """

    document: Document
    name: str
    entries: tuple[str, ...]
    reading: Reading
    included: bool = False

    @property
    def is_absent(self) -> bool:
        """Is the policy there in the other version alone?"""
        return self.name in self.document.absent

    @property
    def options(self) -> tuple[str, ...]:
        """The words of a command line that ask the same policy in the same way."""
        out = ["--from", self.reading.format] if self.reading.format is not None else []
        out += ["--policy", self.name] if len(self.document.policies) > 1 and not self.included else []
        out += ["--in-doubt", self.reading.in_doubt] if self.reading.in_doubt != "depends" else []
        return tuple(out)


@dataclass(frozen=True)
class Flat:
    """A policy of another firewall as rules of ours."""

    rules: tuple[Rule, ...]
    default: Action
    imported: Imported


def read(text: str, file: str, reading: Reading, beside: Beside | None = None) -> Document | None:
    """The document in a text; None if it is in the language of this package. `beside` are the files that it may include.

    Raises:
        PolicyError: with every error of it, or if its format is not known.
    """
    if reading.format == "fwl":
        return None
    found = _recognised(text) if reading.format is None else FORMATS.get(reading.format)
    if found is None and reading.format is not None:
        known = ", ".join(["fwl", *FORMATS])
        message = f"`{reading.format}` is not a format that is read"
        raise PolicyError([Diagnostic(NO_FORMAT, message, Span(file, 1, 1, 1, 1), help=f"one of {known}")])
    if found is None:
        return None
    return found.read(text, file) if found.read_with is None else found.read_with(text, file, beside)


_OWN: Final = re.compile(r"^(?:allow|deny|net|ports|service|expect|default)[ \t]", re.MULTILINE)
_SOME: Final = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)


def is_foreign(text: str) -> bool:
    """Is it in a format that is read, and not in the language of this package?"""
    return _recognised(text) is not None


def _recognised(text: str) -> Format | None:
    """The format of a text; None if a good part of its lines are ours: a foreign one among them is a mistake to be told."""
    own = sum(1 for _ in _OWN.finditer(text))
    if own and own * 3 > sum(1 for _ in _SOME.finditer(text)):
        return None
    return recognise(text)


def one_of(
    text: str, file: str, reading: Reading, *, every: bool = False, beside: Beside | None = None
) -> tuple[Flat, ...]:
    """The policies of a text that are asked for; none if it is in the language of this package.

    `every` are those of one chain each: what several of them make together says nothing more about their lines.

    Raises:
        PolicyError, LimitError: as `read`, `chosen` and `flatten`.
    """
    document = read(text, file, reading, beside)
    if document is None:
        return ()
    all_of_them = every and reading.policy is None
    single = tuple(name for name in document.policies if name not in document.passed and name not in document.absent)
    names = single if all_of_them else (chosen(document, file, reading),)
    try:
        return tuple(flatten(document, name, reading, names) for name in names)
    except PolicyError as error:
        raise PolicyError(error.diagnostics, {file: text, **document.texts}) from None


def versions(text: str, file: str, reading: Reading) -> tuple[tuple[Flat, ...], tuple[Flat, ...]] | None:
    """The policies of a text that tells what was and what is planned, of each the same; None if it tells one version.

    Raises:
        PolicyError, LimitError: as `read`, `chosen` and `flatten`.
    """
    document = read(text, file, reading)
    if document is None or document.before is None:
        return None
    whole = replace(document, absent=frozenset())
    names = tuple(document.policies) if reading.policy is None else (chosen(whole, file, reading),)
    old, new = (tuple(flatten(side, name, reading, names) for name in names) for side in (document.before, document))
    return old, new


def chosen(document: Document, file: str, reading: Reading) -> str:
    """The name of the policy that is asked.

    Raises:
        PolicyError: FW456, listing what there is.
    """
    names = [name for name in document.policies if name not in document.absent]
    there = ", ".join(f"`{name}`" for name in names[:_LISTED]) + ", …" * (len(names) > _LISTED)
    if len(names) == 1 and (reading.policy is None or reading.perhaps):
        return names[0]
    at = Span(file, 1, 1, 1, 1)
    if reading.policy is None:
        message = f"the file has {len(names)} policies: {there}"
        raise PolicyError([Diagnostic(SEVERAL, message, at, help=f"choose one: `--policy {shlex.quote(names[0])}`")])
    if reading.policy not in names:
        message = f"there is no policy `{reading.policy}` in the file"
        raise PolicyError([Diagnostic(SEVERAL, message, at, help=f"it has {there}")])
    return reading.policy


def flatten(document: Document, name: str, reading: Reading, entries: tuple[str, ...]) -> Flat:
    """One policy of a document as flat rules.

    Raises:
        PolicyError: FW457 for each place in doubt, where none is wanted.
        LimitError: if that takes too many boxes.
    """
    chains, mine = document.chains, document.entries_of(name)
    if reading.in_doubt == "error":
        found = [found for entry in mine for found in _unsettled(document, entry)]
        if found:
            raise PolicyError(found)
    imported = Imported(document, name, entries, reading)
    if reading.in_doubt in ("allow", "deny"):
        flat = unfold_all(chains, mine, Action(reading.in_doubt))
        return Flat(tuple([_settled(rule) for rule in flat.rules]), flat.default, imported)
    upper = unfold_all(chains, mine, ALLOW)
    lower = unfold_all(chains, mine, DENY)
    return Flat(joint(upper, lower), upper.default, imported)


def beside(source: Source) -> Beside:
    """The files that a rule set may include, named as its own is, with what is shown before each name."""

    def plain(name: str) -> str:
        return name.removeprefix(source.shown)

    return Beside(lambda name: source.read(plain(name)), lambda folder: source.names(plain(folder)))


def _settled(rule: Rule) -> Rule:
    """A rule of a bound that was asked for: nothing is in doubt any more."""
    if rule.origin is None or not rule.origin.doubts:
        return rule
    return replace(rule, origin=replace(rule.origin, doubts=()))


def _unsettled(document: Document, entry: str) -> Iterator[Diagnostic]:
    for name in document.chains.reached(entry):
        for line in document.chains.chains[name].lines:
            for doubt in doubts_of(line) if not line.implied else ():  # that is not in the file
                message = f"in doubt: {doubt.reason}"
                yield Diagnostic(UNSETTLED, message, doubt.span, help="`--in-doubt allow` or `deny` takes a side")


_LISTED: Final = 40
