"""Write edits: planned on what is there now, under the optimistic lock, again when somebody was faster."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from common import log
from common.clock import now
from common.errors import EditRefused, RoutecastError
from publisher.registry.book import Book
from publisher.registry.difference import DOCUMENT_OF, At, FieldChange, Kind
from publisher.registry.plan import Edit, EditPlan, plan_edit
from publisher.registry.record import FoundEntry, RecordedEdit, add_to_record
from publisher.source.source import Conflict

_log = log.get(__name__)

_ATTEMPTS = 60
"""How often an edit begins anew: with jittered pauses of up to 1 s, beside one who writes all the time it takes 20."""


@dataclass(frozen=True, slots=True)
class Written:
    """What an edit wrote: the plan as it was carried out, and the new resource version of each document."""

    plan: EditPlan
    versions: Mapping[str, str]


class Editor:
    """Edits one registry. `by` and `command` stand in the record: who, and what repeats the edit."""

    def __init__(self, book: Book, by: str, command: str, attempts: int = _ATTEMPTS) -> None:
        self._book = book
        self._by = by
        self._command = command
        self._attempts = attempts

    async def plan(self, edit: Edit) -> EditPlan:
        """Return what `edit` would write; write nothing.

        Raises:
            EditRefused: it is not valid.
            SourceUnavailable: the registry cannot be read now.

        """
        return plan_edit(await self._book.list(), edit, _text(now()))

    async def apply(self, edit: Edit, approved: EditPlan | None = None) -> Written:
        """Write `edit`. With `approved`, only if it still changes just what that plan said.

        Raises:
            EditRefused: it is not valid, or no longer what was approved.
            SourceUnavailable: the registry cannot be read or written now, or others write all the time.
            AccessDenied: it may not be written.

        """
        progress = _Progress(at=now())
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(Conflict),
                stop=stop_after_attempt(self._attempts),
                wait=wait_random_exponential(multiplier=0.02, max=1),
                reraise=True,
            ):
                with attempt:
                    plan = plan_edit(await self._book.list(), edit, _text(progress.at))
                    if approved is not None and not progress.versions and plan.changes != approved.changes:
                        raise EditRefused(
                            "the registry changed meanwhile, so this would do something else now; run it again"
                        )
                    await self._write(plan, progress)
        finally:
            # Also of an edit that came to its end between two documents: what is written can be overwritten.
            if progress.versions:
                await self._record(progress)
        return Written(progress.told(plan), progress.versions)

    async def _write(self, plan: EditPlan, progress: "_Progress") -> None:
        for name, data in plan.writes.items():
            progress.add(plan, name, await self._book.write(name, data, plan.versions[name]))

    async def _record(self, progress: "_Progress") -> None:
        """Remember the edit. That it cannot be remembered does not undo it."""
        edit = RecordedEdit(
            at=progress.at, by=self._by, command=self._command, changes=progress.changes, found=progress.found
        )
        try:
            await self._book.write_record(lambda text: add_to_record(text, edit))
        except RoutecastError as e:
            _log.warning("the edit is written, but would not be noticed if somebody overwrote it", error=str(e))


class _Progress:
    """What of an edit is written. One that begins anew between two documents finds the first one done already."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.versions: dict[str, str] = {}
        self._plans: list[EditPlan] = []
        self._changes: dict[tuple[Kind, str, str], FieldChange] = {}
        self._stamps: dict[At, str] = {}

    @property
    def changes(self) -> tuple[FieldChange, ...]:
        """What was changed, in all, in the order of a plan."""
        kinds = list(Kind)
        return tuple(sorted(self._changes.values(), key=lambda change: (kinds.index(change.kind), change.entry)))

    @property
    def found(self) -> tuple[FoundEntry, ...]:
        """What was there before."""
        return tuple(FoundEntry(kind=kind, entry=entry, stamp=stamp) for (kind, entry), stamp in self._stamps.items())

    def add(self, plan: EditPlan, name: str, version: str) -> None:
        """Note that a document of a plan is written."""
        self.versions[name] = version
        self._plans.append(plan)
        self._stamps = {**plan.stamps, **self._stamps}
        for change in plan.changes:
            if DOCUMENT_OF[change.kind] == name:
                at = (change.kind, change.entry, change.field)
                self._changes[at] = replace(change, before=self._changes.get(at, change).before)

    def told(self, plan: EditPlan) -> EditPlan:
        """Return the last plan as it was carried out, with what earlier attempts had written."""
        if not self._plans:
            return plan
        return replace(
            plan,
            changes=self.changes,
            writes={name: keys for each in self._plans for name, keys in each.writes.items() if name in self.versions},
            versions={name: each.versions[name] for each in self._plans for name in each.versions},
            notes=tuple(dict.fromkeys(note for each in self._plans for note in each.notes)),
            before=self._plans[0].before,
        )


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
