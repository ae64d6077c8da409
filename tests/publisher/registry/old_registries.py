"""Registries as old clusters hold them, drawn at random: all shapes of the field, right and wrong entries mixed."""

from typing import Any

from hypothesis import strategies as st

from publisher.source.document import Document
from tests.publisher.pipeline.parsing import as_json, documents, texts

Entries = dict[str, Any]

_NAMES = ("a", "b", "c", "immich", "immich-server", "bad one", " x")
_DOMAINS = ("one.example", "One.example.", "two.example", " two.example", "bücher.example", "no..example")
_ADDRESSES = ("100.64.0.1", "100.64.0.2", " 100.64.0.1", "FD7A::1", "100.64.0.300", "")
_JUNK = st.sampled_from([None, "", " ", 5, True, [], {}, "x y", ["x"], {"x": 1}])
_UNKNOWN: Entries = {"mine": st.sampled_from([1, "1", [1]]), "updated": st.just("2025")}


def _seldom(strange: st.SearchStrategy[Any], usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw something strange once in twenty times."""
    return st.integers(0, 19).flatmap(lambda n: strange if n == 0 else usual)


def _of(*values: Any) -> st.SearchStrategy[Any]:
    """Draw a value of a field: the first ones more often than the later ones, seldom something that is none."""
    often = [value for i, value in enumerate(values) for _ in range(len(values) - i)]
    return _seldom(_JUNK, st.sampled_from(often))


def _entry(required: Entries, optional: Entries) -> st.SearchStrategy[Any]:
    """Draw an entry; seldom one that lacks what it needs, or one that is no object."""
    whole = st.fixed_dictionaries(required, optional={**optional, **_UNKNOWN})
    lacking = st.fixed_dictionaries({}, optional={**required, **optional})
    return _seldom(_JUNK | lacking, whole)


_SERVICE = _entry(
    {
        "subdomain": _of("photos", "chat", "Photos.", "@", "dashboard", "a..b"),
        "ip": _of("100.64.9.1", "100.64.9.2", " 100.64.9.1", "FD7A::9", "100.64.9.300"),
        "port": _of(80, "80", 8080, "080", 70000),
        "public": _of(True, "true", False, " False"),
    },
    {
        "service": _of("immich", "chat"),
        "scheme": _of("http", " HTTPS"),
        "middlewares": _of("a@file, b@file", ["a@file "], ["a@file", "b@file"]),
        "discovered": _of(True),
    },
)
_DOMAIN = _entry({}, {"description": _of("One", "Two"), "registered": _of("2025")})
_VPS_FIELDS = {
    "public_ip": _of("45.8.133.192", " 45.8.133.192", "45.8.133.300"),
    "location": _of("eu"),
    "region": _of("eu", "us"),
}
_VPS = _entry({"tailscale_ip": _of(*_ADDRESSES)}, _VPS_FIELDS)
_VPS_BY_ADDRESS = st.dictionaries(st.sampled_from(_ADDRESSES), _entry({}, _VPS_FIELDS), min_size=1, max_size=3)


def _items(*values: str) -> st.SearchStrategy[Any]:
    """Draw a list in a routing entry, or a text with commas."""
    some = st.lists(st.sampled_from([values[0]] * len(values) + [*values]), min_size=1, max_size=3)
    return _seldom(_JUNK | st.lists(_JUNK, max_size=2), some | some.map(", ".join))


_ROUTE = _entry(
    {
        "domains": _items(*_DOMAINS, "gone.example"),
        "vps_nodes": _items(*_ADDRESSES, "100.64.0.99"),
        "strategy": _of("round-robin", " Primary-Backup", "primary-backup", "geo", "fastest"),
    },
    {},
)
_NODE = _entry({"name": _of("laptop", "Vinay's MacBook"), "ip": _of("100.64.1.1", " 100.64.1.2", *_ADDRESSES)}, {})
_NODE_LISTS = {
    field: _seldom(_JUNK, st.lists(_NODE, max_size=2)) for field in ("management_laptops", "vps_nodes", "worker_nodes")
}


@st.composite
def _services(draw: st.DrawFn) -> Entries:
    """Draw services; often one is registered twice, spelled in another way, or a little different."""
    services: Entries = draw(st.dictionaries(st.sampled_from(_NAMES), _SERVICE, min_size=1, max_size=4))
    entry = services[draw(st.sampled_from(sorted(services)))]
    if isinstance(entry, dict) and draw(st.integers(0, 3)):
        changed = st.fixed_dictionaries({}, optional={"public": _of(True, "true", False), "port": _of(80, "80", 8080)})
        services[draw(st.sampled_from(_NAMES))] = {**entry, **draw(changed)}
    return services


@st.composite
def _domains_json(draw: st.DrawFn) -> Entries:
    """Draw nested, flat and mixed forms, with the VPSs in a list, by address, or not there."""
    domains = st.dictionaries(st.sampled_from(_DOMAINS), _DOMAIN, max_size=2)
    usual = {"one.example": {"description": "One"}} if draw(st.integers(0, 9)) else {}
    flat = draw(st.booleans())
    root: Entries = {**draw(domains), **(usual if flat else {})}
    if not flat or draw(st.booleans()):
        root["domains"] = draw(_seldom(_JUNK, domains.map(lambda found: found if flat else {**found, **usual})))
    vps_nodes = st.lists(_VPS, max_size=2).map(lambda found: [{"tailscale_ip": "100.64.0.1"}, *found])
    if draw(st.integers(0, 3)):
        root["vps_nodes"] = draw(_seldom(_JUNK, vps_nodes | _VPS_BY_ADDRESS))
    return root


def _text(value: st.SearchStrategy[Any]) -> st.SearchStrategy[str | None]:
    """Draw the text of a key: mostly a value, seldom something broken, or nothing."""
    broken = st.sampled_from([None, "", "null", "[]", "{", "{}", '{"a": 1, "a": 2}', '{"a.b": {}}', "\ufeff{}"])
    return _seldom(broken, value.map(as_json))


@st.composite
def old_registries(draw: st.DrawFn) -> dict[str, Document]:
    """Draw a whole registry."""
    routing = st.dictionaries(st.sampled_from((*_NAMES, "gone")), _ROUTE, min_size=1, max_size=5)
    keys = {
        "cluster-info": {"cluster-domain": st.sampled_from(["mycloud", "MyCloud\n", "", "a b", "home.example."])},
        "service-registry": {"services.json": _text(_services())},
        "domain-registry": {
            "domains.json": _text(_domains_json()),
            "routing.json": _text(routing),
            "vps-nodes.json": st.none() | _text(_VPS_BY_ADDRESS),
        },
        "sync-controller-registry": {"registry.json": _text(st.fixed_dictionaries({}, optional=_NODE_LISTS))},
    }
    content = texts()
    for name, data in keys.items():
        drawn = {key: draw(text) for key, text in data.items()}
        content[name] = {key: text for key, text in drawn.items() if text is not None}
        if draw(st.integers(0, 29)) == 0:
            content[name] = None
    return documents(content)
