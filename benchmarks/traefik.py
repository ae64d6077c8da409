"""From a registry's change to a route that a real Traefik serves, and the floor below it.

The floor is Traefik's own: a file renamed into its directory -> its API says that it serves what is in it. On top of it
come the plan, the write with its fsync, and the reading back.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from cli.demo.programs import Program, free_port, traefik_command
from common.models import Domain, Node, Registry, Role, Routing, Service, Vps
from common.routes import derive_routes
from common.settings.subscriber import TraefikSettings
from subscriber.targets.traefik import FILE_NAME, TraefikTarget
from subscriber.targets.traefik_config import build_entries, encode

_ADDRESS = "100.68.225.92"
_APART_S = 0.4
"""Traefik takes changes that come closer together than its throttle at once; these shall not wait for it."""
_START_LIMIT_S = 30.0
_POLL_S = 0.002


@dataclass(frozen=True, slots=True)
class Served:
    """How long it took, in ms."""

    median_ms: float
    max_ms: float
    floor_ms: float

    @property
    def ratio(self) -> float:
        """The median over the floor."""
        return self.median_ms / self.floor_ms


async def measure(folder: Path, rounds: int) -> Served:
    """Return the figures of one Traefik, over `rounds` changes each of one backend."""
    settings = TraefikSettings.model_validate(
        {
            "directory": folder / "dynamic",
            "staging_dir": folder / "staging",
            "api_url": f"http://127.0.0.1:{free_port()}",
            "cert_resolver": "",
        }
    )
    async with _running(settings, folder), httpx.AsyncClient(trust_env=False) as client:
        floor = await _times(rounds, lambda i: _by_hand(settings, client, i))
        target = TraefikTarget(settings, "vps")
        times = await _times(rounds, lambda i: _by_target(target, i))
    return Served(median(times), max(times), median(floor))


async def _times(rounds: int, change: Callable[[int], Awaitable[None]]) -> list[float]:
    times = []
    for i in range(rounds):
        await asyncio.sleep(_APART_S)
        started = time.perf_counter()
        await change(i)
        times.append((time.perf_counter() - started) * 1000)
    return times


async def _by_target(target: TraefikTarget, i: int) -> None:
    outcome = await target.apply(_registry(f"100.67.2.{i + 1}"))
    assert outcome.checked == "traefik"


async def _by_hand(settings: TraefikSettings, client: httpx.AsyncClient, i: int) -> None:
    ip = f"100.67.1.{i + 1}"
    content = encode(build_entries(derive_routes(_registry(ip)).on(_ADDRESS), settings)) or b""
    staged = settings.staging_dir / FILE_NAME
    await asyncio.to_thread(staged.write_bytes, content)
    await asyncio.to_thread(staged.replace, settings.directory / FILE_NAME)
    async with asyncio.timeout(_START_LIMIT_S):
        while ip not in (await client.get(f"{settings.api_url}api/http/services")).text:  # noqa: ASYNC110 - no bell rings
            await asyncio.sleep(_POLL_S)


def _registry(ip: str) -> Registry:
    return Registry(
        services={"app": Service(subdomain="app", ip=ip, port=80, public=True)},
        domains={"example.com": Domain()},
        vps_nodes=(Vps(tailscale_ip=_ADDRESS),),
        routing={"app": Routing(domains=("example.com",), vps_nodes=(_ADDRESS,))},
        nodes=(Node(name="vps", role=Role.VPS, address=_ADDRESS),),
    )


@asynccontextmanager
async def _running(settings: TraefikSettings, folder: Path) -> AsyncIterator[None]:
    for directory in (settings.directory, settings.staging_dir):
        await asyncio.to_thread(directory.mkdir)
    assert settings.api_url is not None
    api = settings.api_url.port or 0
    command = traefik_command(settings.directory, plain=free_port(), tls=free_port(), api=api)
    traefik = Program("traefik", command, folder / "traefik.log")
    await traefik.start()
    try:
        await _answers(f"{settings.api_url}api/http/services")
        yield
    finally:
        await traefik.stop()


async def _answers(url: str) -> None:
    async with asyncio.timeout(_START_LIMIT_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)
