from pathlib import Path

from hypothesis import given

from common.models import Registry
from common.names import derive_names, zone_of
from subscriber.targets.dnsmasq_files import Files, Probe, plan_between, probes_for, render
from subscriber.targets.target import Plan
from tests.registries import registries

HOSTS = Path("/var/lib/routecast/dnsmasq/hosts")
NONE = Files(None, None)
TWO = render("lan", {"a.lan": "10.0.0.1", "b.lan": "10.0.0.2"}, HOSTS)


@given(registries())
def test_the_files_hold_the_names(registry: Registry) -> None:
    """Every name of the zone is in the hosts file, and the drop-in makes dnsmasq answer for the zone alone."""
    zone, records = zone_of(registry.cluster), derive_names(registry).records
    files = render(zone, records, HOSTS)
    assert files.entries == records
    if zone is None:
        assert files == NONE
    else:
        assert files.drop_in is not None
        lines = files.drop_in.decode().splitlines()
        assert lines[1:] == [f"local=/{zone}/", f"addn-hosts={HOSTS}"]


def test_names_without_their_zone_are_all_that_is_answered() -> None:
    """Where a policy takes some names of a zone, not the zone, every other name of it stays another server's."""
    files = render(None, {"a.lan": "10.0.0.1"}, HOSTS)
    assert files.entries == {"a.lan": "10.0.0.1"}
    assert files.drop_in is not None
    assert files.drop_in.decode().splitlines()[1:] == [f"addn-hosts={HOSTS}"]


def test_the_plan_speaks_of_names() -> None:
    """Names that differ are listed; anything else that differs is a rewrite."""
    assert plan_between(NONE, TWO) == Plan(created=("a.lan", "b.lan"))
    assert plan_between(TWO, TWO) == Plan()
    assert plan_between(Files(b"old", TWO.hosts), TWO) == Plan(rewrite=True)


def test_a_changed_and_a_removed_name_are_asked_for() -> None:
    """One question for what came or changed, one for what left; of nothing changed, any name."""
    moved = render("lan", {"a.lan": "10.0.0.9", "c.lan": "10.0.0.3"}, HOSTS)
    assert probes_for(TWO, moved) == (
        Probe("a.lan", "10.0.0.9"),
        Probe("a.lan", "10.0.0.1", present=False),
        Probe("b.lan", "10.0.0.2", present=False),
    )
    assert probes_for(TWO, TWO) == (Probe("a.lan", "10.0.0.1"),)


def test_after_a_change_of_the_zone_only_what_came_is_asked_for() -> None:
    """The old zone may be another server's now; without a zone there is nothing to ask."""
    assert probes_for(TWO, render("home", {"a.home": "10.0.0.1"}, HOSTS)) == (Probe("a.home", "10.0.0.1"),)
    assert probes_for(TWO, NONE) == ()
