"""The only derivation of DNS names from a registry (DESIGN 6). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from common.models import Cluster, Registry, Service
from common.values import MAX_NAME

LOCAL_SUFFIX = "local"
DASHBOARD = "dashboard"
"""The subdomain whose service also answers for the zone itself, unless another claims it."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A name that a service claims, but another owns."""

    name: str
    owner: str
    loser: str


@dataclass(frozen=True, slots=True)
class TooLong:
    """What a service would be called, longer than a name can be: subdomain and zone are names, both together none."""

    name: str
    claimed_by: str


@dataclass(frozen=True, slots=True)
class Names:
    """DNS name -> address, the claims that lost, and those that are no names."""

    records: Mapping[str, str]
    conflicts: tuple[Conflict, ...]
    too_long: tuple[TooLong, ...] = ()


def zone_of(cluster: Cluster) -> str | None:
    """Return the zone of the cluster's names: ``mycloud`` means ``mycloud.local``; None when there is no domain."""
    if cluster.domain is None or "." in cluster.domain:
        return cluster.domain
    return f"{cluster.domain}.{LOCAL_SUFFIX}"


def host_name(subdomain: str, zone: str) -> str:
    """Return the full name of a subdomain; the empty one is the zone itself."""
    return f"{subdomain}.{zone}" if subdomain else zone


def derive_names(registry: Registry) -> Names:
    """Return every name of the zone with its address.

    One name has one owner: of two services that claim a name with different addresses the first by service name wins.
    """
    zone = zone_of(registry.cluster)
    if zone is None:
        return Names({}, ())
    claims = Claims()
    for service_name, service in sorted(registry.services.items()):
        if service.ip is not None:
            claims.claim(host_name(service.subdomain, zone), service.ip, service_name)
    dashboard = _dashboard(registry)
    if dashboard is not None and zone not in claims.values:
        claims.claim(zone, dashboard, DASHBOARD)
    return Names(dict(sorted(claims.values.items())), tuple(claims.conflicts), tuple(claims.too_long))


class Claims:
    """Names given out, first come first served; the same claim twice is no conflict."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.conflicts: list[Conflict] = []
        self.too_long: list[TooLong] = []
        self._owners: dict[str, str] = {}

    def claim(self, name: str, value: str, by: str) -> bool:
        """Give `name` to `by` unless it is taken, or can be no name; tell whether it was given."""
        if len(name) > MAX_NAME:
            self.too_long.append(TooLong(name, by))
            return False
        if name not in self.values:
            self.values[name] = value
            self._owners[name] = by
            return True
        if self.values[name] != value:
            self.conflicts.append(Conflict(name, owner=self._owners[name], loser=by))
        return False


def _dashboard(registry: Registry) -> str | None:
    """Return the address of the first service, by name, that has the subdomain ``dashboard`` and an address."""
    services: list[Service] = [service for _, service in sorted(registry.services.items())]
    return next((s.ip for s in services if s.subdomain == DASHBOARD and s.ip is not None), None)
