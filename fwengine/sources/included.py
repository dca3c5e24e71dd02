"""Another firewall's policy that a file of expectations includes: which it is, as flat rules."""

from __future__ import annotations

from dataclasses import replace

from ..errors import Diagnostic, Label, PolicyError
from ..language.syntax import ast
from .foreign import Flat, Reading, beside, one_of
from .gathering import Gathered
from .source import Source


def included(found: Gathered, reading: Reading | None, source: Source) -> Flat:
    """Another firewall's policy that a file includes, which has expectations then, and no rules of its own.

    Raises:
        PolicyError: if it has rules, or includes several.
    """
    one, *more = found.foreign
    own = next((s for s in found.statements if isinstance(s.content, ast.Rule | ast.Default)), None)
    if own is not None or more:
        place = own.span if own is not None else more[0].at
        message = (
            "a policy of another firewall stands alone: what includes it has neither rules nor a default, and no other"
        )
        label = Label(one.at, "included here")
        raise PolicyError(
            [
                Diagnostic(
                    "FW459", message, place, help="put expectations about it into a file of their own", labels=(label,)
                )
            ],
            found.texts,
        )
    in_doubt = "depends" if reading is None else reading.in_doubt
    flats = one_of(one.text, one.file, Reading(policy=one.policy, in_doubt=in_doubt), beside=beside(source))
    if not flats:
        message = f"`{one.file}` is not of another firewall: nothing is chosen from it"
        raise PolicyError([Diagnostic("FW459", message, one.at, help="leave out `from`")], found.texts)
    return replace(flats[0], imported=replace(flats[0].imported, included=True))
