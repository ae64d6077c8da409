"""Services that are registered twice: joined where nobody can tell the difference, told where somebody could."""

from typing import Any

import pytest

from common.routes import derive_routes
from publisher.pipeline.parse import parse
from publisher.registry.draft import ROUTING, SERVICES
from publisher.registry.plan import plan_edit
from publisher.registry.takeover import FindingKind, find, take_over
from tests.publisher.pipeline.parsing import DOMAINS, documents, having
from tests.publisher.registry.taking_over import ELSEWHERE, IP, NOW, ROUTE, VPS, Entries, after, left, taken, value

APP: Entries = {"subdomain": "photos", "namespace": "immich", "service": "immich-server", "ip": IP, "port": 80}
BOTH_DOMAINS = {**DOMAINS, "domains": {"curiios.com": {}, "other.com": {}}}
OTHER_ROUTE = {**ROUTE, "domains": ["other.com"]}


def app(*, public: Any = True, **fields: Any) -> Entries:
    """Return an entry of the app."""
    return {**APP, "public": public, **fields}


@pytest.mark.parametrize(
    ("a", "b", "routing", "expected_a", "expected_routing"),
    [
        (app(), app(), {}, app(), {}),
        (app(), app(public="false"), {"a": ROUTE}, app(), {"a": ROUTE}),
        (app(public=False), app(), {"a": ROUTE}, app(public=False), {"a": ROUTE}),
        (app(public=False), app(), {}, app(public=False), {}),
        (app(), app(), {"b": ROUTE}, app(), {"a": ROUTE}),
        (app(public=False), app(public=False), {"b": ROUTE}, app(public=False), {"a": ROUTE}),
        (app(), app(), {"a": ROUTE, "b": ROUTE}, app(), {"a": ROUTE}),
        (app(), app(public=False), {"a": ROUTE, "b": OTHER_ROUTE}, app(), {"a": ROUTE}),
        (APP, app(), {}, APP, {}),
        (app(port="80"), app(mine=1, updated="x"), {}, app(mine=1, updated="x"), {}),
        (app(updated="x", mine=1), app(updated="y", mine=1), {}, app(updated="x", mine=1), {}),
        (app(discovered=True), app(discovered=True), {}, app(discovered=True), {}),
        (app(discovered=True), app(), {}, app(), {}),
        (app(), app(discovered=True), {}, app(), {}),
    ],
)
def test_duplicates_are_joined_into_the_first_by_name(
    a: Entries, b: Entries, routing: Entries, expected_a: Entries, expected_routing: Entries
) -> None:
    """It keeps its own `public`, and takes the route only where it is as public as the one whose route it was."""
    values = {"services_json": {"b": b, "a": a}, "routing_json": routing, "domains_json": BOTH_DOMAINS}
    assert after(SERVICES, **values) == {"a": expected_a}
    assert after(ROUTING, **values) == expected_routing
    (found,) = [each for each in find(documents(having(**values))).mended if each.kind is FindingKind.DUPLICATE]
    assert found.entry == "service b"


@pytest.mark.parametrize(
    ("a", "b", "routing", "why"),
    [
        (app(), app(public=False), {"b": ROUTE}, "it alone has a route, and only one of them is public"),
        (app(public=False), app(), {"b": ROUTE}, "it alone has a route, and only one of them is public"),
        (app(), app(), {"a": ROUTE, "b": OTHER_ROUTE}, "the public routes would be others without it"),
        (app(public=False), app(), {"a": ROUTE, "b": ROUTE}, "the public routes would be others without it"),
        (app(), app(port=81), {}, "another port"),
        (app(), app(scheme="https", middlewares=["a@file"]), {}, "another scheme, middlewares"),
        (app(), app(namespace="", service="x"), {}, "another namespace, service"),
        (app(mine=1), app(mine=True), {}, "another mine"),
        (app(), app(), {"b": ROUTE, "a": 5}, "the route of 'a' cannot be read"),
    ],
)
def test_duplicates_that_differ_in_anything_that_matters_are_left(
    a: Entries, b: Entries, routing: Entries, why: str
) -> None:
    """Something would be lost, or be seen from outside that is not; the reason is told, and the command."""
    values = {"services_json": {"a": a, "b": b}, "routing_json": routing, "domains_json": BOTH_DOMAINS}
    before = documents(having(**values))
    now = taken(before)
    assert (value(now, SERVICES), value(now, ROUTING)) == ({"a": a, "b": b}, routing)
    found = {each.entry: each for each in find(before).left if each.kind is FindingKind.DUPLICATE}["service b"]
    assert found.wrong == f"has the name and the address of 'a', but {why}"
    assert found.commands == ("routecast service remove b",)


def test_what_may_become_of_a_duplicate_is_not_guessed_while_routes_cannot_be_read() -> None:
    """Neither without the routes themselves, nor without what they may name."""
    twins = {"a": app(), "b": app()}
    for values in ({"routing_json": "{"}, {"routing_json": {"b": ROUTE}, "domains_json": "{"}):
        assert after(SERVICES, services_json=twins, **values) == twins
        reason = left(documents(having(services_json=twins, **values)))["service b"][1]
        assert reason.endswith(("the routes cannot be read", "not all that routes name can be read"))


def test_a_route_does_not_move_past_another_that_claims_the_same_host_name() -> None:
    """The first by name has it: as the first's, the route would take it from the one between."""
    services = {"a": app(), "b": app(ip=ELSEWHERE), "c": app()}
    values = {"services_json": services, "routing_json": {"b": ROUTE, "c": ROUTE}}
    before = documents(having(**values))
    assert after(SERVICES, **values) == services
    backends = [route.backend for route in derive_routes(parse(taken(before), None).registry).routes]
    assert backends == [f"http://{ELSEWHERE}:80"]
    unreadable = {**services, "b": app(ip="100.67.243.300")}
    assert after(SERVICES, services_json=unreadable, routing_json={"b": ROUTE, "c": ROUTE}) == unreadable


def test_a_claim_that_is_lost_does_not_change_hands() -> None:
    """It would be another error than before, which no edit may bring: first the conflict, then the duplicate."""
    services = {"0": app(ip=ELSEWHERE), "a": app(), "b": app()}
    before = documents(having(services_json=services, routing_json={"0": ROUTE, "b": ROUTE}))
    assert value(taken(before), SERVICES) == services
    assert plan_edit(before, take_over, NOW).changed


def test_what_one_joining_frees_another_one_uses() -> None:
    """All in one run: a claim that is lost to `c` keeps it from being joined, until its service is joined itself."""
    services = {"a": app(), "c": app(), "ca": app(ip=ELSEWHERE), "d": app(ip=ELSEWHERE)}
    routing = {"c": ROUTE, "ca": OTHER_ROUTE, "d": ROUTE}
    values = {"services_json": services, "routing_json": routing, "domains_json": BOTH_DOMAINS}
    assert list(after(SERVICES, **values)) == ["a", "ca"]
    assert after(ROUTING, **values) == {"a": ROUTE, "ca": OTHER_ROUTE}


@pytest.mark.parametrize("ip", [None, "", "x"])
def test_what_has_no_address_is_no_duplicate(ip: Any) -> None:
    """Two apps may wait for an address."""
    twins = {"a": app(ip=ip), "b": app(ip=ip)}
    assert after(SERVICES, services_json=twins, routing_json={}) == twins


def test_conflicts_are_told_and_left() -> None:
    """On a name in the zone, and on a public host name; each with a command."""
    services = {"a": app(), "b": app(ip=ELSEWHERE), "c": 5}
    before = documents(having(services_json=services, routing_json={"a": ROUTE, "b": ROUTE}))
    conflicts = [each for each in find(before).left if each.kind is FindingKind.CONFLICT]
    assert [each.wrong.partition(",")[0] for each in conflicts] == [
        "claims photos.curiios.com",
        "claims photos.mycloud.local",
    ]
    expected = ("routecast service add b --subdomain b", "routecast service remove b")
    assert {each.commands for each in conflicts} == {expected}
    assert value(taken(before), SERVICES) == services


def test_private_services_that_are_routed_are_told() -> None:
    """The replaced tool's `sync` made everything private: most of them were meant to be public."""
    before = documents(having(services_json={"a b": app(public=False)}, routing_json={"a b": ROUTE}))
    (found,) = [each for each in find(before).left if each.kind is FindingKind.PRIVATE_BUT_ROUTED]
    assert found.wrong == "is private, so its route under curiios.com is not served"
    assert found.commands == ("routecast service publish 'a b'", "routecast route remove 'a b'")
    assert value(taken(before), SERVICES) == {"a b": app(public=False)}


def test_nodes_that_are_called_otherwise_on_the_bus_are_told() -> None:
    """Also one without a name, and one whose plain name is another's; those that are called as written are not."""
    nodes = [
        {"name": "Mac", "ip": "100.1.1.1"},
        {"name": "mac", "ip": "100.1.1.2"},
        {"ip": "100.1.1.3"},
        {"name": "fine", "ip": "100.1.1.4"},
        {"name": "Broken", "ip": "x"},
    ]
    vps = [{"name": "vps", "ip": VPS}]
    before = documents(having(registry_json={"management_laptops": nodes, "vps_nodes": vps, "worker_nodes": []}))
    assert {
        entry: wrong.partition(":")[0] for entry, (kind, wrong) in left(before).items() if kind.name == "NODE_NAME"
    } == {
        "node Mac": "is 'mac' on the bus",
        "node mac": "is 'mac-100-1-1-2' on the bus, as another node has the plain name",
        "node 100.1.1.3": "is 'node-100-1-1-3' on the bus",
    }
    assert left(before)["node Broken"][0] is FindingKind.INVALID


def test_everything_else_that_the_parser_says_is_told_by_entry() -> None:
    """With the command that it names, once for an entry; of the whole where the whole is meant."""
    content = having(
        services_json={"x": {"subdomain": "a..b", "ip": "y"}, "z": {"subdomain": "z", "ip": IP, "namespace": 5}},
        domains_json={"domains": {"no..name": {}}, "vps_nodes": [{"tailscale_ip": VPS, "public_ip": "x"}]},
        routing_json={"z": {"domains": 5}},
    )
    content["cluster-info"] = {}
    found = left(documents(content))
    assert found["service x"][0] is FindingKind.INVALID
    assert found["service z"][0] is FindingKind.ODD
    assert found["domain no..name"][0] is FindingKind.INVALID
    assert found[f"VPS {VPS}"][0] is FindingKind.INVALID
    assert found["route z"][0] is FindingKind.INVALID
    assert found["cluster-info/cluster-domain"][0] is FindingKind.UNREADABLE
