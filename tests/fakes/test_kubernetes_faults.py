"""What breaks when a test breaks the fake, as the real client sees it."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from tests.fakes.cluster import collect, connect, kinds, named, status
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.kubernetes_tls import identity

NAMESPACE = "kube-system"


def watching(v1: Any, name: str = "a", **parameters: Any) -> "asyncio.Task[list[dict[str, Any]]]":
    """Start to watch one ConfigMap, for 30 seconds unless told otherwise."""
    options: dict[str, Any] = {"field_selector": named(name), "timeout_seconds": 30} | parameters
    return asyncio.create_task(collect(v1, NAMESPACE, **options), name=f"watch {name}")


async def test_a_compacted_revision_is_410(api: FakeKubernetes, v1: Any) -> None:
    """A watch from before the compaction raises 410 in the client; one from the newest revision works."""
    old = api.put_config_map("a", {"k": "1"})
    new = api.put_config_map("a", {"k": "2"})
    api.compact()
    with pytest.raises(ApiException, match="Expired: too old resource version") as expired:
        await watching(v1, resource_version=old)
    assert expired.value.status == 410
    going = watching(v1, resource_version=new, at_most=1)
    await api.until(lambda: api.open_watches == 1)
    api.put_config_map("a", {"k": "3"})
    assert kinds(await going) == ["MODIFIED"]


async def test_410_comes_as_an_event_after_http_200(api: FakeKubernetes, v1: Any) -> None:
    """On the wire the refusal is the only event of a stream that opened well, and the stream ends after it."""
    old = api.put_config_map("a", {})
    api.put_config_map("a", {"k": "1"})
    api.compact()
    response = await v1.list_namespaced_config_map_without_preload_content(NAMESPACE, watch=True, resource_version=old)
    lines = (await response.read()).splitlines()
    assert (response.status, len(lines)) == (200, 1)
    assert lines[0].startswith(b'{"type": "ERROR", "object": {"kind": "Status"')


async def test_a_compaction_does_not_end_open_watches(api: FakeKubernetes, v1: Any) -> None:
    """A watch that is under way gets what was written before the compaction and what comes after it."""
    going = watching(v1, resource_version=api.put_config_map("a", {}), at_most=2)
    await api.until(lambda: api.open_watches == 1)
    api.put_config_map("a", {"k": "1"})
    api.compact()
    api.put_config_map("a", {"k": "2"})
    assert [event["object"].data["k"] for event in await going] == ["1", "2"]


async def test_a_storm_of_410_passes(api: FakeKubernetes, v1: Any) -> None:
    """As many watches as told are 410, from whatever revision, and the next one is not."""
    newest = api.put_config_map("a", {})
    api.faults.expire_watches(times=2)
    for _ in range(2):
        with pytest.raises(ApiException) as expired:
            await watching(v1, resource_version=newest)
        assert expired.value.status == 410
    assert await watching(v1, resource_version=newest, timeout_seconds=1) == []


async def test_a_watch_without_a_revision_begins_with_what_exists(api: FakeKubernetes, v1: Any) -> None:
    """Not run on a real cluster: with an old etcd, such a watch fails there with 504."""
    api.put_config_map("a", {"k": "1"})
    api.put_config_map("b", {"k": "1"})
    events = await watching(v1, at_most=1)
    assert [(event["type"], event["object"].metadata.name) for event in events] == [("ADDED", "a")]


async def test_bookmarks_come_at_their_interval(tmp_path: Path) -> None:
    """A quiet watch hears a bookmark each interval, and none unless it asks."""
    async with (
        FakeKubernetes(bookmark_interval_s=0.05) as api,
        await connect(api.kubeconfig(tmp_path / "kubeconfig")) as connected,
    ):
        v1, newest = client.CoreV1Api(connected), api.put_config_map("a", {})
        asking = watching(v1, resource_version=newest, allow_watch_bookmarks=True, at_most=3)
        silent = watching(v1, resource_version=newest, timeout_seconds=1)
        assert kinds(await asking) == ["BOOKMARK"] * 3
        assert await silent == []


async def test_a_killed_server_comes_back_with_its_objects(api: FakeKubernetes, v1: Any) -> None:
    """Its watches break, nobody can connect, and afterwards a watch from the old revision hears what was missed."""
    old, url = api.put_config_map("a", {"k": "1"}), api.url
    going = watching(v1, resource_version=old)
    await api.until(lambda: api.open_watches == 1)
    await api.refuse()
    with pytest.raises(aiohttp.ClientPayloadError):
        await going
    with pytest.raises(aiohttp.ClientConnectorError):
        await v1.read_namespaced_config_map("a", NAMESPACE)
    api.put_config_map("a", {"k": "2"})
    await api.accept()
    assert api.url == url
    events = await watching(v1, resource_version=old, at_most=1)
    assert events[0]["object"].data == {"k": "2"}


async def test_who_is_on_the_way_in_when_the_server_dies_gets_no_answer(api: FakeKubernetes) -> None:
    """A connection that was accepted and is still in its handshake is dropped like the others."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    for _ in range(10):  # turns of the loop, in which the server accepts it
        await asyncio.sleep(0)
    await api.refuse()
    await writer.start_tls(identity().trust(), server_hostname="127.0.0.1")
    writer.write(b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.transport.abort()


async def test_the_port_is_no_outgoing_one(api: FakeKubernetes) -> None:
    """The port lies below those that the kernel gives to outgoing connections, so it is free to come back to."""
    assert 20000 <= int(api.url.rsplit(":", 1)[1]) < 32000


async def test_cut_watches_break_in_the_client(api: FakeKubernetes, v1: Any) -> None:
    """Every open watch ends with a broken body; other requests go on."""
    newest = api.put_config_map("a", {"k": "1"})
    going = [watching(v1, name, resource_version=newest) for name in ("a", "b")]
    await api.until(lambda: api.open_watches == 2)
    assert api.faults.cut_watches() == 2
    for task in going:
        with pytest.raises(aiohttp.ClientPayloadError):
            await task
    assert (await v1.read_namespaced_config_map("a", NAMESPACE)).data == {"k": "1"}


async def test_a_slow_server_answers_late(api: FakeKubernetes, v1: Any) -> None:
    """A request with a shorter limit than the server's delay times out; without the delay it passes."""
    api.put_config_map("a", {})
    api.faults.slow_down(30)
    with pytest.raises(TimeoutError):
        await v1.read_namespaced_config_map("a", NAMESPACE, _request_timeout=0.1)
    api.faults.heal()
    await v1.read_namespaced_config_map("a", NAMESPACE, _request_timeout=5)


async def test_planned_answers_hit_the_requests_they_name(api: FakeKubernetes, v1: Any) -> None:
    """A planned answer fits verb and name, is used up after its times, and leaves the rest alone."""
    api.put_config_map("a", {})
    api.put_config_map("b", {})
    api.faults.answer(500, verb="list", name="a", times=1)
    await v1.list_namespaced_config_map(NAMESPACE, field_selector=named("b"))
    await v1.read_namespaced_config_map("a", NAMESPACE)
    with pytest.raises(ApiException) as refused:
        await v1.list_namespaced_config_map(NAMESPACE, field_selector=named("a"))
    assert (refused.value.status, status(refused.value)["reason"]) == (500, "InternalError")
    await v1.list_namespaced_config_map(NAMESPACE, field_selector=named("a"))


async def test_429_says_when_to_come_back(api: FakeKubernetes, v1: Any) -> None:
    """A busy server answers with Retry-After until it is healed, also to a watch."""
    api.put_config_map("a", {})
    api.faults.answer(429, retry_after_s=7)
    with pytest.raises(ApiException) as refused:
        await v1.read_namespaced_config_map("a", NAMESPACE)
    assert refused.value.status == 429
    assert (refused.value.headers or {})["Retry-After"] == "7"
    with pytest.raises(ApiException) as refused:
        await watching(v1)
    assert (refused.value.status, refused.value.headers) == (429, None)
    api.faults.heal()
    await v1.read_namespaced_config_map("a", NAMESPACE)


async def test_half_a_body_is_no_answer(api: FakeKubernetes, v1: Any) -> None:
    """A body shorter than its Content-Length, and half an event, are errors in the client and never half a document."""
    newest = api.put_config_map("a", {"k": "x" * 1000})
    going = watching(v1, resource_version=newest)
    await api.until(lambda: api.open_watches == 1)
    api.faults.halve_bodies()
    with pytest.raises(aiohttp.ClientPayloadError):
        await v1.read_namespaced_config_map("a", NAMESPACE)
    api.put_config_map("a", {"k": "2"})
    with pytest.raises(aiohttp.ClientPayloadError):
        await going


async def test_a_silent_watch_says_nothing_not_even_goodbye(api: FakeKubernetes, v1: Any) -> None:
    """No event, no bookmark, no end at the timeout: only a limit of the client's own gets it out."""
    newest = api.put_config_map("a", {"k": "1"})
    going = watching(v1, resource_version=newest, timeout_seconds=1, allow_watch_bookmarks=True, _request_timeout=1.5)
    await api.until(lambda: api.open_watches == 1)
    api.faults.silence_watches()
    api.put_config_map("a", {"k": "2"})
    api.faults.heal()
    with pytest.raises(TimeoutError):
        await going
    assert kinds(await watching(v1, resource_version=newest, at_most=1)) == ["MODIFIED"]


async def test_a_client_without_the_token_is_401(api: FakeKubernetes, tmp_path: Path) -> None:
    """Who finds the server and is not known to it is told so."""
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    login = json.loads(kubeconfig.read_text())
    login["users"][0]["user"] = {}
    kubeconfig.write_text(json.dumps(login))
    async with await connect(kubeconfig) as stranger:
        with pytest.raises(ApiException) as refused:
            await client.CoreV1Api(stranger).read_namespaced_config_map("a", NAMESPACE)
    assert refused.value.status == 401


async def test_requests_are_logged_with_their_verb(api: FakeKubernetes, v1: Any) -> None:
    """The log tells a list from a watch and keeps the query, for tests that count what a part asks."""
    newest = api.put_config_map("a", {})
    await v1.list_namespaced_config_map(NAMESPACE, field_selector=named("a"))
    await watching(v1, resource_version=newest, timeout_seconds=1)
    path = "/api/v1/namespaces/kube-system/configmaps"
    assert [(verb, at) for verb, at, _ in api.requests] == [("list", path), ("watch", path)]
    assert api.requests[0].query == {"fieldSelector": "metadata.name=a"}


async def test_waiting_in_vain_tells_what_was_seen(api: FakeKubernetes, v1: Any) -> None:
    """A condition that never holds ends the test with the last requests instead of a bare timeout."""
    await v1.list_namespaced_config_map(NAMESPACE)
    with pytest.raises(TimeoutError, match="last requests: list /api/v1/namespaces/kube-system/configmaps"):
        await api.until(lambda: api.open_watches == 1, limit_s=0.05)


async def test_the_helpers_read_and_write_beside_http(api: FakeKubernetes, v1: Any) -> None:
    """What a helper puts is what the API reads, in the name of its manager; what the API writes, the helpers read."""
    api.put_config_map("a", {"k": "1"}, manager="kubectl-edit")
    read = await v1.read_namespaced_config_map("a", NAMESPACE)
    assert (read.data, [entry.manager for entry in read.metadata.managed_fields]) == ({"k": "1"}, ["kubectl-edit"])
    await v1.patch_namespaced_config_map("a", NAMESPACE, {"data": {"k": "2"}})
    assert api.config_map("a") == {"k": "2"}
    api.delete_config_map("a")
    assert api.config_map("a") is None
    about = client.V1ObjectReference(kind="ConfigMap", name="a", namespace=NAMESPACE)
    metadata = client.V1ObjectMeta(generate_name="a.")
    await v1.create_namespaced_event(NAMESPACE, client.CoreV1Event(metadata=metadata, involved_object=about))
    assert [event["involvedObject"]["name"] for event in api.events()] == ["a"]
