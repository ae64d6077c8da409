"""Write Events about the registry's ConfigMaps. What they say, and when, is `publisher.events`' to plan.

Of core/v1, not events.k8s.io/v1: the newer group takes neither `lastTimestamp`, by which `kubectl describe` sorts, nor
a change of the ConfigMap's uid.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from common import log
from common.clock import now
from common.errors import AccessDenied, PermanentError, SourceUnavailable
from common.problems import Problem
from publisher.events import Event, Reason, config_map, open_warnings, plan
from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.requests import Found, Requests
from publisher.source.cluster.timing import Timing
from publisher.source.source import Conflict

_log = log.get(__name__)

COMPONENT = "routecast-publisher"
"""Whom the Events come from; others' are left alone."""

_NOT_FOUND, _CONFLICT = 404, 409
_NOT_VALID = (400, 422)
_MERGE_PATCH = "application/merge-patch+json"
_EVENTS = "Events"


class EventRefused(PermanentError):
    """Raise when the API server finds a fault in one Event; the others may be well."""


class ClusterEvents(Requests):
    """The Events about the ConfigMaps of one namespace."""

    def __init__(self, api: client.ApiClient, config_maps: ConfigMaps, timing: Timing) -> None:
        super().__init__(api, timing)
        self._config_maps = config_maps
        self._namespace = config_maps.commands.namespace
        self._core = client.CoreV1Api(api)
        self._reviews = client.AuthorizationV1Api(api)

    @property
    def grant(self) -> str:
        """The command that gives the publisher the rights that this needs."""
        return f"{self._config_maps.commands.kubectl} apply -f deploy/kubernetes/components/events/access.yaml"

    async def allowed(self, verb: str) -> bool:
        """Ask the server whether it would let us do `verb` on Events.

        Raises:
            SourceUnavailable: the server does not answer.
            AccessDenied: it does not even know us.

        """
        attributes = client.V1ResourceAttributes(namespace=self._namespace, verb=verb, resource="events")
        spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        with self._translated("ask for", "what is allowed"):
            answer = await self._reviews.create_self_subject_access_review(
                client.V1SelfSubjectAccessReview(spec=spec), _request_timeout=self._timing.request_s
            )
            return bool(answer.status and answer.status.allowed)

    async def tell(self, problems: Sequence[Problem]) -> bool:
        """Bring the Events to what the problems are now; return whether any had to be written.

        Raises:
            Conflict: another publisher wrote one in between: plan again.
            SourceUnavailable: the server does not answer.
            AccessDenied: it is not allowed.

        """
        current = await self._read_events()
        about = {config_map(problem.document) for problem in problems}
        about |= {event.config_map for event in open_warnings(current)}
        uids = {name: await self._read_uid(name) for name in sorted(about)}
        conflict: Conflict | None = None
        writes = plan(current, problems, uids, now())
        for event in writes:
            try:
                await self._write(event)
            except Conflict as e:
                conflict = e
            except EventRefused as e:
                _log.error("a problem is not told as an Event", configmap=event.config_map, error=str(e))
        if conflict is not None:
            raise conflict
        return bool(writes)

    async def _read_events(self) -> list[Event]:
        items, _ = await self._list(
            self._core.list_namespaced_event_without_preload_content,
            _EVENTS,
            namespace=self._namespace,
            field_selector="involvedObject.kind=ConfigMap",
        )
        return [event for item in items if (event := read_event(item)) is not None]

    async def _read_uid(self, name: str) -> str | None:
        try:
            found = await self._config_maps.read(name)
        except AccessDenied:
            return None  # a problem of its own, which is to be told all the same
        return found["metadata"]["uid"] if found is not None else None

    async def _write(self, event: Event) -> None:
        verb = "create" if event.resource_version is None else "patch"
        with self._translated(verb, _EVENTS):
            try:
                await (self._create(event) if verb == "create" else self._patch(event))
            except ApiException as e:
                if e.status in _NOT_VALID:
                    raise EventRefused(f"{self._host} answers {e.status} {e.reason} to {verb} it: {e.body}") from e
                raise
        _log.debug("event written", configmap=event.config_map, reason=event.reason.value, count=event.count)

    async def _create(self, event: Event) -> None:
        body = client.CoreV1Event.model_validate(new_event(event, self._namespace))
        await self._core.create_namespaced_event(
            self._namespace, body, field_manager=COMPONENT, _request_timeout=self._timing.request_s
        )

    async def _patch(self, event: Event) -> None:
        await self._core.patch_namespaced_event(
            event.name,
            self._namespace,
            changed_event(event),
            field_manager=COMPONENT,
            _content_type=_MERGE_PATCH,
            _request_timeout=self._timing.request_s,
        )

    def _refusal(self, verb: str, name: str, error: ApiException) -> SourceUnavailable | AccessDenied:
        if error.status == _CONFLICT or (error.status == _NOT_FOUND and verb == "patch"):
            return Conflict(f"somebody else wrote an Event in {self._namespace} in between ({error.reason})")
        return super()._refusal(verb, name, error)

    def _denied(self, verb: str, name: str) -> str:
        return f"this user may not {verb} {name} in {self._namespace}; grant with `{self.grant}`"


def new_event(event: Event, namespace: str) -> Found:
    """Return the JSON of an Event that does not exist yet."""
    name, _, key = event.document.partition("/")
    about = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": namespace, "name": name}
    about |= {"uid": event.uid} if event.uid is not None else {}
    about |= {"fieldPath": f"data{{{key}}}"} if key else {}
    return {
        "metadata": {"name": event.name, "namespace": namespace},
        "involvedObject": about,
        "type": "Warning" if event.warns else "Normal",
        "reason": event.reason.value,
        "source": {"component": COMPONENT},
        "firstTimestamp": _written(event.first),
        "lastTimestamp": _written(event.last),
        "count": event.count,
        "message": event.text,
    }


def changed_event(event: Event) -> Found:
    """Return the merge patch of an Event that exists, under the lock of its resource version."""
    return {
        "metadata": {"resourceVersion": event.resource_version},
        "involvedObject": {"uid": event.uid},
        "lastTimestamp": _written(event.last),
        "count": event.count,
        "message": event.text,
    }


def read_event(found: Found) -> Event | None:
    """Return the Event of its JSON; None when it is not ours."""
    if (found.get("source") or {}).get("component") != COMPONENT:
        return None
    try:
        about = found["involvedObject"]
        key = about.get("fieldPath", "").removeprefix("data{").removesuffix("}")
        return Event(
            name=found["metadata"]["name"],
            document=f"{about['name']}/{key}" if key else about["name"],
            reason=Reason(found["reason"]),
            text=found["message"],
            uid=about.get("uid"),
            first=datetime.fromisoformat(found["firstTimestamp"]),
            last=datetime.fromisoformat(found["lastTimestamp"]),
            count=found["count"],
            resource_version=found["metadata"]["resourceVersion"],
        )
    except (KeyError, ValueError, TypeError):
        return None  # somebody else's who uses our name


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
