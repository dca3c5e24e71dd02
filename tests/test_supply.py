"""Where things come from: what CI installs is pinned by version and hash, and fits what the package asks for."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.paths import ROOT

EXTRAS = ("test", "dev", "browser", "notebook", "docs")
WANTED = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PINNED = (ROOT / ".ci" / "requirements.txt").read_text("utf-8")


def pins() -> dict[str, list[Requirement]]:
    """The pinned requirements by name: several where platforms or versions of Python differ."""
    out: dict[str, list[Requirement]] = {}
    for entry in re.sub(r"\\\n\s*", " ", PINNED).splitlines():
        if entry and not entry.startswith("#"):
            told, *hashes = entry.split(" --hash=")
            assert hashes, entry
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one.strip()) for one in hashes), entry
            one = Requirement(told.strip())
            assert [spec.operator for spec in one.specifier] == ["=="], entry
            out.setdefault(canonicalize_name(one.name), []).append(one)
    return out


@pytest.mark.parametrize("name", ["", *EXTRAS])
def test_what_ci_installs_is_pinned(name: str) -> None:
    asked = WANTED["optional-dependencies"][name] if name else WANTED["dependencies"]
    known = pins()
    for text in asked:
        wanted = Requirement(text)
        found = known.get(canonicalize_name(wanted.name), [])
        assert found, text
        for one in found:
            (spec,) = one.specifier
            assert wanted.specifier.contains(spec.version), (text, spec.version)


def test_no_registry_is_named() -> None:
    assert not re.search(r"://|--(extra-)?index|--find", PINNED)
