"""Say for each routed service where its host names are placed while all VPSs are healthy. Pure."""

from dataclasses import dataclass

from common.models import Registry, Role, Routing, Service, Strategy
from common.names import host_name
from common.placement import place
from common.routes import derive_routes


@dataclass(frozen=True, slots=True)
class Placed:
    """A host name, its backend, the VPS it is placed on and those that serve it (addresses); or why there is none."""

    service: str
    strategy: Strategy
    host: str | None = None
    backend: str | None = None
    placed_on: str | None = None
    served_by: tuple[str, ...] = ()
    why_not: str | None = None


def place_all(registry: Registry) -> list[Placed]:
    """Return the host names of all routed services, by service, in the listed order of their domains."""
    return [row for name, routing in sorted(registry.routing.items()) for row in _place(registry, name, routing)]


def _place(registry: Registry, name: str, routing: Routing) -> list[Placed]:
    service = registry.services.get(name)
    routes = {route.host: route for route in derive_routes(registry).routes if route.service == name}
    hosts = [host_name(service.subdomain, domain) for domain in routing.domains] if service is not None else []
    if service is None or not any(host in routes for host in hosts):
        return [Placed(name, routing.strategy, why_not=_why_not(service, routing))]
    placement = place(routing.strategy, hosts, routing.vps_nodes, routing.vps_nodes)
    return [
        Placed(
            service=name,
            strategy=routing.strategy,
            host=host,
            backend=routes[host].backend,
            placed_on=placement[host],
            served_by=routing.vps_nodes,
        )
        for host in dict.fromkeys(hosts)
        if host in routes
    ]


def _why_not(service: Service | None, routing: Routing) -> str:
    """Return the first reason why a routed service has no route."""
    match service:
        case None:
            return "the service is not registered"
        case Service(public=False):
            return "the service is not public"
        case Service(ip=None):
            return "the service has no address"
        case Service(port=None):
            return "the service has no port"
    if not routing.domains:
        return "no domain is left"
    return "no VPS is left" if not routing.vps_nodes else "another service has its host names"


def vps_name(registry: Registry, address: str) -> str:
    """Return the node's name at a VPS's address, the address when no node has it."""
    return next((node.name for node in registry.nodes if node.role is Role.VPS and node.address == address), address)
