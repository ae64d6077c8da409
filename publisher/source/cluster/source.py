"""The cluster source: the protocol of a source over the ConfigMaps of one namespace."""

import asyncio
from collections.abc import AsyncIterator

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from common.errors import AccessDenied
from publisher.source.cluster.access import report_missing_rights
from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.document import denied_document, read_document
from publisher.source.cluster.follow import Follower
from publisher.source.cluster.timing import Timing
from publisher.source.document import DOCUMENTS, STATE, Document
from publisher.source.source import Conflict, PublisherState, SourceEvent
from publisher.source.state import decode_state, encode_state, raises

STATE_KEY = "state.json"

_WRITE_ATTEMPTS = 10


class ClusterSource:
    """Four ConfigMaps, each followed by a task of its own, and the one that keeps the state."""

    def __init__(self, config_maps: ConfigMaps, timing: Timing, relist_every_s: float) -> None:
        self._config_maps = config_maps
        self._timing = timing
        self._relist_every_s = relist_every_s

    async def list(self) -> dict[str, Document]:
        """Return all documents by name; one that may not be read is in it as such.

        Raises:
            SourceUnavailable: the API server does not answer.

        """
        documents = await asyncio.gather(*(self._read(name) for name in DOCUMENTS), return_exceptions=True)
        for document in documents:
            if isinstance(document, BaseException):
                raise document
        return {document.name: document for document in documents if isinstance(document, Document)}

    async def _read(self, name: str) -> Document:
        try:
            found, _ = await self._config_maps.list_one(name)
        except AccessDenied as e:
            return denied_document(name, str(e), self._config_maps.commands)
        return read_document(name, found, self._config_maps.commands)

    async def watch(self) -> AsyncIterator[SourceEvent]:
        """Yield an event for each document, then one for each change; rights that are missing are logged once."""
        told: asyncio.Queue[SourceEvent | asyncio.Task[None]] = asyncio.Queue()
        tasks = [asyncio.create_task(report_missing_rights(self._config_maps, self._timing), name="rights")]
        for name in DOCUMENTS:
            follower = Follower(name, self._config_maps, self._timing, self._relist_every_s, told.put_nowait)
            tasks.append(asyncio.create_task(follower.follow(), name=f"follow {name}"))
        for task in tasks:
            task.add_done_callback(told.put_nowait)
        try:
            while True:
                item = await told.get()
                if isinstance(item, asyncio.Task):
                    item.result()  # a fault of ours: let it be seen
                else:
                    yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def read_state(self) -> PublisherState | None:
        """Return the kept state, None when there is none or it is broken.

        Raises:
            SourceUnavailable: the API server does not answer.
            AccessDenied: it may not be read.

        """
        state, _ = await self._read_state()
        return state

    async def write_state(self, state: PublisherState) -> None:
        """Keep `state`, unless as high a mark is kept already; another writer is noticed, and never overwritten.

        Raises:
            SourceUnavailable: the API server does not answer.
            AccessDenied: it may not be written.

        """
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Conflict),
            stop=stop_after_attempt(_WRITE_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.02, max=1),
            reraise=True,
        ):
            with attempt:
                await self._raise_state(state)

    async def _raise_state(self, state: PublisherState) -> None:
        kept, resource_version = await self._read_state()
        if not raises(state, kept):
            return
        data = {STATE_KEY: encode_state(state)}
        if resource_version is None:
            await self._config_maps.create(STATE, data)
        else:
            await self._config_maps.patch(STATE, data, resource_version)

    async def _read_state(self) -> tuple[PublisherState | None, str | None]:
        """Return the kept state and the resource version of its ConfigMap, None where there is none."""
        found = await self._config_maps.read(STATE)
        if found is None:
            return None, None
        text = (found.get("data") or {}).get(STATE_KEY)
        state = None if text is None else decode_state(text, f"configmap {STATE}, key {STATE_KEY}")
        return state, found["metadata"]["resourceVersion"]
