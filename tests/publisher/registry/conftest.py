"""Where the editor's tests run: a folder, the fake API server, and the cluster of KUBECONFIG where that is set."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from publisher.registry.book import Book, open_book
from publisher.registry.cluster import ClusterBook, open_cluster_book
from publisher.registry.folder import FolderBook
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.source.conftest import api, world
from tests.publisher.source.worlds import FakeCluster, World

__all__ = ["api", "world"]


@pytest.fixture
async def book(world: World) -> AsyncIterator[Book]:
    """Write in it."""
    async with open_book(world.settings) as opened:
        yield opened


@pytest.fixture
async def cluster(api: FakeKubernetes, tmp_path: Path) -> AsyncIterator[ClusterBook]:
    """Write in a fake cluster."""
    async with open_cluster_book(FakeCluster(api, tmp_path / "kubeconfig").settings) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> FolderBook:
    """Write in an empty folder."""
    path = tmp_path / "registry"
    path.mkdir(exist_ok=True)
    return FolderBook(path, "kube-system")
