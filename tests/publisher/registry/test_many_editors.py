"""Many editors at once: no edit is lost, whoever writes in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial

import orjson
import pytest

from common.models import Role
from publisher.registry.beginning import ClusterFields, begin
from publisher.registry.book import Book, open_book
from publisher.registry.domains import add_domain
from publisher.registry.draft import DOMAINS, NODES, ROUTING, SERVICES, Draft
from publisher.registry.editor import Editor
from publisher.registry.nodes import add_node
from publisher.registry.plan import Edit
from publisher.registry.record import lost_edits, read_record
from publisher.registry.routes import RouteFields, set_route
from publisher.registry.services import ServiceFields, add_service, remove_service
from publisher.source.source import Conflict
from tests.publisher.pipeline.parsing import SERVICES as APPS
from tests.publisher.pipeline.parsing import texts
from tests.publisher.registry.editing import value
from tests.publisher.source.worlds import World

EDITORS, EDITS = 5, 8
_OTHERS = 40
VPS = "100.68.225.92"


@pytest.fixture
async def books(world: World) -> AsyncIterator[list[Book]]:
    """Have a whole registry, and one book for each editor, as in processes of their own."""
    for name, data in texts().items():
        await world.put(name, data or {})
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_book(world.settings)) for _ in range(EDITORS)]


async def _all(books: list[Book], edits: Sequence[Edit]) -> None:
    """Make all edits at once, in turn on the books."""
    async with asyncio.TaskGroup() as tasks:
        for i, edit in enumerate(edits):
            tasks.create_task(Editor(books[i % len(books)], "me", f"edit {i}").apply(edit), name=f"edit {i}")


async def _recorded(book: Book) -> set[str]:
    return {edit.command for edit in read_record(await book.read_record())}


async def test_forty_registrations_at_once_all_survive(books: list[Book]) -> None:
    """Of the replaced system's twelve in pairs six did."""
    names = [f"app-{i}" for i in range(EDITORS * EDITS)]
    await _all(
        books,
        [
            partial(add_service, name=name, given=ServiceFields(ip=f"100.67.1.{i}", subdomain=name))
            for i, name in enumerate(names, 1)
        ],
    )
    listed = await books[0].list()
    services = value(listed, SERVICES)
    assert set(services) == {*names, *APPS}
    assert {name: services[name]["ip"] for name in names} == {name: f"100.67.1.{i}" for i, name in enumerate(names, 1)}
    assert await _recorded(books[0]) == {f"edit {i}" for i in range(len(names))}
    assert lost_edits(listed, read_record(await books[0].read_record())) == ()


async def test_a_writer_of_other_keys_in_between_loses_nothing_and_spoils_nothing(books: list[Book]) -> None:
    """As somebody with kubectl edit, who uses the lock too."""

    async def write_others(book: Book) -> None:
        for i in range(_OTHERS):
            while True:
                version = (await book.list())["service-registry"].resource_version
                with suppress(Conflict):
                    await book.write("service-registry", {"other": str(i), f"key-{i}": "x"}, version)
                    break

    edits = [partial(add_service, name=f"app-{i}", given=ServiceFields(ip=f"100.67.1.{i}")) for i in range(1, 25)]
    await asyncio.gather(write_others(books[-1]), _all(books[:-1], edits))
    data = (await books[0].list())["service-registry"].data or {}
    assert set(orjson.loads(data["services.json"])) == {*APPS, *(f"app-{i}" for i in range(1, 25))}
    assert data["other"].strip() == str(_OTHERS - 1)
    assert {f"key-{i}" for i in range(_OTHERS)} <= set(data)


async def test_edits_of_all_kinds_at_once_all_survive(books: list[Book]) -> None:
    """Some of them in two documents."""
    edits: list[Edit] = []
    for i in range(1, 7):
        edits += [
            partial(add_service, name=f"app-{i}", given=ServiceFields(ip=f"100.67.1.{i}")),
            partial(add_domain, text=f"d{i}.example", description=str(i)),
            partial(add_node, role=Role.WORKER, name=f"w-{i}", address=f"100.2.2.{i}", label=None),
            partial(set_route, service="grafana", given=RouteFields(("curiios.com",), (VPS,))),
        ]
    edits.append(partial(remove_service, name="immich"))
    await _all(books, edits)
    listed = await books[0].list()
    assert set(value(listed, SERVICES)) == {"grafana", *(f"app-{i}" for i in range(1, 7))}
    assert value(listed, SERVICES)["grafana"]["public"] is True
    assert set(value(listed, ROUTING)) == {"grafana"}
    assert {f"d{i}.example" for i in range(1, 7)} < set(value(listed, DOMAINS)["domains"])
    assert {node["name"] for node in value(listed, NODES)["worker_nodes"]} == {f"w-{i}" for i in range(1, 7)}


async def test_fields_of_one_entry_edited_at_once_all_survive(books: list[Book]) -> None:
    """Editing one never resets another."""
    fields = [
        ServiceFields(port=81),
        ServiceFields(scheme="https"),
        ServiceFields(namespace="n"),
        ServiceFields(service="s"),
        ServiceFields(middlewares=("a@file",)),
        ServiceFields(subdomain="pictures"),
    ]
    await _all(books, [partial(add_service, name="immich", given=given) for given in fields])
    entry = value(await books[0].list(), SERVICES)["immich"]
    entry.pop("updated")
    assert entry == {
        **APPS["immich"],
        "port": 81,
        "scheme": "https",
        "namespace": "n",
        "service": "s",
        "middlewares": ["a@file"],
        "subdomain": "pictures",
    }


async def test_a_registry_that_is_not_there_is_made_once_by_all_who_add_to_it(world: World, books: list[Book]) -> None:
    """Whoever makes the document second adds to it."""
    for name in texts():
        await world.delete(name)

    def edit(draft: Draft, i: int) -> None:
        begin(draft, ClusterFields(domain="mycloud"), {})
        add_service(draft, f"app-{i}", ServiceFields(ip=f"100.67.1.{i}"))

    await _all(books, [partial(edit, i=i) for i in range(1, 9)])
    assert set(value(await books[0].list(), SERVICES)) == {f"app-{i}" for i in range(1, 9)}
