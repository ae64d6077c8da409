"""`routecast route`: the group."""

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "set": Lazy("cli.route.edits:set_", "Route a service, or set fields of its route."),
    "list": Lazy("cli.route.look:list_routes", "List the routes, and the VPS on which each host name is placed."),
    "remove": Lazy("cli.route.edits:remove", "Take the route of a service away."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast route set immich --domain example.com --vps 100.68.225.92
    routecast route list
    """,
)
def route() -> None:
    """Edit which services are routed, under which domains, on which VPSs."""
