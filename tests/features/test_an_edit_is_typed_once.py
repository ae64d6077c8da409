"""Edits from the command line, on a running installation: waited for, and never lost without a word."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest
from click.testing import Result

from cli import exits
from tests.cli.conftest import run_routecast
from tests.world import World, until

Edit = Callable[..., Awaitable[Result]]


@pytest.fixture
def routecast(world: World) -> Edit:
    """Run `routecast` in a thread of its own, on the world's folder and server."""

    async def on_world(*words: str) -> Result:
        env = {"ROUTECAST_NATS_URL": world.server.url, "ROUTECAST_PUBLISHER_REGISTRY_DIR": str(world.registry.folder)}
        return await asyncio.to_thread(run_routecast, *words, env=env)

    return on_world


async def _all_are_there(routecast: Edit) -> None:
    async def look() -> bool:
        return (await routecast("nodes", "--strict")).exit_code == exits.OK

    await until(look, "every node is online and synced")


async def test_wait_ends_when_every_online_node_runs_the_edit(world: World, routecast: Edit) -> None:
    """When `--wait` returns with success, the name is on the laptops' disks and the route is gone from the VPSs'."""
    async with world.publisher(), world.nodes() as nodes:
        await _all_are_there(routecast)
        added = await routecast("service", "add", "wiki", "--ip", "100.67.243.40", "--port", "80", "--wait")
        assert added.exit_code == exits.OK, added.output
        assert nodes["work-laptop"].names()["wiki.mycloud.local"] == "100.67.243.40"
        assert "4 of 4 online nodes" in added.stdout
        hidden = await routecast("service", "hide", "immich", "--wait", "-o", "json")
        assert hidden.exit_code == exits.OK, hidden.output
        assert nodes["contabo-vps"].served() == {"chat.curiios.com", "chat.vinaysachdeva.com"}
        assert orjson.loads(hidden.stdout)["waited"]["holds"]


async def test_wait_says_who_did_not_follow(world: World, routecast: Edit) -> None:
    """A node that cannot apply the edit is named, and the exit code says that not all is well; the edit stands."""
    async with world.publisher(), world.nodes() as nodes:
        await _all_are_there(routecast)
        hosts = nodes["work-laptop"].hosts
        hosts.unlink()
        hosts.mkdir()
        result = await routecast("service", "add", "wiki", "--ip", "100.67.243.40", "--wait", "--timeout", "5s")
        assert result.exit_code == exits.NOT_SO
        assert "work-laptop" in result.stdout
        assert "wiki" in orjson.loads(world.registry.data("service-registry")["services.json"])


async def test_wait_without_a_publisher_says_that_the_edit_is_written(routecast: Edit) -> None:
    """Nobody publishes: the exit code is 3, and the output says what happened and what did not."""
    result = await routecast("service", "add", "wiki", "--ip", "100.67.243.40", "--wait", "--timeout", "2s")
    assert result.exit_code == exits.UNREACHABLE
    assert "written to service-registry" in result.stdout
    assert "no publisher is running" in result.stdout


async def test_an_edit_that_a_writer_without_a_lock_overwrote_is_a_problem(
    world: World, routecast: Edit, tmp_path: Path
) -> None:
    """Somebody saves an old copy over our edit: the publisher reports it, with the command that repeats the edit."""
    async with world.publisher() as publisher:
        before = await world.published()
        file = world.registry.path("service-registry")
        old = tmp_path / "old.yaml"
        await asyncio.to_thread(shutil.copy, file, old)
        await routecast("service", "add", "immich", "--port", "2283")
        await world.published(above=before.order)
        await asyncio.to_thread(shutil.copy, old, file)

        def reported() -> list[str]:
            return [problem.mend for problem in publisher.report.status().problems if problem.entry == "immich"]

        await until(reported, "the lost edit is reported")
        assert reported() == ["routecast service add immich --port 2283"]
        linted = await routecast("lint")
        assert "was overwritten" in linted.stdout
        again = await routecast("service", "add", "immich", "--port", "2283")
        assert again.exit_code == exits.OK
        await until(lambda: not reported(), "the repeated edit is no problem")
