"""`routecast route`: the commands that write."""

import click

from cli.command import Command
from cli.edit.flow import perform
from cli.edit.options import ENDS, Editing, edit_options
from publisher.registry.routes import RouteFields, remove_route, set_route


@click.command(
    "set",
    cls=Command,
    example="""
    routecast route set immich --domain curiios.com,vinaysachdeva.com --vps 100.68.225.92,100.70.123.45
    routecast route set immich --strategy primary-backup
    routecast route set immich --domain example.com --vps contabo-vps --wait
    """,
    ends=ENDS,
)
@click.argument("service")
@click.option("--domain", "domains", multiple=True, help="A registered domain; repeatable, or several with commas.")
@click.option("--vps", "vps_nodes", multiple=True, help="A registered VPS, by address or node name; repeatable.")
@click.option("--strategy", help="round-robin or primary-backup. New: round-robin.")
@edit_options
def set_(
    editing: Editing,
    *,
    service: str,
    domains: tuple[str, ...],
    vps_nodes: tuple[str, ...],
    strategy: str | None,
) -> None:
    """Route a service, or set fields of its route.

    Only what is given changes; --domain and --vps replace the whole list. A service that is not public becomes it.
    """
    given = RouteFields(_split(domains), _split(vps_nodes), strategy)
    perform(editing, lambda draft: set_route(draft, service, given))


def _split(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the items of words that may hold several, None when there is no word."""
    if not words:
        return None
    return tuple(item for word in words for piece in word.split(",") if (item := piece.strip()))


@click.command(
    cls=Command,
    example="""
    routecast route remove immich
    routecast route remove immich --yes
    """,
    ends=ENDS,
)
@click.argument("service")
@edit_options
def remove(editing: Editing, *, service: str) -> None:
    """Take the route of a service away.

    The service stays as it is, public or not.
    """
    perform(editing, lambda draft: remove_route(draft, service), confirm=True)
