"""`sudo routecast join` and `leave` on a booted machine with systemd, whose control plane is beside it."""

import json
from pathlib import Path

import pytest

from subscriber.joining.places import AUTHORITY, CREDENTIALS, RECORD, SETTINGS
from subscriber.joining.units import ENABLED, UNIT
from tests.deploy.room import Room, wait_for
from tests.deploy.systemd import PROGRAM, SUBSCRIBER, journal, shown
from tests.nats import nats_server_binary
from tests.registry_folder import REFERENCE_FOLDER
from tests.trees import Entry, look

CONTROL_PLANE = "/srv/control-plane"
URL = "tls://127.0.0.1:4222"
NAME = "vinay-laptop"
HOSTS = "127.0.0.1\tlocalhost\n192.0.2.7\tprinter"
WATCHED = ("/etc/routecast", "/etc/systemd/system", "/var/lib/routecast", "/etc/traefik", "/etc/dnsmasq.d")

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def home(machine: Room) -> Room:
    """Run a control plane on a machine that is no node: its files lie apart from where a node has its own."""
    folder = Path(CONTROL_PLANE)
    for file in REFERENCE_FOLDER.iterdir():
        machine.write(f"{CONTROL_PLANE}/registry/{file.name}", file.read_bytes())
    machine.write(
        f"{CONTROL_PLANE}/routecast.toml",
        f'[nats]\nurl = "{URL}"\nca_file = "{folder}/trust/ca.crt"\n'
        f'credentials_file = "{folder}/trust/publisher.creds"\n'
        f'[publisher]\nregistry_dir = "{folder}/registry"\nsigning_seed_file = "{folder}/signing.seed"\n'
        f'[trust]\ndirectory = "{folder}/trust"\nserver_directory = "{folder}/nats"\njoin_url = "{URL}"\n',
    )
    _control(machine, "init", "--nats-host", "127.0.0.1")
    machine.write("/opt/nats-server", Path(nats_server_binary()).read_bytes(), 0o755)
    start = ("systemd-run", "--quiet")
    machine.run(
        *start, "--unit=nats", "/opt/nats-server", "-js", "-sd", "/run/nats", "-c", f"{folder}/nats/access.conf"
    )
    machine.run(*start, "--unit=publisher", PROGRAM, "--config", f"{folder}/routecast.toml", "publisher", "run")
    wait_for(
        lambda: "can join" in journal(machine, "publisher") and "published" in journal(machine, "publisher"),
        "a publisher that lets nodes join",
        machine,
    )
    machine.write("/etc/hosts", HOSTS, 0o644)
    return machine


def _control(room: Room, *words: str) -> str:
    """Type a command on the control plane."""
    return room.run(PROGRAM, "--config", f"{CONTROL_PLANE}/routecast.toml", *words)


def _token(room: Room, *words: str) -> str:
    """Have a token made; return where it is."""
    added = json.loads(_control(room, "node", "add", "laptop", NAME, "100.86.112.112", "-o", "json", *words))
    room.write("/root/token", added["join"]["token"], 0o600)
    return "/root/token"


def _join(room: Room, token: str, *, check: bool = True) -> str:
    return room.run("sh", "-c", f"{PROGRAM} join - <{token} 2>&1", limit_s=120, check=check)


def _seen(room: Room) -> dict[str, dict[str, Entry]]:
    seen = {folder: look(room.path(folder)) for folder in WATCHED}
    hosts = room.path("/etc/hosts")
    return {**seen, "hosts": {"": Entry(hosts.stat().st_mode, hosts.read_bytes())}}


def test_a_laptop_joins_and_leaves_as_it_was(home: Room) -> None:
    """One command makes it a node whose first answer the control plane has; one takes all of it away again."""
    home.write("/etc/routecast/mine", "mine", 0o640)
    home.write(f"/etc/systemd/system/{SUBSCRIBER}.d/mine.conf", "[Service]\nNice=5\n")
    before = _seen(home)
    said = _join(home, _token(home))
    assert "applied   version 1, by hosts; the control plane knows" in said
    assert "100.67.243.10\tphotos.mycloud.local\n" in home.path("/etc/hosts").read_text()
    nodes = json.loads(_control(home, "nodes", "-o", "json"))["nodes"]
    assert {each["node"]: each["state"] for each in nodes}[NAME] == "synced"
    assert shown(home, SUBSCRIBER, "ActiveState") == "active"
    assert shown(home, SUBSCRIBER, "UnitFileState") == "enabled"
    assert home.path(str(CREDENTIALS)).stat().st_mode & 0o777 == 0o600

    again = _join(home, "/root/token")
    assert "unchanged" in again
    assert "wrote" not in again

    home.run("systemctl", "stop", "nats", "publisher")  # leaving needs neither
    asked = home.run("sh", "-c", f"{PROGRAM} leave </dev/null 2>&1", check=False)
    assert "nothing was changed" in asked
    assert shown(home, SUBSCRIBER, "ActiveState") == "active"
    left = home.run("sh", "-c", f"{PROGRAM} leave --yes 2>&1", limit_s=90)
    assert f"routecast node remove {NAME}" in left
    assert _seen(home) == before
    assert shown(home, SUBSCRIBER, "LoadState") == "not-found"
    assert not any(home.path(str(path)).exists() for path in (SETTINGS, AUTHORITY, CREDENTIALS, RECORD, UNIT, ENABLED))


def test_a_node_gets_a_new_key_while_its_service_runs(home: Room) -> None:
    """A token of `--rejoin`: the service is started anew with the new credentials, and the old ones are of no use."""
    _join(home, _token(home))
    old = home.path(str(CREDENTIALS)).read_bytes()
    said = _join(home, _token(home, "--rejoin"))
    assert "applied" in said
    assert home.path(str(CREDENTIALS)).read_bytes() != old
    assert json.loads(home.run(PROGRAM, "subscriber", "status", "-o", "json"))["connected"]


def test_a_program_in_a_home_is_refused_with_the_way_out(home: Room) -> None:
    """Before anything is touched: the service could not see it."""
    before, token = _seen(home), _token(home)
    home.write("/root/bin/routecast", home.path(PROGRAM).read_bytes(), 0o755)
    said = home.run("sh", "-c", f"/root/bin/routecast join - <{token} 2>&1", check=False)
    assert "/root/bin/routecast lies in a home directory" in said
    assert "python3 -m venv --clear /opt/routecast" in said
    assert _seen(home) == before


def test_a_vps_gets_the_drop_in_for_its_targets(home: Room) -> None:
    """Its service may write in Traefik's directory and nowhere else; with more targets it may write what they do."""
    before = _seen(home)
    home.path("/etc/traefik/dynamic").mkdir(parents=True, exist_ok=True)
    home.write(str(SETTINGS), '[subscriber]\ntargets = ["hosts", "traefik"]\n[traefik]\napi_url = ""\n')
    there = _seen(home)
    added = json.loads(_control(home, "node", "add", "vps", "contabo-vps", "100.68.225.92", "-o", "json"))
    home.write("/root/token", added["join"]["token"], 0o600)
    said = _join(home, "/root/token")
    assert "by hosts, traefik" in said
    assert "photos.curiios.com" in home.path("/etc/traefik/dynamic/routecast.yml").read_text()
    home.run("sh", "-c", f"{PROGRAM} leave --yes", limit_s=90)
    assert _seen(home) == there != before
