"""What this node takes of a registry: its own policy, whoever signed the snapshot. Pure.

Targets get names and routes from here alone. What is refused is not desired, so whatever of it was written before is
removed like anything else that left the registry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from common.ack import Refused
from common.models import Registry
from common.names import derive_names, zone_of
from common.routes import Route, derive_routes
from common.settings.policy import ANY, PolicySettings

ROOM = 12 * 1024
"""How long the list of a target's refused entries can get, in bytes: all targets' lists fit into one record."""

_AROUND = len('{"entry":"","reason":""},')

_SPECIAL = tuple(
    (kind, ip_network(text))
    for kind, text in (
        ("loopback", "127.0.0.0/8"),
        ("loopback", "::1/128"),
        ("link-local", "169.254.0.0/16"),
        ("link-local", "fe80::/10"),
        ("multicast", "224.0.0.0/4"),
        ("multicast", "ff00::/8"),
        ("unspecified", "0.0.0.0/8"),
        ("unspecified", "::/128"),
        ("broadcast", "255.255.255.255/32"),
    )
)
"""Ranges that no wider one includes: an address of them is only allowed by a range within them."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Entries that were left out, in the order of their names: as many as a record has room for, and the rest."""

    listed: tuple[Refused, ...] = ()
    more: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.listed) + self.more


NOTHING = Refusals()


@dataclass(frozen=True, slots=True)
class AllowedNames:
    """The names that this node may write."""

    zone: str | None
    """The zone that it may answer for as a whole; None: there is none, or the policy does not include all of it."""
    records: Mapping[str, str]
    refused: Refusals


@dataclass(frozen=True, slots=True)
class AllowedRoutes:
    """The routes that this node may serve."""

    routes: tuple[Route, ...]
    refused: Refusals


class Policy:
    """A node's policy, ready to judge by."""

    def __init__(self, settings: PolicySettings) -> None:
        self._settings = settings
        self._suffixes = None if settings.zones == ANY else tuple(f".{zone}" for zone in settings.zones)
        # From one snapshot to the next nearly all addresses are the same.
        self._why_not_address = lru_cache(maxsize=1 << 14)(self._judge_address)

    def names(self, registry: Registry) -> AllowedNames:
        """Return the names of a registry that this node may write; of too many the first ones."""
        records: dict[str, str] = {}
        refused: list[tuple[str, str]] = []
        for name, address in derive_names(registry).records.items():
            why = self._why_not_name(name) or self._why_not_address(address)
            if why is None and len(records) == self._settings.max_names:
                why = f"more than policy.max_names ({self._settings.max_names})"
            if why is None:
                records[name] = address
            else:
                refused.append((name, why))
        zone = zone_of(registry.cluster)
        whole = zone is not None and self._why_not_name(zone) is None
        return AllowedNames(zone if whole else None, records, _listed(refused))

    def routes(self, registry: Registry, vps_address: str) -> AllowedRoutes:
        """Return the routes that the VPS at a tailnet address may serve; of too many the first ones."""
        routes: list[Route] = []
        refused: list[tuple[str, str]] = []
        for route in derive_routes(registry).on(vps_address):
            why = self._why_not_name(route.host) or self._why_not_address(_host_of(route.backend))
            if why is None and len(routes) == self._settings.max_routes:
                why = f"more than policy.max_routes ({self._settings.max_routes})"
            if why is None:
                routes.append(route)
            else:
                refused.append((route.host, why))
        return AllowedRoutes(tuple(routes), _listed(refused))

    def takes_backend(self, url: str) -> bool:
        """Tell whether a route may point to a URL."""
        return self._why_not_address(_host_of(url)) is None

    def _why_not_name(self, name: str) -> str | None:
        if self._suffixes is None or f".{name}".endswith(self._suffixes):
            return None
        return "not in policy.zones"

    def _judge_address(self, text: str) -> str | None:
        address = _read_address(text)
        if address is None:
            return "points to no address"
        listed = [network for network in self._settings.networks if address in network]
        special = next(((kind, network) for kind, network in _SPECIAL if address in network), None)
        if special is not None:
            kind, around = special
            explicit = any(network.subnet_of(around) for network in listed)  # type: ignore[arg-type]  # one version
            return None if explicit else f"{text} is {kind}, and no range within {around} is in policy.networks"
        return None if listed else f"{text} is not in policy.networks"


DEFAULT = Policy(PolicySettings())
"""The policy of a node whose settings name none."""


def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, one that is IPv4 in the form of IPv6 as IPv4; None when it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _host_of(url: str) -> str:
    """Return the host of a URL; empty when it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _listed(refused: Sequence[tuple[str, str]]) -> Refusals:
    """Return what was refused, and why: no more of it than `ROOM`."""
    room, listed = ROOM, []
    for entry, reason in refused:
        room -= len(entry) + len(reason) + _AROUND
        if room < 0:
            break
        listed.append(Refused(entry=entry, reason=reason))
    return Refusals(tuple(listed), len(refused) - len(listed))
