from hypothesis import given

from common.models import Registry, Routing, Scheme, Service
from common.routes import derive_routes
from tests.registries import REFERENCE, registries, with_service

VPS1 = "100.68.225.92"


def test_the_reference_registry_routes_four_host_names() -> None:
    """Each of the two routed services is served under each of its two domains, on both VPSs."""
    routes = derive_routes(REFERENCE)
    assert [(route.host, route.backend) for route in routes.on(VPS1)] == [
        ("chat.curiios.com", "http://100.67.243.11:80"),
        ("chat.vinaysachdeva.com", "http://100.67.243.11:80"),
        ("photos.curiios.com", "http://100.67.243.10:80"),
        ("photos.vinaysachdeva.com", "http://100.67.243.10:80"),
    ]
    assert routes.on("100.70.123.45") == routes.on(VPS1)
    assert routes.on("100.99.99.99") == ()
    assert routes.conflicts == ()


def test_an_ipv6_backend_stands_in_brackets_with_its_scheme() -> None:
    """A backend is a URL: IPv6 in brackets, the scheme as the service says."""
    service = Service(subdomain="@", ip="fd7a:115c:a1e0::10", port=3000, public=True, scheme=Scheme.HTTPS)
    registry = with_service("home", service)
    routed = registry.model_copy(update={"routing": {"home": Routing(domains=("curiios.com",), vps_nodes=(VPS1,))}})
    (route,) = derive_routes(routed).routes
    assert (route.host, route.backend) == ("curiios.com", "https://[fd7a:115c:a1e0::10]:3000")


def test_one_host_name_has_one_owner() -> None:
    """Of two services with one subdomain the first by name is served, the other is told of."""
    registry = with_service("aaa", Service(subdomain="photos", ip="100.67.243.99", port=80, public=True))
    routing = {**registry.routing, "aaa": Routing(domains=("curiios.com",), vps_nodes=(VPS1,))}
    routes = derive_routes(registry.model_copy(update={"routing": routing}))
    assert {route.host: route.service for route in routes.routes}["photos.curiios.com"] == "aaa"
    assert [(c.name, c.owner, c.loser) for c in routes.conflicts] == [("photos.curiios.com", "aaa", "immich")]


@given(registries())
def test_what_is_not_public_never_leaves(registry: Registry) -> None:
    """Only a public service with address, port and a VPS has routes, and only under its own domains."""
    for route in derive_routes(registry).routes:
        service, routing = registry.services[route.service], registry.routing[route.service]
        assert service.public
        assert service.ip is not None
        assert service.port is not None
        assert route.vps_nodes == routing.vps_nodes != ()
        assert any(route.host.endswith(domain) for domain in routing.domains)


def test_routing_of_an_unknown_service_gives_nothing() -> None:
    """A routing entry that names no service is passed over."""
    registry = REFERENCE.model_copy(update={"services": {}})
    assert derive_routes(registry).routes == ()
