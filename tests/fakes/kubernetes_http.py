"""Answer Kubernetes' HTTP API: log the request, break it, may it, do it; every refusal becomes a `Status`.

The order is the real server's: the faults stand for what lies before it, then authentication, authorization, the verb.
Does not do server-side apply, JSON patch, strategic merges of lists, label selectors, paging or dry runs, and says so
instead of ignoring them (only a `limit` may go unheeded: one page holds everything).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple

from aiohttp import web

from tests.fakes.kubernetes_answers import answer_json, answer_refusal, send_half, send_nothing
from tests.fakes.kubernetes_calls import (
    Call,
    is_true,
    read_body,
    read_call,
    read_manager,
    read_number,
    read_resource,
    read_selection,
    wants_table,
)
from tests.fakes.kubernetes_discovery import add_discovery, is_public
from tests.fakes.kubernetes_faults import Faults
from tests.fakes.kubernetes_objects import encode, find_unknown, needs_strategy
from tests.fakes.kubernetes_plain import read_scale, show_scale
from tests.fakes.kubernetes_pulse import Pulse
from tests.fakes.kubernetes_resources import BY_NAME, DEPLOYMENTS, NAMESPACES, SERVICES, group_resource
from tests.fakes.kubernetes_rules import Rules
from tests.fakes.kubernetes_status import Document, StatusError, cannot_be_handled, expired, invalid
from tests.fakes.kubernetes_store import Store
from tests.fakes.kubernetes_tables import build_table
from tests.fakes.kubernetes_tls import TOKEN
from tests.fakes.kubernetes_watch import Bookmarks, OpenWatch, WatchOptions

USER = "system:serviceaccount:tests:client"
MAX_BODY_BYTES = 3 * 1024 * 1024
"""The real server's limit on the body of a request."""

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_STRATEGIC = "application/strategic-merge-patch+json"
_PATCHES = ("application/merge-patch+json", _STRATEGIC)
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
        self.deaf = False
        self._store = store
        self._pulse = pulse
        self._bookmarks = bookmarks

    def application(self) -> web.Application:
        """Build the aiohttp application: one path shape for every resource, access reviews, and discovery."""

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._answer(request, handler)

        application = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[answer])
        router = application.router
        add_discovery(router)
        router.add_route("POST", _REVIEWS, self._review)
        for base in ("/api/v1", "/apis/{group}/v1"):
            collection = f"{base}/namespaces/{{namespace}}/{{resource}}"
            for whole in (f"{base}/{{resource}}", collection):  # the first: of all namespaces, or of none
                router.add_route("GET", whole, self._list_or_watch)
                router.add_route("POST", whole, self._create)
                router.add_route("*", f"{whole}/{{name}}", self._single)
            router.add_route("*", f"{collection}/{{name}}/scale", self._scale)
        return application

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lead every request through faults and checks to its handler, and turn what it raises into a `Status`."""
        if self.deaf:  # the connection was in its handshake when the others were dropped
            await send_nothing(request)
        try:
            call = read_call(request)
            self.requests.append(Request(call.verb, request.path, dict(request.query)))
            self._pulse.beat()
            await asyncio.sleep(self.faults.delay_s)
            self._admit(call, request)
            response = await handler(request)
        except StatusError as e:
            response = answer_refusal(e)
        except web.HTTPRequestEntityTooLarge:
            response = answer_refusal(StatusError(413, f"Request entity too large: limit is {MAX_BODY_BYTES}"))
        except web.HTTPException as e:
            response = answer_refusal(StatusError(e.status, "the server could not find the requested resource"))
        if self.faults.halved and isinstance(response, web.Response):
            return await send_half(request, response)
        return response

    def _admit(self, call: Call, request: web.Request) -> None:
        resource = call.resource.qualified if call.resource else None
        if planned := self.faults.take_planned(call.verb, call.name, resource):
            raise planned
        if request.headers.get("Authorization") != f"Bearer {TOKEN}" and not is_public(request.path):
            raise StatusError(401, "Unauthorized")
        if resource and not self.rules.permits(call.verb, resource, call.namespace, call.name):
            raise call.forbidden(USER)
        if undone := [key for key in _NOT_DONE if request.query.get(key)]:
            raise StatusError(400, f"the fake API server does not do {undone[0]}")

    async def _create(self, request: web.Request) -> web.Response:
        resource, body = read_resource(request), await _read_object(request)
        namespace = request.match_info.get("namespace", "")
        created = self._store.create(resource, namespace, body, read_manager(request))
        return answer_json(self._show(request, created), 201)

    async def _single(self, request: web.Request) -> web.Response:
        match, resource, store = request.match_info, read_resource(request), self._store
        key = (resource, match.get("namespace", ""), match["name"])
        if resource is NAMESPACES:  # kubectl looks whether it is there when the object in it is not
            store.show_namespace(match["name"])
        match request.method:
            case "GET":
                return answer_json(self._show(request, store.read(*key)))
            case "PUT":
                replaced = store.replace(*key, await _read_object(request), read_manager(request))
                return answer_json(self._show(request, replaced))
            case "PATCH" if request.content_type in _PATCHES:
                patched = store.patch(*key, await _read_object(request), read_manager(request))
                return answer_json(self._show(request, patched))
            case "PATCH":
                known = ", ".join(_PATCHES)
                raise StatusError(415, f"the body of the request was in an unknown format - accepted: {known}")
            case "DELETE":
                options = await read_body(request) if request.body_exists else {}
                deleted = store.delete(*key, (options.get("preconditions") or {}).get("resourceVersion"))
                if resource is SERVICES:  # the one whose delete answers with the object
                    return answer_json(deleted)
                details = {"name": match["name"], "kind": resource.plural, "uid": deleted["metadata"]["uid"]}
                success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
                return answer_json(success | {"details": details})
        raise web.HTTPMethodNotAllowed(request.method, ["GET", "PUT", "PATCH", "DELETE"])

    async def _list_or_watch(self, request: web.Request) -> web.StreamResponse:
        """List, or watch when the query says so; the items of a list bear no kind of their own."""
        if is_true(request.query.get("watch")):
            return await self._watch(request)
        selection = read_selection(request)
        resource, documents = selection.resource, self._store.select(selection)
        metadata = {"metadata": {"resourceVersion": str(self._store.revision)}}
        if wants_table(request):
            return answer_json(build_table(resource, documents, self._store.now()) | metadata)
        listed = [encode(resource, document) for document in documents]
        items = [{k: v for k, v in item.items() if k not in ("apiVersion", "kind")} for item in listed]
        return answer_json(
            {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, **metadata, "items": items}
        )

    def _show(self, request: web.Request, document: Document) -> Document:
        """Give a stored object the form in which the client wants it."""
        resource = read_resource(request)
        if wants_table(request):
            return build_table(resource, [document], self._store.now())
        return encode(resource, document)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        """Open a watch; without a revision it starts with what exists. A 410 comes as an event, after the HTTP 200."""
        options = WatchOptions(
            read_selection(request),
            partial(self._show, request),
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

    async def _scale(self, request: web.Request) -> web.Response:
        """Show or change the number of replicas of a Deployment, as `kubectl scale` does."""
        match, resource = request.match_info, read_resource(request)
        if resource is not DEPLOYMENTS:
            raise web.HTTPNotFound
        key = (resource, match["namespace"], match["name"])
        if request.method == "GET":
            return answer_json(show_scale(self._store.read(*key)))
        change = read_scale(await read_body(request))
        return answer_json(show_scale(self._store.patch(*key, change, read_manager(request))))

    async def _review(self, request: web.Request) -> web.Response:
        """Answer a SelfSubjectAccessReview by the same rules that requests meet."""
        review = await read_body(request)
        asked = (review.get("spec") or {}).get("resourceAttributes") or {}
        resource = group_resource(asked.get("group", ""), asked.get("resource", "*"))
        verb, namespace, name = asked.get("verb", "*"), asked.get("namespace") or None, asked.get("name") or None
        allowed = resource in (*BY_NAME, "*") and self.rules.permits(verb, resource, namespace, name)
        return answer_json(review | {"status": {"allowed": allowed}}, 201)


async def _read_object(request: web.Request) -> Document:
    """Read an object or a patch of one; refuse another kind, and unknown fields where the client asks for that."""
    resource, body = read_resource(request), await read_body(request)
    for key, expected in (("kind", resource.kind), ("apiVersion", resource.api_version)):
        if body.get(key) not in (None, "", expected):
            raise StatusError(
                400, f"the {key} in the data ({body[key]}) does not match the expected {key} ({expected})"
            )
    if request.content_type == _STRATEGIC and needs_strategy(body):
        raise StatusError(400, "the fake API server does not do strategic merges of lists")
    unknown = find_unknown(resource, body) if request.query.get("fieldValidation") == "Strict" else ()
    if unknown:
        said = ", ".join(f'unknown field "{field}"' for field in unknown)
        if request.method == "PATCH":
            raise invalid("", "", [f"patch: Invalid value: strict decoding error: {said}"])
        raise cannot_be_handled(resource.kind, f"strict decoding error: {said}")
    return body
