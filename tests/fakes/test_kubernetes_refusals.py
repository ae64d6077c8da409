"""What the fake refuses of reads and writes; run on a real cluster as well where KUBECONFIG names one."""

from typing import Any

import aiohttp
import pytest
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from tests.fakes.cluster import Cluster, status
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.kubernetes_http import TOKEN
from tests.fakes.kubernetes_tls import identity


def trusting() -> aiohttp.TCPConnector:
    """Connect to the fake without a kubeconfig."""
    return aiohttp.TCPConnector(ssl=identity().trust())


async def test_a_second_create_is_refused(cluster: Cluster) -> None:
    """A create under a taken name is a 409 that says AlreadyExists, so that a writer can tell it from a lost lock."""
    await cluster.create()
    with pytest.raises(ApiException) as refused:
        await cluster.create()
    assert refused.value.status == 409
    assert status(refused.value)["reason"] == "AlreadyExists"


async def test_a_missing_config_map_is_a_404_with_a_status(cluster: Cluster) -> None:
    """Read, patch, replace and delete of a missing object answer 404, with a Status that names the object."""
    gone = await cluster.create()
    await cluster.delete(gone)
    gone.metadata.resource_version = gone.metadata.uid = None
    patched = cluster.patch(gone, {"data": {"k": "1"}})
    for attempt in (cluster.read(gone), patched, cluster.replace(gone), cluster.delete(gone)):
        with pytest.raises(ApiException) as refused:
            await attempt
        body = status(refused.value)
        assert (refused.value.status, body["kind"], body["reason"]) == (404, "Status", "NotFound")
        assert (body["details"]["name"], body["details"]["kind"]) == (gone.metadata.name, "configmaps")


async def test_an_unknown_field_in_a_selector_is_a_400(cluster: Cluster) -> None:
    """A selector on anything but name and namespace is refused, not ignored."""
    with pytest.raises(ApiException, match="field label not supported"):
        await cluster.v1.list_namespaced_config_map(cluster.namespace, field_selector="data.k=1")


async def test_a_created_object_must_not_carry_a_revision(cluster: Cluster) -> None:
    """An object that was read cannot be created again as it is."""
    made = await cluster.create()
    await cluster.delete(made)
    with pytest.raises(ApiException, match="resourceVersion should not be set"):
        await cluster.v1.create_namespaced_config_map(cluster.namespace, made)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp, of any body over 1 MiB
async def test_a_config_map_holds_one_mebibyte(cluster: Cluster) -> None:
    """Values of 1 MiB in all are stored; one byte more is a 422, in a create and in a patch."""
    made = await cluster.create(data={"a": "x" * 1024 * 1024})
    for attempt in (
        cluster.create("b", {"a": "x" * 1024 * 1024, "b": "x"}),
        cluster.patch(made, {"data": {"b": "x"}}),
    ):
        with pytest.raises(ApiException, match="Too long") as refused:
            await attempt
        assert (refused.value.status, status(refused.value)["reason"]) == (422, "Invalid")


async def test_a_patch_with_a_number_as_data_is_a_422(cluster: Cluster) -> None:
    """Data holds strings only; a patch that breaks this is refused whole."""
    made = await cluster.create()
    with pytest.raises(ApiException) as refused:
        await cluster.patch(made, {"data": {"k": 5}})
    assert refused.value.status == 422


async def test_an_event_stands_beside_its_object(cluster: Cluster) -> None:
    """An Event about an object of another namespace is a 422."""
    about = client.V1ObjectReference(kind="ConfigMap", name="a", namespace="elsewhere")
    metadata = client.V1ObjectMeta(generate_name=f"{cluster.prefix}-a.")
    with pytest.raises(ApiException, match=r"does not match event\.namespace") as refused:
        await cluster.v1.create_namespaced_event(
            cluster.namespace, client.CoreV1Event(metadata=metadata, involved_object=about)
        )
    assert refused.value.status == 422


@pytest.mark.parametrize(("name", "data"), [("Upper", {"k": "1"}), ("a", {"a/b": "1"}), ("a", {"..": "1"})])
async def test_names_and_keys_are_checked(cluster: Cluster, name: str, data: dict[str, str]) -> None:
    """A name that is no DNS subdomain and a key with other letters than -._a-zA-Z0-9 are 422."""
    with pytest.raises(ApiException) as refused:
        await cluster.create(name, data)
    assert (refused.value.status, status(refused.value)["reason"]) == (422, "Invalid")


async def test_an_object_needs_a_name(cluster: Cluster) -> None:
    """Neither a name nor a prefix to generate one from: 422."""
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta())
    with pytest.raises(ApiException, match="name or generateName is required") as refused:
        await cluster.v1.create_namespaced_config_map(cluster.namespace, body)
    assert refused.value.status == 422


async def test_a_namespace_must_exist(cluster: Cluster) -> None:
    """A create in an unknown namespace is a 404 that names the namespace."""
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a"))
    with pytest.raises(ApiException) as refused:
        await cluster.v1.create_namespaced_config_map("no-such-namespace", body)
    assert (refused.value.status, status(refused.value)["details"]["kind"]) == (404, "namespaces")


async def test_a_body_must_be_about_the_object_of_the_url(cluster: Cluster) -> None:
    """A patch cannot rename."""
    made = await cluster.create()
    with pytest.raises(ApiException) as refused:
        await cluster.patch(made, {"metadata": {"name": "other"}})
    assert refused.value.status in (400, 422)


async def test_a_delete_can_bear_a_lock(cluster: Cluster) -> None:
    """A precondition on the revision holds: 409 when stale, gone when not."""
    made = await cluster.create()
    await cluster.patch(made, {"data": {"k": "2"}})
    stale = client.V1DeleteOptions(
        preconditions=client.V1Preconditions(resource_version=made.metadata.resource_version)
    )
    with pytest.raises(ApiException) as refused:
        await cluster.v1.delete_namespaced_config_map(made.metadata.name, cluster.namespace, body=stale)
    assert refused.value.status == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/api/v1/namespaces/default/configmaps", b"{", 400),
        ("POST", "/api/v1/namespaces/default/configmaps", b"[]", 400),
        ("POST", "/api/v1/namespaces/default/configmaps", b'{"metadata":{"name":"a"},"data":[]}', 400),
        ("PUT", "/api/v1/namespaces/default/configmaps/made", b'{"data":{"k":5}}', 400),
        ("PATCH", "/api/v1/namespaces/default/configmaps/made", b"{}", 415),
        ("HEAD", "/api/v1/namespaces/default/configmaps/made", b"", 405),
        ("PATCH", "/apis/events.k8s.io/v1/namespaces/default/configmaps/made", b"{}", 404),
        ("POST", "/api/v1/namespaces/default/configmaps", b'{"kind":"Secret","metadata":{"name":"a"}}', 400),
        (
            "POST",
            "/api/v1/namespaces/default/services",
            b'{"metadata":{"name":"a"},"spec":{"ports":[{"port":"80"}]}}',
            400,
        ),
        ("GET", "/api/v1/nodes", b"", 404),
        ("GET", "/api/v1/configmaps?labelSelector=a", b"", 400),
        ("GET", "/api/v1/configmaps?fieldSelector=metadata.name!=a", b"", 400),
        ("GET", "/api/v1/configmaps?watch=1&resourceVersion=abc", b"", 400),
    ],
)
async def test_what_cannot_be_read_is_refused(
    api: FakeKubernetes, method: str, path: str, body: bytes, code: int
) -> None:
    """Broken JSON, wrong types, and what the fake does not do get a code of their own instead of being ignored."""
    api.put_config_map("made", {"k": "1"}, namespace="default")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(api.url, headers=headers, connector=trusting()) as session,
        session.request(method, path, data=body or None) as response,
    ):
        assert response.status == code
    assert api.config_map("made", "default") == {"k": "1"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", 400),
        (b"k8s\0\x0a\x05\x0a\x02v1", 400),
        (b"k8s\0\x0b", 400),
        (b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod", 415),
    ],
)
async def test_protobuf_that_is_not_known_is_refused(api: FakeKubernetes, body: bytes, code: int) -> None:
    """Broken messages, and kinds that kubectl sends in JSON to the fake, or not at all."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/vnd.kubernetes.protobuf"}
    async with (
        aiohttp.ClientSession(api.url, headers=headers, connector=trusting()) as session,
        session.post("/api/v1/namespaces/default/configmaps", data=body) as response,
    ):
        assert response.status == code


async def test_a_huge_request_is_a_413(api: FakeKubernetes) -> None:
    """A body over 3 MiB is not read."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    path = "/api/v1/namespaces/default/configmaps"

    async def stream() -> Any:
        for _ in range(4):
            yield b"x" * 1024 * 1024

    async with (
        aiohttp.ClientSession(api.url, headers=headers, connector=trusting()) as session,
        session.post(path, data=stream()) as response,
    ):
        assert (response.status, (await response.json())["reason"]) == (413, "RequestEntityTooLarge")
