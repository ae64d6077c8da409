"""LoadBalancer Services of the cluster to proposed registry entries. Pure.

An entry belongs to the Service that its fields `namespace` and `service` name. Its address follows the Service, and so
does its port when the Service has no such port any more; nothing else of an entry is ever changed. A Service that no
entry belongs to gets a new one once it has an address: private, and marked as `discovered`.

**Addresses.** No entry keeps an address that its Service has given up: it may be someone else's by then, and names and
public routes would lead there. So `ip` becomes null where the Service is there without an address, and also where the
Service of an entry that discovery made is gone. That entry is reported as vanished and otherwise left as it is: should
the Service come back, so do its name and routes. An entry that a person made for a Service that is not there stays
untouched, since its address need not be a LoadBalancer's. An address that is one of several of the Service is kept.

**Subdomains.** A subdomain belongs to the first entry that has it, also while that has no address; entries that lead to
the same address and port may share one. A new entry that comes too late gets ``photos-<namespace>``, and a number if
that is taken too; one that asked for the zone itself, or for a subdomain with dots, falls back to what its name gives.
Of new entries, those with an annotation choose first. That is a problem in words: the Service does not get the name
that it asked for.

Does not write, and does not decide whether to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from common.models import Cluster, Scheme
from common.names import zone_of
from common.values import subdomain
from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.text import checked
from publisher.registry.wish import Wish, read_wish, subdomain_of
from publisher.source.cluster_service import ClusterService, ServicePort

MARK = "discovered"
"""The field of entries that discovery made: true."""

_LONGEST_LABEL, _LONGEST_NAME = 63, 253
_SHOWN = 60
"""How much of a field a note shows, in characters."""

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Fields to set in one entry; all its other fields stay as they are."""

    name: str
    fields: Fields
    new: bool
    """There is no entry of this name yet."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What would make the registry agree with the cluster, sorted by entry."""

    proposals: tuple[Proposal, ...]
    vanished: tuple[str, ...]
    """Entries that discovery made, whose Service is gone. One that still has an address is among `proposals` too."""
    problems: tuple[str, ...]
    """What a person should mend."""
    notes: tuple[str, ...]
    """What a person may want to know."""


def discover(services: Iterable[ClusterService], cluster: Cluster, entries: Mapping[str, object]) -> Discovery:
    """Return what the LoadBalancer Services of the whole cluster propose to the registry's service entries.

    `entries` are the JSON values of ``services.json``, broken ones included: such a one keeps its name, and what can
    be read of it. A Service that is missing in `services` counts as gone: hand over all of them or none.
    """
    zone = zone_of(cluster)
    wishes = {service.key: read_wish(service, zone) for service in sorted(services, key=lambda service: service.key)}
    present = {name: entry if isinstance(entry, Mapping) else {} for name, entry in sorted(entries.items())}
    vanished = tuple(name for name, entry in present.items() if _is_vanished(entry, wishes))
    problems = [problem for wish in wishes.values() for problem in wish.problems]
    notes: list[str] = []
    changes: dict[str, Fields] = {name: {"ip": None} for name in vanished if _text(present[name], "ip")}
    for name, entry in present.items():
        wish = wishes.get(_key(entry))
        if wish is not None:
            changes[name] = _follow(entry, wish)
            notes += _notes_on(name, entry, changes[name], wish)
    owned = {_key(entry) for entry in present.values()}
    lonely = [wish for key, wish in wishes.items() if key not in owned]
    held = _Subdomains({name: {**entry, **changes.get(name, {})} for name, entry in present.items()}, vanished)
    new = _new_entries(list(_ready(lonely, present, notes)), set(present), held, problems, notes)
    proposals = [Proposal(name, fields, new=False) for name, fields in changes.items() if fields]
    proposals += [Proposal(name, fields, new=True) for name, fields in new.items()]
    return Discovery(
        proposals=tuple(sorted(proposals, key=lambda proposal: proposal.name)),
        vanished=vanished,
        problems=tuple(sorted(problems)),
        notes=tuple(sorted(notes)),
    )


def _is_vanished(entry: Fields, wishes: Mapping[tuple[str, str], Wish]) -> bool:
    """Tell whether discovery made an entry for a Service that is gone; one that no longer names a Service is none."""
    key = _key(entry)
    return entry.get(MARK) is True and all(key) and key not in wishes


def _follow(entry: Fields, wish: Wish) -> Fields:
    """Return what the address and the port of an entry become, as far as they differ."""
    fields: dict[str, object] = {}
    if not wish.addresses:
        if _text(entry, "ip"):
            fields["ip"] = None
    elif readable_address(entry.get("ip")) not in wish.addresses:
        fields["ip"] = wish.addresses[0]
    if wish.port is not None and not any(_has_port(entry, port) for port in wish.service.ports):
        fields["port"] = wish.port.port
    return fields


def _notes_on(name: str, entry: Fields, changes: Fields, wish: Wish) -> Iterator[str]:
    """Say what a changed port needs, and where an entry stays other than its Service asks for: a person's choice."""
    asks = f"though an annotation of {wish.service} asks for"
    if wish.subdomain_given and _subdomain(entry) != wish.subdomain:
        yield f"{name!r} keeps the subdomain {_shown(entry, 'subdomain')}, {asks} {wish.subdomain or '@'!r}"
    if wish.port is None:
        return
    if "port" not in changes:
        if wish.port_given and not _has_port(entry, wish.port):
            yield f"{name!r} keeps the port {_shown(entry, 'port')}, {asks} {wish.port}"
        return
    if wish.port_note is not None:
        yield wish.port_note
    if (_text(entry, "scheme").lower() or Scheme.HTTP) != wish.port.scheme:
        now = f"though its port is now {wish.port}"
        yield f"{name!r} keeps the scheme {_shown(entry, 'scheme', Scheme.HTTP)}, {now}"


def _ready(wishes: Iterable[Wish], entries: Mapping[str, Fields], notes: list[str]) -> Iterator[Wish]:
    """Yield those that get an entry now: they have an address, and nobody wrote one by hand for them."""
    for wish in wishes:
        service, entry = wish.service, entries.get(wish.service.name, {})
        if not wish.addresses:
            notes.append(f"{service} has no address yet: it gets an entry as soon as it has one")
        elif _may_be_for(entry, service) and readable_address(entry.get("ip")) in wish.addresses:
            tie = f"namespace {service.namespace!r} and service {service.name!r} in it would have it do so"
            notes.append(f"{service.name!r} has the address of {service}, but does not follow it; {tie}")
        else:
            yield wish


def _may_be_for(entry: Fields, service: ClusterService) -> bool:
    """Tell whether an entry names no other Service, in as much as it names one."""
    return all(own in {"", asked} for own, asked in zip(_key(entry), service.key, strict=True))


def _new_entries(
    ready: Sequence[Wish], taken: set[str], held: "_Subdomains", problems: list[str], notes: list[str]
) -> dict[str, Fields]:
    """Return entries for Services that have none, by name; names are given first, so that a subdomain can name it."""
    names: dict[tuple[str, str], str] = {}
    for wish in ready:
        candidates = _apart(wish.service.name, wish.service.namespace, _LONGEST_NAME)
        names[wish.service.key] = next(name for name in candidates if name not in taken | set(names.values()))
    made: dict[str, Fields] = {}
    for wish in sorted(ready, key=lambda wish: (not wish.subdomain_given, names[wish.service.key])):
        name = names[wish.service.key]
        given = held.give(name, wish)
        made[name] = _new_entry(wish, given)
        if given != wish.subdomain:
            problems.append(
                f"{wish.service} asks for the subdomain {wish.subdomain or '@'!r}, which {held.owner(wish.subdomain)};"
                f" {name!r} is proposed with {given!r}"
            )
        if wish.port_note is not None:
            notes.append(wish.port_note)
    return made


def _new_entry(wish: Wish, given: str) -> Fields:
    place: dict[str, object] = {"ip": wish.addresses[0]}
    if wish.port is not None:
        place["port"] = wish.port.port
        if wish.port.scheme is not Scheme.HTTP:
            place["scheme"] = wish.port.scheme.value
    names = {"subdomain": given or "@", "namespace": wish.service.namespace, "service": wish.service.name}
    return {**names, **place, "public": False, MARK: True}


class _Subdomains:
    """Who has which subdomain, and where it leads: address and port."""

    def __init__(self, entries: Mapping[str, Fields], vanished: Sequence[str]) -> None:
        self._vanished = vanished
        self._held: dict[str, dict[str, tuple[str | None, str]]] = {}
        for name, entry in entries.items():
            at = _subdomain(entry)
            if at is not None:
                place = readable_address(entry.get("ip")), _text(entry, "port")
                self._held.setdefault(at, {})[name] = place

    def give(self, name: str, wish: Wish) -> str:
        """Give a new entry the subdomain that it asks for, or the next best one."""
        asked = wish.subdomain
        plain = asked if asked and "." not in asked else subdomain_of(wish.service.name)
        place = wish.addresses[0], str(wish.port.port) if wish.port is not None else ""
        candidates = chain((asked,), _apart(plain, wish.service.namespace, _LONGEST_LABEL))
        given = next(at for at in candidates if set(self._held.get(at, {}).values()) <= {place})
        self._held.setdefault(given, {})[name] = place
        return given

    def owner(self, at: str) -> str:
        """Say who has a subdomain, as ``'immich' has``."""
        name = next(iter(self._held[at]))
        gone = ", though its Service is gone (see: routecast service discover --prune)"
        return f"{name!r} has{gone if name in self._vanished else ''}"


def _apart(text: str, namespace: str, longest: int) -> Iterator[str]:
    """Yield what to call something of a namespace, from the plain text on to what nobody else can have."""
    yield text
    number, end = 1, ""
    while True:
        yield f"{text}-{namespace}"[: longest - len(end)].rstrip("-") + end
        number += 1
        end = f"-{number}"


def _has_port(entry: Fields, port: ServicePort) -> bool:
    return _text(entry, "port").lstrip("0") == str(port.port)


def _key(entry: Fields) -> tuple[str, str]:
    return _text(entry, "namespace"), _text(entry, "service")


def _subdomain(entry: Fields) -> str | None:
    """Return the subdomain that an entry has; None when there is none to be read."""
    value = entry.get("subdomain")
    try:
        return checked(subdomain, value) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(entry: Fields, field: str) -> str:
    """Return what is written in a field; what is missing or null is empty."""
    value = entry.get(field)
    return "" if value is None else str(value).strip()


def _shown(entry: Fields, field: str, missing: str = "") -> str:
    return repr((_text(entry, field) or missing)[:_SHOWN])
