"""Adopt a node of the replaced system: what it left is planned, with the reasons against it, and removed.

A leftover goes when something of ours stands in its place. Cron lines are not touched: `subscriber.survey` finds them,
and says what stops them.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common import log
from common.errors import BusUnavailable, ConfigError, TargetFailed
from common.models import Registry
from common.names import zone_of
from common.settings import Settings
from common.settings.subscriber import TargetName
from subscriber.leftovers import Kind, Leftover, Line
from subscriber.local import ask
from subscriber.removal import Remover
from subscriber.state import NodeState
from subscriber.survey import look
from subscriber.targets import build_targets
from subscriber.targets.blocking import in_thread
from subscriber.targets.command import run
from subscriber.targets.hosts import flush_commands

_log = log.get(__name__)

_ROUNDS, _SYNC_LIMIT_S = 3, 30.0
"""How often a running subscriber is asked to look at its own lines after a removal, and how long it may take, in s."""

_SHOWN = 5  # entries named in a reason

_WRITERS = {
    Kind.NAMES: frozenset({TargetName.HOSTS, TargetName.DNSMASQ}),
    Kind.ROUTES: frozenset({TargetName.TRAEFIK}),
}
"""Which targets give what a leftover gives."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A leftover that can be removed."""

    leftover: Leftover
    against: str | None = None
    """Why it should stay for now; None: ours stands in its place."""


@dataclass(frozen=True, slots=True)
class AdoptionPlan:
    """What would be removed, and what was found beside it."""

    removals: tuple[Removal, ...]
    cron: tuple[Leftover, ...]
    """Not ours to edit: each has the command that stops it."""
    unsure: tuple[Line, ...]
    """Lines of the hosts file that may be the replaced system's or the owner's: they stay."""
    unread: tuple[str, ...]
    """Files that could not be read, and why."""
    zone: str | None
    """The zone whose names are looked for; None: no snapshot was accepted, or it has none."""

    def chosen(self, *, force: bool) -> tuple[Removal, ...]:
        """Return what there is no reason against, with `force` all of it."""
        return tuple(each for each in self.removals if force or each.against is None)


@dataclass(frozen=True, slots=True)
class Removed:
    """How a removal ended."""

    leftover: Leftover
    backup: Path | None
    """The copy of the file as it was; None: nothing was there any more, or it failed."""
    error: str | None = None
    """Why it is still there."""


async def plan_adoption(settings: Settings) -> AdoptionPlan:
    """Look, and say of each leftover whether ours stands in its place.

    Raises:
        ConfigError: a target needs a setting that is missing.

    """
    snapshot = await in_thread(NodeState(settings.subscriber.state_dir).read_accepted)
    registry = snapshot.registry if snapshot is not None else None
    survey = await in_thread(look, settings, registry)
    found = [each for each in survey.leftovers if each.kind in _WRITERS]
    return AdoptionPlan(
        removals=tuple([Removal(each, await _reason_against(each, settings, registry)) for each in found]),
        cron=tuple(each for each in survey.leftovers if each.kind is Kind.CRON),
        unsure=survey.unsure,
        unread=survey.unread,
        zone=zone_of(registry.cluster) if registry is not None else None,
    )


async def _reason_against(leftover: Leftover, settings: Settings, registry: Registry | None) -> str | None:
    """Return why names or routes would be missing without `leftover`, None when ours stand."""
    if registry is None:
        return "no snapshot was accepted here yet, so nothing stands in its place; run: routecast subscriber sync"
    if leftover.kind is Kind.ROUTES and registry.node(settings.subscriber.node or "") is None:
        return f"the registry has no node {settings.subscriber.node!r}, so nothing stands in its place; register it"
    writers = [target for target in build_targets(settings) if target.name in _WRITERS[leftover.kind]]
    if not writers:
        return f"no target of this node writes {leftover.kind}, so nothing stands in its place; see subscriber.targets"
    for target in writers:
        try:
            missing: Sequence[str] = (await target.plan(registry)).created
        except TargetFailed as e:
            return str(e)
        if leftover.kind is Kind.NAMES:
            missing = [name for name in missing if name in leftover.entries]
        if missing:
            return f"ours ({target.name}) does not have {_listed(missing)} yet; run: routecast subscriber sync"
    return None


async def adopt(settings: Settings, chosen: Sequence[Removal], zone: str | None) -> tuple[Removed, ...]:
    """Remove what was chosen of a plan for `zone`; each file is copied first.

    Raises:
        TargetFailed: another adoption is under way, or the state directory cannot be used.

    """
    done = await in_thread(_adopt, settings, [each.leftover for each in chosen], zone)
    names = [each.leftover for each in done if each.leftover.kind is Kind.NAMES and each.backup is not None]
    for _ in range(_ROUNDS if names else 0):
        if not await _service_has_synced(settings):
            break
        again = {each.leftover.path: each for each in await in_thread(_adopt, settings, names, zone)}
        if all(each.backup is None and each.error is None for each in again.values()):
            break
        done = tuple(again.get(each.leftover.path, each) for each in done)
    return done


async def _service_has_synced(settings: Settings) -> bool:
    """Have the running subscriber write what is its own; False when none runs, or it does not answer.

    Two writes of one file at the same moment can undo each other: ours its newest names, or its own our removal. When
    it has answered, no write of its that began before ours is under way any more.
    """
    try:
        reply = await ask(NodeState(settings.subscriber.state_dir).socket, "sync", _SYNC_LIMIT_S)
        return reply is not None and reply.get("ack") is not None
    except (BusUnavailable, ConfigError) as e:
        _log.warning("the running subscriber was not asked to look at its own lines again", error=str(e))
        return False


def _adopt(settings: Settings, leftovers: Sequence[Leftover], zone: str | None) -> tuple[Removed, ...]:
    remover = Remover(settings.subscriber.state_dir)
    remover.recover(settings.hosts.path)
    with remover.alone():
        done = tuple([_remove(remover, leftover, zone) for leftover in leftovers])
    if any(each.backup is not None and each.leftover.kind is Kind.NAMES for each in done):
        for command in flush_commands(settings.hosts, sys.platform):
            finished = run(command)
            if not finished.ok:
                _log.warning("flushing the resolver's cache failed", command=" ".join(command), said=finished.said)
    return done


def _remove(remover: Remover, leftover: Leftover, zone: str | None) -> Removed:
    """Remove one; what goes wrong with it keeps the next one from nothing."""
    try:
        if leftover.kind is Kind.ROUTES:
            return Removed(leftover, remover.remove_file(leftover.path))
        return Removed(leftover, remover.remove_names(leftover.path, zone))
    except TargetFailed as e:
        return Removed(leftover, None, str(e))


def _listed(entries: Sequence[str]) -> str:
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return ", ".join(entries[:_SHOWN]) + more
