"""Where the sources' shared tests run: something that holds the registry, and the source that reads it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from common.settings.publisher import PublisherSettings
from publisher.source.cluster import Timing
from tests.fakes.cluster import connect
from tests.fakes.kubernetes import FakeKubernetes

OLD = {"k": "old"}
"""What the documents of the fake cluster hold at first."""

FAST = Timing(watch_s=1, watch_grace_s=0.3, pause_max_s=0.2, denied_pause_s=0.1)
"""Watches that end all the time, and short pauses."""


class World(Protocol):
    """What somebody else does to the registry."""

    settings: PublisherSettings

    async def put(self, name: str, data: Mapping[str, str]) -> None:
        """Write a document."""
        ...

    async def delete(self, name: str) -> None:
        """Delete a document."""
        ...

    async def put_state(self, text: str) -> None:
        """Write the kept state."""
        ...

    async def lose(self) -> None:
        """Have the source answer nothing."""
        ...

    async def find(self) -> None:
        """Have it answer again."""
        ...


def manifest(name: str, data: Mapping[str, str] | None, **metadata: str) -> str:
    """Write a ConfigMap as YAML."""
    return yaml.safe_dump({"kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data})


def replace_file(path: Path, text: str) -> None:
    """Write a file as careful editors do: aside, then renamed into its place."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    aside.write_text(text)
    aside.replace(path)


class Folder:
    """A folder of manifests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.settings = PublisherSettings(registry_dir=path)

    async def put(self, name: str, data: Mapping[str, str]) -> None:
        """Replace the file of a document."""
        replace_file(self.path / f"{name}.yaml", manifest(name, data))

    async def delete(self, name: str) -> None:
        """Delete the file of a document."""
        (self.path / f"{name}.yaml").unlink()

    async def put_state(self, text: str) -> None:
        """Write the state's file."""
        (self.path / ".routecast-state.json").write_text(text)

    async def lose(self) -> None:
        """Move the folder away."""
        self.path.rename(self.path.with_name("away"))

    async def find(self) -> None:
        """Move it back."""
        self.path.with_name("away").rename(self.path)


@asynccontextmanager
async def fake_api() -> AsyncIterator[FakeKubernetes]:
    """Run the fake API server."""
    async with FakeKubernetes() as api:
        yield api
        await kill(api)


async def kill(api: FakeKubernetes) -> None:
    """Have the fake refuse, and drop also the connections that were on their way in just then."""
    await api.refuse()
    for _ in range(10):  # accept, make the transport, hand it to the server: each takes a turn of the loop
        await asyncio.sleep(0)
    await api.refuse()


class FakeCluster:
    """The fake API server."""

    def __init__(self, api: FakeKubernetes, kubeconfig: Path) -> None:
        self.api = api
        self.settings = PublisherSettings(kubeconfig=api.kubeconfig(kubeconfig), relist_every_s=60)

    async def put(self, name: str, data: Mapping[str, str]) -> None:
        """Write a ConfigMap."""
        self.api.put_config_map(name, data)

    async def delete(self, name: str) -> None:
        """Delete it."""
        self.api.delete_config_map(name)

    async def put_state(self, text: str) -> None:
        """Write the state's ConfigMap."""
        self.api.put_config_map("routecast-state", {"state.json": text})

    async def lose(self) -> None:
        """Kill the server."""
        await kill(self.api)

    async def find(self) -> None:
        """Start it again."""
        await self.api.accept()


class RealCluster:
    """A namespace of its own in the cluster that KUBECONFIG names."""

    def __init__(self, core: Any, namespace: str, kubeconfig: Path) -> None:
        self._core = core
        self._namespace = namespace
        self.settings = PublisherSettings(kubeconfig=kubeconfig, namespace=namespace, relist_every_s=60)

    async def put(self, name: str, data: Mapping[str, str]) -> None:
        """Write a ConfigMap."""
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=dict(data))
        try:
            await self._core.replace_namespaced_config_map(name, self._namespace, body)
        except ApiException as e:
            if e.status != 404:
                raise
            await self._core.create_namespaced_config_map(self._namespace, body)

    async def delete(self, name: str) -> None:
        """Delete it."""
        await self._core.delete_namespaced_config_map(name, self._namespace)

    async def put_state(self, text: str) -> None:
        """Write the state's ConfigMap."""
        await self.put("routecast-state", {"state.json": text})

    async def lose(self) -> None:
        """Give up: a real cluster is not ours to kill."""
        pytest.skip("a real cluster is not ours to kill")

    async def find(self) -> None:
        """Do nothing: it was never lost."""


@asynccontextmanager
async def real_cluster(kubeconfig: Path) -> AsyncIterator[RealCluster]:
    """Make a namespace in a real cluster, and delete it with all that is in it."""
    namespace = f"routecast-test-{secrets.token_hex(4)}"
    async with await connect(kubeconfig) as connected:
        core: Any = client.CoreV1Api(connected)
        await core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))
        try:
            yield RealCluster(core, namespace, kubeconfig)
        finally:
            await core.delete_namespace(namespace)
