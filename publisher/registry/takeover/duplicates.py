"""Taking over services that are registered twice: joined where nobody can tell the difference. Pure."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from common.models import Registry
from common.names import Conflict
from common.routes import derive_routes
from publisher.pipeline.parse import parse
from publisher.pipeline.parse.mend import Command
from publisher.registry.discover import MARK
from publisher.registry.draft import SERVICES, Draft, Entries
from publisher.registry.takeover.documents import edited
from publisher.registry.takeover.findings import FindingKind, Log
from publisher.registry.takeover.written import contradictions, joined

T = TypeVar("T")

_OWN = frozenset({"public", MARK})
"""Fields that an entry does not take over from its duplicate: what may be seen from outside, what may be pruned."""

_COMPARED = ("namespace", "service", "port", "scheme", "middlewares")


def take_duplicates(draft: Draft, routing: Entries | None, log: Log, *, all_known: bool) -> None:
    """Join what is registered twice into the first by name; what differs in anything that matters is left.

    `routing` None: it cannot be read. `all_known` says whether all that routes can name can be read.
    """
    joining = _Joining(draft, routing, all_known=all_known)
    while joining.join(log):  # what one joining frees may be what another one needs
        pass
    joining.tell_left(log)


class _Joining:
    """The services while they are joined."""

    def __init__(self, draft: Draft, routing: Entries | None, *, all_known: bool) -> None:
        self._draft = draft
        self._services = draft.object(SERVICES)
        self._routing = routing
        self._all_known = all_known
        self._registry = parse(edited(draft), None).registry

    def join(self, log: Log) -> bool:
        """Join all that can be joined now; tell whether there was anything."""
        before = len(self._services)
        for group in self._groups():
            kept: list[str] = []
            for name in group:
                first = next((each for each in kept if self._hindrance(each, name) is None), None)
                if first is None:
                    kept.append(name)
                else:
                    self._join(first, name, log)
        return len(self._services) < before

    def tell_left(self, log: Log) -> None:
        """Say which services share name and address, and why they are not joined."""
        for first, *others in self._groups():
            for later in others:
                wrong = f"has the name and the address of {first!r}, but {self._hindrance(first, later)}"
                log.leave(FindingKind.DUPLICATE, f"service {later}", wrong, Command("service remove", (later,)))

    def _groups(self) -> list[list[str]]:
        """Return the names of services that share subdomain and address, sorted; where there are several."""
        groups: dict[tuple[str, str], list[str]] = {}
        for name, service in sorted(self._registry.services.items()):
            if service.ip is not None:
                groups.setdefault((service.subdomain, service.ip), []).append(name)
        return [names for names in groups.values() if len(names) > 1]

    def _hindrance(self, first: str, later: str) -> str | None:
        """Return why two cannot be joined without anything being lost, or anything more being seen from outside."""
        one, other = self._registry.services[first], self._registry.services[later]
        unlike = [field for field in _COMPARED if getattr(one, field) != getattr(other, field)]
        unlike += contradictions([self._services[first], _taken_over(self._services[later])])
        if unlike:
            return f"another {', '.join(dict.fromkeys(unlike))}"
        if self._routing is None:
            return "the routes cannot be read"
        if later not in self._routing:
            return None
        if first not in self._routing and one.public != other.public:
            return "it alone has a route, and only one of them is public"
        return self._route_hindrance(self._routing, first, later)

    def _route_hindrance(self, routing: Entries, first: str, later: str) -> str | None:
        """Return why the route of `later` can neither go nor move to `first`."""
        if not self._all_known:
            return "not all that routes name can be read"
        unread = [name for name in sorted(routing) if first <= name <= later and name not in self._registry.routing]
        if unread:  # it may have another form for the publisher, and its host names before or behind theirs
            return f"the route of {unread[0]!r} cannot be read"
        before, after = _served(self._registry), _served(self._without(first, later))
        if after.routes != before.routes or not after.conflicts <= before.conflicts:
            return "the public routes would be others without it"
        return None

    def _without(self, first: str, later: str) -> Registry:
        """Return the registry in which two are joined: of the first all fields that are read stay as they are."""
        services = {name: service for name, service in self._registry.services.items() if name != later}
        return self._registry.model_copy(
            update={"services": services, "routing": _moved(self._registry.routing, first, later)}
        )

    def _join(self, first: str, later: str, log: Log) -> None:
        routing = self._routing or {}
        public = self._registry.services[first].public
        mended = f"is joined into {first!r}"
        if later in routing:
            mended += ", which has a route of its own" if first in routing else ", with its route"
        if self._registry.services[later].public != public:
            mended += f", which stays {'public' if public else 'private'}"
        log.mend(FindingKind.DUPLICATE, f"service {later}", f"is registered as {first!r} too", mended)
        entry = joined([self._services[first], _taken_over(self._services[later])])
        if self._services[later].get(MARK) is not True:
            entry.pop(MARK, None)  # a person registered it too: discovery may not remove it
        self._registry = self._without(first, later)
        moved = _moved(routing, first, later)
        routing.clear()
        routing.update(moved)
        self._services[first] = entry
        del self._services[later]


class _Served(NamedTuple):
    """What VPSs serve, whichever service it belongs to; and the claims on host names that lost."""

    routes: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]
    conflicts: frozenset[Conflict]


def _served(registry: Registry) -> _Served:
    derived = derive_routes(registry)
    routes = tuple((route.host, route.backend, route.middlewares, route.vps_nodes) for route in derived.routes)
    return _Served(routes, frozenset(derived.conflicts))


def _taken_over(entry: Entries) -> Entries:
    return {field: value for field, value in entry.items() if field not in _OWN}


def _moved(routing: Mapping[str, T], first: str, later: str) -> dict[str, T]:
    """Return the routing without an entry of `later`; it is that of `first` when that has none."""
    moved = {name: entry for name, entry in routing.items() if name != later}
    return moved if later not in routing or first in routing else {**moved, first: routing[later]}
