"""Every field that somebody with an editor can put a text in."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common.models import Registry
from tests.features.texts import find, forms
from tests.features.texts.find import LAPTOP, SITE, VPS
from tests.features.texts.forms import Form
from tests.publisher.pipeline.parsing import DOMAINS, NODES, ROUTING, SERVICES, Texts, having, texts


@dataclass(frozen=True, slots=True)
class Field:
    """A field: the registry with a text in it, the text's form, and what of it is in the registry as it is read.

    `put` takes any JSON value, as a hand does.
    """

    name: str
    document: str
    put: Callable[[Any], Texts]
    form: Form
    find: Callable[[Registry, Any], Any]

    def __str__(self) -> str:
        return self.name


def _at(key: str, whole: Any, *path: Any) -> Callable[[Any], Texts]:
    """Return what puts a value at a place of a key."""

    def put(value: Any) -> Texts:
        changed = copy.deepcopy(whole)
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return having(**{key: json.dumps(changed)})

    return put


def _named(key: str, whole: Any, entry: Any, *path: Any) -> Callable[[str], Texts]:
    """Return what puts an entry under a name of its own."""

    def put(name: Any) -> Texts:
        changed = copy.deepcopy(whole)
        place = changed
        for step in path:
            place = place[step]
        place[str(name)] = entry
        return having(**{key: json.dumps(changed)})

    return put


def _plain(key: str) -> Callable[[Any], Texts]:
    def put(value: Any) -> Texts:
        content = texts()
        content["cluster-info"] = {**(content["cluster-info"] or {}), key: str(value)}
        return content

    return put


def _old(value: dict[str, Any]) -> Texts:
    """Return the registry with its VPSs in the old key."""
    return having(domains_json={"domains": DOMAINS["domains"]}, vps_nodes_json=json.dumps(value))


def _service(field: str, form: Form) -> Field:
    put = _at("services_json", SERVICES, "immich", field)
    return Field(field, "service-registry/services.json", put, form, find.of_service(field))


def _vps(field: str, form: Form) -> Field:
    put = _at("domains_json", DOMAINS, "vps_nodes", 0, field)
    return Field(field, "domain-registry/domains.json", put, form, find.of_vps(field))


def _route(name: str, field: str, form: Form, *item: int) -> Field:
    put = _at("routing_json", ROUTING, "immich", field, *item)
    return Field(name, "domain-registry/routing.json", put, form, find.of_route(field))


def _node(field: str, form: Form, found: str) -> Field:
    put = _at("registry_json", NODES, "management_laptops", 0, field)
    return Field(f"{field} of a node", "sync-controller-registry/registry.json", put, form, find.of_laptop(found))


def _cluster(key: str, form: Form, found: str) -> Field:
    return Field(key, f"cluster-info/{key}", _plain(key), form, find.of_cluster(found))


_site, _vps_node = forms.listed(forms.only(forms.dns, SITE)), forms.listed(forms.only(forms.address, VPS))
_SERVICE = {"subdomain": "new", "ip": "100.67.1.1"}

FIELDS = [
    Field(
        "name of a service",
        "service-registry/services.json",
        _named("services_json", SERVICES, _SERVICE),
        forms.entry,
        find.among_services,
    ),
    _service("subdomain", forms.subdomain),
    _service("ip", forms.blank_or(None, forms.address)),
    _service("port", forms.blank_or(None, forms.port)),
    _service("public", forms.blank_or(False, forms.flag)),
    _service("namespace", forms.free),
    _service("service", forms.free),
    _service("scheme", forms.blank_or("http", forms.word("http", "https"))),
    _service("middlewares", forms.listed(forms.middleware)),
    Field(
        "domain",
        "domain-registry/domains.json",
        _named("domains_json", DOMAINS, {"description": ""}, "domains"),
        forms.dns,
        find.among_domains,
    ),
    Field(
        "domain in the old place",
        "domain-registry/domains.json",
        lambda name: _named("domains_json", DOMAINS, {"description": ""})(f"{name}.example"),
        lambda text: forms.dns(f"{text}.example"),
        find.among_domains,
    ),
    Field(
        "description",
        "domain-registry/domains.json",
        _at("domains_json", DOMAINS, "domains", SITE, "description"),
        forms.free,
        find.description,
    ),
    Field(
        "tailscale_ip",
        "domain-registry/domains.json",
        lambda value: _at("domains_json", DOMAINS, "vps_nodes")([{"tailscale_ip": value}, *DOMAINS["vps_nodes"]]),
        forms.address,
        find.among_vps_nodes,
    ),
    _vps("public_ip", forms.blank_or(None, forms.address)),
    _vps("location", forms.free),
    _vps("provider", forms.free),
    Field(
        "VPS in the old key",
        "domain-registry/vps-nodes.json",
        lambda name: _old({VPS: {}, str(name): {}}),
        forms.address,
        find.among_vps_nodes,
    ),
    Field(
        "region",
        "domain-registry/vps-nodes.json",
        lambda value: _old({VPS: {"region": value}}),
        forms.free,
        find.of_vps("location"),
    ),
    Field(
        "name of a route",
        "domain-registry/routing.json",
        _named("routing_json", ROUTING, ROUTING["immich"]),
        lambda text: text if text in SERVICES else forms.NO_FORM,
        find.among_routes,
    ),
    _route("domains of a route", "domains", _site),
    _route("domain in the list of a route", "domains", _site, 0),
    _route("VPSs of a route", "vps_nodes", _vps_node),
    _route("VPS in the list of a route", "vps_nodes", _vps_node, 0),
    _route("strategy", "strategy", forms.strategy),
    _node("ip", forms.address, "address"),
    _node("name", lambda text: forms.slug(text, LAPTOP), "name"),
    _node("label", lambda text: forms.free(text) or "laptop", "label"),
    _cluster("cluster-name", lambda text: forms.free(text) or None, "name"),
    _cluster("cluster-domain", forms.dns, "domain"),
    _cluster("control-plane-ip", forms.blank_or(None, forms.address), "control_plane_ip"),
]
