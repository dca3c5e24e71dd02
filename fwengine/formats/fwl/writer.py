"""Rules -> statements of the language, each under the user's own line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...language.meaning.region import readable, show_box
from ...language.meaning.scope import RESERVED
from ...model.box import Box
from ...model.fields import FULL, INTERFACES
from ...model.rules import Rule
from ..writing import Refusals, Task, UnsayableError, Written, plain, scope

FORMAT = "fwl"
_LISTED = 1 << 12  # interfaces that are listed one by one
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def write(task: Task) -> Written:
    """The text of a policy in the language; rules keep their order, their comments' names and whether they log.

    Raises:
        RefusedError: for rules that the language has no words for.
    """
    refusals = Refusals()
    rows = [f"# {plain(line)}" for line in task.title]
    rows.append(f"default {task.default}")
    names: set[str] = set()
    for rule, line in zip(task.rules, task.lines or ("",) * len(task.rules), strict=True):
        if line:
            rows += ["", f"# {plain(line)}"]
        with refusals.of(rule):
            rows += _statements(rule, names)
    refusals.done()
    return Written("\n".join([*rows, ""]), FORMAT, (("", scope((4, 6))),))


def _is_unsayable(box: Box) -> bool:
    """Does it hold more interfaces than can be listed, and leave out as many?"""
    return any(min(box.sets[f].size, (FULL[f] - box.sets[f]).size) > _LISTED for f in INTERFACES)


def _statements(rule: Rule, names: set[str]) -> Iterator[str]:
    if any(_is_unsayable(box) for box in rule.boxes):
        raise UnsayableError(
            "the language has no word for all interfaces whose names begin alike", "name the interfaces"
        )
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
