"""A folder of manifests that tests edit as a person's editor would."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

REFERENCE_FOLDER = Path(__file__).parent.parent / "cli" / "demo" / "registry"

Entries = dict[str, Any]


class RegistryFolder:
    """A folder of manifests, edited as a person's editor would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(REFERENCE_FOLDER, folder)

    def path(self, name: str) -> Path:
        """Return the file of a ConfigMap."""
        return self.folder / f"{name}.yaml"

    def data(self, name: str) -> Entries:
        """Return the data of a ConfigMap."""
        data: Entries = yaml.safe_load(self.path(name).read_bytes())["data"]
        return data

    def write(self, name: str, data: Mapping[str, str]) -> None:
        """Replace the data of a ConfigMap."""
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "kube-system"}}
        new = self.folder / f".{name}.new"
        new.write_bytes(yaml.safe_dump({**manifest, "data": dict(data)}).encode())
        new.replace(self.path(name))

    def edit(self, name: str, key: str, change: Callable[[Any], Any]) -> None:
        """Change the JSON value of a key in place."""
        data = self.data(name)
        value = orjson.loads(data[key])
        change(value)
        self.write(name, {**data, key: orjson.dumps(value).decode()})

    def edit_services(self, change: Callable[[Entries], Any]) -> None:
        """Change the services in place."""
        self.edit("service-registry", "services.json", change)
