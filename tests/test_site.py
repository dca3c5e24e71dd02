"""The site builds strictly, every link and anchor in it leads somewhere, nothing is loaded from elsewhere. Needs the extra `docs`."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from support.site import build

from fwengine.codes import EXPLANATIONS
from fwengine.report.render.sarif_form import help_of

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
pytest.importorskip("material", reason="the extra `docs` is not installed")


class Page(HTMLParser):
    """The anchors of a page, where it leads, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        self.anchors.update(said[key] for key in ("id", "name") if key in said)
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag == "link" and "href" in said:
            self.loaded.append(said["href"])
        elif "src" in said:
            self.loaded.append(said["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    build(out)
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html")) if path.name != "404.html"}


def test_links_and_anchors_lead_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    """Those within the site, in the built pages; of others that they are well formed, without asking anybody."""
    assert len(pages) > 50
    lost = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                if parts.scheme not in ("https", "mailto") or (parts.scheme == "https" and "." not in parts.netloc):
                    lost.append((path.relative_to(site), link))
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = pages.get(target)
            if not target.is_file() or (parts.fragment and known and unquote(parts.fragment) not in known.anchors):
                lost.append((path.relative_to(site), link))
    assert lost == []


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    foreign = [(path, url) for path, page in pages.items() for url in page.loaded if urlsplit(url).netloc]
    assert foreign == []
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert "url(http" not in styles
    assert "url(//" not in styles


def test_no_page_shows_what_should_have_been_made(site: Path, pages: dict[Path, Page]) -> None:
    for path in pages:
        text = path.read_text("utf-8")
        assert "<!-- generated" not in text, path
        assert "{ #" not in text, path


def test_every_code_has_an_anchor(site: Path, pages: dict[Path, Page]) -> None:
    anchors = pages[site / "reference" / "codes.html"].anchors
    assert {code.lower() for code in EXPLANATIONS} <= anchors


def test_what_sarif_leads_to_is_in_the_site(
    site: Path, pages: dict[Path, Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FWENGINE_DOCS says where somebody serves this site; without it there is a name, and no address that nobody serves."""
    for code in EXPLANATIONS:
        monkeypatch.setenv("FWENGINE_DOCS", "https://docs.example.org/fwengine/")
        address = urlsplit(help_of(code))
        assert address.netloc == "docs.example.org"
        assert address.fragment in pages[site / address.path.removeprefix("/fwengine/")].anchors
        for none in ("", "javascript:alert(1)", "docs"):
            monkeypatch.setenv("FWENGINE_DOCS", none)
            assert help_of(code) == f"urn:fwengine:explain:{code}"
