"""The `dnsmasq` target: a static drop-in, written when the zone changes, and a hosts file of ours."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from common import log
from common.errors import TargetFailed
from common.models import Registry
from common.settings.subscriber import DnsmasqSettings, TargetName
from subscriber.files import LiveFile
from subscriber.policy import DEFAULT, AllowedNames, Policy
from subscriber.targets.blocking import in_thread
from subscriber.targets.command import run
from subscriber.targets.dns_check import DnsCheck
from subscriber.targets.dnsmasq_files import Files, plan_between, probes_for, render
from subscriber.targets.dnsmasq_process import reload, running_pid
from subscriber.targets.failures import AGAIN, failed, translated
from subscriber.targets.target import Outcome, Plan

_log = log.get(__name__)

_RELOADS, _SETTLE_S = 3, 1.0
"""How often dnsmasq is told to read its files, and how long each time it may take to answer from them, in s."""

_RESTART, _RELOAD = b"restart", b"reload"


class Step(NamedTuple):
    """A write: from current to desired files, and what dnsmasq needs to be told."""

    current: Files
    desired: Files
    plan: Plan
    restart: bool
    pending: bytes | None
    """What dnsmasq had not been told yet when the step began."""


class DnsmasqTarget:
    """Names for dnsmasq. Before the files change a note is left of what dnsmasq must be told: a crash loses nothing."""

    name = TargetName.DNSMASQ

    def __init__(self, settings: DnsmasqSettings, state_dir: Path, policy: Policy = DEFAULT) -> None:
        self._policy = policy
        self._settings = settings
        self._drop_in = LiveFile(settings.drop_in)
        self._hosts = LiveFile(settings.hosts_file)
        self._pending = LiveFile(state_dir / "dnsmasq.pending")
        self._dns = DnsCheck(settings.server, settings.port)

    async def recover(self) -> None:
        """Remove what a crash left beside the files; what dnsmasq was not told is told by the next apply.

        Raises:
            TargetFailed: the directories cannot be read.

        """
        await in_thread(self._recover)

    async def plan(self, registry: Registry) -> Plan:
        """Compare both files with the names of `registry` that the policy allows; write nothing.

        Raises:
            TargetFailed: a file cannot be read.

        """
        allowed = self._policy.names(registry)
        return replace((await in_thread(self._look, self._render(allowed))).plan, refused=allowed.refused)

    async def apply(self, registry: Registry) -> Outcome:
        """Bring both files to the names of `registry` that the policy allows, and see that dnsmasq has them.

        Raises:
            TargetFailed: it could not; the previous files stand.

        """
        allowed = self._policy.names(registry)
        step = await in_thread(self._write, self._render(allowed))
        plan = replace(step.plan, refused=allowed.refused)
        if not plan.changed:
            return Outcome(plan, checked="file", found=step.current, left=step.desired)
        try:
            if step.restart:
                await self._command("test_failed", self._settings.test_command)
        except TargetFailed:
            await self._take_back(step, pending=step.pending)
            raise
        try:
            checked = await self._take_effect(step)
        except TargetFailed:
            await self._take_back(step, pending=None, restart=step.restart)
            raise
        await in_thread(self._note, None)
        return Outcome(plan, checked, found=step.current, left=step.desired)

    def _render(self, allowed: AllowedNames) -> Files:
        return render(allowed.zone, allowed.records, self._settings.hosts_file)

    def _recover(self) -> None:
        for file in (self._drop_in, self._hosts, self._pending):
            with translated(file.path):
                file.recover()

    def _read(self) -> Files:
        with translated(self._drop_in.path):
            drop_in = self._drop_in.read()
        with translated(self._hosts.path):
            return Files(drop_in, self._hosts.read())

    def _look(self, desired: Files) -> Step:
        current = self._read()
        with translated(self._pending.path):
            pending = self._pending.read()
        plan = plan_between(current, desired)
        if pending is not None and not plan.changed:
            plan = Plan(rewrite=True)
        restart = current.drop_in != desired.drop_in or pending == _RESTART
        return Step(current, desired, plan, restart, pending)

    def _write(self, desired: Files) -> Step:
        step = self._look(desired)
        if not step.plan.changed:
            return step
        self._note(_RESTART if step.restart else _RELOAD)
        try:
            self._put(desired)
        except TargetFailed:
            self._put(step.current)
            self._note(step.pending)
            raise
        return step

    def _put(self, files: Files) -> None:
        """Write what differs of both files and read them back; the hosts file first, the drop-in names it."""
        found = self._read()
        with translated(self._hosts.path):
            if files.hosts is not None:
                _make_directory(self._hosts.path.parent)
            if files.hosts != found.hosts:
                self._hosts.put(files.hosts)
            if files.hosts is not None:
                self._hosts.path.chmod(0o644)  # dnsmasq reads it as its own user
        with translated(self._drop_in.path):
            if files.drop_in != found.drop_in:
                self._drop_in.put(files.drop_in)
        if self._read() != files:
            raise TargetFailed(
                "check_failed",
                f"{self._hosts.path} or {self._drop_in.path} does not hold what was written to it; see the system's "
                f"log for disk errors, {AGAIN}",
            )

    def _note(self, pending: bytes | None) -> None:
        """Keep what dnsmasq must be told, over a crash; None: nothing."""
        with translated(self._pending.path):
            self._pending.path.parent.mkdir(parents=True, exist_ok=True)
            self._pending.put(pending)

    async def _take_effect(self, step: Step) -> str:
        """Restart dnsmasq or have it read its hosts file, and ask it; return what confirmed the result."""
        pid = await in_thread(self._pid)
        if pid is None:
            _log.warning("dnsmasq does not run, its files are written", pid_file=str(self._settings.pid_file))
            return "file"
        if step.restart:
            await self._command("restart_failed", self._settings.restart_command)
        probes = probes_for(step.current, step.desired)
        fault: str | None = None
        for _ in range(_RELOADS):
            # Again after each pause: it also reads /etc/hosts, which our other target may have been writing.
            if not step.restart:
                reload(pid)
            fault = await self._dns.settle(probes, _SETTLE_S)
            if fault is None:
                return "dns" if probes else "file"
        raise TargetFailed(
            "check_failed",
            f"dnsmasq does not answer from our files: {fault}; the previous ones were put back. Check the settings "
            f"'server' and 'port' of [dnsmasq], that dnsmasq reads {self._drop_in.path} (conf-dir=) and that its user "
            f"can read {self._hosts.path}, {AGAIN}",
            entry=probes[0].name,
        )

    async def _take_back(self, step: Step, *, pending: bytes | None, restart: bool = False) -> None:
        """Put the previous files back and in effect. What fails here is logged: the cause is what the caller raises."""
        try:
            await in_thread(self._put, step.current)
            pid = await in_thread(self._pid)
            if restart:
                await self._command("restart_failed", self._settings.restart_command)
            elif pid is not None:
                reload(pid)
            await in_thread(self._note, pending)
        except TargetFailed as e:
            _log.error("putting the previous files back failed", code=e.code, error=str(e))

    def _pid(self) -> int | None:
        try:
            return running_pid(self._settings.pid_file)
        except OSError as e:
            raise failed(self._settings.pid_file, e) from e

    async def _command(self, code: str, command: Sequence[str]) -> None:
        finished = await in_thread(run, command)
        if not finished.ok:
            raise TargetFailed(
                code,
                f"'{' '.join(command)}' failed: {finished.said}; the previous files were put back. Mend the cause, "
                f"{AGAIN}",
            )


def _make_directory(directory: Path) -> None:
    """Make a directory that dnsmasq's user can read through, whatever our umask."""
    for each in reversed((directory, *directory.parents)):
        if not each.exists():
            each.mkdir()
            each.chmod(0o755)
