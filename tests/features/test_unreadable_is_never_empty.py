from pathlib import Path

import pytest

from common import subjects
from common.snapshot import registry_value
from tests.world import World, until

DOCUMENTS = ("cluster-info", "service-registry", "domain-registry", "sync-controller-registry")
KEYS = {
    "cluster-info": "cluster-domain",
    "service-registry": "services.json",
    "domain-registry": "routing.json",
    "sync-controller-registry": "registry.json",
}


def _delete(world: World, name: str) -> None:
    world.registry.path(name).unlink()


def _garbage(world: World, name: str) -> None:
    world.registry.path(name).write_text("apiVersion: v1\nkind: ConfigMap\n  oops: [")


def _no_key(world: World, name: str) -> None:
    data = world.registry.data(name)
    world.registry.write(name, {key: value for key, value in data.items() if key != KEYS[name]})


def _blank(world: World, name: str) -> None:
    world.registry.write(name, {**world.registry.data(name), KEYS[name]: " "})


def _truncated(world: World, name: str) -> None:
    data = world.registry.data(name)
    world.registry.write(name, {**data, KEYS[name]: data[KEYS[name]][:-3] if "json" in KEYS[name] else "a..b"})


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("harm", [_delete, _garbage, _no_key, _blank, _truncated])
async def test_a_document_that_cannot_be_read_takes_nothing_away(world: World, harm: object, name: str) -> None:
    """Missing, empty, cut or broken: the last published form stays, the publisher says what is wrong, others go on."""
    async with world.publisher() as publisher:
        before = await world.published()
        harm(world, name)  # type: ignore[operator]
        await until(lambda: any(p.document.startswith(name) for p in publisher.report.status().problems), "a problem")
        after = await world.newest()
        assert after is not None
        assert registry_value(after.registry) == registry_value(before.registry)
        assert after.order == before.order


@pytest.mark.parametrize("name", DOCUMENTS[1:])
async def test_after_a_restart_with_a_broken_document_the_previous_form_goes_on(world: World, name: str) -> None:
    """A publisher that starts beside a broken document takes the previous form from the stream."""
    async with world.publisher():
        before = await world.published()
    _garbage(world, name)
    edited = "service-registry" if name != "service-registry" else "cluster-info"
    if edited == "cluster-info":
        world.registry.write(edited, {**world.registry.data(edited), "cluster-name": "renamed"})
    else:
        world.registry.edit_services(lambda services: services.pop("grafana"))
    async with world.publisher():
        after = await world.published(above=before.order)
    assert after.registry.nodes == before.registry.nodes
    assert after.registry.routing == before.registry.routing
    assert after.registry.domains == before.registry.domains
    assert ("grafana" in after.registry.services) == (edited == "cluster-info")


async def test_with_both_stream_and_history_lost_every_part_must_be_readable(world: World) -> None:
    """A mark without a snapshot: nothing is published over the nodes until all that had entries can be read."""
    async with world.publisher():
        before = await world.published()
    async with world.bus() as bus:
        await bus.js.delete_stream(subjects.REGISTRY)
        await bus.js.delete_stream(subjects.HISTORY)
    kept = world.registry.path("domain-registry").read_bytes()
    _garbage(world, "domain-registry")
    async with world.publisher() as publisher:
        await until(lambda: "domains" in (publisher.report.status().waiting_for or ""), "it says what it waits for")
        assert await world.newest() is None
        _restore(world.registry.path("domain-registry"), kept)
        after = await world.published()
    assert after.epoch > before.epoch
    assert after.registry == before.registry


def _restore(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def test_nothing_is_published_without_services(world: World) -> None:
    """First contact: a missing services.json is waited for; other absent documents are empty, with a problem."""
    kept = world.registry.path("service-registry").read_bytes()
    _delete(world, "service-registry")
    _delete(world, "domain-registry")
    async with world.publisher() as publisher:
        await until(lambda: "services" in (publisher.report.status().waiting_for or ""), "it says what it waits for")
        assert await world.newest() is None
        _restore(world.registry.path("service-registry"), kept)
        newest = await world.published()
        assert newest.registry.domains == {}
        assert any(problem.document.startswith("domain-registry") for problem in publisher.report.status().problems)
