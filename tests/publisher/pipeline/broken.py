"""Broken registries, each with the commands that mend its problems, in the order of the problems."""

from collections.abc import Mapping
from typing import Any

from publisher.source.document import CLUSTER_INFO, SERVICE_REGISTRY
from tests.publisher.pipeline.parsing import DOMAINS, NODES, ROUTING, SERVICES, Texts, having, texts

INIT = "init --registry-only"
BY_HAND = ""
"""The problem has no command but the one that opens the file."""

IMMICH = SERVICES["immich"]
ROUTE = ROUTING["immich"]
VPS = DOMAINS["vps_nodes"][0]


def _services(**services: Any) -> Texts:
    return having(services_json={**SERVICES, **services})


def _immich(**fields: Any) -> Texts:
    return _services(immich={**IMMICH, **fields})


def _route(**fields: Any) -> Texts:
    return having(routing_json={"immich": {**ROUTE, **fields}})


def _domains(**domains: Any) -> Texts:
    return having(domains_json={**DOMAINS, "domains": {**DOMAINS["domains"], **domains}})


def _vps_nodes(*vps_nodes: Any, old: Any = None) -> Texts:
    return having(domains_json={**DOMAINS, "vps_nodes": list(vps_nodes)}, vps_nodes_json=old)


def _laptops(*laptops: Any) -> Texts:
    return having(registry_json={**NODES, "management_laptops": list(laptops)})


def _cluster(**fields: str | None) -> Texts:
    content = texts()
    whole = {**(content[CLUSTER_INFO] or {}), **{key.replace("_", "-"): text for key, text in fields.items()}}
    return {**content, CLUSTER_INFO: {key: text for key, text in whole.items() if text is not None}}


ALL = "service add immich --subdomain a-b --ip ADDRESS --port PORT --private --scheme http"
MIDDLEWARES = "--middleware auth@PROVIDER --middleware a@file --middleware NAME@PROVIDER"
PRIVATE = {**IMMICH, "public": False}
OLD_VPS = {"100.68.225.92": {"public_ip": "45.8.133.192", "region": "eu"}}

CASES: Mapping[str, tuple[Texts, list[str]]] = {
    # services
    "a port as a text": (_immich(port="80"), ["service add immich --port 80"]),
    "a port that is none": (_services(x={**PRIVATE, "port": 0}), ["service add x --port PORT"]),
    "no port": (_immich(port=None), ["service add immich --port PORT"]),
    "true as a text": (_immich(public="true"), ["service publish immich"]),
    "false as a text": (_immich(public="False"), ["service hide immich"]),
    "public is neither": (_immich(public="yes"), ["service hide immich"] * 2),
    "two texts": (_immich(port="80", public="true"), ["service add immich --port 80 --public"] * 2),
    "all of a service": (
        _immich(subdomain="a..b", ip="x", port=0, public=5, scheme="ftp", middlewares=["auth", "a@file", "b c"]),
        [f"{ALL} {MIDDLEWARES}"] * 8,
    ),
    "no list of middlewares": (_immich(middlewares=5), ["service add immich --middleware NAME@PROVIDER"] * 2),
    "texts that are none": (_immich(namespace=5, service=[]), ["service add immich --namespace 5 --service TEXT"] * 2),
    "no address": (_immich(ip=None), ["service add immich --ip ADDRESS"]),
    "no object": (_services(x=5), ["service add x --subdomain x --ip ADDRESS"]),
    "no subdomain": (_services(x={"ip": "100.1.1.1"}), ["service add x --subdomain x"]),
    "no subdomain, and a name that is taken": (
        _services(photos={"ip": "100.1.1.1"}, x={"subdomain": "Graf ana!", "ip": "100.1.1.1"}, grafana={"ip": "x"}),
        ["service add grafana --subdomain grafana --ip ADDRESS"] * 2
        + ["service add photos --subdomain photos-2", "service add x --subdomain graf-ana"],
    ),
    "a name that is taken": (
        _services(x={**PRIVATE, "ip": "100.1.1.1"}, y={**PRIVATE, "ip": "100.1.1.2"}),
        ["service add x --subdomain x", "service add y --subdomain y"],
    ),
    "a name that would be taken": (
        _services(x={**PRIVATE, "ip": "100.1.1.1", "port": 0}, y={**PRIVATE, "ip": None}),
        ["service add x --subdomain x --port PORT", "service add y --subdomain y --ip ADDRESS"],
    ),
    "a host name that is taken": (
        having(services_json={**SERVICES, "x": {**IMMICH, "port": 81}}, routing_json={**ROUTING, "x": ROUTE}),
        ["service add x --subdomain x"],
    ),
    "a name and a host name that are taken": (
        having(services_json={**SERVICES, "x": {**IMMICH, "ip": "100.1.1.1"}}, routing_json={**ROUTING, "x": ROUTE}),
        ["service add x --subdomain x"] * 2,
    ),
    "names that a shell would read": (
        _services(**{"-x": {**PRIVATE, "port": "80"}, "--yes": 5, "o'b $x": {**PRIVATE, "port": "80"}}),
        [
            "service add --subdomain yes --ip ADDRESS -- --yes",
            "service add --port 80 -- -x",
            "service add 'o'\"'\"'b $x' --port 80",
        ],
    ),
    "names that are none": (_services(**{" x": PRIVATE, "a\nb": PRIVATE, "": PRIVATE}), [BY_HAND] * 3),
    # routes
    "an unknown strategy": (_route(strategy="fastest"), ["route set immich --strategy round-robin"]),
    "a reserved strategy": (_route(strategy="geo"), ["route set immich --strategy round-robin"]),
    "no strategy": (_route(strategy=5), ["route set immich --strategy round-robin"]),
    "a route of a private service": (
        having(services_json={"immich": PRIVATE}, routing_json={"immich": {**ROUTE, "strategy": "x"}}),
        [BY_HAND],  # `route set` would publish the service
    ),
    "a route that is no object": (having(routing_json={"immich": 5}), ["route set immich --domain DOMAIN --vps VPS"]),
    "a private service's route that is no object": (
        having(services_json={"immich": PRIVATE}, routing_json={"immich": 5}),
        ["route remove immich --yes"],
    ),
    "routes of nothing": (
        having(routing_json={**ROUTING, "gone": {**ROUTE, "domains": 5}, "-x": ROUTE, "": None}),
        ["route remove '' --yes"] * 2 + ["route remove --yes -- -x"] + ["route remove gone --yes"] * 2,
    ),
    "a broken route of a broken service": (
        having(services_json={"immich": {**IMMICH, "port": 0}}, routing_json={"immich": {**ROUTE, "domains": 5}}),
        ["service add immich --port PORT", BY_HAND, "service add immich --port PORT"],
    ),
    "an unknown domain": (_route(domains=["curiios.com", "example.net"]), ["domain add example.net"]),
    "domains that are none": (
        _route(domains=["curiios.com", "a b", None]),
        ["route set immich --domain curiios.com"] * 2,
    ),
    "an unknown domain beside one that is none": (
        _route(domains=["a b", "example.net"]),
        [BY_HAND, "domain add example.net"],
    ),
    "no domain": (_route(domains="a b"), ["route set immich --domain DOMAIN"]),
    "domains that are no list": (_route(domains=5), ["route set immich --domain DOMAIN"]),
    "an unknown VPS": (_route(vps_nodes=["100.68.225.92", "100.99.99.99"]), ["vps add 100.99.99.99"]),
    "a VPS that is none": (_route(vps_nodes=["100.68.225.92", "x"]), ["route set immich --vps 100.68.225.92"]),
    "VPSs that are no list": (_route(vps_nodes={}), ["route set immich --vps VPS"]),
    "a route to no VPS": (having(domains_json={**DOMAINS, "vps_nodes": []}, routing_json={"immich": 5}),
                          ["route remove immich --yes"]),
    # domains
    "a domain that is no object": (_domains(**{"x.org": 5}), ["domain add x.org"]),
    "a domain that is no name": (_domains(**{"a b": {}}), [BY_HAND]),
    "a domain without a dot": (_domains(local=5), [BY_HAND]),
    "a description that is none": (_domains(**{"x.org": {"description": 5}, "y.org": {"description": []}}),
                                   ["domain add x.org --description 5", "domain add y.org --description TEXT"]),
    "a domain that is written twice": (
        having(domains_json={**DOMAINS, "CURIIOS.com": {"description": 5}}),
        ["domain add curiios.com --description 5"] * 2,
    ),
    "domains that are no object": (having(domains_json={**DOMAINS, "domains": [], "x.org": 5}, routing_json={}),
                                   [BY_HAND, BY_HAND]),
    # VPSs
    "all of a VPS": (
        _vps_nodes({**VPS, "public_ip": "45.8.133", "location": 5, "provider": []}),
        ["vps add 100.68.225.92 --public-ip ADDRESS"] * 2,
    ),
    "texts of a VPS": (_vps_nodes({**VPS, "location": 5, "provider": []}),
                       ["vps add 100.68.225.92 --location 5 --provider TEXT"] * 2),
    "a VPS without an address": (_vps_nodes(VPS, {"tailscale_ip": "x"}, {}, 5), [BY_HAND] * 3),
    "a VPS in the old key": (
        _vps_nodes(old={"100.68.225.92": {"public_ip": "x", "region": 7}}),
        ["vps add 100.68.225.92 --public-ip ADDRESS"] * 2,
    ),
    "a VPS in the old key that is no object": (_vps_nodes(old={"100.68.225.92": 5}), ["vps add 100.68.225.92"] * 2),
    "a VPS in both places": (having(vps_nodes_json={"100.68.225.92": {}}), ["vps add 100.68.225.92"]),
    "a VPS that is broken in one of both places": (
        _vps_nodes({"tailscale_ip": "100.68.225.92"}, old={"100.68.225.92": {"public_ip": "x", "region": 5}}),
        ["vps add 100.68.225.92 --public-ip ADDRESS"],
    ),
    "a VPS twice in one place": (_vps_nodes(VPS, {**VPS, "location": "us"}), [BY_HAND]),
    "VPSs by address": (having(domains_json={**DOMAINS, "vps_nodes": {"100.68.225.92": {"public_ip": "x"}}}),
                        ["vps add 100.68.225.92 --public-ip ADDRESS"] * 2),
    "VPSs by address that commands do not edit": (
        having(domains_json={**DOMAINS, "vps_nodes": {"100.68.225.92": {"public_ip": "x"}, "100.1.1.1": 5}}),
        [BY_HAND] * 3,
    ),
    "VPSs that are neither": (having(domains_json={**DOMAINS, "vps_nodes": "x"}), [BY_HAND] * 2),
    "an old key that is a list": (_vps_nodes(old=[{**VPS, "public_ip": "x"}]), [BY_HAND] * 2),
    "an old key with nothing in it": (having(vps_nodes_json=""), [BY_HAND]),
    "an old key that is no JSON": (having(vps_nodes_json="{"), [BY_HAND]),
    "nothing that says what VPSs there are": (having(domains_json={"curiios.com": {}}, routing_json={}),
                                              ["vps add ADDRESS"]),
    # nodes
    "VPSs without a node": (
        having(
            domains_json={
                **DOMAINS,
                "vps_nodes": [
                    VPS,
                    {"tailscale_ip": "100.1.1.1", "provider": "Linode"},
                    {"tailscale_ip": "100.1.1.2", "provider": "Linode"},
                    {"tailscale_ip": "100.1.1.3"},
                    {"tailscale_ip": "fd7a::1", "provider": "日本"},
                ],
            },
            registry_json={"management_laptops": [{"name": "vps-100-1-1-2", "ip": "100.9.9.9"}]},
        ),
        [
            "node add vps linode 100.1.1.1",
            "node add vps vps-100-1-1-2-2 100.1.1.2",
            "node add vps vps-100-1-1-3 100.1.1.3",
            "node add vps vps-eu 100.68.225.92",
            "node add vps vps-fd7a-1 fd7a::1",
        ],
    ),
    "no nodes at all": (having(registry_json=None), [INIT, f"{INIT} && node add vps vps-eu 100.68.225.92"]),
    "nodes that are no list": (having(registry_json={"vps_nodes": 5}), [BY_HAND] * 2),
    "nodes that are no JSON": (having(registry_json="{"), [BY_HAND] * 2),
    "a node without an address": (
        _laptops({"name": "laptop", "ip": "x"}, {"name": "Vinay's Mac"}, {"ip": "y"}, 5),
        ["node add laptop laptop ADDRESS", "node add laptop vinay-s-mac ADDRESS", BY_HAND, BY_HAND],
    ),
    "a node without an address beside its namesake": (
        _laptops({"name": "mac", "ip": "x"}, {"name": "mac", "ip": "100.1.1.1"}),
        [BY_HAND],
    ),
    "labels that are none": (
        _laptops({"name": "Mac Book", "label": 5, "ip": "100.1.1.1"}, {"name": 5, "label": [], "ip": "100.1.1.2"}),
        ["node label mac-book 5", BY_HAND, "node label node-100-1-1-2 TEXT"],
    ),
    "a node that is written twice": (
        _laptops(*NODES["management_laptops"] * 2),
        ["node add laptop laptop 100.86.112.112"],
    ),
    "two nodes of one address": (
        _laptops({"name": "other", "ip": "100.68.225.92"}),
        ["node add vps vps-1 ADDRESS"],
    ),
    "two nodes of one address, without names": (
        _laptops({"ip": "fd7a::1"}, {"name": "x", "ip": "fd7a::1"}, {"ip": "fd7a::1"}),
        [BY_HAND, "node add laptop x ADDRESS"],
    ),
    # the cluster, and what is missing
    "no domain of the cluster": (_cluster(cluster_domain=None), [f"{INIT} --domain mycloud"] * 2),
    "a domain of the cluster that is none": (_cluster(cluster_domain="a b"), [f"{INIT} --domain mycloud"]),
    "a control plane without an address": (_cluster(control_plane_ip="x"), [f"{INIT} --control-plane-ip ADDRESS"]),
    "nothing right in the cluster": (_cluster(cluster_domain="\ufeff", control_plane_ip="x"),
                                     [f"{INIT} --domain mycloud --control-plane-ip ADDRESS"] * 2),
    "nothing there": (dict.fromkeys(texts()), [f"{INIT} --domain mycloud"] * 6),
    "no cluster": ({**texts(), CLUSTER_INFO: None}, [f"{INIT} --domain mycloud"] * 2),
    "no services": ({**texts(), SERVICE_REGISTRY: None}, [INIT, BY_HAND]),
    "no routes": (having(routing_json=None), [INIT]),
    "services with nothing in them": (having(services_json="\ufeff ", routing_json={}), [INIT]),
    "services that are no JSON": (having(services_json="{", routing_json={}), [BY_HAND]),
    "no routing beside services that are no JSON": (having(services_json="[]", routing_json=None), [BY_HAND, INIT]),
}  # fmt: skip
