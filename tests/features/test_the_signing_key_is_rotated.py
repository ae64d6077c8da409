import asyncio

import orjson

from cli import exits
from common.ack import NodeAck, State
from common.signing import read_seed
from common.streams import Stored, read_newest
from publisher.process import Publisher
from publisher.signing_files import SeedFiles
from tests.features.rotating import newest_of_any, rotate
from tests.registries import SIGNER
from tests.world import NODES, World, until


def _files(world: World) -> list[str]:
    return sorted(each.name for each in world.folder.iterdir() if "seed" in each.name)


async def _store_again(world: World, stored: Stored) -> int:
    """Publish a message that was stored before, without an expectation, as somebody with the right to write would."""
    headers = {name: value for name, value in stored.sealed.headers.items() if not name.startswith("Nats-")}
    async with world.bus() as bus:
        return (await bus.js.publish("registry.snapshot", stored.sealed.body, headers=headers)).seq


async def _newest(world: World) -> Stored:
    async with world.bus() as bus:
        stored = await read_newest(bus)
    assert stored is not None
    return stored


async def _answer_to(world: World, node: str, seq: int) -> NodeAck:
    async def look() -> NodeAck | None:
        ack = await world.ack(node)
        return ack if ack is not None and ack.stream_seq is not None and ack.stream_seq >= seq else None

    found: NodeAck = await until(look, f"{node} answers to {seq}")
    return found


async def test_the_key_is_rotated_while_all_goes_on(world: World) -> None:
    """One command: every node believes the new key before it signs, the old one is refused after, edits arrive."""
    async with world.publisher(), world.nodes() as nodes:
        await world.synced()
        before = await _newest(world)
        result = await rotate(world, "-o", "json")
        assert result.exit_code == exits.OK, result.stdout + result.stderr
        report = orjson.loads(result.stdout)
        new = await asyncio.to_thread(read_seed, world.seed)
        assert (report["done"], report["key"], report["waiting_for"]) == (True, new.public_key, [])
        assert new.public_key != SIGNER.public_key
        assert _files(world) == ["signing.seed"]
        snapshot, key = await newest_of_any(world)
        assert (snapshot.keys, key) == ((new.public_key,), new.public_key)
        assert snapshot.order == (snapshot.epoch, 1)
        world.registry.edit_services(lambda services: services.pop("grafana"))
        await until(lambda: "grafana.mycloud.local" not in nodes["vinay-laptop"].names(), "the edit arrives")
        seq = await _store_again(world, before)
        assert (await _answer_to(world, "vinay-laptop", seq)).error is not None
        acks = [each for each in await world.acks("vinay-laptop") if each.stream_seq == seq]
        assert {(ack.state, ack.error.code) for ack in acks if ack.error is not None} == {
            (State.REJECTED, "unknown_key")
        }


async def test_a_node_that_sleeps_is_named_and_waited_for(world: World) -> None:
    """Nothing is signed with the new key before the last node has it; the same command goes on when it is back."""
    async with world.publisher():
        async with world.nodes("vinay-laptop", "contabo-vps", "digitalocean-vps"):
            await world.synced("vinay-laptop", "contabo-vps", "digitalocean-vps")
            result = await rotate(world, "--timeout", "3s")
            assert result.exit_code == exits.NOT_SO
            assert "work-laptop  no answer yet" in result.stdout
            snapshot, key = await newest_of_any(world)
            assert key == SIGNER.public_key
            assert snapshot.keys[0] == key
            assert len(snapshot.keys) == 2
            assert _files(world) == ["signing.seed", "signing.seed.next", "signing.seed.rotation"]
        async with world.nodes("work-laptop"):  # the others sleep now: they have answered
            result = await rotate(world, "--timeout", "3s", "-o", "json")
            assert [each["node"] for each in orjson.loads(result.stdout)["waiting_for"]] == [
                "contabo-vps",
                "digitalocean-vps",
                "vinay-laptop",
            ]
            assert orjson.loads(result.stdout)["stage"] == "retiring"
        async with world.nodes():
            assert (await rotate(world)).exit_code == exits.OK
            assert _files(world) == ["signing.seed"]


async def test_a_node_can_be_left_behind(world: World) -> None:
    """`--without` names who is not waited for; it refuses what the new key signs, and its files stay."""
    async with world.publisher():
        async with world.nodes() as nodes:
            await world.synced()
            names = nodes["work-laptop"].names()
        others = [name for name in NODES if name != "work-laptop"]
        async with world.nodes(*others):
            wrong = await rotate(world, "--without", "no-laptop")
            assert "no node is called no-laptop" in wrong.stderr
            result = await rotate(world, "--without", "work-laptop")
            assert result.exit_code == exits.OK, result.stdout
            assert "must join again: work-laptop" in result.stdout
        async with world.nodes("work-laptop") as left:
            ack = await _answer_to(world, "work-laptop", await world.last_seq())
            assert (ack.state, ack.error and ack.error.code) == (State.REJECTED, "unknown_key")
            assert left["work-laptop"].names() == names


async def test_a_replayed_announcement_brings_no_key_back(world: World) -> None:
    """Two rotations on, what the key of between signed before the second one takes nobody back to it."""
    async with world.publisher(), world.nodes("vinay-laptop"):
        await world.synced("vinay-laptop")
        others = [word for name in NODES if name != "vinay-laptop" for word in ("--without", name)]
        assert (await rotate(world, *others)).exit_code == exits.OK
        between = await _newest(world)
        files = SeedFiles(world.seed)
        await asyncio.to_thread(files.make_next)
        assert (await rotate(world, *others, "--timeout", "1ms")).exit_code == exits.NOT_SO
        keys = await asyncio.to_thread(files.read)
        assert keys.next is not None
        async with world.publisher():  # one that has just started announces too
            await until(lambda: _names(world, keys.next), "the next key is announced")
        await _answer_to(world, "vinay-laptop", await world.last_seq())
        seq = await _store_again(world, between)
        acks = await until(lambda: _answers(world, "vinay-laptop", seq), "an answer to the replay")
        assert (acks[0].state, acks[0].error and acks[0].error.code) == (State.REJECTED, "order")
        assert (await rotate(world, *others)).exit_code == exits.OK


async def _names(world: World, key: str) -> bool:
    return key in (await newest_of_any(world))[0].keys


async def _answers(world: World, node: str, seq: int) -> list[NodeAck]:
    return [each for each in await world.acks(node) if each.stream_seq == seq]


async def test_publishers_with_the_same_seeds_agree(world: World) -> None:
    """Of several publishers each notices the new seeds by itself; none publishes over another with an old key."""
    async with (
        world.publisher(keep_every_s=0.3) as first,
        world.publisher(keep_every_s=0.3) as second,
        world.nodes(),
    ):
        await world.synced()
        result = await rotate(world)
        assert result.exit_code == exits.OK, result.stdout
        key = (await asyncio.to_thread(read_seed, world.seed)).public_key
        for publisher in (first, second):
            await until(lambda p=publisher: _signs_with(p) == key, "it signs with the new key")
        await until(lambda: _is_quiet(world), "nobody publishes any more")
        snapshot, signed = await newest_of_any(world)
        assert (snapshot.keys, signed) == ((key,), key)
        states = {ack.state for node in NODES for ack in await world.acks(node)}
        assert states == {State.APPLIED}


def _signs_with(publisher: Publisher) -> str:
    return publisher._signing.keys.current


async def _is_quiet(world: World) -> bool:
    before = await world.last_seq()
    await asyncio.sleep(1)  # three looks at the stream
    return before == await world.last_seq()
