"""What `routecast node add` made: the change of the registry, the join token, and how the join went."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Self

from rich.console import Group, RenderableType
from rich.text import Text

from cli.console import cell
from cli.edit.drawing import draw_report
from cli.edit.report import EditReport
from cli.text import took
from common.ack import State

if TYPE_CHECKING:
    from common.trust.token import JoinToken


@dataclass(frozen=True, slots=True)
class Join:
    """A join token: a secret as a whole."""

    command: str
    """What to type on the machine."""
    token: str
    expires: datetime

    @classmethod
    def of(cls, token: "JoinToken") -> Self:
        """Return what is told of a token."""
        line = token.encode()
        return cls(f"sudo routecast join {line}", line, token.expires)


@dataclass(frozen=True, slots=True)
class Joined:
    """How far a machine came that was waited for."""

    joined: bool
    """It has its credentials."""
    state: State | None
    """Of its newest answer; None: it gave none."""
    error: str | None
    took_s: float

    @property
    def holds(self) -> bool:
        """Whether the node runs what it should."""
        return self.state is State.APPLIED


@dataclass(frozen=True, slots=True)
class NodeReport(EditReport):
    """What an edit changed, and the join token that goes with it."""

    join: Join | None = None
    joined: Joined | None = None

    @classmethod
    def of(cls, report: EditReport) -> Self:
        """Return the report of an edit as the one of a node, without a token."""
        return cls(**{field.name: getattr(report, field.name) for field in fields(report)})


def draw_node(report: NodeReport, *, dry_run: bool) -> RenderableType:
    """Return the edit, then what to do with the token, unless that was told when the wait for the machine began."""
    parts: list[RenderableType] = [draw_report(report, dry_run=dry_run)]
    if report.join is not None and report.joined is None and report.not_waited is None:
        parts += [Text(), *draw_join(report.join)]
    if report.joined is not None:
        parts.append(_draw_joined(report.joined))
    return Group(*parts)


def draw_join(join: Join) -> list[RenderableType]:
    """Return the one command that the machine needs."""
    return [
        cell(f"On that machine, until {join.expires:%Y-%m-%d %H:%M:%SZ}, and once:"),
        Text(f"  {join.command}"),
    ]


def _draw_joined(joined: Joined) -> Text:
    if joined.holds:
        return cell(f"it joined, and applied its first snapshot, in {took(joined.took_s * 1000)}", "green")
    if joined.state is not None:
        return cell(f"it joined, but is {joined.state}: {joined.error or 'see `routecast acks`'}", "red")
    return cell("it joined, but has not answered yet" if joined.joined else "it has not joined yet", "red")
