"""Bring every target to a snapshot, each on its own: one that fails stops no other."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common import log
from common.ack import AckError, Revision, State, TargetAck, worst
from common.codec import digest_of
from common.errors import TargetFailed
from common.models import Registry
from common.snapshot import Snapshot
from subscriber.policy import Refusals
from subscriber.targets.target import Target

_log = log.get(__name__)

_MESSAGE = 1000
"""How long the message of an error can get in a record, in characters: records are bounded."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What the targets did with one snapshot."""

    targets: Mapping[str, TargetAck]
    drifted: Mapping[str, TargetAck]
    """Targets in which somebody had changed what is ours, as they were found; healed since unless they failed."""

    @property
    def state(self) -> State:
        """The worst of the targets."""
        return worst([target.state for target in self.targets.values()])

    @property
    def applied(self) -> Revision | None:
        """The lowest of what the targets run; None when one runs nothing known."""
        return lowest([target.applied for target in self.targets.values()])

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return any(target.changed for target in self.targets.values())

    @property
    def error(self) -> AckError | None:
        """The first target's error."""
        return next((target.error for target in self.targets.values() if target.error is not None), None)


def lowest(revisions: Sequence[Revision | None]) -> Revision | None:
    """Return the lowest of some revisions, None when one is unknown or there is none."""
    known = [revision for revision in revisions if revision is not None]
    if not known or len(known) < len(revisions):
        return None
    return min(known, key=lambda revision: revision.order)


class Syncer:
    """The targets of this node and what each of them runs."""

    def __init__(
        self,
        targets: Sequence[Target],
        applied: Mapping[str, Revision | None],
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        self._targets = targets
        self.applied: dict[str, Revision | None] = {target.name.value: applied.get(target.name) for target in targets}
        self.left_out: dict[str, str] = {name: of for name, of in (left_out or {}).items() if name in self.applied}
        """Digest of what the policy left out of each target at its last apply; targets that took everything apart."""
        self._before: dict[str, Registry] = {}
        """What an earlier process brought a target to; until its first apply here."""
        self._left: dict[str, object] = {}
        """What the last apply left of ours in a target; nothing after one that failed."""

    def remember(self, snapshot: Snapshot) -> None:
        """Note that `snapshot` is what the targets were brought to before this process began: to tell drift by."""
        for name, revision in self.applied.items():
            if revision == Revision.of(snapshot):
                self._before[name] = snapshot.registry

    async def recover(self) -> None:
        """Finish or undo what a crash cut short, on every target."""
        for target in self._targets:
            try:
                await target.recover()
            except TargetFailed as e:
                _log.error("recovery failed", target=target.name.value, code=e.code, error=str(e))

    async def sync(self, snapshot: Snapshot) -> SyncResult:
        """Bring all targets to `snapshot`; what fails is in the result, nothing is raised."""
        done = await asyncio.gather(*(self._sync_one(target, snapshot) for target in self._targets))
        return SyncResult(
            targets={target.name.value: ack for target, (ack, _) in zip(self._targets, done, strict=True)},
            drifted={
                target.name.value: found
                for target, (_, found) in zip(self._targets, done, strict=True)
                if found is not None
            },
        )

    async def _sync_one(self, target: Target, snapshot: Snapshot) -> tuple[TargetAck, TargetAck | None]:
        """Return what the target did, and how it was found when somebody had changed what is ours."""
        name = target.name.value
        started = time.perf_counter()
        left = self._left.pop(name, None)
        drifted = False
        try:
            drifted = await self._drifted_before(target)
            outcome = await target.apply(snapshot.registry)
        except TargetFailed as e:
            _log.error("target failed", target=name, code=e.code, entry=e.entry, error=str(e))
            error = AckError(code=e.code, message=_clipped(str(e)), target=name, entry=e.entry)
            return self._ack(name, State.FAILED, started, error=error), self._drift(name, started, drifted=drifted)
        drifted = drifted or (left is not None and left != outcome.found)
        found = self._drift(name, started, drifted=drifted)
        self.applied[name] = Revision.of(snapshot)
        self._left[name] = outcome.left
        plan = outcome.plan
        self._note_refused(name, plan.refused)
        if plan.changed:
            _log.info("target applied", target=name, plan=str(plan), checked=outcome.checked)
        ack = self._ack(name, State.APPLIED, started).model_copy(
            update={
                "changed": plan.changed,
                "created": len(plan.created),
                "updated": len(plan.updated),
                "deleted": len(plan.deleted),
                "checked": outcome.checked,
                "refused": plan.refused.listed,
                "refused_more": plan.refused.more,
            }
        )
        return ack, found

    async def _drifted_before(self, target: Target) -> bool:
        """Tell whether a target was changed while no process of ours ran: asked once, before its first apply.

        What another policy changes is nobody's doing.
        """
        name = target.name.value
        registry = self._before.pop(name, None)
        if registry is None:
            return False
        plan = await target.plan(registry)
        return plan.changed and self.left_out.get(name) == _digest(plan.refused)

    def _note_refused(self, name: str, refused: Refusals) -> None:
        """Keep what was left out, and log it when it is something else than the last time."""
        digest = _digest(refused)
        if digest == self.left_out.get(name):
            return
        if digest is None:
            del self.left_out[name]
            _log.info("this node's policy leaves nothing out any more", target=name)
            return
        self.left_out[name] = digest
        first = refused.listed[0]
        _log.warning(
            "this node's policy leaves entries out",
            target=name,
            entries=refused.count,
            first=first.entry,
            reason=first.reason,
        )

    def _drift(self, name: str, started: float, *, drifted: bool) -> TargetAck | None:
        if not drifted:
            return None
        _log.warning("target drifted: somebody changed what routecast owns", target=name)
        return self._ack(name, State.DRIFTED, started)

    def _ack(self, name: str, state: State, started: float, error: AckError | None = None) -> TargetAck:
        took_ms = round((time.perf_counter() - started) * 1000, 3)
        return TargetAck(state=state, applied=self.applied[name], took_ms=took_ms, error=error)


def _digest(refused: Refusals) -> str | None:
    """Return the digest of what was left out, None when that is nothing."""
    if not refused.count:
        return None
    return digest_of([refused.more, *([each.entry, each.reason] for each in refused.listed)])


def _clipped(message: str) -> str:
    return message if len(message) <= _MESSAGE else f"{message[: _MESSAGE - 1]}…"
