"""Taking over a registry of the replaced system: what is found, what is written, what is left to people."""

from typing import Any

import pytest

from publisher.registry.draft import DOMAINS, NODES, OLD_VPS_NODES, ROUTING, SERVICES
from publisher.registry.plan import plan_edit
from publisher.registry.takeover import FindingKind, find, take_over
from publisher.source.document import CLUSTER_INFO
from tests.publisher.pipeline.parsing import documents, having, sample
from tests.publisher.registry.taking_over import NOW, ROUTE, VPS, Entries, after, left, taken, value


def test_an_early_cluster_is_written_in_the_current_shape() -> None:
    """Every shape of the sample, in one plan; what a person must decide stands as it stood."""
    before = sample("legacy")
    now = taken(before)
    assert value(now, DOMAINS) == {
        "domains": {
            "curiios.com": {"description": 'Main "site"', "registered": "2025-10-30T09:00:00Z", "status": "active"}
        },
        "vps_nodes": [
            {"tailscale_ip": VPS, "public_ip": "45.8.133.192", "location": "eu", "provider": "contabo"},
        ],
    }
    assert OLD_VPS_NODES.key not in (now[OLD_VPS_NODES.document].data or {})
    assert value(now, ROUTING) == {
        "immich": {"domains": ["curiios.com"], "vps_nodes": [VPS], "strategy": "round-robin"},
        "home": {"domains": ["curiios.com"], "vps_nodes": [VPS], "strategy": "primary-backup"},
    }
    old, new = value(before, SERVICES), value(now, SERVICES)
    assert new == {
        "immich": {**old["immich"], "port": 80, "public": True},
        **{name: old[name] for name in ("jellyfin", "home", "bad one")},
    }
    laptop = {"ip": "100.86.112.112", "name": "Vinay's MacBook", "ssh_user": "vinay"}
    assert value(now, NODES) == {"management_laptops": [laptop], "vps_nodes": [], "worker_nodes": []}
    assert now[CLUSTER_INFO] == before[CLUSTER_INFO]


def test_an_early_cluster_is_reported_completely() -> None:
    """What is done about each thing, and for what is left the commands, ready to paste."""
    found = find(sample("legacy"))
    assert [(each.kind.name, each.entry) for each in found.mended] == [
        ("SHAPE", "domain curiios.com"),
        ("SHAPE", f"VPS {VPS}"),
        ("SHAPE", "VPSs"),
        ("SHAPE", "nodes"),
        ("SHAPE", "nodes"),
        ("SPELLING", f"VPS {VPS}"),
        ("SPELLING", "route immich"),
        ("SPELLING", "service immich"),
        ("SPELLING", "service immich"),
        ("STALE", "route immich"),
        ("STALE", "route immich"),
        ("STALE", "route gone"),
        ("STRATEGY", "route immich"),
        ("DUPLICATE", "service immich-server"),
    ]
    assert {(each.kind.name, each.entry): each.commands[0] for each in found.left} == {
        ("INVALID", "service bad one"): "routecast service add 'bad one' --subdomain a-b --ip ADDRESS --port PORT",
        ("ODD", "service jellyfin"): "routecast service discover",
        ("VPS_WITHOUT_NODE", f"VPS {VPS}"): f"routecast node add vps contabo-eu {VPS}",
        ("NODE_NAME", "node Vinay's MacBook"): "routecast node remove vinay-s-macbook --yes && "
        "routecast node add laptop NAME 100.86.112.112",
    }
    instead = [command for each in found.mended for command in each.commands]
    assert instead == ["routecast domain add example.net", "routecast vps add 100.99.99.99"]
    assert len(found.mended) + len(found.left) == len(found.found)


def test_a_registry_in_the_current_shape_has_nothing_to_take_over() -> None:
    """And nothing is found in it."""
    before = sample("reference")
    assert find(before).found == ()
    assert not plan_edit(before, take_over, NOW).changed


JOINED: Entries = {"domains": {"a.com": {"status": "x", "description": "D"}}, "vps_nodes": []}


@pytest.mark.parametrize(
    ("domains", "expected"),
    [
        ({"a.com": {"x": 1}}, {"domains": {"a.com": {"x": 1}}, "vps_nodes": []}),
        ({"domains": {"A.com.": {}}}, {"domains": {"a.com": {}}, "vps_nodes": []}),
        ({"domains": {"z.com": {}, "A.com": {}, "y.com": {}}, "vps_nodes": []}, None),
        ({"domains": {"b\u00fccher.example": {}}}, {"domains": {"xn--bcher-kva.example": {}}, "vps_nodes": []}),
        ({"domains": {}, "vps_nodes": None, "mine": 1}, {"domains": {}, "vps_nodes": [], "mine": 1}),
        ({"domains": {"a.com": {"status": "x"}}, "A.com": {"description": "D", "status": "y"}}, JOINED),
        ({"domains": {"A.com": {"status": "x", "description": ""}, "a.com": {"description": "D"}}}, JOINED),
        ({}, {"domains": {}, "vps_nodes": []}),
    ],
)
def test_domains_move_below_their_field(domains: Entries, expected: Any) -> None:
    """Each once, under its canonical name, in its order; other fields, known or not, stay."""
    found = after(DOMAINS, domains_json=domains, routing_json={})
    if expected is None:
        assert list(found["domains"]) == ["z.com", "a.com", "y.com"]
    else:
        assert found == expected


@pytest.mark.parametrize(
    "domains",
    [
        {"domains": {"a.com": "D"}, "A.com": {}},
        {"domains": {"no..name": {}, "a.com": 5}, "other..name": {}},
        {"domains": {"a.com": {"description": "D"}}, "a.com": {"description": "E"}},
        {"domains": {"a": {"description": "D"}, "A": {"description": "E"}}},
        {"domains": None, "a.com": {}},
    ],
)
def test_domains_that_a_person_must_decide_on_stay(domains: Entries) -> None:
    """What is no domain, what is written differently twice, a field `domains` that is no object: told, and kept."""
    before = documents(having(domains_json={**domains, "vps_nodes": []}, routing_json={}))
    assert value(taken(before), DOMAINS) == {**domains, "vps_nodes": []}
    assert {each.entry for each in find(before).mended} == {"nodes"}
    assert left(before)


def test_a_domain_that_is_written_differently_twice_is_told_with_the_command() -> None:
    """A command writes it anew, once."""
    both = {"domains": {"a.com": {"description": "D"}}, "A.com": {"description": "E"}, "vps_nodes": []}
    (duplicate,) = find(documents(having(domains_json=both, routing_json={}))).left
    assert duplicate.kind is FindingKind.DUPLICATE
    assert duplicate.wrong == "is written 2 times, with different description: the first one counts"
    assert duplicate.commands == ("routecast domain add a.com --description TEXT",)


OLD: Entries = {VPS: {"public_ip": "45.8.133.192", "region": "eu", "mine": [1]}}
CURRENT: Entries = {"tailscale_ip": VPS, "public_ip": "45.8.133.192", "location": "eu", "mine": [1]}


@pytest.mark.parametrize(
    ("listed", "old", "expected"),
    [
        ([], OLD, [CURRENT]),
        (OLD, None, [CURRENT]),
        ([{"tailscale_ip": f" {VPS}", "region": "eu"}], None, [{"tailscale_ip": VPS, "location": "eu"}]),
        ([{"tailscale_ip": VPS, "location": "", "region": "eu"}], {}, [{"tailscale_ip": VPS, "location": "eu"}]),
        ([{"tailscale_ip": VPS, "location": "eu", "region": "eu"}], [], [{"tailscale_ip": VPS, "location": "eu"}]),
        ([{"tailscale_ip": VPS}, {"tailscale_ip": f"{VPS} ", "location": "eu"}], OLD, [CURRENT]),
        ([{"tailscale_ip": "FD7A:0::1"}, {}], OLD, [{"tailscale_ip": "fd7a::1"}, {}, CURRENT]),
    ],
)
def test_vps_nodes_move_into_the_list(listed: Any, old: Any, expected: list[Entries]) -> None:
    """From the old key, which goes, and from an object; each once, with current field names, and all other fields."""
    before = documents(having(domains_json={"domains": {}, "vps_nodes": listed}, vps_nodes_json=old, routing_json={}))
    now = taken(before)
    assert [dict(sorted(item.items())) for item in value(now, DOMAINS)["vps_nodes"]] == [
        dict(sorted(item.items())) for item in expected
    ]
    assert value(now, OLD_VPS_NODES) is None


@pytest.mark.parametrize(
    ("listed", "old"),
    [
        ([{"tailscale_ip": VPS, "location": "us"}], OLD),
        ([{"tailscale_ip": VPS, "public_ip": "1.1.1.1"}, {"tailscale_ip": VPS, "public_ip": "1.1.1.2"}], None),
        ([{"tailscale_ip": f" {VPS}", "public_ip": "1.1.1.300"}, "x"], {"100.1.1.300": {}, "100.1.1.1": "x"}),
        ({"100.1.1.1": "x", VPS: {"region": "eu"}}, OLD),
        ({" ": {}}, None),
        ("x", OLD),
        ([], "null"),
        ([], ""),
        ([], '{"100.1.1.1": {}, "100.1.1.1": {}}'),
        ([], [{"tailscale_ip": VPS}]),
    ],
)
def test_vps_nodes_that_a_person_must_decide_on_stay(listed: Any, old: Any) -> None:
    """What is invalid, contradicts itself, or cannot be read whole: told with a command, and kept as it is."""
    root = {"domains": {}, "vps_nodes": listed}
    before = documents(having(domains_json=root, vps_nodes_json=old, routing_json={}))
    now = taken(before)
    assert value(now, DOMAINS) == root
    assert now[OLD_VPS_NODES.document].data == before[OLD_VPS_NODES.document].data
    assert all(each.commands for each in find(before).left)
    assert left(before)


def test_a_vps_that_is_written_differently_twice_is_told_with_the_command() -> None:
    """The one in the old key goes with the command that says what is right; within a list only a person can choose."""
    root = {"domains": {}, "vps_nodes": [{"tailscale_ip": VPS, "location": "us"}]}
    (duplicate,) = find(documents(having(domains_json=root, vps_nodes_json=OLD, routing_json={}))).left
    assert duplicate.wrong == "is written 2 times, with different location: the first one counts"
    assert duplicate.commands == (f"routecast vps add {VPS} --public-ip ADDRESS",)
    root["vps_nodes"] = [*root["vps_nodes"], {"tailscale_ip": VPS, "location": "eu"}]
    (duplicate,) = find(documents(having(domains_json=root, routing_json={}))).left
    assert duplicate.commands == ("edit domain-registry",)


def test_vps_nodes_that_were_lost_are_not_written_as_none() -> None:
    """A current shape would say that there are none, and take from the nodes what is still published."""
    root = {"curiios.com": {}}
    before = documents(having(domains_json=root, routing_json={"immich": ROUTE}))
    now = taken(before)
    assert value(now, DOMAINS) == root
    assert value(now, ROUTING) == {"immich": ROUTE}
    assert left(before)["domain-registry/vps-nodes.json"][0] is FindingKind.UNREADABLE
    assert after(DOMAINS, domains_json=root, routing_json=None) == root
    twice = {"A.com": {}, "a.com": {}}
    assert left(documents(having(domains_json=twice, routing_json=None)))["domain a.com"][0] is FindingKind.ODD
    stale = {"immich": {**ROUTE, "domains": ["gone.com"]}}
    assert after(DOMAINS, domains_json=root, routing_json=stale) == {"domains": {"curiios.com": {}}, "vps_nodes": []}


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({"domains": "curiios.com, Curiios.com.", "vps_nodes": [f" {VPS},"]}, ROUTE),
        ({**ROUTE, "strategy": " Round-Robin", "mine": 1}, {**ROUTE, "strategy": "round-robin", "mine": 1}),
        ({**ROUTE, "strategy": "geo"}, {**ROUTE, "strategy": "round-robin"}),
        ({**ROUTE, "strategy": 5}, {**ROUTE, "strategy": "round-robin"}),
        ({**ROUTE, "strategy": ""}, {**ROUTE, "strategy": ""}),
        ({**ROUTE, "domains": ["curiios.com", "gone.com", None]}, ROUTE),
        ({**ROUTE, "vps_nodes": [VPS, "100.1.1.1", "100.1.1.300"]}, ROUTE),
        ({**ROUTE, "vps_nodes": ["100.1.1.1"]}, None),
        ({"vps_nodes": [VPS]}, None),
        ({"domains": 5, "vps_nodes": " x "}, {"domains": 5, "vps_nodes": " x "}),
        (5, 5),
    ],
)
def test_routes_are_spelled_anew_and_lose_what_is_not_registered(route: Any, expected: Any) -> None:
    """One with nothing left goes; one that cannot be read stays, whole."""
    assert after(ROUTING, routing_json={"immich": route}).get("immich") == expected


@pytest.mark.parametrize(
    "values",
    [
        {"services_json": "{"},
        {"domains_json": "{"},
        {"domains_json": {"domains": None, "vps_nodes": [{"tailscale_ip": VPS}]}, "services_json": None},
        {"domains_json": {"domains": {"curiios.com": {}}, "vps_nodes": [{"tailscale_ip": "100.1.1.300"}]}},
        {"domains_json": {"domains": {"curiios.com": {}}, "vps_nodes": []}, "vps_nodes_json": "null"},
    ],
)
def test_routes_lose_nothing_while_it_is_not_known_what_is_registered(values: Entries) -> None:
    """What cannot be read may hold what they name."""
    before = documents(having(routing_json={"immich": ROUTE}, **values))
    assert value(taken(before), ROUTING) == {"immich": ROUTE}
    assert not [each for each in find(before).mended if each.kind is FindingKind.STALE]
    assert left(before)


def test_a_service_that_is_not_valid_keeps_its_route() -> None:
    """It exists, and somebody will mend it."""
    assert after(ROUTING, services_json={"immich": {"ip": "x"}}, routing_json={"immich": ROUTE}) == {"immich": ROUTE}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"subdomain": "Photos. "}, {"subdomain": "photos"}),
        ({"subdomain": " @"}, {"subdomain": "@"}),
        ({"subdomain": ""}, {"subdomain": ""}),
        ({"ip": "FD7A:0::1 "}, {"ip": "fd7a::1"}),
        ({"port": " 080", "public": "False"}, {"port": 80, "public": False}),
        (
            {"scheme": " HTTPS", "middlewares": "a@file, b@file"},
            {"scheme": "https", "middlewares": ["a@file", "b@file"]},
        ),
        ({"port": "70000", "public": 1, "ip": "x", "scheme": "ftp", "middlewares": ["a@file ", "b"]}, None),
        ({"port": None, "public": None, "ip": None, "mine": " x ", "updated": "x"}, None),
    ],
)
def test_services_are_spelled_anew(written: Entries, expected: Entries | None) -> None:
    """What is missing, blank, invalid or unknown stays as it is; a missing `public` stays missing."""
    entry = {"subdomain": "x", **written}
    found = after(SERVICES, services_json={"x": entry, "y": 5}, routing_json={})
    assert found == {"x": {**entry, **(expected or {})}, "y": 5}


def test_nodes_and_cluster_are_spelled_anew() -> None:
    """Addresses, and the cluster's domain. Names of nodes are for life, and the old system reads its own fields."""
    laptop = {"name": " My Mac", "ip": " 100.1.1.1", "ssh_user": "root", "last_sync": None, "webhook_port": "8080"}
    before = having(registry_json={"management_laptops": [laptop, 5], "worker_nodes": {}, "metadata": {"version": "1"}})
    before[CLUSTER_INFO] = {"cluster-domain": " MyCloud\n", "control-plane-ip": "x", "repo-path": " ~ "}
    now = taken(documents(before))
    assert value(now, NODES) == {
        "management_laptops": [{**laptop, "ip": "100.1.1.1"}, 5],
        "vps_nodes": [],
        "worker_nodes": {},
        "metadata": {"version": "1"},
    }
    assert now[CLUSTER_INFO].data == {"cluster-domain": "mycloud", "control-plane-ip": "x", "repo-path": " ~ "}


def test_what_cannot_be_read_stays_byte_by_byte() -> None:
    """Each key by itself: the others are taken over all the same."""
    keys = {"services_json": "[", "domains_json": "", "routing_json": "null", "registry_json": '{"a": 1, "a": 2}'}
    before = documents(having(**keys))
    assert taken(before) == before
    assert {entry for entry, (kind, _) in left(before).items() if kind is FindingKind.UNREADABLE} == {
        *("service-registry/services.json", "domain-registry/domains.json", "domain-registry/routing.json"),
        "sync-controller-registry/registry.json",
    }
