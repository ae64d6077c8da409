"""How the doctor judges whether names resolve, and what stands between the resolver and our files."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.doctor.check import Check, State
from cli.doctor.node.facts import DnsmasqSeen, NameSeen, ResolverSeen
from cli.doctor.node.names import judge_local
from common.models import Cluster, Registry
from tests.cli import doctor_facts as facts
from tests.cli.doctor_facts import fault, judge_as_node, node, one, settings
from tests.registries import REFERENCE, snapshot


def _dns(seen: DnsmasqSeen, **fields: Any) -> list[Check]:
    wanted = settings(subscriber={"targets": ["dnsmasq"]})
    return judge_as_node(node(settings=wanted, targets=[], dnsmasq=seen, **fields))


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (DnsmasqSeen(1, None), State.OK),
        (DnsmasqSeen(1, "photos is not known"), State.FAIL),
        (DnsmasqSeen(1, fault()), State.SKIP),
        (DnsmasqSeen(None, None), State.FAIL),
        (DnsmasqSeen(fault(), None), State.SKIP),
    ],
)
def test_dnsmasq_runs_and_answers_from_our_files(seen: DnsmasqSeen, state: State) -> None:
    """It is asked itself, whatever the system's resolver does."""
    assert one(_dns(seen), "dnsmasq").state is state


def _name(*found: str) -> NameSeen:
    return NameSeen("photos.mycloud.local", "100.67.243.10", frozenset(found))


@pytest.mark.parametrize(
    ("names", "state", "said"),
    [
        ([_name("100.67.243.10")], State.OK, "resolves photos.mycloud.local"),
        ([_name("100.67.243.10", "10.0.0.1")], State.WARN, "is also 10.0.0.1"),
        ([_name("10.0.0.1")], State.FAIL, "is 10.0.0.1 instead of 100.67.243.10"),
        ([_name()], State.FAIL, "is not known instead of"),
        ([NameSeen("a.b", "1.1.1.1", fault("temporary failure"))], State.FAIL, "temporary failure"),
        ([NameSeen("a.b", "1.1.1.1", fault()), _name("100.67.243.10", "10.0.0.1")], State.FAIL, "it is gone"),
        ([], State.SKIP, "no names"),
    ],
)
def test_names_resolve_to_what_the_registry_says(names: Any, state: State, said: str) -> None:
    """By the system's own resolver; the command asks it again."""
    check = one(judge_as_node(node(names=names)), "names")
    assert check.state is state
    assert said in check.what


def test_a_hosts_file_that_no_resolver_reads_says_nothing_of_names() -> None:
    """Names are not looked up where `hosts.path` is not the system's."""
    check = one(judge_as_node(node(settings=settings(hosts={"path": "/tmp/h"}))), "names")
    assert (check.state, check.what) == (State.SKIP, "the system's resolver reads /etc/hosts, not /tmp/h")


def test_a_zone_of_ones_own_has_no_caveat() -> None:
    """Only names in .local are multicast DNS's; without a zone there is none."""
    for cluster in (Cluster(domain="home.example.org"), Cluster()):
        registry: Registry = REFERENCE.model_copy(update={"cluster": cluster})
        assert ".local" not in facts.states(judge_as_node(node(accepted=snapshot(registry))))


@pytest.mark.parametrize(
    ("line", "nameservers", "by_hosts", "answered", "state"),
    [
        ("", "", True, False, State.SKIP),
        ("files dns", "", True, False, State.OK),
        ("files mdns4_minimal [NOTFOUND=return] dns", "", True, False, State.OK),
        ("mdns4_minimal [NOTFOUND=return] files dns", "", True, False, State.WARN),
        ("mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] files", "", True, True, State.WARN),
        ("mymachines resolve [!UNAVAIL=return] files dns", "", True, False, State.OK),
        ("dns", "", True, False, State.FAIL),
        ("files dns", "", False, False, State.OK),
        ("files mdns4_minimal [NOTFOUND=return] dns", "", False, True, State.WARN),
        ("files dns", "127.0.0.53", False, False, State.WARN),
        ("files resolve [!UNAVAIL=return]", "", False, False, State.WARN),
        ("files dns", "127.0.0.53", False, True, State.OK),
        ("files", "", False, False, State.FAIL),
    ],
)
def test_a_zone_in_local_and_who_else_looks_there(
    line: str, nameservers: str, by_hosts: bool, answered: bool, state: State
) -> None:
    """A hosts file counts when it is read before multicast DNS; dnsmasq when somebody asks it for names in .local."""
    resolver = ResolverSeen(tuple(line.split()), tuple(nameservers.split()))
    assert judge_local("mycloud.local", resolver, by_hosts=by_hosts, answered=answered).state is state


@given(
    words=st.lists(st.sampled_from(["files", "dns", "resolve", "mdns4_minimal", "[NOTFOUND=return]", "myhostname"])),
    by_hosts=st.booleans(),
    answered=st.booleans(),
)
def test_any_order_of_lookups_is_judged(words: list[str], by_hosts: bool, answered: bool) -> None:
    """One verdict for every line; never ok where multicast DNS comes first, never bad where it does not come at all."""
    check = judge_local("mycloud.local", ResolverSeen(tuple(words), ()), by_hosts=by_hosts, answered=answered)
    order = [word for word in words if not word.startswith("[")]
    if check.state is State.OK:
        assert order[0] != "mdns4_minimal"
    if by_hosts and "mdns4_minimal" not in order and {"files", "resolve"} & {*order}:
        assert check.state is State.OK
