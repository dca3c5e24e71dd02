"""A real browser for pages: Playwright and a Chromium of the system; axe-core where FWENGINE_AXE names its file (npm: `axe-core`)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def violations() -> Callable[[Any], list[Any]]:
    """What axe finds on a page (opened with `bypass_csp`) that is serious or worse."""
    axe = os.environ.get("FWENGINE_AXE")
    if not axe:
        pytest.skip("FWENGINE_AXE does not say where axe-core is")

    def found(page: Any) -> list[Any]:
        page.add_script_tag(path=axe)
        told = page.evaluate("axe.run()")["violations"]
        return [(v["id"], [n["html"] for n in v["nodes"]]) for v in told if v["impact"] in ("serious", "critical")]

    return found


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for pictures of pages: FWENGINE_PICTURES, for those who want to look at them."""
    named = os.environ.get("FWENGINE_PICTURES")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
