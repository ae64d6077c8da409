"""The documents of a draft: what can be edited of them, and how they would be written. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common.errors import EditRefused
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.text import read_json
from publisher.registry.draft import OLD_VPS_NODES, Draft, Entries, Key
from publisher.registry.takeover.findings import FindingKind, Log
from publisher.source.document import DOCUMENTS, Document

Documents = Mapping[str, Document]


def readable(draft: Draft, key: Key, log: Log) -> Entries | None:
    """Return the object of a key, to be edited in place; None when it is missing, or cannot be edited.

    What the parser cannot read either is told by what it says.
    """
    try:
        return draft.object(key)
    except EditRefused as e:
        if isinstance(read_value(draft, key), dict if key != OLD_VPS_NODES else dict | list):
            log.leave(FindingKind.UNREADABLE, str(key), str(e), draft.document(key.document).edit)
        return None


def read_value(draft: Draft, key: Key) -> Any:
    """Return the JSON value of a key, None also when there is none."""
    found = read_json(Places({key.document: draft.document(key.document)}, first_contact=True).at(*key))
    return found[0] if isinstance(found, tuple) else found


def edited(draft: Draft) -> dict[str, Document]:
    """Return all documents with what the draft changes."""
    documents = {name: draft.document(name) for name in DOCUMENTS}
    for name, keys in draft.writes().items():
        data = {**(documents[name].data or {}), **keys}
        documents[name] = replace(documents[name], data={key: text for key, text in data.items() if text is not None})
    return documents
