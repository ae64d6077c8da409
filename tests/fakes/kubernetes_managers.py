"""Note in `metadata.managedFields` who wrote which field, as structured-merge-diff does for updates.

Pure. Does not know of server-side apply, nor of the items of lists: a list is one field.
"""

from collections.abc import Iterable, Iterator

from tests.fakes.kubernetes_objects import METADATA
from tests.fakes.kubernetes_status import Document

Path = tuple[str, ...]
"""The way to a field through nested objects."""


def note_manager(before: Document | None, after: Document, manager: str, time: str) -> list[Document]:
    """Build `managedFields` after an update: the writer takes over every field that it added or changed.

    A writer that only removes fields leaves no trace, and an entry without fields goes: so does structured-merge-diff.
    `time` has whole seconds; entries are sorted by time, then manager, so within a second the order says nothing.
    """
    old, new = dict(_fields(before or {})), dict(_fields(after))
    taken = {path for path, value in new.items() if path not in old or old[path] != value}
    entries: list[Document] = []
    owned_before: set[Path] = set()
    for entry in (before or {}).get("metadata", {}).get("managedFields", ()):
        owned = _decode_paths(entry["fieldsV1"]) & new.keys() - taken
        if entry["manager"] == manager and taken:
            owned_before = owned
        elif owned:
            entries.append(entry | {"fieldsV1": _encode_paths(owned)})
    if taken:
        entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": time, "fieldsType": "FieldsV1"}
        entries.append(entry | {"fieldsV1": _encode_paths(owned_before | taken)})
    return sorted(entries, key=lambda entry: (entry["time"], entry["manager"]))


def _fields(document: Document, at: Path = ()) -> Iterator[tuple[Path, object]]:
    """List the fields that can have a manager with their values; a map is a field too, of one constant value."""
    for key, value in document.items():
        if (not at and key in ("apiVersion", "kind")) or (at == ("metadata",) and key not in METADATA):
            continue
        path = (*at, key)
        if path != ("metadata",):
            yield path, {} if isinstance(value, dict) else value
        if isinstance(value, dict):
            yield from _fields(value, path)


def _encode_paths(paths: Iterable[Path]) -> Document:
    paths = set(paths)
    tree: Document = {}
    for path in sorted(paths):
        node = tree
        for key in path:
            node = node.setdefault(f"f:{key}", {})
        if any(other[: len(path)] == path and other != path for other in paths):
            node["."] = {}
    return tree


def _decode_paths(tree: Document, at: Path = ()) -> set[Path]:
    paths = {at} if at and ("." in tree or not tree) else set()
    for key, below in tree.items():
        if key != ".":
            paths |= _decode_paths(below, (*at, key.removeprefix("f:")))
    return paths
