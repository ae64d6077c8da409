"""Edits of services. Pure: each changes a draft, or says all that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common import values
from common.models import Scheme
from publisher.registry.draft import ROUTING, SERVICES, Draft, Entries
from publisher.registry.faults import Faults, refuse_unknown

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class ServiceFields:
    """The fields of a service that an edit sets; None leaves one as it is."""

    subdomain: str | None = None
    ip: str | None = None
    port: int | None = None
    public: bool | None = None
    namespace: str | None = None
    service: str | None = None
    scheme: str | None = None
    middlewares: tuple[str, ...] | None = None
    """Empty: none any more."""


def add_service(draft: Draft, name: str, given: ServiceFields) -> None:
    """Register a service, or set fields of one that is registered; no other field changes.

    Raises:
        EditRefused: a value is not valid, or a new service has no address.

    """
    entries, faults = draft.object(SERVICES), Faults()
    new = name not in entries
    if new:
        faults.checked("the name", _new_name, name)
        if given.ip is None:
            faults.add(f"there is no service {name!r} yet: a new one needs an address (--ip)")
    fields = _fields(given, faults)
    faults.refuse_if_any()
    before: Entries = {"subdomain": name, "public": False} if new else _entry(entries, name)
    entries[name] = {**before, **fields}
    if given.middlewares == ():
        del entries[name]["middlewares"]


def set_public(draft: Draft, name: str, *, public: bool) -> None:
    """Say whether a service may be routed from the internet.

    Raises:
        EditRefused: there is no such service.

    """
    entries = draft.object(SERVICES)
    if name not in entries:
        raise refuse_unknown("service", name, entries)
    if not public:
        draft.withdraw()
    entries[name] = {**_entry(entries, name), "public": public}


def remove_service(draft: Draft, name: str) -> None:
    """Take a service off the registry, its routing first.

    Raises:
        EditRefused: there is no such service.

    """
    routing = draft.optional(ROUTING)
    entries = draft.object(SERVICES)
    if name not in entries:
        raise refuse_unknown("service", name, entries)
    draft.withdraw()
    routing.pop(name, None)
    del entries[name]


def _entry(entries: Mapping[str, Any], name: str) -> Entries:
    """Return the fields of an entry; one that is no object has none."""
    entry = entries[name]
    return entry if isinstance(entry, dict) else {}


def _fields(given: ServiceFields, faults: Faults) -> Entries:
    """Return the given fields as they are written; a faulty one is noted."""
    fields: Entries = {}
    if given.subdomain is not None:
        fields["subdomain"] = faults.checked("--subdomain", values.subdomain, given.subdomain) or "@"
    if given.namespace is not None:
        fields["namespace"] = faults.checked("--namespace", _word, given.namespace)
    if given.service is not None:
        fields["service"] = faults.checked("--service", _word, given.service)
    if given.ip is not None:
        fields["ip"] = faults.checked("--ip", values.address, given.ip)
    if given.port is not None:
        if not 1 <= given.port <= _MAX_PORT:
            faults.add(f"--port: {given.port} is not a port: 1 to {_MAX_PORT}")
        fields["port"] = given.port
    if given.public is not None:
        fields["public"] = given.public
    if given.scheme is not None:
        fields["scheme"] = faults.checked("--scheme", _scheme, given.scheme)
    if given.middlewares is not None:
        names = dict.fromkeys(given.middlewares)
        fields["middlewares"] = [faults.checked("--middleware", values.middleware, each) for each in names]
    return fields


def _new_name(text: str) -> str:
    """Return the name of a new service: as Kubernetes names them, so that it fits into every command and file."""
    if text != values.dns_name(text):
        raise ValueError(f"{text!r} must be written {values.dns_name(text)!r}")
    return text


def _scheme(text: str) -> str:
    if text not in frozenset(Scheme):
        raise ValueError(f"{text!r} is neither {' nor '.join(map(repr, map(str, Scheme)))}")
    return text


def _word(text: str) -> str:
    return values.entry_name(text) if text else ""
