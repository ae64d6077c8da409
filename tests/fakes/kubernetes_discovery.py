"""Tell clients what the server is and what it serves, so that kubectl knows where `configmap` or `svc` is found.

The description in OpenAPI says only which objects may be patched, and that unknown fields are told of when asked: as
much as kubectl looks for before it leaves the checking of a manifest to the server. Groups are not told in one answer
(`APIGroupDiscoveryList`): kubectl asks for each one then.
"""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from tests.fakes.kubernetes_resources import DEPLOYMENTS, RESOURCES, Resource
from tests.fakes.kubernetes_rules import VERBS
from tests.fakes.kubernetes_status import Document

_HEALTH = ("/livez", "/readyz", "/healthz")
_PUBLIC = ("/version", *_HEALTH)

_VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.2",
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "2026-11-01T00:00:00Z",
    "goVersion": "go1.26",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_REVIEW = {
    "name": "selfsubjectaccessreviews",
    "singularName": "selfsubjectaccessreview",
    "namespaced": False,
    "kind": "SelfSubjectAccessReview",
    "verbs": ["create"],
}
_SCALE = {
    "name": "deployments/scale",
    "singularName": "",
    "namespaced": True,
    "group": "autoscaling",
    "version": "v1",
    "kind": "Scale",
    "verbs": ["get", "patch", "update"],
}
_BASES = {resource.api_version: resource.base for resource in RESOURCES}


def add_discovery(router: web.UrlDispatcher) -> None:
    """Serve every document of the discovery under its path."""
    for path, document in _documents().items():
        router.add_get(path, _answer(document))
        router.add_get(f"{path}/", _answer(document))  # so the Python client writes it
    for path in _HEALTH:
        router.add_get(path, _answer("ok"))


def is_public(path: str) -> bool:
    """Tell whether a stranger may ask for it: the version, and whether the server is well."""
    return path.removesuffix("/") in _PUBLIC


def _answer(body: Document | str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body) if isinstance(body, str) else web.json_response(body)

    return answer


def _documents() -> dict[str, Document]:
    served = {version: [_describe(each) for each in RESOURCES if each.api_version == version] for version in _BASES}
    served["authorization.k8s.io/v1"] = [_REVIEW]
    served[DEPLOYMENTS.api_version].append(_SCALE)
    groups = [_group(version) for version in served if version != "v1"]
    documents: dict[str, Document] = {
        "/version": _VERSION,
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
    }
    for group in groups:
        documents[f"/apis/{group['name']}"] = {"kind": "APIGroup", "apiVersion": "v1"} | group
    for version, resources in served.items():
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        documents[path] = {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
    paths = {base[1:]: {"serverRelativeURL": f"/openapi/v3{base}"} for base in _BASES.values()}
    documents["/openapi/v3"] = {"paths": paths}
    for version, base in _BASES.items():
        documents[f"/openapi/v3{base}"] = _describe_api(each for each in RESOURCES if each.api_version == version)
    return documents


def _group(version: str) -> Document:
    offered = {"groupVersion": version, "version": version.partition("/")[2]}
    return {"name": version.partition("/")[0], "versions": [offered], "preferredVersion": offered}


def _describe(resource: Resource) -> Document:
    return {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(VERBS),
        "shortNames": [resource.short_name] if resource.short_name else [],
    }


def _describe_api(resources: Iterable[Resource]) -> Document:
    paths = {
        f"{resource.base}/{'namespaces/{namespace}/' if resource.namespaced else ''}{resource.plural}/{{name}}": {
            "patch": {
                "parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-group-version-kind": {"group": resource.group, "version": "v1", "kind": resource.kind},
            }
        }
        for resource in resources
    }
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.2"}, "paths": paths}
