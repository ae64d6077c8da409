"""What little the fake knows of the kinds that it keeps as they come: their fields, tokens in Secrets, replicas.

Pure, but for the certificate of this process. There is no kubelet and no controller: a Deployment is text.
"""

import base64
from collections.abc import Iterable

from tests.fakes.kubernetes_status import Document
from tests.fakes.kubernetes_tls import TOKEN, identity

_SERVERS = ("apiVersion", "kind", "metadata", "status")
_TOKENS = "kubernetes.io/service-account-token"


def fields(body: Document) -> Iterable[str]:
    """Return what a writer has set of an object, besides its metadata."""
    return [key for key in body if key not in _SERVERS]


def complete_secret(document: Document) -> Document:
    """Give a Secret its type; put the token of the one user, and whom to trust, into one that is made to hold them."""
    document = {"type": "Opaque"} | document
    if document["type"] != _TOKENS:
        return document
    held = {"token": TOKEN.encode(), "ca.crt": identity().certificate}
    return document | {"data": {key: base64.b64encode(value).decode() for key, value in held.items()}}


def show_scale(document: Document) -> Document:
    """Show how many replicas of a Deployment are wanted; none of them runs."""
    metadata = {key: document["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
    wanted = {"replicas": document.get("spec", {}).get("replicas", 1)}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": wanted,
        "status": {"replicas": 0},
    }


def read_scale(scale: Document) -> Document:
    """Return the change of the Deployment that a written scale, or a patch of one, asks for."""
    return {"spec": {"replicas": (scale.get("spec") or {}).get("replicas", 0)}}
