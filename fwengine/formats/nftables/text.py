"""nft's text -> tables: blocks, `add …` commands, definitions, sets and maps. Rules are read by `rules`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .includes import Included
from .rules import Cursor, element_map, elements, rule
from .syntax import Chain, Set, Table, Tables
from .words import RefusedError, Token, short

FAMILIES = ("ip", "ip6", "inet", "arp", "bridge", "netdev")
_SAVE = "save what is loaded: `nft list ruleset > FILE`"
_CUT = "save the rules again: `nft list ruleset > FILE`"


def read(included: Included, texts: Mapping[str, str], failed: Callable[[RefusedError], None]) -> Tables:
    """The tables of a text. What is not understood goes to `failed`, and the next statement is gone on with."""
    reader = _Text(Cursor(included.tokens, texts), failed)
    reader.all()
    return reader.tables


class _Text:
    def __init__(self, cursor: Cursor, failed: Callable[[RefusedError], None]) -> None:
        self.c = cursor
        self.failed = failed
        self.tables: Tables = {}

    def all(self) -> None:
        while not self.c.done:
            if self.c.skip_ends():
                continue
            try:
                self._command()
            except RefusedError as error:
                self.failed(error)
                self.c.to_end()
                self.c.accept("}")  # of a block that was not understood

    def _command(self) -> None:
        token = self.c.take("a statement")
        match token.text:
            case "table":
                self._table()
            case "flush" | "delete" | "destroy":
                self._gone(token)
            case "define" | "redefine" | "undefine":
                self._define(token)
            case "add" | "create" | "insert":
                self._add(token)
            case "reset" | "replace" | "rename":
                raise RefusedError(token, f"`{token.text}` changes what is loaded", _SAVE)
            case "nft":
                raise RefusedError(
                    token, "this is a shell script that calls nft, not a file of nft's", f"run it, and {_SAVE}"
                )
            case "Chain":
                raise RefusedError(token, "this is a listing of iptables", "save the rules: `iptables-save > FILE`")
            case _:
                raise RefusedError(
                    token,
                    f"`{short(token.text)}` is not a statement that is understood",
                    "a file holds tables: `table inet filter { … }`",
                )

    def _gone(self, token: Token) -> None:
        """What empties or removes: a whole rule set, or a part of what stands above."""
        what = self.c.take("what is removed")
        if what.text == "ruleset":
            family = self.c.take("a family").text if self.c.text in FAMILIES else None
            for key in [key for key in self.tables if family in (None, key[0])]:
                del self.tables[key]
            return
        if what.text not in ("table", "chain", "set", "map", "element"):
            raise RefusedError(what, f"`{token.text} {short(what.text)}` changes what is loaded", _SAVE)
        key = self._table_name()
        table = self.tables.get(key)
        if what.text == "table":
            if table is None:  # of what was loaded before
                return
            if token.text == "flush":
                for chain in table.chains.values():
                    chain.rules.clear()
            else:
                del self.tables[key]
            return
        name = self.c.take("a name")
        found = None if table is None else (table.chains if what.text == "chain" else table.sets).get(name.text)
        if table is None or found is None:
            if token.text == "destroy":
                return
            raise RefusedError(name, f"there is no {what.text} `{short(name.text)}`", "add it first", "FW404")
        if what.text == "element":
            assert isinstance(found, Set)
            self._forgotten(found)
        elif token.text != "flush":
            (table.chains if isinstance(found, Chain) else table.sets).pop(name.text)
        elif isinstance(found, Chain):
            found.rules.clear()
        else:
            found.elements.clear()

    def _forgotten(self, found: Set) -> None:
        at = self.c.token
        for value, _ in element_map(self.c):
            kept = [one for one in found.elements if one[0] != value]
            if len(kept) == len(found.elements):
                raise RefusedError(at, f"an element is not written so in set `{short(found.name)}`", _SAVE, "FW404")
            found.elements[:] = kept

    def _define(self, token: Token) -> None:
        name = self.c.take("a name")
        if token.text == "undefine":
            self.c.undefine(name)
            return
        self.c.expect("=")
        self.c.define(name, again=token.text == "redefine")

    def _table_name(self) -> tuple[str, str]:
        family = "ip"
        if self.c.text in FAMILIES and self.c.after(1) not in ("{", "\n", ";"):
            family = self.c.take("a family").text
        return family, self.c.take("the name of a table").text

    def _table(self) -> None:
        at = self.c.token
        key = self._table_name()
        table = self.tables.setdefault(key, Table(*key, self.c.span(at)))
        self.c.skip_lines()
        if not self.c.accept("{"):
            return
        self.c.scopes.append({})
        while not self._closed():
            try:
                self._in_table(table)
            except RefusedError as error:
                self.failed(error)
                self.c.to_end()
        self.c.scopes.pop()

    def _closed(self) -> bool:
        while self.c.skip_ends():
            pass
        if self.c.done:
            raise RefusedError(self.c.token, "a block has no `}`: the file ends too early", _CUT, "FW406")
        return bool(self.c.accept("}"))

    def _in_table(self, table: Table) -> None:
        token = self.c.take("a chain, a set or a map")
        match token.text:
            case "chain":
                self._chain(table, self.c.take("the name of a chain"))
            case "set" | "map":
                self._set(table, self.c.take("a name").text)
            case "flags" | "comment":
                table.dormant = table.dormant or (token.text == "flags" and self.c.has("dormant"))
                self.c.to_end()
            case "counter" | "quota" | "limit" | "ct" | "secmark" | "synproxy" | "flowtable" | "meter":
                self._object()
            case "define" | "redefine" | "undefine":
                self._define(token)
            case _:
                raise RefusedError(token, f"`{short(token.text)}` is not part of a table that is understood")

    def _object(self) -> None:
        """A named object that rules may use; what it does is a matter of theirs."""
        while self.c.text not in ("{", "\n", ";"):
            self.c.take("a name")
        if self.c.text == "{":
            self.c.skip_block()

    def _chain(self, table: Table, name: Token) -> None:
        chain = table.chains.setdefault(name.text, Chain(name.text, self.c.span(name)))
        self.c.skip_lines()
        if not self.c.accept("{"):
            return
        self.c.scopes.append({})
        while not self._closed():
            try:
                self._in_chain(chain)
            except RefusedError as error:
                self.failed(error)
                self.c.to_end()
        self.c.scopes.pop()

    def _in_chain(self, chain: Chain) -> None:
        match self.c.text:
            case "type":
                self._hook(chain)
            case "policy":
                self.c.take("")
                chain.policy = self._policy()
            case "comment":
                self.c.to_end()
            case "devices" | "flags":
                self.c.to_end()
            case "define" | "redefine" | "undefine":
                self._define(self.c.take(""))
            case _:
                chain.rules.append(rule(self.c))

    def _hook(self, chain: Chain) -> None:
        self.c.take("")
        chain.type = self.c.take("filter, nat or route").text
        if self.c.accept("hook"):
            chain.hook = self.c.take("a hook").text
        if self.c.text in ("device", "devices"):
            self.c.take("")
            self.c.accept("=")
            self.c.skip_block() if self.c.text == "{" else self.c.take("a device")
        if self.c.accept("priority"):
            parts = []
            while self.c.text not in (";", "\n", "}"):
                self.c.replace()
                parts.append(self.c.take("a priority").text)
            chain.priority = "".join(parts)

    def _policy(self) -> str:
        self.c.replace()
        token = self.c.take("accept or drop")
        if token.text not in ("accept", "drop"):
            raise RefusedError(token, "a policy is `accept` or `drop`", code="FW403")
        return token.text

    def _set(self, table: Table, name: str) -> None:
        found = table.sets.setdefault(name, Set(name))
        self.c.skip_lines()
        if not self.c.accept("{"):
            return
        while not self._closed():
            token = self.c.take("a part of a set")
            if token.text == "elements":
                self.c.expect("=")
                found.elements += element_map(self.c) if self.c.text == "{" else elements(self.c)
            elif token.text in ("timeout", "gc-interval"):
                found.changes = True
                self.c.to_end()
            else:
                if token.text == "flags":
                    found.changes = found.changes or self.c.has("dynamic", "timeout")
                self.c.to_end()

    def _add(self, token: Token) -> None:
        what = self.c.take("what is added")
        if what.text == "table":
            self._table()
            return
        if what.text not in ("chain", "rule", "set", "map", "element"):
            raise RefusedError(what, f"`{token.text} {short(what.text)}` is not understood")
        key = self._table_name()
        table = self.tables.get(key)
        if table is None:
            raise RefusedError(what, f"there is no table `{' '.join(key)}`", "add it first", "FW404")
        name = self.c.take("a name")
        if what.text == "chain":
            self._chain(table, name)
        elif what.text in ("set", "map"):
            self._set(table, name.text)
        elif what.text == "element":
            known = table.sets.get(name.text)
            if known is None:
                raise RefusedError(name, f"there is no set `{short(name.text)}`", code="FW404")
            known.elements += element_map(self.c)
        else:
            chain = table.chains.get(name.text)
            if chain is None:
                raise RefusedError(name, f"there is no chain `{short(name.text)}`", "add it first", "FW404")
            where = self._where(chain, inserted=token.text == "insert")
            chain.rules.insert(where, rule(self.c))

    def _where(self, chain: Chain, *, inserted: bool) -> int:
        """The place of a rule that is added: `index N` is before the rule of that number, or behind it."""
        if self.c.text in ("position", "handle"):
            raise RefusedError(self.c.token, f"`{self.c.text}` asks for a place in what is loaded", _SAVE)
        if not self.c.accept("index"):
            return 0 if inserted else len(chain.rules)
        token = self.c.take("a number")
        if not (token.text.isascii() and token.text.isdigit()) or int(token.text[:9]) >= len(chain.rules):
            raise RefusedError(token, f"chain `{short(chain.name)}` has no rule `{short(token.text)}`", code="FW404")
        return int(token.text) + (not inserted)
