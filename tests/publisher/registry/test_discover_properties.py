"""What holds of discovery for every cluster and every registry; names, addresses and ports come from small sets."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from common.names import derive_names
from publisher.pipeline.parse.addresses import readable_address
from publisher.registry.discover import discover
from publisher.source.cluster_service import ClusterService, ServicePort
from tests.publisher.pipeline.parsing import first, having
from tests.publisher.registry.discovering import CLUSTER, KEY, OLD_KEY, Entries, applied

_LABELS = st.one_of(
    st.sampled_from(
        ["web", "web-a", "web-server", "minio", "minio-console", "a", "a-b", "b", "x" * 63, "x-" * 31 + "x"]
    ),
    st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True),
)
_IPS = st.one_of(
    st.sampled_from(["100.64.0.1", "100.64.0.2", "fd7a::1", "0.0.0.0"]),  # noqa: S104
    st.ip_addresses().map(str),
)
_PORTS = st.builds(ServicePort, st.sampled_from(["", "http", "web", "https", "api"]), st.sampled_from([80, 443, 1, 9]))
_ANNOTATIONS = st.dictionaries(
    st.sampled_from([KEY, OLD_KEY, "mycloud.local/port", "other"]),
    st.one_of(st.sampled_from(["@", "", "web", "a.b", "A", "80", "https", "a..b"]), st.text(max_size=8)),
    max_size=3,
)
_SERVICES = st.lists(
    st.builds(
        ClusterService,
        name=_LABELS,
        namespace=st.one_of(st.sampled_from(["a", "b"]), _LABELS),
        ip=st.none() | _IPS,
        ports=st.lists(_PORTS, max_size=3).map(tuple),
        annotations=_ANNOTATIONS,
        other_ips=st.lists(_IPS, max_size=1).map(tuple),
    ),
    max_size=6,
    unique_by=lambda made: made.key,
)
_BROKEN = st.one_of(st.none(), st.booleans(), st.integers(-9, 99), st.text(max_size=5), st.just([8]))
_ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "subdomain": st.one_of(_LABELS, _BROKEN, st.sampled_from(["@", "a.b", "web-b", "x" * 61 + "-2"])),
        "namespace": st.one_of(st.sampled_from(["a", "b", ""]), _LABELS, _BROKEN),
        "service": st.one_of(_LABELS, _BROKEN),
        "ip": st.one_of(_IPS, _BROKEN),
        "port": st.one_of(st.sampled_from([80, "80", 443, 9]), _BROKEN),
        "public": st.one_of(st.booleans(), _BROKEN),
        "discovered": st.one_of(st.booleans(), _BROKEN),
        "mine": _BROKEN,
    },
)
_ENTRIES = st.dictionaries(st.one_of(_LABELS, st.text(max_size=5)), st.one_of(_ENTRY, _BROKEN), max_size=5)


@st.composite
def _worlds(draw: st.DrawFn) -> tuple[list[ClusterService], Entries]:
    """Draw a cluster and a registry; some of its entries belong to Services of the cluster."""
    services, entries = draw(_SERVICES), draw(_ENTRIES)
    for owner in draw(st.lists(st.sampled_from(services), max_size=3)) if services else ():
        tied = {"namespace": owner.namespace, "service": owner.name}
        entries[draw(st.one_of(st.just(owner.name), _LABELS))] = {**draw(_ENTRY), **tied}
    return services, entries


@given(_worlds())
def test_discovering_twice_proposes_nothing_the_second_time(world: tuple[list[ClusterService], Entries]) -> None:
    """Whatever the cluster and the registry look like."""
    services, entries = world
    first = discover(services, CLUSTER, entries)
    second = discover(services, CLUSTER, applied(entries, first))
    assert second.proposals == ()
    assert second.vanished == first.vanished


@given(_worlds())
def test_of_an_entry_that_is_there_only_address_and_port_change(world: tuple[list[ClusterService], Entries]) -> None:
    """And only where it names a Service; never what a person set."""
    services, entries = world
    for proposal in discover(services, CLUSTER, entries).proposals:
        if not proposal.new:
            assert set(proposal.fields) <= {"ip", "port"}
            assert entries[proposal.name]["namespace"]
            assert entries[proposal.name]["service"]


@given(_worlds())
def test_a_new_entry_is_private_valid_and_takes_no_name_away(world: tuple[list[ClusterService], Entries]) -> None:
    """The parser has nothing to say of it, and every name of the zone has the owner that it had."""
    services, entries = world
    discovery = discover(services, CLUSTER, entries)
    new = {proposal.name: proposal.fields for proposal in discovery.proposals if proposal.new}
    assert all((fields["public"], fields["discovered"]) == (False, True) for fields in new.values())
    assert len({(fields["namespace"], fields["service"]) for fields in new.values()}) == len(new)
    parsed = first(having(services_json=applied(entries, discovery)))
    assert not [problem for problem in parsed.problems if problem.entry in new]
    assert new.keys() <= parsed.registry.services.keys()
    claimed = derive_names(parsed.registry).conflicts
    assert not new.keys() & {name for conflict in claimed for name in (conflict.owner, conflict.loser)}


@given(_worlds(), st.randoms(use_true_random=False))
def test_the_order_of_services_and_entries_says_nothing(
    world: tuple[list[ClusterService], Entries], random: Random
) -> None:
    """A list of an API server has no order that could be relied on."""
    services, entries = world
    shuffled, items = list(services), list(entries.items())
    random.shuffle(shuffled)
    random.shuffle(items)
    assert discover(shuffled, CLUSTER, dict(items)) == discover(services, CLUSTER, entries)


@given(_worlds())
def test_no_entry_has_an_address_that_its_service_does_not_have(world: tuple[list[ClusterService], Entries]) -> None:
    """Not of a Service in the cluster, nor of one that discovery made an entry for and that is gone."""
    services, entries = world
    discovery = discover(services, CLUSTER, entries)
    registered = first(having(services_json=applied(entries, discovery))).registry.services
    addresses = {made.key: {readable_address(ip) for ip in (made.ip, *made.other_ips)} for made in services}
    for name, each in registered.items():
        if name in discovery.vanished:
            assert each.ip is None
        elif (each.namespace, each.service) in addresses:
            assert each.ip in {None, *addresses[each.namespace, each.service]}
