"""The Services of type LoadBalancer of all namespaces: list them, and follow them.

What becomes of them in the registry is `publisher.registry.discover`'s to say.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager

from kubernetes.aio import client

from common.settings.publisher import PublisherSettings
from publisher.source.cluster.document import Commands
from publisher.source.cluster.login import logged_in
from publisher.source.cluster.loop import Loop
from publisher.source.cluster.requests import Found, Requests, WatchEvent
from publisher.source.cluster.timing import Timing
from publisher.source.cluster_service import PORT, SUBDOMAIN, ClusterService, ServicePort

NEEDED = ("list", "watch")
"""The verbs on Services of all namespaces that this takes."""

_NAME = "services"
_ANNOTATIONS = (f"/{SUBDOMAIN}", f"/{PORT}")
"""What the annotations end in that are read; the zone that they begin with is not known here."""

_KEPT_OUT = "/discover"
"""The annotation with which a person keeps a Service out: false."""


@asynccontextmanager
async def open_services(settings: PublisherSettings, timing: Timing | None = None) -> AsyncIterator["Services"]:
    """Yield the Services of the cluster that the settings name. The API server need not answer yet.

    Raises:
        ConfigError: no kubeconfig, and not in a cluster; or a kubeconfig that is not usable.

    """
    async with logged_in(settings) as api:
        yield Services(api, Commands.of(settings), timing or Timing(), settings.relist_every_s)


class Services(Requests):
    """The Services of all namespaces. Reading them takes rights that only the component `discover` grants."""

    def __init__(self, api: client.ApiClient, commands: Commands, timing: Timing, relist_every_s: float) -> None:
        super().__init__(api, timing)
        self._kubectl = commands.kubectl
        self._relist_every_s = relist_every_s
        self._ask = client.CoreV1Api(api).list_service_for_all_namespaces_without_preload_content

    async def list_services(self) -> list[ClusterService]:
        """Return the LoadBalancer Services by namespace and name.

        Raises:
            SourceUnavailable: the server does not answer.
            AccessDenied: listing them is not allowed.

        """
        items, _ = await self.list_all()
        return _sorted(_balanced(items))

    async def follow(self) -> AsyncIterator[tuple[ClusterService, ...]]:
        """Yield the LoadBalancer Services once they are listed, and all of them again after each change; for ever.

        Changes that come faster than they are taken are joined; what changes nothing that counts here is not told.
        Never raises for what may heal by itself: a server that does not answer, and rights that are missing, are
        logged, and tried again.
        """
        current = _Current(self)
        loop = Loop(current, self._timing, self._relist_every_s)
        task = asyncio.create_task(loop.run(), name="follow services")
        task.add_done_callback(lambda _: current.changed.set())
        told: tuple[ClusterService, ...] | None = None
        try:
            while True:
                await current.changed.wait()
                current.changed.clear()
                if task.done():
                    task.result()  # a fault of ours: let it be seen
                services = tuple(_sorted(current.found.values()))
                if services != told:
                    told = services
                    yield services
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def list_all(self) -> tuple[list[Found], str]:
        """Return the JSON of all Services, of whatever type, and the resource version that a watch goes on from.

        The type is not asked for, though newer servers could select by it: those before 1.31 refuse that.

        Raises:
            SourceUnavailable: the server does not answer.
            AccessDenied: listing them is not allowed.

        """
        return await self._list(self._ask, _NAME)

    def watch_all(self, resource_version: str, limit_s: float) -> AsyncGenerator[WatchEvent, None]:
        """Yield the events of one watch, until the server ends it in its time, at most `limit_s`.

        Raises:
            Expired: the server no longer knows `resource_version`.
            SourceUnavailable: the connection broke, or went silent.
            AccessDenied: watching them is not allowed.

        """
        return self._watch(self._ask, _NAME, resource_version, limit_s)

    def _denied(self, verb: str, name: str) -> str:
        return (
            f"this user may not {verb} the {name} of all namespaces;"
            f" check with `{self._kubectl} auth can-i {verb} {name} --all-namespaces`,"
            f" grant with `{self._kubectl} apply -f deploy/kubernetes/components/discover/access.yaml`"
        )


class _Current:
    """The Services as they are now, once they are listed."""

    kind, name = "resource", _NAME

    def __init__(self, services: Services) -> None:
        self.found: dict[tuple[str, str], ClusterService] = {}
        self.changed = asyncio.Event()
        self._services = services

    async def list(self) -> str:
        items, resource_version = await self._services.list_all()
        self.found = {service.key: service for service in _balanced(items)}
        self.changed.set()
        return resource_version

    def watch(self, resource_version: str, limit_s: float) -> AsyncGenerator[WatchEvent, None]:
        return self._services.watch_all(resource_version, limit_s)

    def take(self, event: WatchEvent) -> None:
        service = None if event.kind == "DELETED" else read_service(event.found)
        if service is None:
            metadata = event.found["metadata"]
            self.found.pop((metadata["namespace"], metadata["name"]), None)
        else:
            self.found[service.key] = service
        self.changed.set()

    def denied(self, why: str) -> None:
        """Leave what is known as it is: that it cannot be read does not mean that it is gone."""

    def lost(self, why: str) -> None:
        """Leave what is known as it is."""


def read_service(found: Found) -> ClusterService | None:
    """Return the Service of its JSON; None when it is not of type LoadBalancer, or its annotation keeps it out.

    Of several addresses an IPv4 one comes first, since every client has that; a load balancer that has a host name
    alone counts as one without an address. Only TCP ports are kept: names lead browsers and Traefik there.
    """
    metadata, spec = found["metadata"], found.get("spec") or {}
    annotations = metadata.get("annotations") or {}
    if spec.get("type") != "LoadBalancer" or _is_kept_out(annotations):
        return None
    ingress = ((found.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    addresses = sorted((entry["ip"] for entry in ingress if entry.get("ip")), key=lambda ip: ":" in ip)
    ports = [port for port in spec.get("ports") or [] if port.get("protocol", "TCP") == "TCP"]
    return ClusterService(
        name=metadata["name"],
        namespace=metadata["namespace"],
        ip=addresses[0] if addresses else None,
        ports=tuple(ServicePort(port.get("name") or "", port["port"]) for port in ports),
        annotations={key: text for key, text in annotations.items() if key.endswith(_ANNOTATIONS)},
        other_ips=tuple(addresses[1:]),
    )


def _is_kept_out(annotations: Mapping[str, str]) -> bool:
    return any(key.endswith(_KEPT_OUT) and text.strip().lower() == "false" for key, text in annotations.items())


def _balanced(items: Iterable[Found]) -> Iterator[ClusterService]:
    return (service for item in items if (service := read_service(item)) is not None)


def _sorted(services: Iterable[ClusterService]) -> list[ClusterService]:
    return sorted(services, key=lambda service: service.key)
