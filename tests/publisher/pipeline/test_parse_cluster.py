import pytest

from common.models import Cluster
from publisher.pipeline.parse import Parsed, Part
from publisher.source.document import CLUSTER_INFO
from tests.publisher.pipeline.parsing import after, first, lines, texts

WHOLE = Cluster(name="mynodeone", domain="mycloud", control_plane_ip="100.122.68.75")


def _after(data: dict[str, str] | None) -> Parsed:
    return after({**texts(), CLUSTER_INFO: data})


def _first(data: dict[str, str] | None) -> Parsed:
    return first({**texts(), CLUSTER_INFO: data})


@pytest.mark.parametrize("domain", ["mycloud", " MyCloud. ", "\ufeffmycloud\n"])
def test_the_domain_is_read_with_whatever_is_around_it(domain: str) -> None:
    """Editors and shells leave blanks, newlines and byte order marks."""
    parsed = _first({"cluster-domain": domain})
    assert parsed.registry.cluster == Cluster(domain="mycloud")
    assert parsed.problems == ()


@pytest.mark.parametrize("data", [None, {}, {"cluster-name": "x"}, {"cluster-domain": " "}, {"cluster-domain": "a b"}])
def test_without_a_readable_domain_the_previous_cluster_stays(data: dict[str, str] | None) -> None:
    """All names hang on it."""
    parsed = _after(data)
    assert parsed.registry.cluster == WHOLE
    assert Part.CLUSTER not in parsed.readable
    [line] = lines(parsed.problems)
    assert line.startswith("error cluster-info/cluster-domain None: ")
    assert line.endswith("; the previous form is kept")


def test_a_cluster_that_never_had_a_domain_is_told_how_to_get_one() -> None:
    """There are no names without it."""
    parsed = _first({"cluster-name": "mynodeone"})
    assert parsed.registry.cluster == Cluster()
    assert "the cluster has no domain, so there are no names" in lines(parsed.problems)[1]
    assert parsed.problems[1].mend == "routecast init --registry-only --domain mycloud"


def test_a_broken_control_plane_address_keeps_the_previous_one() -> None:
    """And touches nothing else."""
    data = {"cluster-domain": "other", "cluster-name": "x", "control-plane-ip": "100.122.68.750"}
    parsed = _after(data)
    assert parsed.registry.cluster == Cluster(name="x", domain="other", control_plane_ip="100.122.68.75")
    assert "the previous form is kept" in lines(parsed.problems)[0]
    parsed = _first(data)
    assert parsed.registry.cluster == Cluster(name="x", domain="other")
    assert "it is left out" in lines(parsed.problems)[0]


def test_a_name_of_odd_characters_can_still_be_sent() -> None:
    """It is text for people, on one line."""
    assert _first({"cluster-domain": "mycloud", "cluster-name": "a\x00b\ud800"}).registry.cluster.name == "a b"
