"""Makes `engine.gz` and `gallery.json` of the playground. Run by `build.mjs` in the very Python (Pyodide) that will run the engine.

Bytecode stands in place of sources, so that nothing is compiled in the browser; what the engine never imports there is left out.
The same wheels make the same bytes.
"""

from __future__ import annotations

import gzip
import json
import py_compile
import re
import tomllib
import zipfile
from base64 import b64encode
from pathlib import Path, PurePosixPath
from typing import Any, Final

LEFT_OUT: Final = (
    "fwengine/cli/", "fwengine/flows/", "fwengine/testing/", "fwengine/report/page/", "fwengine/pytest_plugin.py",
    "fwengine/_hypothesis.py", "fwengine/strategies.py", "fwengine/lsp/server.py", "fwengine/__main__.py",
    "netaddr/tests/", "lark/tools/", "lark/__pyinstaller/",
)  # fmt: skip
NOT_READ: Final = (".pyi", ".typed", ".c", ".h", ".txt", ".idx", ".xml")
CAPTURES: Final = (".pcap", ".pcapng")


def wanted(name: str) -> bool:
    return not (name.endswith(NOT_READ) or ".dist-info/" in name or name.startswith(LEFT_OUT))


def compiled(name: str, source: bytes, work: Path) -> bytes:
    """Bytecode that asks for no source, and tells of the file by its name alone."""
    path = work / "module.py"
    path.write_bytes(source)
    made = work / "module.pyc"
    py_compile.compile(
        str(path),
        str(made),
        name,
        doraise=True,
        optimize=0,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    return made.read_bytes()


def engine(wheels: list[Path], own: list[Path], work: Path) -> tuple[bytes, str]:
    """The archive of the engine, and its version."""
    members: dict[str, bytes] = {}
    version = ""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if re.fullmatch(r"fwengine-[^/]+\.dist-info/METADATA", name):
                    version = re.search(r"^Version: (.+)$", archive.read(name).decode("utf-8"), re.MULTILINE)[1]  # type: ignore[index]
                if wanted(name) and not name.endswith("/"):
                    members[name] = archive.read(name)
    for path in own:
        members[path.name] = path.read_bytes()
    files = [
        (f"{name}c", compiled(name, data, work)) if name.endswith(".py") else (name, data)
        for name, data in sorted(members.items())
    ]
    return packed(files), version


def packed(files: list[tuple[str, bytes]]) -> bytes:
    """Files one behind the other, behind a line of JSON with their names and sizes: `src/unpack.js` takes them apart."""
    index = json.dumps([[name, len(data)] for name, data in files]).encode("ascii")
    return gzip.compress(b"".join([index, b"\n", *(data for _, data in files)]), 9, mtime=0)


def gallery(rules: Path, titles: dict[str, Any]) -> dict[str, Any]:
    """The examples with their titles, and all files that one of them may include; captures in base64."""
    files: dict[str, str] = {}
    captures: dict[str, str] = {}
    for path in sorted(rules.rglob("*")):
        name = PurePosixPath(path.relative_to(rules)).as_posix()
        if path.suffix in CAPTURES:
            captures[name] = b64encode(path.read_bytes()).decode("ascii")
        elif path.is_file() and path.suffix != ".md":
            files[name] = path.read_text("utf-8")
    examples = []
    for group in titles["group"]:
        shown = []
        for one in group["example"]:
            assert one["file"] in files, f"no example {one['file']}"
            named = one.get("capture", "")
            assert not named or named in captures, f"no capture {named}"
            shown.append({"file": one["file"], "title": one["title"], "packet": one.get("packet", ""),
                          "claim": one.get("claim", ""), "capture": named})  # fmt: skip
        examples.append({"title": group["title"], "examples": shown})
    used = {one["capture"] for group in examples for one in group["examples"]}
    return {"groups": examples, "files": files, "captures": {name: captures[name] for name in sorted(used) if name}}


def keywords(grammar: str) -> list[str]:
    """The keywords of the language, as the editor colours them."""
    return sorted(set(re.findall(r'^_?[A-Z]+: "([a-z]+)"', grammar, re.MULTILINE)))


def licences(wheels: list[Path]) -> dict[str, str]:
    """The licence texts of the wheels that are not ours, by name and version."""
    found = {}
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        with zipfile.ZipFile(wheel) as archive:
            texts = [archive.read(one).decode("utf-8") for one in sorted(archive.namelist())
                     if re.search(r"\.dist-info/(licenses/)?(LICENSE|LICENCE|COPYING)[^/]*$", one)]  # fmt: skip
        if name != "fwengine":
            assert texts, f"{wheel.name} has no licence"
            found[f"{name} {version}"] = "\n".join(texts)
    return found


def main(root: str, here: str, wheels: str, out: str, work: str) -> str:
    """Writes the files; as JSON the version of the engine, and the licences of what it needs."""
    given = sorted(Path(wheels).glob("*.whl"))
    archive, version = engine(given, sorted((Path(here) / "engine").glob("*.py")), Path(work))
    (Path(out) / "engine.gz").write_bytes(archive)
    shown = gallery(Path(root) / "rules", tomllib.loads((Path(here) / "gallery.toml").read_text("utf-8")))
    (Path(out) / "gallery.json").write_text(json.dumps(shown, ensure_ascii=False, indent=1, sort_keys=True), "utf-8")
    grammar = (Path(root) / "fwengine/language/syntax/grammar.lark").read_text("utf-8")
    (Path(work) / "words.json").write_text(json.dumps(keywords(grammar)), "utf-8")
    return json.dumps({"version": version, "licences": licences(given)})
