"""A ConfigMap as the API returns it, to a document. Pure."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.settings.publisher import PublisherSettings
from publisher.source.document import Document


@dataclass(frozen=True, slots=True)
class Commands:
    """What people type to mend something: ``kubectl`` with the cluster and namespace that the settings name."""

    kubectl: str
    namespace: str

    @classmethod
    def of(cls, settings: PublisherSettings) -> "Commands":
        """Return the commands for the cluster of the settings."""
        words = ["kubectl"]
        words += ["--kubeconfig", str(settings.kubeconfig)] if settings.kubeconfig is not None else []
        words += ["--context", settings.context] if settings.context is not None else []
        return cls(shlex.join(words), settings.namespace)

    def edit(self, name: str) -> str:
        """Return the command that opens a ConfigMap for editing."""
        return f"{self.kubectl} -n {self.namespace} edit configmap {name}"

    def create(self, name: str) -> str:
        """Return the command that makes a ConfigMap without keys, and opens it; no key is no empty registry."""
        return f"{self.kubectl} -n {self.namespace} create configmap {name} && {self.edit(name)}"

    def can_i(self, verb: str, name: str) -> str:
        """Return the command that asks whether a verb is allowed."""
        what = "configmaps" if verb == "create" else f"configmap/{name}"
        return f"{self.kubectl} -n {self.namespace} auth can-i {verb} {what}"

    @property
    def grant(self) -> str:
        """The command that gives the publisher the rights it needs."""
        return f"{self.kubectl} apply -f deploy/kubernetes/access.yaml"


def read_document(name: str, found: Mapping[str, Any] | None, commands: Commands) -> Document:
    """Return the document of a ConfigMap's JSON; None: it does not exist."""
    if found is None:
        return Document.missing(name, edit=commands.create(name))
    metadata = found.get("metadata") or {}
    changed_by, changed_at = _last_change(metadata)
    return Document(
        name,
        dict(found.get("data") or {}),
        resource_version=metadata.get("resourceVersion"),
        changed_by=changed_by,
        changed_at=changed_at,
        edit=commands.edit(name),
    )


def denied_document(name: str, why: str, commands: Commands) -> Document:
    """Return the document that may not be read."""
    return Document(name, None, why=why, edit=commands.grant)


def _last_change(metadata: Mapping[str, Any]) -> tuple[str | None, datetime | None]:
    """Return who changed a ConfigMap last, and when, as far as its managed fields say."""
    changes = [(_time(entry.get("time")), entry.get("manager")) for entry in metadata.get("managedFields") or []]
    dated = [(at, by) for at, by in changes if at is not None]
    if not dated:
        return None, _time(metadata.get("creationTimestamp"))
    at, by = max(dated, key=lambda change: change[0])
    return by, at


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
