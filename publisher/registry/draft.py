"""A copy of the documents that an edit works on: the JSON values of their keys, unknown fields included. No I/O."""

import copy
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from common.errors import EditRefused
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.text import bare, kind_of, read_json, read_text
from publisher.registry.layout import layout, same
from publisher.source.document import DOMAIN_REGISTRY, SERVICE_REGISTRY, SYNC_CONTROLLER_REGISTRY, Document

Entries = dict[str, Any]

_LARGEST = 1 << 64
"""Whole numbers from here on are read as fractions, and would be written back as such."""


class Key(NamedTuple):
    """One key of one document that holds a JSON object."""

    document: str
    key: str

    def __str__(self) -> str:
        return f"{self.document}/{self.key}"


SERVICES = Key(SERVICE_REGISTRY, "services.json")
DOMAINS = Key(DOMAIN_REGISTRY, "domains.json")
OLD_VPS_NODES = Key(DOMAIN_REGISTRY, "vps-nodes.json")
ROUTING = Key(DOMAIN_REGISTRY, "routing.json")
NODES = Key(SYNC_CONTROLLER_REGISTRY, "registry.json")

OBJECTS = (SERVICES, DOMAINS, OLD_VPS_NODES, ROUTING, NODES)


class Draft:
    """Documents to edit in place. `now` is the time, as text, for the fields that tell when an entry was made.

    Documents are written in the order in which an edit asks for them first: an edit that withdraws asks first for what
    must be gone first.
    """

    def __init__(self, documents: Mapping[str, Document], now: str) -> None:
        self.now = now
        self.notes: list[str] = []
        self.withdraws = False
        self._documents = documents
        self._before: dict[Key, Entries | None] = {}
        self._objects: dict[Key, Entries] = {}
        self._texts: dict[str, dict[str, str | None]] = {}

    def note(self, text: str) -> None:
        """Have something said of this edit that its changes do not say."""
        self.notes.append(text)

    def withdraw(self) -> None:
        """Say that this edit only takes away: nothing that it uncovers may keep it from being written."""
        self.withdraws = True

    def document(self, name: str) -> Document:
        """Return a document as it is; one that nobody handed over is missing."""
        return self._documents.get(name) or Document.missing(name, edit="")

    def has(self, key: Key) -> bool:
        """Tell whether the key is there and not blank."""
        data = self.document(key.document).data
        return data is not None and bool(bare(data.get(key.key, "")))

    def object(self, key: Key) -> Entries:
        """Return the object of a key, to be edited in place.

        Raises:
            EditRefused: it is missing or cannot be read: what is written over it would be lost.

        """
        if key in self._objects:
            return self._objects[key]
        found = self._read(key)
        if not isinstance(found, dict):
            raise self._refusal(key, f"must be a JSON object, it is {kind_of(found)}")
        self._before[key] = found
        self._objects[key] = copy.deepcopy(found)
        self._texts.setdefault(key.document, {})
        return self._objects[key]

    def optional(self, key: Key) -> Entries:
        """Return the object of a key that may be missing; what is put into a missing one is written nowhere.

        An empty list is as good as a missing key: the replaced system began some keys with one.

        Raises:
            EditRefused: it is there, but cannot be read.

        """
        if key in self._objects:
            return self._objects[key]
        return self.object(key) if self.has(key) and self._read(key) != [] else {}

    def create(self, key: Key, value: Entries) -> None:
        """Put an object under a key that is missing or blank; it can be edited from now on."""
        self._before[key] = None
        self._objects[key] = copy.deepcopy(value)
        self._texts.setdefault(key.document, {})

    def put_text(self, document: str, key: str, text: str | None) -> None:
        """Set a key of plain text; None removes it."""
        self._texts.setdefault(document, {})[key] = text

    def writes(self) -> dict[str, dict[str, str | None]]:
        """Return what is to be written: by document, in order, the keys that differ and their texts."""
        changed: dict[str, dict[str, str | None]] = {}
        for document, texts in self._texts.items():
            data = self.document(document).data or {}
            keys = {key: text for key, text in texts.items() if data.get(key) != text}
            for key, value in self._objects.items():
                if key.document == document and key.key not in texts and not same(value, self._before[key]):
                    keys[key.key] = layout(value)
            if keys:
                changed[document] = keys
        return changed

    def _read(self, key: Key) -> Any:
        """Return the JSON value of a key.

        Raises:
            EditRefused: it is missing, cannot be read, or could not be written back as it is.

        """
        if not self.has(key) and self.document(key.document).why is None:
            raise EditRefused(f"{key} is not there yet; make it with: routecast init")
        places = Places(self._documents, first_contact=True)
        place = places.at(*key)
        found = read_json(place)
        if found is None:
            raise self._refusal(key, places.problems[-1].message.rpartition("; ")[0])
        would_lose = _would_lose(read_text(place) or "")
        if would_lose is not None:
            raise self._refusal(key, f"holds {would_lose}")
        return found if isinstance(found, dict) else found[0]

    def _refusal(self, key: Key, why: str) -> EditRefused:
        edit = self.document(key.document).edit
        return EditRefused(f"{key} {why}, so it cannot be edited safely; mend it first: {edit}")


def _would_lose(text: str) -> str | None:
    """Return what of a JSON text would be lost by reading and writing it, None when nothing would."""
    lost: list[str] = []

    def look_at_number(digits: str) -> int:
        if not -_LARGEST // 2 <= int(digits) < _LARGEST:
            lost.append("a number of more than 64 bits")
        return 0

    def look_at_object(fields: list[tuple[str, Any]]) -> None:
        lost.extend(f"{name!r} twice" for name, times in Counter(name for name, _ in fields).items() if times > 1)

    json.loads(text, parse_int=look_at_number, object_pairs_hook=look_at_object)
    return lost[0] if lost else None
