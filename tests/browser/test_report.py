"""The page of `fwengine report` in a real browser: nothing is refused, nothing is fetched, search and links work, axe is content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.commands import run
from support.paths import ROOT

pytest.importorskip("jinja2", reason="the extra `report` is not installed")
RULES = ROOT / "rules"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page") / "edge.html"
    policy = (RULES / "edge.fwl").read_text("utf-8").replace('"common.fwl"', f'"{RULES}/common.fwl"')
    text = policy + "deny tcp from outside to web port http as zebra\nexpect deny tcp from any to web port https\n"
    source = out.with_name("edge.fwl")
    source.write_text(text, "utf-8")
    done = run(
        "report", str(source), "-r", str(RULES / "edge.pcapng"), "--old", str(RULES / "mail.fwl"), "-o", str(out)
    )
    assert done.code == 0, done.err
    return out


def opened(browser: Any, file: Path, **options: Any) -> tuple[Any, list[str]]:
    """The page, and what the browser had to say about it."""
    told: list[str] = []
    shown = browser.new_context(**options).new_page()
    shown.on("console", lambda message: told.append(message.text))
    shown.on("pageerror", lambda error: told.append(str(error)))
    shown.on("request", lambda request: told.extend([request.url] if not request.url.startswith("file:") else []))
    shown.goto(file.as_uri())
    return shown, told


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "scale"), [(1280, 1), (360, 1), (640, 2)])
def test_it_fits_and_nothing_is_refused(browser: Any, file: Path, scheme: str, width: int, scale: int) -> None:
    shown, told = opened(
        browser, file, color_scheme=scheme, viewport={"width": width, "height": 800}, device_scale_factor=scale
    )
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert told == []


def test_search_and_links(browser: Any, file: Path) -> None:
    shown, told = opened(browser, file)
    shown.keyboard.press("/")
    shown.keyboard.type("as zebra")
    assert shown.locator("#found").inner_text().startswith("1 of ")
    assert shown.locator(".listing tbody tr:visible").count() == 1
    shown.locator("#search").fill("")
    shown.locator("#first + ul a", has_text="there").first.click()
    assert "#f0l" in shown.url
    line = shown.locator("tr:target")
    assert "expect deny tcp from any to web port https" in line.inner_text()
    assert line.locator("details").get_attribute("open") is not None
    shown.locator(".matrix td.part a").first.click()
    cell = shown.locator(".cell:target")
    assert cell.is_visible()
    assert "decided by" in cell.inner_text()
    assert told == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    browser: Any, file: Path, violations: Callable[[Any], list[Any]], scheme: str
) -> None:
    shown, _ = opened(browser, file, color_scheme=scheme, bypass_csp=True)
    assert violations(shown) == []
