"""``domain-registry``, key ``routing.json``: which services are served where."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from common.models import Routing, Strategy
from common.values import address, dns_name
from publisher.pipeline.parse.entry import Entry
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import checked

_DEFAULT = Strategy.ROUND_ROBIN
_RESERVED = "geo"


@dataclass(frozen=True, slots=True)
class Registered:
    """What a routing entry may name."""

    services: Collection[str]
    domains: Collection[str]
    vps_nodes: Collection[str]


def read_routing(
    place: Place, entries: Mapping[str, Any], registered: Registered, previous: Mapping[str, Routing]
) -> dict[str, Routing]:
    """Return the routing by service, without anything that is not registered.

    An entry that is present but invalid keeps its previous form, if it has one.
    """
    routing: dict[str, Routing] = {}
    for name in sorted(entries):
        before = previous.get(name)
        entry = Entry(place, name, entries[name], kept=before is not None)
        if name not in registered.services:
            entry.warning("routes a service that is not registered, or not valid; it is left out")
            continue
        read = _read_one(entry, registered)
        if entry.valid:
            routing[name] = read
        elif before is not None:
            routing[name] = _still_registered(before, registered)
    return routing


def keep_routing(place: Place, registered: Registered, previous: Mapping[str, Routing]) -> dict[str, Routing]:
    """Return the previous routing, of a key that is not readable, without what is no longer registered."""
    kept: dict[str, Routing] = {}
    for name, before in sorted(previous.items()):
        if name in registered.services:
            kept[name] = _still_registered(before, registered)
        else:
            place.warning(name, "routes a service that is no longer registered; it is left out")
    return kept


def _still_registered(before: Routing, registered: Registered) -> Routing:
    return before.model_copy(
        update={
            "domains": tuple(domain for domain in before.domains if domain in registered.domains),
            "vps_nodes": tuple(vps for vps in before.vps_nodes if vps in registered.vps_nodes),
        }
    )


def _read_one(entry: Entry, registered: Registered) -> Routing:
    return Routing(
        domains=_only_registered(entry, "domains", dns_name, registered.domains),
        vps_nodes=_only_registered(entry, "vps_nodes", address, registered.vps_nodes),
        strategy=_read_strategy(entry),
    )


def _only_registered(
    entry: Entry, field: str, check: Callable[[str], str], registered: Collection[str]
) -> tuple[str, ...]:
    """Return the items that are registered, each once, in the listed order; the others are warnings."""
    known: dict[str, None] = {}
    for item in entry.items(field):
        try:
            name = checked(check, item)
        except ValueError as e:
            entry.warning(f"{field}: {e}; it is left out")
            continue
        if name in registered:
            known[name] = None
        else:
            entry.warning(f"{field}: {name!r} is not registered; it is left out")
    return tuple(known)


def _read_strategy(entry: Entry) -> Strategy:
    name = entry.label("strategy").lower()
    if not name:
        return _DEFAULT
    if name in frozenset(Strategy):
        return Strategy(name)
    why = "is reserved and not built yet" if name == _RESERVED else f"is unknown; known are {', '.join(Strategy)}"
    entry.warning(f"the strategy {name[:60]!r} {why}; it is treated as {_DEFAULT}")
    return _DEFAULT
