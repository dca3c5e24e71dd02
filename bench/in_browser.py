"""The playground in a headless Chromium: from load to the first answer, and from a key to what is told, at 100 and 1,000 rules.

    FWENGINE_PLAYGROUND=SITE python bench/in_browser.py

Needs Playwright, a Chromium of the system, and a site that `npm run build` in `docs/playground` made.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from fwengine.cli.serving import Server, read_site

RULES = Path(__file__).resolve().parents[1] / "rules"
LOADS, KEYS = 7, 15
# The page's own clock, from a key to the moment when the text has been looked at: errors, packet, findings, expectations.
WATCH = """() => {
    window.times = [];
    let began = 0;
    new MutationObserver(() => {
        if ("looking" in document.body.dataset) began = performance.now();
        else window.times.push(performance.now() - began);
    }).observe(document.body, { attributes: true, attributeFilter: ["data-looking"] });
}"""


def policy(rules: int) -> str:
    """Rules such as one has them, some of which shadow others."""
    drawn = random.Random(rules)
    lines = ["default deny", "net office = 10.20.0.0/16", "net web = 192.0.2.80/28"]
    for number in range(rules):
        source = f"10.{drawn.randrange(40)}.{drawn.randrange(256)}.0/24"
        target = f"192.0.{drawn.randrange(4)}.{drawn.randrange(256)}"
        port = drawn.choice((22, 25, 53, 80, 443, drawn.randrange(1, 1024)))
        lines.append(
            f"{drawn.choice(('allow', 'allow', 'deny'))} tcp from {source} to {target} port {port} as r{number}"
        )
    return "\n".join([*lines, "expect deny udp from any to any port domain", ""])


def looked(page: Any) -> None:
    page.locator("body:not([data-looking])").wait_for()


def loads(browser: Any, address: str) -> list[float]:
    """Seconds from the address to the first verdict; the first of them is the cold one."""
    context = browser.new_context()
    found = []
    for _ in range(LOADS):
        page = context.new_page()
        begin = perf_counter()
        page.goto(address)
        page.locator("#verdict .act").first.wait_for()
        found.append(perf_counter() - begin)
        looked(page)
        page.close()
    return found


def keys(page: Any, rules: int) -> list[float]:
    """Milliseconds from a key to all that is told of the text."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(policy(rules))
    looked(page)
    page.keyboard.press("Control+Home")
    page.evaluate("window.times = []")
    for number in range(KEYS):
        page.keyboard.type("# "[number % 2])
        looked(page)
    return [float(one) for one in page.evaluate("window.times")]


def told(what: str, found: list[float], unit: str, most: float | None = None) -> None:
    middle, worst = statistics.median(found), max(found)
    goal = f", goal {most:g}" if most is not None else ""
    print(f"{what}: median {middle:.3g} {unit}, most {worst:.3g}{goal}")


def main() -> None:
    sync_playwright: Any = import_module("playwright.sync_api").sync_playwright  # of the extra `browser`

    site = os.environ.get("FWENGINE_PLAYGROUND")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not site or not chromium:
        sys.exit("it needs FWENGINE_PLAYGROUND and a Chromium")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with Server(read_site(Path(site)), {}, 0) as server, sync_playwright() as started:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.port}/"
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        cold, *warm = loads(browser, address)
        print(f"from load to the first answer, cold: {cold:.2f} s")
        told("from load to the first answer, warm", warm, "s", 4)
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(address)
        looked(page)
        page.evaluate(WATCH)
        for rules, most in ((100, 200), (1000, None)):
            told(f"from a key to all that is told, {rules:,} rules", keys(page, rules), "ms", most)
        page.goto(address)
        looked(page)
        with tempfile.TemporaryDirectory() as folder:
            capture = Path(folder) / "many.pcap"
            data = (RULES / "web-server.pcap").read_bytes()
            capture.write_bytes(data[:24] + data[24:] * 2000)  # records of the classic form follow one another
            begin = perf_counter()
            page.locator("#capture").set_input_files(str(capture))
            page.locator("#counts table").first.wait_for()
            packets = int(page.locator("#counts .verdict").inner_text().split(": ")[1].split()[0].replace(",", ""))
            print(f"a capture: {packets / (perf_counter() - begin):,.0f} packets a second")
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
