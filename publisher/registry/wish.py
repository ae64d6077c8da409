"""What a Service of type LoadBalancer asks of the registry, by its annotations and its name. Pure.

The rules are those of the replaced system, so that a cluster that is taken over keeps its names. What becomes of what
a Service asks for is decided in `publisher.registry.discover`.
"""

from dataclasses import dataclass

from common.models import Scheme
from common.values import subdomain
from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.text import checked
from publisher.source.cluster_service import PORT, SUBDOMAIN, ClusterService, ServicePort

_OLD_PREFIX = "mynodeone.io"
_SUBDOMAINS = {
    "argocd-server": "argocd",
    "dashboard": "dashboard",
    "demo": "demo",
    "demo-chat-app": "demo-chat",
    "kube-prometheus-stack-grafana": "grafana",
    "longhorn-frontend": "longhorn",
    "minio": "minio-api",
    "minio-console": "minio",
    "open-webui": "chat",
}
_SUFFIXES = ("-server", "-frontend")
_WEB_NAMES = {"http", "web"}
_HTTP, _HTTPS = 80, 443
_UNTOLD = 3
"""The preference of a port that neither its name nor its number tells anything of."""
_SHOWN = 60
"""How much of an annotation a message shows, in characters."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a Service asks to be registered with."""

    service: ClusterService
    addresses: tuple[str, ...]
    """The usable ones, the one to prefer first."""
    subdomain: str
    """The empty one is the zone itself."""
    subdomain_given: bool
    """An annotation says it, not the name."""
    port: ServicePort | None
    port_given: bool
    port_note: str | None
    """What to say to a person when this port is used, and another would have been as good."""
    problems: tuple[str, ...]


def read_wish(service: ClusterService, zone: str | None) -> Wish:
    """Return what a Service asks for; annotations begin with the zone, which is None in a cluster without a domain.

    A blank annotation is none; the zone itself is asked for with ``@``. One that is faulty is a problem, and the next
    that is there counts, in the end the name.
    """
    problems: list[str] = []
    addresses = tuple(ip for ip in map(readable_address, (service.ip, *service.other_ips)) if ip is not None)
    if service.ip is not None and not addresses:
        problems.append(f"{service} has the address {service.ip!r}, at which nothing can be reached")
    given, named = _given_subdomain(service, zone, problems), _given_port(service, zone, problems)
    return Wish(
        service,
        addresses,
        subdomain=subdomain_of(service.name) if given is None else given,
        subdomain_given=given is not None,
        port=named or preferred_port(service.ports),
        port_given=named is not None,
        port_note=None if named else _port_note(service, zone),
        problems=tuple(problems),
    )


def subdomain_of(name: str) -> str:
    """Return the subdomain of a Service without an annotation: known apps have names of their own."""
    if name in _SUBDOMAINS:
        return _SUBDOMAINS[name]
    suffix = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix).rstrip("-")


def preferred_port(ports: tuple[ServicePort, ...]) -> ServicePort | None:
    """Return the port that a browser would want: the one called http or web, 80, https or 443, the lowest."""
    return min(ports, key=lambda port: (_preference(port), port.port, port.name), default=None)


def _preference(port: ServicePort) -> int:
    if port.name in _WEB_NAMES:
        return 0
    if port.port == _HTTP:
        return 1
    return 2 if port.scheme is Scheme.HTTPS else _UNTOLD


def _port_note(service: ClusterService, zone: str | None) -> str | None:
    taken = preferred_port(service.ports)
    if taken is None:
        return f"{service} has no TCP port: it gets a name, but no port to route to"
    if len(service.ports) == 1 or _preference(taken) < _UNTOLD:
        return None
    return (
        f"nothing says which port of {service} is the one for browsers ({_listed(service.ports)}): {taken} is taken;"
        f" the annotation {zone or 'ZONE'}/{PORT} would say it"
    )


def _given_subdomain(service: ClusterService, zone: str | None, problems: list[str]) -> str | None:
    """Return the subdomain of the first annotation that holds one, None when none does."""
    valid: dict[str, str] = {}
    for key in [f"{prefix}/{SUBDOMAIN}" for prefix in (zone, _OLD_PREFIX) if prefix is not None]:
        text = service.annotations.get(key, "").strip()
        if text:
            try:
                valid[key] = checked(subdomain, text)
            except ValueError as e:
                problems.append(f"{service}: the annotation {key} is not used: {e}")
    if len(set(valid.values())) > 1:
        both = " and ".join(f"{key} asks for {value or '@'}" for key, value in valid.items())
        problems.append(f"{service}: {both}: the first one counts")
    return next(iter(valid.values()), None)


def _given_port(service: ClusterService, zone: str | None, problems: list[str]) -> ServicePort | None:
    """Return the port that the annotation names or numbers, None when it does neither."""
    key = f"{zone}/{PORT}"
    text = service.annotations.get(key, "").strip()
    named = next((port for port in service.ports if text in {port.name, str(port.port)}), None) if text else None
    if text and named is None:
        problems.append(
            f"{service}: the annotation {key} is not used: {text[:_SHOWN]!r} is none of its ports"
            f" ({_listed(service.ports) or 'it has none'})"
        )
    return named


def _listed(ports: tuple[ServicePort, ...]) -> str:
    return ", ".join(str(port) for port in sorted(ports, key=lambda port: (port.port, port.name)))
