"""The machines that the pages speak of, as they are before the first line is typed.

Each boots a systemd of its own; the tailnet is a cable from each to the control plane. What the pages take
for granted is there: Python, a copy of this repository, a cluster (the fake API server), an app, Traefik, dnsmasq, and
the old system's service. `pip` reaches a folder instead of an index. NATS is started without Docker (`run_nats`).
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.deploy.engine import SUDO
from tests.deploy.repository import copy_repository
from tests.deploy.room import Room, wait_for
from tests.deploy.systemd import ROOT, VENV, bare_machine, launcher
from tests.deploy.typist import REPOSITORY, Notes, Typist
from tests.deploy.walk import CLUSTER, FOLDER, LAPTOP, README, VPS
from tests.docs.sections import sections
from tests.nats import nats_server_binary

TAILNET = {CLUSTER: "100.122.68.75", FOLDER: "100.122.68.75", LAPTOP: "100.86.112.112", VPS: "100.68.225.92"}
"""The addresses of the README's table. The two control planes never meet."""
APP_ADDRESS = "100.67.243.10"
APP = "immich here\n"
KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"
_OF_THE_CLUSTER, _OF_A_FOLDER = f'kubeconfig = "{KUBECONFIG}"', 'registry_dir = "/var/lib/routecast-publisher/registry"'
"""What stands in the settings, and what the page has a reader without a cluster put in its place."""

PROGRAMS = ("/lib/systemd/systemd", "systemctl", "journalctl", "bash", "curl", "dig", "dnsmasq", "git", "kubectl")

_PIP = "[global]\nno-index = true\nfind-links = /opt/wheels\ndisable-pip-version-check = true\n"
_NOT_THERE = ("/usr/local/bin/routecast", "/etc/traefik", "/etc/xdg/pip", "/opt/wheels", "/opt/upstream")
"""What the machine that runs the tests may happen to have."""
_DNSMASQ = "no-resolv\nlisten-address=127.0.0.1\nbind-interfaces\nconf-dir=/etc/dnsmasq.d,*.conf\nuser=dnsmasq\n"
_DNSMASQ_UNIT = (
    "[Service]\nType=forking\nPIDFile=/run/dnsmasq/dnsmasq.pid\nRuntimeDirectory=dnsmasq\n"
    "ExecStart=/usr/sbin/dnsmasq --pid-file=/run/dnsmasq/dnsmasq.pid\n"
)
_OLD_UNIT = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
_OLD_LINES = (
    "\n# MyNodeOne Services - Auto-generated on Thu Nov  6 18:30:00 UTC 2025\n100.67.243.10  photos.mycloud.local\n"
)
"""What the replaced system has written to a hosts file."""


@contextmanager
def homelab(folder: Path, wheels: Path) -> Iterator[dict[str, Typist]]:
    """Run all machines, and yield who sits at each of them."""
    with ExitStack() as stack:
        upstream = _upstream(folder / "upstream")
        rooms = {}
        for name in TAILNET:
            (folder / name).mkdir()
            rooms[name] = stack.enter_context(bare_machine(folder / name))
            _lay_out(rooms[name], name, upstream, wheels)
        cluster = rooms[CLUSTER]
        for room, address in (
            (cluster, TAILNET[CLUSTER]),
            (cluster, APP_ADDRESS),
            (rooms[FOLDER], TAILNET[FOLDER]),
        ):
            room.run("ip", "address", "add", f"{address}/32", "dev", "lo")
        for name in (LAPTOP, VPS):
            _join(rooms[name], TAILNET[name], cluster, name)
        _run_cluster(cluster)
        _run_app(cluster)
        _run_traefik(rooms[VPS])
        rooms[LAPTOP].run("systemctl", "start", "dnsmasq")
        notes = Notes()
        yield {
            CLUSTER: Typist(cluster, notes, {"KUBECONFIG": KUBECONFIG}),
            LAPTOP: Typist(rooms[LAPTOP], notes),
            VPS: Typist(rooms[VPS], notes),
            FOLDER: Typist(rooms[FOLDER], Notes({_OF_THE_CLUSTER: _OF_A_FOLDER})),
        }


def leave_old_lines(room: Room) -> None:
    """Have the replaced system write to a machine's hosts file, above all that is there."""
    hosts = room.path("/etc/hosts").read_text()
    room.write("/etc/hosts", "127.0.0.1\tlocalhost\n" + _OLD_LINES + "\n" + hosts)


def run_nats(room: Room) -> None:
    """Run NATS as docker-compose.yml does, without Docker: with its configuration beside what `init` made."""
    room.write("/opt/nats-server", Path(nats_server_binary()).read_bytes(), 0o755)
    room.run("ln", "--symbolic", "--no-target-directory", f"{REPOSITORY}/deploy/nats", "/etc/nats")
    room.run("systemd-run", "--quiet", "--unit=nats", "/opt/nats-server", "--config", "/etc/nats/nats-server.conf")


def _upstream(folder: Path) -> Path:
    """Make the repository that the machines have a clone of."""
    copy_repository(folder)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "add", "--all")
    for commit in ("what is there", "what is new"):  # the machines do not have the second one yet
        _git(folder, "commit", "--quiet", "--allow-empty", f"--message={commit}")
    return folder


def _git(folder: Path, *words: str) -> None:
    somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    _run("git", "-C", str(folder), *somebody, *words)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)


def _lay_out(room: Room, name: str, upstream: Path, wheels: Path) -> None:
    room.write("/etc/hostname", f"{name}\n")
    room.run("hostname", name)
    room.write("/usr/local/bin/sudo", SUDO, 0o755)
    room.write("/etc/pip.conf", _PIP)
    room.write("/etc/hosts", "127.0.0.1\tlocalhost\n")
    room.write("/etc/dnsmasq.conf", _DNSMASQ)
    shutil.rmtree(room.path("/etc/dnsmasq.d"), ignore_errors=True)
    room.path("/etc/dnsmasq.d").mkdir()
    room.write("/etc/systemd/system/dnsmasq.service", _DNSMASQ_UNIT)
    room.write("/etc/systemd/system/mynodeone-sync-controller.service", _OLD_UNIT)
    room.run("rm", "-rf", *_NOT_THERE)
    shutil.copytree(wheels, room.path("/opt/wheels"), dirs_exist_ok=True)
    shutil.copytree(upstream, room.path("/opt/upstream"))
    room.run("sh", "-c", f"cd / && git clone --quiet /opt/upstream {REPOSITORY}")
    room.run("sh", "-c", f"cd {REPOSITORY} && git reset --quiet --hard HEAD~1")
    room.write(f"{REPOSITORY}/registry.yaml", _file_of("1. The registry"))
    room.run("systemctl", "daemon-reload")


def _join(room: Room, address: str, hub: Room, name: str) -> None:
    """Join a machine to the tailnet: it reaches all that the control plane has an address of, and is reached."""
    outer = ("nsenter", f"--target={hub.pid}", "--net", "ip")
    _run(*outer, "link", "add", name, "type", "veth", "peer", "name", "tailnet", "netns", str(room.pid))
    _run(*outer, "link", "set", name, "up")
    _run(*outer, "route", "add", f"{address}/32", "dev", name)
    room.run("ip", "address", "add", f"{address}/32", "dev", "tailnet")
    room.run("ip", "link", "set", "tailnet", "up")
    room.run("ip", "route", "add", "100.64.0.0/10", "dev", "tailnet", "src", address)


def _file_of(heading: str) -> str:
    """Return the one file that a section of the README has."""
    (found,) = [each for section in sections(ROOT / README) if section.heading == heading for each in section.files]
    return found.text


def _run_cluster(room: Room) -> None:
    """Run the API server where k3s has it; kubectl is root's, with k3s' own kubeconfig."""
    room.path(KUBECONFIG).parent.mkdir(parents=True)
    code = "from tests.fakes.kubernetes_alone import main\nmain(sys.argv[1:])\n"
    room.write("/opt/api-server", launcher(code), 0o755)
    room.run("systemd-run", "--quiet", "--unit=k3s", "/opt/api-server", "6443", KUBECONFIG)
    wait_for(room.path(KUBECONFIG).exists, "an API server", room)


def _run_app(room: Room) -> None:
    room.write("/opt/app/index.html", APP)
    serve = "import http.server\nhttp.server.test(http.server.SimpleHTTPRequestHandler, port=80, bind=sys.argv[1])\n"
    room.write("/opt/app/serve", launcher(serve), 0o755)
    room.run("systemd-run", "--quiet", "--unit=app", "--working-directory=/opt/app", "/opt/app/serve", APP_ADDRESS)


def _run_traefik(room: Room) -> None:
    """Run Traefik with the page's static configuration."""
    room.path("/etc/traefik/dynamic").mkdir(parents=True)
    room.write("/etc/traefik/traefik.yml", _file_of("4. A VPS"))
    program = f"{VENV}/bin/{Path(sys.executable).with_name('traefik').name}"
    room.run("systemd-run", "--quiet", "--unit=traefik", program, "--configFile=/etc/traefik/traefik.yml")
