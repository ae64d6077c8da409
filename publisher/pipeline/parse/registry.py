"""The whole of it: all documents to one registry, part by part."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.models import Domain, Node, Registry, Routing, Vps
from common.problems import Problem
from publisher.pipeline.parse.checks import check_conflicts, check_vps_nodes
from publisher.pipeline.parse.cluster import read_cluster
from publisher.pipeline.parse.domains import read_domains
from publisher.pipeline.parse.init import init_command
from publisher.pipeline.parse.mend import Command
from publisher.pipeline.parse.new_nodes import NewNodes
from publisher.pipeline.parse.nodes import read_nodes
from publisher.pipeline.parse.parts import Part
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.registered import Registered
from publisher.pipeline.parse.routing import keep_routing, read_routing
from publisher.pipeline.parse.services import ServicesRead, read_services
from publisher.pipeline.parse.text import is_missing, read_object
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
        init = init_command(documents, previous)
        self.places = Places(documents, first_contact=previous is None, init=init)
        self.readable: set[Part] = set()
        self._editable: set[Part] = set()
        """What commands can edit."""
        self._new_nodes: NewNodes | None = None
        self._before = previous or Registry()
        self._services_place = self.places.at(SERVICE_REGISTRY, "services.json")
        self._domains_place = self.places.at(DOMAIN_REGISTRY, "domains.json")
        self._old_vps_place = replace(self.places.at(DOMAIN_REGISTRY, OLD_KEY), init=None)
        self._routing_place = self.places.at(DOMAIN_REGISTRY, "routing.json")

    def registry(self) -> Registry:
        self.places.add_notes()
        cluster, readable = read_cluster(self.places, self._before.cluster)
        self._note(Part.CLUSTER, readable=readable)
        read = self._services()
        root = read_object(self._domains_place)
        domains, (vps_nodes, vps_mends) = self._domains(root), self._vps_nodes(root)
        addresses = frozenset(vps.tailscale_ip for vps in vps_nodes)
        registered = Registered(read.services, domains, addresses, read.mends, vps_mends, self._editable)
        registry = Registry(
            cluster=cluster,
            services=read.services,
            domains=domains,
            vps_nodes=vps_nodes,
            routing=self._routing(registered),
            nodes=self._nodes(),
        )
        data = self._old_vps_place.document.data
        vps_place = self._domains_place if data is None or OLD_KEY not in data else self._old_vps_place
        check_vps_nodes(vps_place, registry, self._new_nodes)
        check_conflicts(self._services_place, self._routing_place, registry, read)
        return registry

    def _note(self, part: Part, *, readable: bool, editable: bool | None = None) -> None:
        """Note how a part stands; one that can be read can be edited, unless something else is said."""
        if readable:
            self.readable.add(part)
        if readable if editable is None else editable:
            self._editable.add(part)

    def _services(self) -> ServicesRead:
        entries = read_object(self._services_place)
        self._note(Part.SERVICES, readable=entries is not None)
        if entries is None:
            return ServicesRead(self._before.services)
        return read_services(self._services_place, entries, self._before.services)

    def _domains(self, root: Mapping[str, Any] | None) -> Mapping[str, Domain]:
        if root is None:
            return self._before.domains
        domains, readable = read_domains(self._domains_place, root, self._before.domains)
        self._note(Part.DOMAINS, readable=readable)
        return domains

    def _vps_nodes(self, root: Mapping[str, Any] | None) -> tuple[tuple[Vps, ...], Mapping[str, Command]]:
        """Return the VPSs, and what mends those that are written."""
        read = read_vps_nodes(self._domains_place, root, self._old_vps_place, self._before.vps_nodes)
        self._note(Part.VPS_NODES, readable=read.readable, editable=read.editable)
        return read.vps_nodes, read.mends

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
            if place.init is not None and is_missing(place.document, place.key):
                self._new_nodes = NewNodes((), after=place.init)
            return self._before.nodes
        read = read_nodes(place, root, self._before.nodes)
        self._note(Part.NODES, readable=read.readable)
        if read.readable:
            self._new_nodes = NewNodes(read.asked | {node.name for node in read.nodes})
        return read.nodes
