"""Leave: take away what joining and the service have brought, and put back what was there. Needs no network."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.errors import ConfigError, TargetFailed
from common.models import Registry
from common.settings import Settings
from common.settings.subscriber import TargetName
from subscriber.joining.before import Kind, Was
from subscriber.joining.fitness import check_root
from subscriber.joining.join import Step
from subscriber.joining.places import SETTINGS, Places
from subscriber.joining.record import FOLLOWED, OURS, JoinRecord, read_record
from subscriber.joining.removing import keeps_settings, put_all_back
from subscriber.joining.service import Service
from subscriber.joining.settings import read_settings
from subscriber.joining.units import SERVICE
from subscriber.state import NodeState
from subscriber.targets import build_targets
from subscriber.targets.blocking import in_thread
from subscriber.targets.target import Plan, Target

NOTHING = Registry()
"""What is desired of a node that is none."""
AGAIN = "mend that, then run: sudo routecast leave"

Say = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class LeavePlan:
    """What leaving would do."""

    node: str
    steps: tuple[Step, ...]


async def plan_leave(places: Places) -> LeavePlan | None:
    """Return what leaving would do, None when this machine has not joined.

    Raises:
        ConfigError: it cannot be told.
        TargetFailed: what a target has written cannot be read.

    """
    check_root(places, "leave")
    record = await in_thread(read_record, places)
    if record is None:
        return None
    settings = await in_thread(settings_of, record, places)
    steps = [Step("stop", f"{SERVICE}, and start it at boot no more")] if places.here else []
    for target in build_targets(settings):
        plan = await target.plan(NOTHING)
        if plan.changed:
            steps.append(Step("withdraw", f"{_count(plan)} of {target.name}"))
    return LeavePlan(record.node, (*steps, *await in_thread(_file_steps, record, settings, places)))


async def leave(places: Places, say: Say) -> None:
    """Take everything away again; each step is told as it is done.

    Raises:
        ConfigError: something is in the way, or cannot be written; the same again goes on from there.
        TargetFailed: what a target has written cannot be withdrawn.

    """
    check_root(places, "leave")
    record = await in_thread(read_record, places)
    if record is None:
        return
    settings = await in_thread(settings_of, record, places)
    service, planned = Service(places), await in_thread(_file_steps, record, settings, places)
    await in_thread(service.stop)
    if places.here:
        say(Step("stopped", f"{SERVICE}; it starts at boot no more"))
    await _check_nobody_runs(settings)
    for target in build_targets(settings):
        plan = await _withdraw(target)
        if plan.changed:
            say(Step("withdrew", f"{_count(plan)} of {target.name}"))
    try:
        await in_thread(put_all_back, record, places, settings.subscriber.state_dir)
    except OSError as e:
        raise ConfigError(f"{e.filename or 'a file'}: {e.strerror or e}; {AGAIN}") from e
    for step in planned:
        say(Step(_DONE[step.what], step.about))
    await in_thread(service.forget)


_DONE = {"remove": "removed", "put back": "put back", "edit": "edited"}


async def _withdraw(target: Target) -> Plan:
    try:
        await target.recover()
        return (await target.apply(NOTHING)).plan
    except TargetFailed as e:
        raise TargetFailed(e.code, f"{e}; the service is stopped, all else is still there; {AGAIN}") from e


async def _check_nobody_runs(settings: Settings) -> None:
    """Refuse while a subscriber runs that is not the service: it would write everything again."""
    state = NodeState(settings.subscriber.state_dir)
    if not await in_thread(state.directory.is_dir):
        return
    async with state.locked() as free:
        if not free:
            raise ConfigError(f"a subscriber runs on {state.directory}, not by systemd: stop it, then leave again")


def settings_of(record: JoinRecord, places: Places) -> Settings:
    """Return the settings with every target that this node has, or had when it last ran; below another root inert."""
    places.check(*FOLLOWED)
    settings = read_settings(places.at(SETTINGS))
    subscriber = settings.subscriber.model_copy(update={"node": record.node})
    state_dir = places.at(subscriber.state_dir)
    applied = NodeState(state_dir).read_applied() if state_dir.is_dir() else None
    before = [name for name in TargetName if applied is not None and name.value in applied.targets]
    targets = tuple(dict.fromkeys((*subscriber.target_names, *before)))
    subscriber = subscriber.model_copy(update={"targets": targets, "state_dir": state_dir})
    settings = settings.model_copy(update={"subscriber": subscriber})
    return settings if places.here else _below(settings, places)


def _below(settings: Settings, places: Places) -> Settings:
    """Return settings whose targets write below another root, and tell nobody: no program of that machine runs."""
    hosts, dnsmasq, traefik = settings.hosts, settings.dnsmasq, settings.traefik
    files = {name: places.at(getattr(dnsmasq, name)) for name in ("drop_in", "hosts_file")}
    folders = {name: places.at(getattr(traefik, name)) for name in ("directory", "staging_dir")}
    nothing = ("true",)
    places.check(hosts.path, dnsmasq.drop_in, dnsmasq.hosts_file, traefik.directory, traefik.staging_dir)
    return settings.model_copy(
        update={
            "hosts": hosts.model_copy(update={"path": places.at(hosts.path), "flush_command": ()}),
            "dnsmasq": dnsmasq.model_copy(
                update={**files, "pid_file": Path("/dev/null"), "test_command": nothing, "restart_command": nothing}
            ),
            "traefik": traefik.model_copy(update={**folders, "api_url": None}),
        }
    )


def _file_steps(record: JoinRecord, settings: Settings, places: Places) -> list[Step]:
    """Return what becomes of each of our files, as it is to be told before it is done."""
    steps = []
    for path in OURS:
        place, was = places.at(path), record.was(path)
        if Was.at(place) == was:
            continue
        if path == SETTINGS and keeps_settings(record, places):
            steps.append(Step("edit", f"{place}: what joining has set goes, what you wrote stays"))
        else:
            steps.append(Step("remove" if was.kind is Kind.ABSENT else "put back", str(place)))
    return [*steps, Step("remove", f"what the service kept in {settings.subscriber.state_dir}")]


def _count(plan: Plan) -> str:
    number = len(plan.deleted)
    return f"{number} {'entry' if number == 1 else 'entries'}" if number else "the file"
