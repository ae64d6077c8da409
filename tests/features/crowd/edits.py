"""What a crowd of processes edits at once (`tests.features.crowd.process`), and the registry that it begins with.

Edits have one place each, so that all of them can be seen in the end, whoever was first: entries of a worker's own,
entries that all share, and of those the fields that one worker has each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from common.models import Role
from publisher.registry.difference import At, Kind
from publisher.registry.domains import add_domain, remove_domain
from publisher.registry.nodes import add_node, label_node, remove_node
from publisher.registry.plan import Edit
from publisher.registry.routes import RouteFields, remove_route, set_route
from publisher.registry.services import ServiceFields, add_service, remove_service, set_public
from publisher.registry.vps import VpsFields, add_vps, remove_vps

WORKERS = 8
EACH = 30
SHARED = range(8)
"""The services that every worker edits, each worker another field."""
NEW = range(9)
"""The services that each worker adds."""

_BACKEND = "100.66.0.1"
_A, _B = "100.70.9.1", "100.70.9.2"
_SITE = "site.example"

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """An edit, and what it makes of entries: the fields that they have then, None where one is gone."""

    edit: Edit
    gives: Mapping[At, Fields | None]


def _service_field(worker: int, k: int) -> tuple[str, Any, Any]:
    """Return a worker's field of a shared service: as it is called, at the beginning, and in the end."""
    fields: list[tuple[str, Any, Any]] = [
        ("subdomain", f"shared-{k}", f"sub-{k}"),
        ("ip", f"100.65.0.{k}", f"100.65.1.{k}"),
        ("port", 80, 9000 + k),
        ("public", False, True),
        ("namespace", "old", f"namespace-{k}"),
        ("service", "old", f"service-{k}"),
        ("scheme", "http", "https"),
        ("middlewares", ["old@file"], [f"auth-{k}@file"]),
    ]
    return fields[worker]


def _vps_field(worker: int) -> tuple[str, Any, Any]:
    return [("public_ip", None, "203.0.113.7"), ("location", "", "eu"), ("provider", "", "contabo")][worker % 3]


def _route_field(worker: int) -> tuple[str, Any, Any]:
    fields: list[tuple[str, Any, Any]] = [
        ("domains", [_SITE], [_SITE, "extra.example"]),
        ("vps_nodes", [_A], [_B, _A]),
        ("strategy", "round-robin", "primary-backup"),
    ]
    return fields[worker % 3]


def edits_of(worker: int) -> list[Made]:
    """Return the edits of a worker, in the order in which it makes them; half of the workers begin at the end."""
    edits = [
        *(_new_service(worker, k) for k in NEW),
        *(_shared_service(worker, k) for k in SHARED),
        _shared_vps(worker),
        _shared_route(worker),
        _shared_node(worker),
        *_added(worker),
        *_taken(worker),
    ]
    return [edits[0], *(reversed(edits[1:]) if worker % 2 else edits[1:])]


def _new_service(worker: int, k: int) -> Made:
    name, ip = f"new-{worker}-{k}", f"100.64.{worker}.{k}"
    fields = {"subdomain": name, "public": False, "ip": ip, "port": 80}
    return Made(partial(add_service, name=name, given=ServiceFields(ip=ip, port=80)), {(Kind.SERVICE, name): fields})


def _shared_service(worker: int, k: int) -> Made:
    name = f"shared-{k}"
    field, _, value = _service_field(worker, k)
    given: Any = {field: tuple(value) if isinstance(value, list) else value}
    return Made(partial(add_service, name=name, given=ServiceFields(**given)), {(Kind.SERVICE, name): {field: value}})


def _shared_vps(worker: int) -> Made:
    address = f"100.70.1.{worker // 3}"
    field, _, value = _vps_field(worker)
    return Made(
        partial(add_vps, text=address, given=VpsFields(**{field: value})), {(Kind.VPS, address): {field: value}}
    )


def _shared_route(worker: int) -> Made:
    name = f"routed-{worker // 3}"
    field, _, value = _route_field(worker)
    given: Any = {field: tuple(value) if isinstance(value, list) else value}
    return Made(partial(set_route, service=name, given=RouteFields(**given)), {(Kind.ROUTE, name): {field: value}})


def _shared_node(worker: int) -> Made:
    """Return an edit of a node that two workers share: one moves it, one labels it."""
    name = f"node-{worker // 2}"
    if worker % 2:
        edit: Edit = partial(add_node, role=Role.WORKER, name=name, address=f"100.80.1.{worker}", label=None)
        return Made(edit, {(Kind.NODE, name): {"ip": f"100.80.1.{worker}"}})
    return Made(
        partial(label_node, name=name, label=f"Node {worker}"), {(Kind.NODE, name): {"label": f"Node {worker}"}}
    )


def _added(worker: int) -> list[Made]:
    domain, address, node = f"new-{worker}.example", f"100.70.2.{worker}", f"laptop-{worker}"
    vps = {"tailscale_ip": address, "public_ip": None, "location": "de", "provider": ""}
    laptop = {"role": "laptop", "name": node, "ip": f"100.81.0.{worker}", "label": "L"}
    service, route = f"new-{worker}-0", {"strategy": "round-robin", "domains": [_SITE], "vps_nodes": [_A]}
    return [
        Made(
            partial(add_domain, text=domain, description=f"of {worker}"),
            {(Kind.DOMAIN, domain): {"description": f"of {worker}"}},
        ),
        Made(partial(add_vps, text=address, given=VpsFields(location="de")), {(Kind.VPS, address): vps}),
        Made(
            partial(add_node, role=Role.LAPTOP, name=node, address=laptop["ip"], label="L"),
            {(Kind.NODE, node): laptop},
        ),
        Made(
            partial(set_route, service=service, given=RouteFields((_SITE,), (_A,))),
            {(Kind.ROUTE, service): route, (Kind.SERVICE, service): {"public": True}},
        ),
    ]


def _taken(worker: int) -> list[Made]:
    """Return the removals; those of a service and of its route are writes of two documents."""
    old, hidden, bare, wide = (f"{name}-{worker}" for name in ("old", "hidden", "bare", "wide"))
    domain, address = f"old-{worker}.example", f"100.70.3.{worker}"
    return [
        Made(partial(remove_service, name=old), {(Kind.SERVICE, old): None, (Kind.ROUTE, old): None}),
        Made(partial(set_public, name=hidden, public=False), {(Kind.SERVICE, hidden): {"public": False}}),
        Made(partial(remove_route, service=bare), {(Kind.ROUTE, bare): None}),
        Made(
            partial(remove_domain, text=domain),
            {(Kind.DOMAIN, domain): None, (Kind.ROUTE, wide): {"domains": [_SITE]}},
        ),
        Made(partial(remove_vps, text=address), {(Kind.VPS, address): None, (Kind.ROUTE, wide): {"vps_nodes": [_A]}}),
        Made(partial(remove_node, name=f"gone-{worker}"), {(Kind.NODE, f"gone-{worker}"): None}),
    ]


def beginning() -> dict[str, dict[str, str]]:
    """Return the registry before all edits: by document, the texts of its keys."""
    services: dict[str, Any] = {
        f"shared-{k}": {field: before for field, before, _ in (_service_field(w, k) for w in range(WORKERS))}
        for k in SHARED
    }
    for kind in ("old", "hidden", "bare", "wide", "routed"):
        for n in range(WORKERS):
            services[f"{kind}-{n}"] = {"subdomain": f"{kind}-{n}", "ip": _BACKEND, "port": 80, "public": True, "x": n}
    routing: dict[str, Any] = {
        f"{kind}-{n}": {"domains": [_SITE], "vps_nodes": [_A], "strategy": "round-robin"}
        for kind in ("old", "hidden", "bare", "routed")
        for n in range(WORKERS)
    }
    for n in range(WORKERS):
        routing[f"wide-{n}"] = {"domains": [_SITE, f"old-{n}.example"], "vps_nodes": [_A, f"100.70.3.{n}"]}
    old = [f"old-{n}.example" for n in range(WORKERS)]
    vps_nodes = [_A, _B, *(f"100.70.{net}.{n}" for net in (1, 3) for n in range(WORKERS))]
    domains = {
        "domains": {name: {"description": ""} for name in (_SITE, "extra.example", *old)},
        "vps_nodes": [{"tailscale_ip": ip, "public_ip": None, "location": "", "provider": ""} for ip in vps_nodes],
    }
    workers = [{"name": f"node-{n}", "ip": f"100.80.0.{n}", "ssh_user": "root"} for n in range(WORKERS)]
    gone = [{"name": f"gone-{n}", "ip": f"100.82.0.{n}"} for n in range(WORKERS)]
    nodes = {"management_laptops": gone, "vps_nodes": [], "worker_nodes": workers, "metadata": {"version": "1.0"}}
    return {
        "cluster-info": {"cluster-name": "mynodeone", "cluster-domain": "mycloud"},
        "service-registry": {"services.json": _json(services)},
        "domain-registry": {"domains.json": _json(domains), "routing.json": _json(routing)},
        "sync-controller-registry": {"registry.json": _json(nodes)},
    }


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
