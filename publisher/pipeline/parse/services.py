"""``service-registry``, key ``services.json``: the apps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.models import Scheme, Service
from common.values import address, entry_name, middleware, subdomain
from publisher.pipeline.parse.entry import Entry
from publisher.pipeline.parse.mend import Command
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.service_mend import mend_no_address, mend_service
from publisher.pipeline.parse.subdomains import Subdomains
from publisher.pipeline.parse.text import checked


@dataclass(frozen=True, slots=True)
class ServicesRead:
    """The services by name."""

    services: Mapping[str, Service]
    mends: Mapping[str, Command | None] = field(default_factory=dict)
    """Entries that are not valid, with the command that mends each, as far as one does."""
    subdomains: Subdomains | None = None
    """None where the key cannot be read: no command edits it then."""

    def mend_claim(self, name: str) -> Command | None:
        """Return the command that has a service claim nothing that is another's."""
        if name in self.mends or self.subdomains is None:
            return self.mends.get(name)
        return Command("service add", (name,)).having("--subdomain", self.subdomains.free(name))


def read_services(place: Place, entries: Mapping[str, Any], previous: Mapping[str, Service]) -> ServicesRead:
    """Return the services by name; one that is present but invalid keeps its previous form, if it has one."""
    services: dict[str, Service] = {}
    mends: dict[str, Command | None] = {}
    subdomains = Subdomains(entries)
    for name in sorted(entries):
        try:
            checked(entry_name, name)
        except ValueError as e:
            place.error(name, f"{e}; it is left out")
            mends[name] = None
            continue
        before = previous.get(name)
        entry = Entry(place, name, entries[name], kept=before is not None)
        service = _read_service(entry, before)
        mend = mend_service(entry, subdomains) if entry.faulty else None
        entry.mend(mend)
        if not entry.valid:
            mends[name] = mend
        if service is not None:
            services[name] = service
    return ServicesRead(services, mends, subdomains)


def _read_service(entry: Entry, before: Service | None) -> Service | None:
    if not entry.valid:
        return _kept(before, public=False, no_address=False)
    entry.look_for_slips(*Service.model_fields)
    label, ip, scheme = _read_subdomain(entry), entry.text("ip", address), entry.text("scheme", _scheme)
    port, public, middlewares = entry.port("port"), entry.flag("public"), _read_middlewares(entry)
    no_address = entry.given("ip") is None
    if no_address:
        entry.warning("ip", "has no address now: no name and no route until it gets one", mend_no_address(entry))
    if public and entry.given("port") is None:
        entry.warning("port", "is public but has no port: it gets no route")
    if not entry.valid:
        return _kept(before, public=public, no_address=no_address)
    return Service(
        subdomain=label,
        namespace=entry.label("namespace"),
        service=entry.label("service"),
        ip=ip,
        port=port,
        public=public,
        scheme=Scheme(scheme or Scheme.HTTP),
        middlewares=middlewares,
    )


def _kept(before: Service | None, *, public: bool, no_address: bool) -> Service | None:
    """Return the previous form of an invalid entry, None when it has none.

    It is no more public than the entry reads now, and has no address that the entry has given up: that may be someone
    else's by then.
    """
    if before is None:
        return None
    return before.model_copy(
        update={"public": before.public and public, "ip": None if no_address else before.ip},
    )


def _read_subdomain(entry: Entry) -> str:
    """Return the subdomain; only one that is written as empty is the zone itself, a missing one is a fault."""
    if entry.is_blank("subdomain"):
        return ""
    label = entry.text("subdomain", subdomain)
    if entry.given("subdomain") is None:
        entry.error("subdomain", 'has no subdomain; write "@" for the zone itself')
    return label or ""


def _read_middlewares(entry: Entry) -> tuple[str, ...]:
    """Return the middlewares; one that cannot be read makes the entry invalid: it may be what keeps strangers out."""
    names = []
    for item in entry.items("middlewares"):
        try:
            names.append(checked(middleware, item))
        except ValueError as e:
            entry.error("middlewares", f"middlewares: {e}")
    return tuple(names)


def _scheme(text: str) -> str:
    try:
        return Scheme(text.strip().lower()).value
    except ValueError:
        raise ValueError(f"{text!r} is neither 'http' nor 'https'") from None
