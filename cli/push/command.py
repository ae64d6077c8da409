"""`routecast push`."""

import click
from rich.console import Group, RenderableType
from rich.text import Text

from cli import exits
from cli.command import NO_PUBLISHER, Command
from cli.console import cell, table
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.push.waiting import PushReport, ask_and_wait
from cli.run import run
from cli.text import count, took
from cli.values import duration
from common.ack import State


@click.command(
    cls=Command,
    example="""
    routecast push
    routecast push --timeout 2m
    routecast push -o json | jq -r '.missing[]'
    """,
    ends={
        exits.OK: "every online node applied it",
        exits.NOT_SO: "an online node did not answer in time, or could not apply it",
        **NO_PUBLISHER,
    },
)
@click.option(
    "--timeout",
    "timeout_s",
    type=duration,
    default="30s",
    show_default=True,
    help="How long to wait for the publisher, and then for the nodes.",
)
@output_option
@click.pass_obj
@click.pass_context
def push(ctx: click.Context, line: CommandLine, *, timeout_s: float, output: Output) -> None:
    """Publish the registry again and wait for every online node to answer.

    Nodes that are up to date write nothing and say so. Those that are not online take it when they are back.
    """
    report = run(ask_and_wait(line.settings, "push", timeout_s))
    output.show(report, lambda: draw(report))
    if not report.holds:
        ctx.exit(exits.NOT_SO)


def draw(report: PushReport) -> RenderableType:
    """Return the outcome in a line, then whoever did not apply it."""
    return Group(
        cell(f"version {report.version} published again (sequence {report.stream_seq}): {_answered(report)}"),
        *draw_answers(report),
    )


def draw_answers(report: PushReport) -> list[RenderableType]:
    """Return who did not apply it, and who was not there."""
    parts: list[RenderableType] = []
    bad = table("NODE", "STATE", "ERROR")
    for answer in report.answered:
        if answer.state is not State.APPLIED:
            bad.add_row(cell(answer.node), cell(answer.state, "red"), cell(answer.error))
    for node in report.missing:
        bad.add_row(cell(node), cell("no answer", "red"), cell(f"see `routecast acks {node}`"))
    if bad.row_count:
        parts += [Text(), bad]
    if report.away:
        parts.append(cell(f"not online, will take it when back: {', '.join(report.away)}", "dim"))
    return parts


def _answered(report: PushReport) -> str:
    online = len(report.answered) + len(report.missing)
    return f"{len(report.answered)} of {count(online, 'online node')} answered in {took(report.took_s * 1000)}"
