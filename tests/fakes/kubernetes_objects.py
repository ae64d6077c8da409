"""Treat an object as the API server does on its way in: decode, merge a patch, validate; and show it on its way out.

Pure: values in, values out; the clock and the store are elsewhere. What is particular to Events, Services and
plain kinds stands in `kubernetes_events`, `kubernetes_services` and `kubernetes_plain`. Left out of the real rules:
`immutable`, finalizers, owner references, and of a strategic merge what differs from a JSON merge: lists and `$patch`
directives.
"""

import re

from tests.fakes import kubernetes_events, kubernetes_plain, kubernetes_services
from tests.fakes.kubernetes_resources import CONFIG_MAPS, EVENTS, NEW_EVENTS, SECRETS, SERVICES, Resource
from tests.fakes.kubernetes_status import DecodeError, Document

MAX_DATA_BYTES = 1024 * 1024
"""core.MaxSecretSize, which also bounds the values of a ConfigMap (pkg/apis/core/validation)."""

METADATA = ("generateName", "labels", "annotations")
"""What a writer may set of the metadata; the rest of it is the server's."""

_FIELDS = {
    CONFIG_MAPS: ("data", "binaryData", "immutable"),
    SERVICES: ("spec", "status"),
    EVENTS: kubernetes_events.FIELDS,
    NEW_EVENTS: kubernetes_events.NEW_FIELDS,
}
_STRING_MAPS = (("data",), ("binaryData",), ("metadata", "labels"), ("metadata", "annotations"))
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")


def decode(resource: Resource, body: Document) -> Document:
    """Keep what a writer may set, in the form in which it is stored.

    Unknown fields and empty maps go, as in any typed Go decoder: `data: {}` reads back as no data at all. Metadata
    keeps labels, annotations and `generateName`. Raises DecodeError for a value of another type.
    """
    fields = kubernetes_plain.fields(body) if resource.plain else _FIELDS[resource]
    decoded = {key: body[key] for key in fields if key in body}
    if resource is SERVICES:
        kubernetes_services.check_service_types(decoded)
    if resource.plural == "events":
        decoded = kubernetes_events.to_stored(resource, decoded)
    metadata = body.get("metadata") or {}
    decoded["metadata"] = {key: metadata[key] for key in METADATA if metadata.get(key)}
    for path in _STRING_MAPS:
        parent = decoded["metadata"] if len(path) > 1 else decoded
        if path[-1] in parent:
            parent[path[-1]] = _decode_strings(".".join(path), parent[path[-1]])
    return {key: value for key, value in decoded.items() if key == "metadata" or value not in (None, {})}


def find_unknown(resource: Resource, body: Document) -> list[str]:
    """List the fields that the kind does not have, which a client may ask to be told of; looks at the top only."""
    if resource.plain:
        return []
    return sorted(body.keys() - {"apiVersion", "kind", "metadata", *_FIELDS[resource]})


def needs_strategy(patch: object) -> bool:
    """Tell whether a strategic merge patch would do something else than the same JSON merge patch."""
    if isinstance(patch, dict):
        return any(key.startswith("$") or needs_strategy(value) for key, value in patch.items())
    return isinstance(patch, list)


def encode(resource: Resource, document: Document) -> Document:
    """Show a stored object as a group hands it out."""
    return kubernetes_events.from_stored(resource, document) if resource.plural == "events" else document


def complete(resource: Resource, document: Document) -> Document:
    """Set the defaults of an object that has its name and namespace."""
    if resource is SERVICES:
        return kubernetes_services.complete_service(document)
    return kubernetes_plain.complete_secret(document) if resource is SECRETS else document


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


def find_faults(resource: Resource, document: Document, current: Document | None) -> list[str]:
    """List every rule of its kind that a decoded object with its name breaks, as `field: what`."""
    if resource is SERVICES:
        return kubernetes_services.find_service_faults(document)
    if resource.plain:
        return []
    if resource is CONFIG_MAPS:
        return _name_faults(document) + _config_map_faults(document)
    strict = _name_faults(document) if resource.group else []  # core/v1 takes Events of almost any name
    return strict + kubernetes_events.find_event_faults(resource, document, current)


def _name_faults(document: Document) -> list[str]:
    """Check the name, and the beginning of a generated one, in which a hyphen at the end is no fault."""
    names = {"name": document["metadata"]["name"]}
    if prefix := document["metadata"].get("generateName"):
        names["generateName"] = prefix
    return [
        f'metadata.{field}: Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case'
        " alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        for field, name in names.items()
        if len(name) > 253 or not _DNS_SUBDOMAIN.fullmatch(name.removesuffix("-") if field == "generateName" else name)
    ]


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
