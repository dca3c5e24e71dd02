"""The playground's side of the engine: a question as JSON in, its answer as JSON out, and nothing kept but the text last read.

The answers are the records of the command line, with the keys that `--format json` has there; what is told of a text while it is
written comes from the language server's modules. Runs in a browser (Pyodide), and in any Python for its tests. It reads no file but
a capture, and writes none.
"""

from __future__ import annotations

import errno
import json
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Final

from fwengine.codes import LIMIT, USAGE
from fwengine.errors import Diagnostic, FwengineError, LimitError, PacketError, UndecodableError
from fwengine.limits import Limits
from fwengine.lsp.mends import mends
from fwengine.lsp.opened import Opened, open_text
from fwengine.policy import Policy
from fwengine.report.failure import Failure, failures
from fwengine.report.nothing import no_rule
from fwengine.report.record import Edit, Place, Related, plain
from fwengine.sources.foreign import is_foreign
from fwengine.sources.source import ENDING

TYPING: Final = Limits(work=400_000, steps=200_000, regions=20_000, cases=5_000)  # of what is answered while one types
ASKED: Final = Limits()  # of what is asked for, and can be cancelled
REGIONS: Final = 200  # of an answer that are shown
PATH: Final = 400  # rules whose fate is told of a packet
TOP: Final = 10  # denied flows

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Page:
    """What a page has in its editor: a text with its name, the files that it may include, and which of several policies is asked."""

    name: str
    text: str
    files: tuple[tuple[str, str], ...] = ()
    chosen: str = ""

    @cached_property
    def file(self) -> str:
        """The name that diagnostics have; another firewall's rule set has not the ending of ours."""
        if self.name.endswith(ENDING) and is_foreign(self.text):
            return self.name.removesuffix(ENDING)
        return self.name

    def read(self, name: str) -> bytes:
        """The bytes of a file: what is in the editor, or one of the files beside it.

        Raises:
            OSError: for every other name, since there is no disk.
        """
        if name == self.file:
            return self.text.encode("utf-8", "surrogatepass")
        for known, text in self.files:
            if posixpath.normpath(known) == posixpath.normpath(name):
                return text.encode("utf-8", "surrogatepass")
        raise OSError(errno.ENOENT, "no such file beside it in the playground")


@lru_cache(maxsize=1)
def opened(page: Page) -> Opened:
    """What the text means; the questions that follow upon one another are about one text."""
    return open_text(page.file, page.read)


class NoMeaningError(FwengineError):
    """The text has no meaning, so nothing can be asked of it."""


def policy_of(page: Page) -> Policy:
    """The policy to ask.

    Raises:
        NoMeaningError: if the text has errors.
    """
    found = opened(page)
    if found.errors or not found.policies:
        raise NoMeaningError
    named = [policy for policy in found.policies if policy.imported is not None and policy.imported.name == page.chosen]
    return (named or found.policies)[0]


# While one types


def errors(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong in the text, and how much of it there is."""
    found = opened(page)
    names = [policy.imported.name for policy in found.policies if policy.imported is not None]
    return {
        "file": found.file,
        "foreign": found.foreign,
        "policies": names if len(names) > 1 else [],
        "rules": sum(len(policy.rules) for policy in found.policies),
        "expectations": sum(len(policy.expectations) for policy in found.policies),
        "diagnostics": [shown(found, d) for d in found.errors],
    }


def findings(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What `check` finds; `limited` if not everything could be looked for."""
    found = opened(page)
    told = found.findings()
    return {"diagnostics": [shown(found, d) for d in told], "limited": any(d.code == LIMIT for d in told)}


def shown(found: Opened, d: Diagnostic) -> dict[str, Any]:
    """A diagnostic with its edits, those of the open text alone."""
    ways = [mend for mend in mends([d]) if all(edit.span.file == found.file for edit in mend.edits)]
    told: dict[str, Any] = plain(
        {
            "code": d.code,
            "severity": d.severity,
            "message": d.message,
            "label": d.label,
            "help": d.help,
            "notes": d.notes,
            "place": Place.of(d.span),
            "here": d.span.file == found.file,
            "related": tuple(map(Related.of, d.labels)),
            "mends": [{"title": way.title, "edits": tuple(map(Edit.of, way.edits))} for way in ways],
        }
    )
    return told


def packet(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`eval --explain`: the verdict on a packet, and how each rule fared."""
    from fwengine.report.decided import Decided
    from fwengine.report.evaluated import Evaluated
    from fwengine.report.fared import fared
    from fwengine.report.reasons import account
    from fwengine.traffic.notation import parse

    policy, text = policy_of(page), str(asked["packet"]).strip()
    try:
        given = policy.located(parse(text))
    except UndecodableError as error:
        raise PacketError(str(error)) from None
    verdict = policy.evaluate(given)
    accounts = account(policy, given, verdict)
    decided = Decided.of(
        policy, str(given), given, verdict, strangers=policy.strangers(given), accounts=accounts
    )  # as `eval` has it
    told = Evaluated(policy.name, None, (replace(decided, explain=None, nearest=None),)).to_dict()
    rows = [(n, each, *fared(each)) for n, each in enumerate(decided.explain or ())]
    near = set(decided.nearest or ())
    if len(rows) > PATH:
        rows = [row for row in rows if row[0] in near or row[2] != "no"][:PATH]
    told["path"] = [
        {"rule": each.rule.to_dict(), "word": word, "why": why, "near": n in near} for n, each, word, why in rows
    ]
    told["left_out"] = len(decided.explain or ()) - len(rows)
    return with_errors(told, no_rule(policy))


def expectations(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`test`: each expectation of the text and of what it includes, proved or refuted; `unknown` where a limit was reached."""
    from fwengine.analysis.entries import Entries, closed
    from fwengine.analysis.prove import prove
    from fwengine.report.outcomes import Outcome

    policy = policy_of(page)
    entries = Entries(closed(policy)) if policy.expectations else None
    results = []
    for claim in policy.expectations:
        here = {"here": claim.span.file == opened(page).file, "place": Place.of(claim.span).to_dict()}
        try:
            outcome = Outcome.of(prove(policy, claim, entries=entries), policy, policy.name, None)
        except LimitError as error:
            results.append({**here, "unknown": str(error)})
        else:
            results.append({**here, **outcome.to_dict(), "got": outcome.got, "unknown": None})
    return with_errors({"results": results}, no_rule(policy) if policy.expectations else None)


# What is asked for


def prove(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`prove`: whether a claim holds of all packets of its region."""
    from fwengine.analysis.entries import Entries, closed
    from fwengine.analysis.kinds import counterexamples
    from fwengine.analysis.prove import prove
    from fwengine.policy import read_claim
    from fwengine.report.proved import Proved, ProvedClaim

    policy, text = policy_of(page), str(asked["claim"]).strip()
    claim, entries = read_claim(policy, text), Entries(closed(policy))
    proof = prove(policy, claim, entries)
    one = ProvedClaim.of(proof, policy, policy.name, text, None, counterexamples(policy, proof, 3, entries))
    return with_errors({**Proved.of([one]).to_dict(), "told": one.told}, no_rule(policy))


def query(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`query`: the packets of a region with a verdict."""
    from fwengine.analysis.query import query
    from fwengine.model.rules import DEPENDS
    from fwengine.policy import read_claim
    from fwengine.report.searched import Searched
    from fwengine.report.view import View

    policy, text = policy_of(page), str(asked["claim"]).strip()
    claim = read_claim(policy, text)
    regions = query(policy, claim.action, claim.boxes)
    unsettled = any(rule.action is DEPENDS for rule in policy.rules)
    doubted = query(policy, DEPENDS, claim.boxes) if unsettled else None
    found = Searched.of(policy, claim, text, regions, View(limit=REGIONS), doubted=doubted)
    return with_errors(found.to_dict(), no_rule(policy))


def matrix(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`show --as matrix`: who reaches whom."""
    from fwengine.analysis.matrix import matrix
    from fwengine.model.rules import DEPENDS
    from fwengine.report.reached import Reached
    from fwengine.report.zones import chosen_zones

    policy = policy_of(page)
    if any(rule.action is DEPENDS for rule in policy.rules):
        message = "the policy has lines in doubt, and who reaches whom depends on them"
        return {"errors": [Failure("usage", USAGE, message, policy.name).record.to_dict()]}
    sides = chosen_zones(policy)
    found = matrix(policy, sides.zones)
    shown = Reached.of(policy, found, sides.notes)
    many = f"unknown: {shown.unknown:,} of the cells: beyond the limit of parts that are looked at"
    unknown = Failure("limit", LIMIT, many, policy.name) if shown.unknown else None
    return with_errors(shown.to_dict(), unknown, no_rule(policy))


def capture(page: Page, asked: Mapping[str, Any], progress: Progress | None = None) -> dict[str, Any]:
    """`eval -r --top`: a capture by rule, and what is denied most."""
    from fwengine.report.choice import EVERY
    from fwengine.report.counted import Counted
    from fwengine.report.flows import chosen_for_top, flows_of
    from fwengine.traffic.flows import count_flows, flow_table

    policy, path = policy_of(page), str(asked["path"])
    chosen = chosen_for_top(EVERY)
    table = flow_table(policy, [path], chosen.takes)
    report = count_flows(policy, path, table, progress=progress)
    counted = Counted.of(policy, [report], flows=flows_of(policy, table, TOP, chosen))
    return with_errors(counted.to_dict(), no_rule(policy))


def hover(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What there is to tell of a place."""
    from fwengine.lsp.told import hover

    found = hover(opened(page), int(asked["line"]), int(asked["column"]))
    if found is None:
        return {"hover": None}
    return {"hover": {"title": found.title, "lines": list(found.lines), "place": Place.of(found.span).to_dict()}}


def complete(page: Page, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The words that may stand at a place."""
    from fwengine.lsp.completed import completions

    found = completions(opened(page), int(asked["line"]), int(asked["column"]))
    return {"choices": [{"text": c.text, "kind": c.kind, "detail": c.detail} for c in found]}


def with_errors(told: dict[str, Any], *found: Failure | None) -> dict[str, Any]:
    """An answer, and what keeps it from being a success."""
    return {**told, "errors": [failure.record.to_dict() for failure in found if failure is not None]}


QUESTIONS: Final[Mapping[str, tuple[Callable[..., dict[str, Any]], Limits]]] = {
    "errors": (errors, TYPING),
    "findings": (findings, TYPING),
    "packet": (packet, TYPING),
    "expectations": (expectations, TYPING),
    "hover": (hover, TYPING),
    "complete": (complete, TYPING),
    "all findings": (findings, ASKED),
    "all expectations": (expectations, ASKED),
    "prove": (prove, ASKED),
    "query": (query, ASKED),
    "matrix": (matrix, ASKED),
    "capture": (capture, ASKED),
}


def answer(question: str, progress: Progress | None = None) -> str:
    """The answer to a question: its record, with `errors` where something kept it from being one."""
    asked = json.loads(question)
    page = Page(asked["name"], asked["text"], tuple(asked.get("files", {}).items()), asked.get("chosen", ""))
    question_asked, limits = QUESTIONS[asked["what"]]
    more: Sequence[Any] = [progress] if asked["what"] == "capture" else []
    try:
        with limits.applied():
            told = question_asked(page, asked, *more)
    except NoMeaningError:
        told = {"meaningless": True, "errors": []}
    except FwengineError as error:
        told = {"errors": [failure.record.to_dict() for failure in failures(error)]}
    return json.dumps(told)


def warm() -> None:
    """Asks what loads the modules that the first mistake and the first question would have to wait for."""
    text = (
        "net a = { 10.0.0.0/8, 2001:db8::/32 }\nallow tcp from a to any port http as x\n"
        "deny tcp from 10.1.0.0/16 to any port http\nexpect deny udp from any to any port domain\n"
    )
    for what, more, told in (
        ("errors", {}, text + "alow tcp\n"),
        ("findings", {}, text),
        ("packet", {"packet": "tcp 10.2.3.4:5 -> 10.0.0.1:80"}, text),
        ("expectations", {}, text),
        ("complete", {"line": 1, "column": 1}, text),
    ):
        answer(json.dumps({"what": what, "name": "warm.fwl", "text": told, **more}))
    opened.cache_clear()
