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
        async with FakeKubernetes() as running:
            kubeconfig = running.kubeconfig(tmp_path / "kubeconfig")
            async with await connect(kubeconfig) as connected:
                yield Cluster(client.CoreV1Api(connected), "default", "test", 1, kubeconfig)
        return
    prefix = f"routecast-test-{uuid.uuid4().hex[:8]}"
    kubeconfig = Path(os.environ["KUBECONFIG"])
    async with await connect(kubeconfig) as connected:
        v1: Any = client.CoreV1Api(connected)
        try:
            yield Cluster(v1, "default", prefix, 5, kubeconfig)
        finally:
            for kind in ("config_map", "service", "event"):
                for made in (await getattr(v1, f"list_namespaced_{kind}")("default")).items:
                    if made.metadata.name.startswith(prefix):
                        await getattr(v1, f"delete_namespaced_{kind}")(made.metadata.name, "default")
