"""`routecast trust renew`."""

import click

from cli import exits
from cli.command import Command
from cli.extras import publisher_extra
from cli.line import CommandLine
from common.clock import now
from common.errors import ConfigError
from common.files import read_bytes


@click.command(
    cls=Command,
    example="""
    sudo routecast trust renew
    sudo routecast trust renew --nats-host nats.example.net
    """,
    ends={exits.OK: "made", exits.USAGE: "the authority is not ours, or a file cannot be read or written"},
)
@click.option("--nats-host", "hosts", multiple=True, help="One more name or address of the server; may be repeated.")
@click.pass_obj
def renew(line: CommandLine, *, hosts: tuple[str, ...]) -> None:
    """Make the NATS server's certificate anew, by the authority that nodes trust already.

    For the names and addresses that the present one has. The server reads it when it is told to: on SIGHUP, as with
    `docker-compose kill -s HUP nats`, or when it starts.
    """
    with publisher_extra():
        from publisher.trust.certificates import expiry, hosts_of  # noqa: PLC0415 - only a control plane has what it needs
        from publisher.trust.directory import TrustDirectory  # noqa: PLC0415
        from publisher.trust.server import CERTIFICATE  # noqa: PLC0415
    settings = line.settings
    trust = TrustDirectory(settings.trust.directory, settings.trust.server_directory)
    file = trust.server / CERTIFICATE
    try:
        present = read_bytes(file)
        if present is None:
            raise ConfigError(f"there is no certificate {file}; `sudo routecast init` makes one")
        made = trust.renew(tuple(dict.fromkeys((*hosts_of(present), *hosts))), now())
        ends = expiry(file.read_bytes())
    except OSError as e:
        raise ConfigError(f"{e.filename or file} cannot be read or written ({e.strerror}); run with sudo") from e
    for path in made:
        click.echo(f"made {path}")
    click.echo(f"The certificate ends {ends:%Y-%m-%d}. Have the NATS server read it: docker-compose kill -s HUP nats")
