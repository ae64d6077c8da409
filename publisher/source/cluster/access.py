"""Find out at start which rights are missing, and say it plainly: RBAC refuses one call at a time, and late."""

import asyncio

from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from common import log
from common.errors import AccessDenied, SourceUnavailable
from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.events import ClusterEvents
from publisher.source.cluster.timing import Timing
from publisher.source.document import DOCUMENTS, STATE

_log = log.get(__name__)

NEEDED: tuple[tuple[str, str | None], ...] = (
    *((verb, name) for name in DOCUMENTS for verb in ("get", "list", "watch")),
    ("get", STATE),
    ("patch", STATE),
    ("create", None),  # RBAC cannot limit creation to a name
)
"""Verb and ConfigMap."""

NEEDED_FOR_EVENTS = ("list", "create", "patch")
"""What telling problems as Events needs besides; everything else goes on without it."""


async def missing_rights(config_maps: ConfigMaps) -> list[str]:
    """Return what we need and may not do, as ``watch service-registry``.

    Raises:
        SourceUnavailable: the server does not answer.
        AccessDenied: it does not know us.

    """
    answers = await asyncio.gather(*(config_maps.allowed(verb, name) for verb, name in NEEDED), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [f"{verb} {name or STATE}" for (verb, name), allowed in zip(NEEDED, answers, strict=True) if not allowed]


async def report_missing_rights(config_maps: ConfigMaps, timing: Timing) -> None:
    """Log one error that names all missing rights and how to grant them; waits for the server to answer."""
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(SourceUnavailable),
            wait=wait_random_exponential(multiplier=0.5, max=timing.pause_max_s),
        ):
            with attempt:
                missing = await missing_rights(config_maps)
    except AccessDenied as e:
        _log.error("the cluster does not let us in", error=str(e))
        return
    if missing:
        _log.error("rights are missing in the cluster", missing=", ".join(missing), grant=config_maps.commands.grant)
    else:
        _log.debug("all rights are there", rights=len(NEEDED))


async def may_write_events(events: ClusterEvents, timing: Timing) -> bool:
    """Tell whether problems may be told as Events; if not, log how to grant it. Waits for the server to answer."""
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(SourceUnavailable),
            wait=wait_random_exponential(multiplier=0.5, max=timing.pause_max_s),
        ):
            with attempt:
                missing = [verb for verb in NEEDED_FOR_EVENTS if not await events.allowed(verb)]
    except AccessDenied:
        return False  # said by `report_missing_rights`
    if missing:
        _log.info(
            "problems are not told as Events: rights are missing in the cluster",
            missing=", ".join(f"{verb} events" for verb in missing),
            grant=events.grant,
        )
    return not missing
