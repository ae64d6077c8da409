"""`routecast service`: the group."""

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "add": Lazy("cli.service.edits:add", "Register a service, or set fields of one that is registered."),
    "show": Lazy("cli.service.look:show", "Show one service: its fields, names, routes and problems."),
    "list": Lazy("cli.service.look:list_services", "List the services."),
    "publish": Lazy("cli.service.edits:publish", "Let a service be routed from the internet."),
    "hide": Lazy("cli.service.edits:hide", "Withdraw a service from every VPS, whatever the routing says."),
    "remove": Lazy("cli.service.edits:remove", "Take a service off the registry, with its route."),
    "discover": Lazy("cli.service.discover:discover", "Bring the cluster's LoadBalancer Services into the registry."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast service add immich --subdomain photos --ip 100.67.243.10 --port 80
    routecast service hide immich --wait
    """,
)
def service() -> None:
    """Edit the services: the apps that have names and routes."""
