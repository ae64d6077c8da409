"""Our part of Traefik's dynamic configuration, made from routes, and read again. Pure.

See https://doc.traefik.io/traefik/reference/routing-configuration/http/. Traefik takes JSON for YAML, and refuses a
whole file for one empty map, so none is ever written. A default certificate is asked for by naming the default TLS
options: an absent ``tls`` means plain HTTP.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from common.errors import TargetFailed
from common.models import Registry
from common.routes import Route
from common.settings.subscriber import TraefikSettings

Table = Mapping[str, Any]

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_RULE = re.compile(r"Host\(`([a-z0-9.-]+)`\)")
_SLUG_LENGTH = 40
_REDIRECT: Table = {"redirectScheme": {"scheme": "https", "permanent": True}}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one host name is in Traefik: a router, one that redirects to it, and a service, all under one key."""

    key: str
    router: Table
    redirect: Table
    service: Table

    @property
    def redirect_key(self) -> str:
        """The name of the redirecting router."""
        return f"{self.key}-redirect"

    @property
    def backend(self) -> str:
        """The backend's URL; empty when there is none to be read."""
        try:
            return str(self.service["loadBalancer"]["servers"][0]["url"])
        except (KeyError, IndexError, TypeError):
            return ""


Entries = Mapping[str, Entry]
"""Host name -> entry."""


def build_entries(routes: Iterable[Route], settings: TraefikSettings) -> dict[str, Entry]:
    """Return the entries of some routes.

    Raises:
        TargetFailed: a host name could break out of its rule; the models let none through.

    """
    return {route.host: _entry(route, settings) for route in routes}


def _entry(route: Route, settings: TraefikSettings) -> Entry:
    if not _HOST.fullmatch(route.host):
        raise TargetFailed("bad_entry", f"{route.host!r} is no host name, no route is made of it", entry=route.host)
    key = route_key(settings.prefix, route.service, route.host)
    rule = f"Host(`{route.host}`)"
    resolver = settings.cert_resolver
    router: dict[str, Any] = {
        "rule": rule,
        "entryPoints": [settings.entry_point],
        "service": key,
        "tls": {"certResolver": resolver} if resolver else {"options": "default"},
    }
    if route.middlewares:
        router["middlewares"] = list(route.middlewares)
    return Entry(
        key=key,
        router=router,
        redirect={
            "rule": rule,
            "entryPoints": [settings.plain_entry_point],
            "middlewares": [f"{settings.prefix}-redirect"],
            "service": "noop@internal",
        },
        service={"loadBalancer": {"servers": [{"url": route.backend}]}},
    )


def route_key(prefix: str, service: str, host: str) -> str:
    """Return the name of a route's router and service: readable, and different for each host name."""
    slug = re.sub(r"[^a-z0-9]+", "-", service.lower())[:_SLUG_LENGTH].strip("-") or "service"
    return f"{prefix}-{slug}-{hashlib.sha256(host.encode()).hexdigest()[:8]}"


def encode(entries: Entries) -> bytes | None:
    """Return the file with `entries`, equal bytes for equal entries; None: no entries, no file."""
    if not entries:
        return None
    redirects = {entry.redirect_key: entry.redirect for entry in entries.values()}
    http = {
        "routers": {entry.key: entry.router for entry in entries.values()} | redirects,
        "services": {entry.key: entry.service for entry in entries.values()},
        "middlewares": {name: _REDIRECT for entry in entries.values() for name in entry.redirect["middlewares"]},
    }
    return orjson.dumps({"http": http}, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def decode(content: bytes | None) -> dict[str, Entry]:
    """Return the whole entries of a file of ours; of anything else none. What else it holds shows in its bytes."""
    try:
        http = orjson.loads(content or b"{}")["http"]
        routers, services = http["routers"], http["services"]
        found = [_decode_entry(key, routers, services) for key in services]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return {}
    return dict(host_and_entry for host_and_entry in found if host_and_entry is not None)


def _decode_entry(key: str, routers: Table, services: Table) -> tuple[str, Entry] | None:
    """Return host name and entry of a key, None when a part is missing or could not be written again."""
    router: Any = routers.get(key)
    redirect: Any = routers.get(f"{key}-redirect")
    service: Any = services[key]
    if not all(isinstance(part, dict) for part in (router, redirect, service)):
        return None
    match = _RULE.fullmatch(str(router.get("rule")))
    middlewares = redirect.get("middlewares")
    if match is None or not isinstance(middlewares, list) or not all(isinstance(name, str) for name in middlewares):
        return None
    return match[1], Entry(key, router, redirect, service)


def private_backends(registry: Registry) -> frozenset[str]:
    """Return ``address:port`` of all that only services use that are not public."""
    addresses: dict[bool, set[str]] = {True: set(), False: set()}
    for service in registry.services.values():
        if service.ip is not None and service.port is not None:
            host = f"[{service.ip}]" if ":" in service.ip else service.ip
            addresses[service.public].add(f"{host}:{service.port}")
    return frozenset(addresses[False] - addresses[True])


def fall_back(
    previous: Entries, desired: Entries, refused: Collection[str], barred: Collection[str]
) -> dict[str, Entry]:
    """Return what to serve instead of `desired` when Traefik would not: `refused` host names in their previous form.

    A removal always stands, and a previous form whose backend (``address:port``) is `barred`, as a private service's by
    now, is left out: what must not be public does not stay public because something else failed.
    """
    chosen = {host: entry for host, entry in desired.items() if host not in refused}
    for host in refused:
        if host in previous and previous[host].backend.partition("://")[2] not in barred:
            chosen[host] = previous[host]
    return chosen
