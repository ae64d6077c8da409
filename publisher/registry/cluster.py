"""The editor's side of a cluster: ConfigMaps under the optimistic lock of their resource version."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from common.settings.publisher import PublisherSettings
from publisher.source.cluster import ClusterSource, Timing
from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.document import Commands
from publisher.source.cluster.login import logged_in
from publisher.source.document import STATE, Document
from publisher.source.source import Conflict

EDITOR = "routecast"
"""The field manager that edits stand under: ``kubectl get --show-managed-fields`` and `stream log` tell it."""

RECORD_KEY = "edits.json"
TRUST_KEY = "trust.json"

_ATTEMPTS = 60
"""How often a record is read and written anew; with jittered pauses of up to 1 s, a crowd of writers gets through."""


class ClusterBook:
    """The four ConfigMaps, and the records beside the publisher's state."""

    def __init__(self, config_maps: ConfigMaps, source: ClusterSource, attempts: int) -> None:
        self._config_maps = config_maps
        self._source = source
        self._attempts = attempts

    async def list(self) -> dict[str, Document]:
        """Return all documents by name.

        Raises:
            SourceUnavailable: the API server does not answer.

        """
        return await self._source.list()

    async def write(self, name: str, data: Mapping[str, str | None], expected: str | None) -> str:
        """Write keys of a ConfigMap that is still at `expected`; None: make it. Returns the new resource version.

        Raises:
            Conflict: somebody else wrote, made or deleted it in between.
            SourceUnavailable: the API server does not answer.
            AccessDenied: writing it is not allowed.

        """
        if expected is None:
            return await self._config_maps.create(name, {key: text for key, text in data.items() if text is not None})
        return await self._config_maps.patch(name, data, expected)

    async def read_record(self) -> str | None:
        """Return the text of the record of edits, None when there is none.

        Raises:
            SourceUnavailable: the API server does not answer.
            AccessDenied: reading it is not allowed.

        """
        return await self._read(RECORD_KEY)

    async def write_record(self, change: Callable[[str | None], str]) -> None:
        """Replace the record's text by what `change` makes of it.

        Raises:
            SourceUnavailable: the API server does not answer, or others write all the time.
            AccessDenied: writing it is not allowed.

        """
        await self._change(RECORD_KEY, change)

    async def read_trust(self) -> str | None:
        """Return the text of the record of the nodes' keys, None when there is none.

        Raises:
            SourceUnavailable: the API server does not answer.
            AccessDenied: reading it is not allowed.

        """
        return await self._read(TRUST_KEY)

    async def write_trust(self, change: Callable[[str | None], str]) -> None:
        """Replace the text of the record of the nodes' keys by what `change` makes of it.

        Raises:
            SourceUnavailable: the API server does not answer, or others write all the time.
            AccessDenied: writing it is not allowed.

        """
        await self._change(TRUST_KEY, change)

    async def may_write(self, name: str) -> bool:
        """Ask the API server whether it would let us write a ConfigMap that is there.

        Raises:
            SourceUnavailable: the API server does not answer.
            AccessDenied: it does not know us.

        """
        return await self._config_maps.allowed("patch", name)

    async def _read(self, key: str) -> str | None:
        found = await self._config_maps.read(STATE)
        return None if found is None else (found.get("data") or {}).get(key)

    async def _change(self, key: str, change: Callable[[str | None], str]) -> None:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Conflict),
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(multiplier=0.02, max=1),
            reraise=True,
        ):
            with attempt:
                found = await self._config_maps.read(STATE)
                text = change(None if found is None else (found.get("data") or {}).get(key))
                await self.write(STATE, {key: text}, found["metadata"]["resourceVersion"] if found else None)


@asynccontextmanager
async def open_cluster_book(settings: PublisherSettings, attempts: int = _ATTEMPTS) -> AsyncIterator[ClusterBook]:
    """Yield the book in the cluster that the settings name.

    Raises:
        ConfigError: no kubeconfig, and not in a cluster; or a kubeconfig that is not usable.

    """
    timing = Timing()
    async with logged_in(settings) as api:
        config_maps = ConfigMaps(api, Commands.of(settings), timing, EDITOR)
        yield ClusterBook(config_maps, ClusterSource(config_maps, timing, settings.relist_every_s), attempts)
