"""What nodes make of a registry, read as other programs read it, and held against all that may stand there.

Uses the pure functions of the targets, and no disk.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from common.models import Registry
from common.names import derive_names, zone_of
from common.routes import derive_routes
from common.settings.subscriber import TraefikSettings
from common.snapshot import Snapshot
from subscriber.targets.dnsmasq_files import HEADER, render
from subscriber.targets.hosts_block import BEGIN, BEGIN_JOINED, END, split
from subscriber.targets.hosts_lines import entry_lines
from subscriber.targets.traefik_config import build_entries, decode, encode
from tests.registries import snapshot

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_KEY = re.compile(r"routecast-[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?-[0-9a-f]{8}")
_MIDDLEWARE = re.compile(r"[A-Za-z0-9._-]{1,128}@[a-z0-9]{1,32}")
_SETTINGS = TraefikSettings()
_ADDN = Path("/var/lib/routecast/hosts")


def received(registry: Registry) -> Registry:
    """Return a registry as a node reads it from the snapshot's body."""
    body = snapshot(registry).to_body()
    found = Snapshot.from_body(body)
    assert found.to_body() == body
    return found.registry


def check_hosts(registry: Registry, owner: bytes) -> dict[str, str]:
    """Return the names in a hosts file of this owner's, with their addresses.

    It is the owner's bytes, a marker, lines of exactly one address, a tab and one name, and a marker: nothing else.
    """
    lines = entry_lines(derive_names(registry).records)
    content = split(owner, ()).render(lines)
    assert split(content, lines).outside == owner
    if not lines:
        assert content == owner
        return {}
    joint = b"" if owner.endswith(b"\n") or not owner else b"\n"
    assert content.startswith(owner + joint)
    first, *records, last, rest = content[len(owner + joint) :].split(b"\n")
    assert (first, last, rest) == (BEGIN_JOINED if joint else BEGIN, END, b"")
    found = dict(_record(line.decode()) for line in records)
    assert len(found) == len(records), "no name twice"
    return found


def _record(line: str) -> tuple[str, str]:
    address, name = line.split("\t")
    assert str(ip_address(address)) == address
    assert _NAME.fullmatch(name), name
    return name, address


def check_dnsmasq(registry: Registry) -> None:
    """See that dnsmasq's drop-in has its two lines, about the zone and our file, and its hosts file only records."""
    zone = zone_of(registry.cluster)
    files = render(zone, derive_names(registry).records, _ADDN)
    if files.drop_in is None or files.hosts is None:
        assert zone is None
        return
    assert _NAME.fullmatch(str(zone))
    assert files.drop_in.decode().splitlines() == [HEADER.decode().strip(), f"local=/{zone}/", f"addn-hosts={_ADDN}"]
    header, *records, rest = files.hosts.split(b"\n")
    assert (header + b"\n", rest) == (HEADER, b"")
    assert [_record(line.decode()) for line in records] == sorted(derive_names(registry).records.items())


def check_traefik(registry: Registry) -> list[bytes]:
    """Return the routes files of all VPSs that have one.

    Each holds, of every public host name, two routers and a service with nothing but what they need, and no more.
    """
    files = []
    for vps in registry.vps_nodes:
        routes = derive_routes(registry).on(vps.tailscale_ip)
        entries = build_entries(routes, _SETTINGS)
        content = encode(entries)
        assert decode(content) == entries
        backends = {route.host: _backend(registry, route.service) for route in routes}
        assert (_read(content) if content is not None else {}) == backends
        files += [] if content is None else [content]
    return files


def _backend(registry: Registry, service: str) -> tuple[str, str | None, int | None]:
    found = registry.services[service]
    assert found.public
    return found.scheme.value, found.ip, found.port


def _read(content: bytes) -> dict[str, tuple[str, str | None, int | None]]:
    """Return the host names of a routes file, each with scheme, address and port of its backend."""
    assert b"{{" not in content, "a template: Traefik would run it"
    whole = orjson.loads(content)
    assert whole.keys() == {"http"}
    assert whole["http"].keys() == {"routers", "services", "middlewares"}
    assert whole["http"]["middlewares"] == {
        "routecast-redirect": {"redirectScheme": {"scheme": "https", "permanent": True}}
    }
    routers: dict[str, Any] = whole["http"]["routers"]
    found = {}
    for key, service in whole["http"]["services"].items():
        assert _KEY.fullmatch(key), key
        host = _read_routers(key, routers.pop(key), routers.pop(f"{key}-redirect"))
        [server] = service.pop("loadBalancer").pop("servers")
        assert host not in found
        found[host] = _read_url(server.pop("url"))
        assert (service, server) == ({}, {})
    assert routers == {}
    return found


def _read_routers(key: str, router: dict[str, Any], redirect: dict[str, Any]) -> str:
    """Return the host name that two routers are about."""
    host: str = router["rule"].removeprefix("Host(`").removesuffix("`)")
    assert _NAME.fullmatch(host), host
    rule = f"Host(`{host}`)"
    assert all(_MIDDLEWARE.fullmatch(name) for name in router.pop("middlewares", ["x@file"]))
    tls = {"certResolver": "letsencrypt"}
    assert router == {"rule": rule, "entryPoints": ["websecure"], "service": key, "tls": tls}
    to_tls = {"entryPoints": ["web"], "middlewares": ["routecast-redirect"], "service": "noop@internal"}
    assert redirect == {"rule": rule, **to_tls}
    return host


def _read_url(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    assert (parts.username, parts.password, parts.path, parts.query, parts.fragment) == (None, None, "", "", "")
    assert parts.scheme in {"http", "https"}
    return parts.scheme, parts.hostname, parts.port
