"""A right value for every field of the demo's registry. Some go on from what those before them left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from common.models import Registry, Strategy
from tests.features.hand.change import (
    CLUSTER_NAME,
    CONTROL_PLANE,
    DOMAIN,
    DOMAINS,
    NODES,
    OLD_VPS_NODES,
    ROUTING,
    SERVICES,
    Change,
)
from tests.features.hand.disks import Disks


@dataclass(frozen=True, slots=True)
class Right(Change):
    """A change that is right, and how it shows on the nodes' disks."""

    shows: Callable[[Disks], bool]


def _known(look: Callable[[Registry], bool]) -> Callable[[Disks], bool]:
    """Return how a field shows that no file is made of: in the registry that a node keeps."""
    return lambda disks: look(disks.registry())


def _named(name: str, address: str) -> Callable[[Disks], bool]:
    return lambda disks: disks.laptop.names().get(name) == address


def _backend(host: str, url: str) -> Callable[[Disks], bool]:
    return lambda disks: disks.backends().get(host) == url


def _serves(*hosts: str) -> Callable[[Disks], bool]:
    return lambda disks: disks.vps.served() == {*hosts}


_PICTURES, _SITE = "pictures.mycloud.local", "pictures.curiios.com"

RIGHT: Mapping[str, list[Right]] = {
    "services": [
        Right(SERVICES, '"photos"', '"pictures"', _named(_PICTURES, "100.67.243.10")),
        Right(SERVICES, '243.10"', '243.9"', _named(_PICTURES, "100.67.243.9")),
        Right(SERVICES, '243.9", "port": 80', '243.9", "port": 8080', _backend(_SITE, "http://100.67.243.9:8080")),
        Right(SERVICES, ": 8080", ': 8080, "scheme": "https"', _backend(_SITE, "https://100.67.243.9:8080")),
        Right(SERVICES, ": 8080", ': 8080, "middlewares": ["a@file"]', lambda d: d.middlewares(_SITE) == ["a@file"]),
        Right(SERVICES, '"immich",', '"photos",', _known(lambda found: found.services["immich"].namespace == "photos")),
        Right(SERVICES, '"immich-server"', '"web"', _known(lambda found: found.services["immich"].service == "web")),
        Right(SERVICES, '11", "port": 80, "public": true', '11", "port": 80, "public": false',
              _serves(_SITE, "pictures.vinaysachdeva.com")),
        Right(SERVICES, '"grafana": {', '"graphs": {', _known(lambda found: "graphs" in found.services)),
    ],
    "domains": [
        Right(DOMAINS, '"domains": {', '"domains": {"new.example": {}, ', _known(lambda f: "new.example" in f.domains)),
        Right(DOMAINS, '"Personal site"', '"My"', _known(lambda f: f.domains["curiios.com"].description == "My")),
        Right(DOMAINS, "45.8.133.192", "45.8.1.1", _known(lambda found: found.vps_nodes[0].public_ip == "45.8.1.1")),
        Right(DOMAINS, '"eu"', '"de"', _known(lambda found: found.vps_nodes[0].location == "de")),
        Right(DOMAINS, '"contabo"', '"hetzner"', _known(lambda found: found.vps_nodes[0].provider == "hetzner")),
        Right(DOMAINS, '"tailscale_ip": "100.70.123.45"', '"tailscale_ip": "100.70.1.1"',
              _known(lambda found: "100.70.1.1" in {vps.tailscale_ip for vps in found.vps_nodes})),
    ],
    "old shapes": [
        Right(DOMAINS, '{"domains": {', '{"o.example": {}, "domains": {', _known(lambda f: "o.example" in f.domains)),
        Right(OLD_VPS_NODES, "  routing.json:",
              """  vps-nodes.json: '{"100.1.1.1": {}, "100.1.1.2": {}}'\n  routing.json:""",
              _known(lambda found: {"100.1.1.1", "100.1.1.2"} < {vps.tailscale_ip for vps in found.vps_nodes})),
        Right(OLD_VPS_NODES, '"100.1.1.1": {}', '"100.1.1.1": {"region": "us"}',
              _known(lambda found: ("100.1.1.1", "us") in {(v.tailscale_ip, v.location) for v in found.vps_nodes})),
    ],
    "routing": [
        Right(ROUTING, '"immich": {"domains": ["curiios.com", ', '"immich": {"domains": [',
              _serves("photos.vinaysachdeva.com", "chat.curiios.com", "chat.vinaysachdeva.com")),
        Right(ROUTING, '"100.68.225.92", "100.70.123.45"], "strategy": "p', '"100.70.123.45"], "strategy": "p',
              _serves("photos.vinaysachdeva.com")),
        Right(ROUTING, '"round-robin"', '"primary-backup"',
              _known(lambda found: found.routing["immich"].strategy is Strategy.PRIMARY_BACKUP)),
        Right(ROUTING, '"open-webui": {', '"grafana": {', _known(lambda found: "grafana" in found.routing)),
    ],
    "nodes": [
        Right(NODES, '"100.87.123.45"', '"100.87.1.1"', _known(lambda f: "100.87.1.1" in {n.address for n in f.nodes})),
        Right(NODES, '"work-laptop"', '"office"', _known(lambda found: found.node("office") is not None)),
        Right(NODES, '"office",', '"office", "label": "Big `One`",',
              _known(lambda found: "Big `One`" in {node.label for node in found.nodes})),
        Right(NODES, '"worker_nodes": []', '"worker_nodes": [{"ip": "100.90.1.1", "name": "new"}]',
              _known(lambda found: found.node("new") is not None)),
    ],
    "cluster": [
        Right(CLUSTER_NAME, ": mynodeone", ": Home", _known(lambda found: found.cluster.name == "Home")),
        Right(DOMAIN, ": mycloud", ": other", _named("photos.other.local", "100.67.243.10")),
        Right(CONTROL_PLANE, "100.122.68.75", "100.1.1.1", _known(lambda f: f.cluster.control_plane_ip == "100.1.1.1")),
    ],
}  # fmt: skip
