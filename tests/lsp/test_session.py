"""`fwengine lsp` as an editor sees it: a real client speaks the protocol over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls", reason="the extra `lsp` is not installed")

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

POLICY = """\
default deny
net web = { 192.0.2.80-192.0.2.83, 2001:db8::80 }
ports high = 1024-65535
service www = { tcp/http, tcp/https }
allow www from any port high to web as web-in
deny  tcp from 10.0.0.0/8 port high to web port https as late
deny  tcp from 10.0.0.0/8 to any port https as part
allow udp from any to web port domain

expect allow tcp from 198.51.100.1 port high to web port https by web-in
expect deny tcp from any to web port { https, telnet }
"""


class Client(LanguageClient):
    """A client that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("tests", "1")
        self.told: dict[str, lsp.PublishDiagnosticsParams] = {}
        self.news = asyncio.Event()
        self.messages: list[str] = []

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]  # nor for this
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.told[params.uri] = params
            self.news.set()

        @self.feature(lsp.WORKSPACE_CODE_LENS_REFRESH)  # type: ignore[untyped-decorator]  # nor for this
        def refresh(params: None) -> None:
            return None

        @self.feature(lsp.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]  # nor for this
        def shown(params: lsp.ShowMessageParams) -> None:
            self.messages.append(params.message)

    async def until(self, uri: str, wanted: Callable[[list[lsp.Diagnostic]], bool]) -> list[lsp.Diagnostic]:
        """The diagnostics of a text, when they are as wanted."""
        while True:
            if uri in self.told and wanted(list(self.told[uri].diagnostics)):
                return list(self.told[uri].diagnostics)
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 30)

    def write(self, uri: str, version: int, text: str) -> None:
        self.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version, uri), [lsp.TextDocumentContentChangeWholeDocument(text)]
            )
        )

    def open(self, uri: str, text: str) -> None:
        self.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "fwl", 1, text)))


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Client]:
    client = Client()
    await client.start_io(sys.executable, "-m", "fwengine", "lsp")
    await client.initialize_async(
        lsp.InitializeParams(
            lsp.ClientCapabilities(
                workspace=lsp.WorkspaceClientCapabilities(
                    code_lens=lsp.CodeLensWorkspaceClientCapabilities(refresh_support=True)
                )
            ),
            root_uri=folder.as_uri(),
            workspace_folders=[lsp.WorkspaceFolder(folder.as_uri(), "policies")],
        )
    )
    client.initialized(lsp.InitializedParams())
    try:
        yield client
        await asyncio.wait_for(client.shutdown_async(None), 30)
        client.exit(None)
    finally:
        process = client._server
        if process is not None and process.returncode is None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), 10)
        if process is not None and process.returncode is None:
            process.kill()
        await asyncio.wait_for(client.stop(), 10)  # type: ignore[no-untyped-call]  # pygls has no types for it


def session(folder: Path, talk: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
    """A whole session with one client."""

    async def run() -> None:
        async with serving(folder) as client:
            await talk(client)

    asyncio.run(run())


def codes(found: list[lsp.Diagnostic]) -> list[object]:
    return [d.code for d in found]


def at(text: str, needle: str, which: int = 0) -> lsp.Position:
    """The position in the middle of a piece of text."""
    place = -1
    for _ in range(which + 1):
        place = text.index(needle, place + 1)
    before = text[: place + len(needle) // 2].split("\n")
    return lsp.Position(len(before) - 1, len(before[-1].encode("utf-16-le")) // 2)


def document(uri: str) -> lsp.TextDocumentIdentifier:
    return lsp.TextDocumentIdentifier(uri)


def test_findings_follow_the_typing_and_are_mended(tmp_path: Path) -> None:
    uri = (tmp_path / "a.fwl").as_uri()

    async def talk(client: Client) -> None:
        client.open(uri, POLICY)
        found = await client.until(uri, lambda told: "FW201" in codes(told))
        late = next(d for d in found if d.code == "FW201")
        assert late.range.start.line == 5
        assert late.severity is lsp.DiagnosticSeverity.Warning
        assert list(late.tags or []) == [lsp.DiagnosticTag.Unnecessary]
        assert late.related_information
        assert late.related_information[0].location.range.start.line == 4
        # two broken lines: both told, and what is true of the rules before them still is
        client.write(uri, 2, POLICY.replace("allow udp", "alow udp") + "deny tcp from any to webb\n")
        found = await client.until(uri, lambda told: {"FW012", "FW201"} <= set(codes(told)))
        assert [d.range.start.line for d in found if d.severity is lsp.DiagnosticSeverity.Error] == [7, 11]
        wrong = next(d for d in found if d.code == "FW012")
        actions = await client.text_document_code_action_async(
            lsp.CodeActionParams(document(uri), wrong.range, lsp.CodeActionContext([wrong]))
        )
        assert actions
        action = actions[0]
        assert isinstance(action, lsp.CodeAction)
        assert action.title == "Write `allow`"
        assert action.edit
        assert action.edit.changes
        edit = action.edit.changes[uri][0]
        assert (edit.new_text, edit.range.start, edit.range.end) == (
            "allow",
            lsp.Position(7, 0),
            lsp.Position(7, 4),
        )
        client.write(uri, 3, POLICY)
        await client.until(uri, lambda told: "FW012" not in codes(told) and "FW201" in codes(told))

    session(tmp_path, talk)


def test_hover_tells_what_a_name_stands_for_and_what_a_rule_still_decides(tmp_path: Path) -> None:
    uri = (tmp_path / "a.fwl").as_uri()

    async def hover(client: Client, needle: str, which: int = 0) -> str:
        found = await client.text_document_hover_async(lsp.HoverParams(document(uri), at(POLICY, needle, which)))
        assert found is not None, needle
        assert isinstance(found.contents, lsp.MarkupContent)
        return found.contents.value

    async def talk(client: Client) -> None:
        client.open(uri, POLICY)
        assert "{ 192.0.2.80/30, 2001:db8::80 }" in await hover(client, "web", 1)
        assert "tcp from any to any port { 80, 443 }" in await hover(client, "www", 1)
        assert "1024-65535" in await hover(client, "high", 1)
        assert "tcp/53" in await hover(client, "domain")
        assert "decides nothing: `web-in` matches all of it" in await hover(client, "deny  tcp")
        part = await hover(client, "deny  tcp", 1)
        assert "matches tcp from 10.0.0.0/8 to any port 443" in part
        assert (
            "still decides tcp from 10.0.0.0/8 to any port 443 unless tcp from any port high to 192.0.2.80/30" in part
        )
        assert "decides all of it" in await hover(client, "allow www")
        nothing = await client.text_document_hover_async(lsp.HoverParams(document(uri), lsp.Position(8, 0)))
        assert nothing is None

    session(tmp_path, talk)


def test_names_are_found_and_renamed_across_includes(tmp_path: Path) -> None:
    (tmp_path / "common.fwl").write_text("net office = 10.20.0.0/16\n")
    (tmp_path / "other.fwl").write_text('include "common.fwl"\ndeny tcp from office\n')
    text = 'include "common.fwl"\n# é😀\nallow tcp from office to any port ssh as in\n'
    text = text.replace(" as in", " as admin") + "expect allow tcp 10.20.0.1:9 -> 192.0.2.1:22 by admin\n"
    uri = (tmp_path / "edge.fwl").as_uri()

    async def talk(client: Client) -> None:
        client.open(uri, text)
        place = lsp.TextDocumentPositionParams(document(uri), at(text, "office"))
        home = await client.text_document_definition_async(lsp.DefinitionParams(place.text_document, place.position))
        assert isinstance(home, list)
        assert [(one.uri, one.range.start.line) for one in home if isinstance(one, lsp.Location)] == [
            ((tmp_path / "common.fwl").as_uri(), 0)
        ]
        used = await client.text_document_references_async(
            lsp.ReferenceParams(lsp.ReferenceContext(True), place.text_document, place.position)
        )
        assert used is not None
        assert [Path(one.uri).name for one in used] == ["common.fwl", "edge.fwl", "other.fwl"]
        renamed = await client.text_document_rename_async(
            lsp.RenameParams(place.text_document, place.position, "branch")
        )
        assert renamed is not None
        assert renamed.changes is not None
        assert {
            Path(name).name: [e.range.start.character for e in edits] for name, edits in renamed.changes.items()
        } == {
            "common.fwl": [4],
            "edge.fwl": [15],
            "other.fwl": [14],
        }
        with pytest.raises(Exception, match="a word of the language"):
            await client.text_document_rename_async(lsp.RenameParams(place.text_document, place.position, "any"))
        by = await client.text_document_definition_async(lsp.DefinitionParams(document(uri), at(text, "admin", 1)))
        assert isinstance(by, list)
        assert [one.range.start.line for one in by if isinstance(one, lsp.Location)] == [2]
        include = await client.text_document_definition_async(
            lsp.DefinitionParams(document(uri), at(text, '"common.fwl"'))
        )
        assert isinstance(include, list)
        assert [Path(one.uri).name for one in include if isinstance(one, lsp.Location)] == ["common.fwl"]

    session(tmp_path, talk)


def test_what_is_open_counts_and_not_what_is_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "common.fwl").write_text("net office = 10.20.0.0/16\n")
    edge, common = ((tmp_path / name).as_uri() for name in ("edge.fwl", "common.fwl"))

    async def talk(client: Client) -> None:
        client.open(edge, 'include "common.fwl"\nallow tcp from office to any port ssh\n')
        await client.until(edge, lambda told: not [d for d in told if d.severity is lsp.DiagnosticSeverity.Error])
        client.open(common, "net offices = 10.20.0.0/16\n")
        found = await client.until(edge, lambda told: "FW106" in codes(told) or len(told) > 0)
        assert any("office" in d.message for d in found)
        client.write(common, 2, "net office = 10.20.0.0/33\n")
        found = await client.until(edge, lambda told: any("is included" in d.message for d in told))
        assert found[0].related_information
        client.write(common, 3, "net office = 10.20.0.0/16\n")
        await client.until(edge, lambda told: not [d for d in told if d.severity is lsp.DiagnosticSeverity.Error])

    session(tmp_path, talk)


def test_lenses_prove_expectations_and_count_a_capture(tmp_path: Path) -> None:
    uri = (tmp_path / "a.fwl").as_uri()
    capture = Path(__file__).parents[2] / "rules" / "web-server.pcap"

    async def lenses(client: Client) -> list[str]:
        found = await client.text_document_code_lens_async(lsp.CodeLensParams(document(uri)))
        return [lens.command.title for lens in found or [] if lens.command]

    async def talk(client: Client) -> None:
        client.open(uri, POLICY)
        await client.until(uri, lambda told: "FW201" in codes(told))
        proved, refuted = await lenses(client)
        assert proved == "proved"
        assert refuted.startswith("does not hold: tcp ")
        assert refuted.endswith("is allow by web-in")
        counted = await client.workspace_execute_command_async(
            lsp.ExecuteCommandParams("fwengine.capture", [uri, str(capture)])
        )
        assert counted is not None
        assert counted["packets"] == sum(counted["rules"].values()) > 0
        while not any("packet" in title and "capture" in title for title in await lenses(client)):
            await asyncio.sleep(0.05)
        verdict = await client.workspace_execute_command_async(
            lsp.ExecuteCommandParams("fwengine.evaluate", [uri, "tcp 198.51.100.1:2000 -> 192.0.2.80:443"])
        )
        assert verdict is not None
        assert verdict["rule"] == "web-in"
        missing = await client.workspace_execute_command_async(
            lsp.ExecuteCommandParams("fwengine.capture", [uri, str(tmp_path / "none.pcap")])
        )
        assert missing is not None
        assert "none.pcap" in missing["error"]

    session(tmp_path, talk)


def test_formatting_outline_and_hints(tmp_path: Path) -> None:
    uri = (tmp_path / "a.fwl").as_uri()
    text = "deny any from 10.0.0.0/8 as   spoofed # é\nallow tcp  from any to 192.0.2.1 port  https\n"

    async def talk(client: Client) -> None:
        client.open(uri, text)
        options = lsp.FormattingOptions(4, True)
        edits = await client.text_document_formatting_async(lsp.DocumentFormattingParams(document(uri), options))
        assert edits is not None
        assert [edit.new_text for edit in edits] == [
            "deny  any from 10.0.0.0/8 as spoofed  # é\nallow tcp from any to 192.0.2.1 port https\n"
        ]
        assert edits[0].range == lsp.Range(lsp.Position(0, 0), lsp.Position(2, 0))
        outline = await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document(uri)))
        assert outline is not None
        assert [one.name for one in outline] == ["spoofed", "allow tcp from any to 192.0.2.1 port https"]
        everything = lsp.Range(lsp.Position(0, 0), lsp.Position(9, 0))
        hints = await client.text_document_inlay_hint_async(lsp.InlayHintParams(document(uri), everything))
        assert hints is not None
        assert [(one.position.line, one.label) for one in hints] == [(1, " = 443")]
        client.write(uri, 2, text + "allow tcp frm any\n")
        edits = await client.text_document_formatting_async(lsp.DocumentFormattingParams(document(uri), options))
        assert not edits

    session(tmp_path, talk)


def test_another_firewalls_rules_have_diagnostics_and_hover(tmp_path: Path) -> None:
    uri = (tmp_path / "edge.rules").as_uri()
    text = """*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -j ACCEPT
-A INPUT -p tcp --dport 22 -j DROP
COMMIT
"""

    async def talk(client: Client) -> None:
        client.open(uri, text)
        found = await client.until(uri, lambda told: "FW201" in codes(told))
        assert [d.range.start.line for d in found if d.code == "FW201"] == [5]
        told = await client.text_document_hover_async(lsp.HoverParams(document(uri), lsp.Position(4, 3)))
        assert told is not None
        assert isinstance(told.contents, lsp.MarkupContent)
        assert "decides all of it" in told.contents.value

    session(tmp_path, talk)


def test_a_wrong_configuration_is_told_and_all_advice_can_be_followed(tmp_path: Path) -> None:
    (tmp_path / "fwengine.toml").write_text('select = ["FW999"]\n')
    uri = (tmp_path / "a.fwl").as_uri()

    async def talk(client: Client) -> None:
        client.open(uri, POLICY)
        found = await client.until(uri, lambda told: {"FW515", "FW201"} <= set(codes(told)))
        assert any("FW999" in d.message for d in found)
        (tmp_path / "fwengine.toml").write_text("")
        client.write(
            uri, 2, POLICY.replace("deny  tcp from 10.0.0.0/8 port high", "allow tcp from 10.0.0.0/8 port high")
        )
        await client.until(uri, lambda told: "FW515" not in codes(told) and "FW202" in codes(told))
        everything = lsp.Range(lsp.Position(0, 0), lsp.Position(9, 0))
        context = lsp.CodeActionContext([], only=[lsp.CodeActionKind.SourceFixAll])
        actions = await client.text_document_code_action_async(lsp.CodeActionParams(document(uri), everything, context))
        (all_of_them,) = [a for a in actions or [] if isinstance(a, lsp.CodeAction) and a.kind == "source.fixAll"]
        assert all_of_them.edit
        assert all_of_them.edit.changes
        assert "as late" not in all_of_them.edit.changes[uri][0].new_text

    session(tmp_path, talk)


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("", {"allow", "deny", "net", "expect", "include"}, {"tcp", "from"}),
        ("allow ", {"tcp", "udp", "www", "any"}, {"web", "from", "allow"}),
        ("allow tcp from ", {"web", "any", "ipv6", "not"}, {"www", "high", "ssh"}),
        ("allow tcp from any po", {"port", "to"}, {"web"}),
        ("allow tcp from any port ", {"high", "https", "ephemeral"}, {"web"}),
        ("allow tcp from any to web ", {"port", "established", "log", "as"}, {"from", "web"}),
        ("allow icmp from any to web type ", {"echo-request"}, {"web"}),
        ("allow tcp from any to web state ", {"new", "established"}, {"web"}),
        ("expect allow tcp from any to web port https by ", {"web-in", "default"}, {"web"}),
        ("net x = { 10.0.0.0/8, ", {"web", "any"}, {"high"}),
        ("allow tcp from from ", set(), {"web"}),
        ("allow tcp  # from ", set(), {"web"}),
    ],
)
def test_completion_by_grammar_and_names(line: str, some: set[str], none: set[str]) -> None:
    from fwengine.lsp.completed import completions
    from fwengine.lsp.opened import open_text

    text = POLICY + line
    opened = open_text("a.fwl", lambda name: text.encode())
    found = {choice.text for choice in completions(opened, text.count("\n") + 1, len(line) + 1)}
    assert some <= found
    assert not none & found
    if not some:
        assert not found
