"""What an edit changed, as a value, and whether the nodes have it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from cli import exits
from cli.edit.options import Editing
from cli.push.waiting import PushReport, ask_and_wait
from cli.run import run
from cli.stream.changes import Change, changes
from common.errors import RoutecastError

if TYPE_CHECKING:
    from common.problems import Problem
    from common.settings import Settings
    from publisher.registry.difference import FieldChange
    from publisher.registry.plan import EditPlan


@dataclass(frozen=True, slots=True)
class EditReport:
    """What an edit changed."""

    changed: bool
    """Whether the registry is not as the edit wants it, or was not."""
    written: bool
    changes: "tuple[FieldChange, ...]"
    effects: tuple[Change, ...]
    """What follows for names and public routes."""
    notes: tuple[str, ...]
    warnings: "tuple[Problem, ...]"
    resource_versions: Mapping[str, str]
    waited: PushReport | None = None
    not_waited: str | None = None
    """Why the nodes could not be waited for, though it was asked."""


def report_of(plan: "EditPlan", versions: Mapping[str, str]) -> EditReport:
    """Return what there is to say of a plan, written under `versions` or, without any, not written."""
    effects = tuple(change for change in changes(plan.before, plan.after) if change.kind in {"names", "routes"})
    return EditReport(
        changed=plan.changed,
        written=bool(versions),
        changes=plan.changes,
        effects=effects,
        notes=plan.notes,
        warnings=plan.warnings,
        resource_versions=dict(versions),
    )


Report = TypeVar("Report", bound=EditReport)


def wait_for_nodes(settings: "Settings", editing: Editing, report: Report) -> tuple[Report, RoutecastError | None]:
    """Wait for the nodes when that was asked for; return the error that kept from it."""
    if not editing.wait or editing.dry_run:
        return report, None
    try:
        # A reconcile reads the source afresh: what it publishes holds this edit.
        waited = run(ask_and_wait(settings, "reconcile", editing.timeout_s))
    except RoutecastError as e:
        return replace(report, not_waited=str(e)), e
    return replace(report, waited=waited), None


def end(editing: Editing, report: EditReport, error: RoutecastError | None) -> None:
    """End with the exit code that fits, when it is not success."""
    if error is not None:
        editing.ctx.exit(exits.exit_code_of(error))
    if report.waited is not None and not report.waited.holds:
        editing.ctx.exit(exits.NOT_SO)
