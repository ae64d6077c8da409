"""The node: takes snapshots one at a time, remembers the newest, heals its targets. Knows nothing of connections."""

import asyncio
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from common import log
from common.ack import AckError, Agent, NodeAck, Revision, State, TargetAck
from common.clock import now
from common.errors import SnapshotRejected
from common.settings.subscriber import SubscriberSettings
from common.snapshot import Sealed, Snapshot
from common.version import VERSION
from subscriber.addresses import own_addresses
from subscriber.state import Applied, NodeState
from subscriber.sync import Syncer, SyncResult, lowest
from subscriber.targets.target import Target
from subscriber.verify import Brought, Trust, Verified, verify

_log = log.get(__name__)

_KEEP_AFTER_S = 1.0

_MESSAGE = 1000
"""How long the reason of a rejection can get in a record, in characters: a stranger may have written it."""


class Disposition(Enum):
    """What becomes of a snapshot message."""

    ACK = "ack"
    RETRY = "retry"
    TERM = "term"


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to one snapshot: the records to send, in order, and what becomes of its message."""

    acks: tuple[NodeAck, ...]
    disposition: Disposition

    @property
    def ack(self) -> NodeAck:
        """The last record: how it ended."""
        return self.acks[-1]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a snapshot came from; all None and 1 for what no message caused."""

    stream_seq: int | None = None
    received_at: datetime | None = None
    attempt: int = 1


class Node:
    """One node's snapshots and targets. `open` first."""

    def __init__(self, settings: SubscriberSettings, name: str, targets: Sequence[Target], state: NodeState) -> None:
        self._settings = settings
        self.name = name
        self._targets = targets
        self._state = state
        self._lock = asyncio.Lock()
        self._instance = secrets.token_hex(8)
        self._agent = Agent(version=VERSION, host=socket.gethostname(), addresses=own_addresses())
        self._syncer = Syncer(targets, {})
        self._accepted: Snapshot | None = None
        self._brought: Brought | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.targets_changed = False
        """Whether this node had other targets, or no usable memory, before this start."""
        self.heard_at: datetime = now()
        """When a verified snapshot was seen last, or this process began."""
        self.last_ack: NodeAck | None = None

    @property
    def accepted(self) -> Snapshot | None:
        """The newest snapshot that verified, applied or not."""
        return self._accepted

    async def open(self, *, recover: bool = True) -> None:
        """Read what is remembered; with `recover` finish or undo what a crash cut short."""
        applied = await asyncio.to_thread(self._state.read_applied)
        self._accepted = await asyncio.to_thread(self._state.read_accepted)
        self._brought = await asyncio.to_thread(self._state.read_keys)
        known = applied.targets if applied is not None else {}
        self._syncer = Syncer(self._targets, known, applied.left_out if applied is not None else {})
        self.targets_changed = self._accepted is None or set(known) != set(self._syncer.applied)
        if self._accepted is not None:
            self._syncer.remember(self._accepted)
        if recover:
            await self._syncer.recover()

    async def heal(self) -> Taken | None:
        """Bring the targets to the accepted snapshot again; None when there is none yet."""
        async with self._lock:
            if self._accepted is None:
                return None
            return await self._sync(self._accepted, Delivery())

    async def take(self, sealed: Sealed, delivery: Delivery) -> Taken:
        """Judge a snapshot message, remember it, and bring the targets to it."""
        async with self._lock:
            try:
                verified = verify(sealed, self._trust(), self._accepted_revision())
            except SnapshotRejected as e:
                return self._rejected(e, delivery)
            self.heard_at = now()
            try:
                await self._keep(verified)
            except OSError as e:
                return self._not_kept(verified, e, delivery)
            return await self._sync(verified.snapshot, delivery)

    async def _keep(self, verified: Verified) -> None:
        """Remember what is new in a snapshot, its keys first: they count, and it is applied, once they are on disk.

        Raises:
            OSError: it could not be remembered.

        """
        if verified.brings is not None:
            await asyncio.to_thread(self._state.write_keys, verified.brings)
            self._brought = verified.brings
            _log.warning("other keys are believed from now on", keys=" ".join(verified.brings.keys))
        if not verified.repeat:
            await asyncio.to_thread(self._state.write_accepted, verified.body)
            self._accepted = verified.snapshot

    async def plan(self, sealed: Sealed | None) -> dict[str, str]:
        """Return what each target would change for a message's snapshot, or for the accepted one; write nothing.

        Raises:
            SnapshotRejected: the message must not be used.
            TargetFailed: a target cannot be read.

        """
        snapshot = self._accepted
        if sealed is not None:
            snapshot = verify(sealed, self._trust(), self._accepted_revision()).snapshot
        if snapshot is None:
            return {}
        return {target.name.value: str(await target.plan(snapshot.registry)) for target in self._targets}

    async def _sync(self, snapshot: Snapshot, delivery: Delivery) -> Taken:
        before = self._applied()
        result = await self._syncer.sync(snapshot)
        if self._applied() != before or self.targets_changed:
            self._keeping = self._keeping or asyncio.create_task(self._keep_applied_soon(), name="keep applied")
        acks = [] if not result.drifted else [self._drift_ack(snapshot, result, delivery)]
        acks.append(self._ack(Revision.of(snapshot), result.state, result.targets, result.error, delivery))
        self.last_ack = acks[-1]
        _log.info(
            "snapshot handled",
            state=result.state.value,
            epoch=snapshot.epoch,
            version=snapshot.version,
            digest=snapshot.digest[:19],
            changed=result.changed,
            took_ms=round(self.last_ack.took_ms, 1),
            attempt=delivery.attempt,
        )
        return Taken(tuple(acks), self._disposition(result, delivery))

    async def aclose(self) -> None:
        """Keep now what would have been kept soon."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self._keep_applied()

    async def _keep_applied_soon(self) -> None:
        """Keep what is applied when the hurry is over: it serves only to tell drift by after a restart."""
        await asyncio.sleep(_KEEP_AFTER_S)
        self._keeping = None
        await self._keep_applied()

    async def _keep_applied(self) -> None:
        try:
            await asyncio.to_thread(self._state.write_applied, self._applied())
            self.targets_changed = False
        except OSError as e:
            _log.error("what is applied could not be kept", error=e.strerror)

    def _applied(self) -> Applied:
        return Applied(targets=self._syncer.applied, left_out=self._syncer.left_out)

    def _disposition(self, result: SyncResult, delivery: Delivery) -> Disposition:
        """Retry a failed snapshot as often as there are pauses for it; then the local retries go on."""
        if result.state is not State.FAILED:
            return Disposition.ACK
        return Disposition.RETRY if delivery.attempt <= len(self._settings.nak_delays_s) else Disposition.TERM

    def _rejected(self, error: SnapshotRejected, delivery: Delivery) -> Taken:
        own = self._accepted_revision()
        why = str(error)[:_MESSAGE]
        _log.error("snapshot rejected", code=error.code.value, error=why, own=str(own.order) if own else None)
        fault = AckError(code=error.code.value, message=why)
        self.last_ack = self._ack(None, State.REJECTED, {}, fault, delivery)
        return Taken((self.last_ack,), Disposition.TERM)

    def _not_kept(self, verified: Verified, error: OSError, delivery: Delivery) -> Taken:
        """Answer for a snapshot that could not be remembered: it is not applied, or a crash would lose the order."""
        message = f"the snapshot cannot be kept in {self._state.directory}: {error.strerror}"
        _log.error("snapshot not kept", error=message)
        fault = AckError(code="state_not_written", message=message)
        self.last_ack = self._ack(Revision.of(verified.snapshot), State.FAILED, {}, fault, delivery)
        retry = delivery.attempt <= len(self._settings.nak_delays_s)
        return Taken((self.last_ack,), Disposition.RETRY if retry else Disposition.TERM)

    def _drift_ack(self, snapshot: Snapshot, result: SyncResult, delivery: Delivery) -> NodeAck:
        return self._ack(Revision.of(snapshot), State.DRIFTED, {**result.targets, **result.drifted}, None, delivery)

    def _ack(
        self,
        attempted: Revision | None,
        state: State,
        targets: Mapping[str, TargetAck],
        error: AckError | None,
        delivery: Delivery,
    ) -> NodeAck:
        return NodeAck(
            node=self.name,
            role=self._settings.role,
            instance=self._instance,
            attempted=attempted,
            state=state,
            applied=lowest(list(self._syncer.applied.values())),
            stream_seq=delivery.stream_seq,
            received_at=delivery.received_at,
            finished_at=now(),
            attempt=delivery.attempt,
            targets=dict(targets),
            error=error,
            agent=self._agent,
        )

    def _trust(self) -> Trust:
        installation = self._settings.installation
        if installation is None and self._accepted is not None:
            installation = self._accepted.installation
        return Trust(frozenset(self._settings.public_keys), installation, self._brought)

    def _accepted_revision(self) -> Revision | None:
        return Revision.of(self._accepted) if self._accepted is not None else None
