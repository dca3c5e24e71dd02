"""The open texts of an editor, read anew as they change: mistakes at once, findings when the typing pauses.

Reading and searching happen beside the loop that answers. A newer edit ends the search for findings of an older text where it
stands; reading goes on, since what it has learnt is of use for the next one, and its answer is thrown away.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ..errors import Diagnostic, PolicyError
from ..report.findings import selected
from ..sources.configuration import Configuration, nearest
from ..sources.source import ENDING, read_file
from .aside import aside
from .beside import Lens, lenses
from .located import path_of
from .opened import Memory, Opened, open_text

PAUSE = 0.3  # seconds without a change, before findings are looked for
MOST_FILES = 500  # of a folder's policies that are searched for a name


@dataclass(frozen=True)
class Deep:
    """What takes longer: findings, and what is proved."""

    findings: tuple[Diagnostic, ...] = ()
    lenses: tuple[Lens, ...] = ()


@dataclass
class Document:
    """An open text: its version, what is read of it, and what is being done about it."""

    uri: str
    text: str
    version: int
    opened: Opened | None = None
    of_version: int = -1
    deep: Deep = field(default_factory=Deep)
    memory: Memory = field(default_factory=Memory, repr=False)
    hits: dict[str, int] | None = None
    reading: asyncio.Task[None] | None = None
    searching: asyncio.Task[None] | None = None

    @property
    def path(self) -> str:
        return path_of(self.uri)


class Session:
    """All open texts; `publish` is called with a document whenever there is something new to say of it."""

    def __init__(self, publish: Callable[[Document], None], pause: float = PAUSE) -> None:
        self.documents: dict[str, Document] = {}
        self.folders: list[str] = []
        self.wrong: dict[str, PolicyError] = {}  # of configurations, by folder
        self._publish = publish
        self._pause = pause

    def change(self, uri: str, text: str, version: int) -> None:
        """A text is opened, or changed; those that include it are read again, too."""
        document = self.documents.setdefault(uri, Document(uri, text, version))
        document.text, document.version = text, version
        self._schedule(document)
        for other in self.documents.values():
            if other is not document and other.opened is not None and document.path in other.opened.texts:
                other.of_version = -1
                self._schedule(other)

    def close(self, uri: str) -> None:
        document = self.documents.pop(uri, None)
        if document is not None:
            for task in (document.reading, document.searching):
                if task is not None:
                    task.cancel()

    async def current(self, uri: str) -> Document | None:
        """A document, read as it stands."""
        document = self.documents.get(uri)
        while document is not None and document.of_version != document.version:
            if document.reading is None or document.reading.done():
                self._schedule(document)
            assert document.reading is not None
            await asyncio.wait([document.reading])
            document = self.documents.get(uri)
        return document

    def read(self, name: str) -> bytes:
        """A file, as it stands in the editor if it is open there.

        Raises:
            OSError: as `read_file`.
        """
        for document in list(self.documents.values()):
            if document.path == name:
                return document.text.encode("utf-8", "surrogatepass")
        return read_file(name)

    def configuration(self, path: str) -> Configuration:
        """What the nearest configuration says; nothing if it is wrong, which is kept to be told."""
        folder = os.path.dirname(path)  # noqa: PTH120  # a name, of no file perhaps
        try:
            found = nearest(folder or None)
            selected(found.select, found.ignore)
        except PolicyError as error:
            self.wrong[folder] = error
            return Configuration()
        except ValueError as error:
            self.wrong[folder] = found.wrong("select", f"`{error}` in `select` or `ignore` is not a code of a finding")
            return replace(found, select=(), ignore=())
        self.wrong.pop(folder, None)
        return found

    def relatives(self, path: str) -> Iterator[Opened]:
        """What else holds the file: open texts and policies of the folders that include it, each read."""
        known = {document.path for document in self.documents.values()}
        for document in list(self.documents.values()):
            if document.path != path and document.opened is not None and path in document.opened.texts:
                yield document.opened
        for count, name in enumerate(_policies(self.folders)):
            if count >= MOST_FILES:
                return
            if name not in known and name != path:
                found = open_text(name, self.read)
                if path in found.texts:
                    yield found

    # The work

    def _schedule(self, document: Document) -> None:
        if document.searching is not None:
            document.searching.cancel()
        if document.reading is None or document.reading.done():
            document.reading = asyncio.ensure_future(self._read(document))

    async def _read(self, document: Document) -> None:
        while document.of_version != document.version and self.documents.get(document.uri) is document:
            version = document.version
            interfaces = self.configuration(document.path).interfaces
            opened = await asyncio.to_thread(
                open_text, document.path, self.read, interfaces=interfaces, memory=document.memory
            )
            if document.opened is None:
                gc.freeze()  # what an open text is made of is there until it is closed: no edit need look through it
            if document.version == version:
                document.opened, document.of_version = opened, version
                document.deep = replace(document.deep, findings=(), lenses=())
                self._publish(document)
        if self.documents.get(document.uri) is document:
            document.searching = asyncio.ensure_future(self._search(document))

    async def _search(self, document: Document) -> None:
        await asyncio.sleep(self._pause)
        opened, version = document.opened, document.version
        if opened is None:
            return
        config = self.configuration(document.path)
        found = await aside(_deep, opened, config, document.hits)
        if document.version == version and self.documents.get(document.uri) is document:
            document.deep = found
            self._publish(document)

    def again(self, document: Document) -> None:
        """Searches once more, since something beside the text has changed."""
        if document.searching is not None:
            document.searching.cancel()
        document.searching = asyncio.ensure_future(self._search(document))


def _deep(opened: Opened, config: Configuration, hits: dict[str, int] | None) -> Deep:
    codes = sorted(selected(config.select, config.ignore))
    return Deep(opened.findings(codes), tuple(lenses(opened, hits)))


def _policies(folders: list[str]) -> Iterator[str]:
    for folder in folders:
        for here, below, files in os.walk(folder):
            below[:] = sorted(name for name in below if not name.startswith(".") and name != "node_modules")
            for name in sorted(files):
                if name.endswith(ENDING):
                    yield os.path.join(here, name)  # noqa: PTH118  # as the spans of includes have them
