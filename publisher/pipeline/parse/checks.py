"""Problems that show only between entries: names claimed twice, VPSs that nobody writes the routes of."""

from collections.abc import Iterable

from common.models import Registry
from common.names import Conflict, TooLong, derive_names
from common.routes import derive_routes
from common.values import MAX_NAME
from publisher.pipeline.parse.new_nodes import NewNodes
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.services import ServicesRead
from publisher.source.document import SYNC_CONTROLLER_REGISTRY

_SHOWN = 60
"""How much of a name that is too long a message shows, in characters."""


def check_conflicts(services: Place, routing: Place, registry: Registry, read: ServicesRead) -> None:
    """Say which services claim a name, or a public host name, that another one owns, or that can be none."""
    names, routes = derive_names(registry), derive_routes(registry)
    _say(services, names.conflicts, names.too_long, read)
    _say(routing, routes.conflicts, routes.too_long, read)


def _say(place: Place, conflicts: Iterable[Conflict], too_long: Iterable[TooLong], read: ServicesRead) -> None:
    for claim in too_long:
        place.error(
            claim.claimed_by,
            f"would be {claim.name[:_SHOWN]!r}…, {len(claim.name)} characters: a name has at most {MAX_NAME}",
            read.mend_claim(claim.claimed_by),
        )
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
