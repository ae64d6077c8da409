"""JSON that a machine takes, and a person did not mean."""

from common.models import Cluster, Domain, Registry, Routing, Service
from common.names import derive_names
from common.routes import derive_routes
from publisher.source.document import SERVICE_REGISTRY
from tests.publisher.pipeline.parsing import first, texts


def _parsed(services: str) -> list[str]:
    content = {**texts(), SERVICE_REGISTRY: {"services.json": services}}
    return [str(problem) for problem in first(content).problems]


def test_a_key_that_is_written_twice_is_named() -> None:
    """The last one counts; that the first one does not is said, however deep it stands."""
    twice = '{"a": {"subdomain": "a"}, "a": {"subdomain": "b", "ip": "100.64.0.1", "ip": "100.64.0.2"}}'
    said = _parsed(twice)
    assert any("holds 'a' twice" in line for line in said)
    assert any("holds 'ip' twice" in line for line in said)


def test_what_is_nested_too_deep_is_unreadable() -> None:
    """A hundred lists in each other are nobody's registry, and would stop what writes them."""
    assert any("is nested too deep" in line for line in _parsed('{"a": ' + "[" * 300 + "]" * 300 + "}"))


def test_a_name_that_is_too_long_is_nobodys() -> None:
    """Subdomain and zone are names, both together are none: neither a line nor a route, and a word about it."""
    long = ".".join(["q" * 60] * 4)
    registry = Registry(
        cluster=Cluster(domain="mycloud"),
        services={"a": Service(subdomain=long, ip="100.64.0.1", port=80, public=True)},
        domains={"example.com": Domain()},
        routing={"a": Routing(domains=("example.com",), vps_nodes=("100.64.0.9",))},
    )
    names, routes = derive_names(registry), derive_routes(registry)
    assert not names.records
    assert not routes.routes
    assert [claim.claimed_by for claim in (*names.too_long, *routes.too_long)] == ["a", "a"]
    said = _parsed(f'{{"a": {{"subdomain": "{long}", "ip": "100.64.0.1"}}}}')
    assert any("a name has at most 253" in line for line in said)
