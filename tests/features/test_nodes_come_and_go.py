from typing import Any

from common.models import Role
from common.streams import consumer_states
from subscriber.consumer import FETCH_S
from tests.world import World, until


def _register(world: World, kind: str, name: str, ip: str) -> None:
    def add(registry: dict[str, Any]) -> None:
        registry[kind].append({"ip": ip, "name": name})

    world.registry.edit("sync-controller-registry", "registry.json", add)


async def test_a_new_laptop_has_the_names_as_soon_as_it_is_registered(world: World) -> None:
    """A subscriber that waits for its registration starts to work the moment it is there."""
    node = world.node("new-laptop", Role.LAPTOP)
    async with world.publisher(), node.running():
        await world.published()
        _register(world, "management_laptops", "new-laptop", "100.88.150.20")
        await until(lambda: "photos.mycloud.local" in node.names(), "the names")


async def test_a_new_vps_serves_what_names_it(world: World) -> None:
    """A VPS that is registered and then named in a routing entry serves that service's host names."""
    node = world.node("linode-asia", Role.VPS)
    async with world.publisher(), node.running():
        await world.published()
        _register(world, "vps_nodes", "linode-asia", "100.72.200.50")
        vps = {"tailscale_ip": "100.72.200.50", "public_ip": "203.0.113.100", "location": "asia"}
        world.registry.edit("domain-registry", "domains.json", lambda domains: domains["vps_nodes"].append(vps))
        await world.synced("linode-asia")
        assert node.served() == set()
        world.registry.edit(
            "domain-registry", "routing.json", lambda routing: routing["immich"]["vps_nodes"].append("100.72.200.50")
        )
        await until(lambda: node.served() == {"photos.curiios.com", "photos.vinaysachdeva.com"}, "the routes")


async def test_a_new_domain_is_served_for_the_services_that_name_it(world: World) -> None:
    """A domain is registered and named by a service: its host name is served on both VPSs."""
    async with world.publisher(), world.nodes("contabo-vps", "digitalocean-vps") as nodes:
        await world.synced("contabo-vps", "digitalocean-vps")
        world.registry.edit(
            "domain-registry", "domains.json", lambda domains: domains["domains"].update({"example.com": {}})
        )
        world.registry.edit(
            "domain-registry", "routing.json", lambda routing: routing["immich"]["domains"].append("example.com")
        )
        await until(lambda: all("photos.example.com" in node.served() for node in nodes.values()), "the routes")


async def test_a_removed_node_loses_its_durable_and_no_other_does(world: World) -> None:
    """Taking a node off the registry deletes its durable; a registry that cannot be read deletes none."""
    async with world.publisher(keep_every_s=0.2), world.bus() as bus:
        before = await world.published()
        await until(lambda: _count(bus, 4), "four durables")
        world.registry.write("sync-controller-registry", {"registry.json": "{"})
        world.registry.edit_services(lambda services: services.pop("grafana"))
        await world.published(above=before.order)
        assert await _count(bus, 4)
        laptop = {"management_laptops": [{"ip": "100.86.112.112", "name": "vinay-laptop"}]}
        world.registry.write("sync-controller-registry", {"registry.json": str(laptop).replace("'", '"')})
        await until(lambda: _count(bus, 1), "one durable")
        assert set(await consumer_states(bus)) == {"node-vinay-laptop"}


async def _count(bus: Any, count: int) -> bool:
    return len(await consumer_states(bus)) == count


async def test_a_node_whose_address_changed_keeps_its_identity(world: World) -> None:
    """The name is the identity: another address or label is an edit, not another node."""
    async with world.publisher(), world.nodes("vinay-laptop"):
        before = await world.synced("vinay-laptop")
        world.registry.edit(
            "sync-controller-registry",
            "registry.json",
            lambda registry: registry["management_laptops"][0].update(ip="100.86.112.200"),
        )
        await world.published(above=before.order)
        after = await world.synced("vinay-laptop")
    assert after.registry.node("vinay-laptop") is not None
    assert {node.name for node in after.registry.nodes} == {node.name for node in before.registry.nodes}


async def test_a_vps_taken_off_the_registry_withdraws_its_routes(world: World) -> None:
    """A node without a durable still learns of the newest snapshot: what it exposed goes away."""
    async with world.publisher(), world.nodes("contabo-vps") as nodes:
        await world.synced("contabo-vps")
        assert nodes["contabo-vps"].served()

        def remove(registry: dict[str, Any]) -> None:
            registry["vps_nodes"] = [node for node in registry["vps_nodes"] if node["name"] != "contabo-vps"]

        world.registry.edit("sync-controller-registry", "registry.json", remove)
        await until(lambda: not nodes["contabo-vps"].served(), "the routes are gone", FETCH_S + 20)
