"""Read and write Events in both of their shapes, and check them as strictly as the API group that was asked.

Stored is the shape of core/v1, without empty fields. Rules and names are those of pkg/apis/core/validation/events.go
and pkg/apis/events/v1/conversion.go of Kubernetes. Pure. Left out: limits on lengths but for those of the new group.
"""

import re
from datetime import UTC, datetime

from tests.fakes.kubernetes_resources import NEW_EVENTS, Resource
from tests.fakes.kubernetes_status import DecodeError, Document

_RENAMED = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
"""Field of events.k8s.io/v1 -> the same field of core/v1."""

_SAME = ("action", "eventTime", "reason", "related", "reportingInstance", "series", "type")
FIELDS, NEW_FIELDS = (*_RENAMED.values(), *_SAME), (*_RENAMED, *_SAME)
"""What an Event holds beside its metadata, in core/v1 and in events.k8s.io/v1."""

_ALWAYS: Document = {
    "involvedObject": {},
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
}
_ALWAYS_IN_CORE = {"reportingComponent": "", "reportingInstance": ""}
"""What the server writes also where it is empty: the fields without `omitempty`."""

_LIMITS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}
_FIXED = tuple(field for field in FIELDS if field != "series")
_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)")
_MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[-+]\d\d:\d\d)")
_QUALIFIED_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def to_stored(resource: Resource, body: Document) -> Document:
    """Turn the known fields that a client wrote into the stored shape, times in UTC; empty ones go.

    Raises DecodeError for a time in another form than the server reads: `eventTime` and `lastObservedTime` need
    exactly six decimals.
    """
    if resource is NEW_EVENTS:
        body = {_RENAMED.get(key, key): value for key, value in body.items()}
    stored = {key: value for key, value in body.items() if value not in (None, "", 0, {})}
    for key in ("firstTimestamp", "lastTimestamp"):
        if key in stored:
            stored[key] = _read_time(key, stored[key], _SECONDS, "seconds")
    if "eventTime" in stored:
        stored["eventTime"] = _read_time("eventTime", stored["eventTime"], _MICROSECONDS, "microseconds")
    if observed := (stored.get("series") or {}).get("lastObservedTime"):
        observed = _read_time("series.lastObservedTime", observed, _MICROSECONDS, "microseconds")
        stored["series"] = stored["series"] | {"lastObservedTime": observed}
    return stored


def _read_time(field: str, text: object, form: re.Pattern[str], precision: str) -> str:
    if not isinstance(text, str) or not form.fullmatch(text):
        raise DecodeError(f'parsing time "{text}" of {field}: cannot parse it as RFC 3339 with {precision}')
    moment = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec=precision) + "Z"


def from_stored(resource: Resource, document: Document) -> Document:
    """Turn a stored Event into the shape of the group that was asked, with the empty fields that the server sends."""
    if resource is not NEW_EVENTS:
        return _ALWAYS | _ALWAYS_IN_CORE | document
    new_names = {old: new for new, old in _RENAMED.items()}
    shown = {new_names.get(key, key): value for key, value in (_ALWAYS | document).items()}
    return shown | {"apiVersion": resource.api_version}


def find_event_faults(resource: Resource, document: Document, current: Document | None) -> list[str]:
    """List the rules that an Event in its stored shape breaks, in the words of the group that was asked."""
    faults = _legacy_faults(document)
    if resource is not NEW_EVENTS:
        return faults
    series = document.get("series")
    if series is not None and series != (current or {}).get("series"):
        if series.get("count", 0) < 2:
            faults.append("series.count: Invalid value: should be at least 2")
        if not series.get("lastObservedTime"):
            faults.append("series.lastObservedTime: Required value")
    if current is not None:
        changed = [key for key in _FIXED if document.get(key) != current.get(key)]
        names = [key.replace("reportingComponent", "reportingController") for key in changed]
        return faults + [f"{name}: Invalid value: field is immutable" for name in names]
    if not document.get("eventTime"):
        faults.append("eventTime: Required value")
    if document.get("type") not in ("Normal", "Warning"):
        faults.append(f'type: Invalid value: "": has invalid value: {document.get("type", "")}')
    unwanted = [key for key in ("firstTimestamp", "lastTimestamp", "count", "source") if document.get(key)]
    return faults + [f'{key}: Invalid value: "": needs to be unset' for key in unwanted]


def _legacy_faults(document: Document) -> list[str]:
    """Apply legacyValidateEvent, which asks more of an Event with `eventTime`."""
    namespace, about = document["metadata"]["namespace"], (document.get("involvedObject") or {}).get("namespace") or ""
    new = bool(document.get("eventTime"))
    home = ("default", "kube-system") if new else ("default",)
    fits = (new or about == namespace) if about else namespace in home
    faults = [] if fits else [f'involvedObject.namespace: Invalid value: "{about}": does not match event.namespace']
    if not new:
        return faults
    controller = document.get("reportingComponent", "")
    if not controller:
        faults.append("reportingController: Required value")
    if not _QUALIFIED_NAME.fullmatch(controller):
        why = "name part must consist of alphanumeric characters, '-', '_' or '.'"
        faults.append(f'reportingController: Invalid value: "{controller}": {why}')
    faults += [f"{key}: Required value" for key in ("reportingInstance", "action", "reason") if not document.get(key)]
    return faults + [
        f'{key}: Invalid value: "": can have at most {limit} characters'
        for key, limit in _LIMITS.items()
        if len(document.get(key, "").encode()) > limit
    ]
