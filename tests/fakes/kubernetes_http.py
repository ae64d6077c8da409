"""Answer Kubernetes' HTTP API: log the request, break it, may it, do it; every refusal becomes a `Status`.

The order is the real server's: the faults stand for what lies before it, then authentication, authorization, the verb.
Does not do server-side apply, JSON patch, label selectors, paging or dry runs, and says so instead of ignoring them
(only a `limit` may go unheeded: one page holds everything).
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from aiohttp import web

from tests.fakes.kubernetes_calls import (
    Call,
    is_true,
    read_body,
    read_call,
    read_manager,
    read_number,
    read_selection,
)
from tests.fakes.kubernetes_faults import Faults
from tests.fakes.kubernetes_pulse import Pulse
from tests.fakes.kubernetes_rules import Rules
from tests.fakes.kubernetes_status import KINDS, Document, StatusError, expired
from tests.fakes.kubernetes_store import Store
from tests.fakes.kubernetes_watch import Bookmarks, OpenWatch, WatchOptions

USER = "system:serviceaccount:tests:client"
TOKEN = "token-of-the-fake"
MAX_BODY_BYTES = 3 * 1024 * 1024
"""The real server's limit on the body of a request."""

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json")
_NOT_DONE = ("labelSelector", "continue", "dryRun", "sendInitialEvents")


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Request(NamedTuple):
    """One request in the log: the verb as RBAC names it, the path, the query."""

    verb: str
    path: str
    query: Mapping[str, str]


class Endpoints:
    """The routes of the fake over its store, rules and faults."""

    def __init__(self, store: Store, pulse: Pulse, bookmarks: Bookmarks) -> None:
        self.requests: list[Request] = []
        self.rules = Rules()
        self.faults = Faults()
        self._store = store
        self._pulse = pulse
        self._bookmarks = bookmarks

    def application(self) -> web.Application:
        """Build the aiohttp application: one path shape for every resource, and the access reviews."""

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._answer(request, handler)

        application = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[answer])
        resource = "{resource:" + "|".join(KINDS) + "}"
        application.router.add_route("GET", f"/api/v1/{resource}", self._list_or_watch)
        application.router.add_route("GET", f"/api/v1/namespaces/{{namespace}}/{resource}", self._list_or_watch)
        application.router.add_route("POST", f"/api/v1/namespaces/{{namespace}}/{resource}", self._create)
        application.router.add_route("*", f"/api/v1/namespaces/{{namespace}}/{resource}/{{name}}", self._single)
        application.router.add_route("POST", _REVIEWS, self._review)
        return application

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lead every request through faults and checks to its handler, and turn what it raises into a `Status`."""
        try:
            call = read_call(request)
            self.requests.append(Request(call.verb, request.path, dict(request.query)))
            self._pulse.beat()
            await asyncio.sleep(self.faults.delay_s)
            self._admit(call, request)
            response = await handler(request)
        except StatusError as e:
            response = _refusal(e)
        except web.HTTPRequestEntityTooLarge:
            response = _refusal(StatusError(413, f"Request entity too large: limit is {MAX_BODY_BYTES}"))
        except web.HTTPException as e:
            response = _refusal(StatusError(e.status, "the server could not find the requested resource"))
        if self.faults.halved and isinstance(response, web.Response):
            return await _send_half(request, response)
        return response

    def _admit(self, call: Call, request: web.Request) -> None:
        if planned := self.faults.take_planned(call.verb, call.name):
            raise planned
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise StatusError(401, "Unauthorized")
        if call.resource in KINDS and not self.rules.permits(call.verb, call.resource, call.name):
            raise call.forbidden(USER)
        if undone := [key for key in _NOT_DONE if request.query.get(key)]:
            raise StatusError(400, f"the fake API server does not do {undone[0]}")

    async def _create(self, request: web.Request) -> web.Response:
        match, body = request.match_info, await read_body(request)
        return _json(self._store.create(match["resource"], match["namespace"], body, read_manager(request)), 201)

    async def _single(self, request: web.Request) -> web.Response:
        match, store = request.match_info, self._store
        key = (match["resource"], match["namespace"], match["name"])
        match request.method:
            case "GET":
                return _json(store.read(*key))
            case "PUT":
                return _json(store.replace(*key, await read_body(request), read_manager(request)))
            case "PATCH" if request.content_type in _PATCHES:
                return _json(store.patch(*key, await read_body(request), read_manager(request)))
            case "PATCH":
                known = ", ".join(_PATCHES)
                raise StatusError(415, f"the body of the request was in an unknown format - accepted: {known}")
            case "DELETE":
                options = await read_body(request) if request.body_exists else {}
                deleted = store.delete(*key, (options.get("preconditions") or {}).get("resourceVersion"))
                details = {"name": key[2], "kind": key[0], "uid": deleted["metadata"]["uid"]}
                success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
                return _json(success | {"details": details})
        raise web.HTTPMethodNotAllowed(request.method, ["GET", "PUT", "PATCH", "DELETE"])

    async def _list_or_watch(self, request: web.Request) -> web.StreamResponse:
        """List, or watch when the query says so; the items of a list bear no kind of their own."""
        if is_true(request.query.get("watch")):
            return await self._watch(request)
        selection = read_selection(request)
        listed = self._store.select(selection)
        items = [{k: v for k, v in item.items() if k not in ("apiVersion", "kind")} for item in listed]
        whole = {"kind": f"{KINDS[selection.resource]}List", "apiVersion": "v1"}
        return _json(whole | {"metadata": {"resourceVersion": str(self._store.revision)}, "items": items})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        """Open a watch; without a revision it starts with what exists. A 410 comes as an event, after the HTTP 200."""
        options = WatchOptions(
            read_selection(request),
            read_number(request, "timeoutSeconds") or math.inf,
            self._bookmarks if is_true(request.query.get("allowWatchBookmarks")) else None,
        )
        revision = read_number(request, "resourceVersion")
        initial = [] if revision else self._store.select(options.selection)
        start = revision or self._store.revision
        watch = OpenWatch(request, self._store, self._pulse, options)
        watch.silent, watch.halved = self.faults.silent, self.faults.halved
        response = await watch.open()
        self.faults.watches.add(watch)
        self._pulse.beat()
        try:
            if self.faults.take_expired():
                await watch.refuse(expired(start, self._store.revision))
            elif start < self._store.oldest:
                await watch.refuse(expired(start, self._store.oldest))
            else:
                await watch.run(initial, start)
        finally:
            self.faults.watches.discard(watch)
            self._pulse.beat()
        return response

    async def _review(self, request: web.Request) -> web.Response:
        """Answer a SelfSubjectAccessReview by the same rules that requests meet."""
        review = await read_body(request)
        asked = (review.get("spec") or {}).get("resourceAttributes") or {}
        verb, resource, name = asked.get("verb", "*"), asked.get("resource", "*"), asked.get("name") or None
        known = resource in (*KINDS, "*")
        return _json(review | {"status": {"allowed": known and self.rules.permits(verb, resource, name)}}, 201)


async def _send_half(request: web.Request, whole: web.Response) -> web.StreamResponse:
    body = whole.body if isinstance(whole.body, bytes) else b""
    half = web.StreamResponse(status=whole.status, headers={"Content-Type": "application/json"})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport:
        request.transport.abort()
    return half


def _refusal(error: StatusError) -> web.Response:
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return _json(error.body(), error.code, headers)


def _json(body: Document, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    encoded = json.dumps(body).encode() + b"\n"
    return web.Response(body=encoded, status=status, headers=headers, content_type="application/json")
