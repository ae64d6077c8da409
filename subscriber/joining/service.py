"""The service of this machine: installed, started, waited for, stopped. Below another root only its files are."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from common.ack import NodeAck, State
from common.errors import BusUnavailable, ConfigError, TargetFailed
from subscriber.joining.before import Kind, Was, make_directory, replace
from subscriber.joining.fitness import has_systemd
from subscriber.joining.places import Places
from subscriber.joining.record import JoinRecord
from subscriber.joining.units import ENABLED, SERVICE, UNIT, UNIT_FILES
from subscriber.local import ask
from subscriber.targets.command import run

_START_S = 120.0
"""How long systemd may take to start or stop it, in s: more than the units' own limits."""
_SYNC_S = 30.0


@dataclass(frozen=True, slots=True)
class Service:
    """The subscriber's service on a machine. Blocking."""

    places: Places

    def install(self, files: Mapping[Path, bytes], record: JoinRecord) -> list[Path]:
        """Write the unit's files that differ, and put back what was in the place of those not needed; return both.

        Raises:
            OSError: one could not be written.

        """
        changed = []
        for path in UNIT_FILES:
            place, content = self.places.at(path), files.get(path)
            if content is None:
                # Of an earlier join with another role; what was there before all joins is the owner's.
                if Was.at(place) != record.was(path):
                    record.was(path).put_back(place)
                    changed.append(path)
            elif Was.at(place).bytes != content:
                make_directory(place.parent)
                replace(place, content, 0o644)
                changed.append(path)
        return changed

    def enable(self) -> None:
        """Have it started at boot.

        Raises:
            ConfigError: systemd does not.
            OSError: the link could not be made.

        """
        if self.places.here:
            _systemctl("daemon-reload")
            _systemctl("enable", SERVICE)
            return
        link = self.places.at(ENABLED)
        if Was.at(link).kind is not Kind.LINK:
            make_directory(link.parent)
            link.unlink(missing_ok=True)
            link.symlink_to(UNIT)

    def start(self, *, anew: bool) -> None:
        """Start it, `anew` also when it runs; return when it says that it is ready.

        Raises:
            ConfigError: it does not start.

        """
        _systemctl("restart" if anew else "start", SERVICE)

    def stop(self) -> None:
        """Stop it, and have it started at boot no more.

        Raises:
            ConfigError: systemd does not.

        """
        if self._systemd and self.places.at(UNIT).exists():
            _systemctl("disable", "--now", SERVICE)

    @property
    def _systemd(self) -> bool:
        return self.places.here and has_systemd()

    def forget(self) -> None:
        """Have systemd look at the unit's files again: they are gone, or others."""
        if self._systemd:
            _systemctl("daemon-reload")
            run(("systemctl", "reset-failed", SERVICE))


class _NotYet(Exception):
    """Raise when the service is not there yet where it is wanted; says why."""


async def wait_until_applied(socket: Path, timeout_s: float) -> NodeAck:
    """Return the first answer of the running service that says `applied`, and that the control plane has.

    Raises:
        TargetFailed: there is none within `timeout_s`; it says why.

    """
    deadline = time.monotonic() + timeout_s
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(_NotYet),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            stop=stop_after_delay(timeout_s),
            reraise=True,
        ):
            with attempt:
                ack = await _look(socket, deadline)
    except _NotYet as e:
        raise TargetFailed(
            "not_applied",
            f"this machine has joined, but after {timeout_s:g} s {e}; the service goes on trying: see "
            f"`routecast subscriber status` and `journalctl -u {SERVICE} -n 30`",
        ) from e
    return ack


async def _look(socket: Path, deadline: float) -> NodeAck:
    """Have the service take the newest snapshot: its answer to that comes when the control plane has confirmed it.

    Raises:
        _NotYet: it is not connected, has no snapshot, or could not apply it.

    """
    status = await _ask(socket, "status", deadline)
    if not status["connected"]:
        raise _NotYet(f"it is not connected to NATS: {status.get('trouble') or 'it is trying'}")
    reply = await _ask(socket, "sync", deadline)
    if reply.get("ack") is None or reply.get("error") is not None:
        raise _NotYet(f"it runs nothing yet: {reply.get('error')}")
    ack = NodeAck.model_validate(reply["ack"])
    if ack.state is not State.APPLIED:
        raise _NotYet(f"it is {ack.state}: {ack.error.message if ack.error is not None else _faults(ack)}")
    return ack


async def _ask(socket: Path, op: Any, deadline: float) -> Mapping[str, Any]:
    left_s = min(_SYNC_S, max(0.1, deadline - time.monotonic()))
    try:
        reply = await ask(socket, op, left_s)
    except (BusUnavailable, ConfigError) as e:
        raise _NotYet(str(e)) from e
    if reply is None:
        raise _NotYet("the service does not run")
    if op == "status" and "error" in reply:
        raise _NotYet(f"the service could not say how it stands: {reply['error']}")
    return reply


def _faults(ack: NodeAck) -> str:
    return "; ".join(f"{name}: {each.error.message}" for name, each in ack.targets.items() if each.error is not None)


def _systemctl(*words: str) -> None:
    done = run(("systemctl", *words), limit_s=_START_S)
    if not done.ok:
        raise ConfigError(f"systemctl {' '.join(words)} failed: {done.said}; see: journalctl -u {SERVICE} -n 30")
