from functools import partial
from typing import Any

import pytest

from publisher.registry.draft import ROUTING, SERVICES
from publisher.registry.plan import Edit
from publisher.registry.routes import RouteFields, remove_route, set_route, withdraw_from_routes
from tests.publisher.pipeline.parsing import DOMAINS as ROOT
from tests.publisher.pipeline.parsing import ROUTING as ROUTES
from tests.publisher.pipeline.parsing import SERVICES as APPS
from tests.publisher.registry.editing import NOW, edited, planned, refused, told, value, whole

VPS = "100.68.225.92"


def _set(service: str, **fields: Any) -> Edit:
    return partial(set_route, service=service, given=RouteFields(**fields))


def test_a_route_makes_its_service_public_and_says_so() -> None:
    """In the same command; the service first, as it withdraws nothing."""
    plan = planned(whole(), _set("grafana", domains=("Curiios.com.",), vps_nodes=("vps-1",)))
    assert plan.notes == ("grafana was private: this makes it public",)
    assert told(plan) == [
        "service grafana.public: False -> True",
        "route grafana.strategy: None -> 'round-robin'",
        "route grafana.domains: None -> ['curiios.com']",
        f"route grafana.vps_nodes: None -> ['{VPS}']",
    ]
    assert list(plan.writes) == [SERVICES.document, ROUTING.document]


@pytest.mark.parametrize(
    ("public", "says"), [(True, False), ("true", False), (" True", False), (None, True), ("false", True), (1, True)]
)
def test_only_a_service_that_was_private_is_said_to_have_been(public: Any, says: bool) -> None:
    """As the parser reads the field."""
    before = whole(services_json={"immich": {**APPS["immich"], "public": public}})
    plan = planned(before, _set("immich"))
    assert bool(plan.notes) is says
    assert value(edited(before, _set("immich")), SERVICES)["immich"]["public"] is True


def test_setting_one_field_keeps_the_others() -> None:
    """Also what we do not know, and a strategy that nobody knows."""
    present = {**ROUTES["immich"], "strategy": "fastest", "x": [1], "vps_nodes": [VPS, " 100.99.99.99"]}
    before = whole(
        routing_json={"immich": present, "other": 5}, domains_json={**ROOT, "domains": {"curiios.com": {}, "a.org": {}}}
    )
    after = edited(before, _set("immich", domains=("a.org", "curiios.com", "A.ORG")))
    assert value(after, ROUTING) == {
        "immich": {**present, "domains": ["a.org", "curiios.com"], "updated": NOW},
        "other": 5,
    }
    assert not planned(after, _set("immich", domains=("a.org", "curiios.com"))).changed


def test_the_order_of_the_vps_nodes_is_kept() -> None:
    """The first one is the primary."""
    root = {**ROOT, "vps_nodes": [{"tailscale_ip": "100.1.1.1"}, *ROOT["vps_nodes"]]}
    after = edited(whole(domains_json=root), _set("immich", vps_nodes=("100.1.1.1", VPS), strategy="primary-backup"))
    assert value(after, ROUTING)["immich"]["vps_nodes"] == ["100.1.1.1", VPS]
    after = edited(after, _set("immich", vps_nodes=(VPS, "100.1.1.1")))
    assert value(after, ROUTING)["immich"]["vps_nodes"] == [VPS, "100.1.1.1"]


def test_all_that_does_not_exist_is_said_at_once_with_the_command_that_makes_it() -> None:
    """Ready to paste, whatever was typed."""
    faults = refused(whole(), _set("nope; rm -rf /", domains=("x y",), vps_nodes=("1.1.1.1", "nobody"), strategy="geo"))
    assert faults == (
        "there is no service 'nope; rm -rf /' (registered: grafana, immich); "
        "add it with: routecast service add 'nope; rm -rf /' --ip ADDRESS --port PORT",
        "there is no domain 'x y' (registered: curiios.com); add it with: routecast domain add 'x y'",
        f"there is no VPS '1.1.1.1' (registered: {VPS}); add it with: routecast vps add 1.1.1.1",
        f"there is no VPS 'nobody' (registered: {VPS}); add it with: routecast vps add nobody",
        "--strategy: 'geo' is reserved and not built yet; known are round-robin, primary-backup",
    )


def test_a_new_route_must_say_where_and_an_old_one_cannot_be_emptied() -> None:
    """There is a command for that."""
    assert refused(whole(routing_json={}), _set("immich", strategy="fastest")) == (
        "--strategy: 'fastest' is unknown; known are round-robin, primary-backup",
        "'immich' is not routed yet: a new route needs --domain",
        "'immich' is not routed yet: a new route needs --vps",
    )
    faults = refused(whole(), _set("immich", domains=(), vps_nodes=()))
    assert [fault.partition(":")[0] for fault in faults] == ["--domain", "--vps"]


def test_a_route_that_is_no_object_is_made_anew() -> None:
    """It holds nothing to keep."""
    before = whole(routing_json={"immich": ["curiios.com"]})
    after = edited(before, _set("immich", domains=("curiios.com",), vps_nodes=(VPS,)))
    assert value(after, ROUTING)["immich"]["strategy"] == "round-robin"


def test_a_service_that_is_no_object_can_be_routed_with_a_warning() -> None:
    """It is left out until it is mended."""
    plan = planned(
        whole(services_json={"immich": None}, routing_json={}),
        _set("immich", domains=("curiios.com",), vps_nodes=(VPS,)),
    )
    assert "not registered, or not valid" in plan.warnings[0].message
    assert list(plan.writes) == [ROUTING.document]


@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_a_host_name_of_another_service_is_not_taken(name: str) -> None:
    """Neither won nor lost in silence: one address, two ports, one public name."""
    before = whole(services_json={**APPS, name: {**APPS["immich"], "port": 81}})
    [fault] = refused(before, _set(name, domains=("curiios.com",), vps_nodes=(VPS,)))
    assert "claims photos.curiios.com, which" in fault


def test_a_removed_route_leaves_the_service_as_it_is() -> None:
    """Public, for the day on which it is routed again."""
    after = edited(whole(), partial(remove_route, service="immich"))
    assert (value(after, ROUTING), value(after, SERVICES)) == ({}, APPS)
    assert refused(after, partial(remove_route, service="immich"))[0].startswith(
        "there is no route of a service 'immich'"
    )


def test_a_route_of_a_service_that_is_gone_can_be_removed() -> None:
    """The replaced system left such."""
    before = whole(routing_json={**ROUTES, "gone": ROUTES["immich"]})
    assert value(edited(before, partial(remove_route, service="gone")), ROUTING) == ROUTES


@pytest.mark.parametrize(
    ("present", "left"),
    [
        (["a", "b"], ["a"]),
        ([" a ", "b", "b"], [" a "]),
        (["a, b", 5, None, "c,d"], ["a", 5, None, "c,d"]),
        ("a, b,c", ["a", "c"]),
        (["a"], ["a"]),
        (5, 5),
        (None, None),
        ({"b": 1}, {"b": 1}),
        ([], []),
    ],
)
def test_what_is_gone_is_taken_out_of_every_route_and_nothing_else(present: Any, left: Any) -> None:
    """However the list is written, and whatever else stands in it."""
    routing = {"x": {"domains": present, "y": "b"}, "z": "b"}
    withdraw_from_routes(routing, "domains", lambda item: item == "b")
    assert routing == {"x": {"domains": left, "y": "b"}, "z": "b"}


@pytest.mark.parametrize("present", ["b", ["b"], " b ,b", ["b", 5]])
def test_a_route_that_leads_nowhere_else_goes(present: Any) -> None:
    """It would be served nowhere."""
    routing = {"x": {"domains": present}, "z": {"domains": ["a"]}}
    withdraw_from_routes(routing, "domains", lambda item: item == "b")
    assert routing == {"z": {"domains": ["a"]}}
