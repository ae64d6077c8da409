from functools import partial
from typing import Any

import pytest

from publisher.pipeline.parse import parse
from publisher.registry.draft import DOMAINS, OLD_VPS_NODES, ROUTING
from publisher.registry.plan import Edit
from publisher.registry.vps import VpsFields, add_vps, remove_vps
from tests.publisher.pipeline.parsing import DOMAINS as ROOT
from tests.publisher.pipeline.parsing import ROUTING as ROUTES
from tests.publisher.registry.editing import NOW, edited, planned, refused, told, value, whole

VPS = "100.68.225.92"
OLD = {VPS: {"public_ip": "45.8.133.192", "region": "eu", "provider": "contabo", "x": None}}
NESTED = {"domains": ROOT["domains"]}


def _add(text: str = VPS, **fields: Any) -> Edit:
    return partial(add_vps, text=text, given=VpsFields(**fields))


def _remove(text: str = VPS) -> Edit:
    return partial(remove_vps, text=text)


def test_a_new_vps_has_all_fields_and_warns_of_the_missing_node() -> None:
    """Nobody would write its routes."""
    plan = planned(whole(), _add("FD7A::1", location=" a\nb ", public_ip="2001:DB8::1"))
    assert "no node has that address" in plan.warnings[0].message
    assert value(edited(whole(), _add("100.1.1.1")), DOMAINS)["vps_nodes"] == [
        *ROOT["vps_nodes"],
        {
            "tailscale_ip": "100.1.1.1",
            "public_ip": None,
            "location": "",
            "provider": "",
            "registered": NOW,
            "status": "active",
        },
    ]
    assert told(plan)[:3] == [
        "VPS fd7a::1.tailscale_ip: None -> 'fd7a::1'",
        "VPS fd7a::1.public_ip: None -> '2001:db8::1'",
        "VPS fd7a::1.location: None -> 'a b'",
    ]


def test_registering_again_really_updates_what_is_given_and_nothing_else() -> None:
    """The replaced system kept the old address and said that it was done."""
    present = {**ROOT["vps_nodes"][0], "x": [None], "status": "odd"}
    before = whole(domains_json={**ROOT, "vps_nodes": [5, {"tailscale_ip": "broken"}, present], "unknown": "y"})
    edit = _add(f" {VPS} ", public_ip="203.0.113.7")
    assert told(planned(before, edit)) == [f"VPS {VPS}.public_ip: '45.8.133.192' -> '203.0.113.7'"]
    after = edited(before, edit)
    assert value(after, DOMAINS) == {
        **ROOT,
        "vps_nodes": [5, {"tailscale_ip": "broken"}, {**present, "public_ip": "203.0.113.7"}],
        "unknown": "y",
    }
    assert not planned(after, edit).changed


def test_all_faults_are_said_at_once() -> None:
    """A person mends them in one go."""
    faults = refused(whole(), _add("224.0.0.1", public_ip="example.com"))
    assert [fault.partition(":")[0] for fault in faults] == ["the tailnet address", "--public-ip"]


@pytest.mark.parametrize("root", [NESTED, {**NESTED, "vps_nodes": None}, {"curiios.com": {}}])
def test_a_vps_in_the_old_key_moves_with_all_its_fields(root: Any) -> None:
    """Only the current shape is written, and it reads the same."""
    before = whole(domains_json=root, vps_nodes_json=OLD)
    plan = planned(before, _add())
    assert plan.notes == (f"{VPS} moves to where VPSs are written today",)
    after = edited(before, _add())
    assert value(after, OLD_VPS_NODES) == {}
    assert value(after, DOMAINS) == {
        **root,
        "vps_nodes": [
            {"tailscale_ip": VPS, "public_ip": "45.8.133.192", "location": "eu", "provider": "contabo", "x": None}
        ],
    }
    assert parse(after, None).registry == parse(before, None).registry
    assert not planned(after, _add()).changed


@pytest.mark.parametrize(
    ("fields", "location"),
    [
        ({"region": "eu", "location": ""}, "eu"),
        ({"region": "eu", "location": None}, "eu"),
        ({"region": "eu", "location": "us"}, "us"),
        ({"location": "us"}, "us"),
        (None, ""),
    ],
)
def test_the_old_name_of_a_field_counts_where_the_new_one_is_empty(fields: Any, location: str) -> None:
    """As in the parser."""
    after = edited(whole(domains_json=NESTED, vps_nodes_json={VPS: fields}), _add())
    assert value(after, DOMAINS)["vps_nodes"][0]["location"] == location


def test_one_in_both_places_is_written_once_and_loses_nothing() -> None:
    """What the current entry says counts; what only the old one says is taken over."""
    current = {"tailscale_ip": VPS, "location": "us"}
    after = edited(whole(domains_json={**ROOT, "vps_nodes": [current]}, vps_nodes_json=OLD), _add(provider="hetzner"))
    assert value(after, DOMAINS)["vps_nodes"] == [
        {**current, "public_ip": "45.8.133.192", "provider": "hetzner", "x": None}
    ]
    assert value(after, OLD_VPS_NODES) == {}


def test_vps_nodes_by_address_become_a_list() -> None:
    """With the addresses that they were under."""
    root = {**ROOT, "vps_nodes": {VPS: {"tailscale_ip": "100.9.9.9"}, "100.1.1.1": {}}}
    before = whole(domains_json=root)
    after = edited(before, _add(location="eu"))
    assert value(after, DOMAINS)["vps_nodes"] == [
        {"tailscale_ip": VPS, "location": "eu"},
        {"tailscale_ip": "100.1.1.1"},
    ]
    assert told(planned(before, _add(location="eu"))) == [f"VPS {VPS}.location: None -> 'eu'"]


@pytest.mark.parametrize("nodes", ["x", 5, {VPS: None}])
@pytest.mark.parametrize("edit", [_add(), _remove()])
def test_a_shape_that_nobody_knows_is_not_written_over(nodes: Any, edit: Edit) -> None:
    """There may be something in it."""
    [fault] = refused(whole(domains_json={**ROOT, "vps_nodes": nodes}), edit)
    assert "the field vps_nodes is no list, so it cannot be edited safely" in fault


@pytest.mark.parametrize("old", ["null", "{", '[{"tailscale_ip": "100.1.1.1"}]'])
def test_an_old_key_that_cannot_be_read_keeps_vps_nodes_as_they_are(old: str) -> None:
    """Nobody knows what is in it."""
    assert "domain-registry/vps-nodes.json" in refused(whole(vps_nodes_json=old), _add())[0]


@pytest.mark.parametrize("old", ["[]", "", "{}"])
def test_an_old_key_that_holds_nothing_is_in_nobodys_way(old: str) -> None:
    """And stays as it is."""
    after = edited(whole(vps_nodes_json=old), _add(location="de"))
    assert (after["domain-registry"].data or {})["vps-nodes.json"] == old


@pytest.mark.parametrize("text", [VPS, f" {VPS}", "vps-1"])
def test_a_removed_vps_leaves_no_route_to_it(text: str) -> None:
    """Wherever it is written, and by whatever name it was given."""
    routing = {
        "immich": {**ROUTES["immich"], "vps_nodes": ["100.1.1.1", f"{VPS} "]},
        "grafana": {**ROUTES["immich"], "vps_nodes": VPS},
    }
    root = {**ROOT, "vps_nodes": [*ROOT["vps_nodes"] * 2, {"tailscale_ip": "100.1.1.1"}]}
    before = whole(domains_json=root, vps_nodes_json=OLD, routing_json=routing)
    after = edited(before, _remove(text))
    assert value(after, DOMAINS) == {**ROOT, "vps_nodes": [{"tailscale_ip": "100.1.1.1"}]}
    assert value(after, OLD_VPS_NODES) == {}
    assert value(after, ROUTING) == {
        "immich": {**ROUTES["immich"], "vps_nodes": ["100.1.1.1"], "updated": NOW},
    }
    assert refused(after, _remove(text)) == (f"there is no VPS {text!r} (registered: 100.1.1.1)",)


def test_one_that_is_only_in_the_old_key_is_removed_from_there() -> None:
    """The rest keeps its shape."""
    after = edited(whole(domains_json=NESTED, vps_nodes_json={**OLD, "100.1.1.1": None}), _remove())
    assert (value(after, DOMAINS), value(after, OLD_VPS_NODES)) == (NESTED, {"100.1.1.1": None})
    after = edited(after, _remove("100.1.1.1"))
    assert value(after, OLD_VPS_NODES) == {}


def test_one_with_a_broken_address_can_be_removed_by_that() -> None:
    """It is a problem until it is."""
    root = {**ROOT, "vps_nodes": [None, {"tailscale_ip": "100.1.1.1111"}, *ROOT["vps_nodes"]]}
    after = edited(whole(domains_json=root), _remove("100.1.1.1111"))
    assert value(after, DOMAINS)["vps_nodes"] == [None, *ROOT["vps_nodes"]]


def test_nothing_is_removed_where_nothing_is_registered() -> None:
    """The name of a node that is no VPS is none of a VPS."""
    assert refused(whole(), _remove("laptop")) == (f"there is no VPS 'laptop' (registered: {VPS})",)
    assert refused(whole(domains_json=NESTED), _remove()) == (f"there is no VPS '{VPS}' (none is registered)",)
