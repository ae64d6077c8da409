"""`routecast service discover`."""

import asyncio
from typing import TYPE_CHECKING

import click

from cli.command import Command
from cli.edit.flow import perform
from cli.edit.options import ENDS, Editing, edit_options
from cli.extras import publisher_extra
from cli.registry import READ_LIMIT_S
from cli.run import run
from common.errors import SourceUnavailable
from publisher.registry.discovery import follow_services

if TYPE_CHECKING:
    from common.settings import Settings
    from publisher.source.cluster_service import ClusterService


@click.command(
    cls=Command,
    example="""
    routecast service discover --dry-run
    routecast service discover --prune
    """,
    ends=ENDS,
)
@click.option("--prune", is_flag=True, help="Remove entries that discovery made and whose Service is gone.")
@edit_options
def discover(editing: Editing, *, prune: bool) -> None:
    """Bring the cluster's LoadBalancer Services into the registry.

    New ones become private entries; of entries that are there, address and port follow, and nothing that a person set
    changes. `routecast publisher run --discover` does it continuously.
    """
    settings = editing.line.registry_settings(editing.registry_dir, cluster=editing.cluster)
    services = run(_list_services(settings))
    perform(editing, follow_services(services, prune=prune), confirm=prune)


async def _list_services(settings: "Settings") -> "list[ClusterService]":
    """Return the LoadBalancer Services of the cluster, wherever the registry is kept.

    Raises:
        ConfigError: there is no usable kubeconfig.
        SourceUnavailable: the API server does not answer.
        AccessDenied: listing Services is not allowed.

    """
    with publisher_extra():
        from publisher.source.cluster.services import open_services  # noqa: PLC0415 - it takes 2 s to import
    try:
        async with asyncio.timeout(READ_LIMIT_S), open_services(settings.publisher) as services:
            return await services.list_services()
    except TimeoutError as e:
        raise SourceUnavailable(f"the Services could not be listed within {READ_LIMIT_S:g} s") from e
