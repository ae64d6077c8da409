"""Where in a registry a text is found that was put in a field: its form, or what stands there instead."""

from collections.abc import Callable, Container
from typing import Any

from common.models import Registry, Role

VPS, LAPTOP, SITE = "100.68.225.92", "100.86.112.112", "curiios.com"
"""What `tests.publisher.pipeline.parsing` registers beside the service immich, with one of each."""

Find = Callable[[Registry, Any], Any]


def of_service(field: str) -> Find:
    """Find a field of the service."""
    return lambda registry, _: getattr(registry.services["immich"], field)


def of_route(field: str) -> Find:
    """Find a field of its route."""
    return lambda registry, _: getattr(registry.routing["immich"], field)


def of_vps(field: str) -> Find:
    """Find a field of the VPS."""
    return lambda registry, _: next(getattr(vps, field) for vps in registry.vps_nodes if vps.tailscale_ip == VPS)


def of_laptop(field: str) -> Find:
    """Find a field of the laptop."""
    return lambda registry, _: next((getattr(n, field) for n in registry.nodes if n.role is Role.LAPTOP), None)


def of_cluster(field: str) -> Find:
    """Find what the cluster calls itself."""
    return lambda registry, _: getattr(registry.cluster, field)


def description(registry: Registry, _: Any) -> Any:
    """Find the description of the domain."""
    return registry.domains[SITE].description


def _among(names: Callable[[Registry], Container[Any]]) -> Find:
    return lambda registry, form: form if form in names(registry) else None


among_services = _among(lambda registry: registry.services)
among_domains = _among(lambda registry: registry.domains)
among_vps_nodes = _among(lambda registry: [vps.tailscale_ip for vps in registry.vps_nodes])
among_routes = _among(lambda registry: registry.routing)
among_nodes = _among(lambda registry: [node.name for node in registry.nodes])
