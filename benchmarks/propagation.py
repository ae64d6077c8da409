"""From a registry change to the last stored ack, and the floor below it: K + F(N) + N·W.

K: a file is written -> its change is seen by the source. F(N): the same bytes, published on core NATS, have reached N
subscribers, each on a connection of its own. W: one target's apply, with its fsync. The floor is measured in one
process, one thing after the other; the fleet's nodes are processes of one machine here, where all of them share its
cores and its disk.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import orjson
from nats.aio.msg import Msg

from benchmarks.fleet import MAX_DELAY_S, Fleet
from common import subjects
from common.ack import State
from common.bus import Bus, connected
from common.settings import Settings
from common.settings.nats import NatsSettings
from common.settings.subscriber import HostsSettings, SubscriberSettings
from common.snapshot import Snapshot
from common.streams import read_ack, read_acks, read_newest
from publisher.source.directory import DirectorySource
from subscriber.targets import build_targets
from subscriber.targets.target import Target

_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """One fleet's figures, in ms."""

    nodes: int
    median_ms: float
    max_ms: float
    k_ms: float
    f_ms: float
    w_ms: float

    @property
    def floor_ms(self) -> float:
        """K + F(N) + N·W."""
        return self.k_ms + self.f_ms + self.nodes * self.w_ms

    @property
    def ratio(self) -> float:
        """The median over the floor."""
        return self.median_ms / self.floor_ms


async def measure(folder: Path, nodes: int, rounds: int) -> Measured:
    """Return the figures of a fleet of `nodes`, over `rounds` changes each."""
    fleet = await asyncio.to_thread(Fleet, folder, nodes)
    async with fleet.running() as bus:
        times = await _changes(bus, fleet, rounds)
        newest = await read_newest(bus)
        assert newest is not None
        body = newest.sealed.body
        f_ms = await _fan_out(fleet.nats, body, nodes, rounds)
    w_ms = await _apply(folder, Snapshot.from_body(body), rounds)
    k_ms = await _watch(fleet, rounds)
    return Measured(nodes, median(times), max(times), k_ms, f_ms, w_ms)


async def measure_secure(folder: Path, nodes: int, rounds: int) -> float:
    """Return the median of `rounds` changes, in ms, with credentials and TLS for everybody."""
    fleet = await asyncio.to_thread(Fleet, folder, nodes, secure=True)
    async with fleet.running() as bus:
        return median(await _changes(bus, fleet, rounds))


async def _changes(bus: Bus, fleet: Fleet, rounds: int) -> list[float]:
    """Return how long each of `rounds` changes took until the last ack was stored, in ms."""
    records = _Records()
    subscription = await bus.nc.subscribe(subjects.ACK_ALL, cb=records.note)
    for name, ack in (await read_acks(bus, fleet.names)).items():  # those that were sent before
        if ack is not None and ack.applied is not None:
            records.runs.setdefault(name, ack.applied.version)
    await records.all_run(fleet.names, 1)
    times = [await _one_change(bus, fleet, records, i) for i in range(_WARM_UP + rounds)]
    await subscription.unsubscribe()
    return times[_WARM_UP:]


class _Records:
    """Which version each node runs, by its own records: who measures reads no more of them than that."""

    def __init__(self) -> None:
        self.runs: dict[str, int] = {}
        self.last = ""
        self._news = asyncio.Event()

    async def note(self, message: Msg) -> None:
        """Take in a record."""
        record = orjson.loads(message.data)
        if record["state"] == State.APPLIED and record["applied"] is not None:
            self.last = record["node"]
            self.runs[self.last] = record["applied"]["version"]
            self._news.set()

    async def all_run(self, names: Sequence[str], version: int) -> str:
        """Wait until every node runs `version`; return the one that was the last."""
        async with asyncio.timeout(30):
            while any(self.runs.get(name, 0) < version for name in names):
                self._news.clear()
                await self._news.wait()
        return self.last


async def _one_change(bus: Bus, fleet: Fleet, records: _Records, i: int) -> float:
    await asyncio.sleep(MAX_DELAY_S * 1.2)
    await asyncio.to_thread(fleet.change, i)
    written = time.perf_counter()
    last = await records.all_run(fleet.names, i + 2)
    await read_ack(bus, last)  # they are heard as they are sent: by now they are stored
    return (time.perf_counter() - written) * 1000


async def _fan_out(server: NatsSettings, body: bytes, nodes: int, rounds: int) -> float:
    """Return the median of: core publish -> received by all of `nodes` connections."""
    received = asyncio.Semaphore(0)

    async def count(_: object) -> None:
        received.release()

    times = []
    async with AsyncExitStack() as stack:
        for _ in range(nodes):
            subscriber = await stack.enter_async_context(connected(server, "floor"))
            await subscriber.nc.subscribe("bench.fan-out", cb=count)
            await subscriber.nc.flush()
        publisher = await stack.enter_async_context(connected(server, "floor"))
        for _ in range(_WARM_UP + rounds):
            started = time.perf_counter()
            await publisher.nc.publish("bench.fan-out", body)
            for _ in range(nodes):
                await received.acquire()
            times.append((time.perf_counter() - started) * 1000)
    return median(times[_WARM_UP:])


async def _apply(folder: Path, snapshot: Snapshot, rounds: int) -> float:
    """Return the median of one hosts target's apply of a registry in which one name differs."""
    target = _hosts_target(folder / "floor")
    times = []
    for i in range(_WARM_UP + rounds):
        grafana = snapshot.registry.services["grafana"].model_copy(update={"ip": f"100.67.245.{i + 1}"})
        services = {**snapshot.registry.services, "grafana": grafana}
        registry = snapshot.registry.model_copy(update={"services": services})
        started = time.perf_counter()
        await target.apply(registry)
        times.append((time.perf_counter() - started) * 1000)
    return median(times[_WARM_UP:])


def _hosts_target(folder: Path) -> Target:
    folder.mkdir()
    settings = Settings(
        subscriber=SubscriberSettings(node="floor", state_dir=folder), hosts=HostsSettings(path=folder / "hosts")
    )
    return build_targets(settings)[0]


async def _watch(fleet: Fleet, rounds: int) -> float:
    """Return the median of: file written -> the source has said so."""
    source = DirectorySource(fleet.registry.folder, "kube-system", 300)
    events = source.watch()
    for _ in range(4):
        await anext(events)
    times = []
    for i in range(_WARM_UP + rounds):
        await asyncio.sleep(0.05)
        coming = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(fleet.change, 100 + i)
        written = time.perf_counter()
        await coming
        times.append((time.perf_counter() - written) * 1000)
    return median(times[_WARM_UP:])
