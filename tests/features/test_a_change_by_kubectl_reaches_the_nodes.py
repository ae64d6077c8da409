import itertools
import json
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.fakes.kubectl import Kubectl, needs_kubectl
from tests.fakes.kubernetes import FakeKubernetes
from tests.world import NodeUnderTest, World, until

pytestmark = needs_kubectl

DOCUMENTS = ("cluster-info", "service-registry", "domain-registry", "sync-controller-registry")
LAPTOP, VPS = "vinay-laptop", "contabo-vps"


@dataclass(frozen=True, slots=True)
class Change:
    """A text in one key of one ConfigMap that becomes another, and what the laptop and the VPS then have."""

    document: str
    key: str
    old: str
    new: str
    names: frozenset[str] = frozenset({"photos.mycloud.local"})
    routes: frozenset[str] = frozenset({"photos.curiios.com", "photos.vinaysachdeva.com"})

    def of(self, data: dict[str, str]) -> str:
        """Return the value of the key after the change."""
        assert self.old in data[self.key]
        return data[self.key].replace(self.old, self.new)

    def shows(self, laptop: NodeUnderTest, vps: NodeUnderTest) -> bool:
        """Tell whether the nodes' files are as they should be, as far as the service photos goes."""
        names = frozenset(name for name in laptop.names() if name.startswith(("photos.", "pictures.")))
        routes = frozenset(host for host in vps.served() if host.startswith(("photos.", "pictures.")))
        return names == self.names and routes == self.routes


CHANGES = [
    Change(
        "service-registry", "services.json", '"photos"', '"pictures"',
        names=frozenset({"pictures.mycloud.local"}),
        routes=frozenset({"pictures.curiios.com", "pictures.vinaysachdeva.com"}),
    ),
    Change(
        "domain-registry", "routing.json", '"curiios.com", "vinaysachdeva.com"', '"curiios.com"',
        routes=frozenset({"photos.curiios.com"}),
    ),
    Change("sync-controller-registry", "registry.json", '"work-laptop"', '"office-laptop"'),
    Change(
        "cluster-info", "cluster-domain", "mycloud", "othercloud",
        names=frozenset({"photos.othercloud.local"}),
    ),
]  # fmt: skip


async def _patch(kubectl: Kubectl, change: Change, data: dict[str, str]) -> None:
    patch = json.dumps({"data": {change.key: change.of(data)}})
    await kubectl("-n", "kube-system", "patch", "configmap", change.document, "--type=merge", "-p", patch)


async def _apply(kubectl: Kubectl, change: Change, data: dict[str, str]) -> None:
    metadata = {"name": change.document, "namespace": "kube-system"}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    whole = yaml.safe_dump({**manifest, "data": {**data, change.key: change.of(data)}})
    await kubectl("apply", "-f", "-", stdin=whole)


async def _edit(kubectl: Kubectl, change: Change, _: dict[str, str]) -> None:
    editor = f"sed -i {shlex.quote(f's/{change.old}/{change.new}/')}"
    await kubectl("-n", "kube-system", "edit", "configmap", change.document, editor=editor)


Way = Callable[[Kubectl, Change, dict[str, str]], Awaitable[None]]
WAYS: dict[str, Way] = {"kubectl-patch": _patch, "kubectl-client-side-apply": _apply, "kubectl-edit": _edit}
"""Name of the writer as the API server notes it -> how it writes."""


@pytest.fixture
async def api(world: World) -> AsyncIterator[FakeKubernetes]:
    """Run an API server that holds the reference registry, in which every write has a second of its own."""
    seconds = itertools.count()
    beginning = datetime(2026, 1, 1, tzinfo=UTC)
    async with FakeKubernetes(clock=lambda: beginning + timedelta(seconds=next(seconds))) as server:
        for name in DOCUMENTS:
            server.put_config_map(name, world.registry.data(name), manager="installer")
        yield server


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.document)
@pytest.mark.parametrize("writer", WAYS)
async def test_a_change_of_one_configmap_by_kubectl_reaches_the_nodes(
    world: World, api: FakeKubernetes, tmp_path: Path, change: Change, writer: str
) -> None:
    """Patched, applied or edited: the nodes' files follow at once, in one version, which names who wrote what."""
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    async with world.publisher(registry_dir=None, kubeconfig=kubeconfig), world.nodes(LAPTOP, VPS) as nodes:
        before = await world.synced(LAPTOP, VPS)
        await WAYS[writer](Kubectl(kubeconfig, tmp_path), change, world.registry.data(change.document))
        await until(lambda: change.shows(nodes[LAPTOP], nodes[VPS]), "the change in the nodes' files")
        after = await world.published(above=before.order)
        await world.synced(LAPTOP, VPS)
    assert after.version == before.version + 1
    renamed = {node.name for node in after.registry.nodes} - {node.name for node in before.registry.nodes}
    assert renamed == ({"office-laptop"} if change.document == "sync-controller-registry" else set())
    writers = {name: source.changed_by for name, source in after.sources.items()}
    assert writers == {**dict.fromkeys(DOCUMENTS, "installer"), change.document: writer}


async def test_what_kubectl_deletes_stays_on_the_nodes(world: World, api: FakeKubernetes, tmp_path: Path) -> None:
    """A ConfigMap that is gone is not an empty one; made again with kubectl, its changes arrive."""
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    kubectl, change = Kubectl(kubeconfig, tmp_path), CHANGES[0]
    async with (
        world.publisher(registry_dir=None, kubeconfig=kubeconfig) as publisher,
        world.nodes(LAPTOP, VPS) as nodes,
    ):
        before = await world.synced(LAPTOP, VPS)
        files = (nodes[LAPTOP].hosts.read_bytes(), nodes[VPS].routes.read_bytes())
        await kubectl("-n", "kube-system", "delete", "configmap", change.document)
        status = publisher.report.status
        await until(lambda: status().sources[change.document].state.value == "missing", "the publisher to notice")
        assert (nodes[LAPTOP].hosts.read_bytes(), nodes[VPS].routes.read_bytes()) == files
        await _apply(kubectl, change, world.registry.data(change.document))
        await world.published(above=before.order)
        await until(lambda: change.shows(nodes[LAPTOP], nodes[VPS]), "the change in the nodes' files")
