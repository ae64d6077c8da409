"""Where the sources' tests run: a folder, the fake API server, and the cluster of KUBECONFIG where that is set."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from publisher.source.open import open_source
from publisher.source.source import Source
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.source.worlds import FakeCluster, Folder, World, real_cluster


@pytest.fixture
async def api() -> AsyncIterator[FakeKubernetes]:
    """Run a fake API server."""
    async with FakeKubernetes() as running:
        yield running


@pytest.fixture(params=["directory", "fake", *(["real"] if "KUBECONFIG" in os.environ else [])])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Hold a registry."""
    match request.param:
        case "directory":
            yield Folder(tmp_path / "registry")
        case "fake":
            async with FakeKubernetes() as running:
                yield FakeCluster(running, tmp_path / "kubeconfig")
        case _:
            async with real_cluster(Path(os.environ["KUBECONFIG"])) as real:
                yield real


@pytest.fixture
async def source(world: World) -> AsyncIterator[Source]:
    """Read it."""
    async with open_source(world.settings) as opened:
        yield opened
