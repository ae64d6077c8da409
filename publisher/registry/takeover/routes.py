"""Taking over the routes: lists in the current spelling, without what is not registered. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from common import values
from common.models import Strategy
from publisher.pipeline.parse.mend import Command
from publisher.registry.draft import Entries
from publisher.registry.takeover.findings import FindingKind, Log
from publisher.registry.takeover.written import fields_of, items_of, shown

_DEFAULT = Strategy.ROUND_ROBIN.value


@dataclass(frozen=True, slots=True)
class Known:
    """What a route may name; None where not all of it can be read, so that nothing is known to be missing."""

    services: Collection[str] | None
    domains: Collection[str] | None
    vps_nodes: Collection[str] | None


def take_routes(routing: Entries, known: Known, log: Log) -> None:
    """Mend all routes; those that cannot be read stay, whole."""
    for name in list(routing):
        entry = fields_of(routing[name])
        domains, vps_nodes = items_of(entry, "domains", values.dns_name), items_of(entry, "vps_nodes", values.address)
        if known.services is not None and name not in known.services:
            log.mend(FindingKind.STALE, f"route {name}", "is a route of a service that does not exist", "goes")
            del routing[name]
        elif entry.valid:
            _take(routing, name, {"domains": domains, "vps_nodes": vps_nodes}, known, log)


def _take(routing: Entries, name: str, lists: dict[str, list[str]], known: Known, log: Log) -> None:
    what, route = f"route {name}", routing[name]
    for field, items in lists.items():
        if field in route and route[field] != items:
            log.mend(FindingKind.SPELLING, what, f"{field} is written {shown(route[field])}", f"becomes {shown(items)}")
    _take_strategy(name, route, log)
    route |= {
        "domains": _registered(what, "domain", lists["domains"], known.domains, log),
        "vps_nodes": _registered(what, "vps", lists["vps_nodes"], known.vps_nodes, log),
    }
    empty = [field for field in lists if not route[field]]
    if empty:
        log.mend(FindingKind.STALE, what, f"there is nothing left in its {' and '.join(empty)}", "the route goes")
        del routing[name]


def _registered(what: str, noun: str, items: list[str], known: Collection[str] | None, log: Log) -> list[str]:
    for item in items:
        if known is not None and item not in known:
            wrong = f"its {'VPS' if noun == 'vps' else noun} {item!r} is not registered"
            log.mend(FindingKind.STALE, what, wrong, "is taken out of it", Command(f"{noun} add", (item,)))
    return [item for item in items if known is None or item in known]


def _take_strategy(name: str, route: Entries, log: Log) -> None:
    entry = fields_of(route)
    written = entry.given("strategy")
    if written is None:
        return
    meant = entry.label("strategy").lower()
    strategy = meant if meant in frozenset(Strategy) else _DEFAULT
    if written == strategy:
        return
    if meant == strategy:
        wrong = f"strategy is written {shown(written)}"
        log.mend(FindingKind.SPELLING, f"route {name}", wrong, f"becomes {shown(strategy)}")
    else:
        wrong = f"there is no strategy {shown(written)}"
        log.mend(FindingKind.STRATEGY, f"route {name}", wrong, f"becomes {_DEFAULT}, as it is treated")
    route["strategy"] = strategy
