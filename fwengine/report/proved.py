"""What `prove` answers: whether claims about all packets of a region hold, or packets that show they do not."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..analysis.interfaces import Stranger
from ..analysis.kinds import Counterexample, Counterexamples
from ..analysis.prove import Proof, Status
from ..codes import REFUTED
from ..model.rules import Claim
from ..policy import Policy
from .answer import Answer, Block, Case, Note, heading, table
from .making import witness_of
from .outcomes import eval_command
from .packets import details_of
from .record import Confirmed, Place, Record, UnknownInterface, Witness
from .strangers import stranger_text
from .style import Style
from .wording import DONE

_STATUS: dict[Status, Literal["proved", "refuted", "depends", "about no packet"]] = {
    Status.PROVED: "proved",
    Status.REFUTED: "refuted",
    Status.EMPTY: "about no packet",
    Status.DEPENDS: "depends",
}


@dataclass(frozen=True)
class ProvedClaim(Record):
    """One claim about one policy.

    Attributes:
        holds: it is proved, and every interface that it names is known: the name may be mistyped.
        counterexamples: packets that it speaks of and that fare otherwise, each decided by another rule.
        more: there are others, of further rules; null if that is unknown.
        command: what to paste, to see why the first of them does.
    """

    policy: str
    claim: str
    holds: bool
    status: Literal["proved", "refuted", "depends", "about no packet"]
    confirmed: Confirmed | None
    counterexamples: tuple[Witness, ...]
    more: bool | None
    command: str | None
    unknown_interfaces: tuple[UnknownInterface, ...]

    @classmethod
    def of(
        cls,
        proof: Proof[Claim],
        policy: Policy,
        path: str,
        claim: str,
        as_of: datetime.date | None = None,
        kinds: Counterexamples | None = None,
    ) -> ProvedClaim:
        """`path` and, where it was stated, `as_of` are what the command to paste asks with."""
        found: tuple[Witness, ...] = ()
        if proof.counterexample is not None and proof.verdict is not None:
            shown = kinds.found if kinds else (Counterexample(proof.counterexample, proof.verdict),)
            found = tuple(
                witness_of(
                    policy,
                    one.packet,
                    len(policy.rules) if one.verdict.index is None else one.verdict.index,
                    details_of(proof.claim.boxes),
                )
                for one in shown
            )
        strangers = tuple(map(UnknownInterface.of, policy.strangers(proof.claim.boxes)))
        return cls(
            path,
            claim,
            proof.holds and not strangers,
            _STATUS[proof.status],
            Confirmed.of(proof.confirmed),
            found,
            kinds.more if kinds else None,
            eval_command(path, found[0].packet, as_of, policy) if found else None,
            strangers,
        )

    @property
    def told(self) -> str:
        """What became of it, in a sentence."""
        if self.status == "proved":
            word = f" ({self.confirmed.word})" if self.confirmed else ""
            said = f"{self.claim}{word}"
        elif self.status == "about no packet":
            said = f"{self.claim} is about no packet, which proves nothing"
        else:
            said = self.claim
        strange = stranger_text([Stranger(s.name, s.did_you_mean or "") for s in self.unknown_interfaces])
        return f"{said}, but {strange}" if strange else said

    @property
    def place(self) -> Place:
        """The rule that decides the counterexample, or the policy."""
        rule = self.counterexamples[0].rule if self.counterexamples else None
        return rule.place if rule is not None and rule.place is not None else Place(self.policy)

    def lines(self, style: Style, where: str = "") -> Iterable[str]:
        word, hue = _WORDS[self.status]
        yield f"{style(word, hue, bold=True)}{' ' * (8 - len(word))}{where}{self.told}"
        for n, found in enumerate(self.counterexamples):
            yield f"  {'and ' if n else 'e.g.'}  {found.packet}"
            yield f"        {found.verdict} {found.rule.decided if found.rule else 'by default'}"
            if n == 0 and self.command:
                yield f"  try   {self.command}"
        if self.more:
            yield "  and more of other rules: `--limit` says how many are shown"
        elif self.counterexamples and self.more is None:
            yield "  others are unknown: limit reached, which `--limit-steps` and `--limit-work` raise"


_WORDS = {
    "proved": ("PROVED", "green"),
    "refuted": ("FALSE", "red"),
    "depends": ("DEPENDS", "yellow"),
    "about no packet": ("EMPTY", "yellow"),
}


@dataclass(frozen=True)
class Proved(Answer):
    """What became of each claim; `holds` if all of them do."""

    command: ClassVar[str] = "prove"
    rows: ClassVar[str] = "results"

    holds: bool
    results: tuple[ProvedClaim, ...]

    @classmethod
    def of(cls, results: Iterable[ProvedClaim]) -> Proved:
        found = tuple(results)
        return cls(all(r.holds for r in found), found)

    def lines(self, style: Style) -> Iterable[str]:
        several = len(self.results) > 1
        for r in self.results:
            yield from r.lines(style, f"{r.policy}: " if several else "")
        if several:
            good = sum(r.holds for r in self.results)
            hue = "green" if good == len(self.results) else "red"
            yield style(f"{good} proved, {len(self.results) - good} not", hue, bold=True)

    def blocks(self) -> Iterable[Block]:
        holding = sum(r.holds for r in self.results)
        yield heading(f"{holding} of {len(self.results)} claims hold")
        yield table(
            ("", "policy", "claim", "counterexample"),
            (
                (
                    "proved" if r.holds else "not proved" if r.status == "proved" else r.status,
                    f"`{r.policy}`",
                    r.told if r.unknown_interfaces else f"`{r.claim}`",
                    "; ".join(
                        f"`{c.packet}` is {DONE[c.verdict]} by `{c.rule or 'default'}`" for c in r.counterexamples
                    ),
                )
                for r in self.results
            ),
        )

    def notes(self) -> Iterable[Note]:
        for r in self.results:
            if not r.holds:
                yield Note(
                    REFUTED,
                    "error",
                    f"false: `{r.claim}`" if r.counterexamples else r.told,
                    r.place,
                    notes=tuple(
                        f"e.g. {c.packet} is {DONE[c.verdict]} by {c.rule or 'default'}" for c in r.counterexamples
                    ),
                    properties={
                        "policy": r.policy,
                        "claim": r.claim,
                        "counterexamples": [c.packet for c in r.counterexamples],
                        "command": r.command,
                    },
                    about=(r.policy, r.claim),
                )

    def cases(self) -> Iterable[Case]:
        for r in self.results:
            text = "\n".join(line.strip() for line in r.lines(Style(False)))
            message = r.counterexamples[0].packet if r.counterexamples else r.told
            yield Case(r.policy, r.claim, r.holds, Place(r.policy), message, text, "claim")
