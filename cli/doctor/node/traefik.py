"""Judge Traefik: its directory, its API, and whether it serves what is ours. Pure."""

from collections.abc import Iterator, Mapping

from cli.doctor.attempt import Fault
from cli.doctor.check import Check, Part, Subject, command, listed
from cli.doctor.node.facts import CanarySeen, NodeSeen, TraefikSeen
from cli.doctor.node.settings import AS_ROOT
from cli.text import count, took
from common.errors import TargetFailed
from common.settings.subscriber import TraefikSettings
from common.snapshot import Snapshot
from subscriber.targets.traefik_check import Verdict

DIRECTORY = Subject(Part.NODE, "Traefik's directory")
SERVED = Subject(Part.NODE, "routes served")
CANARY = Subject(Part.NODE, "canary")

_CANARY = "sudo routecast doctor node --canary"
_SHOWN = 3


def judge_traefik(seen: NodeSeen) -> Iterator[Check]:
    """Yield the checks of Traefik; none on a node that writes nothing for it."""
    settings = seen.settings.traefik
    match seen.traefik:
        case None:
            if seen.canary:
                yield CANARY.skip("this node writes nothing for Traefik")
        case Fault():
            yield DIRECTORY.fail(str(seen.traefik), command("ls", "-la", settings.directory))
            yield SERVED.skip("Traefik's directory cannot be looked at")
        case traefik:
            yield _judge_directory(traefik, settings, root=seen.root)
            yield _judge_served(traefik, settings, known=isinstance(seen.accepted, Snapshot))
            if traefik.forgotten is not None:
                yield CANARY.warn(
                    f"a run that was killed left {traefik.forgotten}", command("sudo", "rm", traefik.forgotten)
                )
            if traefik.canary is not None:
                yield _judge_canary(traefik.canary, settings, root=seen.root)
            elif seen.canary:
                yield CANARY.skip("nobody says what Traefik serves: its API does not answer, or is not set")


def _judge_directory(seen: TraefikSeen, settings: TraefikSettings, *, root: bool) -> Check:
    path = settings.directory
    if not seen.directory.exists:
        return DIRECTORY.fail(f"{path} is not there", command("sudo", "install", "-d", "-m", "755", path))
    if not seen.directory.directory:
        return DIRECTORY.fail(f"{path} is no directory", command("ls", "-ld", path))
    if not seen.one_file_system:
        what = (
            f"traefik.staging_dir, {settings.staging_dir}, is on another file system than {path}: no rename is possible"
        )
        return DIRECTORY.fail(what, command("findmnt", "-T", settings.staging_dir))
    if not seen.directory.writable:
        what = f"{path} cannot be written by this user"
        return DIRECTORY.fail(what, command("findmnt", "-T", path)) if root else DIRECTORY.skip(what, AS_ROOT)
    return DIRECTORY.ok(f"{path} can be written")


def _judge_served(seen: TraefikSeen, settings: TraefikSettings, *, known: bool) -> Check:
    url = str(settings.api_url or "").rstrip("/")
    routes = count(seen.routes, "route")
    match seen.served:
        case None:
            return SERVED.skip("traefik.api_url is empty: nobody asks Traefik what it serves")
        case Fault():
            return SERVED.fail(str(seen.served), f"curl {url}/api/version")
        case Verdict(missing, refused) if missing:
            faults = _faults({**refused, **missing})
            what = f"of {routes} Traefik does not serve {faults}: does its file provider watch {settings.directory}"
            return SERVED.fail(f"{what}, and is no other file in it broken?", _CANARY)
        case Verdict(_, refused) if refused:
            return SERVED.fail(f"of {routes} Traefik refuses {_faults(refused)}", f"curl {url}/api/http/routers")
        case _ if seen.routes:
            return SERVED.ok(f"Traefik serves {routes} of ours")
        case _:
            ours = "no route is ours" if known else "which routes are ours is not known"
            return SERVED.ok(f"Traefik's API answers; {ours}, so whether it sees the directory only --canary tells")


def _judge_canary(seen: CanarySeen | Fault, settings: TraefikSettings, *, root: bool) -> Check:
    url = str(settings.api_url or "").rstrip("/")
    match seen:
        case Fault(error=TargetFailed(code="permission")) if not root:
            return CANARY.skip("this user may not write there", _CANARY)
        case Fault():
            return CANARY.fail(str(seen), command("ls", "-la", settings.directory))
        case CanarySeen(Verdict(missing, refused)) if missing:
            what = f"Traefik did not see a file in {settings.directory} within {settings.check_timeout_s:g} s"
            return CANARY.fail(f"{what}: {_faults({**refused, **missing})}", f"curl {url}/api/rawdata")
        case CanarySeen(Verdict(_, refused)) if refused:
            return CANARY.fail(f"Traefik saw it, but refuses it: {_faults(refused)}", f"curl {url}/api/entrypoints")
        case CanarySeen(_, took_ms, False):
            what = f"Traefik saw it after {took(took_ms)}, but still has it though the file is gone"
            return CANARY.warn(what, f"curl {url}/api/http/routers")
        case canary:
            when = took(canary.took_ms)
            return CANARY.ok(f"Traefik saw a new file in {settings.directory} after {when}, and let go of it")


def _faults(faults: Mapping[str, str]) -> str:
    return listed([f"{entry} ({why})" for entry, why in faults.items()], _SHOWN)
