from functools import partial
from typing import Any

import pytest

from common.models import Role
from publisher.pipeline.parse import parse
from publisher.registry.draft import NODES
from publisher.registry.nodes import add_node, label_node, remove_node
from publisher.registry.plan import Documents, Edit
from tests.publisher.pipeline.parsing import NODES as ROOT
from tests.publisher.registry.editing import NOW, edited, planned, refused, told, value, whole

LAPTOP = "100.86.112.112"
VPS = "100.68.225.92"


def _add(name: str, address: str, role: Role = Role.LAPTOP, label: str | None = None) -> Edit:
    return partial(add_node, role=role, name=name, address=address, label=label)


def _label(name: str, label: str) -> Edit:
    return partial(label_node, name=name, label=label)


def _remove(name: str) -> Edit:
    return partial(remove_node, name=name)


def _laptops(*items: Any) -> Documents:
    return whole(registry_json={**ROOT, "management_laptops": list(items)})


def _names(found: Documents) -> dict[str, str]:
    return {node.address: node.name for node in parse(found, None).registry.nodes if node.role is Role.LAPTOP}


def test_a_new_node_goes_to_the_list_of_its_role() -> None:
    """Which is made where it is missing."""
    plan = planned(whole(), _add("worker-1", "FD7A::1", Role.WORKER, "The first"))
    assert told(plan) == [
        "node worker-1.role: None -> 'worker'",
        "node worker-1.name: None -> 'worker-1'",
        "node worker-1.ip: None -> 'fd7a::1'",
        "node worker-1.label: None -> 'The first'",
    ]
    after = edited(whole(registry_json={**ROOT, "worker_nodes": None}), _add("worker-1", "100.1.1.1", Role.WORKER))
    assert value(after, NODES) == {
        **ROOT,
        "worker_nodes": [{"name": "worker-1", "registered": NOW, "status": "active", "ip": "100.1.1.1"}],
    }
    assert not planned(after, _add("worker-1", "100.1.1.1", Role.WORKER)).changed


def test_adding_again_sets_the_address_and_keeps_the_rest() -> None:
    """Also what we do not know, and its label."""
    present = {"ip": LAPTOP, "name": "laptop", "ssh_user": "vinay", "last_sync": None, "label": "Mine", "x": [1]}
    before = _laptops(5, present)
    after = edited(before, _add("laptop", "100.1.1.1"))
    assert value(after, NODES) == {**ROOT, "management_laptops": [5, {**present, "ip": "100.1.1.1"}]}
    assert told(planned(before, _add("laptop", "100.1.1.1"))) == [f"node laptop.ip: '{LAPTOP}' -> '100.1.1.1'"]


def test_a_node_that_changes_its_role_moves_with_all_its_fields() -> None:
    """From list to list."""
    present = {"ip": LAPTOP, "name": "laptop", "x": 1}
    plan = planned(_laptops(present), _add("laptop", LAPTOP, Role.WORKER))
    assert told(plan) == ["node laptop.role: 'laptop' -> 'worker'"]
    after = edited(_laptops(present), _add("laptop", LAPTOP, Role.WORKER))
    assert value(after, NODES) == {**ROOT, "management_laptops": [], "worker_nodes": [present]}


@pytest.mark.parametrize("name", ["Laptop", "a--b", "x" * 46, "a.b", "", "-a", "a_b", "a\nb"])
def test_a_name_that_would_not_stay_what_it_is_is_refused(name: str) -> None:
    """It is the identity on the bus."""
    assert refused(whole(), _add(name, "100.1.1.1"))[0].startswith("the name: ")


def test_all_faults_are_said_at_once() -> None:
    """The address of another node among them, with the command that frees it."""
    faults = refused(whole(), _add("New", VPS))
    assert [fault.partition(":")[0] for fault in faults] == [
        "the name",
        f"{VPS} is the address of the node 'vps-1'; a name is for life, so remove that one first",
    ]
    assert faults[1].endswith("routecast node remove vps-1")
    assert refused(whole(), _add("new", "x"))[0].startswith("the address: ")


def test_a_node_with_a_broken_address_is_mended_by_its_name() -> None:
    """Not written a second time beside it."""
    before = _laptops({"ip": "100.86.112.1120", "name": "Vinay's MacBook", "x": 1})
    after = edited(before, _add("vinay-s-macbook", LAPTOP))
    assert value(after, NODES)["management_laptops"] == [{"ip": LAPTOP, "name": "Vinay's MacBook", "x": 1}]
    assert _names(after) == {LAPTOP: "vinay-s-macbook"}


def test_a_label_changes_what_people_see_and_never_the_name() -> None:
    """Wherever the node is written."""
    present = {"ip": LAPTOP, "name": "Vinay's MacBook"}
    before = _laptops(present, present)
    after = edited(before, _label("vinay-s-macbook", "Work\nMac"))
    assert value(after, NODES)["management_laptops"] == [{**present, "label": "Work Mac"}] * 2
    seen = parse(after, None).registry.node("vinay-s-macbook")
    assert seen is not None
    assert seen.label == "Work Mac"
    assert not planned(after, _label("vinay-s-macbook", "Work Mac")).changed
    seen = parse(edited(after, _label("vinay-s-macbook", "")), None).registry.node("vinay-s-macbook")
    assert seen is not None
    assert seen.label == "Vinay's MacBook"


@pytest.mark.parametrize("edit", [_label("lap", "x"), _remove("lap"), _remove("")])
def test_a_node_that_does_not_exist_is_named_with_what_does(edit: Edit) -> None:
    """The nearest ones first; one without a name cannot be meant."""
    assert "there is no node" in refused(_laptops({"ip": "x"}, {"ip": LAPTOP, "name": "laptop"}), edit)[0]


def test_a_removed_node_is_gone_wherever_it_is_written() -> None:
    """And no other with it."""
    other = {"ip": "100.1.1.1", "name": "other"}
    present = {"ip": LAPTOP, "name": "laptop"}
    after = edited(_laptops(present, other, {**present, "label": "x"}), _remove("laptop"))
    assert value(after, NODES) == {**ROOT, "management_laptops": [other]}
    broken = edited(_laptops({"name": "Laptop", "ip": None}, other), _remove("laptop"))
    assert value(broken, NODES) == {**ROOT, "management_laptops": [other]}


def test_the_one_with_an_address_is_meant_when_a_broken_one_has_the_same_name() -> None:
    """It is the one that runs."""
    broken = {"name": "mac", "ip": "x"}
    after = edited(_laptops(broken, {"name": "mac", "ip": LAPTOP}), _label("mac", "Mine"))
    assert value(after, NODES)["management_laptops"] == [broken, {"name": "mac", "ip": LAPTOP, "label": "Mine"}]


def test_a_removed_node_is_not_kept_by_a_broken_entry_of_its_name() -> None:
    """The publisher keeps the previous form of what is broken."""
    before = _laptops({"name": "mac", "ip": "x"}, {"name": "mac", "ip": LAPTOP})
    after = edited(before, _remove("mac"))
    assert value(after, NODES)["management_laptops"] == []
    assert parse(after, parse(before, None).registry).registry.node("mac") is None


def test_no_node_inherits_the_name_of_one_that_goes() -> None:
    """Nor its credentials: of three that ask for one name, each keeps its own."""
    macs = [{"ip": f"100.1.1.{i}", "name": "Mac"} for i in (1, 2, 3)]
    before = _laptops(*macs)
    assert _names(before) == {"100.1.1.1": "mac", "100.1.1.2": "mac-100-1-1-2", "100.1.1.3": "mac-100-1-1-3"}
    plan = planned(before, _remove("mac"))
    assert plan.notes == (
        "the name of the node mac-100-1-1-2 is written out now, for it would have become mac",
        "the name of the node mac-100-1-1-3 is written out now, for it would have become mac",
    )
    after = edited(before, _remove("mac"))
    assert _names(after) == {"100.1.1.2": "mac-100-1-1-2", "100.1.1.3": "mac-100-1-1-3"}
    assert value(after, NODES)["management_laptops"][0] == {
        "ip": "100.1.1.2",
        "name": "mac-100-1-1-2",
        "label": "Mac",
    }
    again = edited(after, _add("mac", "100.1.1.9"))
    assert _names(again)["100.1.1.9"] == "mac"


def test_no_node_inherits_the_name_of_one_that_moves() -> None:
    """The lowest address has the name: a higher one would give it away."""
    before = _laptops(
        {"ip": "100.1.1.1", "name": "mac", "label": "M"}, {"ip": "100.1.1.2", "name": "mac", "label": "N"}
    )
    after = edited(before, _add("mac", "100.9.9.9"))
    assert _names(after) == {"100.9.9.9": "mac", "100.1.1.2": "mac-100-1-1-2"}
    assert value(after, NODES)["management_laptops"][1]["label"] == "N"


def test_a_node_named_after_its_address_keeps_that_name_when_it_moves() -> None:
    """A name is for life."""
    before = _laptops({"ip": "100.1.1.1", "name": "mac"}, {"ip": "100.1.1.2", "name": "mac"})
    after = edited(before, _add("mac-100-1-1-2", "100.1.1.3"))
    assert _names(after) == {"100.1.1.1": "mac", "100.1.1.3": "mac-100-1-1-2"}
    assert not planned(after, _add("mac-100-1-1-2", "100.1.1.3")).changed
    unlabelled = edited(before, _add("mac-100-1-1-2", "100.1.1.3", label=""))
    assert not planned(unlabelled, _add("mac-100-1-1-2", "100.1.1.3", label="")).changed


def test_a_name_that_cannot_be_written_out_changes_with_a_note() -> None:
    """Two hyphens in a row become one when they are read."""
    before = _laptops({"ip": "100.1.1.1", "name": "mac"}, {"ip": "fd7a::1", "name": "mac"})
    plan = planned(before, _remove("mac"))
    assert plan.notes == ("the node mac-fd7a--1 is called mac on the bus from now on: it must join again",)
    assert _names(edited(before, _remove("mac"))) == {"fd7a::1": "mac"}


@pytest.mark.parametrize("nodes", [{}, "x"])
def test_a_list_that_is_none_is_not_written_over(nodes: Any) -> None:
    """There may be something in it."""
    [fault] = refused(whole(registry_json={"worker_nodes": nodes}), _add("new", "100.1.1.1", Role.WORKER))
    assert "the field worker_nodes is no list" in fault


def test_moving_one_that_stands_before_an_unnamed_broken_one_is_not_refused() -> None:
    """What is called by its place in a list is another one then, and no new fault."""
    before = _laptops({"ip": LAPTOP, "name": "laptop"}, {"ip": "x"}, None)
    after = edited(before, _add("laptop", LAPTOP, Role.WORKER))
    assert value(after, NODES)["management_laptops"] == [{"ip": "x"}, None]
