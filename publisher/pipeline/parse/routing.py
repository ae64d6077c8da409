"""``domain-registry``, key ``routing.json``: which services are served where."""

from collections.abc import Mapping
from typing import Any

from common.models import Routing, Strategy
from common.values import address, dns_name
from publisher.pipeline.parse.entry import WHOLE, Entry
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.registered import DOMAINS, VPS_NODES, Registered
from publisher.pipeline.parse.text import checked

_DEFAULT = Strategy.ROUND_ROBIN
_RESERVED = "geo"


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
            _read_unregistered(entry, registered)
            continue
        entry.mend(registered.mend_whole(name))
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


def _read_unregistered(entry: Entry, registered: Registered) -> None:
    """Say what is wrong with the entry of a service that is not registered: what mends the service uncovers it."""
    for field in (DOMAINS, VPS_NODES):
        entry.items(field)
    entry.mend(registered.mend_broken(entry.name))
    entry.warning(WHOLE, "routes a service that is not registered, or not valid; it is left out")
    entry.mend(registered.mend_service(entry.name))


def _read_one(entry: Entry, registered: Registered) -> Routing:
    entry.look_for_slips(*Routing.model_fields)
    return Routing(
        domains=_read_list(entry, DOMAINS, registered),
        vps_nodes=_read_list(entry, VPS_NODES, registered),
        strategy=_read_strategy(entry, registered),
    )


def _read_list(entry: Entry, field: str, registered: Registered) -> tuple[str, ...]:
    """Return the items that are registered, each once, in the listed order; the others are warnings."""
    check, all_known = (dns_name, registered.domains) if field == DOMAINS else (address, registered.vps_nodes)
    known: dict[str, None] = {}
    others = False
    for item in entry.items(field):
        try:
            name = checked(check, item)
        except ValueError as e:
            entry.warning(field, f"{field}: {e}; it is left out")
            continue
        if name in all_known:
            known[name] = None
            continue
        mend = registered.mend_item(field, name)
        entry.warning(field, f"{field}: {name!r} is not registered; it is left out", mend)
        others |= mend is not None
    # a list that is written anew would lose those that can still be registered
    entry.mend(None if others else registered.mend_list(entry.name, field, known))
    return tuple(known)


def _read_strategy(entry: Entry, registered: Registered) -> Strategy:
    name = entry.label("strategy").lower()
    strategy = Strategy(name) if name in frozenset(Strategy) else _DEFAULT
    if name not in {"", strategy}:
        why = "is reserved and not built yet" if name == _RESERVED else f"is unknown; known are {', '.join(Strategy)}"
        entry.warning("strategy", f"the strategy {name[:60]!r} {why}; it is treated as {_DEFAULT}")
    entry.mend(registered.mend_strategy(entry.name, strategy))
    return strategy
