"""`routecast doctor node` on a VPS with a real Traefik: what it serves, and a canary."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.doctor.node.read_traefik import CANARY_FILE, canary_entries, read_traefik
from common.models import Role
from common.settings import Settings, load
from common.settings.subscriber import TraefikSettings
from common.snapshot import Snapshot
from subscriber.targets import build_targets
from subscriber.targets.traefik_config import encode
from tests.cli.doctor_laptop import Laptop
from tests.nats import NatsServer
from tests.registries import REFERENCE, snapshot
from tests.subscriber.mounts import names_in
from tests.subscriber.targets.traefik_server import TraefikServer, needs_traefik
from tests.world import until

pytestmark = needs_traefik

VPS = "contabo-vps"
TIMEOUT_S = 1.0


class Vps(Laptop):
    """A VPS that writes into the directory of a Traefik."""

    def __init__(self, folder: Path, url: str, traefik: TraefikServer) -> None:
        self.traefik = traefik
        super().__init__(folder, url)
        self.keep(snapshot())

    def set(self, **changed: object) -> None:
        """Write the settings, with some of Traefik's changed."""
        given = {**self.traefik.settings.model_dump(mode="json"), "check_timeout_s": TIMEOUT_S, **changed}
        lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in given.items()]
        self.write("[traefik]", *lines, node=VPS, role=Role.VPS)

    async def settings(self) -> Settings:
        """Return them as they are read."""
        return await asyncio.to_thread(load, self.config)

    async def apply(self, kept: Snapshot | None = None) -> None:
        """Write the routes of a snapshot as its subscriber would, and see them served."""
        (target,) = build_targets(await self.settings())
        await target.apply((kept or snapshot()).registry)


@pytest.fixture
async def vps(server: NatsServer, tmp_path: Path) -> AsyncIterator[Vps]:
    """Run Traefik, with a directory that is empty."""
    traefik = TraefikServer(tmp_path / "traefik")
    try:
        await asyncio.to_thread(traefik.start)
        vps = Vps(tmp_path, server.url, traefik)
        vps.set()
        yield vps
    finally:
        await asyncio.to_thread(traefik.stop)


async def test_our_own_routes_are_the_canary(vps: Vps) -> None:
    """Where there are routes of ours, and Traefik serves them, nothing needs to be written to know that it does."""
    await vps.apply()
    checks = await vps.checks()
    assert checks["target traefik"]["what"] == "4 routes, as the stored snapshot has them"
    assert checks["routes served"]["what"] == "Traefik serves 4 routes of ours"
    assert checks["Traefik's directory"]["state"] == "ok"
    assert "canary" not in checks


async def test_a_broken_file_of_another_keeps_ours_from_being_served(vps: Vps) -> None:
    """Our file is written and whole, and Traefik takes none of the directory over: failed, with the next step."""
    (vps.traefik.directory / "broken.yml").write_text("http: {routers: {}}\n")
    vps.set(api_url="")
    await vps.apply()
    vps.set()
    checks = await vps.checks()
    assert checks["target traefik"]["state"] == "ok"
    assert "Traefik does not serve chat.curiios.com" in checks["routes served"]["what"]
    assert checks["routes served"]["next"] == "sudo routecast doctor node --canary"
    assert (await vps.checks("--canary"))["canary"]["state"] == "fail"


async def test_routes_that_are_not_written(vps: Vps) -> None:
    """The file lacks what the stored snapshot wants: target and Traefik both say so."""
    checks = await vps.checks()
    assert checks["target traefik"]["what"] == "not as the stored snapshot has it: 4 missing"
    assert checks["routes served"]["state"] == "fail"


async def test_a_canary_is_seen_and_leaves_nothing(vps: Vps) -> None:
    """With no route of ours: a file is put there, Traefik takes it over, and both are as before."""
    vps.keep(snapshot(REFERENCE.model_copy(update={"routing": {}})))
    checks = await vps.checks()
    assert "only --canary tells" in checks["routes served"]["what"]
    assert "canary" not in checks
    checks = await vps.checks("--canary")
    assert checks["canary"]["state"] == "ok", checks["canary"]
    assert names_in(vps.traefik.directory) == []
    assert vps.traefik.names("routers") == set()


async def test_a_canary_beside_our_routes(vps: Vps) -> None:
    """It disturbs none of them, also when a run that was killed has left one behind."""
    await vps.apply()
    (vps.traefik.directory / CANARY_FILE).write_bytes(encode(canary_entries(vps.traefik.settings, "old")) or b"")
    checks = await vps.checks()
    assert checks["canary"]["next"] == f"sudo rm {vps.traefik.directory / CANARY_FILE}"
    before = vps.traefik.file.read_bytes()
    checks = await vps.checks("--canary")
    assert (checks["canary"]["state"], checks["routes served"]["state"]) == ("ok", "ok")
    assert (vps.traefik.file.read_bytes(), names_in(vps.traefik.directory)) == (before, ["routecast.yml"])


async def test_a_directory_that_traefik_does_not_watch(vps: Vps, tmp_path: Path) -> None:
    """The canary is what tells; it is gone all the same."""
    other = tmp_path / "traefik" / "other"
    other.mkdir()
    vps.set(directory=str(other))
    vps.keep(snapshot(REFERENCE.model_copy(update={"routing": {}})))
    checks = await vps.checks("--canary")
    assert (checks["routes served"]["state"], checks["canary"]["state"]) == ("ok", "fail")
    assert f"Traefik did not see a file in {other} within 1 s" in checks["canary"]["what"]
    assert names_in(other) == []


async def test_an_entry_point_with_another_name(vps: Vps) -> None:
    """Traefik sees the canary and refuses it: its own words."""
    vps.set(entry_point="https")
    vps.keep(snapshot(REFERENCE.model_copy(update={"routing": {}})))
    check = (await vps.checks("--canary"))["canary"]
    assert check["state"] == "fail"
    assert "Traefik saw it, but refuses it" in check["what"]


async def test_a_traefik_that_is_away_or_not_asked(vps: Vps) -> None:
    """Failed, or skipped where no API is set; no canary is written that nobody could see."""
    await vps.apply()
    await asyncio.to_thread(vps.traefik.stop)
    checks = await vps.checks("--canary")
    assert (checks["routes served"]["state"], checks["canary"]["state"]) == ("fail", "skip")
    vps.set(api_url="")
    checks = await vps.checks("--canary")
    assert (checks["routes served"]["state"], checks["canary"]["state"]) == ("skip", "skip")
    assert names_in(vps.traefik.directory) == ["routecast.yml"]


async def test_a_directory_that_is_missing_or_elsewhere(vps: Vps, tmp_path: Path) -> None:
    """Not there; no directory; or on another file system than the one that files are made in."""
    vps.set(directory=str(tmp_path / "none"))
    checks = await vps.checks("--canary")
    assert checks["Traefik's directory"]["next"] == f"sudo install -d -m 755 {tmp_path / 'none'}"
    assert checks["canary"]["state"] == "fail"
    vps.set(staging_dir="/proc/routecast")
    assert "on another file system" in (await vps.checks())["Traefik's directory"]["what"]


async def test_an_interrupted_canary_is_taken_out(vps: Vps) -> None:
    """Ctrl-C while Traefik is being asked: the file is gone before the command ends."""
    vps.set(directory=str(vps.state.directory), check_timeout_s=30)
    file = vps.state.directory / CANARY_FILE
    looking = asyncio.ensure_future(read_traefik(await vps.settings(), None, canary=True))
    await until(file.exists, "the canary is written")
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert not file.exists()


def test_a_canary_asks_nobody_for_a_certificate() -> None:
    """Its name is one that nobody can have, and no certificate resolver is named: nothing leaves the machine."""
    (entry,) = canary_entries(TraefikSettings(), "token").values()
    assert entry.router["tls"] == {"options": "default"}
    assert entry.router["rule"] == "Host(`token.routecast.invalid`)"
    assert entry.key.startswith("routecast-canary-canary-")
    assert entry.redirect["middlewares"] == ["routecast-canary-redirect"]
