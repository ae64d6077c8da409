"""`routecast vps`: the group."""

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "add": Lazy("cli.vps.edits:add", "Register a VPS, or set fields of one that is registered."),
    "list": Lazy("cli.vps.look:list_vps_nodes", "List the VPSs."),
    "remove": Lazy("cli.vps.edits:remove", "Take a VPS off the registry, and off every route."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast vps add 100.72.200.50 --public-ip 203.0.113.100 --location asia --provider linode
    routecast vps list
    """,
)
def vps() -> None:
    """Edit the VPSs that can serve public routes."""
