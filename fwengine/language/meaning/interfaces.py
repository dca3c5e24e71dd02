"""Interfaces: what `in` and `out` name, and the declarations `interface lan = { eth1, eth2 }` that give sets of them names.

Without a declaration any name is taken as it is. With one, a name is a declared one, or that of an interface which some
declaration holds; inside a declaration its own name is an interface, so that `interface eth0 = eth0` declares one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...errors import PacketError
from ...model.fields import INTERFACE_BYTES, SOME_INTERFACE, interface_number
from ...model.interval import IntervalSet
from ...registry import names
from ..syntax.ast import Except, Expr, Not, Set, String, Word
from ..syntax.mistakes import slips_of
from .literals import Mistake
from .scope import NOUN, Name, Reading, Scope

NEARLY_NONE = slips_of("none") | {"none"}
_PLAIN_INTERFACE = re.compile(r"[A-Za-z._\-/:@+][A-Za-z0-9._\-/:@+]*")


def chosen(scope: Scope, expr: Expr | None, *, one: bool = False) -> IntervalSet | None:
    """Interfaces by name; `none` is "not recorded". Words that look like patterns are none, except for `one` packet's."""
    return scope.evaluate(expr, Reading(SOME_INTERFACE, lambda item: _word(scope, item, one), beside_none=True))


def declaration(scope: Scope, entry: Name) -> IntervalSet | None:
    """The interfaces that a declaration stands for."""
    name = entry.content.name.text
    scope.step("interface", name)
    reading = Reading(SOME_INTERFACE, lambda item: _word(scope, item, False, name))
    return scope.defined(entry, lambda: scope.evaluate(entry.content.value, reading))


def check(scope: Scope, entry: Name) -> None:
    """Tells the mistakes of a declaration, and if its name is that of an interface which it does not stand for alone."""
    value = declaration(scope, entry)
    name = entry.content.name
    if value is None or name.text not in declared(scope) or value == _number(name.text):
        return
    scope.report(
        "FW138",
        name.at,
        f"`{name.text}` is an interface, and the name of something else",
        "does `in` mean the interface?",
        "call the set something else",
    )


def declared(scope: Scope) -> dict[str, list[Name]]:
    """The interfaces that declarations hold, each with the declarations that name it."""
    found: dict[str, list[Name]] = {}
    for name, entry in scope.names.items():
        if entry.content.kind == "interface":
            for item in _leaves(entry.content.value):
                other = scope.names.get(item.text) if isinstance(item, Word) and item.text != name else None
                if other is None or other.content.kind != "interface":
                    found.setdefault(item.text, []).append(entry)
    return found


def _leaves(expr: Expr) -> Iterator[Word | String]:
    """The words of an expression. It may be nested deep: no recursion."""
    left: list[Expr] = [expr]
    while left:
        now = left.pop()
        if isinstance(now, Word | String):
            yield now
        elif isinstance(now, Set):
            left += reversed(now.items)
        elif isinstance(now, Not):
            left.append(now.term)
        elif isinstance(now, Except):
            left += reversed((now.base, *now.excluded))


def _word(scope: Scope, item: Word | String, one: bool, declaring: str = "") -> IntervalSet | None:
    try:
        if isinstance(item, Word):
            scope.no_commas(item)
            if item.text == "none":
                if declaring:
                    help = "a rule says `in none`, or `in { none, NAME }`"
                    raise Mistake("FW125", "`none` is not an interface", "stands for none recorded", help)
                return IntervalSet.single(0)
            entry = None if item.text == declaring else scope.named(item, "interface")
            if entry is not None:
                return declaration(scope, entry)
            _plain_interface(scope, item, one, declaring)
        elif not item.text:
            raise Mistake(
                "FW125",
                "an interface has a name",
                "empty",
                "write `none` for an interface that is not recorded",
                "none",
            )
        found = _number(item.text)
        _mention(scope, item, declaring)
    except Mistake as error:
        scope.mistake(error, item.at)
    except PacketError:
        help = f"a name has at most {INTERFACE_BYTES} bytes, the first of them not NUL"
        scope.report("FW125", item.at, "no interface can have this name", "too long, or begins with NUL", help)
    else:
        return found
    return None


def _number(text: str) -> IntervalSet:
    return IntervalSet.single(interface_number(text))


def _mention(scope: Scope, item: Word | String, declaring: str) -> None:
    """Counts the mention of an interface in a rule or claim for the declarations that hold it.

    Raises:
        Mistake: if there are declarations, and none does.
    """
    if declaring or not any(entry.content.kind == "interface" for entry in scope.names.values()):
        return
    known = scope.interfaces
    if known is None:
        known = scope.interfaces = declared(scope)
    if item.text in known:
        for entry in known[item.text]:
            scope.mention(entry, item.at)
    elif not scope.missing:  # it may have been declared by what could not be parsed
        message, label, help = undeclared(item.text, (every := [*declared_names(scope), *known]))
        near = names.near(item.text, every) if len(item.text) < 80 else []
        raise Mistake("FW137", message, label, help, *near)


def declared_names(scope: Scope) -> list[str]:
    return [name for name, entry in scope.names.items() if entry.content.kind == "interface"]


def undeclared(text: str, known: list[str]) -> tuple[str, str, str]:
    """What to say of a name that no declaration knows: message, label, help."""
    short = text if len(text) < 60 else text[:57] + "…"
    near = names.near(text, known) if len(text) < 80 else []
    help = f"did you mean `{near[0]}`?" if near else f"declare it with `interface NAME = {short}`"
    return f"`{short}` is not a declared interface", "not declared", help


def _plain_interface(scope: Scope, word: Word, one: bool, declaring: str) -> None:
    text = word.text
    short = text if len(text) < 60 else text[:57] + "…"
    name = f'"{text}"'
    quoted = f'write `"{short}"` for an interface of that name'
    if text == "any":
        raise Mistake(
            "FW125",
            "`any` is not an interface",
            "any recorded one, or any at all?",
            "leave the option out, or write `not none` for a recorded one",
        )
    if "*" in text or (text.endswith("+") and not one):
        raise Mistake(
            "FW125",
            f"`{short}` looks like a pattern",
            "interfaces have no wildcards",
            f"list the interfaces in braces, or {quoted}",
        )
    if not _PLAIN_INTERFACE.fullmatch(text):
        raise Mistake("FW125", f"`{short}` is not a plain interface name", "a name begins with a letter", quoted, name)
    if not one and text.lower() in NEARLY_NONE:
        raise Mistake(
            "FW125",
            f"`{short}` is nearly `none`",
            "an interface, or none recorded?",
            f"did you mean `none`? {quoted}",
            "none",
            name,
        )
    entry = scope.names.get(text)
    if entry is not None and text != declaring:
        raise Mistake(
            "FW127", f"`{short}` is {NOUN[entry.content.kind]}, not an interface", "expected an interface", quoted
        )
