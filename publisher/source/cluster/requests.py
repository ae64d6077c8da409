"""What every request to the API server has in common: a limit, and errors turned into ours."""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import aiohttp
import orjson
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from common.errors import AccessDenied, SourceUnavailable
from publisher.source.cluster.timing import Timing

_OK = 200
_WHOLE = 0.9
"""A watch that lasted this part of its time ended by itself."""

Found = dict[str, Any]
"""An object's JSON."""

Ask = Callable[..., Awaitable[aiohttp.ClientResponse]]
"""A list of the client that hands over the answer as it comes."""


class WatchEvent(NamedTuple):
    """One line of a watch: ``ADDED``, ``MODIFIED``, ``DELETED`` or ``BOOKMARK``, and where to go on from."""

    kind: str
    found: Found
    resource_version: str


class Expired(SourceUnavailable):
    """Raise when the server no longer knows the resource version that a watch starts from: list again."""


class Requests(ABC):
    """Requests about one kind of object; what is asked for is called `name` in messages."""

    def __init__(self, api: client.ApiClient, timing: Timing) -> None:
        self._timing = timing
        self._host = api.configuration.host

    async def _list(self, ask: Ask, name: str, **options: str) -> tuple[list[Found], str]:
        """Return what there is, and the resource version that a watch goes on from.

        Raises:
            SourceUnavailable: the server does not answer, or not as it should.
            AccessDenied: listing it is not allowed.

        """
        with self._translated("list", name):
            response = await ask(**options, _request_timeout=self._timing.request_s)
            listed = orjson.loads(await read_body(response))
            return listed.get("items") or [], listed["metadata"]["resourceVersion"]

    async def _watch(
        self, ask: Ask, name: str, resource_version: str, limit_s: float, **options: str
    ) -> AsyncGenerator[WatchEvent, None]:
        """Yield the events of one watch, until the server ends it in its time, at most `limit_s`.

        Raises:
            Expired: the server no longer knows `resource_version`.
            SourceUnavailable: the connection broke, or went silent.
            AccessDenied: watching it is not allowed.

        """
        served_s, started = max(1, int(min(self._timing.watch_s, limit_s))), time.monotonic()
        with self._translated("watch", name):
            response = await ask(
                **options,
                resource_version=resource_version,
                allow_watch_bookmarks=True,
                watch=True,
                timeout_seconds=served_s,
                _request_timeout=served_s + self._timing.watch_grace_s,
            )
            try:
                if response.status != _OK:
                    await read_body(response)
                while line := await response.content.readline():
                    yield _event(line)
            finally:
                response.close()
        if time.monotonic() - started < served_s * _WHOLE:
            raise SourceUnavailable(f"the API server at {self._host} ended the watch of {name} before its time")

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
                return AccessDenied(f"denied: {self._denied(verb, name)}")
            case 401:
                return AccessDenied(f"denied: the API server at {self._host} does not know this user ({said})")
            case 410:
                return Expired(f"the resource version of {name} is too old to watch from ({said})")
        return SourceUnavailable(f"the API server at {self._host} answers {said} to {verb} {name}")

    @abstractmethod
    def _denied(self, verb: str, name: str) -> str:
        """Return what is not allowed, how to check it, and how to grant it."""


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a good answer.

    Raises:
        ApiException: it is none.

    """
    content = await response.read()
    if response.status != _OK:
        raise ApiException(status=response.status, reason=response.reason)
    return content


def _event(line: bytes) -> WatchEvent:
    event = orjson.loads(line)
    found: Found = event["object"]
    if event["type"] == "ERROR":
        raise ApiException(status=found.get("code"), reason=f"{found.get('reason')}: {found.get('message')}")
    return WatchEvent(event["type"], found, found["metadata"]["resourceVersion"])
