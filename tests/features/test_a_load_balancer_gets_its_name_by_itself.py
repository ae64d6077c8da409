import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from tests.fakes.kubernetes import FakeKubernetes
from tests.world import World, until

WITHIN_S = 1.0


@pytest.fixture
async def api() -> AsyncIterator[FakeKubernetes]:
    """Run the fake API server: the cluster whose Services are discovered."""
    async with FakeKubernetes() as server:
        yield server
        await server.refuse()


async def test_a_load_balancer_service_appears_and_every_laptop_knows_its_name(
    world: World, api: FakeKubernetes, tmp_path: Path
) -> None:
    """With `publisher run --discover` nobody types anything: address given, name there, within a second."""
    kubeconfig = await asyncio.to_thread(api.kubeconfig, tmp_path / "kubeconfig")
    async with world.publisher(discover=True, kubeconfig=kubeconfig), world.nodes() as nodes:
        await world.synced()
        await api.until(lambda: api.open_watches > 0)
        api.put_service("jellyfin", "media", ip="100.67.243.30", ports=[8096])
        for laptop in ("vinay-laptop", "work-laptop"):
            await until(
                lambda laptop=laptop: nodes[laptop].names().get("jellyfin.mycloud.local") == "100.67.243.30",
                f"the name of jellyfin on {laptop}",
                WITHIN_S,
            )
        services = orjson.loads(world.registry.data("service-registry")["services.json"])
        assert services["jellyfin"]["public"] is False
        assert services["immich"]["public"] is True
        assert not nodes["contabo-vps"].served() & {"jellyfin.curiios.com"}


async def test_a_service_that_is_gone_keeps_no_address(world: World, api: FakeKubernetes, tmp_path: Path) -> None:
    """Its address may be someone else's by then: the name goes away, the entry waits for a person."""
    kubeconfig = await asyncio.to_thread(api.kubeconfig, tmp_path / "kubeconfig")
    api.put_service("jellyfin", "media", ip="100.67.243.30", ports=[8096])
    async with world.publisher(discover=True, kubeconfig=kubeconfig), world.nodes("vinay-laptop") as nodes:
        laptop = nodes["vinay-laptop"]
        await until(lambda: "jellyfin.mycloud.local" in laptop.names(), "the name")
        api.delete_service("jellyfin", "media")
        await until(lambda: "jellyfin.mycloud.local" not in laptop.names(), "the name is gone")
    services = orjson.loads(world.registry.data("service-registry")["services.json"])
    assert services["jellyfin"]["ip"] is None


async def test_without_its_rights_the_publisher_goes_on(world: World, api: FakeKubernetes, tmp_path: Path) -> None:
    """Who may not list Services gets no discovery, and everything else."""
    api.grant("list", "watch", resource="configmaps")
    api.deny("list", resource="services")
    kubeconfig = await asyncio.to_thread(api.kubeconfig, tmp_path / "kubeconfig")
    async with world.publisher(discover=True, kubeconfig=kubeconfig), world.nodes("vinay-laptop"):
        before = await world.synced("vinay-laptop")
        world.registry.edit_services(lambda services: services["grafana"].update(ip="100.67.9.9"))
        await world.published(above=before.order)
        await world.synced("vinay-laptop")
