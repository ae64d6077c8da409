"""The directory source: a folder of ConfigMap manifests, for people without a cluster, for GitOps, demo and tests.

How the manifests are read is `publisher.source.manifests`' job; no file of the folder is ever written but the state.
"""

import asyncio
import contextlib
import errno
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential
from watchfiles import awatch

from common import log
from common.errors import AccessDenied, SourceUnavailable
from common.files import Sync, read_bytes, write_atomic
from publisher.source.document import DOCUMENTS, Document
from publisher.source.folder_lock import locked
from publisher.source.manifests import Fingerprint, fingerprint, read_folder
from publisher.source.source import PublisherState, SourceEvent
from publisher.source.state import decode_state, encode_state, raises

STATE_FILE = ".routecast-state.json"

_STEP_MS = 5
"""A change is told when the folder was quiet for this long: an editor's save is several steps."""
_DEBOUNCE_MS = 100
"""... and never later than this."""
LOOK_EVERY_S = 1.0
"""How often the folder is looked at even without a notice: network file systems, mounts and links give none."""
_WAIT_MAX_S = 1.0

_log = log.get(__name__)


class DirectorySource:
    """A folder of manifests. Everything blocking runs in threads."""

    def __init__(self, path: Path, namespace: str, relist_every_s: float, look_every_s: float = LOOK_EVERY_S) -> None:
        self._path = path
        self._namespace = namespace
        self._relist_every_s = relist_every_s
        self._look_every_s = look_every_s

    async def list(self) -> dict[str, Document]:
        """Return all documents by name.

        Raises:
            SourceUnavailable: the folder is not there, or may not be read.

        """
        return await asyncio.to_thread(read_folder, self._path, self._namespace)

    async def watch(self) -> AsyncIterator[SourceEvent]:
        """Yield an event for each document, then one for each change; waits for a folder that is not there."""
        known: dict[str, Document] = {}
        while True:
            try:
                async with _noticing(self._path) as noticed:
                    look = _Look(self._path, noticed, self._relist_every_s, self._look_every_s)
                    while await look.again():
                        for name, document in (await self.list()).items():
                            if known.get(name) != document:
                                known[name] = document
                                yield SourceEvent(name, document)
            except SourceUnavailable as e:
                _log.warning("waiting for the registry's folder", folder=str(self._path), error=str(e))
                known.clear()
                for name in DOCUMENTS:
                    yield SourceEvent(name, None, str(e))
                await self._until_readable()
                _log.info("the registry's folder is back", folder=str(self._path))

    async def _until_readable(self) -> None:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(SourceUnavailable),
            wait=wait_random_exponential(multiplier=0.05, max=_WAIT_MAX_S),
        ):
            with attempt:
                await asyncio.to_thread(fingerprint, self._path)

    async def read_state(self) -> PublisherState | None:
        """Return the kept state, None when there is none or it is broken.

        Raises:
            SourceUnavailable: the folder is not there.
            AccessDenied: the file may not be read.

        """
        return await asyncio.to_thread(_read_state, self._path / STATE_FILE)

    async def write_state(self, state: PublisherState) -> None:
        """Keep `state`, unless as high a mark is kept already.

        Raises:
            SourceUnavailable: the folder is not there.
            AccessDenied: the file may not be written.

        """
        await asyncio.to_thread(_write_state, self._path / STATE_FILE, state)


class _Look:
    """Waits until the folder must be listed again."""

    def __init__(self, path: Path, noticed: asyncio.Event, relist_every_s: float, look_every_s: float) -> None:
        self._path = path
        self._noticed = noticed
        self._relist_every_s = relist_every_s
        self._look_every_s = look_every_s
        self._seen: Fingerprint | None = None
        self._listed_at = time.monotonic()

    async def again(self) -> bool:
        """Return true when the folder must be listed; false when it is another folder by now, to be watched anew.

        Raises:
            SourceUnavailable: the folder is not there, or may not be read.

        """
        while True:
            if self._seen is not None:
                await self._notice()
            noticed = self._noticed.is_set()
            self._noticed.clear()
            before, self._seen = self._seen, await asyncio.to_thread(fingerprint, self._path)
            if before is not None and before[0] != self._seen[0]:
                return False
            overdue = time.monotonic() - self._listed_at >= self._relist_every_s
            if noticed or overdue or before != self._seen:
                self._listed_at = time.monotonic()
                return True

    async def _notice(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._look_every_s):
                await self._noticed.wait()


@contextlib.asynccontextmanager
async def _noticing(path: Path) -> AsyncIterator[asyncio.Event]:
    """Yield an event that is set at each change in the folder. Watching has begun when it is yielded."""
    noticed, stop = asyncio.Event(), asyncio.Event()
    paths = await asyncio.to_thread(_watched, path)
    task = asyncio.create_task(_notice(paths, noticed, stop), name=f"notice {path}")
    await asyncio.sleep(0)  # the task's first step begins the watch, and ends where it waits
    try:
        yield noticed
    finally:
        stop.set()
        await task


def _watched(path: Path) -> list[Path]:
    """Return what to watch: the folder and, where it is a link that can be turned to another one, what holds it."""
    folder = path.absolute()
    return [folder, folder.parent] if folder.is_symlink() else [folder]


def _concerns(folder: Path, changed: str) -> bool:
    """Tell whether a changed path is the folder or a file in it, other than what this source writes there."""
    path = Path(changed)
    return folder in {path, path.parent} and STATE_FILE not in path.name


async def _notice(paths: list[Path], noticed: asyncio.Event, stop: asyncio.Event) -> None:
    try:
        async for _ in awatch(
            *paths,
            watch_filter=lambda _, changed: _concerns(paths[0], changed),
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=stop,
            rust_timeout=1000,
            recursive=False,
        ):
            noticed.set()
    except (OSError, RuntimeError) as e:  # a folder that is gone, or no more inotify watches to be had
        _log.debug("no notices of changes; the folder is looked at instead", folder=str(paths[0]), error=str(e))


def _read_state(file: Path) -> PublisherState | None:
    try:
        content = read_bytes(file)
        if content is None and not file.parent.is_dir():
            raise SourceUnavailable(f"the registry's folder {file.parent} is not there")
    except OSError as e:
        raise _refused(file, "read", e) from e
    return None if content is None else decode_state(content, str(file))


def _write_state(file: Path, state: PublisherState) -> None:
    try:
        with locked(file.parent):
            if raises(state, _read_state(file)):
                write_atomic(file, encode_state(state).encode(), sync=Sync.CONTENT)
    except OSError as e:
        raise _refused(file, "written", e) from e


def _refused(file: Path, what: str, error: OSError) -> SourceUnavailable | AccessDenied:
    message = f"the publisher's state {file} cannot be {what}: {error.strerror}"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return AccessDenied(f"{message}; the user that runs the publisher must be able to write there")
    return SourceUnavailable(message)
