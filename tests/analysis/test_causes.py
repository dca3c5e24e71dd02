"""Every change of verdicts has one cause, and what is said of causes holds: groups add up, one edit made or taken back does it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from support.generators import SMALL, Seeded, make_policy, make_rule
from support.points import point_of

from fwengine.analysis.align import meaning
from fwengine.analysis.causes import causes
from fwengine.analysis.diff import Change, diff
from fwengine.analysis.edits import Edit, Edits, edits
from fwengine.model.rules import ALLOW, DENY, Rule
from fwengine.model.ruleset import RuleSet, decide


def changed(draw: random.Random, seed: int, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Some rules added, removed, moved, turned round, named anew."""
    out = list(rules)
    for n in range(draw.randint(1, 5)):
        at = draw.randrange(len(out) + 1)
        what = draw.randrange(5)
        if what == 0 or not out:
            out.insert(at, make_rule(Seeded(1000 * seed + n), SMALL))
            continue
        at = min(at, len(out) - 1)
        if what == 1:
            del out[at]
        elif what == 2:
            out.insert(draw.randrange(len(out)), out.pop(at))
        elif what == 3:
            out[at] = replace(out[at], action=out[at].action.other)
        else:
            out[at] = replace(out[at], boxes=make_rule(Seeded(1000 * seed + n), SMALL).boxes)
    return tuple(out)


def versions(seed: int) -> tuple[RuleSet, RuleSet]:
    draw = random.Random(seed)
    old = make_policy(Seeded(seed), SMALL, 8)
    rules = tuple(replace(r, name=f"r{n}" if draw.random() < 0.5 else None) for n, r in enumerate(old.rules))
    default = old.default.other if draw.random() < 0.2 else old.default
    before = RuleSet(rules, old.default, old.as_of)
    return before, RuleSet(changed(draw, seed, rules), default, old.as_of)


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


@pytest.mark.parametrize("start", range(4))
def test_each_change_has_one_cause_and_the_totals_add_up(start: int) -> None:
    seen = dict.fromkeys(("added", "removed", "moved", "edited", "default"), 0)
    for seed in range(start * 75, start * 75 + 75):
        old, new = versions(seed)
        changes = diff(old, new)
        made = edits(old, new)
        found = causes(made, changes)
        assert sorted(map(id, found.changes)) == sorted(map(id, changes))
        assert sum(sum(cause.flows) for cause in found.found) == sum(c.flows for c in changes)
        everyone = [edit for edit in made.all if edit not in found.idle]
        assert {c.edit for c in found.found} <= set(everyone)
        assert set(everyone) == {e for c in found.found for e in (c.edit, *c.besides)}
        for cause in found.found:
            seen[cause.edit.kind] += 1
            assert all(c.new is ALLOW for c in cause.allowed)
            assert all(c.new is DENY for c in cause.denied)
            for change in cause.changes:
                holds(made, old, new, cause.edit, change)
    assert all(seen.values())


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


def test_each_rule_that_was_not_left_alone_belongs_to_one_edit() -> None:
    for seed in range(300):
        old, new = versions(seed)
        made = edits(old, new)
        for rules, side, index in ((old, "old", 0), (new, "new", 1)):
            listed = [i for edit in made.all for i in getattr(edit, side)] + [pair[index] for pair in made.pairs]
            listed = [i for i in listed if i < len(rules.rules)]
            assert len(set(listed)) == len(listed)
            assert {i for i, r in enumerate(rules.rules) if rules.active(r)} <= set(listed)
        for i, j in made.pairs:
            assert meaning(old.rules[i]) == meaning(new.rules[j])
        for edit in made.all:
            if edit.kind == "moved":
                assert meaning(old.rules[edit.old[0]]) == meaning(new.rules[edit.new[0]])


def test_dangerous_first_and_wide_before_narrow() -> None:
    for seed in range(100):
        old, new = versions(seed)
        found = causes(edits(old, new), diff(old, new)).found
        assert [c.flows for c in found] == sorted((c.flows for c in found), key=lambda f: (-f[0], -f[1]))
        for cause in found:
            for some in (cause.allowed, cause.denied):
                assert [c.flows for c in some] == sorted((c.flows for c in some), reverse=True)
