"""The pictures that the documentation shows are made here; and the built site fits narrow screens, light and dark."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.commands import run
from support.paths import RULES
from support.site import build


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_of_the_report(
    browser: Any, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """As a reader first sees it: FWENGINE_PICTURES takes it into the site."""
    pytest.importorskip("jinja2", reason="the extra `report` is not installed")
    page = tmp_path / "edge.html"
    monkeypatch.chdir(tmp_path)
    for name in ("edge.fwl", "common.fwl", "edge.pcapng"):
        shutil.copy(RULES / name, name)
    policy = Path("edge.fwl").read_text("utf-8")
    Path("edge-old.fwl").write_text(policy.replace("{ ssh, 8000-8080 }", "ssh"), "utf-8")
    done = run(
        "report", "edge.fwl", "--old", "edge-old.fwl", "-r", "edge.pcapng", "-o", str(page), "--as-of", "2026-11-01"
    )
    assert done.code == 0, done.err
    shown = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900}).new_page()
    shown.goto(page.as_uri())
    assert shown.locator("h1").first.is_visible()
    target = pictures / f"report-{scheme}.png"
    shown.screenshot(path=target)
    assert 10_000 < target.stat().st_size < 500_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="the extra `docs` is not installed")
    out = tmp_path_factory.mktemp("site")
    build(out)
    return out


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_site_fits(browser: Any, pictures: Path, site: Path, scheme: str, width: int) -> None:
    told: list[str] = []
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    shown = context.new_page()
    shown.on("request", lambda request: told.extend([] if request.url.startswith("file:") else [request.url]))
    for name in (
        "index",
        "tutorial",
        "reference/language",
        "reference/commands/check",
        "reference/codes",
        "reference/python",
    ):
        shown.goto((site / f"{name}.html").as_uri())
        assert shown.locator("h1").first.is_visible()
        assert shown.evaluate("document.documentElement.scrollWidth") <= width, name
        if name in ("index", "reference/language"):
            shown.screenshot(path=pictures / f"site-{name.replace('/', '-')}-{width}-{scheme}.png")
    assert [url for url in told if not url.startswith(("data:", "blob:"))] == []
