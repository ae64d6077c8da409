"""Every error that routecast raises on purpose.

- RoutecastError
  - TransientError: trying again later can help
    - BusUnavailable
    - SourceUnavailable
    - NotReady
    - PublishConflict
    - PublishUncertain
  - PermanentError: a person must act
    - ConfigError
    - AccessDenied
    - SnapshotTooLarge
    - SnapshotRejected
    - TargetFailed
    - NothingToShow
    - EditRefused

Libraries' errors are translated where they enter, with ``raise ... from``. A message says what, where, why
and the next command. This module holds no handling.
"""

from enum import StrEnum


class RoutecastError(Exception):
    """Base of all errors below; what the command line prints as one line."""


class TransientError(RoutecastError):
    """Raise when the same call may succeed later without a person's help."""


class BusUnavailable(TransientError):
    """Raise when NATS cannot be reached, or a call on it ran out of time."""


class SourceUnavailable(TransientError):
    """Raise when the registry's source cannot be listed now: API server away, folder missing."""


class NotReady(TransientError):
    """Raise when nothing may be published yet: the source is not listed whole, or a part is unreadable."""


class PublishConflict(TransientError):
    """Raise when another publisher moved the stream first (expected last sequence did not hold)."""


class PublishUncertain(TransientError):
    """Raise when a publish was not confirmed in time: it may or may not be stored."""


class PermanentError(RoutecastError):
    """Raise when only a person can mend the cause."""


class ConfigError(PermanentError):
    """Raise when settings, keys or arguments are missing or wrong."""


class AccessDenied(PermanentError):
    """Raise when the API server or NATS refuses what routecast needs."""


class SnapshotTooLarge(PermanentError):
    """Raise when an encoded snapshot is above the server's ``max_payload``."""


class NothingToShow(PermanentError):
    """Raise when what was asked for does not exist: a version, a node, a stream."""


class EditRefused(PermanentError):
    """Raise when an edit of the registry is not valid, or not confirmed: nothing was written. Holds all faults."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n  ".join(faults))
        self.faults = faults


class Rejection(StrEnum):
    """Say why a node takes nothing of a snapshot (DESIGN 6)."""

    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    SIZE = "size"
    ENCODING = "encoding"
    SCHEMA = "schema"
    DIGEST = "digest"
    INSTALLATION = "installation"
    ORDER = "order"


class SnapshotRejected(PermanentError):
    """Raise when a snapshot message must not be used at all; ``code`` says by which rule."""

    def __init__(self, code: Rejection, message: str) -> None:
        super().__init__(message)
        self.code = code


class TargetFailed(PermanentError):
    """Raise when a target could not be brought to the desired state; what it can keep of the previous one stands."""

    def __init__(self, code: str, message: str, *, entry: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.entry = entry
