"""Draw nodes' records for people. Pure."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from cli.console import cell, table
from cli.nodes.report import error_of
from cli.text import printable, took, utc
from common.ack import NodeAck, State, TargetAck

_STYLES = {State.APPLIED: "green", State.DRIFTED: "yellow"}
_BAD = "red"
_SHOWN = 3  # refused entries named in a line


def draw(acks: Sequence[NodeAck]) -> Table:
    """Return a table of records."""
    shown = table("TIME", "NODE", "VERSION", "STATE", "RUNS", "TRY", "TOOK", "TARGETS", "ERROR", right=("TOOK",))
    for ack in acks:
        shown.add_row(
            cell(utc(ack.finished_at)),
            cell(ack.node),
            cell(ack.attempted.version if ack.attempted is not None else None),
            cell(ack.state, _STYLES.get(ack.state, _BAD)),
            cell(ack.applied.version if ack.applied is not None else None),
            cell(ack.attempt),
            cell(took(ack.took_ms)),
            cell(", ".join(describe_target(name, target) for name, target in sorted(ack.targets.items()))),
            cell("; ".join(part for part in (error_of(ack), refused_of(ack)) if part)),
        )
    return shown


def line(ack: NodeAck) -> Text:
    """Return one record as a line that stands by itself: for an endless series."""
    attempted = f"version {ack.attempted.version}" if ack.attempted is not None else "unreadable snapshot"
    runs = f", runs {ack.applied.version}" if ack.applied is not None and ack.applied != ack.attempted else ""
    targets = ", ".join(describe_target(name, target) for name, target in sorted(ack.targets.items()))
    again = f", try {ack.attempt}" if ack.attempt > 1 else ""
    said = Text(f"{utc(ack.finished_at)}  {printable(ack.node)}  {attempted}  ")
    said.append(ack.state.value, style=_STYLES.get(ack.state, _BAD))
    said.append(printable(f" in {took(ack.took_ms)}{runs}{again}"))
    said.append(printable(f": {targets}" if targets else ""))
    said.append(printable(f": {error_of(ack)}" if ack.error is not None else ""), style=_BAD)
    said.append(printable(f": {refused_of(ack)}" if ack.refused else ""), style="yellow")
    return said


def refused_of(ack: NodeAck) -> str | None:
    """Return what the node's policy left out, the first few with their reasons; None when that is nothing."""
    if not ack.refused:
        return None
    shown = [f"{each.entry} ({each.reason})" for each in ack.refused[:_SHOWN]]
    more = ack.refused_count - len(shown)
    return f"refused {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def describe_target(name: str, target: TargetAck) -> str:
    """Return what a target did: ``hosts +1 ~0 -2``, ``hosts unchanged``, ``traefik failed``."""
    refused = f" ({len(target.refused) + target.refused_more} refused)" if target.refused else ""
    if target.state is not State.APPLIED:
        return f"{name} {target.state}{refused}"
    if not target.changed:
        return f"{name} unchanged{refused}"
    return f"{name} +{target.created} ~{target.updated} -{target.deleted}{refused}"
