"""Look at Traefik: its directory, what its API says of our routes, and a canary where one is asked for."""

import secrets
import time
from collections.abc import Collection
from functools import partial
from pathlib import Path

from cli.doctor.attempt import LIMIT_S, Fault, attempt
from cli.doctor.beside import beside
from cli.doctor.node.facts import CanarySeen, TraefikSeen
from cli.doctor.node.look import look_at_path, on_one_file_system
from common.errors import TransientError
from common.models import Registry
from common.routes import Route
from common.settings import Settings
from common.settings.subscriber import TargetName, TraefikSettings
from subscriber.files import LiveFile
from subscriber.policy import Policy
from subscriber.targets.blocking import in_thread
from subscriber.targets.failures import translated
from subscriber.targets.traefik_api import TraefikApi, Unreachable
from subscriber.targets.traefik_check import Verdict, keys_of
from subscriber.targets.traefik_config import Entries, build_entries, encode

CANARY_FILE = "routecast-canary.yml"
"""One name for all runs: what a killed one has left, the next one replaces and removes."""
_NOWHERE = "http://127.0.0.1:9"
"""The port of the discard service: nobody listens there, and nobody asks for the canary's name."""


async def read_traefik(settings: Settings, registry: Registry | None, *, canary: bool) -> TraefikSeen | Fault | None:
    """Return how Traefik stands; None on a node that writes nothing for it."""
    if TargetName.TRAEFIK not in settings.subscriber.target_names:
        return None
    return await attempt("Traefik", _read(settings, registry, canary=canary), 2 * LIMIT_S + _longest(settings.traefik))


async def _read(settings: Settings, registry: Registry | None, *, canary: bool) -> TraefikSeen:
    traefik = settings.traefik
    file = traefik.directory / CANARY_FILE
    directory = await beside(partial(look_at_path, traefik.directory))
    forgotten = (await beside(partial(look_at_path, file))).exists
    entries = _entries(settings, registry)
    served = None if traefik.api_url is None else await attempt("Traefik's API", _settle(traefik, entries, ()))
    tried = None
    if canary and isinstance(served, Verdict):
        tried = await attempt("the canary", _try_canary(traefik, file), _longest(traefik))
    return TraefikSeen(
        directory=directory,
        one_file_system=await beside(partial(on_one_file_system, traefik.directory, traefik.staging_dir)),
        forgotten=file if forgotten and not canary else None,
        routes=len(entries),
        served=served,
        canary=tried,
    )


def _longest(settings: TraefikSettings) -> float:
    """Return how long a canary may take: seen and let go, each within the target's own limit."""
    return 2 * settings.check_timeout_s + LIMIT_S


def _entries(settings: Settings, registry: Registry | None) -> Entries:
    node = registry.node(settings.subscriber.node or "") if registry is not None else None
    if registry is None or node is None:
        return {}
    return build_entries(Policy(settings.policy).routes(registry, node.address).routes, settings.traefik)


async def _settle(settings: TraefikSettings, entries: Entries, gone: Collection[str]) -> Verdict:
    try:
        return await TraefikApi(str(settings.api_url), settings.check_timeout_s).settle(entries, gone)
    except Unreachable as e:
        raise TransientError(str(e)) from e


async def _try_canary(settings: TraefikSettings, path: Path) -> CanarySeen:
    """Put a router into the directory, see it in Traefik, and take it out again, whatever happens meanwhile.

    Raises:
        TargetFailed: it cannot be written or removed.
        TransientError: the API does not answer.

    """
    entries = canary_entries(settings, secrets.token_hex(4))
    file = LiveFile(path, staging=settings.staging_dir)
    try:
        await in_thread(_put, file, settings.staging_dir, encode(entries))
        started = time.monotonic()
        verdict = await _settle(settings, entries, ())
        took_ms = (time.monotonic() - started) * 1000
    finally:
        await in_thread(_put, file, settings.staging_dir, None)
    left = await _settle(settings, {}, keys_of(entries))
    return CanarySeen(verdict, took_ms, gone=left.good)


def canary_entries(settings: TraefikSettings, token: str) -> Entries:
    """Return a route that looks like ours under a name that nobody has (RFC 6761, 6.4), without any certificate."""
    route = Route("canary", f"{token}.routecast.invalid", _NOWHERE, (), ())
    apart = settings.model_copy(update={"prefix": f"{settings.prefix}-canary", "cert_resolver": ""})
    return build_entries([route], apart)


def _put(file: LiveFile, staging: Path, content: bytes | None) -> None:
    with translated(file.path):
        if content is not None:
            staging.mkdir(parents=True, exist_ok=True)
        file.put(content)
