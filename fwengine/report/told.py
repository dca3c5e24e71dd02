"""The codes of what answers say of places: to annotate a pull request, and for readers of SARIF. Findings have their own."""

from __future__ import annotations

from typing import Final

FOUND: Final = "FW601"
REFUTED: Final = "FW602"
NEWLY_ALLOWED: Final = "FW603"
NEWLY_DENIED: Final = "FW604"
UNMET: Final = "FW605"
DECIDED: Final = "FW606"
UNEXERCISED: Final = "FW607"
NOT_CANONICAL: Final = "FW608"

EXPLANATIONS: dict[str, str] = {
    FOUND: "The rule decides packets that a query asked for. It is information: whether they should fare so is yours to say.",
    REFUTED: "A claim about a policy is not true: the packet named is one that it speaks of, and fares otherwise. Correct the "
    "policy, or the claim. A claim about no packet proves nothing, and is told under this code, too.",
    NEWLY_ALLOWED: "The new policy allows packets that the old one denies, by the rule named. Each region has a packet of it; "
    "nothing outside the regions changes.",
    NEWLY_DENIED: "The new policy denies packets that the old one allows, by the rule named. Each region has a packet of it; "
    "nothing outside the regions changes.",
    UNMET: "An expectation does not hold: the packet named is one that it speaks of, and fares otherwise. An expectation about "
    "no packet does not hold either.",
    DECIDED: "The rule decides a packet that was asked about. It is an error where `--expect` says otherwise.",
    NOT_CANONICAL: "The text is not in canonical form. `fwengine fmt` writes it so, comments kept; the policy means the same.",
    UNEXERCISED: "No packet of the captures was decided by the rule. It may be right, and of no use; or the captures are too few.",
}
