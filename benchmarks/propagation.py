"""From a registry change to the last stored ack, and the floor below it: K + F(N) + N·W.

K: a file is written -> its change is seen by the source. F(N): the same bytes, published on core NATS, have reached N
subscribers, each on a connection of its own. W: what one node does with one snapshot, from its bytes to the file that
was read back: verify, keep, write, with the fsync of each. The floor is measured in one process, one thing after the
other; the fleet's nodes are processes of one machine here, where all of them share its cores and its disk.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.fleet import MAX_DELAY_S, Fleet
from common import subjects
from common.ack import NodeAck, State
from common.bus import connected
from common.codec import digest_of
from common.settings import Settings
from common.settings.nats import NatsSettings
from common.settings.subscriber import HostsSettings, SubscriberSettings
from common.signing import Signer
from common.snapshot import Snapshot, registry_value, seal
from common.streams import following_acks, read_newest
from publisher.source.directory import DirectorySource
from subscriber.node import Delivery, Node
from subscriber.state import NodeState
from subscriber.targets import build_targets

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
    async with fleet.running() as bus, following_acks(bus, subjects.ACK_ALL, new_only=False) as acks:
        await _all_run(acks, fleet, 1)
        times = [await _one_change(fleet, acks, i) for i in range(_WARM_UP + rounds)]
        newest = await read_newest(bus)
        assert newest is not None
        body = newest.sealed.body
        f_ms = await _fan_out(fleet.nats, body, nodes, rounds)
    w_ms = await _take(folder, Snapshot.from_body(body), rounds)
    k_ms = await _watch(fleet, rounds)
    kept = times[_WARM_UP:]
    return Measured(nodes, median(kept), max(kept), k_ms, f_ms, w_ms)


async def _one_change(fleet: Fleet, acks: AsyncIterator[NodeAck], i: int) -> float:
    await asyncio.sleep(MAX_DELAY_S * 1.2)
    started = time.perf_counter()
    await asyncio.to_thread(fleet.change, i)
    written = time.perf_counter()
    await _all_run(acks, fleet, i + 2)
    assert written > started
    return (time.perf_counter() - written) * 1000


async def _all_run(acks: AsyncIterator[NodeAck], fleet: Fleet, version: int) -> None:
    """Wait until every node's record says that it applied `version`."""
    missing = set(fleet.names)
    async with asyncio.timeout(30):
        while missing:
            ack = await anext(acks)
            if ack.state is State.APPLIED and ack.applied is not None and ack.applied.version >= version:
                missing.discard(ack.node)


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


async def _take(folder: Path, snapshot: Snapshot, rounds: int) -> float:
    """Return the median of one node's way through snapshots of which each changes one name."""
    signer = Signer(os.urandom(32))
    settings = Settings(
        subscriber=SubscriberSettings(node="floor", state_dir=folder, public_keys=(signer.public_key,)),
        hosts=HostsSettings(path=folder / "hosts"),
    )
    times = []
    async with aclosing(Node(settings.subscriber, "floor", build_targets(settings), NodeState(folder))) as node:
        await node.open()
        for i in range(_WARM_UP + rounds):
            sealed = seal(_changed(snapshot, i), signer)
            started = time.perf_counter()
            taken = await node.take(sealed, Delivery())
            times.append((time.perf_counter() - started) * 1000)
            assert taken.ack.state is State.APPLIED
    return median(times[_WARM_UP:])


def _changed(snapshot: Snapshot, i: int) -> Snapshot:
    grafana = snapshot.registry.services["grafana"].model_copy(update={"ip": f"100.67.245.{i + 1}"})
    services = {**snapshot.registry.services, "grafana": grafana}
    registry = snapshot.registry.model_copy(update={"services": services})
    digest = digest_of(registry_value(registry))
    return snapshot.model_copy(update={"version": snapshot.version + 1 + i, "digest": digest, "registry": registry})


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
