"""The ``[policy]`` section."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from common.settings.section import Section
from common.values import dns_name

ANY: Final = "any"
"""Instead of a list of zones: whatever the registry says."""

MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 addresses in the form of IPv6 ones (RFC 4291, 2.5.5.2): always judged as what they are."""


def _zones(value: object) -> object:
    """Read zones, and say once what is wrong; pydantic would say it for each kind that a value can be of."""
    if value == ANY:
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(f'a list of zones, or the word "{ANY}"')
    if ANY in value:
        raise ValueError(f'"{ANY}" stands by itself, not in a list')
    return tuple(dns_name(each) for each in value)


def _network(value: object) -> object:
    """Read a range, and say once what is wrong with it; pydantic would say it for IPv4 and for IPv6."""
    if not isinstance(value, str):
        return value
    try:
        network = ip_network(value)
    except ValueError as e:
        raise ValueError(f"{e}: a range is written as 100.64.0.0/10") from e
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED):
        raise ValueError(f"{network} holds IPv4 addresses; write the range as IPv4")
    return network


Zones = Annotated[tuple[str, ...] | Literal["any"], BeforeValidator(_zones)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


class PolicySettings(Section):
    """What this node takes of a registry, whoever signed it: what is outside is left out, and told."""

    zones: Zones = ANY
    """The DNS zones that names and public host names may lie in, equal or below; or `any`.
    `routecast subscriber allow` edits it."""
    networks: tuple[Network, ...] = (
        ip_network("10.0.0.0/8"),
        ip_network("172.16.0.0/12"),
        ip_network("192.168.0.0/16"),
        ip_network("100.64.0.0/10"),
        ip_network("fc00::/7"),
    )
    """The address ranges that names and routes may point to; by default private ones and the tailnets'.
    Loopback, link-local, multicast and unspecified addresses only by a range that lies within those."""
    max_names: int = Field(default=10_000, ge=0)
    """How many names this node writes at most, the first in alphabetical order."""
    max_routes: int = Field(default=10_000, ge=0)
    """How many routes this node writes at most, the first by host name."""
