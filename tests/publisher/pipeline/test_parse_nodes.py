from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.models import Node, Role
from common.values import node_name
from publisher.pipeline.parse import Part
from publisher.pipeline.parse.node_names import base_name, name_nodes
from tests.publisher.pipeline.parsing import CALM, NODES, after, first, having, lines
from tests.registries import addresses

LAPTOP = Node(name="laptop", role=Role.LAPTOP, address="100.86.112.112", label="laptop")
VPS = Node(name="vps-1", role=Role.VPS, address="100.68.225.92", label="vps-1")


def _laptops(*items: Any) -> dict[str, Any]:
    return {**NODES, "management_laptops": list(items)}


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Vinay's MacBook", "vinay-s-macbook"),
        ("Žofie / Büro", "zofie-buro"),
        ("--A--", "a"),
        ("", "node-100-86-112-112"),
        ("日本", "node-100-86-112-112"),
        ("x" * 60, "x" * 45),
        ("x" * 44 + "-y", "x" * 44),
    ],
)
def test_a_name_on_the_bus_follows_from_the_written_one(label: str, name: str) -> None:
    """DESIGN 5: NFKD to ASCII, lower case, runs of others to a hyphen, cut at 45; of none, the address."""
    assert base_name(label, "100.86.112.112") == name
    assert base_name("", "fd7a:115c::") == "node-fd7a-115c"


def test_the_lowest_address_gets_a_name_that_several_ask_for() -> None:
    """By number, not by text; IPv4 first; two of one address are numbered."""
    asked = [("mac", "fd7a::1"), ("mac", "100.100.0.1"), ("Mac", "100.20.0.1"), ("mac", "100.100.0.1")]
    assert name_nodes(asked) == ["mac-fd7a--1", "mac-100-100-0-1", "mac", "mac-100-100-0-1-2"]


def test_a_name_of_its_own_is_never_taken_away_by_a_made_one() -> None:
    """The made one gives way."""
    asked = [("mac", "100.1.1.1"), ("mac", "100.1.1.2"), ("mac-100-1-1-2", "100.9.9.9")]
    assert name_nodes(asked) == ["mac", "mac-100-1-1-2-2", "mac-100-1-1-2"]


@CALM
@given(st.lists(st.tuples(st.text(max_size=50) | st.sampled_from(["mac", "m" * 60, ""]), addresses), max_size=12))
def test_all_names_are_valid_and_no_name_is_given_twice(asked: list[tuple[str, str]]) -> None:
    """A name is an identity on the bus."""
    names = name_nodes(asked)
    assert [node_name(name) for name in names] == names
    assert len(set(names)) == len(asked)


def test_names_are_told_apart_across_all_roles() -> None:
    """A laptop and a VPS of one name are two nodes."""
    parsed = first(having(registry_json={**NODES, "worker_nodes": [{"ip": "100.99.0.1", "name": "laptop"}]}))
    assert [(node.name, node.role) for node in parsed.registry.nodes] == [
        ("laptop", Role.LAPTOP),
        ("laptop-100-99-0-1", Role.WORKER),
        ("vps-1", Role.VPS),
    ]
    assert "is 'laptop-100-99-0-1' on the bus: another node is 'laptop'" in lines(parsed.problems)[0]


@pytest.mark.parametrize("nodes", [NODES, {**NODES, "worker_nodes": None, "metadata": 5}])
def test_lists_may_be_missing_or_null(nodes: Any) -> None:
    """They are empty then."""
    parsed = first(having(registry_json=nodes))
    assert parsed.registry.nodes == (LAPTOP, VPS)
    assert parsed.problems == ()


@pytest.mark.parametrize("broken", [{}, "x", 5])
def test_a_list_that_is_none_keeps_the_previous_nodes_of_its_role(broken: Any) -> None:
    """The other roles are read."""
    parsed = after(having(registry_json={"management_laptops": broken}))
    assert parsed.registry.nodes == (LAPTOP,)
    assert Part.NODES not in parsed.readable
    assert "the field management_laptops must be a list" in lines(parsed.problems)[0]


@pytest.mark.parametrize("ip", ["100.86.112.1120", None, 5, ""])
def test_a_node_with_a_broken_address_keeps_its_previous_form(ip: Any) -> None:
    """It is known by its name."""
    parsed = after(having(registry_json=_laptops({"ip": ip, "name": "laptop"}, {"ip": "100.86.0.1", "name": "new"})))
    assert [node.name for node in parsed.registry.nodes] == ["laptop", "new", "vps-1"]
    assert parsed.registry.nodes[0] == LAPTOP
    assert "the previous form is kept" in lines(parsed.problems)[0]


@pytest.mark.parametrize("item", [None, 5, "x", {}, {"ip": "x"}, {"name": 5}, {"name": "unknown"}])
def test_a_node_that_nobody_knows_is_left_out(item: Any) -> None:
    """Alone."""
    parsed = after(having(registry_json=_laptops(item, *NODES["management_laptops"])))
    assert parsed.registry.nodes == (LAPTOP, VPS)
    assert "it is left out" in lines(parsed.problems)[0]


def test_a_broken_entry_changes_no_other_nodes_name() -> None:
    """Of two nodes of one name each keeps its own while an address is broken."""
    both = _laptops({"ip": "100.86.0.1", "name": "mac"}, {"ip": "100.86.0.2", "name": "mac"})
    whole = first(having(registry_json=both)).registry
    for i in (0, 1):
        items = [dict(item) for item in both["management_laptops"]]
        items[i]["ip"] = "broken"
        assert after(having(registry_json=_laptops(*items)), whole).registry.nodes == whole.nodes
    everything_broken = _laptops({"name": "mac"}, {"name": "mac"})
    assert after(having(registry_json=everything_broken), whole).registry.nodes == whole.nodes


def test_a_node_that_is_written_twice_counts_once() -> None:
    """With a warning."""
    parsed = first(having(registry_json=_laptops(*NODES["management_laptops"] * 2)))
    assert parsed.registry.nodes == (LAPTOP, VPS)
    assert "written more than once" in lines(parsed.problems)[0]


def test_two_nodes_of_one_address_both_stay() -> None:
    """With a warning: one of them is wrong, but which is not ours to say."""
    parsed = first(having(registry_json=_laptops({"ip": "100.68.225.92", "name": "other"})))
    assert [node.name for node in parsed.registry.nodes] == ["other", "vps-1"]
    assert "has the address of the node 'other': 100.68.225.92" in lines(parsed.problems)[0]


def test_a_label_that_is_no_text_is_none() -> None:
    """The node is named by its address."""
    parsed = first(having(registry_json=_laptops({"ip": "100.86.0.1", "name": 5})))
    assert parsed.registry.nodes[0] == Node(name="node-100-86-0-1", role=Role.LAPTOP, address="100.86.0.1")


@pytest.mark.parametrize(
    ("item", "label"),
    [
        ({"label": "Work Mac"}, "Work Mac"),
        ({"label": " a\nb "}, "a b"),
        ({"label": ""}, "Vinay's MacBook"),
        ({"label": None}, "Vinay's MacBook"),
        ({"label": 5}, "Vinay's MacBook"),
    ],
)
def test_people_see_the_label_and_the_bus_never_does(item: dict[str, Any], label: str) -> None:
    """A name is for life, whatever its owner calls the machine."""
    parsed = first(having(registry_json=_laptops({"ip": "100.86.0.1", "name": "Vinay's MacBook", **item})))
    assert parsed.registry.nodes[0] == Node(name="vinay-s-macbook", role=Role.LAPTOP, address="100.86.0.1", label=label)
    assert bool(parsed.problems) is (item["label"] == 5)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Vinay's MacBook", "Work"),
        ("lap-top", "lap"),
        ("lap", "lap-top"),
        ("mac", "Mac"),
        ("x" * 60, "short"),
        ("m", ""),
    ],
)
def test_a_labelled_node_with_a_broken_address_keeps_name_and_label(name: str, label: str) -> None:
    """It is known by its name, not by its label; also when the whole list cannot be read."""
    item = {"ip": "100.86.0.1", "name": name, "label": label}
    whole = first(having(registry_json=_laptops(item))).registry
    for broken in (
        _laptops({**item, "ip": "x"}),
        _laptops({**item, "ip": None, "label": "new"}),
        _laptops() | {"management_laptops": "x"},
    ):
        assert after(having(registry_json=broken), whole).registry.nodes == whole.nodes


def test_labelled_nodes_of_one_name_keep_theirs_while_a_list_is_broken() -> None:
    """Also those that were told apart by their addresses."""
    items = [{"ip": f"100.86.0.{i}", "name": "mac", "label": f"Mac {i}"} for i in (1, 2)]
    items += [{"ip": "fd7a::1", "name": "mac", "label": "mac"}]
    whole = first(having(registry_json=_laptops(*items))).registry
    assert [node.name for node in whole.nodes[:3]] == ["mac", "mac-100-86-0-2", "mac-fd7a--1"]
    for broken in ({**NODES, "management_laptops": 5}, _laptops(*({**item, "ip": "x"} for item in items))):
        assert after(having(registry_json=broken), whole).registry.nodes == whole.nodes


def test_a_node_that_is_written_twice_with_two_labels_counts_once() -> None:
    """A label makes no second node of it."""
    item = NODES["management_laptops"][0]
    parsed = first(having(registry_json=_laptops({**item, "label": "First"}, {**item, "label": "Second"})))
    assert [(node.name, node.label) for node in parsed.registry.nodes] == [("laptop", "First"), ("vps-1", "vps-1")]
    assert "written more than once" in lines(parsed.problems)[0]


@CALM
@given(
    st.lists(st.tuples(st.sampled_from(["mac", "Mac!", "mac-100-1-1-1", "lap top"]), st.text(max_size=8)), max_size=5)
)
def test_a_label_never_changes_a_name(asked: list[tuple[str, str]]) -> None:
    """Whatever it is, on whichever node."""
    items = [{"ip": f"100.1.1.{i}", "name": name, "label": label} for i, (name, label) in enumerate(asked, start=1)]
    unlabelled = [{key: item[key] for key in ("ip", "name")} for item in items]
    labelled, plain = (first(having(registry_json={"worker_nodes": nodes})).registry for nodes in (items, unlabelled))
    assert [(n.name, n.address) for n in labelled.nodes] == [(n.name, n.address) for n in plain.nodes]
