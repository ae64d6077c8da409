"""Problems that show only between entries: names claimed twice, VPSs that nobody writes the routes of."""

from collections.abc import Iterable

from common.models import Registry
from common.names import Conflict, derive_names
from common.routes import derive_routes
from publisher.pipeline.parse.place import Place
from publisher.source.document import SYNC_CONTROLLER_REGISTRY


def check_conflicts(services: Place, routing: Place, registry: Registry) -> None:
    """Say which services claim a name, or a public host name, that another one owns."""
    _say(services, derive_names(registry).conflicts)
    _say(routing, derive_routes(registry).conflicts)


def _say(place: Place, conflicts: Iterable[Conflict]) -> None:
    for conflict in conflicts:
        place.error(
            conflict.loser,
            f"claims {conflict.name}, which {conflict.owner!r} has with another address: the first by name wins",
        )


def check_vps_nodes(place: Place, registry: Registry) -> None:
    """Say which registered VPSs have no node, with where VPSs are written as the place."""
    known = {node.address for node in registry.nodes}
    for vps in registry.vps_nodes:
        if vps.tailscale_ip not in known:
            place.warning(
                vps.tailscale_ip,
                "is registered as a VPS, but no node has that address, so nobody writes its routes:"
                f" register it as a node in {SYNC_CONTROLLER_REGISTRY} too, or take it out here",
            )
