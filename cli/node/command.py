"""`routecast node`: the group."""

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "add": Lazy("cli.node.add:add", "Register a machine that runs a subscriber, and print the command it joins with."),
    "list": Lazy("cli.node.look:list_nodes", "List the registered machines."),
    "label": Lazy("cli.node.edits:label", "Set the text that people see of a node; its name stays."),
    "remove": Lazy("cli.node.edits:remove", "Take a machine off the registry."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast node add laptop new-laptop 100.88.150.20
    routecast node list
    """,
)
def node() -> None:
    """Edit the machines that run a subscriber."""
