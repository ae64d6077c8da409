"""The kinds that the fake keeps as they come: kubectl makes, shows, scales and removes them; nobody acts."""

import base64
import json
from pathlib import Path

import pytest

from tests.deploy.systemd import ROOT
from tests.fakes.kubectl import Kubectl, needs_kubectl
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.kubernetes_tls import TOKEN, identity

pytestmark = needs_kubectl

MANIFESTS = ROOT / "deploy" / "kubernetes"
WORKLOAD = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": "web"}]}}},
}


@pytest.fixture
def kubectl(api: FakeKubernetes, tmp_path: Path) -> Kubectl:
    """Run kubectl on the fake."""
    return Kubectl(api.kubeconfig(tmp_path / "kubeconfig"), tmp_path)


async def test_a_namespace_is_made_once(api: FakeKubernetes, kubectl: Kubectl) -> None:
    """What is in it can be made from then on; one that is there from the start is shown too."""
    assert 'namespaces "apps" not found' in await kubectl.fails("-n", "apps", "create", "secret", "generic", "a")
    assert await kubectl("create", "namespace", "apps") == "namespace/apps created\n"
    assert "already exists" in await kubectl.fails("create", "namespace", "apps")
    assert "apps" in api.namespaces
    assert "kube-system" in await kubectl("get", "namespace", "kube-system")


async def test_a_secret_holds_files_and_goes(kubectl: Kubectl, tmp_path: Path) -> None:
    """As bytes under the name that was asked for."""
    (tmp_path / "seed").write_bytes(b"\xff\x00")
    await kubectl("create", "secret", "generic", "keys", f"--from-file=signing.seed={tmp_path / 'seed'}")
    got = json.loads(await kubectl("get", "secret", "keys", "-o", "json"))
    assert (got["type"], got["data"]) == ("Opaque", {"signing.seed": "/wA="})
    await kubectl("delete", "secret", "keys")
    assert 'secrets "keys" not found' in await kubectl.fails("get", "secret", "keys")


async def test_a_secret_for_a_token_gets_one(kubectl: Kubectl) -> None:
    """The token of the one user, and the certificate to trust."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": "default"},
        "type": "kubernetes.io/service-account-token",
    }
    await kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    data = json.loads(await kubectl("get", "secret", "token", "-o", "json"))["data"]
    assert base64.b64decode(data["token"]).decode() == TOKEN
    assert base64.b64decode(data["ca.crt"]) == identity().certificate


async def test_our_manifests_are_taken(kubectl: Kubectl) -> None:
    """All of them, with what is in no namespace; the same again is unchanged."""
    rights = ("-f", str(MANIFESTS / "components" / "discover" / "access.yaml"))
    first = await kubectl("apply", "-k", str(MANIFESTS))
    assert {line.rpartition(" ")[2] for line in first.splitlines()} == {"created"}
    assert "clusterrole.rbac.authorization.k8s.io/" in await kubectl("apply", *rights)
    again = await kubectl("apply", "-k", str(MANIFESTS)) + await kubectl("apply", *rights)
    assert {line.rpartition(" ")[2] for line in again.splitlines()} == {"unchanged"}
    assert "routecast-publisher" in await kubectl("-n", "routecast", "get", "deployments")


async def test_nothing_of_it_runs(kubectl: Kubectl) -> None:
    """The wanted number of replicas changes, and no pod comes."""
    await kubectl("apply", "-f", "-", stdin=json.dumps(WORKLOAD))
    await kubectl("scale", "deployment/web", "--replicas=0")
    got = json.loads(await kubectl("get", "deployment", "web", "-o", "json"))
    assert (got["spec"]["replicas"], got["spec"]["template"]) == (0, WORKLOAD["spec"]["template"])  # type: ignore[index]
    assert not await kubectl("get", "pods")
