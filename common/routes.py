"""The only derivation of public routes from a registry (DESIGN 6). Pure."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from common.models import Registry, Service
from common.names import Claims, Conflict, TooLong, host_name


@dataclass(frozen=True, slots=True)
class Route:
    """A public host name of a service, the backend behind it and the VPSs that serve it."""

    service: str
    host: str
    backend: str
    """URL, as ``http://100.67.1.20:80``; IPv6 in brackets."""
    middlewares: tuple[str, ...]
    vps_nodes: tuple[str, ...]
    """Tailnet addresses, in the listed order."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Routes sorted by host name, and the claims on host names that lost."""

    routes: tuple[Route, ...]
    conflicts: tuple[Conflict, ...]
    too_long: tuple[TooLong, ...] = ()

    def on(self, vps_address: str) -> tuple[Route, ...]:
        """Return the routes that the VPS at a tailnet address serves."""
        return tuple(route for route in self.routes if vps_address in route.vps_nodes)


def derive_routes(registry: Registry) -> Routes:
    """Return the routes of all services that are public, have an address and a port, and are routed.

    One host name has one owner: the first service by name. Another that claims it for another backend loses.
    """
    claims, routes = Claims(), []
    for service_name, routing in sorted(registry.routing.items()):
        service = registry.services.get(service_name)
        backend = _backend(service) if service is not None else None
        if service is None or backend is None or not routing.vps_nodes:
            continue
        for domain in routing.domains:
            host = host_name(service.subdomain, domain)
            if claims.claim(host, backend, service_name):
                routes.append(Route(service_name, host, backend, service.middlewares, routing.vps_nodes))
    return Routes(tuple(sorted(routes, key=lambda route: route.host)), tuple(claims.conflicts), tuple(claims.too_long))


def _backend(service: Service) -> str | None:
    """Return the URL of a service's backend, None when it must not or cannot be routed."""
    if not service.public or service.ip is None or service.port is None:
        return None
    host = f"[{service.ip}]" if isinstance(ip_address(service.ip), IPv6Address) else service.ip
    return f"{service.scheme}://{host}:{service.port}"
