"""Other firewalls' files in an editor, and a server that nothing brings down: through a real client."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls", reason="the extra `lsp` is not installed")

from lsprotocol import types as lsp
from support.paths import ROOT

from .test_incremental import MAIN, changed
from .test_session import Client, codes, document, session

NFT = """\
table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        ip saddr 10.0.0.0/8 accept
        ip saddr 10.1.0.0/16 drop
    }
}
"""
IPTABLES = "*filter\n:INPUT DROP [0:0]\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\n-A INPUT -s 10.1.0.0/16 -j DROP\nCOMMIT\n"
CISCO = "ip access-list extended OUT\n permit tcp 10.0.0.0 0.255.255.255 any\n deny tcp 10.1.0.0 0.0.255.255 any\n"


def _aws() -> str:
    return (ROOT / "rules" / "formats" / "vpc.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "text", "rule", "shadowed"),
    [("a.nft", NFT, 3, 4), ("a.rules", IPTABLES, 2, 3), ("a.cfg", CISCO, 1, 2), ("a.json", _aws(), None, None)],
)
def test_another_firewalls_file_is_outlined_and_explained(
    tmp_path: Path, name: str, text: str, rule: int | None, shadowed: int | None
) -> None:
    uri = (tmp_path / name).as_uri()

    async def hover(client: Client, line: int) -> str:
        column = len(text.split("\n")[line]) - 2
        found = await client.text_document_hover_async(lsp.HoverParams(document(uri), lsp.Position(line, column)))
        assert found is not None
        assert isinstance(found.contents, lsp.MarkupContent)
        return found.contents.value

    async def talk(client: Client) -> None:
        client.open(uri, text)
        outline = await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document(uri)))
        assert outline
        lines = [one.range.start.line for one in outline if isinstance(one, lsp.DocumentSymbol)]
        assert lines == sorted(lines)
        first = rule if rule is not None else lines[0]
        assert first in lines
        told = await hover(client, first)
        assert "matches" in told
        assert "decides" in told
        if shadowed is None:
            return
        assert "decides nothing" in await hover(client, shadowed)
        found = await client.until(uri, lambda diagnostics: "FW201" in codes(diagnostics))
        assert [d.range.start.line for d in found if d.code == "FW201"] == [shadowed]

    session(tmp_path, talk)


def raw(client: Client, body: str) -> None:
    """Sends what no client would."""
    assert client._server is not None
    assert client._server.stdin is not None
    data = body.encode()
    client._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))


def test_no_edit_and_no_message_ends_the_server(tmp_path: Path) -> None:
    uri, other = (tmp_path / "a.fwl").as_uri(), (tmp_path / "b.fwl").as_uri()
    draw = random.Random(13)
    methods = ("textDocument/hover", "textDocument/didChange", "textDocument/completion", "fwengine/none", "$/none")
    wrong: tuple[Any, ...] = (
        None, 7, [], {}, {"textDocument": 3}, {"textDocument": {"uri": "x:\0", "version": 1}, "contentChanges": [{}]},
        {"textDocument": {"uri": uri}, "position": {"line": -5, "character": "x"}},
        {"textDocument": {"uri": other}, "position": {"line": 10**9, "character": 10**9}},
    )  # fmt: skip

    async def talk(client: Client) -> None:
        text = MAIN
        asked: list[asyncio.Future[Any]] = []
        client.open(uri, text)
        for version in range(2, 40):
            text = changed(text, draw)
            client.write(uri, version, text)
            place = lsp.TextDocumentPositionParams(document(uri), lsp.Position(draw.randrange(40), draw.randrange(90)))
            asked += map(
                asyncio.ensure_future,
                [
                    client.text_document_hover_async(lsp.HoverParams(place.text_document, place.position)),
                    client.text_document_completion_async(lsp.CompletionParams(place.text_document, place.position)),
                    client.text_document_definition_async(lsp.DefinitionParams(place.text_document, place.position)),
                ],
            )
            if draw.random() < 0.3:
                message = {"jsonrpc": "2.0", "method": draw.choice(methods), "params": draw.choice(wrong)}
                raw(client, json.dumps(message if draw.random() < 0.5 else {**message, "id": f"wrong {version}"}))
        for text_ in ("{", "[]", "7", "null", '{"jsonrpc": "2.0"}', '{"jsonrpc": "2.0", "id": 1, "method": 3}', "\0"):
            raw(client, text_)
        await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 60)
        client.write(uri, 50, "alow tcp\n")
        found = await client.until(uri, lambda told: codes(told) == ["FW012"])
        assert found[0].range.start.line == 0

    session(tmp_path, talk)


def test_after_edits_a_place_is_counted_as_the_client_counts(tmp_path: Path) -> None:
    uri = (tmp_path / "a.fwl").as_uri()
    above, net, wrong = "# 😀", "net a = { 10.0.0.0/8, # 😀", '\tallow tcp from any in "😀" prot 80'
    steps = [
        [above, net, "}", wrong],
        [wrong],
        [net, wrong],  # its brace is not closed: the mistake below is none of its lines
        [above, above, "deny udp", net, "\t}", wrong],
    ]

    async def talk(client: Client) -> None:
        client.open(uri, "")
        for version, lines in enumerate(steps, 2):
            client.write(uri, version, "\r\n".join(lines))
            line, column = len(lines) - 1, len(wrong.partition("prot")[0].encode("utf-16-le")) // 2

            def told_there(found: list[lsp.Diagnostic], line: int = line, column: int = column) -> bool:
                return (line, column) in [(d.range.start.line, d.range.start.character) for d in found]

            await client.until(uri, told_there)

    session(tmp_path, talk)


def test_a_hundred_thousand_lines_keep_no_question_waiting(tmp_path: Path) -> None:
    uri, small = (tmp_path / "large.fwl").as_uri(), (tmp_path / "small.fwl").as_uri()
    text = "".join(f"allow tcp from 10.{n >> 8 & 255}.{n & 255}.0/24 to any port {n >> 16}\n" for n in range(100_000))

    async def talk(client: Client) -> None:
        client.open(uri, text)
        large = asyncio.ensure_future(
            client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document(uri)))
        )
        client.open(small, "alow tcp\n")
        await client.until(small, lambda told: codes(told) == ["FW012"])
        assert uri not in client.told  # that one is still being read
        assert not large.done()
        client.text_document_did_close(lsp.DidCloseTextDocumentParams(document(uri)))
        assert not await asyncio.wait_for(large, 120)

    session(tmp_path, talk)
