from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common.ack import Agent, NodeAck, State, TargetAck
from common.clock import now
from common.models import Cluster, Domain, Registry, Role, Routing, Service, Vps
from common.names import derive_names
from common.routes import derive_routes
from common.settings.policy import PolicySettings
from subscriber.policy import DEFAULT, NOTHING, Policy
from tests.registries import REFERENCE, registries, with_service
from tests.subscriber.policies import ANYWHERE, SPECIAL, TAKES_ANYTHING

VPS = "100.68.225.92"
RECORD_LIMIT = 48 * 1024
BENT = ("127.0.0.1", "127.9.9.9", "::1", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1", "0.1.2.3", "255.255.255.255")

zone_lists = st.just("any") | st.lists(
    st.sampled_from(
        ["mycloud.local", "local", "lan.example.org", "example.org", "a.com", "com", "photos.mycloud.local"]
    )
)
network_lists = st.lists(
    st.sampled_from(
        ["0.0.0.0/0", "10.0.0.0/8", "100.64.0.0/10", "128.0.0.0/1", "fd7a:115c:a1e0::/64", "::/0", *SPECIAL]
    )
)
policies = st.fixed_dictionaries(
    {},
    optional={
        "zones": zone_lists,
        "networks": network_lists,
        "max_names": st.integers(0, 4),
        "max_routes": st.integers(0, 4),
    },
).map(PolicySettings.model_validate)


def _policy(**settings: Any) -> Policy:
    return Policy(PolicySettings.model_validate(settings))


def _pointing_to(address: str) -> Registry:
    immich = Service(subdomain="photos", ip=address, port=80, public=True)
    return with_service("immich", immich)


def _below(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def _is_within(address: str, settings: PolicySettings) -> bool:
    """Say it in the words of the standard library, as slowly as it likes."""
    ip: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    around = [network for network in map(ip_network, SPECIAL) if ip in network]
    return any(
        ip in network and all(network.subnet_of(each) for each in around)  # type: ignore[arg-type]
        for network in settings.networks
    )


@given(registries(), policies)
def test_what_is_allowed_is_inside(registry: Registry, settings: PolicySettings) -> None:
    """Every name and route that goes to a target lies in a zone, points into a range, and there are not too many."""
    policy = Policy(settings)
    names = policy.names(registry)
    assert len(names.records) <= settings.max_names
    for name, address in names.records.items():
        assert settings.zones == "any" or any(_below(name, zone) for zone in settings.zones)
        assert _is_within(address, settings)
    for vps in registry.vps_nodes:
        routes = policy.routes(registry, vps.tailscale_ip).routes
        assert len(routes) <= settings.max_routes
        for route in routes:
            assert settings.zones == "any" or any(_below(route.host, zone) for zone in settings.zones)
            assert _is_within(str(registry.services[route.service].ip), settings)
            assert policy.takes_backend(route.backend)


@given(registries(), policies)
def test_what_is_not_allowed_is_named(registry: Registry, settings: PolicySettings) -> None:
    """Allowed and refused together are all there is, each once; nothing is changed or made up."""
    policy = Policy(settings)
    all_names, names = derive_names(registry).records, policy.names(registry)
    refused = [each.entry for each in names.refused.listed]
    assert sorted([*names.records, *refused]) == sorted(all_names)
    assert names.records.items() <= all_names.items()
    assert all(each.reason for each in names.refused.listed)
    for vps in registry.vps_nodes:
        all_routes, routes = derive_routes(registry).on(vps.tailscale_ip), policy.routes(registry, vps.tailscale_ip)
        assert sorted([route.host for route in routes.routes] + [each.entry for each in routes.refused.listed]) == [
            route.host for route in all_routes
        ]
        assert set(routes.routes) <= set(all_routes)


@given(registries(), policies)
def test_a_policy_says_the_same_each_time(registry: Registry, settings: PolicySettings) -> None:
    """What it has judged before changes nothing; which of too many are taken does not depend on their order."""
    policy = Policy(settings)
    turned = registry.model_copy(update={"services": dict(reversed(registry.services.items()))})
    assert policy.names(registry) == policy.names(registry) == Policy(settings).names(turned)


@given(registries())
def test_a_policy_that_takes_anything_refuses_nothing(registry: Registry) -> None:
    """Names, zone and routes are those of the registry."""
    names = TAKES_ANYTHING.names(registry)
    assert (names.records, names.refused) == (derive_names(registry).records, NOTHING)
    for vps in registry.vps_nodes:
        routes = TAKES_ANYTHING.routes(registry, vps.tailscale_ip)
        assert (routes.routes, routes.refused) == (derive_routes(registry).on(vps.tailscale_ip), NOTHING)


def test_the_default_takes_a_homelab() -> None:
    """A registry of the tailnet's addresses, IPv4 or IPv6, and of private ones is taken as it is."""
    assert DEFAULT.names(REFERENCE).refused == NOTHING
    assert DEFAULT.routes(REFERENCE, VPS).refused == NOTHING
    for address in ("10.1.2.3", "172.31.0.1", "192.168.1.4", "100.127.255.255", "fd7a:115c:a1e0::5", "::ffff:10.0.0.1"):
        assert DEFAULT.names(_pointing_to(address)).refused == NOTHING, address


@pytest.mark.parametrize("address", [*BENT, "203.0.113.66", "8.8.8.8", "::ffff:8.8.8.8", "2001:db8::1", "172.32.0.1"])
def test_the_default_points_nowhere_else(address: str) -> None:
    """Not to the node itself, not to its link, not to the internet: neither as a name nor as a route's backend."""
    registry = _pointing_to(address)
    assert [each.entry for each in DEFAULT.names(registry).refused.listed] == ["photos.mycloud.local"]
    assert [each.entry for each in DEFAULT.routes(registry, VPS).refused.listed] == [
        "photos.curiios.com",
        "photos.vinaysachdeva.com",
    ]


@pytest.mark.parametrize("address", BENT)
def test_a_wide_range_does_not_mean_this_machine(address: str) -> None:
    """Loopback and its like must be listed as such: the whole internet is not enough, IPv4 in IPv6's form neither."""
    wide = _policy(networks=["0.0.0.0/0", "::/0"])
    (refused,) = wide.names(_pointing_to(address)).refused.listed
    assert "and no range within" in refused.reason
    assert Policy(ANYWHERE).names(_pointing_to(address)).refused == NOTHING


def test_one_address_of_loopback_is_no_other() -> None:
    """A range within loopback allows what is in it, not loopback."""
    policy = _policy(networks=["127.0.0.53"])
    assert policy.names(_pointing_to("127.0.0.53")).records == {"photos.mycloud.local": "127.0.0.53"}
    assert policy.names(_pointing_to("127.0.0.1")).records == {}


def test_a_zone_is_equal_or_below() -> None:
    """The end of a name is not enough: a zone begins at a label."""
    registry = REFERENCE.model_copy(update={"cluster": Cluster(domain="notmycloud.local")})
    assert _policy(zones=["mycloud.local"]).names(registry).records == {}
    names = _policy(zones=["dashboard.mycloud.local", "chat.mycloud.local"]).names(REFERENCE)
    assert list(names.records) == ["chat.mycloud.local", "dashboard.mycloud.local"]
    assert _policy(zones=["mycloud.local"]).names(REFERENCE).refused == NOTHING
    assert _policy(zones=[]).names(REFERENCE).records == {}


def test_a_zone_that_is_not_whole_is_not_answered_for() -> None:
    """With some of its names allowed, the rest of a zone stays another server's to answer."""
    assert _policy(zones=["mycloud.local"]).names(REFERENCE).zone == "mycloud.local"
    assert _policy(zones=["photos.mycloud.local"]).names(REFERENCE).zone is None
    assert DEFAULT.names(Registry()).zone is None


def test_a_zone_can_be_written_as_people_write_it() -> None:
    """Capitals, a trailing dot, or letters that are no ASCII: it is the same zone in the registry's spelling."""
    registry = REFERENCE.model_copy(update={"cluster": Cluster(domain="bücher.example")})
    policy = _policy(zones=["BÜCHER.example."])
    assert policy.names(registry).refused == NOTHING
    assert "photos.xn--bcher-kva.example" in policy.names(registry).records


def test_of_too_many_the_first_are_taken() -> None:
    """Names and routes beyond the numbers are left out by name; what is refused anyway takes nobody's place."""
    policy = _policy(max_names=2, max_routes=1)
    names, routes = policy.names(REFERENCE), policy.routes(REFERENCE, VPS)
    assert list(names.records) == ["chat.mycloud.local", "dashboard.mycloud.local"]
    assert {each.reason for each in names.refused.listed} == {"more than policy.max_names (2)"}
    assert [route.host for route in routes.routes] == ["chat.curiios.com"]
    assert {each.reason for each in routes.refused.listed} == {"more than policy.max_routes (1)"}
    assert list(_policy(max_names=1, zones=["photos.mycloud.local"]).names(REFERENCE).records) == [
        "photos.mycloud.local"
    ]


@pytest.mark.parametrize(
    "url", ["", "http://", "http://[::1", "http://example.com:80", "nonsense", "http://127.0.0.1:9"]
)
def test_what_is_no_allowed_backend_is_none(url: str) -> None:
    """A file that somebody else wrote can hold any text."""
    assert not DEFAULT.takes_backend(url)
    assert DEFAULT.takes_backend("https://[fd7a:115c:a1e0::10]:3000")


def _huge(number: int = 3000) -> Registry:
    """Return a registry of names about as long as they get, none of which a node takes."""
    host, filler = "100.68.225.92", ".".join(["x" * 60] * 3)
    far = Service(subdomain="x", ip="2001:db8:1111:2222:3333:4444:5555:6666", port=80, public=True)
    services = {f"s{i}": far.model_copy(update={"subdomain": f"{i:04}{'y' * 40}.{filler}"}) for i in range(number)}
    return Registry(
        cluster=Cluster(domain="mycloud"),
        services=services,
        domains={"a.com": Domain()},
        vps_nodes=(Vps(tailscale_ip=host),),
        routing={name: Routing(domains=("a.com",), vps_nodes=(host,)) for name in services},
    )


def test_a_record_stays_small() -> None:
    """Whatever a registry holds, the list ends where a record is full, says how many more, and all targets' fit in."""
    registry = _huge()
    names, routes = DEFAULT.names(registry).refused, DEFAULT.routes(registry, VPS).refused
    assert (names.count, routes.count) == (3000, 3000)
    assert names.more > 0 < routes.more
    assert len(names.listed) > 20
    taken = {
        target: TargetAck(state=State.APPLIED, applied=None, refused=of.listed, refused_more=of.more)
        for target, of in {"hosts": names, "dnsmasq": names, "traefik": routes}.items()
    }
    ack = NodeAck(
        node="n" * 63,
        role=Role.VPS,
        instance="0" * 16,
        attempted=None,
        state=State.APPLIED,
        applied=None,
        finished_at=now(),
        targets=taken,
        agent=Agent(version="0.1.0", host="h" * 64),
    )
    assert len(ack.to_body()) < RECORD_LIMIT - 10 * 1024
    assert ack.refused_count == 6000
    assert NodeAck.from_body(ack.to_body()) == ack


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"zones": "mycloud.local"}, 'a list of zones, or the word "any"'),
        ({"zones": ["any", "a.b"]}, '"any" stands by itself'),
        ({"zones": ["-"]}, "is not a DNS name"),
        ({"zones": 3}, "a list of zones"),
        ({"zones": [3]}, "a list of zones"),
        ({"networks": ["10.0.0.1/8"]}, "has host bits set"),
        ({"networks": ["home"]}, "a range is written as 100.64.0.0/10"),
        ({"networks": ["::ffff:127.0.0.0/104"]}, "write the range as IPv4"),
        ({"max_names": -1}, "greater than or equal to 0"),
    ],
)
def test_a_policy_that_is_none_is_refused(settings: dict[str, object], said: str) -> None:
    """The settings say what is wrong; nothing is guessed."""
    with pytest.raises(ValidationError) as caught:
        PolicySettings.model_validate(settings)
    assert said in str(caught.value)
