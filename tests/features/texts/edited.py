"""Every field that an edit puts a text in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from common.models import Registry, Role
from publisher.registry.beginning import ClusterFields, begin
from publisher.registry.domains import add_domain
from publisher.registry.nodes import add_node, label_node
from publisher.registry.plan import Edit
from publisher.registry.routes import RouteFields, set_route
from publisher.registry.services import ServiceFields, add_service
from publisher.registry.vps import VpsFields, add_vps
from tests.features.texts import find, forms
from tests.features.texts.find import SITE, VPS
from tests.features.texts.forms import NO_FORM, Form


@dataclass(frozen=True, slots=True)
class Field:
    """A field: the edit that puts a text in it, the text's form, and what of it is in the registry then."""

    name: str
    edit: Callable[[str], Edit]
    form: Form
    find: Callable[[Registry, Any], Any]

    def __str__(self) -> str:
        return self.name


def _service(**fields: Any) -> Edit:
    return partial(add_service, name="immich", given=ServiceFields(**fields))


def _vps(**fields: Any) -> Edit:
    return partial(add_vps, text=VPS, given=VpsFields(**fields))


def _route(**fields: Any) -> Edit:
    return partial(set_route, service="immich", given=RouteFields(**fields))


def _cluster(**fields: Any) -> Edit:
    return partial(begin, given=ClusterFields(**fields), counts={})


def _new_service(text: str) -> Edit:
    return partial(add_service, name=text, given=ServiceFields(ip="100.67.1.1"))


def _domain(text: str, description: str | None = None) -> Edit:
    return partial(add_domain, text=text, description=description)


def _node(name: str, address: str) -> Edit:
    return partial(add_node, role=Role.LAPTOP, name=name, address=address, label=None)


def _node_name(text: str) -> Any:
    return text if text == forms.slug(text, "") else NO_FORM


def _vps_or_its_node(text: str) -> Any:
    return (VPS,) if text == "vps-1" or forms.address(text) == VPS else NO_FORM


def _word(text: str) -> Any:
    return forms.entry(text) if text else ""


FIELDS = [
    Field("name of a service", _new_service, forms.same(forms.dns), find.among_services),
    Field("subdomain", lambda text: _service(subdomain=text), forms.subdomain, find.of_service("subdomain")),
    Field("ip", lambda text: _service(ip=text), forms.address, find.of_service("ip")),
    Field("namespace", lambda text: _service(namespace=text), _word, find.of_service("namespace")),
    Field("service", lambda text: _service(service=text), _word, find.of_service("service")),
    Field(
        "scheme",
        lambda text: _service(scheme=text),
        forms.same(forms.word("http", "https")),
        find.of_service("scheme"),
    ),
    Field(
        "middlewares",
        lambda text: _service(middlewares=("b@file", text)),
        lambda text: tuple(dict.fromkeys(("b@file", text))) if forms.middleware(text) == text else NO_FORM,
        find.of_service("middlewares"),
    ),
    Field("domain", _domain, forms.public_domain, find.among_domains),
    Field("description", lambda text: _domain(SITE, text), forms.free, find.description),
    Field("VPS", lambda text: partial(add_vps, text=text, given=VpsFields()), forms.address, find.among_vps_nodes),
    Field("public_ip", lambda text: _vps(public_ip=text), forms.address, find.of_vps("public_ip")),
    Field("location", lambda text: _vps(location=text), forms.free, find.of_vps("location")),
    Field("provider", lambda text: _vps(provider=text), forms.free, find.of_vps("provider")),
    Field(
        "domains of a route",
        lambda text: _route(domains=(text,)),
        lambda text: (SITE,) if forms.dns(text) == SITE else NO_FORM,
        find.of_route("domains"),
    ),
    Field("VPSs of a route", lambda text: _route(vps_nodes=(text,)), _vps_or_its_node, find.of_route("vps_nodes")),
    Field(
        "strategy",
        lambda text: _route(strategy=text),
        forms.same(forms.word(*forms.STRATEGIES)),
        find.of_route("strategy"),
    ),
    Field("name of a node", lambda text: _node(text, "100.86.1.1"), _node_name, find.among_nodes),
    Field("address of a node", lambda text: _node("laptop", text), forms.address, find.of_laptop("address")),
    Field(
        "label of a node",
        lambda text: partial(label_node, name="laptop", label=text),
        lambda text: forms.free(text) or "laptop",
        find.of_laptop("label"),
    ),
    Field(
        "name of the cluster",
        lambda text: _cluster(name=text),
        lambda t: forms.free(t) or None,
        find.of_cluster("name"),
    ),
    Field("domain of the cluster", lambda text: _cluster(domain=text), forms.dns, find.of_cluster("domain")),
    Field(
        "control plane",
        lambda text: _cluster(control_plane_ip=text),
        forms.address,
        find.of_cluster("control_plane_ip"),
    ),
]
