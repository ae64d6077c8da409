"""`routecast init`."""

import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cli.command import Command
from cli.console import note
from cli.edit.flow import perform
from cli.edit.options import ENDS, Editing, edit_options
from cli.extras import publisher_extra
from cli.init.options import TrustOptions, trust_options
from cli.init.trust import make_trust, next_steps
from cli.run import run
from common.models import Role
from publisher.pipeline.parse.node_names import base_name
from publisher.registry.beginning import ClusterFields, begin
from publisher.registry.draft import Draft
from publisher.registry.nodes import add_node

if TYPE_CHECKING:
    from common.settings import Settings


@click.command(
    cls=Command,
    example="""
    routecast init --domain mycloud --control-plane-ip 100.122.68.75 --worker
    routecast init --domain home.example.net --registry-dir ./registry
    """,
    ends=ENDS,
)
@click.option("--name", help="What the cluster calls itself.")
@click.option(
    "--domain", help="The zone of its names: mycloud means mycloud.local, a name with a dot is taken as it is."
)
@click.option("--control-plane-ip", help="The control plane's address in the tailnet.")
@click.option(
    "--worker/--no-worker",
    default=None,
    help="Register the control plane itself as a worker node, so that it knows the names too. Asked when not given.",
)
@click.option("--node-name", help="The worker's name. By default this machine's host name.")
@trust_options
@edit_options
def init(
    editing: Editing,
    *,
    worker: bool | None,
    node_name: str | None,
    trust: TrustOptions,
    **fields: str | None,
) -> None:
    """Make the registry and the keys: what is missing of the ConfigMaps, and who may connect to NATS.

    What is there stays: a second run changes nothing. The keys say who may connect; the control plane keeps them, the
    NATS server gets a configuration and a certificate.
    """
    given = ClusterFields(**fields)
    settings = editing.line.registry_settings(editing.registry_dir, cluster=editing.cluster)
    found = run(_look(settings))
    address = given.control_plane_ip or found.control_plane_ip
    name = node_name or _host_name()
    if worker and address is None:
        raise click.UsageError("--worker needs --control-plane-ip: names are of use only where an address is known")
    register = worker if worker is not None else _offer(name, address, found)

    def edit(draft: Draft) -> None:
        begin(draft, given, found.counts)
        if register and address is not None:
            add_node(draft, Role.WORKER, name, address, None)

    perform(editing, edit)
    if not trust.registry_only and not editing.dry_run:
        made = make_trust(settings, trust, address)
        for line in next_steps(settings, made):
            note(line)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is there already: how many entries were ever published, by part, and who the control plane is."""

    counts: dict[str, int]
    control_plane_ip: str | None
    node_addresses: frozenset[str]


async def _look(settings: "Settings") -> _Found:
    with publisher_extra():
        from publisher.pipeline.parse import parse  # noqa: PLC0415 - the publisher's side, only here
        from publisher.source.open import open_source  # noqa: PLC0415
    async with open_source(settings.publisher) as source:
        state = await source.read_state()
        registry = parse(await source.list(), None).registry
    return _Found(
        counts=state.mark.counts if state is not None else {},
        control_plane_ip=registry.cluster.control_plane_ip,
        node_addresses=frozenset(node.address for node in registry.nodes),
    )


def _offer(name: str, address: str | None, found: _Found) -> bool:
    """Ask whether this machine shall be a node too, where somebody can answer, and it is none yet."""
    if address is None or address in found.node_addresses or not sys.stdin.isatty():
        return False
    return click.confirm(f"Register this machine, {name} at {address}, as a worker node too?", default=True, err=True)


def _host_name() -> str:
    """Return this machine's host name as a node's name can be."""
    return base_name(socket.gethostname().partition(".")[0], "")
