"""The language server: the protocol's requests -> the functions beside this module. The only one that knows the protocol's loop."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from .._version import __version__
from ..codes import EXPLANATIONS
from ..errors import Diagnostic, FwengineError, Span
from ..language.syntax.parser import read
from ..language.syntax.printer import show_document
from . import beside, completed, named, told
from .aside import aside
from .located import path_of, uri_of
from .mends import mended, mends
from .opened import Opened
from .places import Text
from .session import Document, Session

_SEVERITY: Final = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "info": lsp.DiagnosticSeverity.Information,
}
_IDLE: Final = frozenset({"FW201", "FW202", "FW203", "FW204", "FW207", "FW209", "FW210", "FW221"})
_SYMBOLS: Final = {
    "net": lsp.SymbolKind.Constant, "ports": lsp.SymbolKind.Constant, "service": lsp.SymbolKind.Interface,
    "interface": lsp.SymbolKind.Interface, "rule": lsp.SymbolKind.Function, "expect": lsp.SymbolKind.Event,
    "include": lsp.SymbolKind.Module, "default": lsp.SymbolKind.Function,
}  # fmt: skip
_CHOICES: Final = {
    "keyword": lsp.CompletionItemKind.Keyword, "net": lsp.CompletionItemKind.Constant,
    "ports": lsp.CompletionItemKind.Constant, "service": lsp.CompletionItemKind.Interface,
    "interface": lsp.CompletionItemKind.Variable, "rule": lsp.CompletionItemKind.Function,
    "value": lsp.CompletionItemKind.EnumMember,
}  # fmt: skip
COMMANDS: Final = ("fwengine.evaluate", "fwengine.capture", "fwengine.explain")


class Server(LanguageServer):
    """A language server with its session."""

    def __init__(self, pause: float | None = None) -> None:
        super().__init__("fwengine", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.session = Session(self.publish) if pause is None else Session(self.publish, pause)

    def text(self, content: str) -> Text:
        return Text(content, self.workspace.position_codec)

    def locations(self, like: str) -> Callable[[Span], lsp.Location]:
        """Places in any files, open or not, of which each is read once; those that cannot be read are taken for empty."""
        texts: dict[str, Text] = {}

        def location(span: Span) -> lsp.Location:
            if span.file not in texts:
                try:
                    texts[span.file] = self.text(self.session.read(span.file).decode("utf-8", "replace"))
                except OSError:
                    texts[span.file] = self.text("")
            return lsp.Location(uri_of(span.file, like), texts[span.file].range(span))

        return location

    def publish(self, document: Document) -> None:
        """Sends what is known of a document."""
        if document.opened is None:
            return
        found = [*document.opened.errors, *document.deep.findings]
        location = self.locations(document.uri)
        told = [self.diagnostic(d, location) for d in found if d.span.file == document.opened.file]
        told += self._elsewhere(document, location)
        told += self._configuration(document)
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(document.uri, told, document.of_version))
        client = self.client_capabilities.workspace
        if document.deep.lenses and client is not None and client.code_lens and client.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None, lambda _: None)

    def diagnostic(self, d: Diagnostic, location: Callable[[Span], lsp.Location]) -> lsp.Diagnostic:
        parts = [d.message, d.label, d.help, *d.notes]
        related = [lsp.DiagnosticRelatedInformation(location(label.span), label.text) for label in d.labels]
        tags = [lsp.DiagnosticTag.Unnecessary] if d.code in _IDLE else None
        return lsp.Diagnostic(
            location(d.span).range, "\n".join(dict.fromkeys(filter(None, parts))), _SEVERITY[d.severity], d.code,
            source="fwengine", tags=tags, related_information=related or None,
        )  # fmt: skip

    def _elsewhere(self, document: Document, location: Callable[[Span], lsp.Location]) -> list[lsp.Diagnostic]:
        """Errors of files that are included, at the top: their own places are in texts that may not be open."""
        assert document.opened is not None
        others: dict[str, list[Diagnostic]] = {}
        for d in document.opened.errors:
            if d.span.file != document.opened.file:
                others.setdefault(d.span.file, []).append(d)
        out = []
        for file, some in others.items():
            related = [lsp.DiagnosticRelatedInformation(location(d.span), d.message) for d in some[:20]]
            message = f"`{file}`, which is included, has {len(some)} error{'s' * (len(some) != 1)}"
            at = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 1))
            out.append(
                lsp.Diagnostic(
                    at, message, lsp.DiagnosticSeverity.Error, some[0].code, source="fwengine",
                    related_information=related,
                )
            )  # fmt: skip
        return out

    def _configuration(self, document: Document) -> list[lsp.Diagnostic]:
        """What is wrong with the configuration that would count for the document, at the top."""
        wrong = self.session.wrong.get(os.path.dirname(document.path))  # noqa: PTH120  # as the session has it
        at = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 1))
        return [
            lsp.Diagnostic(
                at, f"{d.span.file}:{d.span.line}: {d.message}", _SEVERITY[d.severity], d.code, source="fwengine"
            )
            for d in (wrong.diagnostics if wrong is not None else ())
        ]

    async def at(self, uri: str, position: lsp.Position) -> tuple[Document, Opened, int, int] | None:
        """A document as it stands, and a place in it."""
        document = await self.session.current(uri)
        if document is None or document.opened is None:
            return None
        return (document, document.opened, *self.text(document.text).place(position))


def serve(pause: float | None = None) -> Server:
    """A server with all its features, ready to be started."""
    server = Server(pause)
    _synchronisation(server)
    _reading(server)
    _names(server)
    _writing(server)
    _commands(server)
    return server


def run() -> None:
    """Serves on standard input and output until the client ends it."""
    logging.getLogger("pygls").setLevel(logging.ERROR)  # what the client asks for is no news
    serve().start_io()


def _synchronisation(server: Server) -> None:
    @server.feature(lsp.INITIALIZED)
    def initialized(params: lsp.InitializedParams) -> None:
        server.session.folders = [path_of(uri) for uri in server.workspace.folders]

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        server.session.change(document.uri, document.text, document.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        for change in params.content_changes:  # the whole text each
            server.session.change(document.uri, change.text, document.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.session.close(params.text_document.uri)
        server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(params.text_document.uri, []))


def _reading(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        at = await server.at(params.text_document.uri, params.position)
        if at is None:
            return None
        document, opened, line, column = at
        found = await aside(told.hover, opened, line, column, document.hits)
        if found is None:
            return None
        text = "\n".join([found.title, *found.lines])
        fence = "`" * (max(3, text.count("`") + 1) if "```" in text else 3)  # nothing in a text ends its block
        return lsp.Hover(
            lsp.MarkupContent(lsp.MarkupKind.Markdown, f"{fence}\n{text}\n{fence}"),
            server.text(document.text).range(found.span),
        )

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outline(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        document = await server.session.current(params.text_document.uri)
        if document is None or document.opened is None:
            return []
        text = server.text(document.text)
        return [
            lsp.DocumentSymbol(
                one.name, _SYMBOLS[one.kind], text.range(one.span), text.range(one.name_span), one.detail or None
            )
            for one in named.symbols(document.opened)
        ]

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    async def hints(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        document = await server.session.current(params.text_document.uri)
        if document is None or document.opened is None:
            return []
        text = server.text(document.text)
        some = beside.hints(document.opened, params.range.start.line + 1, params.range.end.line + 1)
        return [
            lsp.InlayHint(
                text.range(Span("", h.line, h.column, h.line, h.column)).start, h.text, lsp.InlayHintKind.Parameter
            )
            for h in some
        ]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
    async def lenses(params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        document = await server.session.current(params.text_document.uri)
        if document is None:
            return []
        text = server.text(document.text)
        return [
            lsp.CodeLens(
                text.range(lens.span),
                lsp.Command(
                    lens.text,
                    "fwengine.evaluate" if lens.packet else "",
                    arguments=[document.uri, lens.packet] if lens.packet else None,
                ),
            )
            for lens in document.deep.lenses
        ]


def _names(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: lsp.DefinitionParams) -> list[lsp.Location]:
        at = await server.at(params.text_document.uri, params.position)
        if at is None:
            return []
        document, opened, line, column = at
        mention = named.mention_at(opened, line, column)
        if mention is not None:
            return list(map(server.locations(document.uri), named.definitions(opened, mention)))
        file = named.included_at(opened, line, column)
        return [server.locations(document.uri)(Span(file, 1, 1, 1, 1))] if file is not None else []

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    async def references(params: lsp.ReferenceParams) -> list[lsp.Location]:
        at = await server.at(params.text_document.uri, params.position)
        mention = named.mention_at(*at[1:]) if at is not None else None
        if at is None or mention is None:
            return []
        given = params.context.include_declaration
        spans = await asyncio.to_thread(_everywhere, server, at[1], mention, given)
        return list(map(server.locations(at[0].uri), spans))

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare(params: lsp.PrepareRenameParams) -> lsp.Range | None:
        at = await server.at(params.text_document.uri, params.position)
        mention = named.mention_at(*at[1:]) if at is not None else None
        if at is None or mention is None or not named.places(at[1], mention) or not named.definitions(at[1], mention):
            return None
        return server.text(at[0].text).range(mention.span)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    async def rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        at = await server.at(params.text_document.uri, params.position)
        mention = named.mention_at(*at[1:]) if at is not None else None
        if at is None or mention is None:
            return None
        reason = named.unfit(at[1], mention, params.new_name)
        if reason is not None:
            raise ValueError(reason)
        edits: dict[str, list[lsp.TextEdit]] = {}
        location = server.locations(at[0].uri)
        for span in await asyncio.to_thread(_everywhere, server, at[1], mention, True):
            place = location(span)
            edits.setdefault(place.uri, []).append(lsp.TextEdit(place.range, params.new_name))
        return lsp.WorkspaceEdit(changes=edits)


def _everywhere(server: Server, opened: Opened, mention: Any, given: bool) -> Sequence[Span]:
    """The places of a name in the file, what it includes, and what includes the file that gives it."""
    spans = list(named.places(opened, mention, also_given=given))
    home = next(iter(named.definitions(opened, mention)), mention.span).file
    for other in server.session.relatives(home):
        spans += named.places(other, mention, also_given=given)
    return sorted(dict.fromkeys(spans))


def _writing(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[" ", "{", ","]))
    async def completion(params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        at = await server.at(params.text_document.uri, params.position)
        if at is None:
            return []
        _, opened, line, column = at
        return [
            lsp.CompletionItem(choice.text, kind=_CHOICES[choice.kind], detail=choice.detail, sort_text=f"{n:04}")
            for n, choice in enumerate(completed.completions(opened, line, column))
        ]

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    async def formatting(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        document = await server.session.current(params.text_document.uri)
        if document is None or document.opened is None or document.opened.foreign:
            return []
        written, errors, _ = read(document.text, document.path)
        if errors:  # what cannot be read is not rewritten
            return []
        text = show_document(written)
        return [lsp.TextEdit(server.text(document.text).whole, text)] if text != document.text else []

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]),
    )
    async def actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = await server.session.current(params.text_document.uri)
        if document is None or document.opened is None:
            return []
        opened, text = document.opened, server.text(document.text)
        location = server.locations(document.uri)
        here = [
            d
            for d in (*opened.errors, *document.deep.findings)
            if d.span.file == opened.file and _meet(text.range(d.span), params.range)
        ]
        out = []
        for mend in mends(here):
            if all(edit.span.file == opened.file for edit in mend.edits):
                edits = [lsp.TextEdit(text.range(edit.span), edit.text) for edit in mend.edits]
                out.append(
                    lsp.CodeAction(
                        mend.title, lsp.CodeActionKind.QuickFix,
                        [server.diagnostic(mend.diagnostic, location)], mend.only,
                        edit=lsp.WorkspaceEdit(changes={document.uri: edits}),
                    )
                )  # fmt: skip
        wanted = params.context.only or []
        if lsp.CodeActionKind.SourceFixAll in wanted or lsp.CodeActionKind.Source in wanted:
            whole = await asyncio.to_thread(mended, opened, server.session)
            if whole is not None:
                edit = lsp.WorkspaceEdit(changes={document.uri: [lsp.TextEdit(text.whole, whole)]})
                title = "Follow all advice that changes no verdict (proved)"
                out.append(lsp.CodeAction(title, lsp.CodeActionKind.SourceFixAll, edit=edit))
        return out


def _meet(a: lsp.Range, b: lsp.Range) -> bool:
    def key(position: lsp.Position) -> tuple[int, int]:
        return position.line, position.character

    return key(a.start) <= key(b.end) and key(b.start) <= key(a.end)


def _commands(server: Server) -> None:
    @server.command("fwengine.evaluate")
    async def evaluate(uri: str, packet: str) -> dict[str, Any]:
        """The verdict on a written packet: action, rule, and the sentence."""
        document = await server.session.current(uri)
        if document is None or document.opened is None or document.opened.policy is None or document.opened.errors:
            return {"error": "the policy has errors, or is not open"}
        try:
            verdict = await asyncio.to_thread(document.opened.policy.evaluate, packet)
        except FwengineError as error:
            return {"error": str(error)}
        server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, f"{packet}: {verdict}"))
        return {"action": str(verdict.action), "rule": verdict.by, "text": str(verdict)}

    @server.command("fwengine.capture")
    async def capture(uri: str, path: str) -> dict[str, Any]:
        """Counts of a capture for the rules of a policy, shown from now on with them; forgotten when it is closed."""
        document = await server.session.current(uri)
        if document is None or document.opened is None or document.opened.policy is None or document.opened.errors:
            return {"error": "the policy has errors, or is not open"}
        try:
            report = await asyncio.to_thread(document.opened.policy.evaluate_capture, path)
        except (FwengineError, OSError) as error:
            return {"error": str(error)}
        if report.error is not None:  # what could be read of it would count as all of it
            return {"error": str(report.error)}
        document.hits = {count.label: count.packets for count in report.rules}
        server.session.again(document)
        return {"packets": report.packets, "rules": document.hits}

    @server.command("fwengine.explain")
    def explain(code: str) -> str | None:
        """What a code means, at length."""
        return EXPLANATIONS.get(code)
