from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio import client

from common.errors import AccessDenied, ConfigError, EditRefused, SourceUnavailable
from common.settings.publisher import PublisherSettings
from publisher.registry.book import open_book
from publisher.registry.cluster import RECORD_KEY, ClusterBook, open_cluster_book
from publisher.source.document import SERVICE_REGISTRY, STATE
from publisher.source.source import Conflict
from tests.fakes.cluster import connect
from tests.fakes.kubernetes import FakeKubernetes
from tests.nats import free_port
from tests.publisher.source.worlds import FakeCluster


@pytest.fixture
async def version(api: FakeKubernetes, tmp_path: Path) -> str:
    """Have a document with all that a ConfigMap can hold, and return its version."""
    metadata = client.V1ObjectMeta(name=SERVICE_REGISTRY, labels={"team": "a"}, annotations={"note": "keep me"})
    data = {"services.json": "{}", "other": "x"}
    async with await connect(api.kubeconfig(tmp_path / "other")) as connected:
        core: Any = client.CoreV1Api(connected)
        body = client.V1ConfigMap(metadata=metadata, data=data, binary_data={"b": "aGk="})
        made = await core.create_namespaced_config_map("kube-system", body)
    return str(made.metadata.resource_version)


async def test_all_but_the_keys_stays(api: FakeKubernetes, cluster: ClusterBook, version: str) -> None:
    """Labels, annotations, other keys, binary data; and it is known who wrote."""
    await cluster.write(SERVICE_REGISTRY, {"services.json": '{"a": 1}'}, version)
    found = api.document(SERVICE_REGISTRY)
    assert found["data"] == {"services.json": '{"a": 1}', "other": "x"}
    assert found["binaryData"] == {"b": "aGk="}
    assert (found["metadata"]["labels"], found["metadata"]["annotations"]) == ({"team": "a"}, {"note": "keep me"})
    assert "routecast" in {entry["manager"] for entry in found["metadata"]["managedFields"]}


async def test_the_record_is_one_key_beside_the_publishers_state(api: FakeKubernetes, cluster: ClusterBook) -> None:
    """What others keep there stays."""
    api.put_config_map(STATE, {"state.json": "{}", "other": "x"})
    await cluster.write_record(lambda text: f"{text}!")
    assert api.config_map(STATE) == {"state.json": "{}", "other": "x", RECORD_KEY: "None!"}


@pytest.mark.parametrize(("verb", "expected"), [("patch", "1"), ("create", None)])
async def test_a_write_that_is_denied_says_how_to_find_out(
    api: FakeKubernetes, cluster: ClusterBook, version: str, verb: str, expected: str | None
) -> None:
    """A person must act; nothing is written."""
    api.deny(verb)
    with pytest.raises(AccessDenied, match=f"auth can-i {verb} configmap"):
        await cluster.write(SERVICE_REGISTRY, {"services.json": "x"}, version if expected else None)
    assert api.document(SERVICE_REGISTRY)["metadata"]["resourceVersion"] == version


async def test_a_record_that_is_denied_says_how_to_find_out(api: FakeKubernetes, cluster: ClusterBook) -> None:
    """Reading and writing it."""
    api.deny("get", STATE)
    for attempt in (cluster.read_record(), cluster.write_record(lambda _: "x")):
        with pytest.raises(AccessDenied, match="auth can-i get configmap/routecast-state"):
            await attempt


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_in_trouble_may_be_tried_again(
    api: FakeKubernetes, cluster: ClusterBook, version: str, status: int
) -> None:
    """That is no conflict, and nobody's fault."""
    api.faults.answer(status, verb="patch", times=1)
    with pytest.raises(SourceUnavailable, match=str(status)) as caught:
        await cluster.write(SERVICE_REGISTRY, {"services.json": "x"}, version)
    assert not isinstance(caught.value, Conflict)
    await cluster.write(SERVICE_REGISTRY, {"services.json": "x"}, version)


async def test_an_answer_that_is_cut_is_no_answer(api: FakeKubernetes, cluster: ClusterBook, version: str) -> None:
    """It may be written or not: the next attempt finds out, by the version."""
    api.faults.halve_bodies()
    with pytest.raises(SourceUnavailable):
        await cluster.write(SERVICE_REGISTRY, {"services.json": "x"}, version)
    api.faults.heal()
    with pytest.raises(Conflict):
        await cluster.write(SERVICE_REGISTRY, {"services.json": "y"}, version)


async def test_what_is_too_large_is_refused_and_not_tried_again(api: FakeKubernetes, cluster: ClusterBook) -> None:
    """With the server's reason: trying again cannot help."""
    version = api.put_config_map(SERVICE_REGISTRY, {"other": "x" * 600_000})
    with pytest.raises(EditRefused, match=r"the API server refuses the ConfigMap service-registry: .*Too long"):
        await cluster.write(SERVICE_REGISTRY, {"services.json": "x" * 600_000}, version)
    api.faults.answer(413, verb="create")
    with pytest.raises(EditRefused, match="the API server refuses the ConfigMap cluster-info"):
        await cluster.write("cluster-info", {"a": "x"}, None)


@pytest.mark.parametrize("body", ["", "{", "[]", "{}"])
async def test_a_refusal_without_a_reason_is_told_by_its_number(tmp_path: Path, body: str) -> None:
    """As a proxy sends it."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=413, text=body)

    application = web.Application()
    application.router.add_post("/api/v1/namespaces/kube-system/configmaps", answer)
    async with FakeKubernetes() as api, TestServer(application, host="127.0.0.1", port=free_port()) as server:
        kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
        kubeconfig.write_text(kubeconfig.read_text().replace(api.url, str(server.make_url("")).rstrip("/")))
        async with open_cluster_book(PublisherSettings(kubeconfig=kubeconfig)) as book:
            with pytest.raises(EditRefused, match="413 Request Entity Too Large"):
                await book.write(SERVICE_REGISTRY, {"a": "x"}, None)


async def test_a_namespace_that_is_missing_is_no_conflict(api: FakeKubernetes, tmp_path: Path) -> None:
    """It would be tried again and again."""
    settings = PublisherSettings(kubeconfig=api.kubeconfig(tmp_path / "kubeconfig"), namespace="nowhere")
    async with open_cluster_book(settings) as book:
        with pytest.raises(SourceUnavailable, match="there is no namespace nowhere") as caught:
            await book.write(SERVICE_REGISTRY, {"services.json": "{}"}, None)
        assert not isinstance(caught.value, Conflict)


async def test_a_record_that_others_write_all_the_time_is_given_up(api: FakeKubernetes, tmp_path: Path) -> None:
    """Every retry has a ceiling."""
    api.put_config_map(STATE, {})
    api.faults.answer(409, verb="patch")
    async with open_cluster_book(FakeCluster(api, tmp_path / "kubeconfig").settings, attempts=3) as book:
        with pytest.raises(Conflict):
            await book.write_record(lambda _: "x")
    assert sum(request.verb == "patch" for request in api.requests) == 3


async def test_a_kubeconfig_that_is_not_usable_is_the_settings_fault(tmp_path: Path) -> None:
    """Said before anything is tried."""
    with pytest.raises(ConfigError, match="nowhere"):
        async with open_book(PublisherSettings(kubeconfig=tmp_path / "nowhere")):
            pass
