from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.models import Role
from publisher.pipeline.parse import parse
from publisher.registry.draft import Draft
from publisher.registry.lookup import (
    find_vps,
    node_items,
    readable_domain,
    registered_domains,
    registered_vps_nodes,
    written_domains,
    written_items,
)
from tests.publisher.pipeline.parsing import CALM, DOMAINS, NODES
from tests.publisher.registry.editing import NOW, whole

VPS = "100.68.225.92"

items = st.fixed_dictionaries(
    {},
    optional={
        "ip": st.sampled_from(["100.1.1.1", " 100.1.1.1", "100.1.1.2", "fd7a::1", "FD7A::1", "x", "", None, 5]),
        "name": st.sampled_from(["mac", "Mac!", "m" * 60, "mac-100-1-1-1", "日本", "", None, 5]),
        "label": st.sampled_from(["mac", "Other", "", None, 5]),
    },
)
lists = st.none() | st.lists(items | st.sampled_from([None, 5, "x"]), max_size=4) | st.sampled_from([{}, "x"])


def _text(item: Any, field: str) -> str:
    return item[field] if isinstance(item.get(field), str) else ""


@CALM
@given(st.fixed_dictionaries(dict.fromkeys(("management_laptops", "vps_nodes", "worker_nodes"), lists)))
def test_nodes_are_called_here_as_they_are_on_the_bus(root: Any) -> None:
    """Or an edit would be made on another machine than the one that was named."""
    parsed = parse(whole(registry_json=root), None).registry.nodes
    found = {(item.name, item.role, item.address) for item in node_items(root) if item.address is not None}
    assert found == {(node.name, node.role, node.address) for node in parsed}
    shown = {(item.name, _text(item.entry, "label") or _text(item.entry, "name")) for item in node_items(root)}
    assert {(node.name, node.label) for node in parsed} <= shown, "each name belongs to its entry"
    assert all(item.entry in root[item.field] for item in node_items(root))


def test_a_node_without_an_address_has_the_name_that_it_asks_for() -> None:
    """So that it can be named in a command."""
    root = {"worker_nodes": [{"name": "Vinay's MacBook"}, {"name": 5}, {}, None]}
    assert [(item.name, item.address) for item in node_items(root)] == [
        ("vinay-s-macbook", None),
        ("", None),
        ("", None),
    ]


def test_domains_are_found_in_all_shapes() -> None:
    """Of two places the current one counts; what is no name is left out."""
    root = {"domains": {"A.org": 1, "a..b": 2}, "a.org.": 3, "b.org": 4, "x": 5, "vps_nodes": []}
    assert registered_domains(root) == {"a.org": 1, "b.org": 4}
    assert [key for key, _ in written_domains(root)] == ["A.org", "a..b", "a.org.", "b.org"]
    assert registered_domains({"domains": None, "b.org": 4}) == {"b.org": 4}
    assert readable_domain("x" * 400) is None


@pytest.mark.parametrize(
    ("nodes", "old", "known"),
    [
        ([{"tailscale_ip": VPS}, {"tailscale_ip": "x"}, {}, None, 5], None, [VPS]),
        ({VPS: {}, "100.1.1.1": None}, None, [VPS]),
        ("x", {VPS: {}, "100.1.1.1": 5}, [VPS]),
        (None, {VPS: {"region": "eu"}}, [VPS]),
        ([{"tailscale_ip": VPS, "location": "us"}], {VPS: {}, "fd7a::1": {}}, [VPS, "fd7a::1"]),
        ([], "[]", []),
    ],
)
def test_vps_nodes_are_found_in_all_shapes(nodes: Any, old: Any, known: list[str]) -> None:
    """By address."""
    draft = Draft(whole(domains_json={**DOMAINS, "vps_nodes": nodes}, vps_nodes_json=old), NOW)
    assert list(registered_vps_nodes(draft)) == known


def test_a_vps_is_found_by_address_or_by_the_name_of_its_node() -> None:
    """Of a node that is one."""
    draft = Draft(whole(registry_json={**NODES, "worker_nodes": [{"name": "w", "ip": "100.1.1.1"}]}), NOW)
    assert find_vps(draft, f" {VPS}") == VPS
    assert find_vps(draft, "vps-1") == VPS
    assert find_vps(draft, "w") is None
    assert find_vps(Draft(whole(registry_json=None), NOW), "vps-1") is None
    assert {item.role for item in node_items(NODES)} == {Role.LAPTOP, Role.VPS}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([" a", "b,c ", "", ",", 5, None], ["a", "b", "c"]),
        ("a, b", ["a", "b"]),
        (None, []),
        (5, []),
        (True, []),
        ({"a": 1}, []),
    ],
)
def test_lists_are_read_however_they_are_written(value: Any, found: list[str]) -> None:
    """What is none is empty."""
    assert written_items(value) == found
