"""What stands on the disks of a laptop and of a VPS."""

from dataclasses import dataclass
from typing import Any

import orjson

from common.models import Registry
from tests.world import NodeUnderTest


@dataclass(frozen=True, slots=True)
class Disks:
    """The disks of two nodes."""

    laptop: NodeUnderTest
    vps: NodeUnderTest

    def registry(self) -> Registry:
        """Return the registry that the laptop accepted last: what no file is made of is there too."""
        accepted = self.laptop.folder / "state" / "accepted.json"
        return Registry.model_validate(orjson.loads(accepted.read_bytes())["registry"])

    def backends(self) -> dict[str, str]:
        """Return host name -> URL of the routes."""
        http = self._http()
        return {
            _host(router): http["services"][name]["loadBalancer"]["servers"][0]["url"]
            for name, router in http["routers"].items()
            if name in http["services"]
        }

    def middlewares(self, host: str) -> list[str]:
        """Return the middlewares that a route goes through."""
        found: list[str] = []
        http = self._http()
        for name, router in http["routers"].items():
            found += router.get("middlewares", []) if name in http["services"] and _host(router) == host else []
        return found

    def _http(self) -> Any:
        if not self.vps.routes.exists():
            return {"routers": {}, "services": {}}
        return orjson.loads(self.vps.routes.read_bytes())["http"]


def _host(router: Any) -> str:
    return str(router["rule"]).removeprefix("Host(`").removesuffix("`)")
