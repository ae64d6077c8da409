"""The whole of it: all documents to one registry, part by part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.models import Domain, Node, Registry, Routing, Service, Vps
from common.problems import Problem
from publisher.pipeline.parse.checks import check_conflicts, check_vps_nodes
from publisher.pipeline.parse.cluster import read_cluster
from publisher.pipeline.parse.domains import read_domains
from publisher.pipeline.parse.nodes import read_nodes
from publisher.pipeline.parse.parts import Part
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.routing import Registered, keep_routing, read_routing
from publisher.pipeline.parse.services import read_services
from publisher.pipeline.parse.text import read_object
from publisher.pipeline.parse.vps import OLD_KEY, read_vps_nodes
from publisher.source.document import DOMAIN_REGISTRY, SERVICE_REGISTRY, SYNC_CONTROLLER_REGISTRY, Document


@dataclass(frozen=True, slots=True)
class Parsed:
    """A registry, what is wrong with its source, and which parts of the source could be read."""

    registry: Registry
    problems: tuple[Problem, ...]
    readable: frozenset[Part]


def parse(documents: Mapping[str, Document], previous: Registry | None) -> Parsed:
    """Return the registry that `documents` hold. Never raises, whatever they hold.

    `previous` is what was published last, None on first contact. What cannot be read keeps its form in it, be it a
    document, a key or an entry; what is absent from a readable key is removed (DESIGN 5).
    """
    reading = _Reading(documents, previous)
    registry = reading.registry()
    return Parsed(registry, tuple(reading.places.problems), frozenset(reading.readable))


class _Reading:
    """One pass over the documents: each part from its keys, or from the previous registry."""

    def __init__(self, documents: Mapping[str, Document], previous: Registry | None) -> None:
        self.places = Places(documents, first_contact=previous is None)
        self.readable: set[Part] = set()
        self._before = previous or Registry()
        self._services_place = self.places.at(SERVICE_REGISTRY, "services.json")
        self._domains_place = self.places.at(DOMAIN_REGISTRY, "domains.json")
        self._old_vps_place = self.places.at(DOMAIN_REGISTRY, OLD_KEY)
        self._routing_place = self.places.at(DOMAIN_REGISTRY, "routing.json")

    def registry(self) -> Registry:
        self.places.add_notes()
        cluster, readable = read_cluster(self.places, self._before.cluster)
        self._note(Part.CLUSTER, readable=readable)
        services = self._services()
        root = read_object(self._domains_place)
        domains, vps_nodes = self._domains(root), self._vps_nodes(root)
        registered = Registered(services, domains, frozenset(vps.tailscale_ip for vps in vps_nodes))
        registry = Registry(
            cluster=cluster,
            services=services,
            domains=domains,
            vps_nodes=vps_nodes,
            routing=self._routing(registered),
            nodes=self._nodes(),
        )
        data = self._old_vps_place.document.data
        check_vps_nodes(self._domains_place if data is None or OLD_KEY not in data else self._old_vps_place, registry)
        check_conflicts(self._services_place, self._routing_place, registry)
        return registry

    def _note(self, part: Part, *, readable: bool) -> None:
        if readable:
            self.readable.add(part)

    def _services(self) -> Mapping[str, Service]:
        entries = read_object(self._services_place)
        self._note(Part.SERVICES, readable=entries is not None)
        if entries is None:
            return self._before.services
        return read_services(self._services_place, entries, self._before.services)

    def _domains(self, root: Mapping[str, Any] | None) -> Mapping[str, Domain]:
        if root is None:
            return self._before.domains
        domains, readable = read_domains(self._domains_place, root, self._before.domains)
        self._note(Part.DOMAINS, readable=readable)
        return domains

    def _vps_nodes(self, root: Mapping[str, Any] | None) -> tuple[Vps, ...]:
        vps_nodes, readable = read_vps_nodes(self._domains_place, root, self._old_vps_place, self._before.vps_nodes)
        self._note(Part.VPS_NODES, readable=readable)
        return vps_nodes

    def _routing(self, registered: Registered) -> Mapping[str, Routing]:
        entries = read_object(self._routing_place)
        self._note(Part.ROUTING, readable=entries is not None)
        if entries is None:
            return keep_routing(self._routing_place, registered, self._before.routing)
        return read_routing(self._routing_place, entries, registered, self._before.routing)

    def _nodes(self) -> tuple[Node, ...]:
        place = self.places.at(SYNC_CONTROLLER_REGISTRY, "registry.json")
        root = read_object(place)
        if root is None:
            return self._before.nodes
        nodes, readable = read_nodes(place, root, self._before.nodes)
        self._note(Part.NODES, readable=readable)
        return nodes
