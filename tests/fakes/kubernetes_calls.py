"""Read what a request asks for: verb, object, selection, writer; in the terms of apiserver's RequestInfo.

Raises StatusError 400 for what cannot be read. Does not decide whether the request is allowed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.kubernetes_protobuf import CONTENT_TYPE, read_protobuf
from tests.fakes.kubernetes_resources import BY_NAME, Resource, group_resource
from tests.fakes.kubernetes_status import Document, StatusError
from tests.fakes.kubernetes_store import Selection

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Call:
    """What a request is about, as the authorizer sees it; `name` is None where it names no single object.

    Without a resource it is about the server itself: its version, its groups, what one may do.
    """

    verb: str
    resource: Resource | None = None
    namespace: str | None = None
    name: str | None = None

    def forbidden(self, user: str) -> StatusError:
        """Word the refusal of a call on a resource as the real server does."""
        assert self.resource is not None
        plural, group = self.resource.plural, self.resource.group
        what = f'{self.resource.qualified} "{self.name}"' if self.name else self.resource.qualified
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        why = f'User "{user}" cannot {self.verb} resource "{plural}" in API group "{group}" {where}'
        details = {"kind": plural} | ({"group": group} if group else {}) | ({"name": self.name} if self.name else {})
        return StatusError(403, f"{what} is forbidden: {why}", details=details)


def read_resource(request: web.Request) -> Resource:
    """Find the resource that the path names; raises StatusError 404 for one that is not served."""
    resource = _find_resource(request)
    if resource is None:
        raise StatusError(404, "the server could not find the requested resource")
    return resource


def _find_resource(request: web.Request) -> Resource | None:
    match = request.match_info
    return BY_NAME.get(group_resource(match.get("group", ""), match.get("resource", "")))


def read_call(request: web.Request) -> Call:
    """Derive verb and name; of a list or watch the first `metadata.name=X` of the field selector is the name."""
    match, resource = request.match_info, _find_resource(request)
    name = match.get("name")
    verb = _VERBS.get(request.method, request.method.lower())
    if resource is None:
        return Call(verb)
    if verb == "get" and name is None:
        name = next((value for field, value in _read_terms(request.query) if field == "metadata.name"), None)
        verb = "watch" if is_true(request.query.get("watch")) else "list"
    return Call(verb, resource, match.get("namespace"), name)


def read_selection(request: web.Request) -> Selection:
    """Read which objects a list or watch is for."""
    resource, terms = read_resource(request), _read_terms(request.query)
    for field, _ in terms:
        if field not in resource.selectable:
            raise StatusError(400, f"field label not supported: {field}")
    return Selection(resource, request.match_info.get("namespace"), terms)


def _read_terms(query: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    terms = [term for term in query.get("fieldSelector", "").split(",") if term]
    for term in terms:
        if "!=" in term or "=" not in term:
            raise StatusError(400, f'invalid field selector "{term}": the fake knows = only')
    return tuple((field, value) for field, _, value in (term.replace("==", "=").partition("=") for term in terms))


def wants_table(request: web.Request) -> bool:
    """Tell whether the client wants rows to print before objects, as `kubectl get` does."""
    return "as=Table" in request.headers.get("Accept", "")


def is_true(value: str | None) -> bool:
    """Read a boolean of a query as Kubernetes does: anything but 0 and false; the Python client sends `True`."""
    return value is not None and value.lower() not in ("0", "false")


def read_number(request: web.Request, key: str) -> int:
    """Read a number of the query; absent, empty and 0 are the same to Kubernetes."""
    text = request.query.get(key) or "0"
    if not text.isdecimal():
        raise StatusError(400, f'{key}: Invalid value: "{text}": must be a number')
    return int(text)


def read_manager(request: web.Request) -> str:
    """Name the writer for `managedFields`: the parameter, else what stands before the first slash of the user agent."""
    return request.query.get("fieldManager") or request.headers.get("User-Agent", "unknown").split("/")[0]


async def read_body(request: web.Request) -> Document:
    """Read the object that a request carries, in JSON or in protobuf."""
    if request.content_type == CONTENT_TYPE:
        return read_protobuf(await request.read())
    try:
        body = json.loads(await request.read())
    except ValueError as e:
        raise StatusError(400, f"couldn't get version/kind; json parse error: {e}") from e
    if not isinstance(body, dict):
        raise StatusError(400, f"cannot decode a JSON {type(body).__name__} as an object")
    return body
