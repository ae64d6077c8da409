"""Say how two registries differ, in the words of the registry: services, names, routes, nodes. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.models import Registry, Routing, Service, Vps
from common.names import derive_names, zone_of
from common.routes import Route, derive_routes

_COMMA = ", "


class Op(StrEnum):
    """What happened to an entry."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"

    @property
    def sign(self) -> str:
        """The sign that stands before it."""
        return {Op.ADDED: "+", Op.CHANGED: "~", Op.REMOVED: "-"}[self]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of one kind, and what is said of it before and after."""

    op: Op
    kind: str
    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        arrow = " -> " if self.kind in _POINTING else ": "
        if self.op is Op.REMOVED:
            return f"- {self.name}{arrow}{self.before}"
        was = f" (was {_gone(self.before, self.after)})" if self.before is not None and self.after is not None else ""
        return f"{self.op.sign} {self.name}{arrow}{self.after}{was}"


def _gone(before: str, after: str) -> str:
    """Return what of a description is no longer said; all of it when only something came to it."""
    said = after.split(_COMMA)
    return _COMMA.join(part for part in before.split(_COMMA) if part not in said) or before


def changes(before: Registry, after: Registry) -> tuple[Change, ...]:
    """Return what makes `after` of `before`: by kind in the order of `KINDS`, then by name."""
    return tuple(
        change for kind, describe in KINDS.items() for change in _changes_of(kind, describe(before), describe(after))
    )


def _changes_of(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    found = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            found.append(Change(Op.ADDED, kind, name, None, after[name]))
        elif name not in after:
            found.append(Change(Op.REMOVED, kind, name, before[name], None))
        elif before[name] != after[name]:
            found.append(Change(Op.CHANGED, kind, name, before[name], after[name]))
    return found


def _cluster(registry: Registry) -> dict[str, str]:
    cluster = registry.cluster
    known = {"name": cluster.name, "zone": zone_of(cluster), "control plane": cluster.control_plane_ip}
    return {key: value for key, value in known.items() if value is not None}


def _names(registry: Registry) -> dict[str, str]:
    return dict(derive_names(registry).records)


def _routes(registry: Registry) -> dict[str, str]:
    return {route.host: describe_route(route) for route in derive_routes(registry).routes}


def _services(registry: Registry) -> dict[str, str]:
    return {name: describe_service(service) for name, service in registry.services.items()}


def _domains(registry: Registry) -> dict[str, str]:
    return {name: domain.description or "no description" for name, domain in registry.domains.items()}


def _vps_nodes(registry: Registry) -> dict[str, str]:
    return {vps.tailscale_ip: describe_vps(vps) for vps in registry.vps_nodes}


def _routing(registry: Registry) -> dict[str, str]:
    return {name: describe_routing(routing) for name, routing in registry.routing.items()}


def _nodes(registry: Registry) -> dict[str, str]:
    return {
        node.name: f"{node.role} at {node.address}" + (f", {node.label!r}" if node.label not in ("", node.name) else "")
        for node in registry.nodes
    }


def describe_service(service: Service) -> str:
    """Return a service in a few words; all that can differ is in it."""
    where = service.ip or "no address"
    if service.port is not None:
        where += f" port {service.port}"
    of = "/".join(part for part in (service.namespace, service.service) if part)
    parts = [
        service.subdomain or "@",
        where,
        "public" if service.public else "private",
        *([] if service.scheme == "http" else [service.scheme]),
        *service.middlewares,
        *([of] if of else []),
    ]
    return _COMMA.join(parts)


def describe_route(route: Route) -> str:
    """Return a route's backend and where it is served."""
    through = f" through {', '.join(route.middlewares)}" if route.middlewares else ""
    return f"{route.backend}{through} on {', '.join(route.vps_nodes)}"


def describe_vps(vps: Vps) -> str:
    """Return a VPS in a few words."""
    return ", ".join([vps.public_ip or "no public address", *filter(None, (vps.location, vps.provider))])


def describe_routing(routing: Routing) -> str:
    """Return a routing entry in a few words."""
    domains, vps_nodes = (", ".join(part) or "none" for part in (routing.domains, routing.vps_nodes))
    return f"{routing.strategy}, domains {domains}, VPSs {vps_nodes}"


KINDS: Mapping[str, Callable[[Registry], dict[str, str]]] = {
    "cluster": _cluster,
    "services": _services,
    "names": _names,
    "routes": _routes,
    "domains": _domains,
    "VPSs": _vps_nodes,
    "routing": _routing,
    "nodes": _nodes,
}
"""Kind -> entries by name, each with what is said of it."""

_POINTING = {"names", "routes"}

_ONE_OF = {
    "cluster": "cluster",
    "services": "service",
    "domains": "domain",
    "VPSs": "VPS",
    "nodes": "node",
    "routes": "route",
    "names": "name",
    "routing": "routing of",
}
"""What one entry of a kind is called, in the order in which people want to hear of them."""


def headlines(found: Sequence[Change]) -> tuple[str, ...]:
    """Return each change as ``+ service wiki``, what was written before what follows from it."""
    ranked = sorted(found, key=lambda change: list(_ONE_OF).index(change.kind))
    return tuple(f"{change.op.sign} {_ONE_OF[change.kind]} {change.name}" for change in ranked)
