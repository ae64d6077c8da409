"""The demo's registry: a folder of ConfigMap manifests, edited as a person's editor would."""

import shutil
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import orjson
import yaml

from common.files import write_atomic

Entries = dict[str, Any]

IMMICH: Entries = {
    "subdomain": "photos",
    "namespace": "immich",
    "service": "immich-server",
    "public": True,
}


class Registry:
    """The manifests in `folder`: the reference cluster, before immich is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with as_file(files("cli.demo") / "registry") as reference:
            shutil.copytree(reference, folder)
        self._routing = self._read("domain-registry", "routing.json")["immich"]
        self.edit_routing(lambda routing: routing.pop("immich"))
        self.edit_services(lambda services: services.pop("immich"))

    def install_immich(self, ip: str, port: int) -> None:
        """Add the app: its service, then the routing of its host names."""
        self.edit_services(lambda services: services.update(immich={**IMMICH, "ip": ip, "port": port}))
        self.edit_routing(lambda routing: routing.update(immich=self._routing))

    def address_of(self, node: str) -> str:
        """Return the address under which a machine is registered."""
        lists = self._read("sync-controller-registry", "registry.json")
        return next(
            str(each["ip"]) for of in ("management_laptops", "vps_nodes") for each in lists[of] if each["name"] == node
        )

    def edit_services(self, edit: Callable[[Entries], Any]) -> None:
        """Change the services in place."""
        self._edit("service-registry", "services.json", edit)

    def edit_routing(self, edit: Callable[[Entries], Any]) -> None:
        """Change the routing in place."""
        self._edit("domain-registry", "routing.json", edit)

    def _read(self, name: str, key: str) -> Entries:
        value: Entries = orjson.loads(self._manifest(name)["data"][key])
        return value

    def _edit(self, name: str, key: str, edit: Callable[[Entries], Any]) -> None:
        manifest = self._manifest(name)
        entries: Entries = orjson.loads(manifest["data"][key])
        edit(entries)
        manifest["data"][key] = orjson.dumps(entries, option=orjson.OPT_INDENT_2).decode()
        write_atomic(self._path(name), yaml.safe_dump(manifest, sort_keys=False).encode())

    def _manifest(self, name: str) -> dict[str, Any]:
        manifest: dict[str, Any] = yaml.safe_load(self._path(name).read_bytes())
        return manifest

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.yaml"
