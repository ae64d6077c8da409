import asyncio
from typing import Any

import orjson

from common.ack import NodeAck
from common.settings.policy import PolicySettings
from tests.cli.conftest import run_routecast
from tests.registry_folder import Entries
from tests.world import NodeUnderTest, World, until

LAPTOP, VPS = "vinay-laptop", "contabo-vps"
PHOTOS = "photos.mycloud.local"
FAR = "203.0.113.66"


def _with(node: NodeUnderTest, **policy: Any) -> NodeUnderTest:
    node.settings = node.settings.model_copy(update={"policy": PolicySettings.model_validate(policy)})
    return node


def _redirect(services: Entries) -> None:
    """Do what somebody would who wants this machine's passwords."""
    services["immich"]["ip"] = FAR


async def _record(world: World, node: str) -> NodeAck:
    ack = await world.ack(node)
    assert ack is not None
    return ack


async def test_a_name_never_points_out_of_the_homelab(world: World) -> None:
    """A control plane that was taken over cannot send a laptop to the internet: the name goes, and it is told."""
    node = world.node(LAPTOP)
    async with world.publisher(), node.running():
        await world.synced(LAPTOP)
        assert node.names()[PHOTOS] == "100.67.243.10"
        world.registry.edit_services(_redirect)
        await until(lambda: PHOTOS not in node.names(), "the name goes")
        await world.synced(LAPTOP)
        ack = await _record(world, LAPTOP)
        assert [each.entry for each in ack.refused] == [PHOTOS]
        assert FAR in ack.refused[0].reason
        env = {"ROUTECAST_NATS_URL": world.server.url}
        table = await asyncio.to_thread(run_routecast, "nodes", env=env)
        found = await asyncio.to_thread(run_routecast, "nodes", "-o", "json", env=env)
        acks = await asyncio.to_thread(run_routecast, "acks", LAPTOP, "-n", "1", env=env)
    assert "synced (1 refused)" in table.stdout
    (row,) = [row for row in orjson.loads(found.stdout)["nodes"] if row["node"] == LAPTOP]
    assert (row["state"], row["refused"]) == ("synced", 1)
    assert row["refused_entries"] == [{"entry": PHOTOS, "reason": f"{FAR} is not in policy.networks"}]
    assert f"refused {PHOTOS} ({FAR} is not in policy.networks)" in acks.stdout


async def test_a_vps_serves_only_its_own_zones(world: World) -> None:
    """Host names of other domains are not served, whatever the registry routes there; another VPS is not concerned."""
    limited, free = _with(world.node(VPS), zones=["curiios.com"]), world.node("digitalocean-vps")
    async with world.publisher(), limited.running(), free.running():
        await world.synced(VPS, "digitalocean-vps")
        assert limited.served() == {"chat.curiios.com", "photos.curiios.com"}
        assert len(free.served()) == 4
        ack = await _record(world, VPS)
        assert [(each.entry, each.reason) for each in ack.refused] == [
            ("chat.vinaysachdeva.com", "not in policy.zones"),
            ("photos.vinaysachdeva.com", "not in policy.zones"),
        ]
        assert (await _record(world, "digitalocean-vps")).refused == ()


async def test_a_narrower_policy_takes_away_what_was_there(world: World) -> None:
    """What is refused after a restart with other settings goes, as withdrawn; no drift is reported of it."""
    node = world.node(LAPTOP)
    async with world.publisher():
        async with node.running():
            await world.synced(LAPTOP)
            assert len(node.names()) == 5
        async with _with(node, zones=["photos.mycloud.local"]).running():
            await until(lambda: set(node.names()) == {PHOTOS}, "only what is allowed")
            await until(lambda: _refuses(world, 4), "told")
        async with _with(node, zones=[]).running():
            await until(lambda: not node.names(), "nothing is allowed")
            await until(lambda: _refuses(world, 5), "told")
        async with _with(node, max_names=2).running():
            await until(lambda: len(node.names()) == 2, "the first two")
            world.registry.edit_services(lambda services: services.clear())
            await until(lambda: not node.names(), "a withdrawal goes through")
        assert {ack.state for ack in await world.acks(LAPTOP)} == {"applied"}


async def _refuses(world: World, count: int) -> bool:
    return (await _record(world, LAPTOP)).refused_count == count
