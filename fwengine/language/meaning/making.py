"""Rules from data: `Rule.allow("tcp", src="10.0.0.0/8", dport=443)` -> the line of the language that says so -> its meaning.

Each condition is an expression of the language and nothing else: what would say more than its own condition is refused.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Literal, cast

from ...errors import NOWHERE, Diagnostic, PolicyError, Span
from ...model.fields import OPTIONS
from ...model.rules import Action, Rule
from ...registry import names
from ..syntax import ast
from ..syntax.ast import End, Expr, Match, Option, Statement, Word
from ..syntax.parser import parse, parse_region
from ..syntax.printer import show_statement
from .lower import lower

_FILE = "<rule>"
_ENDS = {"src": "from", "dst": "to"}
_PORTS = {"sport": "src", "dport": "dst"}
_OPTIONS = {key: spec.word for spec in OPTIONS for key in (spec.word, spec.attribute, spec.word + "_", *spec.aliases)}
_KEYWORDS = (
    *_ENDS,
    *_PORTS,
    *(spec.attribute for spec in OPTIONS),
    *("type", "code", "established", "log", "until", "name"),
)


def rule(action: Action, protocol: Any = "any", **conditions: Any) -> Rule:
    """A rule of conditions that are named as the fields of a packet are.

    Args:
        protocol: `"tcp"`, `47`, `["tcp", "udp"]`, a service such as `"udp/domain"`.
        conditions: `src`, `dst`, `sport`, `dport`, `flags`, `type` or `icmp_type`, `code`, `fragment`, `in_interface`,
            `out_interface`, `state`, `dscp`, `ttl`, `length`: expressions of the language, numbers, `range`s, addresses and
            networks of `ipaddress`, or lists of these, which are sets. `established` and `log` are true or not, `until` is
            the last day, `name` the rule's name. None is no condition.

    Raises:
        PolicyError: with a place in the line that the conditions make, or in the condition that is none.
    """
    given = {key: value for key, value in conditions.items() if value is not None and value is not False}
    options: list[Option] = []
    parts: dict[str, Expr] = {}
    for key, value in given.items():
        if key in ("established", "log"):
            if value is not True:
                raise _refused(f"`{key}` is True or False", f"{key}={value!r}")
            options.append(Option(key))
        elif key == "until":
            day = value.isoformat() if isinstance(value, datetime.date) else str(value)
            options.append(Option("until", _condition("until", day)))
        elif key == "name":
            options.append(Option("as", _condition("as", value)))
        elif key in _ENDS or key in _PORTS:
            parts[key] = _condition(key, value)
        elif key in _OPTIONS:
            options.append(Option(_OPTIONS[key], _condition(_OPTIONS[key], value)))
        else:
            near = names.near(key, _KEYWORDS)
            help = f"did you mean `{near[0]}`?" if near else f"they are {', '.join(_KEYWORDS)}"
            raise _refused(f"no condition of a rule is called `{key}`: {help}", key)
    ends = [_end(parts.get(side), parts.get(port)) for port, side in _PORTS.items()]
    if ends[0] is None and ends[1] is not None:
        ends[0] = End(Word("any"))
    match = Match(_protocol(protocol), ends[0], ends[1], tuple(options))
    content = ast.Rule(cast("Literal['allow', 'deny']", action.value), match)
    text = show_statement(Statement(content))
    made = lower(parse(text, _FILE).statements, sources={_FILE: text}).whole({_FILE: text}).rules[0]
    return replace(made, span=NOWHERE)


def _end(addresses: Expr | None, ports: Expr | None) -> End | None:
    return None if addresses is None and ports is None else End(addresses or Word("any"), ports)


def _protocol(value: Any) -> Expr:
    text = _text("protocol", value)
    match = parse_region(text, "<protocol>")
    if not isinstance(match, Match) or match != Match(match.protocol):
        raise _refused("`protocol` is a protocol or a service, and nothing behind it", text)
    return match.protocol


def _condition(key: str, value: Any) -> Expr:
    """The expression that a value says."""
    text = _text(key, value)
    if key in _ENDS:
        match = parse_region(f"any {_ENDS[key]} {text}", f"<{key}>")
        found = match.source or match.target if isinstance(match, Match) else None
        end = End(found.addresses) if found else None
        whole = Match(Word("any"), end) if key == "src" else Match(Word("any"), None, end)
        expr = found.addresses if found else None
    elif key in _PORTS:
        match = parse_region(f"any from any port {text}", f"<{key}>")
        found = match.source if isinstance(match, Match) else None
        whole = Match(Word("any"), End(Word("any"), found.ports if found else None))
        expr = found.ports if found else None
    else:
        match = parse_region(f"any {key} {text}", f"<{key}>")
        option = match.options[0] if isinstance(match, Match) and match.options else None
        whole = Match(Word("any"), options=(option,) if option else ())
        expr = option.value if option else None
    if expr is None or match != whole:
        raise _refused(f"`{key}` says more than one condition", text)
    return expr


def _text(key: str, value: Any) -> str:
    """A value in the language."""
    if isinstance(value, bool) or value is None:
        raise _refused(f"`{key}` is no truth value", repr(value))
    if isinstance(value, range):
        if value.step != 1 or not value:
            raise _refused(f"`{key}` takes a range of step 1 that holds something", repr(value))
        return f"{value.start}-{value.stop - 1}" if len(value) > 1 else str(value.start)
    if isinstance(value, str):
        return value
    if isinstance(value, Collection) and not hasattr(
        value, "version"
    ):  # networks of `ipaddress` are iterable, and no lists
        items = [_text(key, item) for item in value]
        if isinstance(value, set | frozenset):
            items.sort()
        if not items:
            raise _refused(f"`{key}` is a list of nothing: no packet would match", repr(value))
        return items[0] if len(items) == 1 else "{ " + ", ".join(items) + " }"
    return str(value)


def _refused(message: str, text: str) -> PolicyError:
    span = Span(_FILE, 1, 1, 1, max(2, len(text) + 1))
    return PolicyError([Diagnostic("FW010", message, span, "here")], {_FILE: text})
