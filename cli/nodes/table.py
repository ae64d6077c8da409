"""Draw the report on the nodes for people."""

from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.text import Text

from cli.console import UNBOUND, cell, pairs, table
from cli.nodes.report import NodeRow, PublisherRow, Report
from cli.text import age, count, short_digest, short_when, took, when
from common.sync_state import SyncState

_STYLES = {SyncState.SYNCED: "green", SyncState.LAGGING: "yellow", SyncState.OFFLINE: "dim", SyncState.NEVER: "dim"}
_BAD = "red"
_HEADINGS = ("NODE", "ROLE", "ADDRESS", "STATE", "VERSION", "BEHIND", "LAST SYNC", "TOOK")


def draw(report: Report, width: int) -> RenderableType:
    """Return the publishers' lines, the snapshot's, the table in `width` columns and a line that counts."""
    parts: list[RenderableType] = [_head(report)]
    if report.nodes:
        parts += [Text(), *_nodes(report, width), Text(), _tally(report)]
    elif report.snapshot is not None:
        parts += [Text(), Text("no node is registered")]
    return Group(*parts)


def _head(report: Report) -> RenderableType:
    head = pairs()
    if not report.publishers:
        head.add_row("publisher", Text("none was heard of within the last 10 minutes", style=_BAD))
    for row in report.publishers:
        head.add_row("publisher", _publisher(row))
    if len(report.publishers) > 1:
        head.add_row("", f"{len(report.publishers)} publishers were heard; any number may run")
    for removal in dict.fromkeys(removal for row in report.publishers for removal in row.held):
        head.add_row("held", cell(removal, "yellow"))
    head.add_row("snapshot", _snapshot(report))
    if report.fault is not None:
        head.add_row("", cell(report.fault, _BAD))
    return head


def _publisher(row: PublisherRow) -> Text:
    heard = age(row.heard_age_s)
    if not row.alive:
        return cell(f"gone: {row.instance} on {row.host} was heard {heard} ago", _BAD)
    said = [f"alive on {row.host} ({row.instance}, {row.agent_version}), heard {heard} ago"]
    said.append("nothing published" if row.version is None else f"version {row.version}")
    found = [count(number, noun) for number, noun in ((row.errors, "error"), (row.warnings, "warning")) if number]
    said.append(f"{' and '.join(found)}: see routecast problems" if found else "no problems")
    line = cell(", ".join(said))
    if row.waiting_for is not None:
        line.append("\nwaits for ").append(cell(row.waiting_for, "yellow"))
    return line


def _snapshot(report: Report) -> Text:
    snapshot = report.snapshot
    if snapshot is None:
        return Text("none that can be read" if report.fault is not None else "nothing was published yet", style=_BAD)
    return cell(
        f"version {snapshot.version} ({short_digest(snapshot.digest)}), "
        f"published {when(snapshot.published_at, report.at)}, sequence {snapshot.stream_seq}"
    )


def _nodes(report: Report, width: int) -> list[RenderableType]:
    """Return the table; where `width` columns are too few for it, a closer one and the errors below."""
    wide = table(*_HEADINGS, "ERROR", right=("TOOK",))
    for row in report.nodes:
        wide.add_row(*_cells(row), cell(when(row.last_sync, report.at)), _took(row), cell(_said(row, report)))
    if Measurement.get(Console(width=UNBOUND), Console(width=UNBOUND).options, wide).maximum <= width:
        return [wide]
    close = table(*_HEADINGS, right=("TOOK",))
    close.padding = (0, 1, 0, 0)
    for row in report.nodes:
        close.add_row(*_cells(row), cell(short_when(row.last_sync, report.at)), _took(row))
    for column in close.columns[:4]:
        column.no_wrap = True
    said = [(row.node, _said(row, report)) for row in report.nodes]
    return [close, *(cell(f"{node}: {text}", _BAD) for node, text in said if text)]


def _cells(row: NodeRow) -> tuple[Text, ...]:
    return cell(row.node), cell(row.role), cell(row.address), _state(row), cell(row.version), _behind(row)


def _took(row: NodeRow) -> Text:
    return cell(took(row.took_ms) if row.took_ms is not None else None)


def _state(row: NodeRow) -> Text:
    refused = f" ({row.refused} refused)" if row.refused else ""
    return cell(f"{row.state}{refused}", _STYLES.get(row.state, _BAD))


def _behind(row: NodeRow) -> Text:
    if row.version is not None and row.behind is None:
        return cell("other epoch")
    return cell(row.behind)


def _said(row: NodeRow, report: Report) -> str:
    """Return the node's error, with the time of the attempt when that is not in its column, and the server's hint."""
    error = row.error
    if error is not None and row.last_record is not None and row.last_sync is None:
        error = f"tried {age((report.at - row.last_record).total_seconds())} ago: {error}"
    return "; ".join(part for part in (error, row.hint) if part)


def _tally(report: Report) -> Text:
    states = Counter(row.state for row in report.nodes)
    parts = [f"{states[state]} {state}" for state in SyncState if states[state]]
    return Text(f"{count(len(report.nodes), 'node')}: {', '.join(parts)}")
