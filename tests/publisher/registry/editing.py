"""What the tests of edits share: make one on documents in memory, and look at what became of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from common.errors import EditRefused
from publisher.pipeline.parse.text import bare
from publisher.registry.difference import Kind
from publisher.registry.draft import Key
from publisher.registry.plan import Documents, Edit, EditPlan, plan_edit
from publisher.source.document import Document
from tests.publisher.pipeline.parsing import documents, having, texts

NOW = "2026-01-02T03:04:05Z"


def whole(**values: Any) -> dict[str, Document]:
    """Return a registry with nothing wrong in it, with other values of some keys: ``services_json={...}``."""
    return documents(having(**values) if values else texts())


def planned(before: Documents, edit: Edit, now: str = NOW) -> EditPlan:
    """Plan an edit."""
    return plan_edit(before, edit, now)


def written(before: Documents, plan: EditPlan) -> dict[str, Document]:
    """Return the documents as they are once a plan is carried out."""
    after = dict(before)
    for name, keys in plan.writes.items():
        document = before.get(name) or Document.missing(name, edit="")
        data = {**(document.data or {}), **keys}
        after[name] = replace(document, data={key: text for key, text in data.items() if text is not None})
    return after


def edited(before: Documents, edit: Edit, now: str = NOW) -> dict[str, Document]:
    """Return the documents after an edit."""
    return written(before, planned(before, edit, now))


def refused(before: Documents, edit: Edit) -> tuple[str, ...]:
    """Return why an edit is refused."""
    with pytest.raises(EditRefused) as caught:
        planned(before, edit)
    return caught.value.faults


def value(found: Documents, key: Key) -> Any:
    """Return the JSON value of a key, None where there is none to be read."""
    document = found.get(key.document)
    text = bare((document.data or {}).get(key.key, "")) if document is not None else ""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def told(plan: EditPlan) -> list[str]:
    """Return the changes of a plan as ``kind entry.field: before -> after``."""
    return [f"{c.kind} {c.entry}.{c.field}: {c.before!r} -> {c.after!r}" for c in plan.changes]


def touched(plan: EditPlan) -> Mapping[tuple[Kind, str], set[str]]:
    """Return which fields of which entries a plan changes."""
    fields: dict[tuple[Kind, str], set[str]] = {}
    for change in plan.changes:
        fields.setdefault((change.kind, change.entry), set()).add(change.field)
    return fields
