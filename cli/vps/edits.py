"""`routecast vps`: the commands that write."""

import click

from cli.command import Command
from cli.edit.flow import perform
from cli.edit.options import ENDS, Editing, edit_options
from publisher.registry.vps import VpsFields, add_vps, remove_vps


@click.command(
    cls=Command,
    example="""
    routecast vps add 100.72.200.50 --public-ip 203.0.113.100 --location asia --provider linode
    """,
    ends=ENDS,
)
@click.argument("address")
@click.option("--public-ip", help="Its public address, IPv4 or IPv6.")
@click.option("--location", help="Where it stands.")
@click.option("--provider", help="Whose it is.")
@edit_options
def add(editing: Editing, *, address: str, **fields: str | None) -> None:
    """Register a VPS, or set fields of one that is registered.

    ADDRESS is its tailnet address. Its routes are written by the node that has this address: register that too
    (`routecast node add vps NAME ADDRESS`).
    """
    perform(editing, lambda draft: add_vps(draft, address, VpsFields(**fields)))


@click.command(
    cls=Command,
    example="""
    routecast vps remove 100.72.200.50
    routecast vps remove linode-asia --yes
    """,
    ends=ENDS,
)
@click.argument("vps")
@edit_options
def remove(editing: Editing, *, vps: str) -> None:
    """Take a VPS off the registry, and off every route.

    VPS is its tailnet address, or the name of its node. A route that is served nowhere else goes with it.
    """
    perform(editing, lambda draft: remove_vps(draft, vps), confirm=True)
