"""Judge from Traefik's API whether it serves our entries. Pure; `subscriber.targets.traefik_api` asks it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from subscriber.targets.traefik_config import Entries, Entry, Table

_PROVIDER = "file"


@dataclass(frozen=True, slots=True)
class Served:
    """What Traefik's API shows, by name with provider (``x@file``)."""

    routers: Mapping[str, Table]
    services: Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is not as it should be, by host name or by name in Traefik, with the reason."""

    missing: Mapping[str, str]
    """Not served, or not yet."""
    refused: Mapping[str, str]
    """Taken over by Traefik, and found faulty: in its own words."""

    @property
    def good(self) -> bool:
        """Whether everything is served."""
        return not self.missing and not self.refused

    @property
    def final(self) -> bool:
        """Whether Traefik has taken over everything, and refuses some of it."""
        return bool(self.refused) and not self.missing


def judge(served: Served, desired: Entries, gone: Collection[str]) -> Verdict:
    """Compare what Traefik serves with `desired`; `gone` are the keys that it must no longer know."""
    missing: dict[str, str] = {}
    refused: dict[str, str] = {}
    for host, entry in desired.items():
        for what, shown, expected in _objects(served, entry):
            if shown is None:
                missing[host] = f"{what} is not there"
            elif (differs := _first_difference(shown, expected)) is not None:
                missing[host] = f"{what} has another {differs}"
            elif shown.get("status") != "enabled" or shown.get("error"):
                refused.setdefault(host, f"{what}: {_words(shown)}")
    for key in gone:
        if qualified(key) in served.routers or qualified(key) in served.services:
            missing[key] = "is still there"
    return Verdict(missing, {host: why for host, why in refused.items() if host not in missing})


def _objects(served: Served, entry: Entry) -> list[tuple[str, Table | None, Table]]:
    """Return what an entry consists of: a description, what is shown, what should be."""
    routers, services = served.routers, served.services
    return [
        (f"router {entry.key}", routers.get(qualified(entry.key)), _router(entry.router)),
        (f"router {entry.redirect_key}", routers.get(qualified(entry.redirect_key)), _router(entry.redirect)),
        (f"service {entry.key}", services.get(qualified(entry.key)), {"backend": entry.backend}),
    ]


def keys_of(entries: Entries) -> frozenset[str]:
    """Return the names of all routers and services of some entries."""
    return frozenset(key for entry in entries.values() for key in (entry.key, entry.redirect_key))


def qualified(name: str) -> str:
    """Return a name as the API shows it; one of another provider has that already."""
    return name if "@" in name else f"{name}@{_PROVIDER}"


def _router(router: Table) -> Table:
    """Return what the API shows of a router that is as `router`."""
    return {
        "rule": router["rule"],
        "service": router["service"],
        "entryPoints": router["entryPoints"],
        "middlewares": [qualified(name) for name in router.get("middlewares", ())],
        "certificate resolver": router.get("tls", {}).get("certResolver"),
    }


def _first_difference(shown: Table, expected: Table) -> str | None:
    values: dict[str, Any] = {
        **shown,
        "middlewares": shown.get("middlewares") or [],
        "certificate resolver": (shown.get("tls") or {}).get("certResolver"),
        "backend": Entry("", {}, {}, shown).backend,
    }
    return next((name for name, value in expected.items() if values.get(name) != value), None)


def _words(shown: Table) -> str:
    errors = shown.get("error") or [f"its status is {shown.get('status')}"]
    return "; ".join(str(error) for error in errors)
