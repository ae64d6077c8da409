"""`routecast service list` and `show`."""

from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.text import Text

from cli import exits
from cli.command import CLUSTER_AWAY, Command
from cli.console import cell, pairs
from cli.line import CommandLine
from cli.listing import list_command
from cli.output import Output, output_option
from cli.registry import Reading, read_registry, registry_options
from cli.show.drawing import draw_problems, services_table
from cli.show.placing import Placed, place_all
from common.errors import NothingToShow
from common.models import Service
from common.names import derive_names, host_name, zone_of
from common.problems import Problem

list_services = list_command("service", """List the services.""", lambda registry: registry.services, services_table)


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service, and what follows from it."""

    name: str
    service: Service
    names: tuple[str, ...]
    routes: tuple[Placed, ...]
    problems: tuple[Problem, ...]


@click.command(
    cls=Command,
    example="""
    routecast service show immich
    routecast service show immich -o json | jq -r '.routes[].host'
    """,
    ends={exits.OK: "shown", exits.NOT_SO: "there is no such service, or its entry is not valid", **CLUSTER_AWAY},
)
@click.argument("name")
@registry_options
@output_option
@click.pass_obj
def show(line: CommandLine, *, name: str, registry_dir: Path | None, cluster: bool, output: Output) -> None:
    """Show one service: its fields, names, routes and problems."""
    reading = read_registry(line.registry_settings(registry_dir, cluster=cluster))
    view = _view(reading, name)
    output.show(view, lambda: _draw(view))


def _view(reading: Reading, name: str) -> ServiceView:
    """Return what there is to say of a service.

    Raises:
        NothingToShow: it is not registered, or not valid: then with what is wrong.

    """
    registry, problems = reading.registry, tuple(p for p in reading.problems if p.entry == name)
    service = registry.services.get(name)
    if service is None:
        why = "".join(f"\n  {problem}\n  mend: {problem.mend}" for problem in problems)
        raise NothingToShow(f"there is no service {name!r}{why or '; see `routecast service list`'}")
    zone, records = zone_of(registry.cluster), derive_names(registry).records
    claimed = [] if zone is None else [host_name(service.subdomain, zone), zone]
    names = tuple(dict.fromkeys(host for host in claimed if service.ip is not None and records.get(host) == service.ip))
    routes = tuple(row for row in place_all(registry) if row.service == name)
    return ServiceView(name, service, names, routes, problems)


def _draw(view: ServiceView) -> RenderableType:
    rows = pairs()
    for field, value in view.service.model_dump(mode="json").items():
        shown = ", ".join(value) if isinstance(value, list) else value
        rows.add_row(field, cell(("yes" if value else "no") if isinstance(value, bool) else shown))
    for host in view.names:
        rows.add_row("name", cell(host))
    for route in view.routes:
        rows.add_row("route", cell(route.why_not or f"https://{route.host} -> {route.backend} on {route.placed_on}"))
    return Group(Text(view.name, style="bold"), rows, *draw_problems(view.problems))
