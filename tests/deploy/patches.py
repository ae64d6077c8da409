"""A component with patches on top of manifests: as much of a strategic merge as deploy uses.

Objects merge; lists of things with a name, as containers and their environment, merge by it; all else is replaced.
"""

from pathlib import Path
from typing import Any

import yaml

from tests.deploy.kustomize import Manifest, identity

_KNOWN = {"apiVersion", "kind", "resources", "patches"}


def with_component(base: list[Manifest], component: Path) -> list[Manifest]:
    """Return the manifests of a base with what a component adds to them and changes of them.

    Raises:
        ValueError: it uses what is not known here, or patches what is not there.

    """
    kustomization = yaml.safe_load((component / "kustomization.yaml").read_text())
    if unknown := kustomization.keys() - _KNOWN:
        raise ValueError(f"{component}: {', '.join(sorted(unknown))} is not known here")
    manifests = [*base, *added(component)]
    for patch in kustomization.get("patches", ()):
        change = yaml.safe_load((component / patch["path"]).read_text())
        if identity(change) not in map(identity, manifests):
            raise ValueError(f"{component} patches {identity(change)}, which is not there")
        manifests = [merged(each, change) if identity(each) == identity(change) else each for each in manifests]
    return manifests


def added(component: Path) -> list[Manifest]:
    """Return the manifests that a component brings."""
    kustomization = yaml.safe_load((component / "kustomization.yaml").read_text())
    return [
        manifest
        for resource in kustomization.get("resources", ())
        for manifest in yaml.safe_load_all((component / resource).read_text())
    ]


def merged(value: Any, change: Any) -> Any:
    """Return a value with a change merged in; things that a list does not have yet come first, as kustomize does it."""
    if isinstance(value, dict) and isinstance(change, dict):
        return {**value, **{key: merged(value.get(key), entry) for key, entry in change.items()}}
    if _has_names(value) and _has_names(change):
        changes = {entry["name"]: entry for entry in change}
        new = [entry for name, entry in changes.items() if name not in {each["name"] for each in value}]
        return [*new, *(merged(each, changes.get(each["name"], {})) for each in value)]
    return change


def _has_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) and "name" in entry for entry in value)
