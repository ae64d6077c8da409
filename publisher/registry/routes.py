"""Edits of routing entries. Pure: each changes a draft, or says all that is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from common.models import Strategy
from publisher.registry.draft import DOMAINS, ROUTING, SERVICES, Draft, Entries
from publisher.registry.faults import Faults, refuse_unknown
from publisher.registry.lookup import (
    find_vps,
    readable_domain,
    registered_domains,
    registered_vps_nodes,
    written_items,
)

_RESERVED = "geo"


@dataclass(frozen=True, slots=True)
class RouteFields:
    """The fields of a routing entry that an edit sets; None leaves one as it is."""

    domains: tuple[str, ...] | None = None
    vps_nodes: tuple[str, ...] | None = None
    """Tailnet addresses, or names of VPS nodes."""
    strategy: str | None = None


def set_route(draft: Draft, service: str, given: RouteFields) -> None:
    """Route a service, or set fields of its routing; a service that is not public becomes it.

    Raises:
        EditRefused: service, domain, VPS or strategy do not exist, or a new entry is not complete.

    """
    services, routing, faults = draft.object(SERVICES), draft.object(ROUTING), Faults()
    if service not in services:
        add = ("routecast", "service", "add", service, "--ip", "ADDRESS", "--port", "PORT")
        faults.unknown("service", service, services, *add)
    fields = _fields(draft, given, faults)
    before = routing.get(service)
    if not isinstance(before, dict):
        for option, value in (("--domain", given.domains), ("--vps", given.vps_nodes)):
            if value is None:
                faults.add(f"{service!r} is not routed yet: a new route needs {option}")
        before = {"strategy": Strategy.ROUND_ROBIN.value}
    faults.refuse_if_any()
    routing[service] = {**before, **fields}
    entry = services[service]
    if isinstance(entry, dict) and entry.get("public") is not True:
        if str(entry.get("public")).strip().lower() != "true":
            draft.note(f"{service} was private: this makes it public")
        services[service] = {**entry, "public": True}


def remove_route(draft: Draft, service: str) -> None:
    """Take a service's routing away; the service stays as it is.

    Raises:
        EditRefused: it has none.

    """
    routing = draft.object(ROUTING)
    if service not in routing:
        raise refuse_unknown("route of a service", service, routing)
    draft.withdraw()
    del routing[service]


def withdraw_from_routes(routing: Entries, field: str, gone: Callable[[str], bool]) -> None:
    """Take what is `gone` out of a list of every entry; an entry that names nothing else goes."""
    for service, entry in list(routing.items()):
        value = entry.get(field) if isinstance(entry, dict) else None
        named = written_items(value)
        if not any(map(gone, named)):
            continue
        if all(map(gone, named)):
            del routing[service]
        else:
            items = value if isinstance(value, list) else [value]
            routing[service] = {**entry, field: [left for item in items for left in _left(item, gone)]}


def _left(item: Any, gone: Callable[[str], bool]) -> list[Any]:
    """Return an item without what is gone: as it is written when that is nothing."""
    named = written_items([item])
    if not any(map(gone, named)):
        return [item]
    return [each for each in named if not gone(each)]


def _fields(draft: Draft, given: RouteFields, faults: Faults) -> Entries:
    fields: Entries = {}
    if given.domains is not None:
        fields["domains"] = _domains(draft, given.domains, faults)
    if given.vps_nodes is not None:
        fields["vps_nodes"] = _vps_nodes(draft, given.vps_nodes, faults)
    if given.strategy is not None:
        known = ", ".join(Strategy)
        if given.strategy == _RESERVED:
            faults.add(f"--strategy: {_RESERVED!r} is reserved and not built yet; known are {known}")
        elif given.strategy not in frozenset(Strategy):
            faults.add(f"--strategy: {given.strategy!r} is unknown; known are {known}")
        fields["strategy"] = given.strategy
    return fields


def _domains(draft: Draft, texts: Sequence[str], faults: Faults) -> list[str]:
    known = registered_domains(draft.object(DOMAINS))
    found: dict[str, None] = {}
    for text in texts:
        name = readable_domain(text)
        if name in known:
            found[name] = None
        else:
            faults.unknown("domain", text, known, "routecast", "domain", "add", name or text)
    if not texts:
        faults.add("--domain: at least one is needed; routecast route remove takes a route away")
    return list(found)


def _vps_nodes(draft: Draft, texts: Sequence[str], faults: Faults) -> list[str]:
    known = registered_vps_nodes(draft)
    found: dict[str, None] = {}
    for text in texts:
        address = find_vps(draft, text)
        if address in known:
            found[address] = None
        else:
            faults.unknown("VPS", text, known, "routecast", "vps", "add", address or text)
    if not texts:
        faults.add("--vps: at least one is needed; routecast route remove takes a route away")
    return list(found)
