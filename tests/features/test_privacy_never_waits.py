from typing import Any

import pytest

from tests.world import VPSS, World, until

PHOTOS = {"photos.curiios.com", "photos.vinaysachdeva.com"}


@pytest.mark.parametrize(
    "private_form",
    [
        {"public": False},
        {"public": "false"},
        {"public": False, "port": "broken"},
        {"public": False, "ip": "100.67.243.300"},
        {"public": None},
    ],
)
async def test_a_service_made_private_loses_its_routes_everywhere(world: World, private_form: dict[str, Any]) -> None:
    """The public routes of a service go away with `public`, also when the same edit broke something else in it."""
    async with world.publisher(), world.nodes(*VPSS) as nodes:
        await world.synced(*VPSS)
        assert all(node.served() >= PHOTOS for node in nodes.values())
        world.registry.edit_services(lambda services: services["immich"].update(private_form))
        await until(lambda: not any(node.served() & PHOTOS for node in nodes.values()), "the routes are gone")
        assert all("chat.curiios.com" in node.served() for node in nodes.values())


async def test_the_last_public_service_made_private_leaves_no_route(world: World) -> None:
    """With nothing left to serve the file itself goes away."""
    async with world.publisher(), world.nodes(*VPSS) as nodes:
        await world.synced(*VPSS)

        def hide(services: dict[str, Any]) -> None:
            for service in services.values():
                service["public"] = False

        world.registry.edit_services(hide)
        await until(lambda: not any(node.routes.exists() for node in nodes.values()), "the files are gone")


async def test_what_never_read_as_public_is_never_published_as_such(world: World) -> None:
    """An entry that is broken from the start is left out; it has no form that could be public."""
    broken = {"subdomain": "evil", "ip": "100.67.243.20", "port": 0, "public": True}

    def add(routing: dict[str, Any]) -> None:
        routing["evil"] = {**routing["immich"]}

    world.registry.edit_services(lambda services: services.update(evil=broken))
    world.registry.edit("domain-registry", "routing.json", add)
    async with world.publisher():
        newest = await world.published()
    assert "evil" not in newest.registry.services
    assert "evil" not in newest.registry.routing
