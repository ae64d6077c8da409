"""`routecast trust status`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.table import Table

from cli import exits
from cli.command import Command
from cli.console import cell, table
from cli.extras import publisher_extra
from cli.line import CommandLine
from cli.output import Output, output_option
from common.clock import now
from common.errors import ConfigError
from common.files import read_bytes
from common.settings import Settings
from publisher.signing import Stage
from publisher.signing_files import SeedFiles

SOON = timedelta(days=30)
"""How long before its end a certificate is said to end."""


@dataclass(frozen=True, slots=True)
class TrustRow:
    """One thing that others believe: what it is, what it is known by, how it stands."""

    what: str
    identity: str | None
    state: str
    where: str
    good: bool = True


Reader = Callable[[Settings], Iterator[TrustRow]]


def _signing_keys(settings: Settings) -> Iterator[TrustRow]:
    """Yield the keys that snapshots are signed with: public parts, never a seed."""
    files = SeedFiles(settings.publisher.signing_seed_file)
    try:
        keys = files.read()
    except ConfigError as e:
        yield TrustRow("signing key", None, str(e), str(files.path), good=False)
        return
    yield TrustRow("signing key", keys.current, "signs", str(files.path))
    goes_on = "`routecast trust rotate` goes on"
    if keys.next is not None:
        yield TrustRow("next signing key", keys.next, f"is announced to the nodes; {goes_on}", str(files.next))
    if keys.stage is Stage.RETIRING:
        yield TrustRow("previous signing key", keys.previous, f"is being forgotten; {goes_on}", str(files.previous))


def _certificates(settings: Settings) -> Iterator[TrustRow]:
    """Yield the authority that nodes trust and the NATS server's certificate, where there are any."""
    with publisher_extra():
        from publisher.trust.certificates import expiry  # noqa: PLC0415 - only a control plane has what it needs
        from publisher.trust.directory import TrustDirectory  # noqa: PLC0415
        from publisher.trust.server import CERTIFICATE  # noqa: PLC0415
    trust = TrustDirectory(settings.trust.directory, settings.trust.server_directory)
    for what, file in (("authority", trust.authority), ("NATS certificate", trust.server / CERTIFICATE)):
        try:
            content = read_bytes(file)
            ends = expiry(content) if content is not None else None
        except OSError as e:
            yield TrustRow(what, None, f"cannot be read: {e.strerror}", str(file), good=False)
            continue
        except ConfigError as e:
            yield TrustRow(what, None, str(e), str(file), good=False)
            continue
        if ends is not None:
            yield TrustRow(what, None, *_until(ends, file), good=ends - now() > SOON)


def _until(ends: datetime, file: Path) -> tuple[str, str]:
    left = (ends - now()).days
    renew = "; `sudo routecast trust renew`" if left < SOON.days else ""
    return f"ends {ends:%Y-%m-%d}, in {left} days{renew}" if left >= 0 else f"ended {ends:%Y-%m-%d}{renew}", str(file)


READERS: tuple[Reader, ...] = (_signing_keys, _certificates)
"""Where rows come from, in the order in which they are shown."""


@click.command(
    cls=Command,
    example="""
    sudo routecast trust status
    sudo routecast trust status -o json
    """,
    ends={exits.OK: "all of it can be used", exits.NOT_SO: "something is missing or cannot be read"},
)
@output_option
@click.pass_obj
@click.pass_context
def status(ctx: click.Context, line: CommandLine, *, output: Output) -> None:
    """Show the signing keys, how far a rotation has come, and when certificates end.

    On the control plane, as who may read the seeds; they are never shown, only the public keys that belong to them.
    """
    rows = [row for read in READERS for row in read(line.settings)]
    output.show(rows, lambda: _draw(rows))
    if not all(row.good for row in rows):
        ctx.exit(exits.NOT_SO)


def _draw(rows: list[TrustRow]) -> Table:
    drawn = table("WHAT", "KEY", "STATE", "FILE")
    for row in rows:
        drawn.add_row(cell(row.what), cell(row.identity), cell(row.state, "" if row.good else "red"), cell(row.where))
    return drawn
