"""Keeping keys out, on a real server in operator mode."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from common.bus import Bus
from common.clock import now
from common.errors import BusUnavailable
from common.trust.credentials import read_credentials
from common.trust.jwt import read_claims
from common.trust.nkeys import KeyPair, Owner
from publisher.trust import claims
from publisher.trust.keyring import Keyring
from publisher.trust.nodes_account import NodesAccount
from tests.secure import SecureWorld, lets_in, opened


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on."""
    async with await opened(tmp_path) as made:
        yield made


async def _stored(world: SecureWorld, bus: Bus) -> dict[str, object]:
    answer = await bus.nc.request(f"$SYS.REQ.ACCOUNT.{world.keys.nodes.public}.CLAIMS.LOOKUP", timeout=5)
    return read_claims(answer.data.decode())


async def test_a_server_that_knows_all_is_left_alone(world: SecureWorld) -> None:
    """It is told once; a connection of somebody else is not even noticed by that."""
    goes, stays = world.enrol("vinay-laptop", world.folder / "a"), world.enrol("work-laptop", world.folder / "b")
    jwts = [(await asyncio.to_thread(read_credentials, world.folder / file)).jwt for file in "ab"]
    async with world.bus(claims.SYSTEM) as bus:
        account = NodesAccount(bus, world.keys)
        assert not await account.keep_out([])
        assert await account.keep_out([goes.public])
        assert not await account.keep_out([goes.public])
    assert not await lets_in(world, "vinay-laptop", jwts[0], goes.seed)
    assert await lets_in(world, "work-laptop", jwts[1], stays.seed)


async def test_what_it_keeps_out_already_is_never_let_in(world: SecureWorld) -> None:
    """By a publisher that has lost its record."""
    first, second = (KeyPair.new(Owner.USER).public for _ in range(2))
    async with world.bus(claims.SYSTEM) as bus:
        account = NodesAccount(bus, world.keys)
        await account.keep_out([first])
        await account.keep_out([second])
        assert not await account.keep_out([])
        assert set((await _stored(world, bus))["nats"]["revocations"]) == {first, second}  # type: ignore[index]


async def test_a_token_of_tomorrow_is_followed_by_one_of_tomorrow(world: SecureWorld) -> None:
    """One that looks older the server would ignore, and say that all is well: clocks differ."""
    tomorrow = now() + timedelta(days=1)
    pair = world.enrol("vinay-laptop", world.folder / "a")
    jwt = claims.node_user(world.keys, "vinay-laptop", pair.public, tomorrow)
    async with world.bus(claims.SYSTEM) as bus:
        subject = f"$SYS.REQ.ACCOUNT.{world.keys.nodes.public}.CLAIMS.UPDATE"
        await bus.nc.request(subject, claims.nodes_token(world.keys, tomorrow, {"x": 1}).encode(), timeout=5)
        assert await lets_in(world, "vinay-laptop", jwt, pair.seed)
        assert await NodesAccount(bus, world.keys).keep_out([pair.public])
    assert not await lets_in(world, "vinay-laptop", jwt, pair.seed)


async def test_keys_of_another_control_plane_do_nothing(world: SecureWorld) -> None:
    """And it is said."""
    async with world.bus(claims.SYSTEM) as bus:
        before = await _stored(world, bus)
        with pytest.raises(BusUnavailable):
            await asyncio.wait_for(NodesAccount(bus, Keyring.new()).keep_out(["K"]), 20)
        assert await _stored(world, bus) == before
