"""Reach a cluster with the real client, for the fakes' tests: write ConfigMaps, watch them, read refusals."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.aio import client, config, watch
from kubernetes.aio.client.exceptions import ApiException

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server to test against, real or not: its API, where to write, and how long a watch must last to get a bookmark.

    Every object that a test makes has a name that begins with `prefix`.
    """

    v1: Any  # the generated models declare every field optional
    namespace: str
    prefix: str
    watch_timeout_s: int
    kubeconfig: Path

    async def create(self, name: str = "a", data: dict[str, str] | None = None) -> Any:
        """Create the ConfigMap `<prefix>-<name>`."""
        metadata = client.V1ObjectMeta(name=f"{self.prefix}-{name}")
        body = client.V1ConfigMap(metadata=metadata, data=data or {"k": "1"})
        return await self.v1.create_namespaced_config_map(self.namespace, body)

    async def patch(self, made: Any, body: dict[str, Any], **options: Any) -> Any:
        """Merge a patch into a ConfigMap that was made before."""
        options = {"_content_type": "application/merge-patch+json"} | options
        return await self.v1.patch_namespaced_config_map(made.metadata.name, self.namespace, body, **options)

    async def read(self, made: Any) -> Any:
        """Read a ConfigMap that was made before."""
        return await self.v1.read_namespaced_config_map(made.metadata.name, self.namespace)

    async def delete(self, made: Any) -> None:
        """Delete a ConfigMap that was made before."""
        await self.v1.delete_namespaced_config_map(made.metadata.name, self.namespace)

    async def replace(self, made: Any) -> Any:
        """Put a ConfigMap back, changed or not."""
        return await self.v1.replace_namespaced_config_map(made.metadata.name, self.namespace, made)

    async def watch(self, made: Any, *, at_most: int | None = None, **parameters: Any) -> list[Event]:
        """Watch one ConfigMap for `watch_timeout_s`."""
        parameters |= {"field_selector": named(made.metadata.name), "timeout_seconds": self.watch_timeout_s}
        return await collect(self.v1, self.namespace, at_most=at_most, **parameters)


async def connect(kubeconfig: Path) -> client.ApiClient:
    """Make a client of a kubeconfig, as the publisher does."""
    configuration = client.Configuration()
    load: Any = config.load_kube_config
    await load(config_file=str(kubeconfig), client_configuration=configuration)
    return client.ApiClient(configuration)


async def collect(v1: Any, namespace: str, *, at_most: int | None = None, **parameters: Any) -> list[Event]:
    """Watch until the server ends the stream or `at_most` events came; what the client raises passes through."""
    events: list[Event] = []
    watches: Any = watch.Watch
    async with watches() as watching:
        async for event in watching.stream(v1.list_namespaced_config_map, namespace, **parameters):
            events.append(event)
            if len(events) == at_most:
                break
    return events


def kinds(events: list[Event]) -> list[str]:
    """List the events' types in order."""
    return [event["type"] for event in events]


def status(error: ApiException) -> dict[str, Any]:
    """Read the `Status` that came with a refusal."""
    body: dict[str, Any] = json.loads(error.body or "{}")
    return body


def named(name: str) -> str:
    """Write the field selector for one object."""
    return f"metadata.name={name}"


def revision(made: Any) -> int:
    """Read the resourceVersion of an object or list as a number, which tests may do and clients may not."""
    return int(made.metadata.resource_version)
