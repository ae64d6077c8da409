import hashlib
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import TargetFailed
from common.models import Registry, Service
from common.routes import Route, derive_routes
from common.settings.subscriber import TraefikSettings
from subscriber.targets.traefik_config import (
    Entry,
    build_entries,
    decode,
    encode,
    fall_back,
    private_backends,
    route_key,
)
from tests.registries import REFERENCE, registries, with_service

SETTINGS = TraefikSettings()
PLAIN = TraefikSettings(cert_resolver="", prefix="lab")
VPS = "100.68.225.92"


def entries_of(registry: Registry, settings: TraefikSettings = SETTINGS) -> dict[str, Entry]:
    """Return the entries of the first VPS."""
    return build_entries(derive_routes(registry).on(VPS), settings)


def route(host: str = "a.example.com", service: str = "a", backend: str = "http://10.0.0.1:80") -> Route:
    """Return a route."""
    return Route(service, host, backend, (), (VPS,))


def test_a_route_is_two_routers_and_a_service() -> None:
    """The reference's first route, spelled out: TLS router with the resolver, redirecting router, backend."""
    key = "routecast-immich-" + hashlib.sha256(b"photos.curiios.com").hexdigest()[:8]
    http = orjson.loads(encode(entries_of(REFERENCE)) or b"")["http"]
    assert http["routers"][key] == {
        "rule": "Host(`photos.curiios.com`)",
        "entryPoints": ["websecure"],
        "service": key,
        "tls": {"certResolver": "letsencrypt"},
    }
    assert http["routers"][f"{key}-redirect"] == {
        "rule": "Host(`photos.curiios.com`)",
        "entryPoints": ["web"],
        "service": "noop@internal",
        "middlewares": ["routecast-redirect"],
    }
    assert http["services"][key] == {"loadBalancer": {"servers": [{"url": "http://100.67.243.10:80"}]}}
    assert http["middlewares"] == {"routecast-redirect": {"redirectScheme": {"scheme": "https", "permanent": True}}}
    assert len(http["routers"]) == 2 * len(http["services"]) == 8


def test_without_a_resolver_the_default_certificate_is_asked_for() -> None:
    """Still TLS, and no empty map."""
    (entry,) = build_entries([route()], PLAIN).values()
    assert entry.router["tls"] == {"options": "default"}
    assert entry.key.startswith("lab-a-")


def test_middlewares_of_a_service_stand_on_its_tls_router() -> None:
    """They guard the service, not the redirect."""
    service = REFERENCE.services["immich"].model_copy(update={"middlewares": ("authelia@file",)})
    entry = entries_of(with_service("immich", service))["photos.curiios.com"]
    assert entry.router["middlewares"] == ["authelia@file"]
    assert entry.redirect["middlewares"] == ["routecast-redirect"]


def _empty_maps(value: Any) -> bool:
    if isinstance(value, dict):
        return not value or any(_empty_maps(each) for each in value.values())
    return isinstance(value, list) and any(_empty_maps(each) for each in value)


@given(registries(), st.sampled_from([SETTINGS, PLAIN]))
def test_a_file_is_read_back_as_it_was_written(registry: Registry, settings: TraefikSettings) -> None:
    """Equal entries give equal bytes, never an empty map, and nothing but public services; no entry gives no file."""
    for node in registry.nodes:
        routes = derive_routes(registry).on(node.address)
        entries = build_entries(routes, settings)
        content = encode(entries)
        assert decode(content) == entries
        assert encode(decode(content)) == content
        assert (content is None) == (not routes)
        assert all(registry.services[each.service].public for each in routes)
        if content is not None:
            assert not _empty_maps(orjson.loads(content))


@pytest.mark.parametrize(
    "host", ["a`) || PathPrefix(`/", "a.example.com`", "", "A.example.com", "a b", "a.example.com\n", "*.example.com"]
)
def test_a_host_that_could_break_out_of_its_rule_is_refused(host: str) -> None:
    """The renderer is safe by itself, whatever let such a host through."""
    with pytest.raises(TargetFailed) as failure:
        build_entries([route(host)], SETTINGS)
    assert (failure.value.code, failure.value.entry) == ("bad_entry", host)


@given(st.text(min_size=1))
def test_a_key_is_plain_and_bounded_whatever_the_services_name(service: str) -> None:
    """Letters, digits and hyphens: an @ would name a provider."""
    key = route_key("routecast", service, "a.example.com")
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(key) <= len("routecast-") + 40 + 9
    assert route_key("routecast", "@", "x").startswith("routecast-service-")


GOOD = orjson.loads(encode(build_entries([route()], SETTINGS)) or b"")["http"]
(KEY,) = GOOD["services"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"http:\n  routers: {}\n",
        b"[]",
        b'"http"',
        b'{"http": null}',
        b'{"http": {"routers": {}}}',
        orjson.dumps({"http": {**GOOD, "routers": []}}),
        orjson.dumps({"http": {**GOOD, "routers": {KEY: GOOD["routers"][KEY]}}}),
        orjson.dumps({"http": {**GOOD, "services": {KEY: 7}}}),
        orjson.dumps({"http": {**GOOD, "routers": {**GOOD["routers"], KEY: {"rule": "Path(`/`)"}}}}),
        orjson.dumps({"http": {**GOOD, "routers": {**GOOD["routers"], f"{KEY}-redirect": {"middlewares": 1}}}}),
        orjson.dumps({"http": {**GOOD, "routers": {**GOOD["routers"], f"{KEY}-redirect": {"middlewares": [{}]}}}}),
    ],
)
def test_what_is_not_ours_is_no_entry(content: bytes) -> None:
    """Garbage, or entries that are not whole: nothing is read, so all is written anew."""
    assert decode(content) == {}


def test_the_backend_of_a_damaged_service_is_empty() -> None:
    """No exception, whatever shape the service has."""
    damaged: list[dict[str, Any]] = [{}, {"loadBalancer": {"servers": []}}, {"loadBalancer": None}]
    for service in damaged:
        assert Entry("k", {}, {}, service).backend == ""


def test_private_backends_are_those_that_no_public_service_shares() -> None:
    """Two entries of one app, one public and one not, are found in real registries: that backend is public."""
    registry = Registry(
        services={
            "a": Service(subdomain="a", ip="10.0.0.1", port=80, public=True),
            "a-server": Service(subdomain="a", ip="10.0.0.1", port=80),
            "b": Service(subdomain="b", ip="fd00::1", port=80),
            "c": Service(subdomain="c", ip="10.0.0.3"),
            "d": Service(subdomain="d", port=80),
        }
    )
    assert private_backends(registry) == {"[fd00::1]:80"}


def test_a_refused_host_falls_back_to_its_previous_form_alone() -> None:
    """The others come as desired; a refused one that is new is left out, and what was removed stays removed."""
    previous = build_entries(
        [route("a.x", "a"), route("gone.x", "gone"), route("leak.x", "l", "https://10.0.0.9:80")], PLAIN
    )
    desired = build_entries(
        [route("a.x", "a", "http://10.0.0.2:80"), route("b.x", "b"), route("c.x", "c"), route("leak.x", "l")], PLAIN
    )
    chosen = fall_back(previous, desired, {"a.x", "b.x", "leak.x"}, {"10.0.0.9:80"})
    assert chosen == {"a.x": previous["a.x"], "c.x": desired["c.x"]}


@hypothesis.settings(max_examples=40)
@given(registries(), registries(), st.data())
def test_falling_back_never_serves_what_is_not_public(before: Registry, now: Registry, data: st.DataObject) -> None:
    """Whatever was served and whatever is refused: each host is one that is wanted, on no private backend."""
    previous = build_entries(derive_routes(before).routes, SETTINGS)
    desired = build_entries(derive_routes(now).routes, SETTINGS)
    refused = data.draw(st.sets(st.sampled_from(sorted(desired)))) if desired else set()
    chosen = fall_back(previous, desired, refused, private_backends(now))
    assert chosen.keys() <= desired.keys()
    assert not {entry.backend.partition("://")[2] for entry in chosen.values()} & private_backends(now)
    assert all(chosen[host] == desired[host] for host in desired.keys() - refused)
