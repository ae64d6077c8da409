"""As much of kustomize as deploy uses, in Python, so that the manifests are tested where there is no kubectl.

Knows `resources`, `components`, `images` and `configMapGenerator` (files). Generated names get no hash.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

_KNOWN = {"apiVersion", "kind", "resources", "components", "images", "configMapGenerator"}


def render(folder: Path) -> list[Manifest]:
    """Return the manifests of a kustomization, each once.

    Raises:
        ValueError: it uses what is not known here, or two of its manifests are the same object.

    """
    manifests = _read(folder)
    names = [identity(manifest) for manifest in manifests]
    if len(names) != len(set(names)):
        raise ValueError(f"{folder} names an object twice")
    return manifests


def identity(manifest: Manifest) -> tuple[str, str, str]:
    """Return kind, namespace and name."""
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def _read(folder: Path) -> list[Manifest]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := kustomization.keys() - _KNOWN:
        raise ValueError(f"{folder}: {', '.join(sorted(unknown))} is not known here")
    manifests = [
        manifest
        for entry in (*kustomization.get("resources", ()), *kustomization.get("components", ()))
        for manifest in _entry((folder / entry).resolve(strict=True))
    ]
    for generator in kustomization.get("configMapGenerator", ()):
        data = {name: (folder / name).read_text() for name in generator["files"]}
        metadata = {"name": generator["name"], "namespace": generator["namespace"]}
        manifests.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    for image in kustomization.get("images", ()):
        for container in (each for manifest in manifests for each in containers(manifest)):
            if container["image"] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    return manifests


def _entry(path: Path) -> list[Manifest]:
    return _read(path) if path.is_dir() else [each for each in yaml.safe_load_all(path.read_text()) if each]


def containers(manifest: Manifest) -> Iterator[Manifest]:
    """Yield the containers of a workload; of anything else none."""
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    yield from (*pod.get("initContainers", ()), *pod.get("containers", ()))
