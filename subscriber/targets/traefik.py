"""The `traefik` target: one file of ours in the directory that Traefik's file provider watches."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from common import log
from common.errors import TargetFailed
from common.models import Registry
from common.settings.subscriber import TargetName, TraefikSettings
from subscriber.files import LiveFile
from subscriber.policy import DEFAULT, NOTHING, AllowedRoutes, Policy
from subscriber.targets.blocking import in_thread
from subscriber.targets.failures import AGAIN, translated
from subscriber.targets.target import Outcome, Plan
from subscriber.targets.traefik_api import TraefikApi, Unreachable
from subscriber.targets.traefik_check import Verdict, keys_of
from subscriber.targets.traefik_config import Entry, build_entries, decode, encode, fall_back, private_backends

_log = log.get(__name__)

FILE_NAME = "routecast.yml"
"""JSON, which Traefik reads as YAML; it takes no other ending."""

_SHOWN = 5  # faults named in a message


class View(NamedTuple):
    """The file as it is, and what it should be."""

    content: bytes | None
    current: dict[str, Entry]
    desired: dict[str, Entry]
    plan: Plan


class TraefikTarget:
    """The routes of one VPS. Files of others in the directory are not looked at."""

    name = TargetName.TRAEFIK

    def __init__(self, settings: TraefikSettings, node: str, policy: Policy = DEFAULT) -> None:
        self._policy = policy
        self._settings = settings
        self._node = node
        self._file = LiveFile(settings.directory / FILE_NAME, staging=settings.staging_dir)

    async def recover(self) -> None:
        """Remove what a crash left in the staging directory: the file itself is always whole.

        Raises:
            TargetFailed: the directory cannot be read.

        """
        await in_thread(self._recover)

    async def plan(self, registry: Registry) -> Plan:
        """Compare the file with the routes of this node in `registry` that the policy allows; write nothing.

        Raises:
            TargetFailed: the file cannot be read.

        """
        allowed = self._allowed(registry)
        return replace((await in_thread(self._look, self._entries(allowed))).plan, refused=allowed.refused)

    async def apply(self, registry: Registry) -> Outcome:
        """Bring the file to the routes of this node that the policy allows, and see that Traefik serves them.

        Raises:
            TargetFailed: it could not. What Traefik took over without fault is served, removals stand; the rest is in
                its previous form.

        """
        allowed = self._allowed(registry)
        view = await in_thread(self._write, self._entries(allowed))
        plan = replace(view.plan, refused=allowed.refused)
        by_file = Outcome(plan, checked="file", found=view.content, left=encode(view.desired))
        if not view.plan.changed or self._settings.api_url is None:
            return by_file
        api = TraefikApi(str(self._settings.api_url), self._settings.check_timeout_s)
        try:
            verdict = await api.settle(view.desired, gone=keys_of(view.current) - keys_of(view.desired))
        except Unreachable as e:
            _log.warning("traefik cannot be asked what it serves, its file is written", error=str(e))
            return by_file
        if verdict.good:
            return replace(by_file, checked="traefik")
        await in_thread(self._fall_back, view, verdict, private_backends(registry) | self._refused_backends(view))
        raise self._refusal(verdict)

    def _allowed(self, registry: Registry) -> AllowedRoutes:
        node = registry.node(self._node)
        return self._policy.routes(registry, node.address) if node is not None else AllowedRoutes((), NOTHING)

    def _entries(self, allowed: AllowedRoutes) -> dict[str, Entry]:
        return build_entries(allowed.routes, self._settings)

    def _refused_backends(self, view: View) -> frozenset[str]:
        """Return ``address:port`` of what is there, but must not be: not even as a previous form."""
        backends = {entry.backend for entry in view.current.values()}
        return frozenset(url.partition("://")[2] for url in backends if not self._policy.takes_backend(url))

    def _recover(self) -> None:
        with translated(self._file.path):
            self._file.recover()

    def _look(self, desired: dict[str, Entry]) -> View:
        with translated(self._file.path):
            content = self._file.read()
        current = decode(content)
        differs = content != encode(desired)
        plan = Plan.between(current, desired, rewrite=differs and current == desired)
        return View(content, current, desired, plan)

    def _write(self, desired: dict[str, Entry]) -> View:
        """Write what differs and read it back.

        Raises:
            TargetFailed: it cannot be written, or reads as something else; then the previous bytes are put back.

        """
        view = self._look(desired)
        if view.plan.changed:
            self._put(encode(desired))
            with translated(self._file.path):
                found = self._file.read()
            if found != encode(desired):
                self._put(view.content)
                raise TargetFailed(
                    "check_failed",
                    f"{self._file.path} does not hold what was written to it; its previous bytes were put back. See "
                    f"the system's log for disk errors, {AGAIN}",
                )
        return view

    def _put(self, content: bytes | None) -> None:
        """Replace the file, made outside the watched directory: a temporary file in there costs Traefik seconds."""
        staging = self._settings.staging_dir
        with translated(staging):
            if content is not None:
                staging.mkdir(parents=True, exist_ok=True)
        with translated(self._file.path):
            self._file.put(content)

    def _fall_back(self, view: View, verdict: Verdict, barred: frozenset[str]) -> None:
        """Put the previous form of what Traefik refuses back; of everything when it is not the fault of entries."""
        refused = view.desired.keys() if verdict.missing else verdict.refused.keys()
        entries = fall_back(view.current, view.desired, refused, barred)
        same = entries == view.current and (view.content is None or bool(entries))
        self._put(view.content if same else encode(entries))

    def _refusal(self, verdict: Verdict) -> TargetFailed:
        where = f"Traefik ({self._settings.api_url})"
        if not verdict.missing:
            return TargetFailed(
                "traefik_refused",
                f"{where} refuses {_listed(verdict.refused)}; the previous form stands, all other routes are served. "
                f"Mend the service's entry or Traefik's configuration, {AGAIN}",
                entry=next(iter(verdict.refused)),
            )
        return TargetFailed(
            "check_failed",
            f"{where} does not serve {self._file.path} after {self._settings.check_timeout_s:g} s: "
            f"{_listed({**verdict.refused, **verdict.missing})}; the previous routes that are still wanted stand. "
            f"Check that its file provider watches {self._settings.directory}, and its log for another broken file, "
            f"{AGAIN}",
            entry=next(iter(verdict.missing)),
        )


def _listed(faults: Mapping[str, str]) -> str:
    shown = [f"{entry} ({why})" for entry, why in list(faults.items())[:_SHOWN]]
    more = len(faults) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
