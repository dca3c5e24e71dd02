"""Work that nobody waits for any more ends, wherever it stands; waited for by its own signs, never for a while."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fwengine.lsp import session
from fwengine.lsp.aside import aside
from fwengine.lsp.opened import Opened


def test_what_is_cancelled_ends_in_its_thread() -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless() -> None:
        try:
            begun.set()
            while True:
                pass
        finally:
            ended.set()

    async def run() -> None:
        task = asyncio.ensure_future(aside(endless))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(ended.wait)

    asyncio.run(run())
    assert ended.is_set()


def test_what_is_waited_for_answers_and_fails_as_it_does() -> None:
    assert asyncio.run(aside(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(aside(divmod, 7, 0))


def test_an_edit_ends_the_search_for_findings_of_the_older_text(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(opened: Opened, *others: object) -> session.Deep:
        if "udp" in opened.text:
            return session.Deep()
        try:
            begun.set()
            while True:
                pass
        finally:
            ended.set()

    monkeypatch.setattr(session, "_deep", endless)

    async def run() -> None:
        told: list[str] = []
        all_told = asyncio.Event()

        def publish(document: session.Document) -> None:
            told.append(document.text)
            if len(told) == 3:  # the first text, the second, and what was found in that
                all_told.set()

        opened = session.Session(publish, pause=0)
        opened.change("a.fwl", "allow tcp", 1)
        await asyncio.to_thread(begun.wait)
        opened.change("a.fwl", "allow udp", 2)
        await all_told.wait()
        await asyncio.to_thread(ended.wait)
        assert told == ["allow tcp", "allow udp", "allow udp"]

    asyncio.run(run())
