"""Is a decision tree reduced? And one compiled anew."""

from __future__ import annotations

from fwengine.model.fields import FIELDS, TOPS
from fwengine.model.ruleset import RuleSet
from fwengine.model.switch import Switch
from fwengine.model.tree import DecisionTree


def compile_policy(rules: RuleSet) -> DecisionTree:
    """The tree, whether it was compiled before or not."""
    return RuleSet(rules.rules, rules.default, rules.as_of).tree


def assert_switch(switch: Switch, children: tuple[int, ...]) -> None:
    """Each row makes a difference, stands behind those it leads to, and each end is there."""
    assert len(set(children)) == len(children) > 1
    assert len(set(switch.rows)) == len(switch.rows) == switch.root + 1
    ends = {~way for _, *ways in switch.rows for way in ways if way < 0}
    assert ends == set(range(len(children)))
    for row, (bit, low, high) in enumerate(switch.rows):
        assert low != high
        assert all(way < row and (way < 0 or switch.rows[way][0] < bit) for way in (low, high))


def assert_reduced(tree: DecisionTree) -> None:
    """All that the class promises about its form."""
    assert len(tree.lowest) == len(tree.nodes)
    assert len(set(tree.nodes)) == len(tree.nodes), "equal subtrees are stored once"
    reached: set[int] = set()
    for i, node in enumerate(tree.nodes):
        assert 0 <= node.field < FIELDS
        if isinstance(node.cuts, Switch):
            assert_switch(node.cuts, node.children)
        else:
            assert len(node.children) == len(node.cuts) + 1
            assert list(node.cuts) == sorted(set(node.cuts))
            assert node.cuts[0] > 0
            assert node.cuts[-1] <= TOPS[node.field]
            assert all(a != b for a, b in zip(node.children, node.children[1:], strict=False)), "neighbours are joined"
        assert all(child < i for child in node.children), "children come before their parents"
        assert all(0 <= ~child <= tree.rules for child in node.children if child < 0)
        assert tree.lowest[i] == min(tree.lowest[c] if c >= 0 else ~c for c in node.children)
        reached.update(c for c in node.children if c >= 0)
    assert tree.roots
    assert list(tree.roots) == sorted(tree.roots)
    for root in tree.roots:
        assert root.lowest == (tree.lowest[root.node] if root.node >= 0 else ~root.node)
        reached.add(root.node)
    assert set(range(len(tree.nodes))) <= reached, "no node is left over"
    ordered_along_paths(tree)


def ordered_along_paths(tree: DecisionTree) -> None:
    """No path tests a field twice, but for a switch below cuts of its field."""
    below: list[frozenset[int]] = []
    for node in tree.nodes:
        under: set[int] = set()
        for child in (c for c in node.children if c >= 0):
            at = tree.nodes[child]
            refined = at.field == node.field and isinstance(at.cuts, Switch) and not isinstance(node.cuts, Switch)
            under |= below[child] - {node.field} if refined else below[child]
        assert node.field not in under
        below.append(frozenset({*under, node.field}))
