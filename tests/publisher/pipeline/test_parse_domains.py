from typing import Any

import pytest

from common.models import Domain, Routing, Strategy, Vps
from publisher.pipeline.parse import Part
from tests.publisher.pipeline.parsing import DOMAINS, ROUTING, after, first, having, lines

VPS = Vps(tailscale_ip="100.68.225.92", public_ip="45.8.133.192", location="eu")
OLD_VPS = {"100.68.225.92": {"public_ip": "45.8.133.192", "region": "eu"}}


@pytest.mark.parametrize(
    ("domains", "old"),
    [
        (DOMAINS, None),
        ({"curiios.com": {"description": "Site"}}, OLD_VPS),
        ({"domains": {}, "vps_nodes": [], "Curiios.com.": {"description": " Site"}}, OLD_VPS),
        ({**DOMAINS, "vps_nodes": OLD_VPS}, None),
        ({**DOMAINS, "metadata": {"version": "1"}}, [{"tailscale_ip": "100.68.225.92", "public_ip": "45.8.133.192",
                                                     "location": "eu"}]),
    ],
)  # fmt: skip
def test_every_shape_gives_the_same_registry(domains: dict[str, Any], old: Any) -> None:
    """Current, flat, mixed: a cluster is taken over as it is."""
    parsed = first(having(domains_json=domains, vps_nodes_json=old))
    assert parsed.registry.domains == {"curiios.com": Domain(description="Site")}
    assert parsed.registry.vps_nodes == (VPS,)
    assert parsed.problems == ()


@pytest.mark.parametrize("nested", [None, [], "x"])
def test_domains_that_are_no_object_keep_the_previous_ones(nested: Any) -> None:
    """Those at the root are read all the same."""
    parsed = after(having(domains_json={**DOMAINS, "domains": nested, "new.org": {}}))
    assert set(parsed.registry.domains) == {"curiios.com", "new.org"}
    assert Part.DOMAINS not in parsed.readable
    assert Part.VPS_NODES in parsed.readable
    assert "the field domains must be an object" in lines(parsed.problems)[0]


def test_a_domain_that_is_no_object_or_no_name_is_a_problem_of_its_own() -> None:
    """Its previous form stays, the others are read."""
    content = having(
        domains_json={**DOMAINS, "domains": {"curiios.com": "Site", "new.org": None, "a b": {}, "x.org": {}}}
    )
    parsed = after(content)
    assert parsed.registry.domains == {"curiios.com": Domain(description="Site"), "x.org": Domain()}
    assert [problem.entry for problem in parsed.problems] == ["a b", "curiios.com", "new.org"]


def test_a_domain_that_is_written_twice_counts_once() -> None:
    """The nested one goes first; a broken one takes no valid one's place."""
    parsed = first(having(domains_json={**DOMAINS, "CURIIOS.com": {"description": "Other"}}))
    assert parsed.registry.domains == {"curiios.com": Domain(description="Site")}
    assert "more than once" in lines(parsed.problems)[0]
    parsed = first(having(domains_json={**DOMAINS, "domains": {"CURIIOS.com": None, "curiios.com": {}}}))
    assert parsed.registry.domains == {"curiios.com": Domain()}


@pytest.mark.parametrize(
    ("domains", "old"),
    [
        ({**DOMAINS, "vps_nodes": "x"}, None),
        ({**DOMAINS, "vps_nodes": []}, ""),
        ({**DOMAINS, "vps_nodes": []}, "null"),
        ({**DOMAINS, "vps_nodes": []}, "{"),
        ({"curiios.com": {"description": "Site"}}, None),
        ("[]", None),
    ],
)
def test_vps_nodes_that_cannot_be_read_stay(domains: Any, old: Any) -> None:
    """Neither a broken list nor a lost key takes the routes from a VPS."""
    parsed = after(having(domains_json=domains, vps_nodes_json=old))
    assert parsed.registry.vps_nodes == (VPS,)
    assert Part.VPS_NODES not in parsed.readable
    assert any("the previous form is kept" in line for line in lines(parsed.problems))


@pytest.mark.parametrize("vps_nodes", [None, []])
def test_an_empty_list_of_vps_nodes_is_empty(vps_nodes: Any) -> None:
    """What is absent from a readable document is removed."""
    parsed = after(having(domains_json={"domains": DOMAINS["domains"], "vps_nodes": vps_nodes}))
    assert parsed.registry.vps_nodes == ()
    assert Part.VPS_NODES in parsed.readable


def test_an_empty_object_is_empty() -> None:
    """A well-formed ``{}`` says that there is nothing."""
    parsed = after(having(domains_json={}, routing_json={}))
    assert (parsed.registry.domains, parsed.registry.vps_nodes, parsed.registry.routing) == ({}, (), {})
    assert parsed.problems == ()


@pytest.mark.parametrize(
    "broken",
    [
        {"tailscale_ip": "100.68.225.92", "public_ip": "45.8.133"},
        {"tailscale_ip": "100.68.225.920", "public_ip": "45.8.133.192"},
        {"public_ip": "45.8.133.192"},
    ],
)
def test_a_broken_vps_keeps_its_previous_form(broken: Any) -> None:
    """It is known by its tailnet address or, while that is broken, by its public one."""
    parsed = after(having(domains_json={**DOMAINS, "vps_nodes": [broken, {"tailscale_ip": "100.1.1.1"}]}))
    assert [vps.tailscale_ip for vps in parsed.registry.vps_nodes] == ["100.1.1.1", "100.68.225.92"]
    assert parsed.registry.vps_nodes[1] == VPS
    assert "the previous form is kept" in lines(parsed.problems)[0]


@pytest.mark.parametrize("broken", [None, 5, {}, {"tailscale_ip": 5}, {"tailscale_ip": "x", "public_ip": "y"}])
def test_a_vps_that_nobody_knows_is_left_out(broken: Any) -> None:
    """And named by its place in the list."""
    parsed = after(having(domains_json={**DOMAINS, "vps_nodes": [*DOMAINS["vps_nodes"], broken]}))
    assert parsed.registry.vps_nodes == (VPS,)
    assert parsed.problems[0].entry in {"vps_nodes, item 2", "x"}
    assert "it is left out" in lines(parsed.problems)[0]


def test_a_broken_vps_of_the_old_key_is_known_by_its_key() -> None:
    """The key is its address."""
    parsed = after(having(domains_json={**DOMAINS, "vps_nodes": []}, vps_nodes_json={"100.68.225.92": None, "x": {}}))
    assert parsed.registry.vps_nodes == (VPS,)
    assert [problem.entry for problem in parsed.problems] == ["100.68.225.92", "x"]


def test_a_vps_that_is_written_twice_counts_once() -> None:
    """A word is said only when the two differ."""
    parsed = first(having(vps_nodes_json=OLD_VPS))
    assert parsed.registry.vps_nodes == (VPS,)
    assert parsed.problems == ()
    parsed = first(having(vps_nodes_json={"100.68.225.92": {}}))
    assert parsed.registry.vps_nodes == (VPS,)
    assert "written more than once, and differently" in lines(parsed.problems)[0]


def test_vps_nodes_are_sorted_by_number() -> None:
    """One order, whoever wrote the list."""
    found = [{"tailscale_ip": each} for each in ("100.100.0.1", "fd7a::1", "100.20.0.1")]
    parsed = first(having(domains_json={**DOMAINS, "vps_nodes": found}))
    assert [vps.tailscale_ip for vps in parsed.registry.vps_nodes] == ["100.20.0.1", "100.100.0.1", "fd7a::1"]


def test_a_vps_without_a_node_is_a_warning() -> None:
    """Nobody would write its routes."""
    parsed = first(having(registry_json={}))
    [problem] = parsed.problems
    assert problem.entry == "100.68.225.92"
    assert "sync-controller-registry" in problem.message


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"domains": " curiios.com ,", "vps_nodes": "100.68.225.92"}, Routing(domains=("curiios.com",),
                                                                              vps_nodes=("100.68.225.92",))),
        ({"domains": ["Curiios.com", " curiios.com "], "vps_nodes": None}, Routing(domains=("curiios.com",))),
        ({"strategy": " Primary-Backup"}, Routing(strategy=Strategy.PRIMARY_BACKUP)),
        ({"strategy": None}, Routing()),
    ],
)  # fmt: skip
def test_routing_is_read_as_it_is_found(entry: Any, expected: Routing) -> None:
    """Blanks after commas, one text for a list, nulls."""
    parsed = first(having(routing_json={"immich": entry}))
    assert parsed.registry.routing == {"immich": expected}
    assert parsed.problems == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"domains": ["curiios.com", "example.net"]}, "domains: 'example.net' is not registered; it is left out"),
        ({"domains": ["curiios.com", "a b"]}, "domains: 'a b' is not a DNS name"),
        ({"domains": ["curiios.com", None]}, "domains: 'null' is not registered"),
        ({"vps_nodes": ["100.68.225.92", "100.99.99.99"]}, "vps_nodes: '100.99.99.99' is not registered"),
        ({"vps_nodes": ["100.68.225.92", [{"x": "y" * 100}]]}, "vps_nodes: "),
        ({"strategy": "fastest"}, "the strategy 'fastest' is unknown"),
        ({"strategy": "geo"}, "the strategy 'geo' is reserved"),
        ({"strategy": 5}, "strategy must be a text"),
    ],
)
def test_what_is_not_registered_is_left_out_with_a_warning(fields: Any, said: str) -> None:
    """The rest of the entry counts."""
    parsed = first(having(routing_json={"immich": {**ROUTING["immich"], **fields}}))
    assert parsed.registry.routing == {
        "immich": Routing(domains=("curiios.com",), vps_nodes=("100.68.225.92",)),
    }
    [line] = lines(parsed.problems)
    assert line.startswith("warning domain-registry/routing.json immich: ")
    assert said in line


def test_an_entry_of_an_unknown_service_is_left_out_whole() -> None:
    """A service that is left out because it is invalid counts as unknown."""
    parsed = first(having(routing_json={**ROUTING, "gone": ROUTING["immich"], "": None}))
    assert set(parsed.registry.routing) == {"immich"}
    assert {problem.entry for problem in parsed.problems} == {"gone", ""}


@pytest.mark.parametrize("entry", [None, 5, [], {"domains": 5}, {"vps_nodes": {}}])
def test_an_invalid_entry_keeps_its_previous_routing(entry: Any) -> None:
    """Without a previous one it is left out."""
    before = Routing(domains=("curiios.com",), vps_nodes=("100.68.225.92",))
    assert after(having(routing_json={"immich": entry})).registry.routing == {"immich": before}
    assert first(having(routing_json={"immich": entry})).registry.routing == {}


@pytest.mark.parametrize("routing", ["", "{", "null", None, {"immich": 5}])
def test_kept_routing_loses_what_is_no_longer_registered(routing: Any) -> None:
    """A domain or VPS that was removed on purpose serves nothing, even while the routing cannot be read."""
    domains: dict[str, Any] = {"domains": {}, "vps_nodes": []}
    parsed = after(having(routing_json=routing, domains_json=domains))
    assert parsed.registry.routing == {"immich": Routing()}
    parsed = after(having(routing_json=routing, services_json={}))
    assert parsed.registry.routing == {}
    assert "immich" in "\n".join(lines(parsed.problems))


def test_two_services_that_claim_a_public_name_are_a_problem() -> None:
    """The first by name wins."""
    photos = {"subdomain": "photos", "ip": "100.67.243.11", "port": 80, "public": True}
    services = {"a": photos, "b": {**photos, "port": 81}}
    parsed = first(having(services_json=services, routing_json=dict.fromkeys(services, ROUTING["immich"])))
    assert [problem.entry for problem in parsed.problems] == ["b"]
    assert parsed.problems[0].document == "domain-registry/routing.json"
