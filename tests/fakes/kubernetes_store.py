"""Keep objects as etcd and the API server's registry do: one rising revision, optimistic locks, a history to replay.

Knows nothing of HTTP, permissions or faults. Every write goes through `Store`, whoever asks.
"""

import copy
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from tests.fakes.kubernetes_managers import note_manager
from tests.fakes.kubernetes_objects import complete, decode, encode, find_faults, merge
from tests.fakes.kubernetes_resources import NAMESPACES, Resource
from tests.fakes.kubernetes_status import (
    DecodeError,
    Document,
    StatusError,
    already_exists,
    cannot_be_handled,
    conflict,
    invalid,
    not_found,
)

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def utc_now() -> datetime:
    """Tell the time for `managedFields`; tests hand in clocks of their own."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list or watch asks for: a resource, a namespace (None: all), and `field=value` terms that all hold."""

    resource: Resource
    namespace: str | None
    terms: tuple[tuple[str, str], ...] = ()

    def __contains__(self, document: Document) -> bool:
        if document["kind"] != self.resource.kind:
            return False
        if self.namespace not in (None, document["metadata"]["namespace"]):
            return False
        return all(_value(document, self.resource.selectable[field]) == value for field, value in self.terms)


@dataclass(frozen=True, slots=True)
class Change:
    """One write: its revision, `ADDED`, `MODIFIED` or `DELETED`, and the object, stamped with it."""

    revision: int
    type: str
    object: Document


class Store:
    """The objects of a cluster and everything that happened to them."""

    def __init__(self, on_change: Callable[[], None], clock: Callable[[], datetime] = utc_now) -> None:
        self.revision = 1000
        self.oldest = 0
        self.namespaces = {"default", "kube-public", "kube-system"}
        self._objects: dict[tuple[str, str, str], Document] = {}
        self._history: list[Change] = []
        self._on_change = on_change
        self._clock = clock

    def read(self, resource: Resource, namespace: str, name: str) -> Document:
        """Find one object, in its stored shape; raises StatusError 404."""
        try:
            return self._objects[resource.plural, namespace, name]
        except KeyError:
            raise not_found(resource.plural, name) from None

    def show_namespace(self, name: str) -> None:
        """Make the object of a namespace that is only known by its name; nothing for one that is not there."""
        if name in self.namespaces and (NAMESPACES.plural, "", name) not in self._objects:
            self.put(NAMESPACES, "", {"metadata": {"name": name}}, "kube-apiserver")

    def select(self, selection: Selection) -> list[Document]:
        """List objects by namespace and name, in their stored shape."""
        return [document for _, document in sorted(self._objects.items()) if document in selection]

    def since(self, revision: int) -> list[Change]:
        """List the changes after a revision, also of what is compacted: a watch that is under way never loses any."""
        newest_first = takewhile(lambda change: change.revision > revision, reversed(self._history))
        return list(newest_first)[::-1]

    def compact(self) -> None:
        """Forget the history up to now, as etcd does every five minutes."""
        self.oldest = self.revision

    def create(self, resource: Resource, namespace: str, body: Document, manager: str) -> Document:
        """Store a new object under its name or a generated one; raises StatusError 400, 404, 409, 422 or 500."""
        return self._create(resource, namespace, body, _without_status(_decode(resource, body), None), manager)

    def put(self, resource: Resource, namespace: str, body: Document, manager: str) -> Document:
        """Create an object or replace it, its status too, as a controller of the cluster would. Raises StatusError."""
        desired = _decode(resource, body)
        current = self._objects.get((resource.plural, namespace, body["metadata"]["name"]))
        if current is None:
            return self._create(resource, namespace, body, desired, manager)
        return self._update(resource, current, body, desired, manager)

    def replace(self, resource: Resource, namespace: str, name: str, body: Document, manager: str) -> Document:
        """Put a whole object in the place of another; a `resourceVersion` in it is a lock. Raises StatusError."""
        current = self.read(resource, namespace, name)
        return self._update(resource, current, body, _without_status(_decode(resource, body), current), manager)

    def patch(self, resource: Resource, namespace: str, name: str, patch: Document, manager: str) -> Document:
        """Merge a patch into an object as its group shows it; a `resourceVersion` in it is a lock.

        Raises StatusError; for what cannot be decoded it is a 422 here.
        """
        current = self.read(resource, namespace, name)
        body: Any = merge(encode(resource, current), patch)
        try:
            desired = decode(resource, body)
        except DecodeError as e:
            raise invalid(resource.kind, name, [f"patch: Invalid value: {e}"]) from e
        return self._update(resource, current, body, _without_status(desired, current), manager)

    def delete(self, resource: Resource, namespace: str, name: str, revision: str | None = None) -> Document:
        """Remove an object and return it; `revision` is the precondition of a delete. Raises StatusError 404 or 409."""
        current = self.read(resource, namespace, name)
        if revision not in (None, current["metadata"]["resourceVersion"]):
            why = "the ResourceVersion in the precondition does not match the ResourceVersion in record"
            raise conflict(resource.plural, name, why)
        del self._objects[resource.plural, namespace, name]
        if resource is NAMESPACES:
            self.namespaces.discard(name)
        self._commit("DELETED", current)
        return current

    def _create(self, resource: Resource, namespace: str, body: Document, desired: Document, manager: str) -> Document:
        if resource.namespaced and namespace not in self.namespaces:
            raise not_found("namespaces", namespace)
        metadata = body.get("metadata") or {}
        if metadata.get("resourceVersion"):
            raise StatusError(500, "resourceVersion should not be set on objects to be created", reason="")
        if metadata.get("namespace", namespace) != namespace:
            why = "the namespace of the provided object does not match the namespace sent on the request"
            raise StatusError(400, why)
        name = metadata.get("name") or _generate_name(metadata.get("generateName"))
        if not name:
            raise invalid(resource.kind, "", ["metadata.name: Required value: name or generateName is required"])
        if (resource.plural, namespace, name) in self._objects:
            raise already_exists(resource.plural, name)
        created = self._now()
        owned = {"name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": created}
        return self._write(resource, None, desired, owned, manager)

    def _update(
        self, resource: Resource, current: Document, body: Document, desired: Document, manager: str
    ) -> Document:
        was, claims = current["metadata"], body.get("metadata") or {}
        for field in ("name", "namespace"):
            if (claims.get(field) or was[field]) != was[field]:
                raise StatusError(
                    400,
                    f"the {field} of the object ({claims[field]}) does not match the {field} on the URL ({was[field]})",
                )
        if (claims.get("uid") or was["uid"]) != was["uid"]:
            why = f"Precondition failed: UID in precondition: {claims['uid']}, UID in object meta: {was['uid']}"
            raise conflict(resource.plural, was["name"], why)
        if (claims.get("resourceVersion") or was["resourceVersion"]) != was["resourceVersion"]:
            raise conflict(resource.plural, was["name"])
        owned = {key: was[key] for key in ("name", "namespace", "uid", "creationTimestamp")}
        return self._write(resource, current, desired, owned, manager)

    def _write(
        self, resource: Resource, current: Document | None, desired: Document, owned: Document, manager: str
    ) -> Document:
        """Validate and store; a write that changes nothing keeps the old revision and shows in no watch."""
        version = resource.api_version if resource.plain else "v1"
        document: Document = {"apiVersion": version, "kind": resource.kind} | copy.deepcopy(desired)
        document["metadata"] |= owned
        document = complete(resource, document)
        if faults := find_faults(resource, document, current):
            raise invalid(resource.kind, owned["name"], faults)
        if current and document == _without_bookkeeping(current):
            return current
        document["metadata"]["managedFields"] = note_manager(current, document, manager, self._now())
        stored = self._commit("MODIFIED" if current else "ADDED", document)
        self._objects[resource.plural, owned["namespace"], owned["name"]] = stored
        if resource is NAMESPACES:
            self.namespaces.add(owned["name"])
        return stored

    def _commit(self, change: str, document: Document) -> Document:
        self.revision += 1
        stamped = document | {"metadata": document["metadata"] | {"resourceVersion": str(self.revision)}}
        self._history.append(Change(self.revision, change, stamped))
        self._on_change()
        return stamped

    def now(self) -> datetime:
        """Tell the time by the clock of this cluster."""
        return self._clock().astimezone(UTC)

    def _now(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _generate_name(prefix: str | None) -> str:
    return prefix + "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5)) if prefix else ""


def _decode(resource: Resource, body: Document) -> Document:
    try:
        return decode(resource, body)
    except DecodeError as e:
        raise cannot_be_handled(resource.kind, str(e)) from e


def _without_status(desired: Document, current: Document | None) -> Document:
    """Leave the status as it was: it is a subresource, which no write of the object itself reaches."""
    status = (current or {}).get("status")
    return {key: value for key, value in desired.items() if key != "status"} | ({"status": status} if status else {})


def _without_bookkeeping(document: Document) -> Document:
    metadata = {k: v for k, v in document["metadata"].items() if k not in ("resourceVersion", "managedFields")}
    return document | {"metadata": metadata}


def _value(document: Document, fields: tuple[str, ...]) -> str:
    for field in fields:
        value: Any = document
        for key in field.split("."):
            value = (value or {}).get(key)
        if value:
            return str(value)
    return ""
