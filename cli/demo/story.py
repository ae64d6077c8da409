"""The demo's plot: each step does something, waits until it holds, and says how long that took."""

import asyncio
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import httpx
import orjson

from cli.demo.joining import join
from cli.demo.registry import Entries
from cli.demo.watch import Acks, watching
from cli.demo.world import LAPTOPS, NODES, VPSS, World
from common.errors import RoutecastError

ZONE_NAMES = {"photos", "chat", "grafana", "dashboard"}
HOST = "photos.curiios.com"
PUBLIC = {f"{app}.{domain}" for app in ("photos", "chat") for domain in ("curiios.com", "vinaysachdeva.com")}
_SLEEP_S = 4.5  # longer than the gap by which a node tells sleep from a busy machine
_LIMIT_S = 20.0


class Broken(Exception):
    """Raise when a step of the story did not hold."""


async def tell(world: World) -> None:
    """Play all steps.

    Raises:
        Broken: one did not hold.

    """
    try:
        started = time.perf_counter()
        await _start(world)
        async with watching(world.nats) as acks:
            await _first_convergence(world, acks, started)
            await _install(world, acks)
            await _sleep_and_wake(world, acks)
            await _make_private(world, acks)
        await _final_table(world)
    except (TimeoutError, RoutecastError) as e:
        raise Broken(_with_logs(world, str(e) or "it took too long")) from e


async def _start(world: World) -> None:
    _title("A control plane with NATS, two laptops, two VPSs, one of them with a real Traefik")
    for name in ("nats", "traefik", "publisher"):
        await world.start(name)
    if world.trust is not None:
        await _join(world)
    await asyncio.gather(*map(world.start, NODES))
    _say(f"everything runs in {world.folder}")


async def _join(world: World) -> None:
    """Have the machines join by token, one after the other, as their owner would."""
    for name in NODES:
        started = time.perf_counter()
        await join(world, name)
        _say(f"{name} joined with a token, after {time.perf_counter() - started:.1f} s; its key never left it")


async def _first_convergence(world: World, acks: Acks, started: float) -> None:
    _title("First convergence")
    found = await acks.until_all_apply(NODES, lambda ack: ack.applied is not None, _LIMIT_S)
    version = found[LAPTOPS[0]].applied
    _say(
        f"all {len(NODES)} nodes run version {version.version if version else '?'} "
        f"after {time.perf_counter() - started:.1f} s, most of it Python starting"
    )
    for laptop in LAPTOPS:
        _expect(
            _names(world, laptop) == ZONE_NAMES - {"photos"} | {""}, f"{laptop}'s hosts file has the cluster's names"
        )
    for vps in VPSS:
        _expect(_hosts(world, vps) == {"chat.curiios.com", "chat.vinaysachdeva.com"}, f"{vps} has the public routes")


async def _install(world: World, acks: Acks) -> None:
    _title("Install immich: its entry is added to the registry")
    mark, started = acks.mark(), time.perf_counter()
    await asyncio.to_thread(world.registry.install_immich, "127.0.0.1", world.ports.app)
    await _until(lambda: all(HOST in _hosts(world, vps) for vps in VPSS))
    await _until(lambda: all("photos" in _names(world, laptop) for laptop in LAPTOPS))
    _say(f"written on the last node's disk after {_ms(started)}")
    await acks.until_all_apply(NODES, mark.newer, _LIMIT_S)
    _say(f"the last node's answer was in after {_ms(started)}")
    text = await _until_answer(world, 200)
    _say(f"https://{HOST} through Traefik answered after {_ms(started)}: {text.strip()!r}")
    redirect = await _get(f"http://127.0.0.1:{world.ports.plain}/")
    _expect(redirect.status_code in {301, 308}, f"plain http is redirected to {redirect.headers.get('location')}")
    for laptop in LAPTOPS:
        _expect(_names(world, laptop) == ZONE_NAMES | {""}, f"{laptop} knows exactly {', '.join(sorted(ZONE_NAMES))}")
    for vps in VPSS:
        _expect(_hosts(world, vps) == PUBLIC, f"{vps} serves exactly the four public names")
    lines = (await asyncio.to_thread(world.hosts_file(LAPTOPS[0]).read_text)).splitlines()
    _expect("192.0.2.7\tprinter" in lines, "the laptop's own lines stand as they were")


async def _sleep_and_wake(world: World, acks: Acks) -> None:
    sleeper = LAPTOPS[1]
    _title(f"{sleeper} sleeps, three changes, it wakes")
    world.programs[sleeper].send(signal.SIGSTOP)
    asleep = time.perf_counter()
    others = [node for node in NODES if node != sleeper]
    for i, app in enumerate(("jellyfin", "vaultwarden", "paperless")):
        mark = acks.mark()
        entry: Entries = {"subdomain": app, "ip": f"100.67.243.{20 + i}", "port": 80, "public": False}
        add = partial(_add_service, name=app, entry=entry)
        await asyncio.to_thread(world.registry.edit_services, add)
        await acks.until_all_apply(others, mark.newer, _LIMIT_S)
    await asyncio.sleep(max(0.0, _SLEEP_S - (time.perf_counter() - asleep)))
    mark = acks.mark()
    world.programs[sleeper].send(signal.SIGCONT)
    woke = time.perf_counter()
    await acks.until_all_apply([sleeper], acks.runs_newest, _LIMIT_S)
    _say(f"awake after {time.perf_counter() - asleep:.0f} s of sleep, it ran the newest version after {_ms(woke)}")
    await asyncio.sleep(0.5)
    writes = [ack for ack in mark.since(sleeper) if any(target.changed for target in ack.targets.values())]
    _expect(len(writes) == 1, f"it applied once, though three versions had passed ({len(writes)} writes)")


def _add_service(services: Entries, *, name: str, entry: Entries) -> None:
    services[name] = entry


async def _make_private(world: World, acks: Acks) -> None:
    _title("immich is made private")
    mark, started = acks.mark(), time.perf_counter()
    await asyncio.to_thread(world.registry.edit_services, lambda services: services["immich"].update(public=False))
    await acks.until_all_apply(NODES, mark.newer, _LIMIT_S)
    await _until_answer(world, 404)
    _say(f"{HOST} is gone from Traefik after {_ms(started)}")
    for vps in VPSS:
        _expect(not any(host.startswith("photos") for host in _hosts(world, vps)), f"{vps} has no route of it left")
    _expect("photos" in _names(world, LAPTOPS[0]), "inside, its name stays")


async def _final_table(world: World) -> None:
    _title("routecast nodes")
    process = await asyncio.create_subprocess_exec(world.command, "--config", str(world.config), "nodes")
    _expect(await process.wait() == 0, "every node is synced")


async def _until(holds: Callable[[], bool]) -> None:
    """Wait until `holds` returns true; it reads small files.

    Raises:
        TimeoutError: it did not within the limit.

    """
    async with asyncio.timeout(_LIMIT_S):
        while True:
            if await asyncio.to_thread(holds):
                return
            await asyncio.sleep(0.005)


async def _until_answer(world: World, status: int) -> str:
    async with asyncio.timeout(_LIMIT_S):
        while True:
            answer = await _get(f"https://127.0.0.1:{world.ports.tls}/")
            if answer.status_code == status:
                return answer.text
            await asyncio.sleep(0.01)


async def _get(url: str) -> httpx.Response:
    # Traefik shows its self-signed default certificate here: the demo has no public name to get another for
    async with httpx.AsyncClient(verify=False) as client:  # noqa: S501
        return await client.get(url, headers={"Host": HOST}, extensions={"sni_hostname": HOST})


def _names(world: World, laptop: str) -> set[str]:
    """Return the names below the zone in a laptop's hosts file; the zone itself is ''."""
    lines = world.hosts_file(laptop).read_text().splitlines()
    zone = [line.split("\t")[1] for line in lines if "\t" in line and line.endswith("mycloud.local")]
    return {name.removesuffix("mycloud.local").rstrip(".") for name in zone}


def _hosts(world: World, vps: str) -> set[str]:
    """Return the host names in a VPS's routes file."""
    path: Path = world.routes_file(vps)
    if not path.exists():
        return set()
    routers = orjson.loads(path.read_bytes())["http"]["routers"].values()
    return {router["rule"].removeprefix("Host(`").removesuffix("`)") for router in routers}


def _with_logs(world: World, reason: str) -> str:
    dead = [f"{program.name} ended by itself:\n{program.tail()}" for program in world.dead()]
    return "\n".join([reason, *dead])


def _ms(started: float) -> str:
    return f"{(time.perf_counter() - started) * 1000:.0f} ms"


def _title(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _say(text: str) -> None:
    click.echo(f"  {text}")


def _expect(holds: bool, what: str) -> None:  # noqa: FBT001
    if not holds:
        raise Broken(what)
    _say(f"ok: {what}")
