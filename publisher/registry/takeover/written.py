"""Entries as they are written: in the spelling that is written now, and several of one thing put together. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from common import values
from publisher.pipeline.parse.entry import Entry
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import checked
from publisher.registry.difference import VOLATILE
from publisher.registry.draft import Entries
from publisher.registry.layout import same
from publisher.registry.takeover.findings import FindingKind, Log
from publisher.source.document import Document

_SHOWN = 60
"""So much of a written value is told, in characters."""

Reader = Callable[[Entry], Any]
"""Returns a field as it is written now; of a field that is at fault the entry says so."""


def fields_of(value: Any) -> Entry:
    """Return what is written as the parser reads it; nobody reads the problems."""
    return Entry(Place(Document.missing("", edit=""), "", first_contact=True, problems=[]), "", value, kept=False)


def shown(value: Any) -> str:
    """Return a value as it stands in JSON, cut when it is long."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def an_address(field: str) -> Reader:
    """Return the reader of a field that holds an address."""
    return lambda entry: entry.text(field, values.address)


def respell(what: str, written: Entries, readers: Mapping[str, Reader], log: Log) -> None:
    """Write fields as they are written now; what is missing, blank or at fault stays as it is."""
    for field, read in readers.items():
        entry = fields_of(written)
        if entry.given(field) is None:
            continue
        value = read(entry)
        if entry.valid and not same(value, written[field]):
            wrong = f"{field} is written {shown(written[field])}"
            log.mend(FindingKind.SPELLING, what, wrong, f"becomes {shown(value)}")
            written[field] = value


def items_of(entry: Entry, field: str, check: Callable[[str], str]) -> list[str]:
    """Return the items of a list, or of a text ``"a,b"``, in their canonical form; what has none as it is."""
    return list(dict.fromkeys(_canonical(check, item) for item in entry.items(field)))


def _canonical(check: Callable[[str], str], item: str) -> str:
    try:
        return checked(check, item)
    except ValueError:
        return item


def is_blank(value: Any) -> bool:
    """Tell whether a field says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def contradictions(entries: Sequence[Entries]) -> list[str]:
    """Return the fields of which several entries of one thing say different things, the volatile ones apart."""
    fields = dict.fromkeys(field for entry in entries for field in entry if field not in VOLATILE)
    return [field for field in fields if _differ(_said(entries, field))]


def joined(entries: Sequence[Entries]) -> Entries:
    """Return one entry of several: each field as the first says it that says anything."""
    both: Entries = {}
    for field in dict.fromkeys(field for entry in entries for field in entry):
        said = _said(entries, field) or [entry[field] for entry in entries if field in entry]
        both[field] = said[0]
    return both


def _said(entries: Sequence[Entries], field: str) -> list[Any]:
    return [entry[field] for entry in entries if not is_blank(entry.get(field))]


def _differ(said: Sequence[Any]) -> bool:
    return any(not same(value, said[0]) for value in said)
