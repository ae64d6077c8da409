"""Treat an object as the API server does on its way in: decode, merge a patch, validate, note the field's manager.

Pure: values in, values out; the clock and the store are elsewhere. Left out of the real rules: `immutable`, finalizers,
owner references, `$patch` directives, defaults of Events.
"""

import re
from collections.abc import Iterable, Iterator

from tests.fakes.kubernetes_status import Document

MAX_DATA_BYTES = 1024 * 1024
"""core.MaxSecretSize, which also bounds the values of a ConfigMap (pkg/apis/core/validation)."""

Path = tuple[str, ...]
"""The way to a field through nested objects."""

_FIELDS = {"configmaps": ("data", "binaryData", "immutable"), "events": None}
_METADATA = ("generateName", "labels", "annotations")
_STRING_MAPS = (("data",), ("binaryData",), ("metadata", "labels"), ("metadata", "annotations"))
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")


class DecodeError(Exception):
    """Raised when a value is not of the type that the kind's Go struct gives to its field."""


def decode(resource: str, body: Document) -> Document:
    """Keep what a writer may set, in the form in which the server hands it back.

    Unknown fields and empty maps go, as in any typed Go decoder: `data: {}` reads back as no data at all. Metadata
    keeps labels, annotations and `generateName`; the rest of it is the server's. Raises DecodeError for a value of
    another type.
    """
    known = _FIELDS[resource]
    decoded = {
        k: v for k, v in body.items() if k not in ("apiVersion", "kind", "metadata") and (not known or k in known)
    }
    metadata = body.get("metadata") or {}
    decoded["metadata"] = {key: metadata[key] for key in _METADATA if metadata.get(key)}
    for path in _STRING_MAPS:
        parent = decoded["metadata"] if len(path) > 1 else decoded
        if path[-1] in parent:
            parent[path[-1]] = _decode_strings(".".join(path), parent[path[-1]])
    return {key: value for key, value in decoded.items() if key == "metadata" or value not in (None, {})}


def _decode_strings(field: str, value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DecodeError(f"json: cannot unmarshal {type(value).__name__} into {field} of type map[string]string")
    for item in value.values():
        if not isinstance(item, str | None):
            raise DecodeError(f"json: cannot unmarshal {type(item).__name__} into {field} of type string")
    return {key: item or "" for key, item in value.items()}


def merge(current: object, patch: object) -> object:
    """Apply a JSON merge patch (RFC 7396): null deletes, objects merge, anything else replaces.

    A strategic merge of a ConfigMap comes to the same, since it holds no lists.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def find_faults(resource: str, document: Document) -> list[str]:
    """List every rule of its kind that a decoded object with its name breaks, as `field: what`."""
    name, faults = document["metadata"]["name"], []
    if len(name) > 253 or not _DNS_SUBDOMAIN.fullmatch(name):
        faults.append(
            f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case'
            " alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        )
    return faults + (_event_faults(document) if resource == "events" else _config_map_faults(document))


def _config_map_faults(document: Document) -> list[str]:
    values = document.get("data", {}) | document.get("binaryData", {})
    faults = [
        f'data[{key}]: Invalid value: "{key}": a valid config key must consist of alphanumeric characters,'
        " '-', '_' or '.'"
        for key in values
        if len(key) > 253 or key in (".", "..") or not _DATA_KEY.fullmatch(key)
    ]
    if sum(len(value.encode()) for value in values.values()) > MAX_DATA_BYTES:
        faults.append(f"[]: Too long: may not be more than {MAX_DATA_BYTES} bytes")
    return faults


def _event_faults(document: Document) -> list[str]:
    """Apply legacyValidateEvent (pkg/apis/core/validation/events.go), which depends on whether `eventTime` is set."""
    namespace, about = document["metadata"]["namespace"], (document.get("involvedObject") or {}).get("namespace") or ""
    new = bool(document.get("eventTime"))
    home = ("default", "kube-system") if new else ("default",)
    fits = (new or about == namespace) if about else namespace in home
    faults = [] if fits else [f'involvedObject.namespace: Invalid value: "{about}": does not match event.namespace']
    keys = ("reportingComponent", "reportingInstance", "action", "reason") if new else ()
    return faults + [
        f"{key.replace('Component', 'Controller')}: Required value" for key in keys if not document.get(key)
    ]


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
        if (not at and key in ("apiVersion", "kind")) or (at == ("metadata",) and key not in _METADATA):
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
