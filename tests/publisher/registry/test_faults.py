import pytest

from common.errors import EditRefused
from common.values import address
from publisher.registry.faults import Faults, refuse_shape, refuse_unknown


def test_all_faults_are_raised_at_once_and_each_is_said_once() -> None:
    """In the order in which they were found."""
    faults = Faults()
    faults.refuse_if_any()
    assert faults.checked("--ip", address, "100.1.1.1") == "100.1.1.1"
    assert faults.checked("--ip", address, "x") is None
    assert faults.checked("--ip", address, "x") is None
    assert faults.checked("--ip", address, "1" * 400) is None
    faults.unknown("domain", "a b", [], "routecast", "domain", "add", "a b")
    with pytest.raises(EditRefused) as caught:
        faults.refuse_if_any()
    assert caught.value.faults == (
        "--ip: 'x' is not an IPv4 or IPv6 address",
        f"--ip: {'1' * 60!r}… is too long: 400 characters",
        "there is no domain 'a b' (none is registered); add it with: routecast domain add 'a b'",
    )


def test_of_what_is_registered_the_nearest_are_named_or_all_when_they_are_few() -> None:
    """Not hundreds of names."""
    many = [f"service-{i}" for i in range(13)]
    assert str(refuse_unknown("service", "imich", ["immich", "grafana"])).endswith("(did you mean 'immich'?)")
    assert str(refuse_unknown("service", "x", many[:12])).endswith("service-9)")
    assert str(refuse_unknown("service", "x", many)) == "there is no service 'x'"


def test_a_shape_that_is_not_written_is_named() -> None:
    """With its place."""
    assert str(refuse_shape("a/b", "domains", "object")).startswith("a/b: the field domains is no object")
