"""A fake Kubernetes API server for tests: ConfigMaps, Services, Events, access reviews, with faults to switch on.

Other kinds are kept as they come, and nobody acts on them: there are no pods.

    async with FakeKubernetes() as api:
        api.put_config_map("service-registry", {"services.json": "{}"})
        config = api.kubeconfig(tmp_path / "kubeconfig")
        ...                                                # start what is tested
        await api.until(lambda: api.open_watches == 1)
        api.faults.cut_watches()

It behaves as kube-apiserver 1.36 was measured to, as far as the publisher and kubectl meet it; its tests hold both to
it. The kubeconfig serves kubectl as well (`kubectl.Kubectl` runs it). This module is what tests use. The parts:
`kubernetes_http` answers requests under `kubernetes_tls` (`kubernetes_calls` and `kubernetes_protobuf` read them,
`kubernetes_answers` and `kubernetes_watch` write, `kubernetes_tables` prints rows, `kubernetes_discovery` tells what
there is: `kubernetes_resources`); `kubernetes_store` keeps objects (`kubernetes_objects`, `kubernetes_events`,
`kubernetes_services` and `kubernetes_plain` decode, merge, validate, `kubernetes_managers` notes who wrote);
`kubernetes_rules` permits, `kubernetes_faults` breaks.
"""

import base64
import copy
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.kubernetes_faults import Faults
from tests.fakes.kubernetes_http import Endpoints, Request
from tests.fakes.kubernetes_objects import encode
from tests.fakes.kubernetes_pulse import Pulse
from tests.fakes.kubernetes_resources import CONFIG_MAPS, EVENTS, SERVICES, Resource
from tests.fakes.kubernetes_status import Document
from tests.fakes.kubernetes_store import Selection, Store, utc_now
from tests.fakes.kubernetes_tls import TOKEN, identity
from tests.fakes.kubernetes_watch import Bookmarks

LIMIT_S = 5.0
"""How long `until` waits unless told otherwise."""


class FakeKubernetes:
    """A server on one loopback port for its life; lives in the event loop of the test and is used from there only.

    Bookmarks come every `bookmark_interval_s` and `bookmark_lead_s` before the timeout of a watch; the real server has
    60 s and 2 s (nextBookmarkTime in apiserver's cacher); the lead is shorter here for tests with one-second timeouts.
    Without a `port` it takes a free one.
    """

    def __init__(
        self,
        *,
        bookmark_interval_s: float = 60.0,
        bookmark_lead_s: float = 0.1,
        clock: Callable[[], datetime] = utc_now,
        port: int = 0,
    ) -> None:
        self._pulse = Pulse()
        self._store = Store(self._pulse.beat, clock)
        self._endpoints = Endpoints(self._store, self._pulse, Bookmarks(bookmark_interval_s, bookmark_lead_s))
        self._runner = web.AppRunner(
            self._endpoints.application(), access_log=None, handler_cancellation=True, shutdown_timeout=1.0
        )
        self._site: web.TCPSite | None = None
        self._port = port

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await self.accept()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Where the server listens, or will again after `refuse`."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def faults(self) -> Faults:
        """What is broken; see `Faults`."""
        return self._endpoints.faults

    @property
    def requests(self) -> list[Request]:
        """Every request so far as (verb, path, query), the refused ones too; clear it to look at a part."""
        return self._endpoints.requests

    @property
    def open_watches(self) -> int:
        """How many watches are connected, silent ones included."""
        return len(self.faults.watches)

    @property
    def namespaces(self) -> set[str]:
        """Where objects can be created: `default`, `kube-public`, `kube-system`; add to it at will."""
        return self._store.namespaces

    @property
    def resource_version(self) -> str:
        """The newest revision of the whole store."""
        return str(self._store.revision)

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig whose user may do what the rules say, and return its path; JSON is YAML.

        It serves kubectl and every other client: the server speaks TLS, and its certificate stands in the kubeconfig.
        """
        authority = base64.b64encode(identity().certificate).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "client"}}],
            "clusters": [{"name": "fake", "cluster": {"server": self.url, "certificate-authority-data": authority}}],
            "users": [{"name": "client", "user": {"token": TOKEN}}],
        }
        path.write_text(json.dumps(config))
        return path

    def put_config_map(
        self, name: str, data: Mapping[str, str], namespace: str = "kube-system", manager: str = "kubectl-edit"
    ) -> str:
        """Create a ConfigMap or replace its data, as somebody else in the cluster would; return its revision."""
        return self._put(CONFIG_MAPS, namespace, {"metadata": {"name": name}, "data": dict(data)}, manager)

    def delete_config_map(self, name: str, namespace: str = "kube-system") -> None:
        """Delete a ConfigMap; raises StatusError 404 when there is none."""
        self._store.delete(CONFIG_MAPS, namespace, name)

    def config_map(self, name: str, namespace: str = "kube-system") -> dict[str, str] | None:
        """Read the data of a ConfigMap, None when there is no such ConfigMap."""
        found = self._store.select(Selection(CONFIG_MAPS, namespace, (("metadata.name", name),)))
        return dict(found[0].get("data", {})) if found else None

    def document(self, name: str, namespace: str = "kube-system") -> Document:
        """Read a whole ConfigMap, metadata and all; raises StatusError 404 when there is none."""
        return copy.deepcopy(self._store.read(CONFIG_MAPS, namespace, name))

    def put_service(
        self,
        name: str,
        namespace: str,
        *,
        ip: str | None = None,
        ports: Iterable[int | Mapping[str, object]] = (80,),
        annotations: Mapping[str, str] | None = None,
        type: str = "LoadBalancer",  # noqa: A002 - the name that the API has for it
    ) -> str:
        """Create a Service or replace it, as an app's installation and the load balancer would; return its revision.

        `ip` is its address in the load balancer's status; a port is a number, or an object as in `spec.ports`.
        """
        spec = {"type": type, "ports": [{"port": port} if isinstance(port, int) else dict(port) for port in ports]}
        ingress = {"ingress": [{"ip": ip, "ipMode": "VIP"}]} if ip else {}
        body = {"metadata": {"name": name, "annotations": dict(annotations or {})}, "spec": spec}
        return self._put(SERVICES, namespace, body | {"status": {"loadBalancer": ingress}}, "helm")

    def delete_service(self, name: str, namespace: str) -> None:
        """Delete a Service; raises StatusError 404 when there is none."""
        self._store.delete(SERVICES, namespace, name)

    def _put(self, resource: Resource, namespace: str, body: Document, manager: str) -> str:
        self._store.namespaces.add(namespace)
        return str(self._store.put(resource, namespace, body, manager)["metadata"]["resourceVersion"])

    def events(self, namespace: str | None = None) -> list[Document]:
        """Read the Events of a namespace, or of all, as core/v1 returns them, whichever group wrote them."""
        return [encode(EVENTS, copy.deepcopy(event)) for event in self._store.select(Selection(EVENTS, namespace))]

    def compact(self) -> None:
        """Forget the history up to now: a watch that starts before it is answered 410."""
        self._store.compact()

    def allow_all(self) -> None:
        """Let the user do everything, as at the start."""
        self._endpoints.rules.allow_all()

    def grant(
        self, *verbs: str, names: Iterable[str] = (), resource: str = "configmaps", namespace: str | None = None
    ) -> None:
        """Add an RBAC rule; from the first one of a resource on, only its rules count. `names` is `resourceNames`.

        Resources are `configmaps`, `services`, `events` and `events.events.k8s.io`. Without a namespace the rule
        stands in a ClusterRole; with one in a Role, which does not cover a list or watch of all namespaces.
        """
        self._endpoints.rules.grant(*verbs, names=names, resource=resource, namespace=namespace)

    def deny(self, verb: str, name: str | None = None, resource: str = "configmaps") -> None:
        """Forbid a verb on one name (and with it every request of the verb that names no single object), or on all."""
        self._endpoints.rules.deny(verb, name, resource)

    async def until(self, condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Wait until a condition on the server holds: looked at after each request, write, and start or end of a watch.

        Raises TimeoutError, with the last requests, after `limit_s` seconds.
        """
        try:
            await self._pulse.until(condition, limit_s)
        except TimeoutError as e:
            last = ", ".join(f"{request.verb} {request.path}" for request in self.requests[-5:])
            raise TimeoutError(
                f"not within {limit_s} s; open watches: {self.open_watches}; last requests: {last or 'none'}"
            ) from e

    async def refuse(self) -> None:
        """Stop listening and drop every connection, as a killed server does; the objects stay."""
        self._endpoints.deaf = True
        if self._site is not None:
            await self._site.stop()
            self._site = None
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport:
                connection.transport.abort()
        await self._pulse.until(lambda: self.open_watches == 0, LIMIT_S)

    async def accept(self) -> None:
        """Listen again, on the same port as before.

        The port lies below the kernel's range for outgoing connections, so nobody takes it while the server refuses.
        """
        while self._site is None:
            port = self._port or 20000 + secrets.randbelow(12000)
            site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=identity().context)
            try:
                await site.start()
            except OSError:
                if self._port:
                    raise
            else:
                self._site, self._port = site, port
                self._endpoints.deaf = False
