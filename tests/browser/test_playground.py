"""The playground in a real browser: a mistake is found, a packet asked, a link followed, a capture dropped; nothing gets out.

The site is built by `npm run build` in `docs/playground`; FWENGINE_PLAYGROUND names its folder.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.paths import ROOT

from fwengine.cli.serving import Server, read_site

SITE = os.environ.get("FWENGINE_PLAYGROUND")
if not SITE:
    pytest.skip("FWENGINE_PLAYGROUND does not say where the playground is built", allow_module_level=True)

RULES = ROOT / "rules"
PATIENCE = 120_000  # milliseconds that a busy machine may take; what comes is awaited by its sign
WEB = "net web = 192.0.2.80\nallow tcp from any to web port http as web-in\nexpect allow tcp 5.6.7.8:1029 -> 192.0.2.80:80 by web-in\n"
INJECTED = "img:not(.cm-widgetBuffer), .answers script, .answers b"  # the editor has images of its own, of nothing
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"


class Opened(NamedTuple):
    """A page, and what the browser had to say about it: messages, errors, and requests of other places."""

    page: Any
    told: list[str]

    def text(self, where: str) -> str:
        return str(self.page.locator(where).inner_text())

    def write(self, text: str) -> None:
        """As if typed: the editor's whole text is another."""
        self.page.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(text)
        self.settled()

    def settled(self) -> None:
        """The text has been looked at: the last edition is the one that is told of."""
        self.page.locator("body:not([data-looking])").wait_for()


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    return {
        "name": "main.fwl",
        "text": 'include "shared.fwl"\nallow tcp to web port ssh as ssh-in\n',
        "files": {"shared.fwl": "net web = 192.0.2.80\n"},
    }


@pytest.fixture(scope="module")
def address(given: dict[str, Any]) -> Iterator[str]:
    paths = {"/given/token.json": json.dumps(given).encode("ascii")}
    with Server(read_site(Path(SITE or "")), paths, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.port}/"
        server.shutdown()
        thread.join()


def opened(browser: Any, address: str, fragment: str = "", **options: Any) -> Opened:
    told: list[str] = []
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("dialog", lambda dialog: told.append(f"dialog {dialog.message}"))
    page.on(
        "request",
        lambda request: told.extend(
            [] if request.url.startswith((address, f"blob:{address}", "data:")) else [request.url]
        ),
    )
    page.goto(f"{address}{fragment}")
    shown = Opened(page, told)
    shown.settled()
    return shown


def drop(shown: Opened, name: str, data: bytes) -> None:
    """A file is let go over the page."""
    shown.page.evaluate(
        """([name, text]) => {
            const bytes = Uint8Array.from(atob(text), one => one.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name));
            const options = { bubbles: true, cancelable: true, dataTransfer: transfer };
            document.querySelector("main").dispatchEvent(new DragEvent("drop", options));
        }""",
        [name, base64.b64encode(data).decode("ascii")],
    )
    shown.page.locator("#counts .asking").wait_for(state="detached")


class TestWriting:
    def test_it_begins_with_an_example(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        assert shown.text("#verdict .verdict").startswith("ALLOW by web-in")
        assert shown.text("#expectations-count") == "8 of 8 hold"
        assert shown.told == []

    def test_a_mistake_is_found_at_its_line_and_mended(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.write(WEB + "alow tcp from any to web port ssh as admin\n")
        assert shown.text("#findings-count") == "1 error"
        assert "FW012" in shown.text("#findings")
        assert shown.text("#findings .link") == "line 4"
        assert "errors" in shown.text("#verdict")
        marked = shown.page.locator(".cm-lintRange-error")
        assert marked.inner_text() == "alow"
        shown.page.locator("#findings .link").click()
        assert shown.page.locator(".cm-activeLine").inner_text().startswith("alow tcp")
        shown.page.get_by_role("button", name="Write `allow`").click()
        shown.settled()
        assert "allow tcp from any to web port ssh as admin" in shown.text(".cm-content")
        assert "error" not in shown.text("#findings-count")
        assert shown.text("#expectations-count") == "1 of 1 hold"
        assert shown.told == []

    def test_a_rule_that_does_nothing_is_found_and_moved(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.write(
            "# 😀\nallow tcp from any to 192.0.2.80 port http as wide  # ü\ndeny tcp from 10.0.0.0/8 to 192.0.2.80 port http as late\n"
        )
        assert shown.text("#findings .warning .badge") == "warning FW201"
        shown.page.locator("#findings .warning .mends button").first.click()
        shown.settled()
        lines = [line for line in shown.page.locator(".cm-line").all_inner_texts() if line.strip()]
        assert [line.split()[0] for line in lines] == ["#", "deny", "allow"]
        assert "FW201" not in shown.text("#findings")

    def test_words_are_proposed_and_explained(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.write(WEB + "allow tcp to ")
        shown.page.keyboard.type("w")
        shown.page.locator(".cm-tooltip-autocomplete").get_by_text("web", exact=True).wait_for()
        shown.page.keyboard.press("Escape")
        shown.page.locator(".cm-line", has_text="net web").get_by_text("web", exact=False).first.hover(
            position={"x": 40, "y": 5}
        )
        shown.page.locator(".cm-told").wait_for()
        assert "web" in shown.text(".cm-told")

    def test_another_firewalls_rules_can_be_pasted(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.write((RULES / "formats" / "server.rules").read_text("utf-8"))
        assert shown.page.locator("#chosen option").all_inner_texts() == ["INPUT", "FORWARD", "OUTPUT"]
        shown.page.locator("#packet").fill("tcp 198.51.100.9:40000 -> 192.0.2.10:80")
        shown.page.locator("#verdict", has_text="ALLOW").wait_for()
        shown.page.locator("#chosen").select_option("FORWARD")
        shown.page.locator("#verdict", has_text="DENY").wait_for()
        assert shown.told == []


class TestAsking:
    def test_a_packet_has_its_path(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.page.locator("#packet").fill("tcp 10.20.9.17:40000 -> 192.0.2.80:22")
        shown.page.locator("#verdict", has_text="admin").first.wait_for()
        assert shown.text("#verdict .verdict") == "DEPENDS on in"
        assert "in wan0" in shown.text("#verdict table >> nth=0")
        shown.page.locator("#packet").fill("tcp 10.20.9.17:40000 ->")
        shown.page.locator("#verdict [role=alert]").wait_for()
        shown.page.locator("#packet").fill("")
        shown.page.locator("#verdict .note").wait_for()

    def test_claims_are_proved_and_refuted(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.write(WEB)
        shown.page.locator("#claim").fill("deny tcp from any to web port telnet")
        shown.page.keyboard.press("Enter")
        shown.page.locator("#answer", has_text="Proved").wait_for()
        shown.page.locator("#claim").fill("deny tcp from any to web")
        shown.page.get_by_role("button", name="Prove it").click()
        shown.page.locator("#answer", has_text="Refuted").wait_for()
        shown.page.locator("#answer .outcome button").first.click()
        shown.page.locator("#verdict", has_text="ALLOW").wait_for()
        shown.page.get_by_role("button", name="List them").click()
        shown.page.locator("#answer table", has_text="deny").or_(shown.page.locator("#answer table")).first.wait_for()
        shown.write(WEB.replace("http", "https"))
        shown.page.locator("#answer:not(.stale)").wait_for()  # quick answers follow the text
        shown.page.locator("#claim").fill("deny tcp to nowhere")
        shown.page.keyboard.press("Enter")
        shown.page.locator("#answer [role=alert]", has_text="nowhere").wait_for()

    def test_the_matrix_leads_to_the_rules(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.write(WEB)
        shown.page.locator("#draw").click()
        shown.page.locator(".matrix").wait_for()
        assert shown.page.locator(".matrix thead th").all_inner_texts() == ["web", "rest of the world"]
        shown.page.locator(".matrix td.part button").first.click()
        shown.page.get_by_role("button", name="Which rules allow it?").click()
        shown.page.locator("#answer table", has_text="web-in").wait_for()

    def test_what_takes_long_can_be_cancelled(self, browser: Any, address: str) -> None:
        """The page answers meanwhile, and the next question is answered all the same."""
        shown = opened(browser, address)
        nets = "".join(
            f"{'allow' if n % 3 else 'deny'} tcp from 10.{n % 7}.{n * 37 % 256}.0/24 to 10.{n % 5}.{n * 91 % 256}.0/24 port {n}\n"
            for n in range(1, 2000)
        )
        shown.write(nets)
        shown.page.locator("#claim").fill("allow any")
        shown.page.get_by_role("button", name="List them").click()
        shown.page.locator("#draw").click()
        shown.page.get_by_role("button", name="Cancel").click()
        shown.page.get_by_text("Cancelled: there is no answer").first.wait_for()
        shown.write(WEB)
        shown.page.locator("#packet").fill("tcp 1.2.3.4:5 -> 192.0.2.80:80")
        shown.page.locator("#verdict", has_text="web-in").first.wait_for()


class TestCaptures:
    def test_one_that_is_dropped_is_counted(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        drop(shown, "monday.pcapng", (RULES / "edge.pcapng").read_bytes())
        assert shown.text("#counts .verdict") == "monday.pcapng: 44 packets, 38 allowed, 6 denied"
        assert "spoofed" in shown.text("#counts table >> nth=0")
        assert "tcp/telnet" in shown.text("#counts table >> nth=1")
        assert shown.told == []

    def test_the_examples_own_can_be_taken(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.page.locator("#example").select_option("port-scan.fwl")
        shown.settled()
        shown.page.locator("#sample").click()
        shown.page.locator("#counts table").first.wait_for()
        assert shown.text("#counts .verdict").startswith("port-scan.pcap: ")

    @pytest.mark.parametrize("data", [b"", b"this is no capture", (RULES / "edge.pcapng").read_bytes()[:1000]])
    def test_one_that_cannot_be_read_is_told(self, browser: Any, address: str, data: bytes) -> None:
        shown = opened(browser, address)
        drop(shown, "bad.pcap", data)
        assert shown.text("#counts [role=alert]").strip()
        assert shown.told == []


class TestLinks:
    def test_a_link_is_followed(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.write(WEB)
        shown.page.locator("#packet").fill("udp 1.2.3.4:5 -> 192.0.2.80:53")
        shown.page.locator("#claim").fill("deny udp from any")
        shown.page.locator("#share").click()
        shown.page.locator("#state", has_text="the link is").wait_for()
        fragment = shown.page.evaluate("location.hash")
        other = opened(browser, address, fragment)
        assert other.text(".cm-content").split() == WEB.split()
        assert other.page.locator("#packet").input_value() == "udp 1.2.3.4:5 -> 192.0.2.80:53"
        assert other.page.locator("#claim").input_value() == "deny udp from any"
        assert other.text("#verdict .verdict").startswith("DENY by default")
        assert (shown.told, other.told) == ([], [])

    def test_what_play_was_given_is_open(self, browser: Any, address: str, given: dict[str, Any]) -> None:
        shown = opened(browser, address, "#given=token")
        assert shown.text(".cm-content").split() == given["text"].split()
        assert shown.text("#name") == "main.fwl"
        assert "error" not in shown.text("#findings-count")
        assert shown.page.evaluate("location.hash") == ""
        shown.page.locator("#share").click()  # which takes along what it includes
        shown.page.locator("#state", has_text="the link is").wait_for()
        other = opened(browser, address, shown.page.evaluate("location.hash"))
        assert "error" not in other.text("#findings-count")
        assert other.told == []

    @pytest.mark.parametrize(
        "fragment",
        ["#1.AAAA", "#1.%%%", "#nothing", "#given=other", "#1." + base64.urlsafe_b64encode(b'"text"').decode()],
    )
    def test_a_link_that_is_none_is_told(self, browser: Any, address: str, fragment: str) -> None:
        shown = opened(browser, address, fragment)
        wanted = "start `fwengine play` again" if "given" in fragment else "the link is none of this page"
        assert wanted in shown.text("#name")
        assert shown.text("#verdict .verdict").startswith("ALLOW by web-in")

    def test_a_link_that_unpacks_to_very_much_is_refused(self, browser: Any, address: str) -> None:
        import zlib

        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = packer.compress(b'{"text": "' + b"#" * (64 << 20) + b'"}') + packer.flush()
        shown = opened(browser, address, "#1." + base64.urlsafe_b64encode(data).decode().rstrip("="))
        assert "the link is none" in shown.text("#name")


class TestHostile:
    """Whatever a stranger's policy, packet, file or link says is text."""

    def test_texts_and_names(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        shown.write(
            f'# {MARKUP}\nallow tcp to 192.0.2.80 port http as {MARKUP}\ninclude "{MARKUP}"\nnet {MARKUP} = 10.0.0.0/8\n'
        )
        assert "<img" in shown.text("#findings")
        shown.page.locator("#packet").fill(MARKUP)
        shown.page.locator("#claim").fill(f"deny {MARKUP}")
        shown.write(WEB.replace("web-in", "<b>bold</b>\u202egnp").replace("expect", "# expect"))
        shown.page.locator("#packet").fill(f"tcp 1.2.3.4:5 -> 192.0.2.80:80 in {MARKUP}")
        shown.page.locator("#verdict").wait_for()
        shown.page.get_by_role("button", name="Prove it").click()
        shown.page.locator("#answer .told").wait_for()
        drop(shown, "a.pcap", (RULES / "edge.pcapng").read_bytes())
        assert "errors" in shown.text("#counts")
        assert "\u202e" not in shown.page.evaluate("document.querySelector('.answers').textContent")
        assert shown.page.locator(INJECTED).count() == 0
        assert shown.told == []

    def test_a_file_name_is_text(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        drop(shown, f"{MARKUP}\u202e.pcap", (RULES / "edge.pcapng").read_bytes())
        assert f"{MARKUP}\\u{{202e}}.pcap: 44 packets" in shown.text("#counts")
        assert shown.page.locator(INJECTED).count() == 0
        assert shown.told == []

    def test_links(self, browser: Any, address: str) -> None:
        script = """async state => {
            const stream = new Blob([JSON.stringify(state)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
            const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
            return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
        }"""
        first = opened(browser, address)
        evil = {
            "name": MARKUP,
            "text": WEB,
            "packet": MARKUP,
            "claim": MARKUP,
            "files": {MARKUP: MARKUP, "__proto__": "x"},
        }
        shown = opened(browser, address, "#1." + first.page.evaluate(script, evil))
        assert MARKUP in shown.text("#name")
        assert shown.page.locator(INJECTED).count() == 0
        assert shown.told == []
        odd: Any
        for odd in (
            {"text": 3},
            {"text": "", "files": ["a"]},
            {"text": "", "packet": {}},
            [],
            None,
            {"text": "", "files": {"a": 1}},
        ):
            other = opened(browser, address, "#1." + first.page.evaluate(script, odd))
            assert "the link is none" in other.text("#name")

    def test_neither_page_nor_engine_can_call_anybody(self, browser: Any, address: str) -> None:
        shown = opened(browser, address)
        tried = "fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"
        assert shown.page.evaluate(tried) == "refused"
        (worker,) = shown.page.workers
        assert worker.evaluate(tried) == "refused"
        assert any(
            "Content Security Policy" in message or "Content-Security-Policy" in message for message in shown.told
        )
        evaluated = "setTimeout(() => { try { eval('1'); done('ran') } catch (error) { done(error.name) } })"
        assert shown.page.evaluate(f"new Promise(done => {evaluated})") == "EvalError"
        inline = "const made = document.createElement('script'); made.textContent = 'window.ran = 1'; document.body.append(made)"
        assert shown.page.evaluate(f"(() => {{ {inline}; return window.ran ?? 'refused' }})()") == "refused"


LOOKS = [(1280, 800, 1), (360, 740, 1), (640, 400, 2)]  # a desk, a telephone, and a desk's page at 200 %


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height", "scale"), LOOKS)
def test_it_fits(browser: Any, address: str, pictures: Path, scheme: str, width: int, height: int, scale: int) -> None:
    shown = opened(
        browser, address, color_scheme=scheme, viewport={"width": width, "height": height}, device_scale_factor=scale
    )
    everything(shown)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.told == []
    shown.page.screenshot(path=pictures / f"playground-{width}-{scheme}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    browser: Any, address: str, violations: Callable[[Any], list[Any]], scheme: str
) -> None:
    shown = opened(browser, address, color_scheme=scheme, bypass_csp=True)
    assert violations(shown.page) == []
    everything(shown)
    assert violations(shown.page) == []


def everything(shown: Opened) -> None:
    """All kinds of answers are there."""
    text = (RULES / "edge.fwl").read_text("utf-8")
    shown.write(text + "deny tcp from outside to web port http as late\nexpect deny tcp from any to web port https\n")
    shown.page.locator("#packet").fill("tcp 10.20.9.17:40000 -> 192.0.2.80:22")
    shown.page.locator("#claim").fill("deny tcp from any to web")
    shown.page.get_by_role("button", name="Prove it").click()
    shown.page.locator("#answer .outcome").first.wait_for()
    shown.page.locator("#draw").click()
    shown.page.locator(".matrix").wait_for()
    shown.page.locator(".matrix td.part button").first.click()
    shown.page.locator("#sample").click()
    shown.page.locator("#counts table").first.wait_for()
    shown.page.locator("#verdict", has_text="DEPENDS").wait_for()


def test_it_can_be_used_from_the_keyboard(browser: Any, address: str) -> None:
    shown = opened(browser, address)
    shown.write(WEB)
    reached: list[str] = []
    while "capture" not in reached:
        assert len(reached) < 50
        shown.page.keyboard.press("Tab")
        reached.append(shown.page.evaluate("document.activeElement.id"))
    wanted = ["packet", "claim", "prove", "query", "draw", "capture"]
    assert [name for name in reached if name in wanted] == wanted
