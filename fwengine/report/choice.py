"""Which packets of captures are told of."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..model.rules import Action


class Choice(NamedTuple):
    """Packets of one verdict, packets that some rules decide (by index, the default being the last); None: all of them."""

    action: Action | None = None
    rules: frozenset[int] | None = None

    def takes(self, action: Action | None, rule: int | None) -> bool:
        return self.action in (None, action) and (self.rules is None or rule in self.rules)


EVERY: Final = Choice()
