"""What a node remembers: the accepted snapshot, the keys it brought, what each target runs, an undelivered record.

All of it can be lost: the node then believes the keys in its settings, reads the newest snapshot and begins anew.
Reading and writing block: call them from a thread.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from common import log
from common.ack import NodeAck, Revision
from common.codec import canonical
from common.errors import ConfigError, SnapshotRejected
from common.files import Sync, read_bytes, write_atomic
from common.models import Frozen
from common.snapshot import Snapshot
from subscriber.verify import Brought

_log = log.get(__name__)


class Applied(Frozen):
    """What each target of this node runs, by name; the names say which targets there were."""

    targets: dict[str, Revision | None]
    left_out: dict[str, str] = Field(default_factory=dict)
    """Digest of what the node's policy left out of a target; targets that took everything apart."""


_ADAPTER = TypeAdapter(Applied)


class NodeState:
    """The files of a state directory. Each is written whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._accepted = directory / "accepted.json"
        self._keys = directory / "keys.json"
        self._applied = directory / "applied.json"
        self._unsent = directory / "unsent-ack.json"

    @property
    def socket(self) -> Path:
        """Where a running service is asked."""
        return self.directory / "subscriber.sock"

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[bool]:
        """Hold the directory while the body runs; yield False when another process does.

        Raises:
            ConfigError: the directory cannot be made or written.

        """
        fd = await asyncio.to_thread(self._open_lock)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(fd)

    def _open_lock(self) -> int:
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o755)
            return os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise ConfigError(f"the state directory {self.directory} cannot be used: {e.strerror}") from e

    def read_accepted(self) -> Snapshot | None:
        """Return the snapshot that was accepted last, None when there is none that can be used."""
        body = self._read(self._accepted)
        if body is None:
            return None
        try:
            return Snapshot.from_body(body)
        except SnapshotRejected as e:
            _log.error("the stored snapshot is damaged and is ignored", path=str(self._accepted), error=str(e))
            return None

    def write_accepted(self, body: bytes) -> None:
        """Keep the body of an accepted snapshot, before it is applied. A power cut may bring the one before it back.

        Raises:
            OSError: it could not be kept.

        """
        write_atomic(self._accepted, body, mode=0o600, sync=Sync.CONTENT)

    def read_keys(self) -> Brought | None:
        """Return the keys that snapshots have brought, None when there are none that can be used."""
        body = self._read(self._keys)
        if body is None:
            return None
        try:
            return Brought.model_validate_json(body)
        except ValidationError:
            _log.error("the stored keys are damaged; those in the settings count", path=str(self._keys))
            return None

    def write_keys(self, brought: Brought) -> None:
        """Keep the keys that a snapshot has brought, before they count.

        Raises:
            OSError: they could not be kept.

        """
        write_atomic(self._keys, canonical(brought.model_dump(mode="json")), mode=0o600)

    def read_applied(self) -> Applied | None:
        """Return what each target runs, None when that is not known."""
        body = self._read(self._applied)
        if body is None:
            return None
        try:
            return _ADAPTER.validate_json(body)
        except ValidationError:
            _log.warning("the record of what is applied is damaged and is ignored", path=str(self._applied))
            return None

    def write_applied(self, applied: Applied) -> None:
        """Keep what each target runs: found out again by the next apply when it is lost.

        Raises:
            OSError: it could not be kept.

        """
        write_atomic(self._applied, canonical(applied.model_dump(mode="json")), mode=0o600, sync=Sync.NONE)

    def read_unsent(self) -> NodeAck | None:
        """Return the record that was not confirmed, if any."""
        body = self._read(self._unsent)
        return NodeAck.from_body(body) if body is not None else None

    def keep_unsent(self, ack: NodeAck) -> None:
        """Keep a record that was not confirmed; only the newest is kept.

        Raises:
            OSError: it could not be kept.

        """
        write_atomic(self._unsent, ack.to_body(), mode=0o600)

    def drop_unsent(self) -> None:
        """Forget the record that is confirmed now."""
        self._unsent.unlink(missing_ok=True)

    def _read(self, path: Path) -> bytes | None:
        try:
            return read_bytes(path)
        except OSError as e:
            _log.error("state cannot be read", path=str(path), error=e.strerror)
            return None
