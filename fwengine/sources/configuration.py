"""The configuration of a repository: `fwengine.toml`, or `[tool.fwengine]` in `pyproject.toml`, and what is wrong with it.

It says what commands are to assume where their options say nothing. It never changes a verdict.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..codes import CONFIGURATION
from ..errors import Diagnostic, PolicyError, Span, Suggestion
from ..registry.names import near
from .source import read_file

OWN, SHARED = "fwengine.toml", "pyproject.toml"


@dataclass(frozen=True)
class Configuration:
    """What a file says; None, or empty, where it says nothing.

    Attributes:
        file: its name; empty if there is none.
        select, ignore, strict, baseline: as the options of `check`.
        paths: what is checked, tested and formatted where nothing is named.
        interfaces: the interfaces that there are: a policy that names another has an error.
        text: what the file holds.
    """

    file: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    strict: bool | None = None
    baseline: str | None = None
    paths: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    text: str = ""

    def wrong(self, key: str, message: str, help: str = "", *fixes: Suggestion) -> PolicyError:
        """The error of a value."""
        at = _where(self.text, self.file, key)
        return PolicyError(
            [Diagnostic(CONFIGURATION, message, at, help=help, suggestions=fixes)], {self.file: self.text}
        )


def nearest(folder: str | None = None) -> Configuration:
    """The configuration of the nearest folder upwards that has one; an empty one if none has.

    Raises:
        PolicyError: FW515 if that file is wrong.
    """
    here = os.path.abspath(folder or os.curdir)  # noqa: PTH100
    while True:
        for name in (OWN, SHARED):
            path = os.path.join(here, name)  # noqa: PTH118
            if os.path.isfile(path):  # noqa: PTH113
                found = configuration(os.path.relpath(path) if folder is None else path, asked=name == OWN)
                if found is not None:
                    return found
        above = os.path.dirname(here)  # noqa: PTH120
        if above == here:
            return Configuration()
        here = above


def configuration(file: str, *, asked: bool = True) -> Configuration | None:
    """The configuration in a file; None if it has none, and was not `asked` for one.

    Raises:
        PolicyError: FW001 if it cannot be read, FW515 if it is wrong: all of its mistakes.
    """
    try:
        data = read_file(file)
    except OSError as error:
        from .writing import failure  # late: as a rule nothing is wrong

        raise failure("read", file, error) from None
    if not asked and b"fwengine" not in data:
        return None
    import tomllib  # late: few folders have such a file

    text = data.decode("utf-8", "replace")
    try:
        document: Mapping[str, Any] = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise PolicyError([Diagnostic(CONFIGURATION, f"`{file}` is not UTF-8 text", Span(file, 1, 1, 1, 1))]) from None
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(file, text, str(error)) from None
    if os.path.basename(file) == SHARED:  # noqa: PTH119
        tool = document.get("tool")
        table = tool.get("fwengine") if isinstance(tool, dict) else None
        if table is None and not asked:
            return None
    else:
        table = document
    if not isinstance(table, dict):
        message = f"`{file}` has no table `[tool.fwengine]`"
        raise PolicyError([Diagnostic(CONFIGURATION, message, Span(file, 1, 1, 1, 1))])
    return _read(file, text, table)


def _read(file: str, text: str, table: Mapping[str, Any]) -> Configuration:
    wrong: list[Diagnostic] = []
    values: dict[str, Any] = {}
    for key, value in table.items():
        at = _where(text, file, key)
        if key not in _KEYS:
            meant = near(key, _KEYS)
            help = f"did you mean `{meant[0]}`?" if meant else f"there are {', '.join(f'`{k}`' for k in _KEYS)}"
            fixes = [Suggestion(at, meant[0])] if meant and at.end_column > at.column else []
            wrong.append(Diagnostic(CONFIGURATION, f"there is no key `{key}`", at, "", help, suggestions=tuple(fixes)))
            continue
        convert, wanted = _KEYS[key]
        try:
            values[key] = convert(value)
        except TypeError as error:
            message = f"`{key}` {error}" if str(error) else f"`{key}` is {_kind(value)}, and must be {wanted}"
            wrong.append(Diagnostic(CONFIGURATION, message, at, "", f"for example `{key} = {_EXAMPLES[key]}`"))
    if wrong:
        raise PolicyError(wrong, {file: text})
    folder = os.path.dirname(file)  # noqa: PTH120
    for key in ("paths", "baseline"):  # of the file's folder
        if key == "paths" and key in values:
            values[key] = tuple(os.path.normpath(os.path.join(folder, path)) for path in values[key])  # noqa: PTH118
        elif key in values:
            values[key] = os.path.normpath(os.path.join(folder, values[key]))  # noqa: PTH118
    return Configuration(file, text=text, **values)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError
    if not all(item.strip() for item in value):
        raise TypeError("holds an empty text")
    return tuple(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    if not value.strip():
        raise TypeError("is empty")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _interfaces(value: object) -> tuple[str, ...]:
    from ..language.meaning.literals import is_name
    from ..language.meaning.scope import RESERVED

    names = _texts(value)
    for name in names:
        if not is_name(name) or name in RESERVED:
            raise TypeError(f'holds `{name[:40]}`, which can be declared in a policy only: `interface NAME = "…"`')
    if len(set(names)) < len(names):
        raise TypeError("names an interface twice")
    return names


_KEYS: Final[dict[str, tuple[Callable[[object], Any], str]]] = {
    "select": (_texts, "a list of codes"),
    "ignore": (_texts, "a list of codes"),
    "strict": (_truth, "`true` or `false`"),
    "baseline": (_text, "the name of a file"),
    "paths": (_texts, "a list of files and folders"),
    "interfaces": (_interfaces, "a list of names"),
}
_EXAMPLES: Final = {
    "select": '["FW2", "FW303"]',
    "ignore": '["FW208"]',
    "strict": "true",
    "baseline": '"fwengine-baseline.json"',
    "paths": '["rules"]',
    "interfaces": '["lan0", "wan0"]',
}


def _kind(value: object) -> str:
    """What a value is, in a user's words."""
    for kind, word in (
        (bool, "a truth value"),
        (str, "a text"),
        (int, "a number"),
        (float, "a number"),
        (dict, "a table"),
    ):
        if isinstance(value, kind):
            return word
    return "a list of other things" if isinstance(value, list) else "a date"


def _where(text: str, file: str, key: str) -> Span:
    """The place of a key, as far as it can be found: TOML's reader does not tell."""
    shared = os.path.basename(file) == SHARED  # noqa: PTH119
    inside = not shared
    pattern = re.compile(rf"[ \t]*[\"']?({re.escape(key)})[\"']?[ \t]*=")
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("["):
            inside = shared and line.strip().replace(" ", "").startswith("[tool.fwengine]")
        found = pattern.match(line) if inside else None
        if found is not None:
            return Span(file, number, found.start(1) + 1, number, found.end(1) + 1)
    return Span(file, 1, 1, 1, 1)


def _not_toml(file: str, text: str, message: str) -> PolicyError:
    place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    line, column = (int(place[1]), int(place[2])) if place else (max(1, len(text.splitlines())), 1)
    what = (message[: place.start()] if place else message.removesuffix(" (at end of document)")).lower()
    span = Span(file, line, column, line, column + 1)
    return PolicyError([Diagnostic(CONFIGURATION, f"`{file}` is not TOML: {what}", span)], {file: text})
