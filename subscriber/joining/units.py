"""The files of the systemd unit that a node needs, by its targets. Their only copy is in ``deploy/systemd``."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from common.settings.subscriber import TargetName
from subscriber.joining.places import UNITS

SERVICE = "routecast-subscriber.service"
PROGRAM = Path("/opt/routecast/bin/routecast")
"""What the unit starts as it ships."""

UNIT = UNITS / SERVICE
_DROP_INS = UNITS / f"{SERVICE}.d"
ENABLED = UNITS / "multi-user.target.wants" / SERVICE
"""The link by which it starts at boot."""

_CREDENTIALS = "credentials.conf"
_CONFS = {TargetName.TRAEFIK: "vps.conf", TargetName.DNSMASQ: "dnsmasq.conf"}
_SEVERAL = "zz-targets.conf"
"""Read last: what several targets write together. Each of the others opens the paths of its own target alone."""

_WRITABLE = {TargetName.HOSTS: "/etc", TargetName.DNSMASQ: "-/etc/dnsmasq.d", TargetName.TRAEFIK: "-/etc/traefik"}

UNIT_FILES = (UNIT, *(_DROP_INS / name for name in (_CREDENTIALS, *_CONFS.values(), _SEVERAL)))
"""All files that a node can need."""


def unit_files(targets: Sequence[TargetName], program: Path) -> dict[Path, bytes]:
    """Return what a node with some targets needs, by the path that it belongs to."""
    shipped = [_CREDENTIALS, *(_CONFS[name] for name in targets if name in _CONFS)]
    unit = _shipped(SERVICE).replace(bytes(PROGRAM), bytes(program))
    files = {UNIT: unit, **{_DROP_INS / name: _shipped(f"{SERVICE}.d/{name}") for name in shipped}}
    if len(set(targets)) > 1:
        files[_DROP_INS / _SEVERAL] = _several(targets)
    return files


def _several(targets: Sequence[TargetName]) -> bytes:
    paths = [_WRITABLE[TargetName.HOSTS]] if TargetName.HOSTS in targets else [_WRITABLE[name] for name in targets]
    lines = ["# What this node's targets write together.", "", "[Service]", "ReadWritePaths="]
    return "".join(f"{line}\n" for line in (*lines, *(f"ReadWritePaths={path}" for path in paths))).encode()


@cache
def _shipped(name: str) -> bytes:
    """Return a file of ``deploy/systemd``: in an installation beside this module, in a checkout where it is kept."""
    installed = Path(__file__).with_name("systemd")
    folder = installed if installed.is_dir() else Path(__file__).parents[2] / "deploy" / "systemd"
    return (folder / name).read_bytes()
