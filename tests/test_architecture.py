"""The layers hold: who may import whom, what is imported late, how large a module may be and what it may be called.

Read from the source with `ast`, so that imports inside functions and under TYPE_CHECKING count as well.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest
from support.paths import ROOT

PACKAGE = ROOT / "fwengine"

# The layers, bottom to top, one a line: folders and modules of the package. A module imports only from its own layer and
# from those before it.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"_version", "errors", "deadline", "limits", "replacing", "codes", "build", "handed", "row"}),
    frozenset({"model"}),
    frozenset({"registry"}),
    frozenset({"language"}),
    frozenset({"packets", "analysis", "formats", "native"}),
    frozenset({"sources", "traffic", "flows"}),
    frozenset({"policy"}),
    frozenset(
        {
            "report",
            "fix",
            "imported",
            "doubted",
            "spare",
            "conversion",
            "dumping",
            "testing",
            "strategies",
            "pytest_plugin",
            "_hypothesis",
        }
    ),
    frozenset({"lsp"}),
    frozenset({"cli"}),
    frozenset({"__init__", "__main__"}),
)
WINGS = frozenset({"packets", "analysis", "formats", "native"})  # none imports another

MOST_LINES = 500
NO_NAMES = frozenset({"utils", "util", "common", "base", "manager", "helper", "helpers", "info", "misc"})

# What may be imported from outside the standard library, and where.
LARK = frozenset({"language.syntax.reference", "language.syntax.tables"})  # the tables are the parser's, made once
NETADDR = frozenset({"model.address"})
CLICK = frozenset({"cli"})
EXTRAS = {
    "pygls": "lsp",
    "lsprotocol": "lsp",
    "jinja2": "report",
    "markupsafe": "report",
}  # packages of extras, each with the folder that alone imports it
TESTING = frozenset(
    {"strategies", "testing.draw", "testing.texts", "pytest_plugin", "_hypothesis"}
)  # may import pytest and hypothesis


class Import(NamedTuple):
    module: str  # the importing module, dotted, without the package's name
    where: str  # "" at the top, TYPE_CHECKING, or the qualified name of the function
    target: str  # a module of the package, dotted; or with a leading `!` the name of a foreign one
    line: int


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {module: ast.parse(path.read_text("utf-8"), str(path)) for module, path in FILES.items()}


def imports_of(module: str) -> Iterator[Import]:
    """Every import statement of a module, resolved."""
    package = module if FILES[module].name == "__init__.py" and module != "__init__" else module.rpartition(".")[0]

    def targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield absolute(alias.name)
            return
        if node.level == 0:
            base = node.module or ""
            if base.partition(".")[0] != "fwengine":
                yield "!" + base.partition(".")[0]
                return
            base = base.partition(".")[2]
        else:
            steps = package.split(".") if package else []
            steps = steps[: len(steps) - (node.level - 1)]
            base = ".".join([*steps, *([node.module] if node.module else [])])
        for alias in node.names:
            inner = f"{base}.{alias.name}" if base else alias.name
            yield inner if is_module(inner) else base or "__init__"

    def absolute(name: str) -> str:
        head, _, rest = name.partition(".")
        return (rest or "__init__") if head == "fwengine" else "!" + head

    def walk(node: ast.AST, where: tuple[str, ...], inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                place = ".".join(where) if inside else ""
                yield from (Import(module, place, target, child.lineno) for target in targets(child))
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from walk(child, (*where, child.name), True)
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, (*where, child.name), inside)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                yield from walk(child, ("TYPE_CHECKING",), True)
            else:
                yield from walk(child, where, inside)

    yield from walk(TREES[module], (), False)


def is_module(dotted: str) -> bool:
    path = PACKAGE.joinpath(*dotted.split("."))
    return path.with_suffix(".py").exists() or path.is_dir() or path.with_suffix(".pyi").exists()


IMPORTS = [entry for module in FILES for entry in imports_of(module)]
OURS = [entry for entry in IMPORTS if not entry.target.startswith("!")]


def top(module: str) -> str:
    return module.partition(".")[0]


def layer(module: str) -> int:
    return next(i for i, members in enumerate(LAYERS) if top(module) in members)


def told(entry: Import) -> str:
    inside = f" in {entry.where}" if entry.where else ""
    return f"{FILES[entry.module].relative_to(ROOT)}:{entry.line}: imports {entry.target}{inside}"


def test_every_module_has_its_layer() -> None:
    placed = frozenset().union(*LAYERS)
    assert sorted({top(module) for module in FILES} - placed) == [], "say in LAYERS where it belongs"
    assert sum(map(len, LAYERS)) == len(placed)


def test_imports_go_down() -> None:
    """Also those inside functions, and those for the type checker alone. There are no exceptions."""
    assert [told(e) for e in OURS if layer(e.target) > layer(e.module)] == []


def test_wings_never_import_each_other() -> None:
    crossing = [e for e in OURS if {top(e.module), top(e.target)} <= WINGS and top(e.module) != top(e.target)]
    assert [told(e) for e in crossing] == []


def test_imports_make_no_circle() -> None:
    """All imports counted, wherever they stand; a package's `__init__`, which gathers its modules, is one of them."""
    graph: dict[str, set[str]] = {module: set() for module in FILES}
    for e in OURS:
        if e.target in FILES and e.target != e.module:
            graph[e.module].add(e.target)
    list(TopologicalSorter(graph).static_order())  # raises CycleError with the circle


def test_nothing_imports_the_top_of_the_package() -> None:
    """What `fwengine.__init__` offers is for users; inside, each thing is imported from its home."""
    lazy = [e for e in OURS if e.target == "__init__" and top(e.module) not in ("cli", "__main__")]
    assert [told(e) for e in lazy] == []


@pytest.mark.parametrize(("package", "homes"), [("lark", LARK), ("netaddr", NETADDR), ("click", CLICK)])
def test_foreign_packages_have_their_place(package: str, homes: frozenset[str]) -> None:
    strays = [e for e in IMPORTS if e.target == "!" + package and e.module not in homes and top(e.module) not in homes]
    assert [told(e) for e in strays] == []


def test_nothing_else_is_needed_at_run_time() -> None:
    allowed = {"lark", "netaddr", "click"} | set(sys.stdlib_module_names)
    strays = [e for e in IMPORTS if e.target.startswith("!") and e.target[1:] not in allowed]
    strays = [e for e in strays if EXTRAS.get(e.target[1:]) != top(e.module)]
    assert [told(e) for e in strays if not (e.module in TESTING and e.target in ("!pytest", "!hypothesis"))] == []


def test_heavy_packages_are_loaded_when_needed_only() -> None:
    """netaddr is imported inside functions of `model.address`: parsing and showing, never per packet. Evaluating loads none."""
    assert {e.where for e in IMPORTS if e.target == "!netaddr"} <= {"_parse_v6", "show"}
    program = (
        "import sys\n"
        "from fwengine.model.box import Box\n"
        "from fwengine.model.packet import Packet\n"
        "from fwengine.model.rules import ALLOW, Rule\n"
        "from fwengine.model.ruleset import RuleSet, decide\n"
        "p = RuleSet((Rule(ALLOW, (Box.of({}),)),))\n"
        "packet = Packet(6, 6, 1, 2, 80, 80, None, None, 2, in_interface='', out_interface='')\n"
        "assert p.evaluate(packet) == decide(p, packet)\n"
        "print(sorted({'lark', 'netaddr', 'click', 'json', 'logging'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", FILES)
def test_a_module_says_what_it_is_and_stays_small(module: str) -> None:
    docstring = ast.get_docstring(TREES[module])
    assert docstring, "no docstring"
    assert docstring[0] != " "
    assert len(FILES[module].read_text("utf-8").splitlines()) <= MOST_LINES
    assert NO_NAMES.isdisjoint(module.split("."))


def re_raises(handler: ast.ExceptHandler) -> bool:
    """Does it only tidy up?"""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_the_library_prints_nothing_exits_nowhere_and_catches_nothing_broad() -> None:
    """Only the command line talks to people."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and not re_raises(node):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in ("everything", "Exception", "BaseException"), (
                    f"{module}:{node.lineno} catches {caught}"
                )
            if isinstance(node, ast.Call) and top(module) not in ("cli", "__main__"):
                called = ast.unparse(node.func)
                assert called not in ("print", "sys.exit", "exit", "quit"), f"{module}:{node.lineno} calls {called}"


# The scanner itself


def test_the_scanner_sees_every_kind_of_import(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "from ..model import address\nfrom ..packets.wire import decode\nimport fwengine.model.tree\n"
        "import lark.exceptions\n"
        "from fwengine.cli import main\nfrom fwengine import strategies, loads\n"
        "class A:\n    def f(self):\n        if 1:\n            from .count import x\n"
        "if TYPE_CHECKING:\n    from ..model.tree import DecisionTree\n"
        "try:\n    import numpy\nexcept ImportError:\n    pass\n"
    )
    monkeypatch.setitem(TREES, "traffic.notation", ast.parse(text))
    assert [(e.where, e.target) for e in imports_of("traffic.notation")] == [
        ("", "model.address"), ("", "packets.wire"), ("", "model.tree"), ("", "!lark"), ("", "cli"), ("", "strategies"),
        ("", "__init__"), ("A.f", "traffic.count"), ("TYPE_CHECKING", "model.tree"), ("", "!numpy"),
    ]  # fmt: skip
    monkeypatch.setitem(
        TREES, "packets.pcap", ast.parse("from ..errors import X\nfrom . import place\nfrom .. import model")
    )
    assert [e.target for e in imports_of("packets.pcap")] == ["errors", "packets.place", "model"]
    monkeypatch.setitem(
        TREES, "native", ast.parse("from . import encode\nfrom .encode import x\nfrom ..model.box import Box")
    )
    assert [e.target for e in imports_of("native")] == ["native.encode", "native.encode", "model.box"]
