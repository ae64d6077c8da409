from common.names import derive_names
from common.routes import derive_routes
from publisher.pipeline.parse import Part, parse
from tests.publisher.pipeline.parsing import sample
from tests.registries import REFERENCE


def test_the_reference_cluster_is_read_without_a_problem() -> None:
    """A cluster of the replaced system is taken over as it is."""
    parsed = parse(sample("reference"), None)
    assert parsed.problems == ()
    assert parsed.readable == frozenset(Part)
    assert parsed.registry.routing == REFERENCE.routing
    assert parsed.registry.nodes == REFERENCE.nodes
    assert parsed.registry.vps_nodes == REFERENCE.vps_nodes
    assert parsed.registry.cluster == REFERENCE.cluster
    assert list(derive_names(parsed.registry).records) == [
        "chat.mycloud.local",
        "dashboard.mycloud.local",
        "grafana.mycloud.local",
        "mycloud.local",
        "photos.mycloud.local",
    ]


def test_an_old_cluster_gives_its_good_entries_and_names_every_bad_one() -> None:
    """Flat domains, string ports, a dangling VPS and the rest never stop what is right."""
    parsed = parse(sample("legacy"), None)
    assert derive_names(parsed.registry).records == {
        "minicloud.local": "fd7a:115c:a1e0::10",
        "photos.minicloud.local": "100.67.243.10",
    }
    routes = derive_routes(parsed.registry).on("100.68.225.92")
    assert {route.host: route.backend for route in routes} == {
        "curiios.com": "http://[fd7a:115c:a1e0::10]:3000",
        "photos.curiios.com": "http://100.67.243.10:80",
    }
    said = "\n".join(map(str, parsed.problems))
    for named in ("bad one", "jellyfin", "100.99.99.99", "fastest", "gone", "example.net", "100.68.225.92"):
        assert named in said
    assert "immich-server" not in said, "two services of one name and one address are one record, and no conflict"
    assert [node.name for node in parsed.registry.nodes] == ["vinay-s-macbook"]
    assert all(problem.mend for problem in parsed.problems)
