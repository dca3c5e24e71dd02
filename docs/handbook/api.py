"""The reference of the Python interface, made of the text of the package: signatures, fields, docstrings.

The examples in docstrings are run by `tests/test_doctests.py`.
"""

from __future__ import annotations

import ast
import enum
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

SECTIONS: Final = ("Args:", "Attributes:", "Returns:", "Raises:")
WIDTH: Final = 92


def reference(module: ModuleType, prefix: str = "") -> str:
    """Every public name of a module, each under a heading whose anchor is the name behind the prefix."""
    names: list[str] = module.__all__
    return "\n\n".join(part for name in names for part in _told(name, getattr(module, name), prefix) if part)


def members(kind: type) -> Iterator[tuple[str, Any]]:
    """What a class itself offers: methods, properties and constructors, in the order of its text, each as a function."""
    for name, value in vars(kind).items():
        function = _function(value)
        if function is not None and not name.startswith("_"):
            yield name, function


def _function(value: Any) -> Any:
    """What is called behind a method, a property, a cached one; None if nothing is."""
    for within in ("fget", "func", "__func__"):
        value = getattr(value, within, value)
    return value if inspect.isfunction(value) else None


def _told(name: str, value: Any, prefix: str) -> Iterator[str]:
    yield f"### `{name}` {{ #{prefix}{name.strip('_')} }}"
    if isinstance(value, str):
        yield "The version, as text."
    elif isinstance(value, enum.Enum):
        kind = type(value).__name__
        yield f"`{kind}.{value.name}`: see [`{kind}`](#{kind})."
    elif isinstance(value, type):
        yield _code(_class(value))
        yield _docstring(value)
        for called, function in members(value):
            yield f"#### `{name}.{called}` {{ #{name}.{called} }}"
            yield _code(_signature(function, _is_property(vars(value)[called])))
            yield _docstring(function)
    else:
        value = _function(value) or value
        yield _code(_signature(value, False))
        yield _docstring(value)


def _is_property(value: Any) -> bool:
    return not isinstance(value, classmethod | staticmethod) and not inspect.isfunction(value)


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _node(value: Any) -> ast.stmt:
    return ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]


def _class(kind: type) -> str:
    """The head of a class with its fields, or its constructor's, as they are written."""
    node = _node(kind)
    assert isinstance(node, ast.ClassDef)
    bases = [base.__name__ for base in kind.__bases__ if base.__module__ in ("builtins", "enum")]
    bases = [base for base in bases if base != "object"]
    lines = [f"class {kind.__name__}{'(' + ', '.join(bases) + ')' if bases else ''}:"]
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and not ast.unparse(statement.target).startswith("_"):
            if not ast.unparse(statement.annotation).startswith("ClassVar"):
                lines.append("    " + _field(statement))
        elif isinstance(statement, ast.Assign) and issubclass(kind, enum.Enum):
            lines.append("    " + ast.unparse(statement))
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            lines.append(textwrap.indent(_broken(statement, False), "    "))
    return "\n".join(lines if len(lines) > 1 else [lines[0] + " ..."])


def _field(statement: ast.AnnAssign) -> str:
    """A field; how a default is made is nobody's business, that there is one is."""
    text = ast.unparse(statement)
    return re.sub(r" = (field|attribute)\(.*\)$", " = ...", text)


def _signature(function: Any, attribute: bool) -> str:
    node = _node(function)
    assert isinstance(node, ast.FunctionDef)
    return _broken(node, attribute)


def _broken(node: ast.FunctionDef, attribute: bool) -> str:
    """A signature, an argument a line where it is long; of an attribute its type."""
    gives = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    if attribute:
        return f"{node.name}: {gives.removeprefix(' -> ')}"
    arguments = [argument for argument in _arguments(node.args) if argument not in ("self", "cls")]
    line = f"def {node.name}({', '.join(arguments)}){gives}"
    if len(line) <= WIDTH:
        return line
    return f"def {node.name}(\n    " + ",\n    ".join(arguments) + f",\n){gives}"


def _arguments(args: ast.arguments) -> Iterator[str]:
    plain = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(plain) - len(args.defaults)) + list(args.defaults)
    for argument, default in zip(plain, defaults, strict=True):
        yield _argument(argument, default)
        if args.posonlyargs and argument is args.posonlyargs[-1]:
            yield "/"
    if args.vararg or args.kwonlyargs:
        yield "*" + (_argument(args.vararg, None) if args.vararg else "")
    for argument, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield _argument(argument, default)
    if args.kwarg:
        yield "**" + _argument(args.kwarg, None)


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    typed = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    equal = " = " if typed else "="
    return argument.arg + typed + (f"{equal}{ast.unparse(default)}" if default else "")


def _docstring(value: Any) -> str:
    """A docstring as Markdown: examples are code, the lines below `Args:` and its like a list."""
    node = _node(value)
    assert isinstance(node, ast.ClassDef | ast.FunctionDef)
    text = ast.get_docstring(node) or ""
    return "\n\n".join(_paragraph(paragraph) for paragraph in re.split(r"\n\n+", text) if paragraph)


def _paragraph(text: str) -> str:
    if text.startswith(">>>"):
        return _code(text)
    head, _, rest = text.partition("\n")
    if head not in SECTIONS:
        return text
    items = re.split(r"\n(?! )", textwrap.dedent(rest))
    return f"{head}\n\n" + "\n".join(_item(" ".join(item.split())) for item in items)


def _item(text: str) -> str:
    names, colon, told = text.partition(": ")
    return f"- `{names}`: {told}" if colon and re.fullmatch(r"[\w*, ]+", names) else f"- {text}"
