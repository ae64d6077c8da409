"""What kubectl does to the fake, and prints of it; run on a real cluster as well where KUBECONFIG names one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.cluster import Cluster
from tests.fakes.kubectl import Kubectl, needs_kubectl
from tests.fakes.kubernetes import FakeKubernetes

pytestmark = needs_kubectl


@pytest.fixture
def kubectl(cluster: Cluster, tmp_path: Path) -> Kubectl:
    """Run kubectl on the cluster."""
    return Kubectl(cluster.kubeconfig, tmp_path)


@pytest.fixture
def on_fake(api: FakeKubernetes, tmp_path: Path) -> Kubectl:
    """Run kubectl on a fake cluster that the test prepares by its helpers."""
    return Kubectl(api.kubeconfig(tmp_path / "kubeconfig"), tmp_path)


def manifest(cluster: Cluster, data: dict[str, str], name: str = "a", **metadata: str) -> str:
    """Write the ConfigMap `<prefix>-<name>`."""
    metadata = {"name": f"{cluster.prefix}-{name}", "namespace": cluster.namespace} | metadata
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


async def managers(cluster: Cluster, made: Any) -> list[str]:
    """Name the managers of a ConfigMap, sorted."""
    return sorted(entry.manager for entry in (await cluster.read(made)).metadata.managed_fields)


async def test_it_gets_what_is_there(cluster: Cluster, kubectl: Kubectl) -> None:
    """As YAML to be edited, and as a row to be looked at."""
    made = await cluster.create(data={"services.json": '{"a": 1}\n'})
    where = ("configmap", made.metadata.name, "-n", cluster.namespace)
    got = yaml.safe_load(await kubectl("get", *where, "-o", "yaml"))
    assert (got["kind"], got["data"]) == ("ConfigMap", {"services.json": '{"a": 1}\n'})
    header, row = (await kubectl("get", *where)).splitlines()
    assert (header.split(), row.split()[:2]) == (["NAME", "DATA", "AGE"], [made.metadata.name, "1"])


@pytest.mark.parametrize("kind", ["merge", "strategic"])
async def test_it_patches(cluster: Cluster, kubectl: Kubectl, kind: str) -> None:
    """Keys are set and deleted, the others stay, and the writer is named."""
    made = await cluster.create(data={"a": "1", "b": "1", "c": "1"})
    patch = json.dumps({"data": {"a": "2", "b": None}})
    await kubectl("patch", "configmap", made.metadata.name, "-n", cluster.namespace, f"--type={kind}", "-p", patch)
    assert (await cluster.read(made)).data == {"a": "2", "c": "1"}
    assert "kubectl-patch" in await managers(cluster, made)


async def test_it_applies(cluster: Cluster, kubectl: Kubectl) -> None:
    """Created, unchanged, configured: what left the manifest leaves the object, what others wrote stays."""
    first, second = manifest(cluster, {"a": "1", "gone": "1"}), manifest(cluster, {"a": "2"})
    assert (await kubectl("apply", "-f", "-", stdin=first)).endswith("created\n")
    made = await cluster.v1.read_namespaced_config_map(f"{cluster.prefix}-a", cluster.namespace)
    await cluster.patch(made, {"data": {"others": "1"}})
    assert (await kubectl("apply", "-f", "-", stdin=first)).endswith("unchanged\n")
    assert (await kubectl("apply", "-f", "-", stdin=second)).endswith("configured\n")
    assert (await cluster.read(made)).data == {"a": "2", "others": "1"}
    assert "kubectl-client-side-apply" in await managers(cluster, made)


async def test_a_manifest_with_an_unknown_field_is_refused(cluster: Cluster, kubectl: Kubectl) -> None:
    """A slip of the pen is told, at the creation and at a change, and nothing is written."""
    wrong = manifest(cluster, {"a": "1"}).replace("\ndata:", "\ndta:")
    assert 'unknown field "dta"' in await kubectl.fails("apply", "-f", "-", stdin=wrong)
    await kubectl("apply", "-f", "-", stdin=manifest(cluster, {"a": "1"}))
    assert 'unknown field "dta"' in await kubectl.fails("apply", "-f", "-", stdin=wrong)
    made = await cluster.v1.read_namespaced_config_map(f"{cluster.prefix}-a", cluster.namespace)
    assert made.data == {"a": "1"}


async def test_it_creates_from_literals_and_files(cluster: Cluster, kubectl: Kubectl, tmp_path: Path) -> None:
    """Texts become data, other files binary data; the same name again is refused."""
    (tmp_path / "raw").write_bytes(b"\xff\x00")
    name = f"{cluster.prefix}-made"
    create = ("create", "configmap", name, "-n", cluster.namespace)
    await kubectl(*create, "--from-literal=k=Grüße", "--from-literal=l=1", f"--from-file=raw={tmp_path / 'raw'}")
    made = await cluster.v1.read_namespaced_config_map(name, cluster.namespace)
    assert (made.data, made.binary_data) == ({"k": "Grüße", "l": "1"}, {"raw": "/wA="})
    assert await managers(cluster, made) == ["kubectl-create"]
    assert "already exists" in await kubectl.fails(*create)


async def test_it_edits(cluster: Cluster, kubectl: Kubectl) -> None:
    """The editor gets the YAML; what it saved is patched in."""
    made = await cluster.create(data={"k": "old", "l": "1"})
    edit = ("edit", "configmap", made.metadata.name, "-n", cluster.namespace)
    await kubectl(*edit, editor="sed -i 's/k: old/k: new/'")
    assert (await cluster.read(made)).data == {"k": "new", "l": "1"}
    assert "kubectl-edit" in await managers(cluster, made)
    newest = (await cluster.read(made)).metadata.resource_version
    await kubectl(*edit, editor="true")
    assert (await cluster.read(made)).metadata.resource_version == newest


async def test_it_replaces_what_it_has_read(cluster: Cluster, kubectl: Kubectl) -> None:
    """A manifest with the revision it was read at is refused once somebody else has written."""
    made = await cluster.create()
    read = manifest(cluster, {"k": "2"}, resourceVersion=made.metadata.resource_version)
    await kubectl("replace", "-f", "-", stdin=read)
    assert (await cluster.read(made)).data == {"k": "2"}
    assert "the object has been modified" in await kubectl.fails("replace", "-f", "-", stdin=read)
    await kubectl("replace", "-f", "-", stdin=manifest(cluster, {"k": "3"}))
    assert (await cluster.read(made)).data == {"k": "3"}


async def test_it_deletes_and_says_what_is_missing(cluster: Cluster, kubectl: Kubectl) -> None:
    """After a delete nothing is there; the object is named, or the namespace if that is what is missing."""
    made = await cluster.create()
    where = ("configmap", made.metadata.name)
    await kubectl("delete", *where, "-n", cluster.namespace)
    said = await kubectl.fails("get", *where, "-n", cluster.namespace)
    assert said == f'Error from server (NotFound): configmaps "{made.metadata.name}" not found\n'
    assert 'namespaces "no-such-place" not found' in await kubectl.fails("get", *where, "-n", "no-such-place")


async def test_it_shows_events_with_their_object(cluster: Cluster, kubectl: Kubectl) -> None:
    """`describe` tells what was said of this object, and `get events` of all, whichever group wrote it."""
    made = await cluster.create()
    about = {"kind": "ConfigMap", "name": made.metadata.name, "namespace": cluster.namespace, "uid": made.metadata.uid}
    where = {"namespace": cluster.namespace}
    core = {
        "apiVersion": "v1",
        "metadata": where | {"generateName": f"{made.metadata.name}."},
        "involvedObject": about,
        "reason": "Held",
        "message": "12 removals",
        "type": "Warning",
    }
    new = {
        "apiVersion": "events.k8s.io/v1",
        "metadata": where | {"name": f"{made.metadata.name}.1"},
        "regarding": about,
        "reason": "Mended",
        "note": "all is well",
        "type": "Normal",
        "action": "Publish",
        "reportingController": "routecast.io/publisher",
        "reportingInstance": "a",
        "eventTime": "2026-11-25T10:30:00.000000Z",
    }
    for event in (core, new):
        await kubectl("create", "-f", "-", stdin=json.dumps(event | {"kind": "Event"}))
    described = await kubectl("describe", "configmap", made.metadata.name, "-n", cluster.namespace)
    told = described.partition("Events:")[2]
    for word in ("Held", "12 removals", "Mended", "all is well", "routecast.io/publisher"):
        assert word in told
    listed = await kubectl("get", "events", "-n", cluster.namespace)
    lines = [line for line in listed.splitlines() if f"configmap/{made.metadata.name} " in line]
    assert {line.split()[1] for line in lines} == {"Warning", "Normal"}
    other = await cluster.create("b")
    assert "12 removals" not in await kubectl("describe", "configmap", other.metadata.name, "-n", cluster.namespace)


async def test_it_tells_what_one_may_do(api: FakeKubernetes, on_fake: Kubectl) -> None:
    """`auth can-i` answers by the rules that requests meet; a refused request says whose right is missing."""
    api.put_config_map("a", {})
    api.grant("get", names=["a"], namespace="kube-system")
    api.grant("list", resource="services", namespace="apps")
    assert await on_fake("auth", "can-i", "get", "configmap/a", "-n", "kube-system") == "yes\n"
    assert await on_fake("auth", "can-i", "list", "services", "-n", "apps") == "yes\n"
    assert await on_fake("auth", "can-i", "create", "events.events.k8s.io", "-n", "kube-system") == "yes\n"
    for asked in (("patch", "configmap/a", "-n", "kube-system"), ("list", "services", "-A")):
        assert (await on_fake.fails("auth", "can-i", *asked)).startswith("no")
    said = await on_fake.fails("get", "services", "-A")
    assert "(Forbidden): services is forbidden" in said
    assert "at the cluster scope" in said


async def test_it_lists_services_of_all_namespaces(api: FakeKubernetes, on_fake: Kubectl) -> None:
    """With type, addresses and ports, also of one that waits for its address."""
    api.put_service("photos", "apps", ip="100.67.1.20", ports=[{"name": "http", "port": 80, "nodePort": 30080}])
    api.put_service("chat", "apps")
    api.put_service("db", "data", type="ClusterIP", ports=[5432])
    rows = [line.split() for line in (await on_fake("get", "services", "-A")).splitlines()]
    assert rows[0] == ["NAMESPACE", "NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    told = {(row[0], row[1]): (row[2], row[4], row[5]) for row in rows[1:]}
    assert told["apps", "photos"] == ("LoadBalancer", "100.67.1.20", "80:30080/TCP")
    assert told["apps", "chat"][:2] == ("LoadBalancer", "<pending>")
    assert told["data", "db"] == ("ClusterIP", "<none>", "5432/TCP")
    await on_fake("annotate", "service", "photos", "-n", "apps", "mynodeone.io/subdomain=pictures")
    got = json.loads(await on_fake("get", "svc", "photos", "-n", "apps", "-o", "json"))
    assert got["metadata"]["annotations"] == {"mynodeone.io/subdomain": "pictures"}
    assert got["status"]["loadBalancer"]["ingress"] == [{"ip": "100.67.1.20", "ipMode": "VIP"}]


async def test_it_watches(api: FakeKubernetes, on_fake: Kubectl) -> None:
    """A watch prints each change as a row, until its time is over."""
    api.put_config_map("a", {})
    watch = on_fake("get", "configmap", "a", "-n", "kube-system", "-w", "--request-timeout=1s")
    watching = asyncio.create_task(watch)
    await api.until(lambda: api.open_watches == 1)
    api.put_config_map("a", {"k": "1", "l": "1"})
    assert [line.split()[:2] for line in (await watching).splitlines()] == [["NAME", "DATA"], ["a", "0"], ["a", "2"]]
