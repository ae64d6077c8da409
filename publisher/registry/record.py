"""The record of edits: what was changed through routecast, so that an edit that somebody overwrote is noticed. Pure.

A writer that reads a ConfigMap, changes it and writes it back without a lock brings old values back. Then a field has
exactly the value that our edit found, not the one that it left.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from common.models import Frozen
from common.problems import Problem, Severity
from publisher.registry.difference import At, Fate, FieldChange, Kind, content_of, readable_kinds, stamps_of
from publisher.registry.draft import DOMAINS, NODES, ROUTING, SERVICES
from publisher.registry.layout import same
from publisher.source.document import CLUSTER_INFO, Document

KEPT = 200
"""So many edits are remembered,"""
KEPT_FOR = timedelta(days=7)
"""... so long: what was undone later than that was undone on purpose,"""
KEPT_BYTES = 512 * 1024
"""... and so much of them: the record shares its ConfigMap, of at most 1 MiB, with the publisher's state."""

_DOCUMENTS = {
    Kind.CLUSTER: CLUSTER_INFO,
    Kind.SERVICE: str(SERVICES),
    Kind.DOMAIN: str(DOMAINS),
    Kind.VPS: str(DOMAINS),
    Kind.ROUTE: str(ROUTING),
    Kind.NODE: str(NODES),
}


class FoundEntry(Frozen):
    """An entry as an edit found it: when it was written last, as it says itself."""

    kind: Kind
    entry: str
    stamp: str


class RecordedEdit(Frozen):
    """One edit: when, by whom, the command that repeats it, what it changed, and what it found of that."""

    at: AwareDatetime
    by: str
    command: str
    changes: tuple[FieldChange, ...]
    found: tuple[FoundEntry, ...] = ()


_ADAPTER = TypeAdapter(tuple[RecordedEdit, ...])


def read_record(text: str | None, now: datetime | None = None) -> tuple[RecordedEdit, ...]:
    """Return the edits of a kept text, with `now` only those that are not too old to be missed.

    Of a text that cannot be read, none: it only serves to notice.
    """
    try:
        edits = _ADAPTER.validate_json(text or "[]")
    except ValidationError:
        return ()
    return edits if now is None else tuple(edit for edit in edits if now - edit.at < KEPT_FOR)


def add_to_record(text: str | None, edit: RecordedEdit) -> str:
    """Return the text with one edit more; what is too old, or too much, goes."""
    kept: list[RecordedEdit] = []
    size = 0
    for known in reversed((*read_record(text, edit.at), edit)):
        size += len(known.model_dump_json())
        if size > KEPT_BYTES or len(kept) == KEPT:
            break
        kept.append(known)
    return _ADAPTER.dump_json(tuple(reversed(kept))).decode()


def lost_edits(documents: Mapping[str, Document], edits: Sequence[RecordedEdit]) -> tuple[Problem, ...]:
    """Return a problem for each edit of which a field has its earlier value again, with the command that repeats it.

    Only where the entry was of an older form at some time after the edit, as far as stamps tell: what somebody undid,
    or made anew, was not overwritten. Of what cannot be read nothing is said.

    Read the record before the documents: an edit that is made in between would look as if it were lost.
    """
    if not edits:
        return ()
    content, readable, stamps = content_of(documents), readable_kinds(documents), stamps_of(documents)
    lost: dict[tuple[str, At], list[FieldChange]] = {}
    by: dict[tuple[str, At], RecordedEdit] = {}
    for edit, change in _latest(edits):
        at = (change.kind, change.entry)
        there = at in content
        if change.kind not in readable or there == (change.fate is Fate.ADDED):
            continue
        present = content.get(at, {}).get(change.field)
        if same(present, change.before) and _was_put_back(at, edit, edits, stamps.get(at, "")):
            key = (edit.command, at)
            lost.setdefault(key, []).append(change)
            by[key] = edit
    return tuple(_problem(by[key], changes) for key, changes in lost.items())


def _latest(edits: Iterable[RecordedEdit]) -> list[tuple[RecordedEdit, FieldChange]]:
    """Return the last change of every field."""
    changes = {(change.kind, change.entry, change.field): (edit, change) for edit in edits for change in edit.changes}
    return list(changes.values())


def _was_put_back(at: At, edit: RecordedEdit, edits: Sequence[RecordedEdit], present: str) -> bool:
    """Tell whether an entry had an older stamp than the edit gave it, now (`present`) or when a later edit found it."""
    i = edits.index(edit)
    older = {stamp for each in edits[: i + 1] for stamp in _found(each, at)}
    later = [stamp for each in edits[i + 1 :] for stamp in _found(each, at)]
    return any(stamp in older or _is_before(stamp, edit.at) for stamp in (*later, present))


def _found(edit: RecordedEdit, at: At) -> list[str]:
    """Return the stamp of an entry as an edit found it, empty where there was none; nothing if it did not change it."""
    if all((change.kind, change.entry) != at for change in edit.changes):
        return []
    return [found.stamp for found in edit.found if (found.kind, found.entry) == at] or [""]


def _is_before(stamp: str, at: datetime) -> bool:
    """Tell whether a stamp is a time before the second of `at`; one without a zone is in UTC."""
    try:
        time = datetime.fromisoformat(stamp)
    except ValueError:
        return False
    return (time if time.tzinfo else time.replace(tzinfo=UTC)) < at.replace(microsecond=0)


def _problem(edit: RecordedEdit, changes: Sequence[FieldChange]) -> Problem:
    fields = ", ".join(dict.fromkeys(change.field or "the entry" for change in changes))
    return Problem(
        severity=Severity.WARNING,
        document=_DOCUMENTS[changes[0].kind],
        entry=changes[0].entry,
        message=f"the edit of {edit.at:%Y-%m-%d %H:%M:%SZ} by {edit.by} was overwritten: "
        f"{fields} as before; a writer without a lock brought the old form back",
        mend=edit.command,
    )
