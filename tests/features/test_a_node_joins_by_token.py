import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats.errors
import orjson
import pytest

from common import subjects
from common.trust.credentials import read_credentials
from common.trust.jwt import read_claims
from common.trust.nkeys import KeyPair, Owner
from publisher.registry.invitation import JOIN, KEY
from tests.secure import SecureWorld, ask_to_join, lets_in, opened, raw
from tests.world import until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on beside the reference registry in a folder."""
    async with await opened(tmp_path) as made:
        yield made


def _entry(world: SecureWorld, name: str) -> dict[str, Any]:
    root = orjson.loads(world.registry.data("sync-controller-registry")["registry.json"])
    [found] = [
        entry for entries in root.values() if isinstance(entries, list) for entry in entries if entry["name"] == name
    ]
    return dict(found)


async def test_a_machine_with_a_token_becomes_the_node(world: SecureWorld) -> None:
    """Its key takes the place of the invitation; with its credentials it reads what is its own to read."""
    async with world.publisher():
        await world.published()
        token = await world.invite("vinay-laptop")
        assert token.id in str(_entry(world, "vinay-laptop")[JOIN])
        pair = KeyPair.new(Owner.USER)
        reply = await ask_to_join(world, token, pair.public)
        assert reply.ok, reply.error
        assert reply.jwt is not None
        assert read_claims(reply.jwt)["name"] == "vinay-laptop"
        entry = _entry(world, "vinay-laptop")
        assert entry[KEY] == pair.public
        assert JOIN not in entry
        async with raw(world, reply.jwt, pair.seed, subjects.inbox("vinay-laptop")) as client:
            newest = f"CORE.DIRECT.GET.{subjects.REGISTRY}.{subjects.SNAPSHOT}"
            assert (await client.request(newest, timeout=5)).data
        snapshot = await world.newest()
    assert snapshot is not None
    assert pair.public not in snapshot.model_dump_json()
    assert token.id not in snapshot.model_dump_json()


async def test_a_token_is_good_for_one_machine(world: SecureWorld) -> None:
    """A second one is told that it was used; the first may ask again, for its answer may have been lost."""
    async with world.publisher():
        token = await world.invite("vinay-laptop")
        first, second = KeyPair.new(Owner.USER), KeyPair.new(Owner.USER)
        assert (await ask_to_join(world, token, first.public)).ok
        refused = await ask_to_join(world, token, second.public)
        assert not refused.ok
        assert "used" in str(refused.error)
        assert (await ask_to_join(world, token, first.public)).ok
    assert _entry(world, "vinay-laptop")[KEY] == first.public


async def test_of_many_who_race_with_one_token_one_wins(world: SecureWorld) -> None:
    """Also when several publishers answer: the write under the lock is the one use."""
    async with world.publisher(), world.publisher():
        token = await world.invite("vinay-laptop")
        pairs = [KeyPair.new(Owner.USER) for _ in range(8)]
        replies = await asyncio.gather(*(ask_to_join(world, token, pair.public) for pair in pairs))
    won = [pair for pair, reply in zip(pairs, replies, strict=True) if reply.ok]
    assert [pair.public for pair in won] == [_entry(world, "vinay-laptop")[KEY]]


async def test_a_token_that_is_not_as_it_was_made_is_refused(world: SecureWorld) -> None:
    """Another secret, a newer token, a node that was removed, an end that has passed: each says why, none writes."""
    async with world.publisher():
        older = await world.invite("vinay-laptop")
        token = await world.invite("vinay-laptop")
        key = KeyPair.new(Owner.USER).public
        altered = await ask_to_join(world, token, key, secret="another")
        assert "altered" in str(altered.error)
        replaced = await ask_to_join(world, older, key)
        assert "replaced by a newer one" in str(replaced.error)
        gone = await world.invite("work-laptop")
        world.registry.edit("sync-controller-registry", "registry.json", lambda root: root["management_laptops"].pop())
        assert "its node was removed" in str((await ask_to_join(world, gone, key)).error)
        for reply in (altered, replaced):
            assert "routecast node add" in str(reply.error)
            assert reply.jwt is None
        assert KEY not in _entry(world, "vinay-laptop")


async def test_a_token_ends_at_its_time(world: SecureWorld) -> None:
    """NATS does not let its holder in any more."""
    async with world.publisher():
        token = await world.invite("vinay-laptop", valid_for=timedelta(seconds=-5))
        with pytest.raises(nats.errors.Error, match=r"(?i)auth"):
            await ask_to_join(world, token, KeyPair.new(Owner.USER).public)
    assert KEY not in _entry(world, "vinay-laptop")


async def test_a_token_says_nothing_on_other_subjects(world: SecureWorld) -> None:
    """Who has a token cannot guess at another's, nor hear others."""
    async with world.publisher():
        mine, other = await world.invite("vinay-laptop"), await world.invite("work-laptop")
        async with raw(
            world, mine.jwt.get_secret_value(), mine.seed.get_secret_value(), subjects.inbox(mine.id)
        ) as client:
            with pytest.raises(nats.errors.TimeoutError):
                await client.request(subjects.join(other.id), b"{}", timeout=0.5)
            assert "permissions violation" in client.said[-1].lower()


async def test_a_removed_nodes_connection_is_cut_and_nobody_elses(world: SecureWorld) -> None:
    """Within 10 s; its durable and its acks go, it is not let in again, and the other works on."""
    stays, goes = world.node("work-laptop"), world.node("vinay-laptop")
    async with world.publisher(), stays.running():
        await world.synced("work-laptop")
        async with goes.running():
            await world.synced("vinay-laptop")
        seed_of = goes.settings.nats.credentials_file
        assert seed_of is not None
        credentials = await asyncio.to_thread(read_credentials, seed_of)
        seed = credentials.seed.get_secret_value()
        async with raw(world, credentials.jwt, seed, subjects.inbox("vinay-laptop")) as client:
            _remove(world, "vinay-laptop")
            async with asyncio.timeout(10):
                await client.gone.wait()
        assert not await lets_in(world, "vinay-laptop", credentials.jwt, seed)

        async def swept() -> bool:
            async with world.bus() as bus:
                names = {info.name for info in await bus.js.consumers_info(subjects.REGISTRY)}
            return (
                names >= {"node-work-laptop"}
                and "node-vinay-laptop" not in names
                and not await world.ack("vinay-laptop")
            )

        await until(swept, "durable and acks are gone")
        before = await world.order()
        world.registry.edit_services(lambda services: services.pop("grafana"))
        await world.published(above=before)
        await world.synced("work-laptop")
        assert await world.ack("work-laptop")


async def test_a_server_that_lost_its_store_keeps_out_who_was_removed(world: SecureWorld) -> None:
    """The publisher tells it again when it is back."""
    pair = world.enrol("vinay-laptop", world.folder / "laptop.creds")
    jwt = (await asyncio.to_thread(read_credentials, world.folder / "laptop.creds")).jwt
    async with world.publisher():
        await world.published()
        assert await lets_in(world, "vinay-laptop", jwt, pair.seed)
        await _remembered(world)
        _remove(world, "vinay-laptop")
        await until(lambda: _refused(world, "vinay-laptop", jwt, pair.seed), "it is kept out")
        await world.server.stop()
        await asyncio.to_thread(_wipe, world)
        await world.server.start()
        await until(lambda: _refused(world, "vinay-laptop", jwt, pair.seed), "it is kept out again")


async def test_who_left_while_no_publisher_ran_is_kept_out(world: SecureWorld) -> None:
    """The record of who was let in outlives it."""
    pair = world.enrol("vinay-laptop", world.folder / "laptop.creds")
    jwt = (await asyncio.to_thread(read_credentials, world.folder / "laptop.creds")).jwt
    async with world.publisher():
        await _remembered(world)
    _remove(world, "vinay-laptop")
    assert await lets_in(world, "vinay-laptop", jwt, pair.seed)
    async with world.publisher():
        await until(lambda: _refused(world, "vinay-laptop", jwt, pair.seed), "it is kept out")


async def test_an_unreadable_registry_keeps_nobody_out(world: SecureWorld) -> None:
    """Unreadable is never empty: whoever was in stays in."""
    stays = world.enrol("vinay-laptop", world.folder / "laptop.creds")
    goes = world.enrol("work-laptop", world.folder / "work.creds")
    jwt = (await asyncio.to_thread(read_credentials, world.folder / "laptop.creds")).jwt
    jwt_of_other = (await asyncio.to_thread(read_credentials, world.folder / "work.creds")).jwt
    whole = world.registry.data("sync-controller-registry")
    async with world.publisher() as publisher:
        await _remembered(world)
        for broken in ("{", "", "[]", '{"management_laptops": 5}'):
            world.registry.write("sync-controller-registry", {"registry.json": broken})
            await until(lambda: publisher.report.status().problems, "it is seen to be broken")
            world.registry.write("sync-controller-registry", whole)
            await until(lambda: not publisher.report.status().problems, "it is whole again")
        _remove(world, "work-laptop")
        await until(lambda: _refused(world, "work-laptop", jwt_of_other, goes.seed), "the other is kept out")
        assert await lets_in(world, "vinay-laptop", jwt, stays.seed)


async def test_a_node_that_joins_again_loses_its_old_key(world: SecureWorld) -> None:
    """When a machine has joined with the new token, and not before."""
    async with world.publisher():
        first = KeyPair.new(Owner.USER)
        joined = await ask_to_join(world, await world.invite("vinay-laptop"), first.public)
        assert joined.jwt is not None
        token = await world.invite("vinay-laptop", rejoin=True)
        assert await lets_in(world, "vinay-laptop", joined.jwt, first.seed)
        second = KeyPair.new(Owner.USER)
        again = await ask_to_join(world, token, second.public)
        assert again.jwt is not None
        await until(lambda: _refused(world, "vinay-laptop", joined.jwt, first.seed), "the old key is kept out")
        assert await lets_in(world, "vinay-laptop", again.jwt, second.seed)
        revoked = await ask_to_join(world, await world.invite("vinay-laptop", rejoin=True), first.public)
        assert "revoked" in str(revoked.error)


def _remove(world: SecureWorld, name: str) -> None:
    def change(root: dict[str, Any]) -> None:
        for field, entries in root.items():
            if isinstance(entries, list):
                root[field] = [entry for entry in entries if entry["name"] != name]

    world.registry.edit("sync-controller-registry", "registry.json", change)


def _wipe(world: SecureWorld) -> None:
    shutil.rmtree(world.accounts)
    for child in world.server.store.iterdir():
        if child.is_dir():
            shutil.rmtree(child)


async def _remembered(world: SecureWorld) -> None:
    """Wait until the publisher knows of a key."""
    await until((world.registry.folder / ".routecast-trust.json").exists, "the key is remembered")


async def _refused(world: SecureWorld, name: str, jwt: str, seed: str) -> bool:
    return not await lets_in(world, name, jwt, seed)


async def test_a_removed_node_hears_of_it_before_it_is_cut_off(world: SecureWorld) -> None:
    """What it exposes is withdrawn within seconds; then its acks are gone from the server too."""
    node, stays = world.node("contabo-vps"), world.node("work-laptop")
    async with world.publisher(), node.running(), stays.running():
        await world.synced("contabo-vps", "work-laptop")
        assert node.served()
        _remove(world, "contabo-vps")
        await until(lambda: not node.served(), "its routes are gone", 5)

        async def forgotten() -> bool:
            return not await world.ack("contabo-vps")

        await until(forgotten, "its acks are gone", 10)
