"""What `terraform show -json` prints of a plan or a state -> its resources, before and after, and what refers to what.

A value that is not known before the plan is applied stands nowhere in it; the configuration then tells which resources it comes from.

Source: Terraform documentation, "JSON Output Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..placed import Members, Placed
from .words import Item, RefusedError

_CALL = re.compile(r'module\.([\w-]+)(\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?\.?')
_NAMED = re.compile(r'(?:(data)\.)?([\w-]+)\.([\w-]+)(\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?')
_SETTLED = ("each.key", "count.", "path.", "terraform.")  # known before a plan is made
MAX_STEPS = 20  # from reference to reference


@dataclass(frozen=True)
class Resource:
    """One instance of a resource, or of a data source, with its attributes."""

    address: str
    type: str
    name: str
    module: str  # the address of its module; empty for the root
    is_data: bool
    item: Item

    @property
    def id(self) -> str | None:
        return self.item.text("id")


class Plan:
    """The resources of one text: `after` those planned, or of a state those that there are; `before` None for a state.

    Raises:
        RefusedError: if it is neither.
    """

    def __init__(self, placed: Placed) -> None:
        self.placed = placed
        root = Item(placed, placed.root)
        self._configuration = _within(placed.root, "configuration", "root_module")
        self.before: list[Resource] | None = None
        if "lineage" in root:
            text = "this is the file in which terraform keeps its state"
            raise RefusedError(root.place("lineage"), text, "`terraform show -json > state.json` tells it", "FW407")
        if root.flag("errored"):
            raise RefusedError(root.place("errored"), "the plan is not whole: planning failed", _AGAIN, "FW406")
        if "values" in root:
            self.after = list(self._module(root.inner("values")))
        elif "resource_changes" in root or "planned_values" in root:
            changes = [self._change(one) for one in root.many("resource_changes") if "deposed" not in one]
            touched = {address for address, _, _ in changes}
            self.before = [old for _, old, _ in changes if old is not None]
            self.after = [new for _, _, new in changes if new is not None]
            prior = root.inner("prior_state")
            self.before += self._others(prior.inner("values") if prior is not None else None, touched)
            self.after += self._others(root.inner("planned_values"), touched)
            known = {one.address for one in self.after}
            self.after += [one for one in self.before if one.is_data and one.address not in known]
        else:
            raise RefusedError(root.place(), "there is neither a plan nor a state of terraform in it", _SHOW, "FW407")

    def _others(self, values: Item | None, touched: set[str]) -> list[Resource]:
        return [one for one in self._module(values) if one.address not in touched]

    def _module(self, values: Item | None) -> Iterator[Resource]:
        """The resources of a module and of those within, of `values`."""
        left = [(values.inner("root_module") if values is not None else None, "")]
        while left:
            module, address = left.pop()
            if module is None:
                continue
            for one in module.many("resources"):
                attributes = one.inner("values")
                if attributes is not None:
                    yield self._resource(one, address, attributes)
            left += [(child, child.text("address") or "") for child in module.many("child_modules")]

    def _resource(self, one: Item, module: str, attributes: Item) -> Resource:
        is_data = one.text("mode") == "data"
        return Resource(one.needed("address"), one.needed("type"), one.needed("name"), module, is_data, attributes)

    def _change(self, one: Item) -> tuple[str, Resource | None, Resource | None]:
        """A resource's address, what it was, and what it becomes."""
        change = one.inner("change")
        if change is None:
            raise RefusedError(one.place("change"), "`change` is missing", code="FW406")
        module = one.text("module_address") or ""
        old, new = change.inner("before"), change.inner("after")
        if new is not None:
            new = Item(self.placed, new.members, change.members.get("after_unknown"))
        made = [None if side is None else self._resource(one, module, side) for side in (old, new)]
        return one.needed("address"), made[0], made[1]

    # References

    def referred(self, resource: Resource, attribute: str) -> tuple[list[Resource], bool]:
        """The planned resources that an attribute which is not known yet comes from, and whether these are all."""
        resources: Any = _within(self._configured(resource.module), "resources")
        asked = resource.type, resource.name, "data" if resource.is_data else "managed"
        for one in resources if isinstance(resources, list) else ():
            if (_within(one, "type"), _within(one, "name"), _within(one, "mode") or "managed") == asked:
                references = _within(one, "expressions", attribute, "references")
                return self._resolved(references, resource.module, MAX_STEPS) if references else ([], False)
        return [], False

    def _resolved(self, references: Any, module: str, steps: int) -> tuple[list[Resource], bool]:
        """Of the references of one expression; no reference is a value that is known, and comes from no resource."""
        if steps == 0 or not isinstance(references, list) or not all(isinstance(one, str) for one in references):
            return [], references is None
        found: dict[str, Resource] = {}
        whole = True
        for reference in references:
            if any(other.startswith((f"{reference}.", f"{reference}[")) for other in references):
                continue  # it stands beside what is meant
            if not reference.startswith(_SETTLED):
                some, all_of_them = self._one(reference, module, steps)
                found |= {one.address: one for one in some}
                whole = whole and all_of_them
        return list(found.values()), whole

    def _one(self, reference: str, module: str, steps: int) -> tuple[list[Resource], bool]:
        kind, _, rest = reference.partition(".")
        if kind == "var":
            *outer, call = _calls(module) or [("", "")]
            above = "".join(f"module.{name}{index}." for name, index in outer).rstrip(".")
            asked = "module_calls", call[0], "expressions", re.split(r"[.\[]", rest)[0], "references"
            return self._resolved(_within(self._configured(above), *asked) if call[0] else None, above, steps - 1)
        if kind == "module":
            called = _CALL.match(reference)
            output = re.split(r"[.\[]", reference[called.end() :])[0] if called is not None else ""
            if called is None or not output:
                return [], False
            inner = [m for m in self._modules() if _parent(m) == module and _calls(m)[-1][0] == called[1]]
            inner = [m for m in inner if called[2] is None or m.endswith(called[2])]
            each = [self._resolved(_within(self._configured(m), "outputs", output, "expression", "references"), m, steps - 1)
                    for m in inner]  # fmt: skip
            return [one for some, _ in each for one in some], bool(each) and all(whole for _, whole in each)
        named = _NAMED.match(reference)
        if named is None or kind in ("local", "each"):
            return [], False
        data, type_, name, index = named.groups()
        asked_ = module, bool(data), type_, name
        same = [one for one in self.after if (one.module, one.is_data, one.type, one.name) == asked_]
        return [one for one in same if index is None or one.address.endswith(f".{name}{index}")], bool(same)

    def _modules(self) -> set[str]:
        return {one.module for one in self.after if one.module}

    def _configured(self, module: str) -> Any:
        """The configuration of a module, by its address."""
        found = self._configuration
        for name, _ in _calls(module):
            found = _within(found, "module_calls", name, "module")
        return found


def _calls(module: str) -> list[tuple[str, str]]:
    """The names and instances of the calls that lead to a module."""
    return [(found[1], found[2] or "") for found in _CALL.finditer(module)]


def _parent(module: str) -> str:
    return ".".join(f"module.{name}{index}" for name, index in _calls(module)[:-1])


def _within(value: Any, *keys: str) -> Any:
    """What stands there in objects within objects; None if there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Members) else None
    return value


_SHOW = "run `terraform plan -out tfplan`, then `terraform show -json tfplan`"
_AGAIN = f"plan again; {_SHOW}"
