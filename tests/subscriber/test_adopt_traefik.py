import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from common.settings import Settings
from subscriber.adopt import adopt, plan_adoption
from subscriber.state import NodeState
from subscriber.targets import build_targets
from tests.registries import REFERENCE, snapshot, with_service
from tests.subscriber.mounts import names_in
from tests.subscriber.policies import LOOPBACK
from tests.subscriber.targets.traefik_server import TraefikServer, needs_traefik
from tests.world import until

HOST = "photos.curiios.com"
OLD = """\
http:
  routers:
    photos:
      rule: "Host(`photos.curiios.com`)"
      service: photos-service
      entryPoints: [websecure]
      tls: {}
  services:
    photos-service:
      loadBalancer:
        servers:
          - url: "http://127.0.0.1:9"
"""
LOCAL = with_service("immich", REFERENCE.services["immich"].model_copy(update={"ip": "127.0.0.1", "port": 9}))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TraefikServer]:
    """Run a Traefik that serves the old file."""
    made = TraefikServer(tmp_path)
    (made.directory / "mynodeone-routes.yml").write_text(OLD)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@needs_traefik
async def test_a_public_route_has_no_gap(server: TraefikServer, tmp_path: Path) -> None:
    """Asked all the time: the old file's router answers, then both, then ours alone; never nobody."""
    settings = Settings.model_validate(
        {
            "subscriber": {"node": "contabo-vps", "role": "vps", "state_dir": tmp_path / "state"},
            "hosts": {"path": tmp_path / "hosts"},
            "traefik": server.settings,
            "policy": LOOPBACK,
        }
    )
    (tmp_path / "state").mkdir()
    await asyncio.to_thread(NodeState(tmp_path / "state").write_accepted, snapshot(LOCAL).to_body())

    async def served() -> httpx.Response:
        return await asyncio.to_thread(server.get, HOST, tls=True)

    async def routers() -> set[str]:
        return await asyncio.to_thread(server.names, "routers")

    async def answers() -> list[int]:
        codes = []
        while not ended.is_set():
            codes.append((await served()).status_code)
        return codes

    async def is_ours_alone() -> bool:
        return bool(found := await routers()) and all(name.startswith("routecast-") for name in found)

    async def by_the_old_file() -> bool:
        return await routers() == {"photos@file"} and (await served()).status_code == httpx.codes.BAD_GATEWAY

    await until(by_the_old_file, "the old route")
    ended = asyncio.Event()
    asking = asyncio.create_task(answers())
    try:
        refused = await plan_adoption(settings)
        assert "does not have chat.curiios.com" in (refused.removals[0].against or "")
        (target,) = build_targets(settings)
        assert (await target.apply(LOCAL)).checked == "traefik"
        plan = await plan_adoption(settings)
        (removed,) = await adopt(settings, plan.chosen(force=False), plan.zone)
        assert removed.error is None
        await until(is_ours_alone, "ours alone")
    finally:
        ended.set()
        codes = await asking
    assert set(codes) == {httpx.codes.BAD_GATEWAY}  # a router took it; nothing listens behind it
    assert names_in(server.directory) == ["routecast.yml"]
