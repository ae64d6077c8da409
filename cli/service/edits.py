"""`routecast service`: the commands that write."""

from typing import Any

import click

from cli.command import Command
from cli.edit.flow import perform
from cli.edit.options import ENDS, Editing, edit_options
from publisher.registry.services import ServiceFields, add_service, remove_service, set_public


@click.command(
    cls=Command,
    example="""
    routecast service add immich --subdomain photos --ip 100.67.243.10 --port 80
    routecast service add immich --port 8080 --dry-run
    routecast service add home --subdomain @ --ip fd7a:115c:a1e0::10 --port 3000 --middleware authelia@file
    """,
    ends=ENDS,
)
@click.argument("name")
@click.option("--subdomain", help="The name inside the zone, as photos; @ is the zone itself. New: the service's name.")
@click.option("--ip", help="The LoadBalancer address, IPv4 or IPv6.")
@click.option("--port", type=int, help="The port that a VPS connects to.")
@click.option("--namespace", help="Where it runs in the cluster.")
@click.option("--service", help="The Kubernetes Service behind it.")
@click.option("--public/--private", default=None, help="Whether it may be routed from the internet. New: --private.")
@click.option("--scheme", help="How a VPS speaks to it: http or https.")
@click.option("--middleware", "middlewares", multiple=True, help="A Traefik middleware, as authelia@file; repeatable.")
@click.option("--no-middlewares", is_flag=True, help="No middleware any more.")
@edit_options
def add(
    editing: Editing,
    *,
    name: str,
    middlewares: tuple[str, ...],
    no_middlewares: bool,
    **fields: Any,
) -> None:
    """Register a service, or set fields of one that is registered.

    Only what is given changes; the same again changes nothing.
    """
    if middlewares and no_middlewares:
        raise click.UsageError("--middleware and --no-middlewares contradict each other")
    chosen = middlewares or (() if no_middlewares else None)
    given = ServiceFields(middlewares=chosen, **fields)
    perform(editing, lambda draft: add_service(draft, name, given))


@click.command(
    cls=Command,
    example="""
    routecast service publish immich
    """,
    ends=ENDS,
)
@click.argument("name")
@edit_options
def publish(editing: Editing, *, name: str) -> None:
    """Let a service be routed from the internet.

    It is served where its route says (`routecast route set`).
    """
    perform(editing, lambda draft: set_public(draft, name, public=True))


@click.command(
    cls=Command,
    example="""
    routecast service hide immich
    routecast service hide immich --wait
    """,
    ends=ENDS,
)
@click.argument("name")
@edit_options
def hide(editing: Editing, *, name: str) -> None:
    """Withdraw a service from every VPS, whatever the routing says.

    Its names inside stay, and so does its route, for the day on which it is published again.
    """
    perform(editing, lambda draft: set_public(draft, name, public=False))


@click.command(
    cls=Command,
    example="""
    routecast service remove immich
    routecast service remove immich --yes --wait
    """,
    ends=ENDS,
)
@click.argument("name")
@edit_options
def remove(editing: Editing, *, name: str) -> None:
    """Take a service off the registry, with its route."""
    perform(editing, lambda draft: remove_service(draft, name), confirm=True)
