"""A Service of type LoadBalancer, as far as the registry is concerned. A value only."""

from collections.abc import Mapping
from dataclasses import dataclass

from common.models import Scheme

SUBDOMAIN, PORT = "subdomain", "port"
"""What our annotations are called behind their prefix."""

_HTTPS = 443


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service; `name` is empty when it has none."""

    name: str
    port: int

    @property
    def scheme(self) -> Scheme:
        """How one speaks to it."""
        return Scheme.HTTPS if self.name == "https" or self.port == _HTTPS else Scheme.HTTP

    def __str__(self) -> str:
        return f"{self.port} ({self.name})" if self.name else str(self.port)


@dataclass(frozen=True, slots=True)
class ClusterService:
    """A Service of type LoadBalancer, as far as the registry is concerned."""

    name: str
    namespace: str
    ip: str | None
    """The address to prefer; None: it has none yet, or none any more."""
    ports: tuple[ServicePort, ...]
    """Those that HTTP can be spoken on: TCP."""
    annotations: Mapping[str, str]
    other_ips: tuple[str, ...] = ()
    """Further addresses; k3s gives a Service those of all its nodes."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others: namespace and name."""
        return self.namespace, self.name

    def __str__(self) -> str:
        return f"the Service {self.name} in {self.namespace}"
