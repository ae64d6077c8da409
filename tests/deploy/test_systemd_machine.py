"""The units under a real systemd, with all their restrictions in force: they do their work, and can do no more."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from common.models import Registry
from tests.deploy.conftest import skip_without
from tests.deploy.room import Room, wait_for
from tests.deploy.systemd import PROGRAM, PUBLISHER, SUBSCRIBER, enable, give_keys, journal, shown, start
from tests.nats import nats_server_binary
from tests.registries import REFERENCE, SIGNER, snapshot, without_service
from tests.registry_folder import REFERENCE_FOLDER

HOSTS = "127.0.0.1\tlocalhost\n192.0.2.7\tprinter\n"
CONFIG = "/etc/routecast/routecast.toml"


def _store(room: Room, registry: Registry = REFERENCE, version: int = 57) -> None:
    """Leave a snapshot on the disk, as a subscriber that ran before did."""
    room.write("/var/lib/routecast/accepted.json", snapshot(registry, version=version).to_body(), 0o600)


def _configure(room: Room, node: str, more: str = "") -> None:
    room.write(CONFIG, f'[subscriber]\nnode = "{node}"\npublic_keys = ["{SIGNER.public_key}"]\n{more}')


def _last_ack(room: Room) -> dict[str, object]:
    """Return what the service says of its last attempt; asking works through the socket in its state directory."""
    status = json.loads(room.run(PROGRAM, "subscriber", "status", "-o", "json", check=False))
    assert status["running"], journal(room, SUBSCRIBER)
    ack: dict[str, object] = status["last_ack"]
    return ack


def _may_write(room: Room, path: str) -> bool:
    """Tell whether the running subscriber could write a file, by trying where it stands: in its mount namespace."""
    pid = shown(room, SUBSCRIBER, "MainPID")
    probe = ("nsenter", f"--target={pid}", "--mount", "touch", path)
    done = subprocess.run(
        ["nsenter", f"--target={room.pid}", "--all", "--root", "--wd=/", *probe], capture_output=True, check=False
    )
    return done.returncode == 0


def test_a_laptop_has_its_names_after_a_boot_without_a_network(machine: Room) -> None:
    """`systemctl start` returns when /etc/hosts stands; the file is replaced whole, and the user's lines stay."""
    _configure(machine, "vinay-laptop")
    _store(machine)
    machine.write("/etc/hosts", HOSTS)
    before = machine.path("/etc/hosts").stat().st_ino
    enable(machine, SUBSCRIBER)
    start(machine, SUBSCRIBER)

    hosts = machine.path("/etc/hosts").read_text()
    assert hosts.startswith(HOSTS)
    assert "100.67.243.10\tphotos.mycloud.local\n" in hosts
    assert machine.path("/etc/hosts").stat().st_ino != before, "written in place, where a reader sees half of it"
    ack = _last_ack(machine)
    assert ack["state"] == "applied"
    assert shown(machine, SUBSCRIBER, "StatusText")

    assert not _may_write(machine, "/usr/bin/routecast-was-here")
    assert not _may_write(machine, "/root/routecast-was-here")

    machine.run("systemctl", "reload", SUBSCRIBER)
    wait_for(lambda: shown(machine, SUBSCRIBER, "ActiveState") == "active", "active after a reload", machine)
    machine.run("systemctl", "stop", SUBSCRIBER)
    assert shown(machine, SUBSCRIBER, "Result") == "success"


def test_a_node_that_hangs_is_started_again(machine: Room) -> None:
    """A subscriber that no longer feeds the watchdog is killed and comes back."""
    _configure(machine, "vinay-laptop")
    enable(machine, SUBSCRIBER)
    machine.write(f"/etc/systemd/system/{SUBSCRIBER}.d/soon.conf", "[Service]\nWatchdogSec=2\nRestartSec=100ms\n")
    machine.run("systemctl", "daemon-reload")
    start(machine, SUBSCRIBER)

    machine.run("systemctl", "kill", "--signal=STOP", SUBSCRIBER)
    wait_for(lambda: int(shown(machine, SUBSCRIBER, "NRestarts")) > 0, "a restart by the watchdog", machine)
    wait_for(lambda: shown(machine, SUBSCRIBER, "ActiveState") == "active", "active again", machine)


def test_a_vps_writes_in_traefiks_directory_and_nowhere_else_in_etc(machine: Room) -> None:
    """With vps.conf the routes are staged and renamed into place, and the rest of /etc cannot be written."""
    _configure(machine, "contabo-vps", 'role = "vps"\n[traefik]\ncheck_timeout_s = 0.5\n')
    _store(machine)
    machine.path("/etc/traefik/dynamic").mkdir(parents=True, exist_ok=True)
    enable(machine, SUBSCRIBER, "vps")
    start(machine, SUBSCRIBER)

    written = json.loads(machine.path("/etc/traefik/dynamic/routecast.yml").read_text())
    assert "photos.curiios.com" in json.dumps(written)
    assert _last_ack(machine)["state"] == "applied", journal(machine, SUBSCRIBER)

    assert _may_write(machine, "/etc/traefik/dynamic/probe")
    assert not _may_write(machine, "/etc/hosts")
    assert not _may_write(machine, "/etc/routecast/probe")


def test_a_vps_without_traefik_starts_and_says_so(machine: Room) -> None:
    """Without Traefik's directory the service runs all the same; its ack says what is missing."""
    shutil.rmtree(machine.path("/etc/traefik"), ignore_errors=True)
    _configure(machine, "contabo-vps", 'role = "vps"\n')
    _store(machine)
    enable(machine, SUBSCRIBER, "vps")
    start(machine, SUBSCRIBER)
    ack = _last_ack(machine)
    assert ack["state"] == "failed"
    assert "/etc/traefik" in json.dumps(ack["error"])


def test_dnsmasq_is_restarted_and_reloaded_from_inside_the_unit(machine: Room) -> None:
    """With dnsmasq.conf the subscriber may restart dnsmasq for a new zone, and signal it for new names."""
    skip_without("dnsmasq", machine=True)
    for path in machine.path("/etc/dnsmasq.d").glob("*"):
        path.unlink()
    machine.path("/etc/dnsmasq.d").mkdir(exist_ok=True)
    machine.write(
        "/etc/dnsmasq.conf",
        "no-resolv\nlisten-address=127.0.0.1\nbind-interfaces\nconf-dir=/etc/dnsmasq.d,*.conf\nuser=dnsmasq\n",
    )
    # as Debian's package has it, without its helper scripts
    machine.write(
        "/etc/systemd/system/dnsmasq.service",
        "[Service]\nType=forking\nPIDFile=/run/dnsmasq/dnsmasq.pid\nRuntimeDirectory=dnsmasq\n"
        "ExecStart=/usr/sbin/dnsmasq --pid-file=/run/dnsmasq/dnsmasq.pid\n",
    )
    _configure(machine, "work-laptop", 'targets = ["dnsmasq"]\n')
    enable(machine, SUBSCRIBER, "dnsmasq")
    start(machine, "dnsmasq.service")
    first = shown(machine, "dnsmasq.service", "MainPID")

    _store(machine)
    start(machine, SUBSCRIBER)
    assert _checked_by(machine) == "dns"
    second = shown(machine, "dnsmasq.service", "MainPID")
    assert second != first

    machine.run("systemctl", "stop", SUBSCRIBER)
    _store(machine, without_service("immich"), version=58)
    start(machine, SUBSCRIBER)
    assert _checked_by(machine) == "dns"
    assert shown(machine, "dnsmasq.service", "MainPID") == second, "restarted where a signal is enough"
    assert not _may_write(machine, "/etc/hosts")


def _checked_by(room: Room) -> object:
    ack = _last_ack(room)
    assert ack["state"] == "applied", f"{ack['error']}\n{journal(room, SUBSCRIBER)}"
    targets = ack["targets"]
    assert isinstance(targets, dict)
    return targets["dnsmasq"]["checked"]


@pytest.mark.timeout(180)
def test_publisher_nats_and_node_find_each_other_as_services(machine: Room) -> None:
    """From a folder of manifests, with a seed that only root can read, to /etc/hosts: three services and no hand."""
    machine.write("/opt/nats-server", Path(nats_server_binary()).read_bytes(), 0o755)
    give_keys(machine)
    _configure(machine, "vinay-laptop")
    machine.write("/etc/hosts", HOSTS)
    enable(machine, PUBLISHER, "registry-dir")
    enable(machine, SUBSCRIBER)

    start(machine, PUBLISHER)
    assert shown(machine, PUBLISHER, "User") == "routecast-publisher"
    registry = machine.path("/var/lib/private/routecast-publisher/registry")
    owner = registry.stat()
    assert owner.st_uid != 0
    start(machine, SUBSCRIBER)
    machine.run("systemd-run", "--unit=nats", "/opt/nats-server", "-js", "-a", "127.0.0.1", "-sd", "/run/nats")
    for file in REFERENCE_FOLDER.iterdir():
        machine.write(f"/var/lib/private/routecast-publisher/registry/{file.name}", file.read_bytes())

    wait_for(
        lambda: "photos.mycloud.local" in machine.path("/etc/hosts").read_text(),
        f"names in /etc/hosts\n{journal(machine, PUBLISHER)}",
        machine,
    )
    state = wait_for(lambda: list(registry.glob(".routecast-state.json")), "the publisher's mark", machine)
    assert state[0].stat().st_uid == owner.st_uid
    machine.run("systemctl", "stop", PUBLISHER, SUBSCRIBER)
    assert {shown(machine, unit, "Result") for unit in (PUBLISHER, SUBSCRIBER)} == {"success"}


def test_a_publisher_reads_a_kubeconfig_that_is_roots(machine: Room) -> None:
    """With kubeconfig.conf the publisher has the kubeconfig without being root, and waits for the API server."""
    give_keys(machine)
    kubeconfig = {
        "current-context": "home",
        "contexts": [{"name": "home", "context": {"cluster": "home", "user": "routecast"}}],
        "clusters": [{"name": "home", "cluster": {"server": "http://127.0.0.1:6443"}}],
        "users": [{"name": "routecast", "user": {"token": "secret"}}],
    }
    machine.write("/etc/routecast/kubeconfig", json.dumps(kubeconfig), 0o600)
    enable(machine, PUBLISHER, "kubeconfig")
    start(machine, PUBLISHER)
    wait_for(lambda: "127.0.0.1:6443" in journal(machine, PUBLISHER), "a word on the API server", machine)
    assert shown(machine, PUBLISHER, "NRestarts") == "0", journal(machine, PUBLISHER)


def test_a_publisher_starts_without_an_authority_of_ours(machine: Room) -> None:
    """Who brings a certificate that every system trusts has no ca.crt: all but that must be there."""
    give_keys(machine)
    machine.path("/etc/routecast/trust/ca.crt").unlink()
    enable(machine, PUBLISHER, "registry-dir")
    start(machine, PUBLISHER)
    machine.run("systemctl", "stop", PUBLISHER)
    machine.path("/etc/routecast/trust/system.creds").unlink()
    machine.run("systemctl", "start", PUBLISHER, check=False)
    wait_for(lambda: shown(machine, PUBLISHER, "ExecMainStatus") == "243", "a refusal for want of a key", machine)
