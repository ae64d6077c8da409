"""What the replaced system left on a node: told apart from the owner's, on bytes. Pure; nothing is removed here.

It wrote a block of names into the hosts file, one file of routes for Traefik, and cron lines that write both again.
What is not surely its own is the owner's: a block ends before the first line that could be somebody else's.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from common.models import Registry
from common.names import derive_names, zone_of
from common.routes import derive_routes
from subscriber.targets.hosts_block import BEGIN, BEGIN_JOINED, END
from subscriber.targets.hosts_lines import shadowed

ROUTES_FILES = ("mynodeone-routes.yml", "mynodeone-routes.yaml")
"""What it called its file in Traefik's directory."""

ADOPT = "routecast subscriber adopt"
STOP_CRONTAB = "crontab -l | grep -v sync-dns | grep -v sync-vps-routes | crontab -"
"""Takes its lines out of the crontab of whoever runs it."""

_CRON_FOLDER = "cron.d"

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_HEADER = re.compile(rb"# MyNodeOne [Ss]ervices(?!\w).*", re.DOTALL)  # its earliest releases wrote a small s
_FOOTER = re.compile(rb"# End MyNodeOne [Ss]ervices[ \t]*")
_ENTRY = re.compile(rb"([0-9A-Fa-f.:]+)((?:[ \t]+[A-Za-z0-9._-]+)+)[ \t]*")
_HOST = re.compile(rb"Host\(`([^`\n]+)`\)")
_SCRIPT = re.compile(rb"(?<![\w.-])sync-(?:dns|vps-routes)\.sh(?![\w.-])")


class Kind(StrEnum):
    """What a leftover is about."""

    NAMES = "names"
    ROUTES = "routes"
    CRON = "cron"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file; the first is number 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of the replaced system in one file."""

    kind: Kind
    path: Path
    command: str
    """What takes it away."""
    lines: tuple[Line, ...] = ()
    """Empty: the whole file."""
    entries: tuple[str, ...] = ()
    """The names or host names that it gives."""
    wins: Mapping[str, str] = field(default_factory=dict)
    """Names to which it gives another address than the registry, in earlier lines than ours: those win."""
    only_here: tuple[str, ...] = ()
    """Those of `entries` that the registry does not have for this node, when it knows it: gone when it is gone."""

    @property
    def where(self) -> str:
        """The file, and which lines of it."""
        return f"{self.path}, {_numbers(self.lines)}" if self.lines else str(self.path)


@dataclass(frozen=True, slots=True)
class OldNames:
    """What of a hosts file is the replaced system's."""

    blocks: tuple[range, ...]
    """Line indexes."""
    unsure: tuple[Line, ...]
    """Lines that follow its header or names, and may be its own or not: they stay."""


def find_names(content: bytes, zone: str | None) -> OldNames:
    """Return the blocks of a hosts file whose names are in `zone`, and the lines that ended them in doubt.

    A block is its header and the ``ADDRESS NAME...`` lines below it, with its closing comment when that follows. A
    header with nothing below it that is surely its own stays (no zone: no name is): it could be the owner's comment.
    """
    lines = [_bare(line) for line in _LINE.findall(content)]
    blocks, unsure, at, ours = [], [], 0, False
    while at < len(lines):
        ours = lines[at] in (BEGIN, BEGIN_JOINED) or (ours and lines[at] != END)
        if ours or not _HEADER.fullmatch(lines[at]):
            at += 1
            continue
        start, names = at, _past_headers(lines, at)
        at = _past_names(lines, names, zone)
        if at < len(lines) and _FOOTER.fullmatch(lines[at]):
            at += 1
        elif at < len(lines) and lines[at].strip() and not lines[at].startswith(b"#"):
            unsure.append(_line(at, lines[at]))
        if at > names:
            blocks.append(range(start, at))
    return OldNames(tuple(blocks), tuple(unsure))


def without_names(content: bytes, zone: str | None) -> bytes:
    """Return a hosts file without the blocks of `find_names`; every other byte of the owner stays."""
    removed = {at for block in find_names(content, zone).blocks for at in block}
    kept = []
    for at, line in enumerate(_LINE.findall(content)):
        if at in removed:
            continue
        if at - 1 in removed and _bare(line) == BEGIN_JOINED:
            # The line end above our block went with the line that it closed: what stands above now has its own.
            kept.append(line.replace(BEGIN_JOINED, BEGIN))
        else:
            kept.append(line)
    return b"".join(kept)


def names_left(path: Path, content: bytes, registry: Registry | None) -> tuple[Leftover | None, tuple[Line, ...]]:
    """Return what of a hosts file is the replaced system's, and the lines of which that is not sure.

    Without a registry there is no zone, so nothing is sure.
    """
    found = find_names(content, zone_of(registry.cluster) if registry is not None else None)
    if registry is None or not found.blocks:
        return None, found.unsure
    lines = [_bare(line) for line in _LINE.findall(content)]
    old = [at for block in found.blocks for at in block]
    records = derive_names(registry).records
    begin = next((at for at, line in enumerate(lines) if line in (BEGIN, BEGIN_JOINED)), len(lines))
    entries = sorted({name for at in old for name in _names(lines[at])})
    leftover = Leftover(
        Kind.NAMES,
        path,
        ADOPT,
        lines=tuple(_line(at, lines[at]) for at in old),
        entries=tuple(entries),
        wins=shadowed(b"\n".join(lines[at] for at in old if at < begin), records),
        only_here=tuple(name for name in entries if name not in records),
    )
    return leftover, found.unsure


def routes_left(path: Path, content: bytes, registry: Registry | None, node: str | None) -> Leftover:
    """Return the replaced system's file of routes, which is its own as a whole."""
    hosts = sorted({host.decode("utf-8", "backslashreplace").lower() for host in _HOST.findall(content)})
    known = registry.node(node) if registry is not None and node is not None else None
    gone: tuple[str, ...] = ()
    if registry is not None and known is not None:
        wanted = {route.host for route in derive_routes(registry).on(known.address)}
        gone = tuple(host for host in hosts if host not in wanted)
    return Leftover(Kind.ROUTES, path, ADOPT, entries=tuple(hosts), only_here=gone)


def cron_left(path: Path, content: bytes) -> Leftover | None:
    """Return the lines of a crontab, or of a file in /etc/cron.d, that run the replaced system's scripts."""
    lines = [_bare(line) for line in _LINE.findall(content)]
    ours = [at for at, line in enumerate(lines) if _SCRIPT.search(line) and not line.lstrip().startswith(b"#")]
    if not ours:
        return None
    command = STOP_CRONTAB
    if path.parent.name == _CRON_FOLDER:
        command = f"sed -i -e /sync-dns/d -e /sync-vps-routes/d {shlex.quote(str(path))}"
    return Leftover(Kind.CRON, path, command, lines=tuple(_line(at, lines[at]) for at in ours))


def _past_headers(lines: Sequence[bytes], at: int) -> int:
    while at < len(lines) and _HEADER.fullmatch(lines[at]):
        at += 1
    return at


def _past_names(lines: Sequence[bytes], at: int, zone: str | None) -> int:
    while at < len(lines) and _is_ours(lines[at], zone):
        at += 1
    return at


def _is_ours(line: bytes, zone: str | None) -> bool:
    """Tell whether a line is ``ADDRESS NAME...`` with nothing else, and every name in `zone`."""
    entry = _ENTRY.fullmatch(line)
    if entry is None or zone is None:
        return False
    try:
        ip_address(entry[1].decode())
    except ValueError:
        return False
    return all(name == zone or name.endswith(f".{zone}") for name in _names(line))


def _names(line: bytes) -> list[str]:
    """Return the names of an entry, in lower case; none of any other line."""
    entry = _ENTRY.fullmatch(line)
    return entry[2].decode().lower().split() if entry is not None else []


def _line(at: int, bare: bytes) -> Line:
    return Line(at + 1, bare.decode("utf-8", "backslashreplace"))


def _bare(line: bytes) -> bytes:
    """Return a line without its end, in whatever form."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _numbers(lines: Iterable[Line]) -> str:
    """Return where lines are: ``line 3``, ``lines 3-7, 12``."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line.number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], line.number]
        else:
            runs.append([line.number])
    one = len(runs) == 1 and len(runs[0]) == 1
    return ("line " if one else "lines ") + ", ".join("-".join(map(str, run)) for run in runs)
