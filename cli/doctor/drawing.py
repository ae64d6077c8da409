"""Draw the checks for people."""

from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cli.console import UNBOUND, cell, table
from cli.doctor.check import Check, Report, State
from cli.text import count

_STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red", State.SKIP: "dim"}


def draw(report: Report, width: int) -> RenderableType:
    """Return the table in `width` columns, and a line that counts."""
    return Group(_table(report.checks, width), Text(), Text(tally(report)))


def tally(report: Report) -> str:
    """Return how many checks ended how: ``12 ok, 1 warning, 2 failures, 3 skipped``."""
    states = Counter(check.state for check in report.checks)
    parts = {
        State.OK: f"{states[State.OK]} ok",
        State.WARN: count(states[State.WARN], "warning"),
        State.FAIL: count(states[State.FAIL], "failure"),
        State.SKIP: f"{states[State.SKIP]} skipped",
    }
    return ", ".join(text for state, text in parts.items() if states[state]) or "nothing was checked"


def _table(checks: tuple[Check, ...], width: int) -> Table:
    """Return a column for the next commands; where there is no room for it, each below what was seen."""
    wide = table("STATE", "CHECK", "WHAT", "NEXT")
    for check in checks:
        wide.add_row(*_head(check), cell(check.what), cell(check.next))
    unbound = Console(width=UNBOUND)
    if Measurement.get(unbound, unbound.options, wide).maximum <= width:
        return wide
    close = table("STATE", "CHECK", "WHAT, and the next command")
    for check in checks:
        close.add_row(*_head(check), _with_next(check))
    for column in close.columns[:2]:
        column.no_wrap = True
    close.width = width
    return close


def _head(check: Check) -> tuple[Text, Text]:
    return cell(check.state, _STYLES[check.state]), cell(check.check)


def _with_next(check: Check) -> Text:
    said = cell(check.what)
    return said if check.next is None else said.append("\n> ", style="dim").append(cell(check.next, "bold"))
