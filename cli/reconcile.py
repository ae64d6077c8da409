"""`routecast reconcile`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cli import exits
from cli.command import NO_PUBLISHER, Command
from cli.console import cell
from cli.control import ask
from cli.line import CommandLine
from cli.newest import read_newest_untrusted
from cli.output import Output, output_option
from cli.run import run
from cli.text import short_digest
from cli.values import duration
from common.bus import Bus, connected

if TYPE_CHECKING:
    from common.settings import Settings


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """The newest snapshot after the round, and whether its content is new."""

    epoch: int | None
    version: int | None
    digest: str | None
    stream_seq: int | None
    changed: bool


@click.command(
    cls=Command,
    example="""
    routecast reconcile
    routecast reconcile && routecast stream diff
    """,
    ends={
        exits.OK: "the round ended well, whether it found a change or not",
        exits.NOT_SO: "the publisher could not; it says why",
        **NO_PUBLISHER,
    },
)
@click.option(
    "--timeout", "timeout_s", type=duration, default="30s", show_default=True, help="How long to wait for the round."
)
@output_option
@click.pass_obj
def reconcile(line: CommandLine, *, timeout_s: float, output: Output) -> None:
    """Have the publisher read its source afresh, once, now.

    It does so by itself every hour (`publisher run --reconcile-every`). The snapshot is published again in any case,
    under a new version if the registry differs.
    """
    report = run(_reconcile(line.settings, timeout_s))
    found = "the registry had changed" if report.changed else "nothing had changed"
    output.show(
        report,
        lambda: cell(
            f"version {report.version} ({short_digest(report.digest or '')}), sequence {report.stream_seq}: {found}"
        ),
    )


async def _reconcile(settings: "Settings", timeout_s: float) -> ReconcileReport:
    async with connected(settings.nats, "cli") as bus:
        return await bus.until_closed(_reconcile_on(bus, timeout_s))


async def _reconcile_on(bus: Bus, timeout_s: float) -> ReconcileReport:
    before = await read_newest_untrusted(bus)
    known = before.snapshot.order if before is not None and before.snapshot is not None else None
    reply = await ask(bus, "reconcile", timeout_s=timeout_s)
    return ReconcileReport(
        epoch=reply.epoch,
        version=reply.version,
        digest=reply.digest,
        stream_seq=reply.stream_seq,
        changed=known != (reply.epoch, reply.version),
    )
