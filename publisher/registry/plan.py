"""What an edit would write, and what follows from it. Pure: the same documents and edit give the same plan."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from common.errors import EditRefused
from common.models import Registry
from common.problems import Problem, Severity
from publisher.pipeline.parse import parse
from publisher.registry.difference import At, FieldChange, Kind, changes_between, stamps_of
from publisher.registry.draft import ROUTING, SERVICES, Draft
from publisher.source.document import Document

Edit = Callable[[Draft], None]
"""Changes a draft in place, or raises `EditRefused` with all that is wrong with it."""

Documents = Mapping[str, Document]

_PLACE = re.compile(r", item [0-9]+$")
_LOST_TO = ", which "
_STAMPED = {Kind.SERVICE: SERVICES, Kind.ROUTE: ROUTING}


@dataclass(frozen=True, slots=True)
class EditPlan:
    """An edit worked out, not written yet."""

    changes: tuple[FieldChange, ...]
    writes: Mapping[str, Mapping[str, str | None]]
    """By document, in the order in which they are to be written: the keys and their texts; None removes one."""
    versions: Mapping[str, str | None]
    """The resource version that each of them must still have; None: it must not exist."""
    notes: tuple[str, ...]
    warnings: tuple[Problem, ...]
    """Problems that the edit brings; errors among them only when it withdraws something, which nothing may hinder."""
    stamps: Mapping[At, str]
    """When the entries that it changes were written last, as they say themselves; of new ones, nothing."""
    before: Registry
    after: Registry

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.writes)


def plan_edit(documents: Documents, edit: Edit, now: str) -> EditPlan:
    """Return what `edit` makes of `documents`; `now` is the time, as text.

    Raises:
        EditRefused: the edit is not valid, or its result would hold an error that is not there yet. All faults at once.
            What withdraws is not refused for what it uncovers.

    """
    draft = Draft(documents, now)
    edit(draft)
    edited = _with(documents, draft)
    changes = changes_between(documents, edited)
    changed = {(change.kind, change.entry) for change in changes}
    _stamp(draft, changed)
    before, after = parse(documents, None), parse(edited, None)
    new = _new_problems(before.problems, after.problems)
    errors = [problem for problem in new if problem.severity is Severity.ERROR]
    if errors and not draft.withdraws:
        raise EditRefused(*(f"{problem.entry or problem.document}: {_cause(problem)}" for problem in errors))
    writes = draft.writes()
    return EditPlan(
        changes=changes,
        writes=writes,
        versions={name: draft.document(name).resource_version for name in writes},
        notes=tuple(dict.fromkeys(draft.notes)),
        warnings=tuple(new),
        stamps={at: stamp for at, stamp in stamps_of(documents).items() if at in changed},
        before=before.registry,
        after=after.registry,
    )


def _with(documents: Documents, draft: Draft) -> dict[str, Document]:
    edited = dict(documents)
    for name, keys in draft.writes().items():
        document = draft.document(name)
        data = {**(document.data or {}), **keys}
        edited[name] = replace(document, data={key: text for key, text in data.items() if text is not None})
    return edited


def _stamp(draft: Draft, changed: Iterable[At]) -> None:
    """Note the time in services and routes that change, where the replaced system noted it."""
    for kind, entry in changed:
        value = draft.object(_STAMPED[kind]).get(entry) if kind in _STAMPED else None
        if isinstance(value, dict):
            value["updated"] = draft.now


def _new_problems(before: Sequence[Problem], after: Sequence[Problem]) -> list[Problem]:
    known = Counter(map(_identity, before))
    new = []
    for problem in after:
        identity = _identity(problem)
        if known[identity] > 0:
            known[identity] -= 1
        else:
            new.append(problem)
    return new


def _identity(problem: Problem) -> tuple[str, str, str]:
    """Return what stays of a problem while other entries come and go.

    An entry without a name is called by its place in a list; who loses a name may lose it to somebody else by then.
    """
    entry = _PLACE.sub("", problem.entry or "")
    return problem.document, entry, problem.message.partition(_LOST_TO)[0]


def _cause(problem: Problem) -> str:
    """Return a problem's message without what would become of the entry: it becomes nothing, it is not written."""
    return problem.message.rpartition("; ")[0] or problem.message
