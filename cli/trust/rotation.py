"""Take a rotation of the signing key from where it stands to its end, one step after the other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from cli.control import ask
from cli.trust.answers import Counters, Ours, read_answers, read_counters, read_ours
from cli.trust.believers import Believers, Waiting
from cli.trust.cluster import commands
from cli.trust.record import Record, read_record, write_record
from common.bus import Bus
from common.errors import NothingToShow
from publisher.signing import SigningKeys, Stage
from publisher.signing_files import SeedFiles

_LOOK_EVERY_S = 0.5
_ANNOUNCED_AFTER_S = 5.0
"""How long a publisher that sees the seeds takes at most to sign with them; then it is said what may keep it."""


@dataclass(frozen=True, slots=True)
class RotationReport:
    """How far a rotation has come."""

    done: bool
    stage: Stage
    """What it stands at; `none` when it is done, or was not begun."""
    key: str
    """The public key that snapshots are signed with now."""
    next_key: str | None
    waiting_for: tuple[Waiting, ...] = ()
    left_behind: tuple[str, ...] = ()
    """Nodes that do not know the new key, knowingly: they must join again."""
    problem: str | None = None
    type_this: tuple[str, ...] = ()
    """The commands for the next step, where this one cannot do it: the seeds are a Secret."""


class Rotation:
    """One run of the command, over one connection."""

    def __init__(self, files: SeedFiles, bus: Bus, without: frozenset[str], say: Callable[[str], None]) -> None:
        self._files = files
        self._bus = bus
        self._without = without
        self._say = say
        self._waiting: tuple[Waiting, ...] = ()
        self._problem: str | None = None

    async def run(self, timeout_s: float) -> RotationReport:
        """Go on until the rotation is done, the time is over, or the next step is not ours to do.

        Raises:
            BusUnavailable: no publisher is running, or NATS cannot be reached.
            ConfigError: the seeds cannot be used or changed.
            NothingToShow: a node to be left behind does not exist.
            RoutecastError: the publisher could not, and says why.

        """
        keys = await asyncio.to_thread(self._files.read)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._advance(keys)
        except TimeoutError:
            keys = await asyncio.to_thread(self._files.read)
            return self._report(keys, problem=self._problem or "not every node believes the new key yet")

    async def _advance(self, keys: SigningKeys) -> RotationReport:
        by_hand = await asyncio.to_thread(lambda: self._files.read_only)
        if keys.stage is Stage.NONE:
            await read_counters(self._bus)
            if by_hand:
                return self._by_hand(keys)
            await asyncio.to_thread(self._files.make_next)
            keys = await asyncio.to_thread(self._files.read)
            self._say(f"made the next signing key: {keys.next}")
        if keys.stage is Stage.ANNOUNCING and keys.next is not None:
            await self._believed((keys.current, keys.next), keys)
            if by_hand:
                return self._by_hand(keys)
            await asyncio.to_thread(self._files.switch)
            keys = await asyncio.to_thread(self._files.read)
            self._say(f"snapshots are signed with {keys.current} from now on")
        await self._believed((keys.current,), keys)
        if by_hand:
            return self._by_hand(keys)
        await asyncio.to_thread(self._files.drop_previous)
        return self._report(await asyncio.to_thread(self._files.read), done=True)

    def _by_hand(self, keys: SigningKeys) -> RotationReport:
        why = f"the seeds in {self._files.path.parent} are read-only here, as a Secret of the cluster is"
        return self._report(keys, problem=why, type_this=commands(keys.stage, self._files.path.name))

    async def _believed(self, named: tuple[str, ...], keys: SigningKeys) -> None:
        """Return when a snapshot names the keys `named`, and every node has accepted it or a later one."""
        before = await read_counters(self._bus)
        first = await self._named(named, keys)
        if first is None:
            return
        record = await self._begin(named, first, before)
        left = frozenset(record.without)
        believers, after, shown = Believers(record.stream_seq), record.acks_after, self._waiting
        while True:
            answers, after = await read_answers(self._bus, after)
            for ack in answers:
                believers.count(ack)
            ours = await read_ours(self._bus, keys)
            nodes = (ours or first).snapshot.registry.nodes
            self._waiting = believers.waiting({node.name for node in nodes} - left)
            retracted = ours is not None and ours.snapshot.keys != named
            self._problem = (
                "another publisher signs snapshots that name other keys; see `routecast nodes`" if retracted else None
            )
            if not self._waiting and not retracted:
                return
            if self._waiting != shown:
                self._say(f"waiting for {', '.join(each.node for each in self._waiting)}")
                shown = self._waiting
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _named(self, named: tuple[str, ...], keys: SigningKeys) -> Ours | None:
        """Have the registry published, and return the first snapshot of the current key that names the keys `named`.

        None when the next key signs already: then the nodes believe it.
        """
        if _is_later(await read_ours(self._bus, keys), keys):
            return None
        await ask(self._bus, "push", timeout_s=self._bus.timeout_s * 6)
        self._problem = (
            "the publisher does not take the new seeds up. It reads them at its start when systemd hands them on: "
            "run `sudo systemctl restart routecast-publisher`. On several machines all publishers need the same seeds"
        )
        looks = 0
        while True:
            ours = await read_ours(self._bus, keys)
            if ours is not None and ours.signed_with == keys.current and ours.snapshot.keys == named:
                self._problem = None
                return ours
            if _is_later(ours, keys):
                return None
            looks += 1
            if looks * _LOOK_EVERY_S == _ANNOUNCED_AFTER_S:
                self._say(self._problem)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _begin(self, named: tuple[str, ...], first: Ours, before: Counters) -> Record:
        """Return from where on answers count: where an interrupted run began to count them, else from now on."""
        known = await asyncio.to_thread(read_record, self._files, named[-1])
        registered = {node.name for node in first.snapshot.registry.nodes}
        if unknown := self._without - registered:
            raise NothingToShow(f"no node is called {', '.join(sorted(unknown))}; `routecast nodes` lists them")
        without = tuple(sorted(self._without | {*(known.without if known is not None else ())}))
        self._without = frozenset(without)
        if known is not None and known.holds(named, before.streams, first.stream_seq):
            record = known.model_copy(update={"without": without})
        else:
            record = Record(
                keys=named,
                streams=before.streams,
                stream_seq=first.stream_seq,
                acks_after=before.last_ack,
                without=without,
            )
        if record != known:
            await asyncio.to_thread(write_record, self._files, record)
        return record

    def _report(
        self, keys: SigningKeys, *, done: bool = False, problem: str | None = None, type_this: tuple[str, ...] = ()
    ) -> RotationReport:
        return RotationReport(
            done=done,
            stage=keys.stage,
            key=keys.current,
            next_key=keys.next,
            waiting_for=() if done else self._waiting,
            left_behind=tuple(sorted(self._without)),
            problem=problem,
            type_this=type_this,
        )


def _is_later(ours: Ours | None, keys: SigningKeys) -> bool:
    """Tell whether the next key signs already: the seeds were switched elsewhere, or come from a backup."""
    if ours is None or keys.next is None:
        return False
    return ours.signed_with == keys.next and keys.current not in ours.snapshot.keys
