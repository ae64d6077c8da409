"""`routecast render`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import exits
from cli.command import CLUSTER_AWAY, Command
from cli.console import note
from cli.lazy import Lazy, LazyGroup
from cli.line import CommandLine
from cli.registry import read_registry, registry_options
from cli.show.drawing import tally
from cli.values import address
from common.errors import NothingToShow
from common.models import Registry, Role
from common.names import derive_names
from common.routes import derive_routes

if TYPE_CHECKING:
    from common.settings import Settings

COMMANDS = {
    "hosts": Lazy("cli.render:hosts", "Print the block that a laptop writes into its hosts file."),
    "vps": Lazy("cli.render:vps", "Print the routes file that the VPS at an address writes for Traefik."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast render hosts
    routecast render vps 100.68.225.92 --registry-dir ./registry
    """,
)
def render() -> None:
    """Print what a node would write.

    Made by the very code of the node, from the registry in its source: what was changed there and not published yet
    is in it.
    """


@click.command(
    cls=Command,
    example="""
    routecast render hosts
    routecast render hosts --registry-dir ./registry
    """,
    ends={
        exits.OK: "printed",
        exits.NOT_SO: "there is no name, or the services cannot be read",
        **CLUSTER_AWAY,
    },
)
@registry_options
@click.pass_obj
def hosts(line: CommandLine, *, registry_dir: Path | None, cluster: bool) -> None:
    """Print the block that a laptop writes into its hosts file.

    A problem in the registry is counted on standard error; `routecast problems` lists them.
    """
    from subscriber.targets.hosts_block import Parts  # noqa: PLC0415 - the node's side, only here
    from subscriber.targets.hosts_lines import entry_lines  # noqa: PLC0415

    registry = _read(line.registry_settings(registry_dir, cluster=cluster))
    records = derive_names(registry).records
    if not records:
        raise NothingToShow("no name follows from this registry, so no block is written; see `routecast show`")
    click.echo(Parts(b"").render(entry_lines(records)), nl=False)


@click.command(
    cls=Command,
    example="""
    routecast render vps 100.68.225.92
    routecast render vps 100.68.225.92 --registry-dir ./registry | jq -r '.http.routers[].rule'
    """,
    ends={
        exits.OK: "printed",
        exits.NOT_SO: "that VPS has no route, or the services cannot be read",
        **CLUSTER_AWAY,
    },
)
@click.argument("ip", type=address)
@registry_options
@click.pass_obj
def vps(line: CommandLine, *, ip: str, registry_dir: Path | None, cluster: bool) -> None:
    """Print the routes file that the VPS at an address writes for Traefik.

    IP is its tailnet address. Entry points, certificate resolver and prefix are those of the settings here, section
    traefik; a VPS takes its own.
    """
    from subscriber.targets.traefik_config import build_entries, encode  # noqa: PLC0415 - the node's side, only here

    settings = line.registry_settings(registry_dir, cluster=cluster)
    registry = _read(settings)
    content = encode(build_entries(derive_routes(registry).on(ip), settings.traefik))
    if content is None:
        known = ", ".join(vps.tailscale_ip for vps in registry.vps_nodes) or "none"
        raise NothingToShow(f"no route is served at {ip}, so no file is written there; registered VPSs: {known}")
    if not any(node.role is Role.VPS and node.address == ip for node in registry.nodes):
        note(f"note: no node is registered at {ip}, so nobody writes this")
    click.echo(content, nl=False)


def _read(settings: "Settings") -> Registry:
    """Return the registry; the number of its problems goes to standard error.

    Raises:
        NothingToShow: the services cannot be read: unreadable is never empty.

    """
    reading = read_registry(settings)
    if "services" in reading.unreadable:
        raise NothingToShow("the services cannot be read, so nothing would be published; see `routecast problems`")
    if reading.problems:
        note(f"note: {tally(reading.problems)} in the registry; see `routecast problems`")
    return reading.registry
