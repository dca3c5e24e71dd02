"""What Hypothesis calls when it is imported: `st.from_type(Packet)` and its like are told what to draw.

Every program that imports Hypothesis pays for this, so only the core's four types are loaded; the strategies follow when
one is asked for. Source: Hypothesis' manual, on third-party extensions by entry points.
"""

from __future__ import annotations

from typing import Any


def register() -> None:
    """Registers strategies for `Packet`, `Box`, `Rule` and `Policy`."""
    from hypothesis import strategies as st

    from .model.box import Box
    from .model.packet import Packet
    from .model.rules import Rule
    from .policy import Policy

    def packets(_: type[Any]) -> st.SearchStrategy[Packet]:
        from .strategies import packets

        return packets()

    def boxes(_: type[Any]) -> st.SearchStrategy[Box]:
        from .strategies import boxes

        return boxes()

    def rules(_: type[Any]) -> st.SearchStrategy[Rule]:
        from .strategies import rules

        return rules()

    def policies(_: type[Any]) -> st.SearchStrategy[Policy]:
        from .strategies import policies

        return policies()

    st.register_type_strategy(Packet, packets)
    st.register_type_strategy(Box, boxes)
    st.register_type_strategy(Rule, rules)
    st.register_type_strategy(Policy, policies)
