"""One round: the only path from documents to a publish.

A change, the hourly tick and an operator's request only *ask* for a round (`publisher.pipeline.schedule`); all of them
end here, one after the other.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from common import log
from common.clock import epoch_ms, now
from common.errors import NotReady, PublishConflict, RoutecastError, TransientError
from common.models import Registry
from common.problems import Problem
from common.settings.publisher import PublisherSettings
from common.snapshot import Reason, Snapshot
from publisher.pipeline.build import Occasion, Position, build, installation_of, mark_of
from publisher.pipeline.keeper import Keeper
from publisher.pipeline.parse import Parsed, parse
from publisher.pipeline.ready import parts_to_wait_for
from publisher.pipeline.store import Store
from publisher.pipeline.stream import SnapshotStream
from publisher.signing import Signing, is_replaced, keys_to_name
from publisher.source.source import Mark, PublisherState, Source

_log = log.get(__name__)

_CONFLICT_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Round:
    """How a round ended: the newest snapshot, where it is stored, and whether this round stored it."""

    snapshot: Snapshot
    stream_seq: int
    published: bool


class RoundCounts(Protocol):
    """What counts rounds."""

    def ended(self, reason: Reason, outcome: str, took_s: float) -> None:
        """Count one; `outcome` is `published`, `unchanged` or the error's name."""
        ...


class Controller:
    """Runs rounds over whatever connection there is; what it knows of the bus is forgotten with the connection."""

    def __init__(
        self, source: Source, store: Store, signing: Signing, settings: PublisherSettings, counts: RoundCounts
    ) -> None:
        self._source = source
        self._store = store
        self._signing = signing
        self._settings = settings
        self._counts = counts
        self._lock = asyncio.Lock()
        self._stream: SnapshotStream | None = None
        self._keeper: Keeper | None = None
        self._position: Position | None = None
        self._sure = False
        self._state: PublisherState | None = None
        self.problems: tuple[Problem, ...] = ()
        self.waiting_for: str | None = "NATS"

    @property
    def newest(self) -> Snapshot | None:
        """The newest snapshot that the last round saw or stored."""
        return self._position.newest if self._position is not None else None

    @property
    def newest_seq(self) -> int:
        """The stream sequence of the newest message that the last round saw or stored; 0 when there is none."""
        return self._position.last_seq if self._position is not None else 0

    def connect(self, stream: SnapshotStream, keeper: Keeper) -> None:
        """Use a new connection; nothing that was known of the bus holds any more."""
        self._stream, self._keeper, self._sure = stream, keeper, False

    def disconnect(self) -> None:
        """Note that the connection is gone; until the next one nothing can be published."""
        self._stream = self._keeper = None
        self.waiting_for = "NATS"

    async def age_of_newest_s(self) -> float | None:
        """Return how long ago anybody stored the newest snapshot, in s; None when there is none.

        Raises:
            BusUnavailable: no answer.

        """
        stream, _ = self._connection()
        stored_at = (await stream.read()).stored_at
        return (now() - stored_at).total_seconds() if stored_at is not None else None

    async def look(self) -> bool:
        """Read the newest message; tell whether the stream is not as this publisher left it, so that a round is due.

        Raises:
            BusUnavailable: no answer.

        """
        async with self._lock:
            if self._position is None or self._stream is None or not self._sure or await self._signing.refresh():
                self._sure = False
                return True
            seen = await self._stream.read()
            self._sure = seen.last_seq == self._position.last_seq and seen.intact
            return not self._sure

    async def run_once(self, reason: Reason, unless_within_s: float = 0) -> Round:
        """Bring the stream to what the source says; with another reason than `change` also when nothing differs.

        When anybody stored the newest message less than `unless_within_s` ago, only what differs is published: the
        round asks that of the message that its own publish must follow, so that of several publishers one republishes.
        A publisher that lost to another one, or does not know the newest message as its own, lists the source afresh.

        Raises:
            NotReady: nothing may be published yet.
            TransientError: the bus or the source failed; try again.
            PermanentError: a person must act.

        """
        async with self._lock:
            started = time.perf_counter()
            try:
                async for attempt in AsyncRetrying(
                    retry=retry_if_exception_type(PublishConflict),
                    stop=stop_after_attempt(_CONFLICT_ATTEMPTS),
                    wait=wait_random_exponential(multiplier=0.02, max=1),
                    reraise=True,
                ):
                    with attempt:
                        done = await self._round(reason, unless_within_s)
            except RoutecastError as e:
                self.waiting_for = str(e)
                self._counts.ended(reason, type(e).__name__, time.perf_counter() - started)
                raise
            self.waiting_for = None
            self._counts.ended(reason, "published" if done.published else "unchanged", time.perf_counter() - started)
            return done

    async def _round(self, reason: Reason, unless_within_s: float) -> Round:
        stream, keeper = self._connection()
        changed = await self._signing.refresh()
        position, sure = self._position, self._sure and not changed
        self._sure = False  # until this round has ended well
        if position is None or not sure or reason is not Reason.CHANGE:
            position = await stream.read()
            heard = self._store.heard
            self._store.replace(await self._source.list(), since=heard)
            self._state = await self._source.read_state()
            reason = Reason.CHANGE if _is_younger(position, unless_within_s) else reason
        if not self._store.listed:
            raise NotReady("the source is not listed yet")
        mark = self._state.mark if self._state is not None else None
        parsed = self._parse(position, mark)
        if is_replaced(self._signing.keys, position.newest):
            raise NotReady(
                "snapshots are signed with a later key already: this publisher waits for its new signing seed"
            )
        snapshot = self._build(parsed.registry, position, mark, reason)
        removed = _removed(position.newest, snapshot.registry)
        published = reason is not Reason.CHANGE or not position.intact or _differ(position.newest, snapshot)
        if published:
            position = await stream.publish(snapshot, position)
            _say_published(snapshot, position.last_seq)
        elif position.newest is not None:
            snapshot = position.newest
        await keeper.delete_consumers(removed)  # when they have had the chance to hear that they are
        self._position, self._sure = position, True
        await self._after(snapshot, keeper)
        return Round(snapshot, position.last_seq, published)

    def _connection(self) -> tuple[SnapshotStream, Keeper]:
        if self._stream is None or self._keeper is None:
            raise NotReady("NATS is not connected yet")
        return self._stream, self._keeper

    def _parse(self, position: Position, mark: Mark | None) -> Parsed:
        previous = position.newest.registry if position.newest is not None else None
        parsed = parse(self._store.documents, previous)
        self.problems = parsed.problems
        waiting = parts_to_wait_for(parsed.readable, previous, mark)
        if waiting:
            raise NotReady(f"not readable yet: {', '.join(waiting)}; see `routecast problems`")
        return parsed

    def _build(self, registry: Registry, position: Position, mark: Mark | None, reason: Reason) -> Snapshot:
        if self._state is not None:
            installation = self._state.installation
        elif position.newest is not None:
            installation = position.newest.installation
        else:
            installation = installation_of(self._signing.keys.current)
        keys = keys_to_name(self._signing.keys, position.newest)
        occasion = Occasion(reason, now(), epoch_ms(), self._settings.reconcile_every_s, keys)
        sources = {name: document.info for name, document in self._store.documents.items()}
        return build(registry, sources, position, mark, installation, occasion)

    async def _after(self, snapshot: Snapshot, keeper: Keeper) -> None:
        """Do what follows a publish but must not undo it: raise the mark, make durables of new nodes."""
        state = PublisherState(installation=snapshot.installation, mark=mark_of(snapshot))
        if self._state is None or self._state.mark.order < state.mark.order:
            try:
                await self._source.write_state(state)
                self._state = state
            except RoutecastError as e:
                _log.error("the mark could not be raised; the next round tries again", error=str(e))
        try:
            await keeper.ensure_consumers(node.name for node in snapshot.registry.nodes)
        except TransientError as e:
            _log.warning("consumers not checked; the next check tries again", error=str(e))


def _differ(newest: Snapshot | None, desired: Snapshot) -> bool:
    """Tell whether nodes learn anything from `desired`: other content, or other keys to believe."""
    return newest is None or newest.order != desired.order or newest.keys != desired.keys


def _is_younger(position: Position, age_s: float) -> bool:
    """Tell whether the newest message was stored less than `age_s` ago; one from the future was not."""
    return position.stored_at is not None and 0 <= (now() - position.stored_at).total_seconds() < age_s


def _removed(previous: Snapshot | None, desired: Registry) -> list[str]:
    """Return the nodes that were published last and are absent now. An unreadable document never removes any."""
    if previous is None:
        return []
    kept = {node.name for node in desired.nodes}
    return [node.name for node in previous.registry.nodes if node.name not in kept]


def _say_published(snapshot: Snapshot, seq: int) -> None:
    _log.info(
        "published",
        reason=snapshot.reason.value,
        epoch=snapshot.epoch,
        version=snapshot.version,
        digest=snapshot.digest[:19],
        stream_seq=seq,
    )
