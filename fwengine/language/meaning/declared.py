"""The interfaces that a policy declares, as a value: which interface a packet's `in` or `out` means under them."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import PacketError
from ...model.fields import interface_name, interface_number
from ...model.interval import IntervalSet
from . import interfaces
from .lower import Lowering
from .names import Names
from .region import show_interfaces


@dataclass(frozen=True)
class Declared:
    """`sets` by declared name; `members` are the interfaces that declarations hold. Both empty if nothing is declared."""

    sets: dict[str, IntervalSet]
    members: tuple[str, ...]

    @classmethod
    def of(cls, names: Names) -> Declared:
        lowering = Lowering()
        lowering.collect(names.statements)
        scope = lowering.scope
        sets = {}
        for name, entry in scope.names.items():
            if entry.content.kind == "interface":
                scope.begin(entry.statement.span.file, entry.statement.span.line)
                found = interfaces.declaration(scope, entry)
                if found:
                    sets[name] = found
        return cls(sets, tuple(interfaces.declared(scope)) if sets else ())

    def one(self, name: str) -> str:
        """The interface that a name means.

        Raises:
            PacketError: if no declaration knows the name, or it stands for several.
        """
        if not self.sets or not name:
            return name
        known = self.sets.get(name)
        if known is None and name not in self.members:
            message, _, help = interfaces.undeclared(name, [*self.sets, *self.members])
            raise PacketError(f"{message}: {help}")
        if known is None or known == IntervalSet.single(interface_number(name)):
            return name
        if known.size != 1:
            raise PacketError(f"`{name}` is {show_interfaces(known)}: a packet has one interface")
        return interface_name(known.lo)
