"""A wrong value for every field of the demo's registry, and for every key as a whole, made after the right ones.

They stand so that none hides another: of an entry that cannot be used, some fields are not even looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.features.hand.change import (
    CONTROL_PLANE,
    DOMAIN,
    DOMAINS,
    NODES,
    OLD_VPS_NODES,
    ROUTING,
    SERVICES,
    Change,
)


@dataclass(frozen=True, slots=True)
class Wrong(Change):
    """A change that is a fault: of which entry (None: of the whole key), and what is said of it."""

    entry: str | None
    said: str


WRONG: Mapping[str, list[Wrong]] = {
    "services": [
        Wrong(SERVICES, '"subdomain": "dashboard"', '"subdomain": "dash board"', "dashboard", "subdomain 'dash board'"),
        Wrong(SERVICES, '243.13"', '243.1333"', "dashboard", "ip '100.67.243.1333' is not an IPv4"),
        Wrong(SERVICES, '1333", "port": 80', '1333", "port": "eighty"', "dashboard", "port must be a number"),
        Wrong(SERVICES, '"eighty", "public": false', '"eighty", "public": "yes"', "dashboard", "public must be true"),
        Wrong(SERVICES, '"yes"', '"yes", "scheme": "ftp"', "dashboard", "scheme 'ftp'"),
        Wrong(SERVICES, '"ftp"', '"ftp", "middlewares": ["authelia"]', "dashboard", "middlewares: 'authelia'"),
        Wrong(SERVICES, '"monitoring"', "5", "graphs", "namespace must be a text"),
        Wrong(SERVICES, '"namespace": 5', '"namespace": 5, "shceme": "https"', "graphs", "the field 'shceme' is not"),
        Wrong(SERVICES, '"kube-prometheus-stack-grafana"', '["x"]', "graphs", "service must be a text"),
        Wrong(SERVICES, '"open-webui": {', '"open-webui ": {', "open-webui ", "is not a name"),
        Wrong(SERVICES, '"immich": {', '"immich": 5, "more": {', "immich", "must be an object"),
    ],
    "domains": [
        Wrong(DOMAINS, '"new.example"', '"new_.example"', "new_.example", "is not a DNS name"),
        Wrong(DOMAINS, '"Professional site"', "5", "vinaysachdeva.com", "description must be a text"),
        Wrong(DOMAINS, '"de"', "5", "100.68.225.92", "location must be a text"),
        Wrong(DOMAINS, '"hetzner"', "[]", "100.68.225.92", "provider must be a text"),
        Wrong(DOMAINS, '"167.99.1.1"', '"167.99.1"', "100.70.1", "public_ip '167.99.1'"),
        Wrong(DOMAINS, '"100.70.1.1"', '"100.70.1"', "100.70.1", "tailscale_ip '100.70.1'"),
    ],
    "old shapes": [
        Wrong(DOMAINS, '"o.example"', '"o_.example"', "o_.example", "is not a DNS name"),
        Wrong(OLD_VPS_NODES, '"region": "us"', '"region": 5', "100.1.1.1", "region must be a text"),
        Wrong(OLD_VPS_NODES, '"100.1.1.2"', '"100.1.2"', "100.1.2", "tailscale_ip '100.1.2'"),
    ],
    "routing": [
        Wrong(ROUTING, '["vinaysachdeva.com"]', '["curiios.org"]', "immich", "domains: 'curiios.org' is not"),
        Wrong(ROUTING, '["100.68.225.92", "', '["100.68.225", "', "immich", "vps_nodes: '100.68.225' is not"),
        Wrong(ROUTING, '"primary-backup", "updated": "2025-11-06T18:00', '"fastest", "updated": "2025-11-06T18:00',
              "immich", "the strategy 'fastest' is unknown"),
        Wrong(ROUTING, '"grafana": {', '"grafanna": {', "grafanna", "routes a service that is not registered"),
    ],
    "nodes": [
        Wrong(NODES, '"100.90.1.1"', '"100.90.1"', "new", "ip '100.90.1' is not an IPv4"),
        Wrong(NODES, '"Big `One`"', "5", "management_laptops, item 2", "label must be a text"),
        Wrong(NODES, '"office"', "[]", "management_laptops, item 2", "name must be a text"),
        Wrong(NODES, '"vps_nodes": [', '"vps_nodes": "all", "x": [', None, "the field vps_nodes must be a list"),
    ],
    "cluster": [Wrong(CONTROL_PLANE, "100.1.1.1", "100.1.1", None, "'100.1.1' is not an IPv4")],
    "the domain": [Wrong(DOMAIN, ": mycloud", ": my cloud", None, "'my cloud' is not a DNS name")],
    "keys that are not JSON": [
        Wrong(SERVICES, '"2025-11-01T10:00:00Z"}}', '"2025-11-01T10:00:00Z"}', None, "is not JSON"),
        Wrong(DOMAINS, '"2025-11-05T09:03:00Z", "status": "active"}]}', '"', None, "is not JSON"),
        Wrong(ROUTING, '"2025-11-06T18:01:00Z"}}', '"2025-11-06T18:01:00Z}}', None, "is not JSON"),
        Wrong(NODES, '"root@control-plane"}}', '"root@control-plane",}}', None, "is not JSON"),
    ],
    "keys that are JSON, but not for people": [
        Wrong(SERVICES, '"immich": {', '"immich": {}, "immich": {', None, "holds 'immich' twice"),
        Wrong(ROUTING, '"round-robin"', "[" * 300 + "]" * 300, None, "is nested too deep"),
    ],
    "keys that are gone": [
        Wrong(SERVICES, "  services.json:", "  service.json:", None, "the key services.json is missing"),
        Wrong(DOMAINS, "  domains.json:", "  domain.json:", None, "the key domains.json is missing"),
        Wrong(ROUTING, "  routing.json:", "  routes.json:", None, "the key routing.json is missing"),
        Wrong(NODES, "  registry.json:", "  nodes.json:", None, "the key registry.json is missing"),
        Wrong(DOMAIN, "  cluster-domain:", "  domain:", None, "the key cluster-domain is missing"),
    ],
}  # fmt: skip
