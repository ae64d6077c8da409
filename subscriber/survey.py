"""Look for what the replaced system left on this node, and say so. Reading blocks: call it from a thread."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from common import log
from common.models import Registry
from common.settings import Settings
from subscriber.files import LiveFile
from subscriber.leftovers import ROUTES_FILES, Kind, Leftover, Line, cron_left, names_left, routes_left

_log = log.get(__name__)

_SYSTEM = Path("/")


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found."""

    leftovers: tuple[Leftover, ...] = ()
    unsure: tuple[Line, ...] = ()
    """Lines of the hosts file that may be the replaced system's or the owner's."""
    unread: tuple[str, ...] = ()
    """Files that could not be read, and why: there may be more in them."""


def look(settings: Settings, registry: Registry | None, system: Path = _SYSTEM) -> Survey:
    """Return what is there now, judged by the registry that this node accepted last; cron's files lie in `system`."""
    unread: list[str] = []
    names: Leftover | None = None
    unsure: tuple[Line, ...] = ()
    for path, content in _read([settings.hosts.path], unread):
        names, unsure = names_left(path, content, registry)
    routes = [
        routes_left(path, content, registry, settings.subscriber.node)
        for path, content in _read([settings.traefik.directory / name for name in ROUTES_FILES], unread)
    ]
    cron = [cron_left(path, content) for path, content in _read(_crontabs(system, unread), unread)]
    return Survey(tuple(each for each in (names, *routes, *cron) if each is not None), unsure, tuple(unread))


def warn(settings: Settings, registry: Registry, system: Path = _SYSTEM) -> None:
    """Log a line for each leftover, with the command that takes it away."""
    found = look(settings, registry, system)
    for left in found.leftovers:
        match left.kind:
            case Kind.NAMES:
                others = " ".join(f"{name}={address}" for name, address in left.wins.items())
                wins = {"earlier_lines_win": others} if others else {}
                _log.warning("the replaced system left names", where=left.where, **wins, remove_with=left.command)
            case Kind.ROUTES:
                _log.warning("the replaced system left routes", where=left.where, remove_with=left.command)
            case Kind.CRON:
                _log.warning("the replaced system still runs from cron", where=left.where, stop_with=left.command)
    for said in found.unread:
        _log.debug("not searched for what the replaced system left", file=said)


def _crontabs(system: Path, unread: list[str]) -> Iterator[Path]:
    """Yield root's crontab and the files of /etc/cron.d."""
    yield system / "var/spool/cron/crontabs/root"
    folder = system / "etc/cron.d"
    try:
        yield from sorted(path for path in folder.iterdir() if path.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as e:
        unread.append(f"{folder}: {e.strerror}")


def _read(paths: Iterable[Path], unread: list[str]) -> Iterator[tuple[Path, bytes]]:
    """Yield those files that are there, with their content; of one that cannot be read note why."""
    for path in paths:
        try:
            content = LiveFile(path).read()
        except NotADirectoryError:
            continue
        except OSError as e:
            unread.append(f"{path}: {e.strerror}")
            continue
        if content is not None:
            yield path, content
