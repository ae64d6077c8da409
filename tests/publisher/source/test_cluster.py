"""What is special of a cluster: watches that expire, break or go silent, rights that are missing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from common.errors import SourceUnavailable
from common.settings.publisher import PublisherSettings
from publisher.source.cluster import ClusterSource, Timing, open_cluster
from publisher.source.document import DOCUMENTS, SERVICE_REGISTRY
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.kubernetes_tls import identity
from tests.publisher.source.watching import Watching, watching
from tests.publisher.source.worlds import FAST, OLD, kill

NEW = {"k": "new"}
CALM = Timing(watch_s=60, pause_max_s=0.2, denied_pause_s=0.1)


@pytest.fixture(params=[FAST, CALM], ids=["short", "long"])
def timing(request: pytest.FixtureRequest) -> Timing:
    """Run a test with watches that end all the time, and with watches that never do."""
    chosen: Timing = request.param
    return chosen


@pytest.fixture
async def source(settings: PublisherSettings, timing: Timing) -> AsyncIterator[ClusterSource]:
    """Open the source."""
    async with open_cluster(settings, timing) as opened:
        yield opened


async def _watched(api: FakeKubernetes, watch: Watching) -> None:
    """Wait until every document was told of, and is watched."""
    await watch.listed()
    await api.until(lambda: api.open_watches == len(DOCUMENTS))


async def _tells_a_change(api: FakeKubernetes, watch: Watching) -> None:
    api.put_config_map(SERVICE_REGISTRY, NEW)
    await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_each_document_says_who_changed_it_and_how_to_edit_it(
    api: FakeKubernetes, settings: PublisherSettings, source: ClusterSource
) -> None:
    """For problems and for the snapshot's sources."""
    api.put_config_map(SERVICE_REGISTRY, NEW, manager="kubectl-edit")
    document = (await source.list())[SERVICE_REGISTRY]
    assert document.changed_by == "kubectl-edit"
    assert document.changed_at is not None
    assert document.resource_version == api.resource_version
    assert document.edit == f"kubectl --kubeconfig {settings.kubeconfig} -n kube-system edit configmap service-registry"
    api.delete_config_map(SERVICE_REGISTRY)
    assert "create configmap service-registry && " in (await source.list())[SERVICE_REGISTRY].edit


async def test_only_the_four_named_configmaps_are_asked_for(api: FakeKubernetes, source: ClusterSource) -> None:
    """One watch each, under limits, from the listed resource version, with bookmarks: the Role allows no more."""
    async with watching(source) as watch:
        await _watched(api, watch)
    asked = [request.query for request in api.requests if request.path.endswith("/configmaps")]
    assert {query["fieldSelector"] for query in asked} == {f"metadata.name={name}" for name in DOCUMENTS}
    for query in (query for query in asked if query.get("watch")):
        assert int(query["timeoutSeconds"]) < 300
        assert query["resourceVersion"] not in {"", "0"}
        assert query["allowWatchBookmarks"].lower() == "true"


async def test_no_watch_outlives_the_source(api: FakeKubernetes, source: ClusterSource) -> None:
    """Whoever stops leaves nothing open."""
    async with watching(source) as watch:
        await _watched(api, watch)
    await api.until(lambda: api.open_watches == 0)


@pytest.mark.parametrize("times", [1, 5])
async def test_an_expired_watch_is_listed_again(api: FakeKubernetes, source: ClusterSource, times: int) -> None:
    """410: the history from there on is gone."""
    api.faults.expire_watches(times)
    async with watching(source) as watch:
        await _watched(api, watch)
        await _tells_a_change(api, watch)
        assert all(event.document is not None for event in watch.events), "the server was there all the time"


async def test_watches_that_never_hold_still_tell_of_changes(api: FakeKubernetes, source: ClusterSource) -> None:
    """Each doubt lists again; the pauses in between are bounded."""
    api.faults.expire_watches()
    async with watching(source) as watch:
        await watch.listed()
        await _tells_a_change(api, watch)


async def test_what_was_compacted_away_meanwhile_is_found(api: FakeKubernetes, fast: ClusterSource) -> None:
    """A watch that goes on from an old revision is told so."""
    async with watching(fast) as watch:
        await _watched(api, watch)
        await kill(api)
        await watch.lost(SERVICE_REGISTRY)
        api.put_config_map(SERVICE_REGISTRY, NEW)
        api.compact()
        await api.accept()
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_what_is_listed_again_unchanged_is_not_told_again(api: FakeKubernetes, source: ClusterSource) -> None:
    """One event for each change."""
    api.faults.expire_watches(8)
    async with watching(source) as watch:
        await _watched(api, watch)
        await api.until(lambda: sum(request.verb == "list" for request in api.requests) >= 2 * len(DOCUMENTS))
        await _tells_a_change(api, watch)
        assert len(watch.events) == len(DOCUMENTS) + 1


async def test_a_watch_that_is_cut_is_taken_up_again(api: FakeKubernetes, source: ClusterSource) -> None:
    """Without losing what happened in between, and without calling the server lost."""
    async with watching(source) as watch:
        await _watched(api, watch)
        assert api.faults.cut_watches() == len(DOCUMENTS)
        await _tells_a_change(api, watch)
        assert all(event.document is not None for event in watch.events)


async def test_an_event_that_is_cut_in_the_middle_is_read_again(api: FakeKubernetes, source: ClusterSource) -> None:
    """Half an event, and half a list after it, are no event and no list."""
    async with watching(source) as watch:
        await _watched(api, watch)
        api.faults.halve_bodies()
        api.put_config_map(SERVICE_REGISTRY, NEW)
        await watch.lost(SERVICE_REGISTRY)
        with pytest.raises(SourceUnavailable):
            await source.list()
        api.faults.heal()
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_a_watch_that_went_silent_is_noticed(api: FakeKubernetes, fast: ClusterSource) -> None:
    """Connected, and never a word: a little after its time the client ends it and lists."""
    async with watching(fast) as watch:
        await _watched(api, watch)
        api.faults.silence_watches()
        api.put_config_map(SERVICE_REGISTRY, NEW)
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_the_documents_are_listed_now_and_then_in_any_case(api: FakeKubernetes, tmp_path: Path) -> None:
    """The net below the watch."""
    settings = PublisherSettings(kubeconfig=api.kubeconfig(tmp_path / "kubeconfig"), relist_every_s=0.05)

    def _lists() -> int:
        return sum(request.verb == "list" for request in api.requests)

    async with open_cluster(settings, FAST) as source, watching(source):
        await api.until(lambda: _lists() >= 3 * len(DOCUMENTS), limit_s=15)


async def test_a_slow_server_is_waited_for(api: FakeKubernetes, source: ClusterSource) -> None:
    """Within the limit of a request."""
    api.faults.slow_down(0.2)
    async with watching(source) as watch:
        await _watched(api, watch)
        await _tells_a_change(api, watch)


async def test_a_server_that_is_too_slow_is_lost(api: FakeKubernetes, settings: PublisherSettings) -> None:
    """No request hangs."""
    api.faults.slow_down(60)
    hasty = Timing(request_s=0.5, pause_max_s=0.2)
    async with open_cluster(settings, hasty) as source, watching(source) as watch:
        assert "does not answer" in await watch.lost(SERVICE_REGISTRY)
        api.faults.heal()
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == OLD)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_in_trouble_is_tried_again(api: FakeKubernetes, source: ClusterSource, status: int) -> None:
    """And told as lost meanwhile, with what it said."""
    api.faults.answer(status, verb="list", name=SERVICE_REGISTRY, times=2)
    async with watching(source) as watch:
        assert str(status) in await watch.lost(SERVICE_REGISTRY)
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == OLD)


async def test_a_document_that_may_be_listed_but_not_watched_is_still_followed(
    api: FakeKubernetes, source: ClusterSource
) -> None:
    """Slower, by listing it again and again."""
    api.deny("watch", SERVICE_REGISTRY)
    async with watching(source) as watch:
        await watch.listed()
        await _tells_a_change(api, watch)
        assert all(event.document is not None for event in watch.events)


async def test_a_watch_that_ends_before_its_time_is_a_doubt(tmp_path: Path) -> None:
    """As behind a proxy that ends every answer: list again, with a pause, instead of spinning."""
    asked: list[str] = []
    many = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked.append("watch" if "watch" in request.query else "list")
        if asked.count("watch") >= 12:
            many.set()
        if "watch" in request.query:
            return web.Response()
        return web.json_response({"metadata": {"resourceVersion": "7"}, "items": []})

    application = web.Application()
    application.router.add_get("/api/v1/namespaces/kube-system/configmaps", answer)
    async with FakeKubernetes() as api:
        kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
        await kill(api)
        runner = web.AppRunner(application)
        await runner.setup()
        port, tls = int(api.url.rpartition(":")[2]), identity().context
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        try:
            async with open_cluster(PublisherSettings(kubeconfig=kubeconfig), FAST) as source, watching(source):
                async with asyncio.timeout(10):
                    await many.wait()
        finally:
            await runner.cleanup()
    assert asked.count("list") >= asked.count("watch"), "each watch that ended too early was followed by a list"
