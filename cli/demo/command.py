"""`routecast demo`."""

import asyncio
import signal
import tempfile
from pathlib import Path

import click

from cli import exits
from cli.command import Command
from cli.demo.story import Broken, tell
from cli.demo.world import World
from common import log
from common.settings.log import LogSettings


@click.command(
    cls=Command,
    example="routecast demo\nroutecast demo --keep\nroutecast demo --insecure",
    ends={exits.OK: "every step held", exits.NOT_SO: "a step did not hold; the reason is printed"},
)
@click.option("--keep", is_flag=True, help="Leave everything running, and print the commands to look around with.")
@click.option("--insecure", is_flag=True, help="Without credentials and TLS: NATS takes everybody on this machine.")
@click.pass_context
def demo(ctx: click.Context, *, keep: bool, insecure: bool) -> None:
    """Play the whole story on this machine, in a temporary folder.

    A real nats-server and a real Traefik, one publisher, two laptops and two VPSs as processes of their own, each with
    credentials of its own that it joined with a token for. An app
    is installed, a laptop sleeps and wakes, the app is made private. Nothing outside the folder is touched, no root
    needed.
    """
    log.set_up(LogSettings(level="error"))
    with tempfile.TemporaryDirectory(prefix="routecast-demo-") as folder:
        try:
            asyncio.run(_play(Path(folder), keep=keep, secure=not insecure))
        except Broken as e:
            click.echo(f"\nThis did not hold: {e}", err=True)
            ctx.exit(exits.NOT_SO)


async def _play(folder: Path, *, keep: bool, secure: bool) -> None:
    async with World(folder, secure=secure) as world:
        await tell(world)
        if keep:
            ended = _interrupted()  # first: who reads how to end it may do so at once
            _say_how_to_look(world)
            await ended.wait()


def _say_how_to_look(world: World) -> None:
    command = f"{world.command} --config {world.config}"
    click.echo(f"\nEverything goes on running in {world.folder}. Look around from another terminal:\n")
    for words in ("nodes --watch", "stream log", "acks --follow", "show", "push"):
        click.echo(f"  {command} {words}")
    click.echo(
        f"  curl -sk --resolve photos.curiios.com:{world.ports.tls}:127.0.0.1 "
        f"https://photos.curiios.com:{world.ports.tls}/"
    )
    click.echo(f"\nEdit the registry in {world.registry.folder} and watch it arrive. Ctrl-C ends it all.")


def _interrupted() -> asyncio.Event:
    """Return an event that Ctrl-C or SIGTERM sets."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    return ended
