"""`routecast domain`: the commands that write."""

import click

from cli.command import Command
from cli.edit.flow import perform
from cli.edit.options import ENDS, Editing, edit_options
from publisher.registry.domains import add_domain, remove_domain


@click.command(
    cls=Command,
    example="""
    routecast domain add example.com --description 'Example site'
    """,
    ends=ENDS,
)
@click.argument("name")
@click.option("--description", help="What it is for.")
@edit_options
def add(editing: Editing, *, name: str, description: str | None) -> None:
    """Register a public domain, or set its description.

    An international name is stored in its ASCII form (punycode).
    """
    perform(editing, lambda draft: add_domain(draft, name, description))


@click.command(
    cls=Command,
    example="""
    routecast domain remove example.com
    routecast domain remove example.com --yes
    """,
    ends=ENDS,
)
@click.argument("name")
@edit_options
def remove(editing: Editing, *, name: str) -> None:
    """Take a domain off the registry, and off every route.

    A route that has no other domain goes with it.
    """
    perform(editing, lambda draft: remove_domain(draft, name), confirm=True)
