"""What the tests of the taking over share: do it, look at what became of it."""

from collections.abc import Mapping
from typing import Any

import orjson

from publisher.registry.draft import Draft, Key
from publisher.registry.takeover import FindingKind, find, take_over
from publisher.registry.takeover.documents import edited
from publisher.source.document import Document
from tests.publisher.pipeline.parsing import documents, having

Entries = dict[str, Any]
Documents = Mapping[str, Document]

NOW = "2025-11-06T18:30:00Z"
IP, ELSEWHERE, VPS = "100.67.243.10", "100.67.243.99", "100.68.225.92"
ROUTE: Entries = {"domains": ["curiios.com"], "vps_nodes": [VPS]}


def taken(before: Documents) -> dict[str, Document]:
    """Take a registry over."""
    draft = Draft(before, NOW)
    take_over(draft)
    return edited(draft)


def value(of: Documents, key: Key) -> Any:
    """Return the JSON value of a key, None where it is not there."""
    text = (of[key.document].data or {}).get(key.key)
    return None if text is None else orjson.loads(text)


def after(key: Key, **values: Any) -> Any:
    """Return the value of a key when a registry with `values` in it is taken over."""
    return value(taken(documents(having(**values))), key)


def left(before: Documents) -> dict[str, tuple[FindingKind, str]]:
    """Return what is left to people, by entry."""
    return {each.entry: (each.kind, each.wrong) for each in find(before).left}
