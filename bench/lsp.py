"""How long an editor waits: the language server's answers after an edit, for policies of growing size.

usage: python bench/lsp.py [RULES ...]

A real client over standard input and output; the time from an edit to the diagnostics of the changed text, and of hover,
completion and outline behind it. Needs the extra `lsp`.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

URI = "file:///policies/bench.fwl"
EDITS = 10


def policy(rules: int, seed: int = 1) -> str:
    draw = random.Random(seed)
    ports = ("http", "ssh", "1024-2000", "{ 53, 80 }", "https")
    lines = ["default allow", "net servers = { 192.168.0.0/16, 2001:db8::/48 }"]
    lines += [
        f"{'allow' if n % 4 else 'deny '} tcp from 10.{draw.randrange(256)}.{draw.randrange(256)}.0/24 to "
        f"192.168.{draw.randrange(256)}.{draw.randrange(256)} port {draw.choice(ports)} as rule-{n}"
        for n in range(rules)
    ]
    return "\n".join(lines) + "\n"


async def timed(call: Callable[[], Awaitable[Any]]) -> float:
    begin = time.perf_counter()
    await call()
    return (time.perf_counter() - begin) * 1000


async def measure(rules: int) -> dict[str, float]:
    client = LanguageClient("bench", "1")
    news: asyncio.Queue[int] = asyncio.Queue()

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]  # pygls has no types for it
    def told(params: lsp.PublishDiagnosticsParams) -> None:
        news.put_nowait(params.version or 0)

    await client.start_io(sys.executable, "-m", "fwengine", "lsp")
    await client.initialize_async(lsp.InitializeParams(lsp.ClientCapabilities()))
    client.initialized(lsp.InitializedParams())
    text = policy(rules)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(URI, "fwl", 0, text)))
    while await news.get() != 0:
        pass
    found: dict[str, list[float]] = {}
    draw = random.Random(2)
    for version in range(1, EDITS + 1):
        lines = text.split("\n")
        line = draw.randrange(2, rules + 2)
        lines[line] = lines[line].replace("10.", "11.", 1)
        text = "\n".join(lines)

        async def edit(version: int = version, text: str = text) -> None:
            client.text_document_did_change(
                lsp.DidChangeTextDocumentParams(
                    lsp.VersionedTextDocumentIdentifier(version, URI),
                    [lsp.TextDocumentContentChangeWholeDocument(text)],
                )
            )
            while await news.get() != version:
                pass

        document, place = lsp.TextDocumentIdentifier(URI), lsp.Position(line, 2)
        behind = lsp.Position(line, len("allow tcp from "))
        for name, call in (
            ("edit to diagnostics", edit),
            ("hover", lambda: client.text_document_hover_async(lsp.HoverParams(document, place))),  # noqa: B023
            ("completion", lambda: client.text_document_completion_async(lsp.CompletionParams(document, behind))),  # noqa: B023
            ("outline", lambda: client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))),  # noqa: B023
        ):
            found.setdefault(name, []).append(await timed(call))
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]  # nor for this
    return {name: statistics.median(times) for name, times in found.items()}


def main(sizes: list[int]) -> None:
    print(f"median of {EDITS} edits, ms")
    for rules in sizes:
        medians = asyncio.run(measure(rules))
        print(f"{rules:>6,} rules: " + ", ".join(f"{name} {ms:.0f}" for name, ms in medians.items()))


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [100, 1000, 10000])
