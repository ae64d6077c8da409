"""What is special of a cluster: watches that expire, break or go silent, rights that are missing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from common.errors import AccessDenied, SourceUnavailable
from common.settings.publisher import PublisherSettings
from common.status import SourceState
from publisher.source.cluster import ClusterSource, Timing, open_cluster
from publisher.source.document import CLUSTER_INFO, DOCUMENTS, SERVICE_REGISTRY, STATE
from publisher.source.source import Mark, PublisherState
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.source.watching import Watching, watching

OLD, NEW = {"k": "old"}, {"k": "new"}
FAST = Timing(request_s=1.0, watch_s=1, watch_grace_s=0.3, pause_max_s=0.2, denied_pause_s=0.1)
CALM = Timing(watch_s=60, pause_max_s=0.2, denied_pause_s=0.1)
STATE_1 = PublisherState(installation="i", mark=Mark(epoch=1, version=1, digest="d", counts={}))


@pytest.fixture(params=[FAST, CALM], ids=["short", "long"])
def timing(request: pytest.FixtureRequest) -> Timing:
    """Run a test with watches that end all the time, and with watches that never do."""
    chosen: Timing = request.param
    return chosen


@pytest.fixture
def settings(api: FakeKubernetes, tmp_path: Path) -> PublisherSettings:
    """Point to the fake server, with all four documents in it."""
    for name in DOCUMENTS:
        api.put_config_map(name, OLD)
    return PublisherSettings(kubeconfig=api.kubeconfig(tmp_path / "kubeconfig"), relist_every_s=60)


@pytest.fixture
async def source(settings: PublisherSettings, timing: Timing) -> AsyncIterator[ClusterSource]:
    """Open the source."""
    async with open_cluster(settings, timing) as opened:
        yield opened


@pytest.fixture
async def fast(settings: PublisherSettings) -> AsyncIterator[ClusterSource]:
    """Open the source with short watches."""
    async with open_cluster(settings, FAST) as opened:
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
        await api.refuse()
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


async def test_a_server_that_is_too_slow_is_lost(api: FakeKubernetes, fast: ClusterSource) -> None:
    """No request hangs."""
    api.faults.slow_down(30)
    async with watching(fast) as watch:
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


async def test_a_denied_document_says_how_to_find_out_and_is_tried_again(
    api: FakeKubernetes, source: ClusterSource
) -> None:
    """The others are read; once the right is granted, this one is too."""
    api.deny("list", SERVICE_REGISTRY)
    async with watching(source) as watch:
        denied = await watch.document(SERVICE_REGISTRY, lambda document: document.state is SourceState.UNREADABLE)
        assert denied == (await source.list())[SERVICE_REGISTRY]
        assert denied.why is not None
        assert denied.why.startswith("denied: ")
        assert "-n kube-system auth can-i list configmap/service-registry`" in denied.why
        assert denied.edit.endswith("apply -k deploy/kubernetes")
        await watch.document(CLUSTER_INFO, lambda document: document.data == OLD)
        api.allow_all()
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


async def test_an_unknown_user_is_denied_everything(api: FakeKubernetes, source: ClusterSource) -> None:
    """401, as after a token has run out."""
    api.faults.answer(401)
    listed = await source.list()
    assert all("does not know this user" in (document.why or "") for document in listed.values())


async def test_missing_rights_are_named_at_start(
    api: FakeKubernetes, fast: ClusterSource, caplog: pytest.LogCaptureFixture
) -> None:
    """All of them in one line, with the command that grants them."""
    api.deny("watch", SERVICE_REGISTRY)
    api.deny("patch", STATE)
    api.deny("create")
    async with watching(fast):
        await api.until(lambda: sum("accessreviews" in request.path for request in api.requests) >= 15)
        await _logged(caplog, "rights are missing in the cluster")
    [line] = [record.getMessage() for record in caplog.records if "rights are missing" in record.getMessage()]
    assert "watch service-registry, patch routecast-state, create routecast-state" in line
    assert "apply -k deploy/kubernetes" in line


@pytest.mark.parametrize(("status", "said"), [(None, "all rights are there"), (401, "does not let us in")])
async def test_rights_are_asked_for_until_the_server_answers(
    api: FakeKubernetes, fast: ClusterSource, caplog: pytest.LogCaptureFixture, status: int | None, said: str
) -> None:
    """Whatever it says first."""
    api.faults.answer(503, times=30)
    if status is not None:
        api.faults.answer(status)
    async with watching(fast):
        await _logged(caplog, said)


async def _logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    async with asyncio.timeout(10):
        while not any(text in record.getMessage() for record in caplog.records):  # noqa: ASYNC110 - logs ring no bell
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("verb", "with_state"), [("get", True), ("patch", True), ("create", False)])
async def test_a_state_that_may_not_be_kept_says_how_to_find_out(
    api: FakeKubernetes, fast: ClusterSource, verb: str, with_state: bool
) -> None:
    """A person must act."""
    if with_state:
        api.put_config_map(STATE, {})
    api.deny(verb, None if verb == "create" else STATE)
    with pytest.raises(AccessDenied, match=f"auth can-i {verb} configmap"):
        await fast.write_state(STATE_1)


async def test_the_state_is_one_key_among_others(api: FakeKubernetes, fast: ClusterSource) -> None:
    """What others keep in the same ConfigMap stays."""
    api.put_config_map(STATE, {"other": "x"})
    assert await fast.read_state() is None
    await fast.write_state(STATE_1)
    assert await fast.read_state() == STATE_1
    assert (api.config_map(STATE) or {})["other"] == "x"


async def test_a_conflict_without_end_is_given_up(api: FakeKubernetes, fast: ClusterSource) -> None:
    """Every retry has a ceiling."""
    api.put_config_map(STATE, {})
    api.faults.answer(409, verb="patch")
    with pytest.raises(SourceUnavailable, match="somebody else wrote"):
        await fast.write_state(STATE_1)


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
        await api.refuse()
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(api.url.rpartition(":")[2])).start()
        try:
            async with open_cluster(PublisherSettings(kubeconfig=kubeconfig), FAST) as source, watching(source):
                async with asyncio.timeout(10):
                    await many.wait()
        finally:
            await runner.cleanup()
    assert asked.count("list") >= asked.count("watch"), "each watch that ended too early was followed by a list"
