from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.codec import canonical
from common.models import Node, Registry
from common.names import derive_names
from common.problems import Severity
from common.routes import derive_routes
from common.snapshot import registry_value
from publisher.pipeline.parse import Part, parse
from publisher.pipeline.parse.addresses import readable_address
from publisher.source.document import CLUSTER_INFO, DOCUMENTS, SERVICE_REGISTRY, SYNC_CONTROLLER_REGISTRY, Document
from tests.publisher.pipeline.parsing import (
    CALM,
    KEYS,
    NODES,
    ROUTING,
    SERVICES,
    Texts,
    after,
    as_json,
    documents,
    first,
    having,
    lines,
    texts,
)
from tests.registries import addresses, registries

BROKEN = ["", " \n", "null", "[]", '"x"', "5", "{", '{"a": ', "\ufeff", "NaN", "\ud800"]
PARTS_OF = {
    "services.json": {Part.SERVICES},
    "domains.json": {Part.DOMAINS, Part.VPS_NODES},
    "routing.json": {Part.ROUTING},
    "registry.json": {Part.NODES},
}

KNOWN_FIELDS = (
    "subdomain ip port public scheme middlewares name strategy domains vps_nodes tailscale_ip public_ip description"
)
KNOWN_TEXTS = "immich curiios.com 100.68.225.92 100.86.112.112 true 80 @ auth@file a,b ß.x"
words = st.text(max_size=12) | st.sampled_from([*KNOWN_FIELDS.split(), *KNOWN_TEXTS.split(), "x" * 400])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70000) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=25,
)
entries = st.dictionaries(words, values, max_size=5)
keys = st.sampled_from([*KEYS, "cluster-domain", "cluster-name", "control-plane-ip"])
contents = st.text(max_size=20) | st.just("\ud800") | values.map(as_json)
datas = st.none() | st.dictionaries(keys, contents, max_size=6)
anything = st.dictionaries(st.sampled_from(DOCUMENTS), datas)


def _has_address(item: Any) -> bool:
    return isinstance(item, dict) and readable_address(item.get("ip")) is not None


@CALM
@given(anything, st.none() | registries(), st.none() | st.just("denied"))
def test_it_never_raises_and_what_it_gives_can_be_sent(
    content: Texts, previous: Registry | None, why: str | None
) -> None:
    """Whatever stands in the ConfigMaps: there is a registry, it derives, encodes, and validates again at a node."""
    parsed = parse(documents(content, why), previous)
    derive_names(parsed.registry)
    derive_routes(parsed.registry)
    assert Registry.model_validate_json(canonical(registry_value(parsed.registry))) == parsed.registry
    for problem in parsed.problems:
        canonical(problem.model_dump(mode="json"))


@CALM
@given(anything)
def test_it_is_stable_on_what_it_gave(content: Texts) -> None:
    """The same documents give the same registry again, so a restart publishes nothing new."""
    registry = parse(documents(content), None).registry
    assert parse(documents(content), registry).registry == registry


@pytest.mark.parametrize("broken", [*BROKEN, None])
@pytest.mark.parametrize("key", PARTS_OF)
def test_a_broken_key_never_removes_anything(key: str, broken: str | None) -> None:
    """Unreadable is never empty; the other parts are read."""
    whole = first(texts()).registry
    parsed = after(having(**{key.replace(".", "_"): broken}), whole)
    assert parsed.registry == whole
    assert parsed.readable == set(Part) - PARTS_OF[key]
    kept = [problem for problem in parsed.problems if problem.message.endswith("the previous form is kept")]
    assert {(problem.severity, problem.document, problem.entry) for problem in kept} == {
        (Severity.ERROR, f"{KEYS[key]}/{key}", None)
    }


@pytest.mark.parametrize("why", [None, "denied: kubectl auth can-i get configmaps"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_is_missing_or_denied_never_removes_anything(name: str, why: str | None) -> None:
    """And its problem says which of the two."""
    whole = first(texts()).registry
    parsed = parse(documents({**texts(), name: None}, why), whole)
    assert parsed.registry == whole
    assert all((why or "is missing") in problem.message for problem in parsed.problems)
    assert {problem.document.split("/")[0] for problem in parsed.problems} == {name}


@pytest.mark.parametrize("broken", [*BROKEN, None])
@pytest.mark.parametrize("key", PARTS_OF)
def test_on_first_contact_an_unreadable_key_is_empty_with_an_error(key: str, broken: str | None) -> None:
    """There is no previous form to keep."""
    parsed = first(having(**{key.replace(".", "_"): broken}))
    assert parsed.readable == set(Part) - PARTS_OF[key]
    assert any("it counts as empty" in line for line in lines(parsed.problems))


def test_nothing_at_all_is_an_empty_registry_with_a_problem_for_each_part() -> None:
    """Also when not even the documents are handed over."""
    parsed = parse({}, None)
    assert parsed.registry == Registry()
    assert parsed.readable == frozenset()
    assert {problem.document for problem in parsed.problems} == {
        "cluster-info/cluster-domain",
        "service-registry/services.json",
        "domain-registry/domains.json",
        "domain-registry/routing.json",
        "sync-controller-registry/registry.json",
    }


def test_what_is_absent_from_a_readable_key_is_removed() -> None:
    """That is how entries are removed."""
    parsed = after(having(services_json={}, domains_json={}, routing_json={}, registry_json={}))
    whole = first(texts()).registry
    assert parsed.registry == Registry(cluster=whole.cluster)
    assert parsed.problems == ()


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    """Editors put it there."""
    content = having(services_json="\ufeff " + as_json(SERVICES))
    assert first(content) == first(texts())


@CALM
@given(entries)
def test_bad_services_never_change_the_good_ones(bad: dict[str, Any]) -> None:
    """Each entry is read for itself."""
    bad = {name: entry for name, entry in bad.items() if name not in SERVICES}
    registry = first(having(services_json={**bad, **SERVICES})).registry
    assert {name: registry.services[name] for name in SERVICES} == first(texts()).registry.services


@CALM
@given(entries)
def test_bad_routing_never_changes_the_good_one(bad: dict[str, Any]) -> None:
    """Each entry is read for itself."""
    assert (
        first(having(routing_json={**bad, **ROUTING})).registry.routing["immich"]
        == (first(texts()).registry.routing["immich"])
    )


@CALM
@given(st.lists(values.filter(lambda item: not _has_address(item)), max_size=4), st.sampled_from(sorted(NODES)))
def test_bad_nodes_never_change_the_good_ones(bad: list[Any], field: str) -> None:
    """A node's name and address are its own."""
    registry = first(having(registry_json={**NODES, field: [*bad, *NODES[field]]})).registry
    assert set(first(texts()).registry.nodes) <= set(registry.nodes)


@CALM
@given(entries, registries())
def test_an_invalid_service_never_becomes_public(found: dict[str, Any], previous: Registry) -> None:
    """What was not public, or does not read as public now, is not public, unless the entry is valid and says so."""
    before = previous.services
    content = having(services_json={**{name: {"port": 0, "public": True} for name in before}, **found})
    parsed = parse(documents(content), previous)
    for name in before.keys() - found.keys():
        assert parsed.registry.services[name].public is before[name].public
        assert parsed.registry.services[name].ip is None
    for name, service in parsed.registry.services.items():
        read = found.get(name)
        if service.public and name in found:
            assert isinstance(read, dict)
            assert str(read.get("public")).strip().lower() == "true"


@CALM
@given(st.lists(addresses, unique=True, max_size=6), st.data())
def test_the_order_in_a_document_decides_nothing(found: list[str], data: st.DataObject) -> None:
    """Tools write lists and objects in any order; nodes and VPSs are sorted."""

    def content(order: list[str]) -> Texts:
        laptops = [{"ip": each, "name": "mac"} for each in order]
        vps_nodes = [{"tailscale_ip": each} for each in order]
        return having(
            registry_json={"management_laptops": laptops}, domains_json={"domains": {}, "vps_nodes": vps_nodes}
        )

    assert first(content(found)).registry == first(content(data.draw(st.permutations(found)))).registry


def test_what_a_source_notes_on_a_document_is_a_warning() -> None:
    """The same ConfigMap in two files, say."""
    found = documents(texts())
    found[CLUSTER_INFO] = replace(found[CLUSTER_INFO], notes=("is in b.yaml too",))
    parsed = parse(found, None)
    assert lines(parsed.problems) == ["warning cluster-info None: is in b.yaml too"]
    assert parsed.problems[0].mend == "edit cluster-info"


def test_nothing_private_or_volatile_is_taken_over() -> None:
    """Who changed what when, and how to log in somewhere, is nobody's business on the nodes."""
    laptop = {"ip": "100.86.112.112", "name": "laptop", "ssh_user": "secret", "repo_path": "secret", "status": "secret"}
    immich = {**SERVICES["immich"], "updated": "secret", "token": "secret"}
    content = having(registry_json={"management_laptops": [laptop]}, services_json={"immich": immich})
    assert b"secret" not in canonical(registry_value(first(content).registry))


def test_a_large_registry_is_read_whole() -> None:
    """A ConfigMap holds up to 1 MiB."""
    services = {
        f"app-{i}": {"subdomain": f"a{i}", "ip": f"100.{i >> 8 & 63}.{i & 255}.1", "port": 80} for i in range(8000)
    }
    parsed = first(having(services_json=services, routing_json={}))
    assert len(parsed.registry.services) == 8000
    assert parsed.problems == ()


def test_a_problem_that_no_command_mends_carries_the_one_that_opens_its_document() -> None:
    """Ready to paste."""
    content = documents(having(services_json={**SERVICES, " x": {}}))
    content[SERVICE_REGISTRY] = Document(SERVICE_REGISTRY, content[SERVICE_REGISTRY].data, edit="kubectl edit")
    [problem] = parse(content, None).problems
    assert problem.mend == "kubectl edit"


def test_kept_nodes_stay_the_nodes_they_were() -> None:
    """Durable consumers hang on their names."""
    whole = first(texts()).registry
    nodes = (*whole.nodes, Node(name="other", role=whole.nodes[0].role, address="100.99.0.1", label="made by hand"))
    before = whole.model_copy(update={"nodes": nodes})
    content = {**texts(), SYNC_CONTROLLER_REGISTRY: None}
    assert parse(documents(content), before).registry.nodes == nodes
