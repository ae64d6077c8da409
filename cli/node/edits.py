"""`routecast node`: the commands that write."""

import click

from cli.command import Command
from cli.edit.flow import perform
from cli.edit.options import ENDS, Editing, edit_options
from publisher.registry.nodes import label_node, remove_node


@click.command(
    cls=Command,
    example="""
    routecast node label vinay-laptop "Vinay's MacBook"
    """,
    ends=ENDS,
)
@click.argument("name")
@click.argument("text")
@edit_options
def label(editing: Editing, *, name: str, text: str) -> None:
    """Set the text that people see of a node; its name stays."""
    perform(editing, lambda draft: label_node(draft, name, text))


@click.command(
    cls=Command,
    example="""
    routecast node remove old-laptop
    routecast node remove old-laptop --yes
    """,
    ends=ENDS,
)
@click.argument("name")
@edit_options
def remove(editing: Editing, *, name: str) -> None:
    """Take a machine off the registry.

    Its subscriber learns of it and withdraws what it wrote, if it is online. A VPS stays registered as one
    (`routecast vps remove`).
    """
    perform(editing, lambda draft: remove_node(draft, name), confirm=True)
