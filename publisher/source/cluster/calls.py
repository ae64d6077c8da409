"""The few requests about ConfigMaps that the publisher and the editor make."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from common.errors import AccessDenied, EditRefused, SourceUnavailable
from publisher.source.cluster.document import Commands
from publisher.source.cluster.requests import Found, Requests, WatchEvent, read_body
from publisher.source.cluster.timing import Timing
from publisher.source.document import DOCUMENTS, SYNC_CONTROLLER_REGISTRY
from publisher.source.source import Conflict

_NOT_FOUND, _CONFLICT, _TOO_LARGE, _INVALID = 404, 409, 413, 422
_MERGE_PATCH = "application/merge-patch+json"
PUBLISHER = "routecast-publisher"
"""The field manager that the publisher's own writes stand under."""


class ConfigMaps(Requests):
    """The ConfigMaps of one namespace. Lists and watches name one each: the Role allows no more."""

    def __init__(self, api: client.ApiClient, commands: Commands, timing: Timing, manager: str = PUBLISHER) -> None:
        super().__init__(api, timing)
        self.commands = commands
        self._manager = manager
        self._namespace = commands.namespace
        self._core = client.CoreV1Api(api)
        self._ask = self._core.list_namespaced_config_map_without_preload_content
        self._reviews = client.AuthorizationV1Api(api)

    async def list_one(self, name: str) -> tuple[Found | None, str]:
        """Return the ConfigMap, None when there is none, and the resource version that a watch goes on from.

        Raises:
            SourceUnavailable: the server does not answer, or not as it should.
            AccessDenied: listing it is not allowed.

        """
        items, resource_version = await self._list(self._ask, name, **self._only(name))
        return (items[0] if items else None), resource_version

    def watch_one(self, name: str, resource_version: str, limit_s: float) -> AsyncGenerator[WatchEvent, None]:
        """Yield the events of one watch, until the server ends it in its time, at most `limit_s`.

        Raises:
            Expired: the server no longer knows `resource_version`.
            SourceUnavailable: the connection broke, or went silent.
            AccessDenied: watching it is not allowed.

        """
        return self._watch(self._ask, name, resource_version, limit_s, **self._only(name))

    async def read(self, name: str) -> Found | None:
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
            found: Found = orjson.loads(await read_body(response))
            return found

    async def create(self, name: str, data: Mapping[str, str]) -> str:
        """Make a ConfigMap; return its resource version.

        Raises:
            Conflict: it is there by now.
            SourceUnavailable: the server does not answer, or there is no such namespace.
            AccessDenied: making it is not allowed.
            EditRefused: it is too large.

        """
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=dict(data))
        with self._translated("create", name), _valid(name):
            made = await self._core.create_namespaced_config_map(
                self._namespace, body, field_manager=self._manager, _request_timeout=self._timing.request_s
            )
            return _version(made)

    async def patch(self, name: str, data: Mapping[str, str | None], resource_version: str) -> str:
        """Write keys of a ConfigMap (None removes one), if it still is at `resource_version`; all other keys stay.

        Returns its new resource version.

        Raises:
            Conflict: it is not.
            SourceUnavailable: the server does not answer.
            AccessDenied: writing it is not allowed.
            EditRefused: it is too large by that, or must not be changed.

        """
        with self._translated("patch", name), _valid(name):
            patched = await self._core.patch_namespaced_config_map(
                name,
                self._namespace,
                {"metadata": {"resourceVersion": resource_version}, "data": dict(data)},
                field_manager=self._manager,
                _content_type=_MERGE_PATCH,
                _request_timeout=self._timing.request_s,
            )
            return _version(patched)

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

    def _only(self, name: str) -> dict[str, str]:
        return {"namespace": self._namespace, "field_selector": f"metadata.name={name}"}

    def _refusal(self, verb: str, name: str, error: ApiException) -> SourceUnavailable | AccessDenied:
        if (verb, error.status) == ("create", _NOT_FOUND):
            return SourceUnavailable(f"there is no namespace {self._namespace} in the cluster at {self._host}")
        if error.status in {_NOT_FOUND, _CONFLICT} and verb in {"create", "patch"}:
            return Conflict(f"somebody else wrote the ConfigMap {name} in between ({error.status} {error.reason})")
        return super()._refusal(verb, name, error)

    def _denied(self, verb: str, name: str) -> str:
        grant = f"grant with `{self.commands.grant}`"
        if verb == "patch" and name in DOCUMENTS:  # an edit: what the publisher may do in any case would not do here
            component = "join" if name == SYNC_CONTROLLER_REGISTRY else "discover"
            grant = f"a Role that allows one is in deploy/kubernetes/components/{component}/access.yaml"
        return (
            f"this user may not {verb} the ConfigMap {name} in {self._namespace};"
            f" check with `{self.commands.can_i(verb, name)}`, {grant}"
        )


@contextmanager
def _valid(name: str) -> Iterator[None]:
    """Turn the server's verdict on what we wrote into ours: trying again cannot help."""
    try:
        yield
    except ApiException as e:
        if e.status not in {_TOO_LARGE, _INVALID}:
            raise
        raise EditRefused(f"the API server refuses the ConfigMap {name}: {_said(e)}") from e


def _said(error: ApiException) -> str:
    try:
        return str(orjson.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"


def _version(written: client.V1ConfigMap) -> str:
    metadata: Any = written.metadata
    return str(metadata.resource_version)
