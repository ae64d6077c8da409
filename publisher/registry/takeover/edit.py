"""The edit that writes the current shape, and what it finds on its way. Pure."""

from publisher.pipeline.parse.domains import NESTED
from publisher.registry.draft import DOMAINS, NODES, ROUTING, SERVICES, Draft, Entries
from publisher.registry.lookup import registered_domains
from publisher.registry.takeover.documents import Documents, edited, readable
from publisher.registry.takeover.domains import take_domains
from publisher.registry.takeover.duplicates import take_duplicates
from publisher.registry.takeover.findings import Findings, Log
from publisher.registry.takeover.nodes import take_cluster, take_nodes
from publisher.registry.takeover.people import left_to_people
from publisher.registry.takeover.routes import Known, take_routes
from publisher.registry.takeover.services import take_services
from publisher.registry.takeover.vps import take_vps_nodes, vps_nodes_are_lost
from publisher.source.document import ROUTECAST


def take_over(draft: Draft) -> None:
    """Write the current shape of all that can be read. What is written so already stays as it is, byte by byte."""
    _take(draft, Log(ROUTECAST))


def find(documents: Documents) -> Findings:
    """Return what `take_over` does with documents, and what it leaves to people."""
    draft = Draft(documents, "")
    log = Log(draft.document(SERVICES.document).routecast)
    _take(draft, log)
    left_to_people(edited(draft), log)
    return Findings.of(log.found)


def _take(draft: Draft, log: Log) -> None:
    """Take over document after document. Routes are written before services go: none is ever without its service."""
    take_cluster(draft, log)
    root, routing, services, nodes = (readable(draft, key, log) for key in (DOMAINS, ROUTING, SERVICES, NODES))
    registered = _take_domain_registry(draft, root, routing, log)
    if routing is not None:
        take_routes(routing, Known(services, *registered), log)
        if None in registered:  # with the last route that names a VPS the reason may be gone
            registered = _take_domain_registry(draft, root, routing, log)
    if services is not None:
        take_services(services, log)
        take_duplicates(draft, routing, log, all_known=None not in registered)
    if nodes is not None:
        take_nodes(nodes, log)


def _take_domain_registry(
    draft: Draft, root: Entries | None, routing: Entries | None, log: Log
) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    """Take over domains and VPSs; return what is registered of each, None where that is not known."""
    if root is None:
        return None, None
    if vps_nodes_are_lost(draft, root, routing):
        return frozenset(registered_domains(root)), None
    take_domains(root, log)
    vps_nodes = take_vps_nodes(draft, root, log)
    return (frozenset(registered_domains(root)) if isinstance(root.get(NESTED), dict) else None), vps_nodes
