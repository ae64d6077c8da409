"""Say no as a Kubernetes API server does: an HTTP code with a `Status` body.

Wording and reasons follow kube-apiserver 1.36, because a client may show or match them. Does not decide when to refuse.
"""

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]
"""One JSON object, such as a ConfigMap; never changed in place once it is stored."""

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class DecodeError(Exception):
    """Raised when a value is not of the type that the kind's Go struct gives to its field."""


class StatusError(Exception):
    """Raised when the server refuses a request; the HTTP layer turns it into the answer."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        reason: str | None = None,
        details: Document | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = REASONS.get(code, "") if reason is None else reason
        self.retry_after_s = retry_after_s
        self.details = details

    def body(self) -> Document:
        """Build the `Status` object of the answer."""
        body: Document = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body |= {"message": str(self), "reason": self.reason, "code": self.code}
        return body | ({"details": self.details} if self.details else {})


def not_found(resource: str, name: str) -> StatusError:
    """Say that the object does not exist; also used for the namespace of an object to create."""
    return StatusError(404, f'{resource} "{name}" not found', details={"name": name, "kind": resource})


def already_exists(resource: str, name: str) -> StatusError:
    """Say that a create met an object of that name."""
    return StatusError(
        409, f'{resource} "{name}" already exists', reason="AlreadyExists", details={"name": name, "kind": resource}
    )


def conflict(resource: str, name: str, why: str = "") -> StatusError:
    """Say that the object is not the one that the writer had read."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    return StatusError(
        409, f'Operation cannot be fulfilled on {resource} "{name}": {why}', details={"name": name, "kind": resource}
    )


def invalid(kind: str, name: str, faults: Sequence[str]) -> StatusError:
    """Say that the object was understood and breaks a rule of its kind; each fault is `field: what`."""
    text = ", ".join(faults) if len(faults) == 1 else f"[{', '.join(faults)}]"
    return StatusError(422, f'{kind} "{name}" is invalid: {text}', details={"name": name, "kind": kind})


def cannot_be_handled(kind: str, why: str) -> StatusError:
    """Say that a body cannot be decoded as what it should be."""
    return StatusError(400, f'{kind} in version "v1" cannot be handled as a {kind}: {why}')


def expired(asked: int, oldest: int) -> StatusError:
    """Say that the history which a watch asks for is compacted away."""
    return StatusError(410, f"too old resource version: {asked} ({oldest})")
