"""`routecast domain`: the group."""

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "add": Lazy("cli.domain.edits:add", "Register a public domain, or set its description."),
    "list": Lazy("cli.domain.look:list_domains", "List the public domains."),
    "remove": Lazy("cli.domain.edits:remove", "Take a domain off the registry, and off every route."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast domain add example.com --description 'Example site'
    routecast domain list
    """,
)
def domain() -> None:
    """Edit the public domains under which services are routed."""
