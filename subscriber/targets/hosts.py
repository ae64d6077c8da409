"""The `hosts` target: our block in a hosts file that is the owner's."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from common import log
from common.errors import TargetFailed
from common.files import Sync
from common.models import Registry
from common.settings.subscriber import HostsSettings, TargetName
from subscriber.files import LiveFile
from subscriber.policy import DEFAULT, Policy
from subscriber.targets.blocking import in_thread
from subscriber.targets.command import run
from subscriber.targets.failures import translated
from subscriber.targets.hosts_block import Parts, split
from subscriber.targets.hosts_lines import entry_lines, read_entries, shadowed
from subscriber.targets.target import Outcome, Plan

_log = log.get(__name__)

_ATTEMPTS = 5
"""How often a write begins anew because the owner wrote at the same time."""

_MACOS_FLUSH = (("dscacheutil", "-flushcache"), ("killall", "-HUP", "mDNSResponder"))


class View(NamedTuple):
    """The file as it is, and what it should be."""

    current: bytes | None
    parts: Parts
    desired: bytes | None
    plan: Plan
    known: set[bytes]
    """The lines that we wrote or are about to write."""
    shadowed: dict[str, str]
    """Names that the owner's own lines give another address."""


class HostsTarget:
    """A marked block of ``ADDRESS<tab>NAME`` lines; no name, no block."""

    name = TargetName.HOSTS

    def __init__(
        self, settings: HostsSettings, state_dir: Path, policy: Policy = DEFAULT, platform: str = sys.platform
    ) -> None:
        self._policy = policy
        self._file = LiveFile(settings.path, journal=state_dir / "hosts.journal")
        self._written = LiveFile(state_dir / "hosts.lines")
        self._flush = flush_commands(settings, platform)
        self._shadowed: dict[str, str] = {}

    async def recover(self) -> None:
        """Finish a write in place that a crash cut short.

        Raises:
            TargetFailed: the file cannot be read or written.

        """
        await in_thread(self._recover)

    async def plan(self, registry: Registry) -> Plan:
        """Compare the block with the names of `registry` that the policy allows; write nothing.

        Raises:
            TargetFailed: the file cannot be read.

        """
        allowed = self._policy.names(registry)
        return replace((await in_thread(self._look, allowed.records)).plan, refused=allowed.refused)

    async def apply(self, registry: Registry) -> Outcome:
        """Bring the block to the names of `registry` that the policy allows.

        Raises:
            TargetFailed: it could not; the previous bytes stand.

        """
        allowed = self._policy.names(registry)
        view = await in_thread(self._write, allowed.records)
        if view.plan.changed:
            for command in self._flush:
                finished = await in_thread(run, command)
                if not finished.ok:
                    _log.warning("flushing the resolver's cache failed", command=" ".join(command), said=finished.said)
        self._warn_of_shadows(view.shadowed)
        plan = replace(view.plan, refused=allowed.refused)
        return Outcome(plan, checked="file", found=view.parts.lines, left=tuple(entry_lines(allowed.records)))

    def _recover(self) -> None:
        for file in (self._file, self._written):
            with translated(file.path):
                file.recover()

    def _look(self, records: Mapping[str, str]) -> View:
        with translated(self._written.path):
            written = self._written.read()
        with translated(self._file.path):
            current = self._file.read()
        lines = entry_lines(records)
        known = set((written or b"").splitlines())
        parts = split(current or b"", known.union(lines))
        desired = parts.render(lines) if current is not None or lines else None
        entries = read_entries(parts.lines)
        plan = Plan.between(entries, records, rewrite=current != desired and entries == records)
        mine = known.intersection(parts.lines).union(lines)
        return View(current, parts, desired, plan, mine, shadowed(parts.outside, records))

    def _write(self, records: Mapping[str, str]) -> View:
        """Write until what is there is what should be, beginning anew when the owner writes too."""
        for _ in range(_ATTEMPTS):
            view = self._look(records)
            if view.desired is None or view.desired == view.current:
                return view
            self._remember(view.known)
            with translated(self._file.path):
                if not self._file.replace(view.desired, expected=view.current):
                    continue
            if self._stands(view):
                return view
        raise TargetFailed(
            "overtaken",
            f"{self._file.path} is being written by another program all the time; find it, for example with "
            f"'fuser {self._file.path}', then run: routecast subscriber sync",
        )

    def _stands(self, view: View) -> bool:
        """Read back; False when the owner has written meanwhile. Other differences put the previous bytes back.

        Raises:
            TargetFailed: what is read is not what was written.

        """
        with translated(self._file.path):
            found = self._file.read()
            if found == view.desired:
                return True
            if split(found or b"", frozenset()).outside != view.parts.outside:
                return False
            if view.current is not None:
                self._file.replace(view.current, expected=found)
        raise TargetFailed(
            "check_failed",
            f"{self._file.path} does not hold what was written to it; its previous bytes were put back. "
            "See the system's log for disk errors, then run: routecast subscriber sync",
        )

    def _remember(self, lines: set[bytes]) -> None:
        """Keep what is ours: those lines are known again next to a marker that lost the other one."""
        with translated(self._written.path):
            self._written.path.parent.mkdir(parents=True, exist_ok=True)
            self._written.put(b"".join(line + b"\n" for line in sorted(lines)), sync=Sync.NONE)

    def _warn_of_shadows(self, found: dict[str, str]) -> None:
        for name, address in found.items():
            if self._shadowed.get(name) != address:
                _log.warning(
                    "the owner's own line gives a name another address, the earlier line wins",
                    file=str(self._file.path),
                    name=name,
                    address=address,
                )
        self._shadowed = found


def flush_commands(settings: HostsSettings, platform: str) -> tuple[tuple[str, ...], ...]:
    """Return what empties the resolver's cache: the setting, else macOS' two commands there, else nothing."""
    if settings.flush_command is not None:
        return (settings.flush_command,) if settings.flush_command else ()
    return _MACOS_FLUSH if platform == "darwin" else ()
