"""A policy of another firewall -> the same policy in the language of this package, proved the same before it is given away.

Each flat rule becomes a statement, or several, under a comment with the user's own line. What depends on lines in doubt cannot
be said in the language, and is refused with the line and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .analysis.confirm import agree
from .analysis.diff import diff
from .errors import Diagnostic, PolicyError
from .language.meaning.region import readable, show_box
from .language.meaning.scope import RESERVED
from .model.box import Box
from .model.fields import FULL, INTERFACES
from .model.rules import DEPENDS, Rule
from .policy import Policy, loads

IN_DOUBT = "FW461"
UNSAYABLE = "FW462"
_LISTED = 1 << 12  # interfaces that are listed one by one
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def to_fwl(policy: Policy) -> str:
    """The text of a policy in the language; rules keep their order, their comments' names and whether they log.

    Raises:
        PolicyError: FW461 for each line in doubt; FW462 for one that the language has no words for.
        LimitError: if the proof that both are the same exceeds its budget.
        Disagreement: if they are not, which is a bug.
    """
    doubted = dict.fromkeys(
        doubt
        for rule in policy.rules
        if rule.action is DEPENDS and rule.origin is not None
        for doubt in rule.origin.doubts
    )
    if doubted:
        raise PolicyError(
            [
                Diagnostic(
                    IN_DOUBT, f"in doubt: {doubt.reason}", doubt.span, help="take a side: `--in-doubt allow` or `deny`"
                )
                for doubt in doubted
            ],
            policy.sources,
        )
    for rule in policy.rules:
        if any(_is_unsayable(box) for box in rule.boxes):
            message = "the language has no word for all interfaces whose names begin alike"
            raise PolicyError([Diagnostic(UNSAYABLE, message, rule.span, help="name the interfaces")], policy.sources)
    text = "\n".join(_lines(policy)) + "\n"
    again = loads(text, file="<converted>", as_of=policy.as_of)
    agree(again.default is policy.default and not diff(policy, again), "what was converted means something else")
    return text


def _is_unsayable(box: Box) -> bool:
    """Does it hold more interfaces than can be listed, and leave out as many?"""
    return any(min(box.sets[f].size, (FULL[f] - box.sets[f]).size) > _LISTED for f in INTERFACES)


def _lines(policy: Policy) -> Iterator[str]:
    texts = {file: text.split("\n") for file, text in policy.sources.items()}
    yield f"# {_plain(policy.name)}"
    yield f"default {policy.default}"
    last = None
    names: set[str] = set()
    for rule in policy.rules:
        place = rule.span.file, rule.span.line
        if place != last:
            words = texts.get(rule.span.file, [])[rule.span.line - 1 : rule.span.line]
            yield ""
            yield f"# line {rule.span.line}: {_plain(' '.join(words))}"
            last = place
        yield from _statements(rule, names)


def _statements(rule: Rule, names: set[str]) -> Iterator[str]:
    boxes = readable([box for box in rule.boxes if box])
    if not boxes:
        yield "# matches no packet"
    for box in boxes:
        name = _name(rule, names)
        until = f" until {rule.until}" if rule.until is not None else ""
        yield f"{rule.action} {show_box(box)}{' log' * rule.log}{until}{f' as {name}' if name else ''}"


def _name(rule: Rule, names: set[str]) -> str:
    """The rule's name, once; nothing if the language could not say it."""
    name = "-".join((rule.name or "").split())
    if not _NAME.fullmatch(name) or name in RESERVED:
        return ""
    count = 1
    chosen = name
    while chosen in names:
        count += 1
        chosen = f"{name}-{count}"
    names.add(chosen)
    return chosen


def _plain(text: str) -> str:
    """Words that a comment may hold."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
