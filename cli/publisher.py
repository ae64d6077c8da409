"""`routecast publisher`."""

from pathlib import Path
from typing import Any

import click

from cli import exits
from cli.command import Command
from cli.extras import publisher_extra
from cli.lazy import Lazy, LazyGroup
from cli.line import CommandLine
from cli.run import run as run_coroutine
from cli.values import duration

COMMANDS = {
    "run": Lazy("cli.publisher:run", "Watch the registry and publish it, until SIGTERM or Ctrl-C."),
    "public-key": Lazy("cli.publisher:public_key", "Print the public key that nodes need to believe this publisher."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast publisher run --registry-dir ./registry
    routecast publisher public-key
    """,
)
def publisher() -> None:
    """Run the control plane's side."""


@click.command(
    cls=Command,
    example="""
    routecast publisher run
    routecast publisher run --registry-dir ./registry --reconcile-every 4h
    """,
    ends={
        exits.OK: "stopped by SIGTERM or Ctrl-C, in order",
        exits.USAGE: "usage or settings are wrong, or the signing seed cannot be used",
        exits.INTERRUPTED: "interrupted before it ran, or a second time (Ctrl-C)",
    },
)
@click.option(
    "--registry-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Watch a folder of ConfigMap manifests (*.yaml). By default what the settings name, else the cluster.",
)
@click.option("--reconcile-every", type=duration, help="How often to publish again without a change: 90s, 30m, 4h.")
@click.option(
    "--http-port", type=click.IntRange(0, 65535), help="Port of /healthz, /readyz, /metrics; 0 takes a free one."
)
@click.option("--discover", is_flag=True, help="Register the cluster's LoadBalancer Services as they come and change.")
@click.pass_obj
def run(
    line: CommandLine,
    *,
    registry_dir: Path | None,
    reconcile_every: float | None,
    http_port: int | None,
    discover: bool,
) -> None:
    """Watch the registry and publish it, until SIGTERM or Ctrl-C.

    Waits for NATS and for the source for as long as it takes, and logs what it waits for. Any number of publishers may
    run beside each other.
    """
    given: dict[str, Any] = {
        "registry_dir": registry_dir or line.registry_dir,
        "reconcile_every_s": reconcile_every,
        "http_port": http_port,
        "discover": discover or None,
    }
    settings = line.service_settings(publisher={name: value for name, value in given.items() if value is not None})
    with publisher_extra():
        from publisher.process import run as run_publisher  # noqa: PLC0415

    run_coroutine(run_publisher(settings))


@click.command(
    cls=Command,
    example="""
    routecast publisher public-key
    echo "public_keys = [\\"$(routecast publisher public-key)\\"]"
    """,
    ends={exits.OK: "printed", exits.USAGE: "usage or settings are wrong, or there is no signing seed"},
)
@click.pass_obj
def public_key(line: CommandLine) -> None:
    """Print the public key that nodes need to believe this publisher.

    It belongs to the signing seed that the settings name, and goes into each node's settings: [subscriber] public_keys.
    """
    from common.signing import read_seed  # noqa: PLC0415

    click.echo(read_seed(line.settings.publisher.signing_seed_file).public_key)
