"""Stream one watch: what was missed, what happens, bookmarks, and a clean end at the timeout.

The HTTP layer has checked permission and parameters. A bookmark carries the newest revision of the whole store, not
that of the watched object.
"""

import asyncio
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.kubernetes_pulse import Pulse
from tests.fakes.kubernetes_status import Document, StatusError
from tests.fakes.kubernetes_store import Selection, Store


@dataclass(frozen=True, slots=True)
class Bookmarks:
    """When a watch that asks for bookmarks gets them: every `interval_s` seconds, and `lead_s` before its timeout."""

    interval_s: float
    lead_s: float


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What a client asks of its watch; `bookmarks` is None for a client that wants none."""

    selection: Selection
    show: Callable[[Document], Document]
    timeout_s: float
    bookmarks: Bookmarks | None


class OpenWatch:
    """One watch connection, from its headers to its end."""

    def __init__(self, request: web.Request, store: Store, pulse: Pulse, options: WatchOptions) -> None:
        self.silent = False
        self.halved = False
        self._request = request
        self._response = web.StreamResponse(headers={"Content-Type": "application/json"})
        self._store = store
        self._pulse = pulse
        self._options = options

    async def open(self) -> web.StreamResponse:
        """Send the headers; the client's call returns with these."""
        await self._response.prepare(self._request)
        return self._response

    def cut(self) -> None:
        """Drop the connection: no last chunk, so the client sees a broken body."""
        if self._request.transport:
            self._request.transport.abort()

    async def refuse(self, error: StatusError) -> None:
        """Send the refusal as the only event, under the HTTP 200 that has already gone out."""
        await self._send("ERROR", error.body())

    async def run(self, initial: Iterable[Document], revision: int) -> None:
        """Send the initial objects as ADDED, then every selected change after `revision`, until the timeout."""
        loop, options = asyncio.get_running_loop(), self._options
        started = loop.time()
        deadline = started + options.timeout_s
        bookmark_at = self._next_bookmark(started, deadline)
        for document in initial:
            await self._send("ADDED", options.show(document))
        while True:
            if changes := self._store.since(revision):
                revision = changes[-1].revision
                for change in changes:
                    if change.object in options.selection:
                        await self._send(change.type, options.show(change.object))
            elif loop.time() >= bookmark_at:
                bookmark_at = self._next_bookmark(loop.time(), deadline)
                await self._send("BOOKMARK", self._bookmark(revision))
            elif loop.time() >= deadline:
                await self._mute()
                return
            else:
                wake_at = min(bookmark_at, deadline)
                await self._pulse.wait(None if wake_at == math.inf else wake_at - loop.time())

    def _next_bookmark(self, now: float, deadline: float) -> float:
        """Tell when the next bookmark is due; after the one that announces the timeout comes none."""
        if self._options.bookmarks is None:
            return math.inf
        due = min(now + self._options.bookmarks.interval_s, deadline - self._options.bookmarks.lead_s)
        return due if due > now else math.inf

    def _bookmark(self, revision: int) -> Document:
        resource = self._options.selection.resource
        return {
            "kind": resource.kind,
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": str(revision), "creationTimestamp": None},
        }

    async def _send(self, kind: str, document: Document) -> None:
        await self._mute()
        line = json.dumps({"type": kind, "object": document}).encode() + b"\n"
        if self.halved:
            await self._response.write(line[: len(line) // 2])
            self.cut()
        else:
            await self._response.write(line)

    async def _mute(self) -> None:
        """Stay here for ever once silent; the end of the connection cancels the handler."""
        if self.silent:
            await asyncio.Event().wait()
