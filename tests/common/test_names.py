import pytest
from hypothesis import given

from common.models import Cluster, Registry, Service
from common.names import Conflict, derive_names, zone_of
from tests.registries import REFERENCE, registries, with_service


def test_the_reference_registry_gives_exactly_its_names() -> None:
    """Each service is called by its subdomain in the zone, and the zone itself is the dashboard."""
    names = derive_names(REFERENCE)
    assert names.records == {
        "chat.mycloud.local": "100.67.243.11",
        "dashboard.mycloud.local": "100.67.243.13",
        "grafana.mycloud.local": "100.67.243.12",
        "mycloud.local": "100.67.243.13",
        "photos.mycloud.local": "100.67.243.10",
    }
    assert names.conflicts == ()


@pytest.mark.parametrize(
    ("domain", "zone"), [("mycloud", "mycloud.local"), ("lan.example.org", "lan.example.org"), (None, None)]
)
def test_a_domain_without_a_dot_means_local(domain: str | None, zone: str | None) -> None:
    """`mycloud` is mycloud.local, what has a dot is taken as it is."""
    assert zone_of(Cluster(domain=domain)) == zone


def test_without_a_domain_there_are_no_names() -> None:
    """A cluster that has no domain names nothing."""
    assert derive_names(REFERENCE.model_copy(update={"cluster": Cluster()})).records == {}


def test_a_service_that_claims_the_zone_goes_before_the_dashboard() -> None:
    """The zone itself is the dashboard's only while nobody asks for it."""
    names = derive_names(with_service("home", Service(subdomain="@", ip="fd7a:115c:a1e0::10")))
    assert names.records["mycloud.local"] == "fd7a:115c:a1e0::10"
    assert names.conflicts == ()


def test_the_first_service_by_name_owns_a_name() -> None:
    """Of two services that claim one name with different addresses the first by name wins, the other is told of."""
    names = derive_names(with_service("aaa", Service(subdomain="photos", ip="100.67.243.99")))
    assert names.records["photos.mycloud.local"] == "100.67.243.99"
    assert names.conflicts == (Conflict("photos.mycloud.local", owner="aaa", loser="immich"),)


def test_a_duplicate_with_the_same_address_is_one_record() -> None:
    """`immich` and `immich-server`, both photos, same address: one record and no conflict."""
    names = derive_names(with_service("immich-server", Service(subdomain="photos", ip="100.67.243.10")))
    assert names.records["photos.mycloud.local"] == "100.67.243.10"
    assert names.conflicts == ()


@given(registries())
def test_every_name_is_in_the_zone_and_every_address_is_a_services(registry: Registry) -> None:
    """Nothing is named that no service has, and nothing outside the zone."""
    records = derive_names(registry).records
    zone = zone_of(registry.cluster)
    assert all(name == zone or name.endswith(f".{zone}") for name in records)
    assert set(records.values()) <= {service.ip for service in registry.services.values()}
    assert list(records) == sorted(records)
