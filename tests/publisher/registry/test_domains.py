from functools import partial
from typing import Any

import pytest

from publisher.pipeline.parse import parse
from publisher.registry.domains import add_domain, remove_domain
from publisher.registry.draft import DOMAINS, ROUTING
from publisher.registry.plan import Edit
from tests.publisher.pipeline.parsing import DOMAINS as ROOT
from tests.publisher.pipeline.parsing import ROUTING as ROUTES
from tests.publisher.registry.editing import NOW, edited, planned, refused, told, value, whole

VPS_NODES = ROOT["vps_nodes"]
SITE = {"description": 'Main "site"', "registered": "2025-10-30T09:00:00Z", "x": 1}


def _add(text: str, description: str | None = None) -> Edit:
    return partial(add_domain, text=text, description=description)


def _remove(text: str) -> Edit:
    return partial(remove_domain, text=text)


def test_a_new_domain_is_stored_in_its_canonical_form() -> None:
    """And it is said when that differs from what was typed."""
    plan = planned(whole(), _add("Bücher.Example.", 'a "b"\nc`'))
    assert plan.notes == ("'Bücher.Example.' is stored as 'xn--bcher-kva.example'",)
    assert told(plan) == ["domain xn--bcher-kva.example.description: None -> 'a \"b\" c`'"]
    assert value(edited(whole(), _add("b.example")), DOMAINS)["domains"]["b.example"] == {
        "description": "",
        "registered": NOW,
        "status": "active",
    }


@pytest.mark.parametrize("text", ["localhost", "a b.example", "", "-a.example", "a..b", "`.example"])
def test_what_is_no_public_domain_is_refused(text: str) -> None:
    """With the reason."""
    [fault] = refused(whole(), _add(text))
    assert fault.startswith("the domain: ")


def test_a_description_changes_in_place() -> None:
    """The order of the entries, and all that is written beside it, stay."""
    root = {"domains": {"a.com": SITE, "b.com": {}, "curiios.com": {}}, "vps_nodes": VPS_NODES, "unknown": [1]}
    after = edited(whole(domains_json=root), _add("a.com", "New"))
    assert list(value(after, DOMAINS)["domains"]) == ["a.com", "b.com", "curiios.com"]
    assert value(after, DOMAINS) == {**root, "domains": {**root["domains"], "a.com": {**SITE, "description": "New"}}}
    assert not planned(after, _add("a.com", "New")).changed
    assert not planned(after, _add("a.com")).changed


@pytest.mark.parametrize(
    "root",
    [
        {"curiios.com": SITE, "vps_nodes": VPS_NODES},
        {"domains": {}, "curiios.com": SITE, "vps_nodes": VPS_NODES},
        {"domains": {"Curiios.com ": SITE}, "vps_nodes": VPS_NODES},
        {"domains": {"CURIIOS.com": SITE}, "curiios.com": {"y": 2}, "vps_nodes": VPS_NODES},
    ],
)
def test_a_domain_in_an_old_place_moves_with_all_its_fields(root: Any) -> None:
    """Only the current shape is written; of several the first counts."""
    before = whole(domains_json=root)
    plan = planned(before, _add("curiios.com"))
    assert plan.notes == ("curiios.com moves to where domains are written today",)
    after = edited(before, _add("curiios.com"))
    assert value(after, DOMAINS) == {"domains": {"curiios.com": SITE}, "vps_nodes": VPS_NODES}
    assert parse(after, None).registry == parse(before, None).registry
    assert not planned(after, _add("curiios.com")).changed


def test_what_is_written_twice_is_written_once() -> None:
    """The one that counts stays where it is."""
    root = {"domains": {"curiios.com": SITE}, "curiios.com": {"description": "old"}, "vps_nodes": VPS_NODES}
    plan = planned(whole(domains_json=root), _add("curiios.com"))
    assert told(plan) == ["domain curiios.com (2).description: 'old' -> None"]


def test_an_entry_that_is_no_object_becomes_one() -> None:
    """It has nothing to keep."""
    after = edited(whole(domains_json={**ROOT, "domains": {"curiios.com": "x"}}), _add("curiios.com", "d"))
    assert value(after, DOMAINS)["domains"] == {"curiios.com": {"description": "d"}}


@pytest.mark.parametrize("nested", [[], "x", None])
def test_a_shape_that_nobody_knows_is_not_written_over(nested: Any) -> None:
    """There may be something in it."""
    assert refused(whole(domains_json={"domains": nested}), _add("a.com")) == (
        "domain-registry/domains.json: the field domains is no object, so it cannot be edited safely; mend it by hand",
    )


def test_a_removed_domain_leaves_no_route_to_it() -> None:
    """A route that has other domains keeps those."""
    root = {**ROOT, "domains": {"curiios.com": {}, "b.com": {}}, "Curiios.COM.": {}}
    routing = {
        "immich": {**ROUTES["immich"], "domains": ["b.com", " CURIIOS.com"]},
        "grafana": {**ROUTES["immich"], "domains": "curiios.com"},
    }
    before = whole(domains_json=root, routing_json=routing)
    after = edited(before, _remove("Curiios.com"))
    assert value(after, DOMAINS) == {**ROOT, "domains": {"b.com": {}}}
    assert value(after, ROUTING) == {"immich": {**ROUTES["immich"], "domains": ["b.com"], "updated": NOW}}
    assert refused(after, _remove("curiios.com"))[0].startswith("there is no domain 'curiios.com'")


def test_a_flat_domain_is_removed_and_the_shape_stays() -> None:
    """A registry that is still flat says by that where its VPSs are."""
    old = {"100.68.225.92": {"public_ip": "45.8.133.192"}}
    before = whole(domains_json={"a.com": {}, "b.com": SITE}, vps_nodes_json=old)
    after = edited(before, _remove("a.com"))
    assert value(after, DOMAINS) == {"b.com": SITE}


@pytest.mark.parametrize("root", [{"domains": {"a b.com": 5}}, {"a b.com": {}, "domains": {}}])
def test_a_domain_with_a_broken_name_can_be_removed(root: Any) -> None:
    """By that name, with the routes that have it."""
    before = whole(domains_json=root, routing_json={"immich": {"domains": ["a b.com"], "vps_nodes": []}})
    after = edited(before, _remove("a b.com"))
    assert (value(after, DOMAINS), value(after, ROUTING)) == ({"domains": {}}, {})


def test_a_routing_that_cannot_be_read_keeps_a_domain_from_going() -> None:
    """There might be a route to it."""
    [fault] = refused(whole(routing_json="{"), _remove("curiios.com"))
    assert "domain-registry/routing.json is not JSON" in fault
    assert fault.endswith("mend it first: edit domain-registry")
