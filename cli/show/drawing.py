"""Draw a registry for people: cluster, domains, VPSs, routing with placement, services, nodes. Pure."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import cell, table
from cli.show.placing import place_all, vps_name
from cli.text import count
from common.models import Registry, Role, Service
from common.names import derive_names, host_name, zone_of
from common.problems import Problem, Severity


def draw_registry(registry: Registry) -> list[RenderableType]:
    """Return the sections of a registry, each with its heading."""
    return [
        _heading("Cluster"),
        _indented(_cluster(registry)),
        *_section("Domains", domains_table(registry), "no domain is registered"),
        *_section("VPSs", vps_table(registry), "no VPS is registered"),
        *_section("Routing", routes_table(registry), "no service is routed"),
        *_section("Services", services_table(registry), "no service is registered"),
        *_section("Nodes", nodes_table(registry), "no node is registered"),
    ]


def draw_problems(problems: Sequence[Problem]) -> list[RenderableType]:
    """Return the problems, errors first: what and where, and below it the command that mends it."""
    found: list[RenderableType] = []
    for problem in sorted(problems, key=lambda problem: problem.severity is not Severity.ERROR):
        style = "red" if problem.severity is Severity.ERROR else "yellow"
        where = problem.document if problem.entry is None else f"{problem.document} {problem.entry!r}"
        found += [
            Text.assemble((f"{problem.severity:<8}", style), cell(where), ": ", cell(problem.message)),
            Text.assemble(" " * 8, ("mend: ", "dim"), cell(problem.mend)),
        ]
    return found


def tally(problems: Sequence[Problem]) -> str:
    """Return how many problems there are: ``1 error, 3 warnings``; ``no problems``."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    parts = [count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return ", ".join(parts) or "no problems"


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _section(heading: str, content: Table, nothing: str) -> list[RenderableType]:
    inside: RenderableType = content if content.row_count else Text(nothing, style="dim")
    return [Text(), _heading(heading), _indented(inside)]


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, 2), expand=False)


def _cluster(registry: Registry) -> Text:
    cluster = registry.cluster
    parts = [
        cluster.name or "no name",
        f"zone {zone_of(cluster)}" if cluster.domain is not None else "no zone, so no names",
        f"control plane {cluster.control_plane_ip}" if cluster.control_plane_ip is not None else "",
    ]
    return cell(", ".join(filter(None, parts)))


def domains_table(registry: Registry) -> Table:
    """Return the public domains as a table."""
    shown = table("DOMAIN", "DESCRIPTION")
    for name, domain in sorted(registry.domains.items()):
        shown.add_row(cell(name), cell(domain.description))
    return shown


def vps_table(registry: Registry) -> Table:
    """Return the VPSs as a table, each with its node."""
    nodes = {node.address: node.name for node in registry.nodes if node.role is Role.VPS}
    shown = table("TAILNET", "PUBLIC", "LOCATION", "PROVIDER", "NODE")
    for vps in registry.vps_nodes:
        node = nodes.get(vps.tailscale_ip)
        shown.add_row(
            cell(vps.tailscale_ip),
            cell(vps.public_ip),
            cell(vps.location),
            cell(vps.provider),
            cell(node if node is not None else "no node", "" if node is not None else "yellow"),
        )
    return shown


def routes_table(registry: Registry) -> Table:
    """Return the host names of all routed services, and where each is placed."""
    shown = table("SERVICE", "STRATEGY", "HOST NAME", "BACKEND", "PLACED ON", "SERVED BY")
    for row in place_all(registry):
        if row.host is None or row.placed_on is None:
            shown.add_row(cell(row.service), cell(row.strategy), cell(None), cell(row.why_not, "yellow"), "-", "-")
            continue
        shown.add_row(
            cell(row.service),
            cell(row.strategy),
            cell(row.host),
            cell(row.backend),
            cell(vps_name(registry, row.placed_on)),
            cell(", ".join(vps_name(registry, address) for address in row.served_by)),
        )
    return shown


def services_table(registry: Registry) -> Table:
    """Return the services as a table, each with its name in the zone."""
    zone = zone_of(registry.cluster)
    owned = derive_names(registry).records
    shown = table("SERVICE", "NAME", "ADDRESS", "PORT", "PUBLIC", "IN THE CLUSTER")
    for name, service in sorted(registry.services.items()):
        shown.add_row(
            cell(name),
            _name(service, zone, owned.get(host_name(service.subdomain, zone)) if zone is not None else None),
            cell(service.ip if service.ip is not None else "no address", "" if service.ip is not None else "yellow"),
            cell(service.port),
            cell("yes" if service.public else "no"),
            cell("/".join(filter(None, (service.namespace, service.service)))),
        )
    return shown


def _name(service: Service, zone: str | None, owner_address: str | None) -> Text:
    if zone is None:
        return cell(service.subdomain or "@")
    name = host_name(service.subdomain, zone)
    taken = service.ip is not None and owner_address != service.ip
    return cell(f"{name} (taken)" if taken else name, "yellow" if taken else "")


def nodes_table(registry: Registry) -> Table:
    """Return the machines that run a subscriber as a table."""
    shown = table("NODE", "ROLE", "ADDRESS", "LABEL")
    for node in registry.nodes:
        shown.add_row(cell(node.name), cell(node.role), cell(node.address), cell(node.label))
    return shown
