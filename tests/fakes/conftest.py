"""The servers that the fakes' tests run on: always the fake, and a real cluster as well where KUBECONFIG names one."""

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client

from tests.fakes.cluster import Cluster, connect
from tests.fakes.kubernetes import FakeKubernetes


@pytest.fixture
async def api() -> AsyncIterator[FakeKubernetes]:
    """Run a fake server."""
    async with FakeKubernetes() as running:
        yield running


@pytest.fixture
async def v1(api: FakeKubernetes, tmp_path: Path) -> AsyncIterator[Any]:
    """Connect the real client to the fake through its kubeconfig."""
    async with await connect(api.kubeconfig(tmp_path / "kubeconfig")) as connected:
        yield client.CoreV1Api(connected)


@pytest.fixture(params=["fake", "real"] if os.environ.get("KUBECONFIG") else ["fake"])
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    """Offer the fake and, where KUBECONFIG is set, the cluster that it names; what a test made there is deleted."""
    if request.param == "fake":
        async with (
            FakeKubernetes() as running,
            await connect(running.kubeconfig(tmp_path / "kubeconfig")) as connected,
        ):
            yield Cluster(client.CoreV1Api(connected), "default", "test", watch_timeout_s=1)
        return
    prefix = f"routecast-test-{uuid.uuid4().hex[:8]}"
    async with await connect(Path(os.environ["KUBECONFIG"])) as connected:
        v1: Any = client.CoreV1Api(connected)
        try:
            yield Cluster(v1, "default", prefix, watch_timeout_s=5)
        finally:
            for made in (await v1.list_namespaced_config_map("default")).items:
                if made.metadata.name.startswith(prefix):
                    await v1.delete_namespaced_config_map(made.metadata.name, "default")
