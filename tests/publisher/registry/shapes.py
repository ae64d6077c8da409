"""Hypothesis' way to make registries in every shape that the field has, broken ones included, and edits of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st

from common.models import Role
from publisher.registry.difference import Kind
from publisher.registry.domains import add_domain, remove_domain
from publisher.registry.nodes import add_node, label_node, remove_node
from publisher.registry.plan import Edit
from publisher.registry.routes import RouteFields, remove_route, set_route
from publisher.registry.services import ServiceFields, add_service, remove_service, set_public
from publisher.registry.vps import VpsFields, add_vps, remove_vps
from publisher.source.document import Document
from tests.publisher.pipeline.parsing import as_json, documents, texts

NAMES = [*["immich"] * 4, "aaa", "a.b", "bad one", "x\ny", "`"]
DOMAINS = [*["curiios.com"] * 4, "b.example", " Curiios.COM", "bücher.example", "a b.com", "nodot"]
ADDRESSES = [*["100.1.1.1"] * 4, "100.1.1.2", " 100.1.1.2", "fd7a::1", "FD7A:0::1", "100.1.1.300", ""]
NODE_NAMES = [*["mac"] * 3, "Mac!", "vps-1", "mac-100-1-1-2", "m" * 50, ""]

_APP = {"subdomain": "photos", "ip": "100.67.1.1", "port": 80, "public": True, "x": None}
_APPS = {"immich": _APP, "other": {**_APP, "subdomain": "media", "ip": "100.67.1.2", "public": False}}
_ROUTES = {
    "immich": {"domains": ["curiios.com", "b.example"], "vps_nodes": ["100.1.1.1"], "x": None},
    "gone": {"domains": ["b.example"], "vps_nodes": ["100.1.1.2", "100.1.1.1"]},
}
_NESTED = {"domains": {"curiios.com": {"description": "x", "x": None}, "c.example": {}}}
_FLAT = {"b.example": {"description": "x", "y": 5}}
_LISTED = {"vps_nodes": [{"tailscale_ip": "100.1.1.1", "location": "eu", "x": None}, {"tailscale_ip": "100.1.1.9"}]}
_OLD = {"100.1.1.2": {"region": "eu", "x": None}}
_NODES = {
    "management_laptops": [{"ip": "100.2.2.1", "name": "mac", "x": 1}, {"ip": "100.2.2.2", "name": "Mac", "y": 2}],
    "vps_nodes": [{"ip": "100.1.1.1", "name": "vps-1", "label": "First"}],
}

unknown: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["x-owner", "y", "", "update"]),
    st.sampled_from([None, 0, 1.5, "ß\u2028`\n", [], {"a": [True, "x"]}]),
    max_size=2,
)


def _entry(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries({}, optional={name: _some(*values) for name, values in fields.items()})
    return st.builds(lambda one, other: {**other, **one}, known, unknown)


def _some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def _dictionary(keys: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(keys), values, max_size=4)


odd = _some(None, 5, "x", [], True)
services = _dictionary(
    NAMES,
    odd
    | _entry(
        subdomain=["photos", "Photos.", "media", "", "@", "a..b", 5],
        ip=[*ADDRESSES, None],
        port=[80, 81, "80", 0, 80.0, None],
        public=[True, False, "true", "x", 1, None],
        scheme=["http", "HTTPS", "ftp"],
        middlewares=[[], ["a@file"], "a@file, b@file", ["x"], None],
        updated=["2025-11-06T18:29:58Z"],
    ),
)
site = odd | _entry(description=["Site", 'a "b"', "", None, 5], registered=["2025-10-30T09:00:00Z"])
vps = _entry(public_ip=[*ADDRESSES, None], location=["eu", "", None], region=["us"], provider=["contabo", 5])
listed_vps = st.lists(odd | _entry(tailscale_ip=[*ADDRESSES, None], public_ip=ADDRESSES, region=["us"]), max_size=3)
lists = st.lists(_some(*DOMAINS, *ADDRESSES, "a, b", None, 5), max_size=3) | _some("b.example, curiios.com", 5, None)
routing = _dictionary(
    [*NAMES, "gone"],
    odd
    | st.builds(
        lambda entry, names, nodes: {**entry, "domains": names, "vps_nodes": nodes},
        _entry(strategy=["round-robin", "primary-backup", "geo", "fastest", 5, None]),
        lists,
        lists,
    ),
)
machines = st.lists(odd | _entry(ip=[*ADDRESSES, None, 5], name=NODE_NAMES, label=["L", "", 5, None]), max_size=4)


@st.composite
def roots(draw: st.DrawFn) -> dict[str, Any]:
    """Make the object of ``domains.json``: nested, flat or mixed."""
    root = draw(_dictionary(DOMAINS, site)) if draw(st.booleans()) else {}
    if draw(st.booleans()):
        root["domains"] = draw(_dictionary(DOMAINS, site) | odd)
    if draw(st.booleans()):
        root["vps_nodes"] = draw(listed_vps | _dictionary(ADDRESSES, vps | odd) | odd)
    return root


@st.composite
def registries(draw: st.DrawFn) -> dict[str, Document]:
    """Make the documents of a registry, most on what is right; now and then a key is blank, broken or missing."""
    nodes = dict.fromkeys(("management_laptops", "vps_nodes", "worker_nodes", "metadata"), machines | odd)
    made: dict[str, Any] = {
        "services.json": {**draw(_some(_APPS, {})), **draw(services)},
        "domains.json": {
            **draw(_some({}, _NESTED)),
            **draw(_some({}, _FLAT)),
            **draw(_some({}, _LISTED)),
            **draw(roots()),
        },
        "vps-nodes.json": draw(_some(None, _OLD) | _dictionary(ADDRESSES, vps | odd)),
        "routing.json": {**draw(_some(_ROUTES, {})), **draw(routing)},
        "registry.json": {**draw(_some(_NODES, {})), **draw(st.fixed_dictionaries({}, optional=nodes))},
    }
    content = texts()
    for name, keys in {
        "service-registry": ["services.json"],
        "domain-registry": ["domains.json", "vps-nodes.json", "routing.json"],
        "sync-controller-registry": ["registry.json"],
    }.items():
        content[name] = {key: as_json(made[key]) for key in keys if made[key] is not None} | {"other": "kept"}
    broken = draw(st.none() | st.sampled_from(sorted(made)))
    if broken is not None and draw(st.booleans()):
        for data in content.values():
            if data is not None and broken in data:
                data[broken] = draw(st.sampled_from(["", "{", "null", "[]", '"x"']))
    return documents(content)


@dataclass(frozen=True, slots=True)
class Made:
    """An edit, and what it may touch."""

    what: str
    edit: Edit
    may_touch: Mapping[Kind, str | None]
    """By kind, the name of the only entry that it may change; None: any."""

    def __repr__(self) -> str:
        return self.what


def _made(what: str, edit: Any, kinds: Mapping[Kind, str | None], **fields: Any) -> Made:
    return Made(f"{what} {fields}", partial(edit, **fields), kinds)


names, domains, addresses = map(st.sampled_from, (NAMES, DOMAINS, ADDRESSES))
words = _some(None, "x", "a\nb ", "")
given_services = st.builds(
    ServiceFields,
    subdomain=_some(*[None] * 4, "photos", "photos", "Media.", "@", "a..b"),
    ip=st.none() | addresses,
    port=_some(*[None] * 4, 80, 81, 82, 0),
    public=_some(None, True, False),
    namespace=_some(*[None] * 4, "media", "", "a\nb"),
    scheme=_some(*[None] * 4, "http", "https", "ftp"),
    middlewares=_some(*[None] * 4, (), ("a@file",), ("x",)),
)
given_routes = st.builds(
    RouteFields,
    domains=_some(None, *[("curiios.com",)] * 4, ()) | st.lists(domains, max_size=2).map(tuple),
    vps_nodes=_some(None, *[("100.1.1.1",)] * 4, ("vps-1",)) | st.lists(addresses, max_size=2).map(tuple),
    strategy=_some(None, None, "round-robin", "primary-backup", "geo"),
)
given_vps = st.builds(VpsFields, public_ip=st.none() | addresses, location=words, provider=words)
node_names = st.sampled_from(NODE_NAMES) | _some("mac", "mac-100-2-2-2", "vps-1", "new")
node_addresses = addresses | _some("100.2.2.1", "100.2.2.9", "100.3.3.3")
EVERY: dict[Kind, str | None] = {Kind.ROUTE: None}

edits: st.SearchStrategy[Made] = st.one_of(
    st.builds(lambda n, g: _made("add", add_service, {Kind.SERVICE: n}, name=n, given=g), names, given_services),
    st.builds(lambda n, p: _made("public", set_public, {Kind.SERVICE: n}, name=n, public=p), names, st.booleans()),
    st.builds(lambda n: _made("remove", remove_service, {Kind.SERVICE: n, Kind.ROUTE: n}, name=n), names),
    st.builds(lambda t, d: _made("add", add_domain, {Kind.DOMAIN: None}, text=t, description=d), domains, words),
    st.builds(lambda t: _made("remove", remove_domain, {Kind.DOMAIN: None, **EVERY}, text=t), domains),
    st.builds(lambda t, g: _made("add", add_vps, {Kind.VPS: None}, text=t, given=g), addresses, given_vps),
    st.builds(lambda t: _made("remove", remove_vps, {Kind.VPS: None, **EVERY}, text=t), addresses | _some("vps-1")),
    st.builds(
        lambda n, g: _made("route", set_route, {Kind.SERVICE: n, Kind.ROUTE: n}, service=n, given=g),
        names,
        given_routes,
    ),
    st.builds(lambda n: _made("remove", remove_route, {Kind.ROUTE: n}, service=n), st.sampled_from([*NAMES, "gone"])),
    st.builds(
        lambda r, n, a, w: _made("add", add_node, {Kind.NODE: None}, role=r, name=n, address=a, label=w),
        st.sampled_from(Role),
        node_names,
        node_addresses,
        words,
    ),
    st.builds(lambda n, w: _made("label", label_node, {Kind.NODE: n}, name=n, label=w or "L"), node_names, words),
    st.builds(lambda n: _made("remove", remove_node, {Kind.NODE: None}, name=n), node_names),
)
