"""Problems that show only between entries: names claimed twice, VPSs that nobody writes the routes of."""

from collections.abc import Iterable

from common.models import Registry
from common.names import Conflict, derive_names
from common.routes import derive_routes
from publisher.pipeline.parse.new_nodes import NewNodes
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.services import ServicesRead
from publisher.source.document import SYNC_CONTROLLER_REGISTRY


def check_conflicts(services: Place, routing: Place, registry: Registry, read: ServicesRead) -> None:
    """Say which services claim a name, or a public host name, that another one owns."""
    _say(services, derive_names(registry).conflicts, read)
    _say(routing, derive_routes(registry).conflicts, read)


def _say(place: Place, conflicts: Iterable[Conflict], read: ServicesRead) -> None:
    for conflict in conflicts:
        place.error(
            conflict.loser,
            f"claims {conflict.name}, which {conflict.owner!r} has with another address: the first by name wins",
            read.mend_claim(conflict.loser),
        )


def check_vps_nodes(place: Place, registry: Registry, new_nodes: NewNodes | None) -> None:
    """Say which registered VPSs have no node, with where VPSs are written as the place.

    Without `new_nodes` no command can register one.
    """
    known = {node.address for node in registry.nodes}
    for vps in registry.vps_nodes:
        if vps.tailscale_ip not in known:
            place.warning(
                vps.tailscale_ip,
                "is registered as a VPS, but no node has that address, so nobody writes its routes:"
                f" register it as a node in {SYNC_CONTROLLER_REGISTRY} too, or take it out here",
                None if new_nodes is None else new_nodes.register(vps),
            )
