"""Publish: sign, store under the expected last sequence, keep the history. The only writer of both streams."""

import secrets

import nats.errors
import nats.js.errors
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from common import log, subjects
from common.bus import Bus, notice_cancellation, translated
from common.errors import BusUnavailable, PublishConflict, PublishUncertain, SnapshotRejected, SnapshotTooLarge
from common.snapshot import Sealed, Snapshot, open_sealed, seal
from common.streams import Stored, read_newest, read_newest_history, read_version
from publisher.pipeline.build import Position
from publisher.signing import Signing

_log = log.get(__name__)

_WRONG_LAST_SEQUENCE = 10071  # nats-server's error code for an expectation that did not hold
_SPARE = 4096  # room for what the server adds to a message, in bytes
_PUBLISH_ATTEMPTS = 3


class SnapshotStream:
    """The snapshot subject and its history, over one connection."""

    def __init__(self, bus: Bus, signing: Signing) -> None:
        self._bus = bus
        self._signing = signing
        self._named: frozenset[str] = frozenset()
        """What the newest message that verified says whom to believe: a rotation may not have reached our seeds yet."""
        self._remembered: Snapshot | None = None

    async def read(self) -> Position:
        """Return what the bus holds now, the newest version put into the history when it is missing there.

        A newest message that does not verify is ignored for content and order; its sequence serves for the expectation.

        Raises:
            BusUnavailable: no answer.

        """
        stored = await read_newest(self._bus)
        newest = self._verified(stored) if stored is not None else None
        intact = newest is not None
        if newest is not None and stored is not None:
            self._named = frozenset(newest.keys)
            await self._remember(newest, stored.sealed)
        else:
            kept = await read_newest_history(self._bus)
            newest = self._verified(kept) if kept is not None else None
        if stored is None:
            return Position(newest, last_seq=0, intact=False)
        return Position(newest, stored.seq, intact, stored.message_id, stored.stored_at)

    async def publish(self, snapshot: Snapshot, position: Position) -> Position:
        """Store `snapshot` behind the message that `position` saw last and in the history; return the new position.

        Raises:
            PublishConflict: somebody else was faster.
            PublishUncertain: not confirmed in time, several times over.
            SnapshotTooLarge: above the server's limit.
            BusUnavailable: no connection.

        """
        sealed = seal(snapshot, self._signing.keys.signer)
        self._check_size(sealed)
        message_id = f"{snapshot.epoch}-{snapshot.version}-{secrets.token_hex(8)}"
        headers = {
            **sealed.headers,
            "Nats-Msg-Id": message_id,
            "Nats-Expected-Last-Subject-Sequence": str(position.last_seq),
        }
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(PublishUncertain),
            stop=stop_after_attempt(_PUBLISH_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            reraise=True,
        ):
            with attempt:
                seq = await self._store(sealed.body, headers, message_id)
        if position.newest is None or position.newest.order < snapshot.order:
            await self._keep(snapshot, sealed)
        else:
            await self._remember(snapshot, sealed)
        return Position(snapshot, seq, message_id=message_id, stored_at=snapshot.published_at)

    async def _store(self, body: bytes, headers: dict[str, str], message_id: str) -> int:
        try:
            ack = await self._bus.js.publish(subjects.SNAPSHOT, body, headers=dict(headers), stream=subjects.REGISTRY)
        except nats.errors.TimeoutError as e:
            raise PublishUncertain("the server did not confirm the snapshot in time") from e
        except nats.js.errors.NoStreamResponseError as e:
            raise BusUnavailable(f"stream {subjects.REGISTRY} does not exist") from e
        except nats.js.errors.APIError as e:
            if e.err_code != _WRONG_LAST_SEQUENCE:
                raise BusUnavailable(f"the server did not store the snapshot: {e.description}") from e
            return await self._ours_after_all(message_id, e)
        except nats.errors.Error as e:
            raise BusUnavailable(f"publishing the snapshot: {e}") from e
        notice_cancellation()
        return ack.seq

    async def _ours_after_all(self, message_id: str, conflict: Exception) -> int:
        """Return the sequence of our own message when an unconfirmed attempt of it is what moved the stream."""
        stored = await read_newest(self._bus)
        if stored is not None and stored.message_id == message_id:
            return stored.seq
        raise PublishConflict("another publisher moved the stream first") from conflict

    def _check_size(self, sealed: Sealed) -> None:
        size = len(sealed.body) + sum(len(key) + len(value) + 4 for key, value in sealed.headers.items()) + _SPARE
        if size > self._bus.max_payload:
            raise SnapshotTooLarge(
                f"the snapshot needs {size} bytes, the NATS server takes {self._bus.max_payload}: "
                "raise max_payload in its configuration (8MB is plenty) and reload it"
            )

    async def _remember(self, snapshot: Snapshot, sealed: Sealed) -> None:
        """Keep the version in the history, unless it is there: republishes never enter."""
        if self._remembered is not None and self._remembered.order == snapshot.order:
            return
        if await read_version(self._bus, snapshot.order) is None:
            await self._keep(snapshot, sealed)
        else:
            self._remembered = snapshot

    async def _keep(self, snapshot: Snapshot, sealed: Sealed) -> None:
        """Put a version that is not there into the history."""
        headers = {key: value for key, value in sealed.headers.items() if not key.startswith("Nats-")}
        headers["Nats-Msg-Id"] = f"h-{snapshot.epoch}-{snapshot.version}"
        with translated("keeping the history", self._bus):
            try:
                await self._bus.js.publish(
                    subjects.history(*snapshot.order), sealed.body, headers=headers, stream=subjects.HISTORY
                )
            except nats.js.errors.Error as e:
                _log.error("version not kept in the history", order=str(snapshot.order), error=str(e))
                return
        self._remembered = snapshot

    def _verified(self, stored: Stored) -> Snapshot | None:
        try:
            snapshot, _ = open_sealed(stored.sealed, self._signing.keys.trusted | self._named)
        except SnapshotRejected as e:
            _log.error("a stored snapshot is ignored", stream_seq=stored.seq, code=e.code, error=str(e))
            return None
        return snapshot
