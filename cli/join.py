"""`routecast join`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import exits
from cli.command import Command
from cli.console import cell, note
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.run import run
from cli.values import duration
from common.errors import ConfigError

if TYPE_CHECKING:
    from subscriber.joining.join import Step


STDIN = "-"


@click.command(
    cls=Command,
    example="""
    sudo routecast join -
    routecast join --root ./image - <join-token
    """,
    ends={
        exits.OK: "this machine is the node, and the control plane has its first answer",
        exits.NOT_SO: "the control plane does not let it in, or its first snapshot was not applied in time",
        exits.USAGE: "usage or settings are wrong, or this machine cannot be that node",
        exits.UNREACHABLE: "NATS cannot be reached, or the control plane did not answer",
    },
)
@click.argument("token")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Put everything below a directory, as that of an image: it is the node when it boots.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=duration,
    default="60s",
    show_default=True,
    help="How long to wait until the first snapshot is applied.",
)
@output_option
@click.pass_obj
def join(line: CommandLine, *, token: str, root: Path | None, timeout_s: float, output: Output) -> None:
    """Make this machine a node, by a token of `routecast node add`.

    TOKEN is best given as - : it is then read from standard input. On the command line it can be seen by every user of
    this machine. It is good for one machine; the same command again goes on where it was cut short.

    Makes a key, whose private half stays here, and gets credentials for it. Writes /etc/routecast/: routecast.toml, in
    which what you wrote stays, node.creds and ca.crt. Installs the systemd unit, starts it, and waits for its answer.
    `routecast leave` takes all of it away again.
    """
    from common.trust.token import JoinToken  # noqa: PLC0415 - only here
    from subscriber.joining.fitness import check_root, own_program  # noqa: PLC0415
    from subscriber.joining.join import join as join_machine  # noqa: PLC0415
    from subscriber.joining.places import Places  # noqa: PLC0415
    from subscriber.joining.units import PROGRAM  # noqa: PLC0415

    set_up_log(line)
    places = Places() if root is None else Places(root.resolve())
    check_root(places, "join -")
    program = own_program() if places.here else PROGRAM
    wanted = JoinToken.decode(token.strip() if token != STDIN else _read())

    def say(step: "Step") -> None:
        output.append(step, lambda: cell(f"{step.what:<10}{step.about}"))

    run(join_machine(wanted, places, program, say, timeout_s))
    note("next: `routecast subscriber status` shows how it stands; `sudo routecast leave` takes all of this away again")


def set_up_log(line: CommandLine) -> None:
    """Log warnings, everything with ``--verbose``, whatever the settings of this machine say, or cannot say yet."""
    from common import log  # noqa: PLC0415 - not for help
    from common.settings.log import LogSettings  # noqa: PLC0415

    log.set_up(LogSettings(level="debug" if line.verbose else "warning"))


def _read() -> str:
    """Return the token from standard input.

    Raises:
        ConfigError: there is none.

    """
    if sys.stdin.isatty():
        click.echo("Paste the join token: ", nl=False, err=True)
        text = sys.stdin.readline().strip()
    else:
        text = sys.stdin.read(128 * 1024).strip()
    # What is pasted may be the whole command that the control plane has printed.
    words = text.split()
    if not words:
        raise ConfigError(
            "there is no join token on standard input; `routecast node add` on the control plane makes one"
        )
    return words[-1]
