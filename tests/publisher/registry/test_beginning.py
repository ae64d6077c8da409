from functools import partial
from typing import Any

import pytest

from common.models import Role
from publisher.pipeline.parse import Part, parse
from publisher.registry.beginning import EMPTY, ClusterFields, begin
from publisher.registry.draft import NODES, OBJECTS, OLD_VPS_NODES, Draft
from publisher.registry.nodes import add_node
from publisher.registry.plan import Edit
from publisher.source.document import CLUSTER_INFO, DOCUMENTS, Document
from tests.publisher.pipeline.parsing import documents, having, texts
from tests.publisher.registry.editing import edited, planned, refused, told, value, whole

NOTHING = {name: Document.missing(name, edit="") for name in DOCUMENTS}


def _begin(counts: dict[str, int] | None = None, **fields: Any) -> Edit:
    return partial(begin, given=ClusterFields(**fields), counts=counts or {})


def test_a_registry_is_made_of_nothing() -> None:
    """Whole, readable and empty; the same again has nothing to do."""
    edit = _begin(name="my\nnodeone", domain="MyCloud.", control_plane_ip="100.122.68.75")
    plan = planned(NOTHING, edit)
    assert list(plan.writes) == list(DOCUMENTS)
    assert set(plan.versions.values()) == {None}
    after = edited(NOTHING, edit)
    assert after[CLUSTER_INFO].data == {
        "cluster-name": "my nodeone",
        "cluster-domain": "mycloud",
        "control-plane-ip": "100.122.68.75",
    }
    parsed = parse(after, None)
    assert (parsed.problems, parsed.readable) == ((), frozenset(Part))
    assert not planned(after, edit).changed
    assert not planned(after, _begin()).changed
    assert all(value(after, key) == EMPTY[key][0] for key in OBJECTS if key is not OLD_VPS_NODES)


def test_the_control_plane_can_be_registered_with_it() -> None:
    """In one edit, before anything of it exists."""

    def edit(draft: Draft) -> None:
        begin(draft, ClusterFields(domain="mycloud"), {})
        add_node(draft, Role.WORKER, "control-plane", "100.122.68.75", None)

    after = edited(NOTHING, edit)
    assert [node.name for node in parse(after, None).registry.nodes] == ["control-plane"]
    assert EMPTY[NODES][0]["worker_nodes"] == []


def test_what_is_there_stays_as_it_is() -> None:
    """Also in another shape, and what is broken."""
    before = whole(domains_json={"curiios.com": {}}, vps_nodes_json={}, routing_json="{", services_json=" \n")
    plan = planned(before, _begin(name="other"))
    assert told(plan) == ["cluster cluster-name.value: 'mynodeone' -> 'other'"]
    assert {name: list(keys) for name, keys in plan.writes.items()} == {
        "cluster-info": ["cluster-name"],
        "service-registry": ["services.json"],
    }


def test_all_faults_are_said_at_once() -> None:
    """A person mends them in one go."""
    faults = refused(NOTHING, _begin(domain="a b", control_plane_ip="x"))
    assert [fault.partition(":")[0] for fault in faults] == ["--domain", "--control-plane-ip"]
    assert refused(NOTHING, _begin()) == (
        "the cluster has no domain yet, so there would be no names; give it one, as --domain mycloud",
    )


@pytest.mark.parametrize("blank", [None, "", "\ufeff"])
def test_what_once_held_something_is_not_made_empty(blank: Any) -> None:
    """A blank key is a lost one then."""
    [fault] = refused(documents(having(services_json=blank)), _begin(counts={"services": 3, "routing": 2}))
    assert fault.startswith("service-registry/services.json is blank, but 3 of its entries were published")


def test_documents_that_cannot_be_read_are_not_written() -> None:
    """Nor made a second time."""
    content = {**texts(), "cluster-info": None, "service-registry": None}
    faults = refused(documents(content, why="denied"), _begin(domain="b"))
    assert faults == (
        "cluster-info: denied; mend it first: edit cluster-info",
        "service-registry/services.json: denied; mend it first: edit service-registry",
    )
