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
    },
    "Act": {
        "push": Lazy("cli.push.command:push", "Publish the registry again and wait for every online node to answer."),
        "reconcile": Lazy("cli.reconcile:reconcile", "Have the publisher read its source afresh, once, now."),
    },
    "Run": {
        "publisher": Lazy("cli.publisher:publisher", "Run the control plane's side."),
        "subscriber": Lazy("cli.subscriber.command:subscriber", "Run a node's side."),
        "config": Lazy("cli.config:config", "Look at the settings."),
        "demo": Lazy("cli.demo.command:demo", "Play the whole story on this machine, in a temporary folder."),
    },
}

EXAMPLE = """
routecast nodes
routecast --config ./routecast.toml push
routecast render hosts --registry-dir ./registry
"""


class Routecast(LazyGroup):
    """The root: where our errors become one line on standard error and an exit code."""

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
