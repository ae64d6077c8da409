"""Every field of every kind, edited by hand: within seconds it is on the nodes' disks, or named wherever one looks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.cli.conftest import run_routecast
from tests.fakes.kubectl import needs_kubectl
from tests.fakes.kubernetes import FakeKubernetes
from tests.features.hand.disks import Disks
from tests.features.hand.places import Cluster, Folder, Place
from tests.features.hand.right import RIGHT
from tests.features.hand.wrong import WRONG, Wrong
from tests.world import World, until

LAPTOP, VPS = "vinay-laptop", "contabo-vps"
DOCUMENTS = ("cluster-info", "service-registry", "domain-registry", "sync-controller-registry")

Found = Mapping[str, Any]
"""A problem, as it is printed."""

Routecast = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["folder", pytest.param("cluster", marks=needs_kubectl)])
async def place(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> AsyncIterator[Place]:
    """Hold the demo's registry in a folder, or in a cluster in which the publisher may write Events."""
    if request.param == "folder":
        yield Folder(world.registry)
        return
    async with FakeKubernetes() as api:
        for name in DOCUMENTS:
            api.put_config_map(name, world.registry.data(name))
        yield Cluster(api, api.kubeconfig(tmp_path / "kubeconfig"))


@pytest.fixture
def routecast(world: World, place: Place) -> Routecast:
    """Run `routecast … -o json` in a thread of its own and return what it prints."""
    given = {key: str(value) for key, value in place.settings.items() if value is not None}
    env = {f"ROUTECAST_PUBLISHER_{key.upper()}": value for key, value in given.items()}

    async def on_world(*words: str) -> Any:
        where = {"ROUTECAST_NATS_URL": world.server.url, **env}
        return orjson.loads((await asyncio.to_thread(run_routecast, *words, "-o", "json", env=where)).stdout)

    return on_world


@pytest.mark.parametrize("kind", WRONG)
async def test_a_right_value_arrives_and_a_wrong_one_is_named(
    world: World, place: Place, routecast: Routecast, kind: str
) -> None:
    """By `problems`, by `lint`, counted by `nodes`, and in a cluster by an Event on the ConfigMap."""
    async with world.publisher(**place.settings), world.nodes(LAPTOP, VPS) as nodes:
        await world.synced(LAPTOP, VPS)
        disks = Disks(nodes[LAPTOP], nodes[VPS])
        for right in RIGHT.get(kind, []):
            assert not right.shows(disks)
            await place.edit(right)
            await until(partial(right.shows, disks), f"{right} on a disk")
        for wrong in WRONG[kind]:
            await place.edit(wrong)
        await reported(WRONG[kind], routecast)
        unknown = unnamed(WRONG[kind], await routecast("lint"))
        assert unknown == []
        await told(WRONG[kind], place)


async def reported(wrongs: list[Wrong], routecast: Routecast) -> None:
    """Wait until the publisher names all that is wrong, and see that the fleet's report counts it."""
    found: list[Found] = []

    async def look() -> bool:
        found[:] = await routecast("problems")
        return not unnamed(wrongs, found)

    try:
        await until(look, "all is named")
    except AssertionError as e:
        raise AssertionError(f"{e}, but not {unnamed(wrongs, found)}; only {found}") from e
    [publisher] = (await routecast("nodes"))["publishers"]
    errors = sum(problem["severity"] == "error" for problem in found)
    assert (publisher["errors"], publisher["warnings"]) == (errors, len(found) - errors)


def unnamed(wrongs: list[Wrong], found: list[Found]) -> list[Wrong]:
    """Return what is wrong and not among the problems, with its document, key, entry, and a command."""
    return [wrong for wrong in wrongs if not any(is_named(wrong, problem) for problem in found)]


def is_named(wrong: Wrong, problem: Found) -> bool:
    """Tell whether a problem is about a wrong value."""
    at = ("/".join(wrong.key), wrong.entry)
    return (problem["document"], problem["entry"]) == at and wrong.said in problem["message"] and bool(problem["mend"])


async def told(wrongs: list[Wrong], place: Place) -> None:
    """Wait until an Event on each document tells what is wrong in it; a folder has none."""

    def untold() -> list[Wrong]:
        return [wrong for wrong in wrongs if not any(wrong.said in text for text in place.told(wrong.key[0]))]

    if place.tells:
        await until(lambda: not untold(), f"Events tell all, not {untold()}")
