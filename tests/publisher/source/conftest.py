"""Where the sources' tests run: a folder, the fake API server, and the cluster of KUBECONFIG where that is set."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common.settings.publisher import PublisherSettings
from publisher.source.cluster import ClusterSource, open_cluster
from publisher.source.document import DOCUMENTS, SERVICE_REGISTRY
from publisher.source.open import open_source
from publisher.source.source import Source
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.source.worlds import FAST, OLD, FakeCluster, Folder, World, fake_api, manifest, real_cluster


@pytest.fixture
async def api() -> AsyncIterator[FakeKubernetes]:
    """Run a fake API server."""
    async with fake_api() as running:
        yield running


@pytest.fixture(params=["directory", "fake", *(["real"] if "KUBECONFIG" in os.environ else [])])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Hold a registry."""
    match request.param:
        case "directory":
            yield Folder(tmp_path / "registry")
        case "fake":
            async with fake_api() as running:
                yield FakeCluster(running, tmp_path / "kubeconfig")
        case _:
            async with real_cluster(Path(os.environ["KUBECONFIG"])) as real:
                yield real


@pytest.fixture
async def source(world: World) -> AsyncIterator[Source]:
    """Read it."""
    async with open_source(world.settings) as opened:
        yield opened


@pytest.fixture
def settings(api: FakeKubernetes, tmp_path: Path) -> PublisherSettings:
    """Point to the fake server, with all four documents in it."""
    for name in DOCUMENTS:
        api.put_config_map(name, OLD)
    return PublisherSettings(kubeconfig=api.kubeconfig(tmp_path / "kubeconfig"), relist_every_s=60)


@pytest.fixture
async def fast(settings: PublisherSettings) -> AsyncIterator[ClusterSource]:
    """Open the source with short watches."""
    async with open_cluster(settings, FAST) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with one document."""
    path = tmp_path / "registry"
    path.mkdir()
    (path / "services.yaml").write_text(manifest(SERVICE_REGISTRY, OLD))
    return path
