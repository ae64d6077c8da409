from collections.abc import Callable
from typing import Any

import orjson
import pytest

from tests.registry_folder import RegistryFolder
from tests.world import World, until


def _service(registry: RegistryFolder) -> None:
    app = {"subdomain": "jellyfin", "ip": "100.67.243.20", "port": 8096, "public": False}
    registry.edit_services(lambda services: services.update(jellyfin=app))


def _domain(registry: RegistryFolder) -> None:
    def add(routing: dict[str, Any]) -> None:
        routing["immich"]["domains"] = ["curiios.com"]

    registry.edit("domain-registry", "routing.json", add)


def _node(registry: RegistryFolder) -> None:
    laptop = {"ip": "100.88.150.20", "name": "new-laptop"}
    registry.edit("sync-controller-registry", "registry.json", lambda nodes: nodes["management_laptops"].append(laptop))


def _cluster(registry: RegistryFolder) -> None:
    registry.write("cluster-info", {**registry.data("cluster-info"), "cluster-domain": "othercloud"})


@pytest.mark.parametrize("change", [_service, _domain, _node, _cluster])
async def test_a_change_of_any_one_configmap_alone_reaches_every_node(
    world: World, change: Callable[[RegistryFolder], None]
) -> None:
    """Event-driven: whichever of the four documents changes, all nodes run it without anybody asking."""
    async with world.publisher(), world.nodes():
        before = await world.synced()
        change(world.registry)
        await world.published(above=before.order)
        after = await world.synced()
    assert after.version == before.version + 1
    assert after.epoch == before.epoch


async def test_the_nodes_disks_hold_what_the_registry_says(world: World) -> None:
    """Laptops have exactly the five names, both VPSs the four public host names, and a change of each arrives."""
    async with world.publisher(), world.nodes() as nodes:
        await world.synced()
        for laptop in ("vinay-laptop", "work-laptop"):
            assert nodes[laptop].names() == {
                "chat.mycloud.local": "100.67.243.11",
                "dashboard.mycloud.local": "100.67.243.13",
                "grafana.mycloud.local": "100.67.243.12",
                "mycloud.local": "100.67.243.13",
                "photos.mycloud.local": "100.67.243.10",
            }
        for vps in ("contabo-vps", "digitalocean-vps"):
            assert nodes[vps].served() == {
                "chat.curiios.com",
                "chat.vinaysachdeva.com",
                "photos.curiios.com",
                "photos.vinaysachdeva.com",
            }
            routers = orjson.loads(nodes[vps].routes.read_bytes())["http"]["routers"]
            assert len(routers) == 8
        _cluster(world.registry)
        await until(lambda: "photos.othercloud.local" in nodes["vinay-laptop"].names(), "the new zone")
        assert not any(name.endswith("mycloud.local") for name in nodes["vinay-laptop"].names())
