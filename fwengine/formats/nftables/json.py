"""The JSON of `nft -j list ruleset` -> tables, as `text` makes them of nft's own language.

All of it stands on one line as a rule, so a place is the column at which a rule begins. Schema: libnftables-json(5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import Span
from ..placed import Items, Members, NotJsonError, Placed
from .syntax import (
    REMEMBERED,
    Chain,
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
    Statement,
    Table,
    Tables,
    Test,
    Value,
    Verdict,
    Word,
)
from .words import RefusedError, short

Failed = Callable[..., None]
_AGAIN = "save it again: `nft -j list ruleset > FILE`"
_COMMANDS = frozenset({"add", "create", "insert", "flush"})  # as `nft -j -f` takes them
_SAVE = "save what is loaded: `nft -j list ruleset`"
_VERDICTS = frozenset({"accept", "drop", "continue", "return", "jump", "goto", "reject", "queue"})
_NOTHING = frozenset({"counter", "log", "notrack", "xt_comment", "dup", "secmark", "ct helper", "ct timeout", "flow"})
_DOUBTED = frozenset({"limit", "quota", "ct count", "meter", "last"})
_OPS = {"==": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "in": "", "!": "!"}


def read(text: str, file: str, failed: Failed) -> Tables:
    """The tables of a document; what is not understood goes to `failed`.

    Raises:
        RefusedError: if it is not what `nft -j list ruleset` prints.
    """
    try:
        placed = Placed(text, file)
    except NotJsonError as error:
        failed(RefusedError(None, f"this is not JSON: {error.message}", _AGAIN, "FW406"), error.span)
        return {}
    items = placed.root.get("nftables") if isinstance(placed.root, Members) else None
    if not isinstance(items, Items):
        raise RefusedError(None, "there is no list `nftables` in it", "`nft -j list ruleset` prints one", "FW406")
    return _Json(placed, failed).all(items)


class _Json:
    def __init__(self, placed: Placed, failed: Failed) -> None:
        self.placed, self.failed = placed, failed
        self.tables: Tables = {}

    def all(self, items: Items) -> Tables:
        for item, (begin, _) in zip(items, items.at, strict=True):
            if not isinstance(item, Members) or len(item) != 1:
                raise RefusedError(None, "an object of the list is not one of nft's", code="FW406")
            ((kind, body),) = item.items()
            span = self.placed.span((begin, begin + len(kind) + 3))
            command = "add"
            if kind in _COMMANDS and isinstance(body, dict) and len(body) == 1:
                command = kind
                ((kind, body),) = body.items()
            try:
                if command == "flush":
                    self._flushed(kind)
                else:
                    self._item(kind, body, span, inserted=command == "insert")
            except RefusedError as error:
                self.failed(error, span)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError):
                self.failed(RefusedError(None, f"a {short(kind)} is not as nft prints it", code="FW406"), span)
        return self.tables

    def _flushed(self, kind: str) -> None:
        if kind != "ruleset":
            raise RefusedError(None, f"`flush {short(kind)}` changes what is loaded", _SAVE)
        self.tables.clear()

    def _item(self, kind: str, body: Any, span: Span, *, inserted: bool) -> None:
        if kind == "metainfo":
            return
        if kind == "table":
            key = body["family"], body["name"]
            self.tables.setdefault(key, Table(*key, span))
            return
        if kind not in ("chain", "rule", "set", "map", "element"):
            if kind in ("add", "create", "insert", "delete", "flush", "replace", "rename", "reset", "list"):
                raise RefusedError(None, f"`{kind}` is a command", _SAVE)
            return  # objects that rules may use: counters, limits, helpers
        table = self.tables.get((body["family"], body["table"]))
        if table is None:
            raise RefusedError(None, f"there is no table `{body['family']} {body['table']}`", code="FW404")
        if kind == "chain":
            table.chains[body["name"]] = Chain(
                body["name"], span, [], body.get("type", ""), body.get("hook", ""), str(body.get("prio", "")),
                body.get("policy", "accept"),
            )  # fmt: skip
        elif kind == "rule":
            if "index" in body or "position" in body:
                raise RefusedError(None, "a rule asks for a place in what is loaded", _SAVE)
            rules = table.chains[body["chain"]].rules
            rules.insert(0 if inserted else len(rules), self._rule(table, body, span))
        else:
            found = table.sets.setdefault(body["name"], Set(body["name"]))
            found.changes = (
                found.changes or "timeout" in body or bool({"dynamic", "timeout"} & set(_list(body.get("flags", []))))
            )
            found.elements += [_element(one) for one in body.get("elem", [])]

    def _rule(self, table: Table, body: dict[str, Any], span: Span) -> Rule:
        statements: list[Statement] = []
        log = False
        for one in body["expr"]:
            ((kind, inner),) = one.items()
            log = log or kind == "log"
            if kind == "set":  # that a set is `dynamic` is not printed by nft up to 1.0
                name = inner["set"].removeprefix("@")
                table.sets.setdefault(name, Set(name)).changes = True
            found = _statement(kind, inner)
            if found is not None:
                statements.append(found)
        handle = f"rule of chain {body['chain']}" + (f", handle {body['handle']}" if "handle" in body else "")
        return Rule(tuple(statements), span, handle, body.get("comment"), log)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statement(kind: str, body: Any) -> Statement | None:
    if kind in _NOTHING:
        return None
    if kind in _DOUBTED:
        return Doubt(kind)
    if kind in _VERDICTS:
        return _verdict({kind: body})
    if kind == "match":
        return _test(body)
    if kind == "vmap":
        data = body["data"]
        if isinstance(data, str):
            return Choice(_keys(body["key"]), (), data.removeprefix("@"))
        return Choice(_keys(body["key"]), tuple(_choice(one) for one in data["set"]))
    if kind == "mangle":
        (key,) = _keys(body["key"])
        if key.family not in ("meta", "ct"):
            return Refused(f"{key} set")
        return Doubt(f"{key} set: of what the packet may lack") if isinstance(body["value"], dict) else None
    if kind == "set":
        rates = any({"limit", "quota"} & set(one) for one in _list(body.get("stmt", [])))
        return Doubt(body["op"] if rates else f"{body['op']} @set: {REMEMBERED}")
    if kind == "xt":
        raise RefusedError(None, "a rule of iptables within nft shows no content", "save it by `iptables-save`")
    return Refused(kind)


def _verdict(body: dict[str, Any]) -> Verdict:
    ((kind, inner),) = body.items()
    if kind not in _VERDICTS:
        raise RefusedError(None, f"`{short(str(kind))}` is not a verdict")
    return Verdict(kind, inner["target"] if kind in ("jump", "goto") else "")


def _choice(one: Any) -> tuple[Value | None, Verdict]:
    value, done = one
    return (None if value == "*" else _value(_bare(value))), _verdict(done)


def _element(one: Any) -> tuple[Value | None, Verdict | None]:
    if isinstance(one, list) and len(one) == 2:
        value, done = one
        verdict = _verdict(done) if isinstance(done, dict) and set(done) & _VERDICTS else None
        return (None if value == "*" else _value(_bare(value))), verdict
    return _value(_bare(one)), None


def _bare(value: Any) -> Any:
    return value["elem"]["val"] if isinstance(value, dict) and "elem" in value else value


def _test(body: dict[str, Any]) -> Statement:
    op = body["op"]
    if op not in _OPS:
        raise RefusedError(None, f"`{short(str(op))}` is not an operator that is understood")
    left, mask = body["left"], None
    if isinstance(left, dict) and "&" in left:
        left, *masks = left["&"]
        if len(masks) != 1:
            raise RefusedError(None, "a condition has several masks, which is not understood")
        mask = _value(masks[0], bits=True)
    keys = _keys(left)
    if keys[0].family in _OTHERS:
        return Doubt(str(keys[0]))
    bits = mask is not None or (len(keys) == 1 and keys[0] == Key("tcp", "flags"))
    return Test(keys, _OPS[op], _value(body["right"], bits=bits), mask)


_OTHERS = frozenset(
    {"fib", "socket", "osf", "rt", "ipsec", "numgen", "jhash", "symhash", "tcp option", "exthdr", "ip option", "raw"}
)


def _keys(left: Any) -> tuple[Key, ...]:
    if not isinstance(left, dict) or len(left) != 1:
        raise RefusedError(None, "a condition compares what is not understood")
    ((kind, body),) = left.items()
    if kind == "concat":
        return tuple(key for one in body for key in _keys(one))
    if kind == "payload":
        return (Key(body["protocol"], body["field"]) if "field" in body else Key("raw", "payload"),)
    if kind == "meta":
        return (Key("meta", body["key"]),)
    if kind == "ct":
        return (Key("ct", " ".join(filter(None, [body.get("dir", ""), body["key"]]))),)
    if kind == "exthdr" and isinstance(body, dict) and body.get("name") == "frag" and "field" in body:
        return (Key("frag", body["field"]),)
    if kind in _OTHERS:
        return (
            Key(
                kind,
                str(body.get("key") or body.get("name") or body.get("result") or "") if isinstance(body, dict) else "",
            ),
        )
    raise RefusedError(None, f"`{short(kind)}` is not a condition that is understood")


def _value(value: Any, *, bits: bool = False) -> Value:
    if isinstance(value, bool):
        return Word("1" if value else "0")
    if isinstance(value, str | int):
        text = str(value)
        return Named(text[1:]) if text.startswith("@") else Word(text)
    if isinstance(value, list):
        return Several(tuple(_value(one) for one in value), "bits" if bits else "list")
    ((kind, body),) = value.items()
    if kind == "set":
        return Several(tuple(_value(_bare(one), bits=bits) for one in _list(body)))
    if kind == "range":
        return Range(_value(body[0]), _value(body[1]))
    if kind == "prefix":
        return Prefix(_value(body["addr"]), int(body["len"]))
    if kind == "concat":
        return Concat(tuple(_value(one) for one in body))
    if kind == "|":
        return Several(tuple(_value(one) for one in body), "bits")
    if kind == "elem":
        return _value(body["val"])
    raise RefusedError(None, f"`{short(kind)}` is not a value that is understood")
