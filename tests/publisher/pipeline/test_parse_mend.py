"""The commands that mend problems, where no folder of manifests shows them; the others are in `broken.py`, and run."""

from dataclasses import replace
from typing import Any

import pytest

from common.models import Registry
from publisher.pipeline.parse import Parsed, parse
from publisher.pipeline.parse.mend import Command
from publisher.source.document import DOCUMENTS, SERVICE_REGISTRY
from tests.publisher.pipeline.broken import BY_HAND, CASES
from tests.publisher.pipeline.parsing import DOMAINS, ROUTING, SERVICES, Texts, after, documents, first, having, texts

IMMICH = SERVICES["immich"]


def _mends(parsed: Parsed) -> list[str]:
    """Return the commands without the program's name; opening the document is none."""
    return [
        BY_HAND if problem.mend.startswith("edit ") else problem.mend.removeprefix("routecast ")
        for problem in parsed.problems
    ]


@pytest.mark.parametrize("case", CASES)
def test_in_a_cluster_the_commands_are_the_same(case: str) -> None:
    """But that nothing says where the registry is."""
    content, expected = CASES[case]
    assert [mend.replace("&& routecast ", "&& ") for mend in _mends(first(content))] == expected


@pytest.mark.parametrize(
    ("fields", "mend"),
    [
        ({"service": "immich-server"}, "service discover"),
        ({"service": " "}, "service add immich --ip ADDRESS"),
        ({"namespace": None, "service": "immich-server"}, "service add immich --ip ADDRESS"),
    ],
)
def test_an_address_is_looked_for_in_the_cluster(fields: dict[str, Any], mend: str) -> None:
    """Where a Service is named that has it; a folder of manifests knows none."""
    content = having(services_json={**SERVICES, "immich": {**IMMICH, "ip": None, **fields}})
    assert _mends(first(content)) == [mend]
    found = documents(content)
    found[SERVICE_REGISTRY] = replace(found[SERVICE_REGISTRY], routecast="routecast --registry-dir there")
    [problem] = parse(found, None).problems
    assert problem.mend == "routecast --registry-dir there service add immich --ip ADDRESS"


def test_what_else_is_wrong_with_such_a_service_is_mended_beside_it() -> None:
    """Its address is not for a person to write."""
    content = having(services_json={"immich": {**IMMICH, "service": "x", "ip": None, "port": "80"}})
    assert _mends(first(content)) == ["service add immich --port 80", "service discover"]


@pytest.mark.parametrize("name", ["a\nb", "x" * 254, "\x1b[31m"])
def test_a_name_that_nobody_should_paste_is_in_no_command(name: str) -> None:
    """Opening the document mends that, too."""
    assert _mends(first(having(routing_json={**ROUTING, name: ROUTING["immich"]}))) == [BY_HAND]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_made_while_a_document_cannot_be_read(name: str) -> None:
    """`init` would refuse."""
    content: Texts = {**having(services_json=None, registry_json=None, routing_json=None), name: None}
    for document in parse(documents(content, "denied"), None).problems:
        assert "routecast init" not in document.mend


@pytest.mark.parametrize("key", ["services_json", "domains_json", "routing_json", "registry_json"])
def test_nothing_empty_is_made_where_something_was(key: str) -> None:
    """It would take from the nodes what nobody removed."""
    content = having(**{key: None})
    assert BY_HAND in _mends(after(content))
    assert not [mend for mend in _mends(after(content)) if mend.startswith("init")]
    assert "init --registry-only" in _mends(first(content))
    assert "init --registry-only" in _mends(after(content, Registry()))


def test_a_domain_that_was_lost_is_put_back() -> None:
    """All names hang on it."""
    content = {**texts(), "cluster-info": None}
    assert _mends(after(content)) == ["init --registry-only --domain mycloud"]
    before = first(texts()).registry
    other = before.model_copy(update={"cluster": before.cluster.model_copy(update={"domain": "home.example.net"})})
    assert _mends(after(content, other)) == ["init --registry-only --domain home.example.net"]


def test_no_vps_is_registered_in_the_place_of_all_that_were() -> None:
    """As long as nothing says what VPSs there are, they all stay."""
    content = having(domains_json={"curiios.com": {}}, routing_json={})
    assert _mends(first(content)) == ["vps add ADDRESS"]
    assert _mends(after(content)) == [BY_HAND]


def test_a_kept_service_that_claims_a_name_is_mended_as_a_whole() -> None:
    """A new subdomain alone would not make its entry valid, so it would not count."""
    whole = having(services_json={**SERVICES, "zz": {**IMMICH, "subdomain": "zz", "ip": "100.1.1.1"}}, routing_json={})
    taken = {**IMMICH, "subdomain": "zz"}
    broken = having(
        services_json={"immich": taken, "zz": {"subdomain": "a b", "ip": "100.1.1.1", "port": 0}}, routing_json={}
    )
    assert _mends(after(broken, first(whole).registry)) == ["service add zz --subdomain a-b --port PORT"] * 3


def test_no_command_edits_what_cannot_be_read() -> None:
    """The kept services claim one name; which of them shall have another is to be written by hand."""
    both = {name: {**IMMICH, "ip": ip} for name, ip in (("a", "100.1.1.1"), ("b", "100.1.1.2"))}
    before = first(having(services_json=both, routing_json={})).registry
    parsed = after(having(services_json="{", routing_json={"gone": {}}), before)
    assert _mends(parsed) == [BY_HAND] * 3
    assert _mends(after(having(domains_json="{", routing_json={"immich": {"domains": ["x.org"]}})))[1:] == [BY_HAND]


def test_a_kept_route_that_serves_something_is_not_removed() -> None:
    """What stands there now cannot be read, but on the nodes it is as it was."""
    assert _mends(after(having(services_json="{", routing_json={"immich": 5}))) == [BY_HAND] * 2


def test_kept_routing_names_no_command() -> None:
    """It is in no key that could be edited."""
    assert _mends(after(having(services_json={}, routing_json="{"))) == [BY_HAND] * 2


def test_no_proposed_subdomain_is_given_twice() -> None:
    """Each command can be pasted, one after the other."""
    names = ["日本", "日本 2", "Photos", "photos!"]
    content = having(services_json={**SERVICES, **{name: {"ip": "100.1.1.1"} for name in names}})
    proposed = [mend.rpartition(" ")[2] for mend in _mends(first(content))]
    assert proposed == ["photos-2", "photos-3", "service", "2"]


def test_an_option_that_is_there_has_the_new_value() -> None:
    """And no other changes."""
    command = Command("init").having("--domain", "a").having("--name", "b").having("--domain", "c")
    assert command.line("routecast") == "routecast init --name b --domain c"


def test_domains_named_in_a_route_are_not_dropped_with_what_is_broken() -> None:
    """The one can still be registered; a list that is written anew would forget it."""
    route = {**ROUTING["immich"], "vps_nodes": ["x", "100.99.99.99"], "domains": ["curiios.com", "x y"]}
    parsed = first(having(routing_json={"immich": route}, domains_json=DOMAINS))
    assert _mends(parsed) == ["route set immich --domain curiios.com", BY_HAND, "vps add 100.99.99.99"]
