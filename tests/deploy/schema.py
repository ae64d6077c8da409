"""Check manifests against the models of the Kubernetes client: no unknown field, no value of another kind."""

import re
from collections.abc import Iterator
from typing import Any

from kubernetes import client

_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "object": (object,),
    "bytes": (str,),
}
_VERSIONS = {"v1": "V1", "apps/v1": "V1", "networking.k8s.io/v1": "V1", "rbac.authorization.k8s.io/v1": "V1"}
"""The model's prefix by apiVersion."""


def faults(manifest: dict[str, Any]) -> list[str]:
    """Return what the API server would refuse, or silently drop, of a manifest, with where it stands."""
    prefix = _VERSIONS.get(manifest["apiVersion"])
    if prefix is None:
        return [f"apiVersion {manifest['apiVersion']} is not known here"]
    name = f"{prefix}{manifest['kind']}"
    return list(_faults(manifest, name, f"{manifest['kind']} {manifest['metadata']['name']}"))


def _faults(value: Any, kind: str, where: str) -> Iterator[str]:
    if inner := re.fullmatch(r"[Ll]ist\[(.+)\]", kind):
        if isinstance(value, list):
            for i, entry in enumerate(value):
                yield from _faults(entry, inner[1], f"{where}[{i}]")
        else:
            yield f"{where}: is no list"
    elif kind in _KINDS:
        if (isinstance(value, bool) and kind not in {"bool", "object"}) or not isinstance(value, _KINDS[kind]):
            yield f"{where}: {value!r} is no {kind}"
    elif not isinstance(value, dict):
        yield f"{where}: is no {kind}"
    else:
        yield from _faults_of_map(value, kind, where)


def _faults_of_map(value: dict[str, Any], kind: str, where: str) -> Iterator[str]:
    """Look into a map, whose names are free, or an object, whose names are those of its model."""
    if inner := re.fullmatch(r"[Dd]ict\[str, (.+)\]", kind):
        for name, entry in value.items():
            yield from _faults(entry, inner[1], f"{where}.{name}")
        return
    model = getattr(client, kind)
    fields = {model.attribute_map[name]: inner for name, inner in model.openapi_types.items()}
    for name, entry in value.items():
        if name in fields:
            yield from _faults(entry, fields[name], f"{where}.{name}")
        else:
            yield f"{where}: {kind} has no field {name}"
