"""One edit made, or taken back: what `analysis.causes` promises of a change and its cause, tried on packets of it."""

from __future__ import annotations

from support.points import point_of

from fwengine.analysis.diff import Change
from fwengine.analysis.edits import Edit, Edits
from fwengine.model.ruleset import RuleSet, decide


def merged(made: Edits, old: RuleSet, new: RuleSet, edit: Edit, *, taken_back: bool) -> RuleSet:
    """The old rules with one edit made, or the new ones with one taken back."""
    gone = set(edit.old) if taken_back else set(range(len(old.rules))) - set(edit.old)
    come = set(range(len(new.rules))) - set(edit.new) if taken_back else set(edit.new)
    kept_old, kept_new = {i for i, _ in made.pairs}, {j for _, j in made.pairs}
    chosen = [(made.old_at[i], old.rules[i]) for i in range(len(old.rules)) if i in kept_old or i in gone]
    chosen += [(made.new_at[j], new.rules[j]) for j in range(len(new.rules)) if j not in kept_new and j in come]
    chosen.sort(key=lambda pair: pair[0])
    default = (old if taken_back == (edit.kind == "default") else new).default
    return RuleSet(tuple(rule for _, rule in chosen), default, old.as_of)


def holds(made: Edits, old: RuleSet, new: RuleSet, edit: Edit, change: Change) -> None:
    """What `causes` promises, of the witness and of corners of the region."""
    points = [point_of(change.witness)]
    for piece in change.box.pieces[:2]:
        points += [tuple(s.lo for s in piece.sets), tuple(s.hi for s in piece.sets)]
    higher = made.old_at[change.old_rule] <= made.new_at[change.new_rule]
    touched_new = change.new_rule in edit.new
    back = change.old_rule in edit.old and (higher or not touched_new)
    assert back or touched_new
    other = merged(made, old, new, edit, taken_back=back)
    for point in points:
        assert decide(old, point).action is not decide(new, point).action
        assert decide(other, point).action is (change.old if back else change.new)
