"""What words on the command line may be."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.values import VersionName, address, duration, node_name, version_name


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("4h", 14_400), ("7d", 604_800), ("1.5S ", 1.5), ("250ms", 0.25)]
)
def test_a_length_of_time_has_a_unit(text: str, seconds: float) -> None:
    """Seconds, minutes, hours, days and milliseconds are understood."""
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "4", "h", "-1s", "1w", "1h30m", "1e3s", "\u0661s"])
def test_anything_else_is_no_length_of_time(text: str) -> None:
    """A bare number is refused: the replaced tool took it for hours, others take it for seconds."""
    with pytest.raises(click.BadParameter, match="as 90s, 30m, 4h or 7d"):
        duration(text)


@given(st.integers(1, 10**15), st.none() | st.integers(1, 10**15))
def test_a_version_is_named_as_it_is_shown(version: int, epoch: int | None) -> None:
    """Both forms are read back to what they name."""
    text = f"{version}" if epoch is None else f"{epoch}/{version}"
    assert version_name(text) == VersionName(epoch, version)


@pytest.mark.parametrize("text", ["", "0", "-1", "57/", "/57", "1/2/3", "v57", "057"])
def test_anything_else_is_no_version(text: str) -> None:
    """What is no version is refused with both forms named."""
    with pytest.raises(click.BadParameter, match="as 57"):
        version_name(text)


def test_nodes_and_addresses_are_what_the_registry_takes() -> None:
    """Names and addresses follow the rules of the registry, and come out in its form."""
    assert node_name("vinay-laptop") == "vinay-laptop"
    assert address("FD7A:115C:A1E0:0::1") == "fd7a:115c:a1e0::1"
    with pytest.raises(click.BadParameter, match="not a node name"):
        node_name("registry.>")
    with pytest.raises(click.BadParameter, match="not an IPv4 or IPv6"):
        address("100.67.243.300")
