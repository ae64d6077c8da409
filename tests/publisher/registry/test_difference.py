from typing import Any

import pytest

from publisher.registry.difference import (
    DOCUMENT_OF,
    Fate,
    FieldChange,
    Kind,
    changes_between,
    content_of,
    readable_kinds,
    stamps_of,
)
from publisher.source.document import DOCUMENTS, Document
from tests.publisher.pipeline.parsing import DOMAINS, SERVICES, documents, texts
from tests.publisher.registry.editing import whole

VPS = "100.68.225.92"


def _changes(before: Any, after: Any) -> list[str]:
    return [f"{c.fate} {c.kind} {c.entry}.{c.field}: {c.before} -> {c.after}" for c in changes_between(before, after)]


def test_each_field_of_each_entry_that_differs_is_told_once() -> None:
    """In the order of kinds, then by name; what only tells of an entry's history is no difference."""
    before = whole(
        services_json={"b": {"port": 80, "updated": "x"}, "a": {"ip": None, "x": 1}, "c": 5},
        routing_json={"a": {"domains": ["a.org"]}},
    )
    after = whole(
        services_json={"b": {"port": True, "updated": "y"}, "a": {"x": 1}, "d": {}, "c": {"": 5}},
        routing_json={"a": {"domains": ["a.org", "b.org"]}},
        registry_json={"vps_nodes": [{"ip": VPS, "name": "vps-1"}]},
    )
    assert _changes(before, after) == [
        "changed service b.port: 80 -> True",
        "added service d.: None -> {}",
        "changed route a.domains: ['a.org'] -> ['a.org', 'b.org']",
        "removed node laptop.role: laptop -> None",
        "removed node laptop.ip: 100.86.112.112 -> None",
        "removed node laptop.name: laptop -> None",
    ]
    assert changes_between(before, before) == ()


def test_the_cluster_is_told_by_its_keys() -> None:
    """They are plain texts."""
    content = texts()
    content["cluster-info"] = {"cluster-domain": "b"}
    assert _changes(whole(), documents(content)) == [
        "changed cluster cluster-domain.value: mycloud -> b",
        "removed cluster cluster-name.value: mynodeone -> None",
        "removed cluster control-plane-ip.value: 100.122.68.75 -> None",
    ]


def test_another_shape_alone_is_no_difference() -> None:
    """Entries have the names that commands take, wherever they are written."""
    nested = {"domains": {"curiios.com": {"x": 1}}, "vps_nodes": [{"tailscale_ip": VPS, "y": 2}]}
    flat = {"curiios.com": {"x": 1}, "vps_nodes": {VPS: {"y": 2}}}
    assert changes_between(whole(domains_json=nested), whole(domains_json=flat)) == ()
    old = whole(domains_json={"CURIIOS.com.": {"x": 1}}, vps_nodes_json={VPS: {"y": 2}})
    assert changes_between(whole(domains_json=nested), old) == ()
    moved = {"worker_nodes": [{"ip": "100.1.1.1", "name": "Mac"}]}
    named = {"worker_nodes": [{"ip": "100.1.1.1", "name": "mac"}]}
    assert _changes(whole(registry_json=moved), whole(registry_json=named)) == ["changed node mac.name: Mac -> mac"]


def test_entries_of_one_name_are_told_apart() -> None:
    """The one that counts has the plain name."""
    root = {"domains": {"a.org": {"x": 1}, "A.org": {"x": 2}}, "a.org.": {"x": 3}, "vps_nodes": [5, "x", None, {}]}
    nodes = {"worker_nodes": [{"x": 1}, {"x": 2}, {"name": "n"}, None]}
    content = content_of(whole(domains_json=root, registry_json=nodes))
    assert [(name, dict(fields)) for (kind, name), fields in content.items() if kind is Kind.DOMAIN] == [
        ("a.org", {"x": 1}),
        ("a.org (2)", {"x": 2}),
        ("a.org (3)", {"x": 3}),
    ]
    assert [name for kind, name in content if kind is Kind.VPS] == ["vps_nodes", "x", "vps_nodes (2)", "vps_nodes (3)"]
    assert [name for kind, name in content if kind is Kind.NODE] == ["worker_nodes", "worker_nodes (2)", "n"]


@pytest.mark.parametrize("text", ["{", "", "null", "[]", None])
def test_what_cannot_be_read_has_no_entries_and_is_known_for_it(text: Any) -> None:
    """So nobody takes it for empty."""
    kinds = {
        "services_json": {Kind.SERVICE},
        "domains_json": {Kind.DOMAIN, Kind.VPS},
        "routing_json": {Kind.ROUTE},
        "registry_json": {Kind.NODE},
    }
    for key, unreadable in kinds.items():
        found = whole(**{key: text})
        assert readable_kinds(found) == frozenset(Kind) - unreadable
        assert not {kind for kind, _ in content_of(found)} & unreadable


@pytest.mark.parametrize(
    ("values", "unreadable"),
    [
        ({}, set()),
        ({"domains_json": {}}, set()),
        ({"domains_json": {"domains": None}}, {Kind.DOMAIN}),
        ({"domains_json": {"vps_nodes": "x"}}, {Kind.VPS}),
        ({"domains_json": {"vps_nodes": None}}, set()),
        ({"vps_nodes_json": {}}, set()),
        ({"vps_nodes_json": ""}, {Kind.VPS}),
        ({"registry_json": {"worker_nodes": {}}}, {Kind.NODE}),
        ({"registry_json": {"worker_nodes": None}}, set()),
    ],
)
def test_a_part_that_cannot_be_read_makes_its_kind_unreadable(values: Any, unreadable: set[Kind]) -> None:
    """As in the parser."""
    assert readable_kinds(whole(**values)) == frozenset(Kind) - unreadable


def test_without_documents_there_is_nothing() -> None:
    """Missing ones, or none at all."""
    missing = {name: Document.missing(name, edit="") for name in DOCUMENTS}
    assert content_of({}) == content_of(missing) == {}
    assert readable_kinds({}) == readable_kinds(missing) == frozenset()
    assert set(DOCUMENT_OF.values()) == set(DOCUMENTS)


def test_stamps_say_when_entries_were_written_as_far_as_they_do() -> None:
    """Two forms of an entry with two stamps have two writers."""
    found = whole(
        services_json={"a": {"updated": "1", "registered": "0"}, "b": {"updated": None, "registered": "2"}, "c": 5},
        domains_json={**DOMAINS, "domains": {"x.org": {"registered": 3}}},
    )
    stamps = stamps_of(found)
    assert [stamps[(Kind.SERVICE, name)] for name in "abc"] == ["1", "2", ""]
    assert stamps[(Kind.DOMAIN, "x.org")] == "3"
    assert stamps.keys() == content_of(found).keys()


def test_a_change_says_what_becomes_of_the_entry() -> None:
    """For people, who ask that first."""
    for odd in (5, None):
        [change] = changes_between(whole(services_json={}), whole(services_json={"a": odd}))
        assert change == FieldChange(Kind.SERVICE, "a", "", None, odd, Fate.ADDED)
    [change] = changes_between(whole(services_json={"a": {"ip": None}}), whole(services_json={}))
    assert change == FieldChange(Kind.SERVICE, "a", "ip", None, None, Fate.REMOVED)
    with_null, without = whole(services_json={"a": {"x": 1, "ip": None}}), whole(services_json={"a": {"x": 1}})
    assert changes_between(with_null, without) == (), "null and missing say the same"
    assert {c.fate for c in changes_between(whole(services_json=SERVICES), whole(services_json={}))} == {Fate.REMOVED}
