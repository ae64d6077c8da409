"""Services of a cluster to proposed entries: what follows, what is new, what is never touched."""

from typing import Any

import orjson
import pytest

from publisher.registry.discover import Discovery, discover
from publisher.source.document import SERVICE_REGISTRY
from tests.publisher.pipeline.parsing import sample
from tests.publisher.registry.discovering import (
    CLUSTER,
    ELSEWHERE,
    IP,
    KEY,
    Entries,
    applied,
    entry,
    only,
    proposed,
    service,
)


def test_a_service_without_an_entry_becomes_a_private_one_that_is_marked() -> None:
    """All that an entry needs, in the order of the field; nothing goes public by itself."""
    discovery = discover([service("immich-server")], CLUSTER, {})
    (proposal,) = discovery.proposals
    assert (proposal.name, proposal.new) == ("immich-server", True)
    assert list(proposal.fields.items()) == [
        ("subdomain", "immich"),
        ("namespace", "photos"),
        ("service", "immich-server"),
        ("ip", IP),
        ("port", 80),
        ("public", False),
        ("discovered", True),
    ]
    assert (discovery.vanished, discovery.problems, discovery.notes) == ((), (), ())


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"ip": f" {IP}"},
        {"port": "080"},
        {"port": 443},
        {"public": "true", "subdomain": "A..b", "scheme": "gopher", "mine": [1]},
        {"namespace": " photos ", "service": "immich "},
    ],
)
def test_nothing_is_proposed_where_nothing_differs(same: Entries) -> None:
    """In whatever form it is written; what is wrong with the rest is for `lint` to say."""
    services = [service(ports={"a": 80, "b": 443})]
    assert discover(services, CLUSTER, {"whatever": entry(**same)}) == Discovery((), (), (), ())


def test_numbers_are_compared_as_text() -> None:
    """A namespace may be called 2024, and be written as a number by a tool that thinks it is one."""
    numbers = {"x": entry("7", "2024") | {"namespace": 2024, "service": 7}}
    assert discover([service("7", "2024")], CLUSTER, numbers).proposals == ()


@pytest.mark.parametrize("written", [ELSEWHERE, "", None, "gone", "100.67.243.300", 5, ["x"]])
def test_the_address_of_an_entry_follows_its_service(written: Any) -> None:
    """Alone: whatever else stands there stays."""
    entries = {"pics": entry(ip=written, public=True, subdomain="mine")}
    (proposal,) = discover([service()], CLUSTER, entries).proposals
    assert (proposal.name, dict(proposal.fields), proposal.new) == ("pics", {"ip": IP}, False)


def test_an_address_is_kept_where_it_is_one_of_several() -> None:
    """As of k3s' own load balancer, which lists all nodes in no certain order."""
    services = [service(other_ips=(ELSEWHERE, "fd7a::1"))]
    for kept in (ELSEWHERE, "FD7A:0::1"):
        assert discover(services, CLUSTER, {"immich": entry(ip=kept)}).proposals == ()
    assert only(discover(services, CLUSTER, {"immich": entry(ip="100.1.1.1")})) == {"ip": IP}


@pytest.mark.parametrize("written", [8080, "8080", None, "gone", "", True, 0, "٨٠", [80]])
def test_the_port_of_an_entry_changes_only_when_the_service_has_no_such_port(written: Any) -> None:
    """To the one that a new entry would get."""
    services = [service(ports={"admin": 70, "web": 3000})]
    assert only(discover(services, CLUSTER, {"immich": entry(port=written)})) == {"port": 3000}
    assert discover(services, CLUSTER, {"immich": entry(port=70)}).proposals == ()


def test_all_entries_of_a_service_follow_it() -> None:
    """The field has duplicates: two entries of one Service, which must not part."""
    entries = {"a": entry(ip=ELSEWHERE), "b": entry(ip=None)}
    assert proposed(discover([service()], CLUSTER, entries)) == {"a": {"ip": IP}, "b": {"ip": IP}}


@pytest.mark.parametrize("address", [None, "0.0.0.0", "224.0.0.1"])  # noqa: S104 - what some controllers write at first
def test_an_address_that_the_service_gave_up_is_given_up(address: str | None) -> None:
    """It may be someone else's by then; a new entry waits for one."""
    services = [service(ip=address), service("new", ip=address)]
    for written in (IP, "100.67.243.300"):
        assert proposed(discover(services, CLUSTER, {"immich": entry(ip=written)})) == {"immich": {"ip": None}}
    discovery = discover(services, CLUSTER, {"immich": entry(ip="")})
    assert discovery.proposals == ()
    assert discovery.notes == ("the Service new in photos has no address yet: it gets an entry as soon as it has one",)
    assert len(discovery.problems) == (0 if address is None else 2)
    assert all("at which nothing can be reached" in problem for problem in discovery.problems)


def test_a_vanished_service_is_reported_and_its_address_given_up() -> None:
    """The entry stays, so that everything a person set is there when the Service comes back."""
    made = entry(discovered=True, public=True)
    discovery = discover([], CLUSTER, {"immich": made})
    assert discovery.vanished == ("immich",)
    assert only(discovery) == {"ip": None}
    after = applied({"immich": made}, discovery)
    assert discover([], CLUSTER, after) == Discovery((), ("immich",), (), ())
    assert applied(after, discover([service()], CLUSTER, after)) == {"immich": made}


@pytest.mark.parametrize(
    "kept",
    [entry(), entry(discovered=False), entry(discovered="true"), entry(discovered=True, service=""), "no object"],
)
def test_what_discovery_did_not_make_never_vanishes(kept: Any) -> None:
    """A person may register what is no LoadBalancer Service; an entry that no longer names one is theirs now."""
    assert discover([], CLUSTER, {"immich": kept}) == Discovery((), (), (), ())


def test_all_that_is_said_is_sorted() -> None:
    """Two runs can be compared, and of two entries with one subdomain the first by name is the one that has it."""
    gone = {name: entry(name, subdomain="immich", discovered=True) for name in ("b", "a")}
    services = [service(name, ip=None, annotations={KEY: "a..b"}) for name in ("z", "y")]
    discovery = discover([*services, service()], CLUSTER, gone)
    assert discovery.vanished == ("a", "b")
    assert [proposal.name for proposal in discovery.proposals] == ["a", "b", "immich"]
    assert [said.split()[2] for said in discovery.notes] == ["y", "z"]
    assert [said.split()[2] for said in discovery.problems] == ["immich", "y", "z"]
    assert "which 'a' has" in discovery.problems[0]


def test_services_of_one_name_are_kept_apart() -> None:
    """The first namespace gets the plain name, and no entry that is there is renamed."""
    services = [service("web", namespace, f"100.67.243.{n}") for n, namespace in enumerate("cab")]
    discovery = discover(services, CLUSTER, {})
    assert {name: fields["subdomain"] for name, fields in proposed(discovery).items()} == {
        "web": "web",
        "web-b": "web-b",
        "web-c": "web-c",
    }
    assert proposed(discovery)["web"]["namespace"] == "a"
    assert len(discovery.problems) == 2
    assert "asks for the subdomain 'web', which 'web' has; 'web-b' is proposed with 'web-b'" in discovery.problems[0]
    later = discover(services, CLUSTER, {"web": entry("web", "c", ip="100.67.243.0")})
    assert list(proposed(later)) == ["web-a", "web-b"]


def test_a_name_that_is_taken_twice_gets_a_number() -> None:
    """Also where it is the name of an entry that cannot be read."""
    taken: Entries = {"immich": None, "immich-photos": [], "immich-photos-2": entry("x", ip=ELSEWHERE)}
    assert list(proposed(discover([service()], CLUSTER, taken))) == ["immich-photos-3"]


@pytest.mark.parametrize(
    ("annotation", "given"),
    [
        ("pics", "pics-photos"),
        ("@", "immich"),
        ("my.pics", "immich"),
        ("x" * 63, "x" * 61 + "-2"),
        ("x" * 62, "x" * 61 + "-2"),
        ("x" * 60, "x" * 60 + "-ph"),
    ],
)
def test_a_subdomain_that_another_entry_has_is_not_taken_from_it(annotation: str, given: str) -> None:
    """Not even while that one has no address: it may have been withdrawn for a moment only."""
    for ip in (ELSEWHERE, None):
        other = {"other": {"subdomain": annotation, "ip": ip, "port": 80}}
        discovery = discover([service(annotations={KEY: annotation})], CLUSTER, other)
        assert proposed(discovery)["immich"]["subdomain"] == given
        (problem,) = discovery.problems
        assert f"asks for the subdomain {annotation!r}, which 'other' has;" in problem


def test_a_subdomain_that_an_old_name_is_served_under_may_be_shared() -> None:
    """Two entries that lead to one place claim no name from each other; two ports of one address would."""
    other = {"other": {"subdomain": "immich", "ip": IP, "port": "80"}}
    assert only(discover([service()], CLUSTER, other))["subdomain"] == "immich"
    apart = discover([service(ports={"": 8080})], CLUSTER, other)
    assert proposed(apart)["immich"]["subdomain"] == "immich-photos"


def test_a_subdomain_of_a_vanished_service_says_how_to_free_it() -> None:
    """As when an app moves to another namespace."""
    gone = {"immich": entry(discovered=True)}
    discovery = discover([service(namespace="media")], CLUSTER, gone)
    assert proposed(discovery)["immich-media"]["subdomain"] == "immich-media"
    assert "'immich' has, though its Service is gone (see: routecast service discover --prune)" in discovery.problems[0]


def test_an_annotation_chooses_before_a_name_does() -> None:
    """What a person wrote goes before what a rule makes."""
    services = [service("photos", "a"), service("zoo", "b", ELSEWHERE, annotations={KEY: "photos"})]
    discovery = discover(services, CLUSTER, {})
    assert proposed(discovery)["zoo"]["subdomain"] == "photos"
    assert proposed(discovery)["photos"]["subdomain"] == "photos-a"


@pytest.mark.parametrize("named", [{}, {"namespace": "photos"}, {"service": "immich", "namespace": ""}])
def test_an_entry_that_a_person_wrote_without_the_service_is_not_doubled(named: Entries) -> None:
    """It has the Service's name and address; how to have it follow is noted."""
    by_hand = {"immich": {"subdomain": "pics", "ip": IP, "port": 80, **named}}
    discovery = discover([service()], CLUSTER, by_hand)
    assert (discovery.proposals, discovery.problems) == ((), ())
    assert "namespace 'photos' and service 'immich' in it" in discovery.notes[0]
    elsewhere = discover([service(ip=ELSEWHERE)], CLUSTER, by_hand)
    assert list(proposed(elsewhere)) == ["immich-photos"]
    another = discover([service()], CLUSTER, {"immich": {**by_hand["immich"], "namespace": "other"}})
    assert list(proposed(another)) == ["immich-photos"]


def test_where_a_person_decided_otherwise_it_is_noted_and_kept() -> None:
    """The annotation stays without effect, and nobody wonders why."""
    annotations = {KEY: "@", "mycloud.local/port": "admin"}
    services = [service(ports={"http": 80, "admin": 9000}, annotations=annotations)]
    discovery = discover(services, CLUSTER, {"pics": entry(subdomain="mine")})
    assert discovery == Discovery(
        (),
        (),
        (),
        (
            "'pics' keeps the port '80', though an annotation of the Service immich in photos asks for 9000 (admin)",
            "'pics' keeps the subdomain 'mine', though an annotation of the Service immich in photos asks for '@'",
        ),
    )


def test_a_new_port_that_speaks_otherwise_is_noted() -> None:
    """The scheme may be a person's, so it stays: how the backend is spoken to is theirs to change."""
    discovery = discover([service(ports={"https": 443})], CLUSTER, {"immich": entry()})
    assert only(discovery) == {"port": 443}
    assert discovery.notes == ("'immich' keeps the scheme 'http', though its port is now 443 (https)",)
    agreed = discover([service(ports={"b": 9, "a": 8})], CLUSTER, {"immich": entry(scheme=" HTTP ")})
    assert only(agreed) == {"port": 8}
    assert len(agreed.notes) == 1, "that it was a guess, and nothing else"
    assert discover([service(ports={})], CLUSTER, {"immich": entry(port=None)}) == Discovery((), (), (), ())


@pytest.mark.parametrize("name", ["reference", "legacy"])
def test_an_old_cluster_whose_services_are_as_registered_is_left_alone(name: str) -> None:
    """Taking over means no renames, and no second entry."""
    entries = orjson.loads((sample(name)[SERVICE_REGISTRY].data or {})["services.json"])
    written = [each for each in entries.values() if each["ip"] != "100.67.243.300"]
    services = [service(each["service"], each["namespace"], each["ip"], {"": int(each["port"])}) for each in written]
    assert discover(services, CLUSTER, entries) == Discovery((), (), (), ())
