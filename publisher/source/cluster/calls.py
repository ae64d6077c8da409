"""The few requests to the API server that the publisher makes, each under a limit, with errors turned into ours."""

import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import aiohttp
import orjson
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from common.errors import AccessDenied, SourceUnavailable
from publisher.source.cluster.document import Commands
from publisher.source.cluster.timing import Timing

_OK, _NOT_FOUND = 200, 404
_MERGE_PATCH = "application/merge-patch+json"
_FIELD_MANAGER = "routecast-publisher"
_WHOLE = 0.9
"""A watch that lasted this part of its time ended by itself."""

ConfigMap = dict[str, Any]
"""A ConfigMap's JSON."""


class WatchEvent(NamedTuple):
    """One line of a watch: ``ADDED``, ``MODIFIED``, ``DELETED`` or ``BOOKMARK``, and where to go on from."""

    kind: str
    found: ConfigMap
    resource_version: str


class Conflict(SourceUnavailable):
    """Raise when somebody else wrote, made or deleted the object in between: read it again."""


class Expired(SourceUnavailable):
    """Raise when the server no longer knows the resource version that a watch starts from: list again."""


class ConfigMaps:
    """The ConfigMaps of one namespace. Lists and watches name one each: the Role allows no more."""

    def __init__(self, api: client.ApiClient, commands: Commands, timing: Timing) -> None:
        self.commands = commands
        self._namespace = commands.namespace
        self._timing = timing
        self._core = client.CoreV1Api(api)
        self._reviews = client.AuthorizationV1Api(api)
        self._host = api.configuration.host

    async def list_one(self, name: str) -> tuple[ConfigMap | None, str]:
        """Return the ConfigMap, None when there is none, and the resource version that a watch goes on from.

        Raises:
            SourceUnavailable: the server does not answer, or not as it should.
            AccessDenied: listing it is not allowed.

        """
        with self._translated("list", name):
            response = await self._core.list_namespaced_config_map_without_preload_content(
                self._namespace, field_selector=f"metadata.name={name}", _request_timeout=self._timing.request_s
            )
            listed = orjson.loads(await _body(response))
            items = listed.get("items") or []
            return (items[0] if items else None), listed["metadata"]["resourceVersion"]

    async def watch_one(self, name: str, resource_version: str, limit_s: float) -> AsyncGenerator[WatchEvent, None]:
        """Yield the events of one watch, until the server ends it in its time, at most `limit_s`.

        Raises:
            Expired: the server no longer knows `resource_version`.
            SourceUnavailable: the connection broke, or went silent.
            AccessDenied: watching it is not allowed.

        """
        served_s, started = max(1, int(min(self._timing.watch_s, limit_s))), time.monotonic()
        with self._translated("watch", name):
            response = await self._core.list_namespaced_config_map_without_preload_content(
                self._namespace,
                field_selector=f"metadata.name={name}",
                resource_version=resource_version,
                allow_watch_bookmarks=True,
                watch=True,
                timeout_seconds=served_s,
                _request_timeout=served_s + self._timing.watch_grace_s,
            )
            try:
                if response.status != _OK:
                    await _body(response)
                while line := await response.content.readline():
                    yield _event(line)
            finally:
                response.close()
        if time.monotonic() - started < served_s * _WHOLE:
            raise SourceUnavailable(f"the API server at {self._host} ended the watch of {name} before its time")

    async def read(self, name: str) -> ConfigMap | None:
        """Return the ConfigMap, None when there is none.

        Raises:
            SourceUnavailable: the server does not answer.
            AccessDenied: reading it is not allowed.

        """
        with self._translated("get", name):
            response = await self._core.read_namespaced_config_map_without_preload_content(
                name, self._namespace, _request_timeout=self._timing.request_s
            )
            if response.status == _NOT_FOUND:
                response.release()
                return None
            found: ConfigMap = orjson.loads(await _body(response))
            return found

    async def create(self, name: str, data: dict[str, str]) -> None:
        """Make a ConfigMap.

        Raises:
            Conflict: it is there by now.
            SourceUnavailable: the server does not answer.
            AccessDenied: making it is not allowed.

        """
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data)
        with self._translated("create", name):
            await self._core.create_namespaced_config_map(
                self._namespace, body, field_manager=_FIELD_MANAGER, _request_timeout=self._timing.request_s
            )

    async def patch(self, name: str, data: dict[str, str], resource_version: str) -> None:
        """Write keys of a ConfigMap, if it still is at `resource_version`; all other keys stay.

        Raises:
            Conflict: it is not.
            SourceUnavailable: the server does not answer.
            AccessDenied: writing it is not allowed.

        """
        with self._translated("patch", name):
            await self._core.patch_namespaced_config_map(
                name,
                self._namespace,
                {"metadata": {"resourceVersion": resource_version}, "data": data},
                field_manager=_FIELD_MANAGER,
                _content_type=_MERGE_PATCH,
                _request_timeout=self._timing.request_s,
            )

    async def allowed(self, verb: str, name: str | None) -> bool:
        """Ask the server whether it would let us do `verb` on a ConfigMap.

        Raises:
            SourceUnavailable: the server does not answer.
            AccessDenied: it does not even know us.

        """
        attributes = client.V1ResourceAttributes(namespace=self._namespace, verb=verb, resource="configmaps", name=name)
        spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        with self._translated("ask for", "what is allowed"):
            answer = await self._reviews.create_self_subject_access_review(
                client.V1SelfSubjectAccessReview(spec=spec), _request_timeout=self._timing.request_s
            )
            return bool(answer.status and answer.status.allowed)

    @contextmanager
    def _translated(self, verb: str, name: str) -> Iterator[None]:
        """Turn the client's errors into ours; what a half answer raises in a decoder is no better than no answer."""
        try:
            yield
        except ApiException as e:
            raise self._refusal(verb, name, e) from e
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError, AttributeError) as e:
            cause = str(e) or type(e).__name__
            raise SourceUnavailable(f"the API server at {self._host} does not answer {verb} {name}: {cause}") from e

    def _refusal(self, verb: str, name: str, error: ApiException) -> SourceUnavailable | AccessDenied:
        said = f"{error.status} {error.reason}"
        match error.status:
            case 403:  # codes of HTTP, as the API's conventions use them
                return AccessDenied(
                    f"denied: this user may not {verb} the ConfigMap {name} in {self._namespace};"
                    f" check with `{self.commands.can_i(verb, name)}`, grant with `{self.commands.grant}`"
                )
            case 401:
                return AccessDenied(f"denied: the API server at {self._host} does not know this user ({said})")
            case 409 | 404 if verb in {"create", "patch"}:
                return Conflict(f"somebody else wrote the ConfigMap {name} in between ({said})")
            case 410:
                return Expired(f"the resource version of {name} is too old to watch from ({said})")
        return SourceUnavailable(f"the API server at {self._host} answers {said} to {verb} {name}")


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a good answer, and raise for any other one."""
    content = await response.read()
    if response.status != _OK:
        raise ApiException(status=response.status, reason=response.reason)
    return content


def _event(line: bytes) -> WatchEvent:
    event = orjson.loads(line)
    found: ConfigMap = event["object"]
    if event["type"] == "ERROR":
        raise ApiException(status=found.get("code"), reason=f"{found.get('reason')}: {found.get('message')}")
    return WatchEvent(event["type"], found, found["metadata"]["resourceVersion"])
