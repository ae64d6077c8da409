from hypothesis import given
from hypothesis import strategies as st

from common.models import Strategy
from common.placement import place

HOSTS = ["photos.curiios.com", "photos.vinaysachdeva.com"]
VPS = ["100.68.225.92", "100.70.123.45"]


def test_round_robin_spreads_the_host_names() -> None:
    """Host name i goes to healthy VPS i mod n."""
    assert place(Strategy.ROUND_ROBIN, HOSTS, VPS, set(VPS)) == dict(zip(HOSTS, VPS, strict=True))


def test_primary_backup_keeps_to_the_first_healthy_one() -> None:
    """All host names go to the first healthy VPS in the listed order, and back to the first when it recovers."""
    assert set(place(Strategy.PRIMARY_BACKUP, HOSTS, VPS, set(VPS)).values()) == {VPS[0]}
    assert set(place(Strategy.PRIMARY_BACKUP, HOSTS, VPS, {VPS[1]}).values()) == {VPS[1]}


@given(st.sampled_from(Strategy), st.sets(st.sampled_from(VPS)))
def test_only_healthy_vpss_are_given_names(strategy: Strategy, healthy: set[str]) -> None:
    """Every host name is placed on a healthy VPS; with none healthy none is placed."""
    placed = place(strategy, HOSTS, VPS, healthy)
    assert set(placed) == (set(HOSTS) if healthy else set())
    assert set(placed.values()) <= healthy
