"""How clients find out what the fake is and serves; run on a real cluster as well where KUBECONFIG names one."""

from typing import Any

import aiohttp
from kubernetes.aio import client

from tests.fakes.cluster import Cluster
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.kubernetes_tls import identity

KNOWN = {
    "configmaps": ("ConfigMap", ["cm"]),
    "events": ("Event", ["ev"]),
    "services": ("Service", ["svc"]),
}


def described(listed: Any) -> dict[str, tuple[str, list[str]]]:
    """Read kind and short names of the resources that the fake has too."""
    return {each.name: (each.kind, each.short_names) for each in listed.resources if each.name in KNOWN}


async def test_the_server_tells_its_version(cluster: Cluster) -> None:
    """Major and minor are numbers."""
    version = await client.VersionApi(cluster.v1.api_client).get_code()
    assert (int(version.major), int(version.minor) >= 30) == (1, True)


async def test_the_groups_are_listed(cluster: Cluster) -> None:
    """Those beside core/v1, each with the version to use."""
    listed = await client.ApisApi(cluster.v1.api_client).get_api_versions()
    offered = {version.group_version for group in listed.groups for version in group.versions}
    assert offered >= {"events.k8s.io/v1", "authorization.k8s.io/v1"}
    assert (await client.CoreApi(cluster.v1.api_client).get_api_versions()).versions == ["v1"]


async def test_each_group_describes_its_resources(cluster: Cluster) -> None:
    """By kind and short name; Events are in two groups."""
    assert described(await cluster.v1.get_api_resources()) == KNOWN
    events = await client.EventsV1Api(cluster.v1.api_client).get_api_resources()
    assert described(events) == {"events": KNOWN["events"]}


async def test_a_stranger_learns_the_version_and_health_alone(api: FakeKubernetes) -> None:
    """Without a token what is served is not told."""
    async with aiohttp.ClientSession(api.url, connector=aiohttp.TCPConnector(ssl=identity().trust())) as session:
        answers = {}
        for path in ("/version", "/livez", "/readyz", "/healthz", "/api", "/apis", "/api/v1", "/openapi/v3"):
            async with session.get(path) as response:
                answers[path] = response.status
    assert {path for path, status in answers.items() if status == 200} == {"/version", "/livez", "/readyz", "/healthz"}
    assert set(answers.values()) == {200, 401}
