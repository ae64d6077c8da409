"""The units in ``deploy/systemd``: read, laid out as an administrator would, and run by a real systemd in a room."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.clock import now
from publisher.trust.directory import TrustDirectory
from tests.deploy.room import Room, wait_for
from tests.world import SEED

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
SUBSCRIBER = "routecast-subscriber.service"
PUBLISHER = "routecast-publisher.service"
DROP_INS = {
    SUBSCRIBER: ("vps", "dnsmasq"),
    PUBLISHER: ("kubeconfig", "registry-dir"),
}
PROGRAM = "/opt/routecast/bin/routecast"
SOURCE, VENV, PYTHON = "/srv/source", "/srv/venv", "/srv/python"

_ETC = "/etc/systemd/system"


def read_unit(path: Path) -> dict[str, list[str]]:
    """Return the assignments of a unit file by name, in their order."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";", "[")):
            found.setdefault(name.strip(), []).append(value.strip())
    return found


def install(folder: Path, unit: str, *drop_ins: str) -> Path:
    """Copy a unit and some of its drop-ins to where systemd would look below `folder`; return the unit's new place."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(UNITS / unit, folder)
    for name in drop_ins:
        (folder / f"{unit}.d").mkdir(exist_ok=True)
        shutil.copy(UNITS / f"{unit}.d" / f"{name}.conf", folder / f"{unit}.d")
    return folder / unit


@contextmanager
def bare_machine(folder: Path) -> Iterator[Room]:
    """Run a machine with systemd and nothing of ours, on a copy-on-write view of this one's files.

    What the tests bring, this tree and Python, is found below /srv.
    """
    python = Path(sys.base_prefix)
    given = {ROOT: SOURCE, Path(sys.prefix): VENV}
    if python != Path("/usr"):
        given[python] = PYTHON
    command = ("/lib/systemd/systemd", "--system", "--unit=basic.target", "--show-status=no", "--log-target=console")
    with Room(folder, *command, machine=given) as room:
        wait_for(lambda: "running" in room.run("systemctl", "is-system-running", check=False), "a system", room)
        if python != Path("/usr"):
            room.run("ldconfig", f"{PYTHON}/lib")
        yield room


@contextmanager
def machine(folder: Path) -> Iterator[Room]:
    """Run a machine with systemd and an installed routecast."""
    with bare_machine(folder) as room:
        room.write(PROGRAM, launcher("from cli.main import main\nsys.exit(main(prog_name='routecast'))\n"), 0o755)
        yield room


def launcher(code: str) -> str:
    """Return a program for a machine that runs a piece of this tree with what the tests have installed.

    A venv proper would point to this machine's Python, which may lie in a home that a unit does not see.
    """
    python = Path(sys.base_prefix)
    interpreter = Path(sys._base_executable).resolve()  # type: ignore[attr-defined] # what made the virtual environment
    if python != Path("/usr"):
        interpreter = Path(PYTHON) / interpreter.relative_to(python.resolve())
    packages = f"{VENV}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    return f"#!{interpreter} -I\nimport sys\nsys.path[:0] = ['{SOURCE}', '{packages}']\n{code}"


def give_keys(room: Room) -> None:
    """Make the control plane's keys where its unit looks for them, as `routecast init` does."""
    trust = TrustDirectory(room.path("/etc/routecast/trust"), room.path("/etc/routecast/nats"))
    trust.make(["127.0.0.1"], now())
    room.write("/etc/routecast/signing.seed", SEED, 0o600)


def enable(room: Room, unit: str, *drop_ins: str) -> None:
    """Install a unit with drop-ins in the room's systemd."""
    install(room.path(_ETC), unit, *drop_ins)
    room.run("systemctl", "daemon-reload")


def start(room: Room, unit: str) -> None:
    """Start a unit and return when it says that it is ready.

    Raises:
        AssertionError: it did not; with what it logged.

    """
    room.run("systemctl", "start", unit, check=False, limit_s=60)
    state = shown(room, unit, "ActiveState")
    assert state == "active", f"{unit} is {state}\n{journal(room, unit)}"


def shown(room: Room, unit: str, name: str) -> str:
    """Return a property of a unit."""
    return room.run("systemctl", "show", "--value", "--property", name, unit).strip()


def journal(room: Room, unit: str) -> str:
    """Return what a unit logged."""
    return room.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")
