"""What the fake promises of Services; run on a real cluster as well where KUBECONFIG names one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client, watch
from kubernetes.aio.client.exceptions import ApiException

from tests.fakes.cluster import Cluster, Event, connect, kinds, named, status
from tests.fakes.kubernetes import FakeKubernetes

OTHERS = "203.0.113.9"
"""An address that no load balancer gave."""


async def create(cluster: Cluster, name: str = "a", **spec: Any) -> Any:
    """Create the Service `<prefix>-<name>`."""
    spec = {"ports": [client.V1ServicePort(port=80)], "type": "LoadBalancer"} | spec
    metadata = client.V1ObjectMeta(name=f"{cluster.prefix}-{name}", annotations={"mynodeone.io/subdomain": "photos"})
    balancer = client.V1LoadBalancerStatus(ingress=[client.V1LoadBalancerIngress(ip=OTHERS)])
    body = client.V1Service(
        metadata=metadata, spec=client.V1ServiceSpec(**spec), status=client.V1ServiceStatus(load_balancer=balancer)
    )
    return await cluster.v1.create_namespaced_service(cluster.namespace, body)


def two_ports() -> list[client.V1ServicePort]:
    """Make two ports without a name."""
    return [client.V1ServicePort(port=80), client.V1ServicePort(port=81)]


async def everywhere(v1: Any, *, at_most: int | None = None, **parameters: Any) -> list[Event]:
    """Watch the Services of all namespaces until the server ends the stream or `at_most` events came."""
    events: list[Event] = []
    watches: Any = watch.Watch
    async with watches() as watching:
        async for event in watching.stream(v1.list_service_for_all_namespaces, **parameters):
            events.append(event)
            if len(events) == at_most:
                break
    return events


async def test_a_service_gets_its_defaults(cluster: Cluster) -> None:
    """Whoever reads it finds an address, a protocol, a target and a node port, whatever its writer left out."""
    made = await create(cluster)
    port = made.spec.ports[0]
    assert (port.protocol, port.target_port, port.port) == ("TCP", 80, 80)
    assert 30000 <= port.node_port <= 32767
    assert made.spec.cluster_ip.count(".") == 3
    assert made.spec.cluster_ips == [made.spec.cluster_ip]
    plain = await create(cluster, "b", type=None)
    assert (plain.spec.type, plain.spec.ports[0].node_port) == ("ClusterIP", None)
    assert plain.status.load_balancer.ingress is None


async def test_services_are_listed_in_a_namespace_and_in_all(cluster: Cluster) -> None:
    """One list covers every namespace, each item telling its own; a field selector can pick the type."""
    made = await create(cluster)
    listed = await cluster.v1.list_namespaced_service(cluster.namespace, field_selector=named(made.metadata.name))
    assert [item.metadata.annotations for item in listed.items] == [{"mynodeone.io/subdomain": "photos"}]
    for kind, found in (("LoadBalancer", True), ("NodePort", False)):
        listed = await cluster.v1.list_service_for_all_namespaces(field_selector=f"spec.type={kind}")
        places = [(item.metadata.namespace, item.metadata.name) for item in listed.items]
        assert ((cluster.namespace, made.metadata.name) in places) is found


async def test_a_write_of_a_service_never_reaches_its_status(cluster: Cluster) -> None:
    """The load balancer's address is a subresource: a client that creates or patches the Service does not set it."""
    made = await create(cluster)
    patch = {"status": {"loadBalancer": {"ingress": [{"ip": OTHERS}]}}, "metadata": {"labels": {"a": "b"}}}
    patched = await cluster.v1.patch_namespaced_service(
        made.metadata.name, cluster.namespace, patch, _content_type="application/merge-patch+json"
    )
    assert patched.metadata.labels == {"a": "b"}
    for service in (made, patched):
        assert OTHERS not in [each.ip for each in service.status.load_balancer.ingress or ()]


async def test_a_service_that_is_no_load_balancer_any_more_has_no_node_port(cluster: Cluster) -> None:
    """What belongs to the type goes with it; the cluster address stays."""
    made = await create(cluster)
    patched = await cluster.v1.patch_namespaced_service(
        made.metadata.name, cluster.namespace, {"spec": {"type": "ClusterIP"}}
    )
    assert (patched.spec.ports[0].node_port, patched.spec.external_traffic_policy) == (None, None)
    assert patched.spec.cluster_ip == made.spec.cluster_ip


@pytest.mark.parametrize(
    ("name", "spec", "said"),
    [
        ("1.b", {}, "DNS-1035"),
        ("a", {"ports": []}, r"spec\.ports: Required value"),
        ("a", {"ports": [client.V1ServicePort(port=70000)]}, "must be between 1 and 65535"),
        ("a", {"ports": two_ports()}, r"spec\.ports\[0\]\.name: Required value"),
        ("a", {"ports": [client.V1ServicePort(port=80, protocol="HTTP")]}, "protocol: Unsupported value"),
        ("a", {"ports": [client.V1ServicePort(port=80, name=name) for name in "ab"]}, "Duplicate value"),
        ("a", {"type": "Balancer"}, r"spec\.type: Unsupported value"),
    ],
)
async def test_a_service_is_checked(cluster: Cluster, name: str, spec: dict[str, Any], said: str) -> None:
    """A name that is no label, ports that are missing, out of range or not told apart, and unknown types are 422."""
    with pytest.raises(ApiException, match=said) as refused:
        await create(cluster, name, **spec)
    assert (refused.value.status, status(refused.value)["reason"]) == (422, "Invalid")


async def test_a_watch_of_all_namespaces_hears_of_each(cluster: Cluster) -> None:
    """From the revision of a list on, every change of every Service arrives in order, whatever else is written."""
    listed = await cluster.v1.list_service_for_all_namespaces()
    made = await create(cluster)
    await cluster.create()
    patch = {"metadata": {"annotations": {"mynodeone.io/subdomain": "pictures"}}}
    await cluster.v1.patch_namespaced_service(made.metadata.name, cluster.namespace, patch)
    await cluster.v1.delete_namespaced_service(made.metadata.name, cluster.namespace)
    newest = listed.metadata.resource_version
    events = await everywhere(cluster.v1, resource_version=newest, timeout_seconds=cluster.watch_timeout_s)
    ours = [event for event in events if event["object"].metadata.name == made.metadata.name]
    assert kinds(ours) == ["ADDED", "MODIFIED", "DELETED"]
    assert ours[1]["object"].metadata.annotations == {"mynodeone.io/subdomain": "pictures"}


async def test_a_balancers_address_comes_and_goes(api: FakeKubernetes, v1: Any) -> None:
    """A Service is put without an address, gets one, another, and loses it; the same again is no change."""
    newest = api.put_service("photos", "apps", ports=[{"name": "http", "port": 80}, {"name": "db", "port": 5432}])
    going = asyncio.create_task(everywhere(v1, resource_version=newest, timeout_seconds=30, at_most=4))
    await api.until(lambda: api.open_watches == 1)
    for ip in ("100.67.1.20", "100.67.1.20", "fd7a::20", None):
        api.put_service("photos", "apps", ip=ip, ports=[{"name": "http", "port": 80}, {"name": "db", "port": 5432}])
    api.delete_service("photos", "apps")
    events = await going
    assert kinds(events) == ["MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]
    balancers = [event["object"].status.load_balancer.ingress for event in events]
    assert [each[0].ip if each else None for each in balancers] == ["100.67.1.20", "fd7a::20", None, None]


async def test_same_named_services_of_two_namespaces_are_two(api: FakeKubernetes, v1: Any) -> None:
    """They are listed apart, with their own addresses and annotations."""
    api.put_service("web", "apps", ip="100.67.1.20", annotations={"mynodeone.io/subdomain": "one"})
    api.put_service("web", "tools", ip="100.67.1.21", type="ClusterIP")
    listed = await v1.list_service_for_all_namespaces()
    assert [(item.metadata.namespace, item.spec.type) for item in listed.items] == [
        ("apps", "LoadBalancer"),
        ("tools", "ClusterIP"),
    ]
    assert len((await v1.list_namespaced_service("apps")).items) == 1


async def test_a_role_of_a_namespace_gives_no_view_of_all(api: FakeKubernetes, v1: Any) -> None:
    """Lists and watches of every namespace need a ClusterRole; other resources are not touched by these rules."""
    api.put_service("web", "apps")
    api.grant("list", "watch", resource="services", namespace="apps")
    await v1.list_namespaced_service("apps")
    for request in (v1.list_service_for_all_namespaces(), everywhere(v1), v1.list_namespaced_service("tools")):
        with pytest.raises(ApiException, match="Forbidden"):
            await request
    with pytest.raises(ApiException) as refused:
        await v1.list_service_for_all_namespaces()
    assert status(refused.value)["message"] == (
        'services is forbidden: User "system:serviceaccount:tests:client" cannot list resource "services"'
        ' in API group "" at the cluster scope'
    )
    await v1.list_config_map_for_all_namespaces()
    api.grant("list", "watch", resource="services")
    assert len((await v1.list_service_for_all_namespaces()).items) == 1


async def test_a_client_can_ask_whether_it_sees_all_services(api: FakeKubernetes, v1: Any) -> None:
    """The review answers by the same rules: yes in the namespace of the Role, no for the cluster."""
    api.grant("list", resource="services", namespace="apps")
    reviews: Any = client.AuthorizationV1Api(v1.api_client)
    allowed = []
    for namespace in ("apps", "tools", None):
        attributes = client.V1ResourceAttributes(verb="list", resource="services", namespace=namespace)
        spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        review = client.V1SelfSubjectAccessReview(spec=spec)
        allowed.append((await reviews.create_self_subject_access_review(review)).status.allowed)
    assert allowed == [True, False, False]


async def test_a_compacted_revision_is_410_for_services_too(api: FakeKubernetes, v1: Any) -> None:
    """A watch of all namespaces from before the compaction is told to list again."""
    old = api.put_service("web", "apps")
    api.put_service("web", "apps", ip="100.67.1.20")
    api.compact()
    with pytest.raises(ApiException) as expired:
        await everywhere(v1, resource_version=old, timeout_seconds=30)
    assert expired.value.status == 410


async def test_a_quiet_watch_of_services_gets_bookmarks(tmp_path: Path) -> None:
    """They carry the revision of what happened to other resources, and the watch ends at its timeout."""
    async with (
        FakeKubernetes(bookmark_interval_s=0.05) as api,
        await connect(api.kubeconfig(tmp_path / "kubeconfig")) as connected,
    ):
        newest = api.put_service("web", "apps")
        busy = api.put_config_map("a", {})
        events = await everywhere(
            client.CoreV1Api(connected), resource_version=newest, timeout_seconds=1, allow_watch_bookmarks=True
        )
    assert set(kinds(events)) == {"BOOKMARK"}
    assert (events[0]["raw_object"]["kind"], events[0]["raw_object"]["metadata"]["resourceVersion"]) == (
        "Service",
        busy,
    )


async def test_a_strategic_merge_of_ports_is_refused(api: FakeKubernetes, v1: Any) -> None:
    """The real server would merge them by number, which the fake does not do, and says so."""
    api.put_service("web", "apps", ports=[80])
    with pytest.raises(ApiException, match="does not do strategic merges of lists"):
        await v1.patch_namespaced_service("web", "apps", {"spec": {"ports": [{"port": 81, "name": "b"}]}})
    merge = {"spec": {"ports": [{"port": 81}]}}
    await v1.patch_namespaced_service("web", "apps", merge, _content_type="application/merge-patch+json")
    assert [port.port for port in (await v1.read_namespaced_service("web", "apps")).spec.ports] == [81]


async def test_faults_can_hit_services_alone(api: FakeKubernetes, v1: Any) -> None:
    """A planned answer can name its resource."""
    api.faults.answer(503, verb="list", resource="services", times=1)
    await v1.list_config_map_for_all_namespaces()
    with pytest.raises(ApiException) as refused:
        await v1.list_service_for_all_namespaces()
    assert refused.value.status == 503
    await v1.list_service_for_all_namespaces()
