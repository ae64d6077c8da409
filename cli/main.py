"""The `routecast` command: its tree and its global options. Imports no command: `cli.lazy` does, when one is used."""

from pathlib import Path
from typing import Any

import click

from cli import exits
from cli.lazy import Lazy, LazyGroup
from cli.line import CommandLine
from cli.text import printable
from common.errors import RoutecastError

SECTIONS = {
    "See": {
        "nodes": Lazy("cli.nodes.command:nodes", "Show how every node stands."),
        "acks": Lazy("cli.acks.command:acks", "Show what nodes did with the snapshots they got."),
        "stream": Lazy("cli.stream.command:stream", "Look at what was published: now, before, and what changed."),
        "problems": Lazy("cli.problems:problems", "List what is wrong in the registry, and how to mend it."),
        "show": Lazy("cli.show.command:show", "Show the registry: domains, VPSs, routing, services, nodes, problems."),
        "render": Lazy("cli.render:render", "Print what a node would write."),
        "doctor": Lazy(
            "cli.doctor.command:doctor", "Check what can be wrong, here and in the fleet, each with the next command."
        ),
    },
    "Edit": {
        "init": Lazy(
            "cli.init.command:init",
            "Make the registry and the keys: what is missing of the ConfigMaps, and who may connect to NATS.",
        ),
        "service": Lazy("cli.service.command:service", "Edit the services: the apps that have names and routes."),
        "domain": Lazy("cli.domain.command:domain", "Edit the public domains under which services are routed."),
        "vps": Lazy("cli.vps.command:vps", "Edit the VPSs that can serve public routes."),
        "route": Lazy("cli.route.command:route", "Edit which services are routed, under which domains, on which VPSs."),
        "node": Lazy("cli.node.command:node", "Edit the machines that run a subscriber."),
        "import": Lazy(
            "cli.import_registry.command:import_registry",
            "Take over the registry of the bash system, and say what else there is to do.",
        ),
        "lint": Lazy(
            "cli.lint:lint", "Check the registry at its source: all problems, each with the command that mends it."
        ),
    },
    "Act": {
        "trust": Lazy(
            "cli.trust.command:trust", "Look at the keys and certificates that nodes believe, and replace them."
        ),
        "push": Lazy("cli.push.command:push", "Publish the registry again and wait for every online node to answer."),
        "reconcile": Lazy("cli.reconcile:reconcile", "Have the publisher read its source afresh, once, now."),
    },
    "Run": {
        "join": Lazy("cli.join:join", "Make this machine a node, by a token of `routecast node add`."),
        "leave": Lazy("cli.leave:leave", "Take away from this machine what `routecast join` has brought."),
        "publisher": Lazy("cli.publisher:publisher", "Run the control plane's side."),
        "subscriber": Lazy("cli.subscriber.command:subscriber", "Run a node's side."),
        "config": Lazy("cli.config:config", "Look at the settings."),
        "demo": Lazy("cli.demo.command:demo", "Play the whole story on this machine, in a temporary folder."),
    },
}

EXAMPLE = """
routecast nodes
routecast --config ./routecast.toml push
routecast service add immich --subdomain photos --ip 100.67.243.10 --port 80
"""


class Routecast(LazyGroup):
    """The root: where our errors become one line on standard error and an exit code."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words as they were typed: an edit is remembered by the command that repeats it."""
        ctx.meta["words"] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; print what it raises on purpose."""
        try:
            return super().invoke(ctx)
        except RoutecastError as e:
            click.echo("error: " + printable(str(e), keep="\n"), err=True)
            ctx.exit(exits.exit_code_of(e))
        except KeyboardInterrupt:
            ctx.exit(exits.INTERRUPTED)


@click.group(
    cls=Routecast,
    sections=SECTIONS,
    example=EXAMPLE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(package_name="routecast", message="%(prog)s %(version)s")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="ROUTECAST_CONFIG",
    show_envvar=True,
    help="The settings file. By default /etc/routecast/routecast.toml, when it exists.",
)
@click.option(
    "--registry-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read the registry from a folder of ConfigMap manifests (*.yaml).",
)
@click.option("-v", "--verbose", is_flag=True, help="Log everything, to standard error.")
@click.pass_context
def main(ctx: click.Context, *, config: Path | None, registry_dir: Path | None, verbose: bool) -> None:
    """Your cluster's services, as names and public routes, on every laptop and VPS you own.

    Every value of the settings file is also read from the environment, as ROUTECAST_NATS_URL.
    """
    ctx.obj = CommandLine(config, registry_dir, verbose)
