"""Attacks by somebody who has a node's real credentials, with raw NATS: without effect on anybody else, and seen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats.errors
import orjson
import pytest
from nats.aio.client import Client

from common import subjects
from common.bus import Bus
from common.signing import Signer
from common.snapshot import seal
from common.streams import read_ack
from common.trust.credentials import read_credentials
from publisher.pipeline.keeper import ACKS_PER_NODE
from publisher.trust import claims
from publisher.trust.permissions import NODE_PAYLOAD
from tests.registries import snapshot
from tests.secure import SecureNode, SecureWorld, opened, raw
from tests.world import until

MALLORY, ALICE = "vinay-laptop", "work-laptop"
FORGER = Signer(bytes(range(1, 33)))
SILENCE_S = 0.5
"""How long an answer is waited for that must not come."""

_OTHERS_ACK = orjson.dumps({"schema": 1, "node": ALICE})


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on beside the reference registry in a folder."""
    async with await opened(tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Seen:
    """What an attack could have changed, as those see it whom it would harm."""

    snapshot: tuple[int, bytes]
    streams: dict[str, tuple[int, int]]
    """Stream -> its messages, its consumers."""
    alice: str
    """Who sent Alice's newest ack, by the instance in it."""
    config: str


async def look(bus: Bus) -> Seen:
    """Return how everything stands; only Mallory's own acks are left out."""
    newest = await bus.js.get_last_msg(subjects.REGISTRY, subjects.SNAPSHOT)
    infos = {name: await bus.js.stream_info(name) for name in ("REGISTRY", "HISTORY", "STATUS")}
    alices = await bus.js.get_last_msg(subjects.ACKS, subjects.ack(ALICE))
    return Seen(
        snapshot=(newest.seq or 0, newest.data or b""),
        streams={name: (info.state.messages, info.state.consumer_count) for name, info in infos.items()},
        alice=orjson.loads(alices.data or b"{}").get("instance", "?"),
        config=str([info.config for info in infos.values()]),
    )


@asynccontextmanager
async def mallory(world: SecureWorld) -> AsyncIterator[Client]:
    """Yield a client with the real credentials of a node that joined."""
    node = world.node(MALLORY)
    credentials = await asyncio.to_thread(read_credentials, node.folder / "nats.creds")
    seed = credentials.seed.get_secret_value()
    async with raw(world, credentials.jwt, seed, subjects.inbox(MALLORY)) as client:
        yield client


def _refusals(client: Client) -> list[str]:
    said: list[str] = client.said  # type: ignore[attr-defined]
    return [text for text in said if "permissions violation" in text.lower()]


Attack = Callable[[Client], Awaitable[Any]]


def _publish(subject: str, body: bytes = b"{}", reply: str = "") -> Attack:
    async def attack(client: Client) -> None:
        await client.publish(subject, body, reply=reply)
        await client.flush()

    return attack


def _ask(subject: str, body: bytes = b"") -> Attack:
    async def attack(client: Client) -> None:
        with pytest.raises((nats.errors.TimeoutError, nats.errors.NoRespondersError)):
            await client.request(subject, body, timeout=SILENCE_S)

    return attack


def _listen(subject: str) -> Attack:
    async def attack(client: Client) -> None:
        await client.subscribe(subject)
        await client.flush()

    return attack


FORGED = seal(snapshot(version=999), FORGER).body
_PULL = orjson.dumps({"batch": 1, "no_wait": True})
_STREAM = orjson.dumps({"name": "REGISTRY", "subjects": ["registry.snapshot"], "max_msgs": 1})
_CONSUMER = orjson.dumps({"stream_name": "REGISTRY", "config": {"durable_name": "spy", "ack_policy": "explicit"}})

REFUSED: dict[str, Attack] = {
    "publish a snapshot": _publish(subjects.SNAPSHOT, FORGED),
    "publish an empty snapshot": _publish(subjects.SNAPSHOT, b""),
    "publish into the history": _publish(subjects.history(1, 1), FORGED),
    "publish a status": _publish(subjects.status("control-plane")),
    "ack for another node": _publish(subjects.ack(ALICE), _OTHERS_ACK),
    "ask the publisher": _ask(subjects.CONTROL, b'{"op":"push"}'),
    "admit somebody": _publish(subjects.join("J0123456789abcdef")),
    "fetch another's messages": _publish(f"CORE.CONSUMER.MSG.NEXT.REGISTRY.{subjects.durable(ALICE)}", _PULL),
    "fetch by the core's name": _publish(f"$JS.API.CONSUMER.MSG.NEXT.REGISTRY.{subjects.durable(ALICE)}", _PULL),
    "ack another's message": _publish(f"$JS.ACK.REGISTRY.{subjects.durable(ALICE)}.1.1.1.1.1", b"+ACK"),
    "term another's message": _publish(f"$JS.ACK.REGISTRY.{subjects.durable(ALICE)}.1.1.1.1.1", b"+TERM"),
    "read the history": _ask("CORE.DIRECT.GET.HISTORY.registry.history.1.1"),
    "read another's acks": _ask(f"CORE.DIRECT.GET.ACKS.{subjects.ack(ALICE)}"),
    "make a stream": _ask("$JS.API.STREAM.CREATE.REGISTRY", _STREAM),
    "change a stream": _ask("$JS.API.STREAM.UPDATE.REGISTRY", _STREAM),
    "delete a stream": _ask("$JS.API.STREAM.DELETE.REGISTRY"),
    "purge a stream": _ask("$JS.API.STREAM.PURGE.ACKS"),
    "delete a message": _ask("$JS.API.STREAM.MSG.DELETE.REGISTRY", b'{"seq":1}'),
    "see a stream": _ask("$JS.API.STREAM.INFO.REGISTRY"),
    "make a consumer": _ask("$JS.API.CONSUMER.CREATE.REGISTRY.spy", _CONSUMER),
    "delete another's consumer": _ask(f"$JS.API.CONSUMER.DELETE.REGISTRY.{subjects.durable(ALICE)}"),
    "pause another's consumer": _ask(f"$JS.API.CONSUMER.PAUSE.REGISTRY.{subjects.durable(ALICE)}", b"{}"),
    "renew the nodes' account": _ask("$SYS.REQ.ACCOUNT.A.CLAIMS.UPDATE", b"x"),
    "hear snapshots": _listen(subjects.SNAPSHOT),
    "hear everybody's acks": _listen(subjects.ACK_ALL),
    "hear joins": _listen(subjects.JOIN_ALL),
    "hear everything": _listen(">"),
    "hear another's answers": _listen(f"{subjects.inbox(ALICE)}.>"),
}
"""What the server refuses at once, and says so: to who tries, and in its log."""

REPLIES: dict[str, Attack] = {
    "a fetch to the snapshot": _publish(
        f"CORE.CONSUMER.MSG.NEXT.REGISTRY.{subjects.durable(MALLORY)}", _PULL, subjects.SNAPSHOT
    ),
    "a record's confirmation to the snapshot": _publish(subjects.ack(MALLORY), b"{}", subjects.SNAPSHOT),
    "the newest to another's acks": _publish(f"CORE.DIRECT.GET.REGISTRY.{subjects.SNAPSHOT}", b"", subjects.ack(ALICE)),
    "a fetch to the publisher": _publish(
        f"CORE.CONSUMER.MSG.NEXT.REGISTRY.{subjects.durable(MALLORY)}", _PULL, subjects.CONTROL
    ),
    "a record's confirmation to another's inbox": _publish(subjects.ack(MALLORY), b"{}", f"{subjects.inbox(ALICE)}.x"),
}
"""What the server is asked rightly, with the answer sent elsewhere: nobody checks where to (FACTS 4a)."""


async def test_what_a_node_may_not_do_is_refused_and_changes_nothing(world: SecureWorld) -> None:
    """One attack after the other: each is refused aloud, and everything stands as it stood."""
    async with world.publisher(), world.nodes(ALICE), world.bus(claims.PUBLISHER) as bus, mallory(world) as client:
        await world.synced(ALICE)
        before = await look(bus)
        unrefused = []
        for name, attack in REFUSED.items():
            heard = len(_refusals(client))
            await attack(client)
            try:
                await until(lambda n=heard: len(_refusals(client)) > n, name, 2)
            except AssertionError:
                unrefused.append(name)
        assert unrefused == []
        assert await look(bus) == before
        log = await asyncio.to_thread(world.server.read_log)
        assert log.count("Violation") >= len(REFUSED)


async def test_answers_sent_elsewhere_never_arrive(world: SecureWorld) -> None:
    """In the nodes' own account there is nobody to hear them; in the core account they are not published."""
    async with world.publisher(), world.nodes(ALICE), world.bus(claims.PUBLISHER) as bus, mallory(world) as client:
        await world.synced(ALICE)
        before = await look(bus)
        for attack in REPLIES.values():
            await attack(client)
        await asyncio.sleep(SILENCE_S)
        assert await look(bus) == before


async def test_an_ack_is_believed_only_for_the_node_whose_subject_it_came_on(world: SecureWorld) -> None:
    """Mallory says in her own records that she is Alice, and that all is well: Alice's state is what Alice says."""
    async with world.publisher(), world.nodes(ALICE):
        last = await world.synced(ALICE)
        lie = last.model_copy(update={"node": ALICE, "instance": "mallory"})
        async with mallory(world) as client:
            await client.publish(subjects.ack(MALLORY), lie.to_body())
            await client.flush()
        assert all(ack.instance != "mallory" for ack in await world.acks(ALICE))


async def test_a_flood_of_ones_own_acks_is_bounded(world: SecureWorld) -> None:
    """However many, as large as they may be: so many stay as of any node; larger ones are refused."""
    async with world.publisher(), world.nodes(ALICE), world.bus() as bus, mallory(world) as client:
        await world.synced(ALICE)
        for _ in range(3 * ACKS_PER_NODE):
            await client.publish(subjects.ack(MALLORY), b"x" * NODE_PAYLOAD)
        await client.flush()
        info = await bus.js.stream_info(subjects.ACKS, subjects_filter=subjects.ack(MALLORY))
        assert (info.state.subjects or {}).get(subjects.ack(MALLORY), 0) <= ACKS_PER_NODE
        assert info.state.bytes < 2 * ACKS_PER_NODE * NODE_PAYLOAD
        order = await world.order()
        world.registry.edit_services(lambda services: services.pop("grafana"))
        await world.published(above=order)  # nobody is stopped by it
        await world.synced(ALICE)
    async with mallory(world) as client:
        with contextlib.suppress(nats.errors.Error):  # the client may know the limit, or the server cut it meanwhile
            await client.publish(subjects.ack(MALLORY), b"x" * (NODE_PAYLOAD + 1))
            await client.flush()
        await until(lambda: client.is_closed, "the server cuts who sends more")


async def test_an_operator_reads_and_asks_but_writes_nothing(world: SecureWorld) -> None:
    """The credentials for people: they see everything, and a forged snapshot of theirs is refused."""
    async with world.publisher(), world.nodes(ALICE), world.bus(claims.OPERATOR) as people:
        await world.synced(ALICE)
        before = await look(people)
        for subject in (subjects.SNAPSHOT, subjects.history(1, 1), subjects.ack(ALICE), subjects.status("x")):
            with pytest.raises(nats.errors.TimeoutError):
                await people.nc.request(subject, FORGED, timeout=SILENCE_S)
        assert people.violations == 4
        assert await look(people) == before
        answer = await people.nc.request(
            subjects.CONTROL, orjson.dumps({"op": "push", "request_id": "1", "by": "test"}), timeout=10
        )
        assert orjson.loads(answer.data)["ok"]


async def test_a_publisher_deletes_no_stream_and_writes_no_ack(world: SecureWorld) -> None:
    """Its credentials are as narrow as what it does."""
    async with world.publisher(), world.nodes(ALICE):
        await world.synced(ALICE)
        async with world.bus(claims.PUBLISHER) as bus:
            before = await look(bus)
            for subject in (subjects.ack(ALICE), "$JS.API.STREAM.DELETE.REGISTRY", "$JS.API.STREAM.DELETE.ACKS"):
                with pytest.raises(nats.errors.TimeoutError):
                    await bus.nc.request(subject, b"", timeout=SILENCE_S)
            assert bus.violations == 3
            assert await look(bus) == before


async def test_a_nodes_refusals_are_seen(world: SecureWorld) -> None:
    """Credentials that do not fit a node's name: it waits, and says in its log what the server refuses."""
    other = world.node(ALICE)
    node = world.node(MALLORY)
    wrong = node.settings.model_copy(update={"nats": other.settings.nats})
    async with world.publisher():
        await world.published()
        misplaced = SecureNode.__new__(SecureNode)
        misplaced.__dict__.update(node.__dict__, settings=wrong)
        async with misplaced.running():
            await until(lambda: "Violation" in world.server.read_log(), "the server says whom it refused", 10)
        async with world.bus() as bus:
            assert await read_ack(bus, MALLORY) is None
