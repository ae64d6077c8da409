"""Judge what the targets hold, and what stands in its way. Pure."""

from collections.abc import Iterator

from cli.doctor.attempt import Fault
from cli.doctor.check import Check, Part, Subject, command, listed
from cli.doctor.node.facts import NodeSeen, TargetSeen
from cli.doctor.node.settings import AS_ROOT
from cli.subscriber.leftovers import effects, what
from common.errors import TargetFailed
from common.settings.subscriber import TargetName
from subscriber.leftovers import Leftover
from subscriber.survey import Survey

TARGETS = Subject(Part.NODE, "targets")
SHADOWS = Subject(Part.NODE, "own lines")
LEFTOVERS = Subject(Part.NODE, "leftovers")

_SYNC = "sudo routecast subscriber sync"
_SHOWN = 3


def judge_targets(seen: NodeSeen) -> Iterator[Check]:
    """Yield a check for each target, then those of what the owner and the replaced system wrote beside them."""
    missing = no_snapshot(seen)
    if missing is not None:
        yield TARGETS.skip(*missing)
    elif isinstance(seen.targets, Fault):
        yield TARGETS.fail(str(seen.targets), "routecast config show")
    else:
        for target in seen.targets:
            yield _judge_target(target, root=seen.root)
        if any(target.name is TargetName.HOSTS for target in seen.targets):
            yield _judge_shadows(seen)
    yield from _judge_leftovers(seen.leftovers)


def no_snapshot(seen: NodeSeen) -> tuple[str, str] | None:
    """Return why the stored snapshot is not known, and the next command; None when it is."""
    if isinstance(seen.accepted, Fault):
        return str(seen.accepted), _SYNC if seen.root else AS_ROOT
    return ("no snapshot was accepted here yet", _SYNC) if seen.accepted is None else None


def _judge_target(seen: TargetSeen, *, root: bool) -> Check:
    subject = Subject(Part.NODE, f"target {seen.name}")
    match seen.differs:
        case None:
            return subject.ok(f"{seen.holds}, as the stored snapshot has them")
        case Fault(error=TargetFailed(code="permission")) if not root:
            return subject.skip("this user may not read what it needs", AS_ROOT)
        case Fault():
            return subject.fail(str(seen.differs), _SYNC)
        case differs:
            return subject.fail(f"not as the stored snapshot has it: {differs}", _SYNC)


def _judge_shadows(seen: NodeSeen) -> Check:
    path = seen.settings.hosts.path
    if isinstance(seen.shadows, Fault):
        return SHADOWS.skip(str(seen.shadows))
    old = {name for left in _found(seen.leftovers) for name in left.wins}
    own = {name: address for name, address in seen.shadows.items() if name not in old}
    if not own:
        return SHADOWS.ok(f"none in {path} gives our names another address")
    given = listed([f"{name} is {address}" for name, address in own.items()], _SHOWN)
    return SHADOWS.warn(f"earlier lines of your own in {path} win: {given}", command("sudoedit", path))


def _judge_leftovers(seen: Survey | Fault | None) -> Iterator[Check]:
    if isinstance(seen, Fault):
        yield LEFTOVERS.skip(str(seen))
        return
    for left in _found(seen):
        piped = "|" in left.command
        remove = command("sudo", "sh", "-c", left.command) if piped else f"sudo {left.command}"
        yield LEFTOVERS.warn("; ".join([what(left), *effects(left)]), remove)
    if seen is None or seen.leftovers:
        return
    if seen.unread:
        yield LEFTOVERS.skip(f"not all was looked at: {listed(seen.unread, _SHOWN)}", AS_ROOT)
    else:
        yield LEFTOVERS.ok("nothing of the replaced system is here")


def _found(seen: Survey | Fault | None) -> tuple[Leftover, ...]:
    return seen.leftovers if isinstance(seen, Survey) else ()
