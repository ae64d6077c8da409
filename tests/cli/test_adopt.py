"""`routecast subscriber adopt`, and what status says before it."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from click.testing import Result

from cli import exits
from common.bus import Bus
from subscriber.state import NodeState
from tests.cli.bus_data import make_consumers, publish_registry
from tests.cli.conftest import Routecast, run_routecast
from tests.cli.test_subscriber import Laptop, laptop, on_laptop
from tests.registries import SIGNER, snapshot
from tests.subscriber.mounts import in_namespace, names_in, needs_mounts
from tests.world import until

__all__ = ["laptop", "on_laptop"]

OWNER = "127.0.0.1 localhost\n"
OLD = (
    "\n# MyNodeOne Services - Auto-generated on Thu Nov  6 18:30:00 UTC 2025\n"
    "10.9.9.9\tphotos.mycloud.local\n100.67.243.11\tchat.mycloud.local\n100.1.2.3\told.mycloud.local\n\n"
)
OURS = (
    "# BEGIN routecast - managed, do not edit\n100.67.243.11\tchat.mycloud.local\n"
    "100.67.243.13\tdashboard.mycloud.local\n100.67.243.12\tgrafana.mycloud.local\n100.67.243.13\tmycloud.local\n"
    "100.67.243.10\tphotos.mycloud.local\n# END routecast\n"
)


class Node:
    """A laptop that routecast runs on, and the replaced system did before; no NATS is needed."""

    def __init__(self, folder: Path) -> None:
        self.hosts = folder / "hosts"
        self.hosts.write_text(OWNER + OLD + OURS)
        self.state = folder / "state"
        self.state.mkdir()
        NodeState(self.state).write_accepted(snapshot().to_body())
        self.config = folder / "routecast.toml"
        self.config.write_text(
            f'[subscriber]\nnode = "work-laptop"\npublic_keys = ["{SIGNER.public_key}"]\nstate_dir = "{self.state}"\n'
            f'[hosts]\npath = "{self.hosts}"\n[traefik]\ndirectory = "{folder}/dynamic"\n'
        )
        self.routes = folder / "dynamic" / "mynodeone-routes.yml"

    def run(self, *words: str) -> Result:
        """Run `routecast` there."""
        return run_routecast("--config", str(self.config), "subscriber", *words)

    @property
    def backups(self) -> list[str]:
        """The names of the copies."""
        return names_in(self.state / "backups") if (self.state / "backups").exists() else []


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Return that laptop."""
    return Node(tmp_path)


def test_a_dry_run_shows_every_line_and_changes_nothing(node: Node) -> None:
    """What would go, where the old line wins, and what would be gone: exit code 0."""
    result = node.run("adopt", "--dry-run")
    assert result.exit_code == exits.OK, result.stderr
    assert result.stdout.splitlines() == [
        f"remove  {node.hosts}, lines 3-6: names that the replaced system wrote",
        "  3: # MyNodeOne Services - Auto-generated on Thu Nov  6 18:30:00 UTC 2025",
        "  4: 10.9.9.9        photos.mycloud.local",
        "  5: 100.67.243.11   chat.mycloud.local",
        "  6: 100.1.2.3       old.mycloud.local",
        "  another address than the registry's, and the earlier line wins: photos.mycloud.local is 10.9.9.9 there",
        "  gone with it, the registry has no such name for this node: old.mycloud.local",
    ]
    assert node.hosts.read_text() == OWNER + OLD + OURS
    assert node.backups == []


def test_without_a_terminal_nothing_goes_without_yes(node: Node) -> None:
    """The plan is printed, and how to have it done: exit code 1."""
    for form in ("table", "json"):
        result = node.run("adopt", "-o", form)
        assert result.exit_code == exits.NOT_SO
        assert "old.mycloud.local" in result.stdout
        assert "routecast subscriber adopt --yes" in result.stderr
    assert node.hosts.read_text() == OWNER + OLD + OURS
    assert node.backups == []


def test_it_is_removed_once_and_for_all(node: Node) -> None:
    """The lines go, a copy stays, and said is where; again: nothing to adopt, exit code 0, no further copy."""
    result = node.run("adopt", "--yes")
    assert result.exit_code == exits.OK, result.stderr
    (copy,) = node.backups
    assert result.stdout.startswith(f"remove  {node.hosts}, lines 3-6")
    assert result.stdout.endswith(f"\n\nremoved from {node.hosts}; as it was: {node.state}/backups/{copy}\n")
    assert node.hosts.read_text() == OWNER + "\n\n" + OURS
    assert (node.state / "backups" / copy).read_text() == OWNER + OLD + OURS
    for words in ((), ("--yes",), ("--dry-run",), ("--force",)):
        again = node.run("adopt", *words)
        assert again.exit_code == exits.OK, again.stderr
        assert again.stdout == "nothing to adopt\n"
    assert node.backups == [copy]


def test_machines_get_one_value(node: Node) -> None:
    """Plan and outcome in one object, with the lines as they are and the path of the copy."""
    node.routes.parent.mkdir()
    node.routes.write_text("rule: Host(`x.example.com`)\n")
    result = node.run("adopt", "--yes", "-o", "json")
    assert result.exit_code == exits.NOT_SO
    found = orjson.loads(result.stdout)
    names, routes = found["plan"]["removals"]
    assert names["leftover"]["kind"] == "names"
    assert names["leftover"]["lines"][1] == {"number": 4, "text": "10.9.9.9\tphotos.mycloud.local"}
    assert names["leftover"]["wins"] == {"photos.mycloud.local": "10.9.9.9"}
    assert names["against"] is None
    assert "no target of this node writes routes" in routes["against"]
    (removed,) = found["removed"]
    assert removed["error"] is None
    assert Path(removed["backup"]).read_text() == OWNER + OLD + OURS


def test_what_nothing_stands_in_for_stays_unless_forced(node: Node) -> None:
    """Our block lacks names of the old one: kept with the reason, exit code 1; --force removes it all the same."""
    node.hosts.write_text(OWNER + OLD)
    refused = node.run("adopt", "--yes")
    assert refused.exit_code == exits.NOT_SO
    assert refused.stdout.startswith(f"keep  {node.hosts}")
    assert "does not have chat.mycloud.local, photos.mycloud.local yet" in refused.stdout
    assert node.hosts.read_text() == OWNER + OLD
    assert node.run("adopt").stderr == ""
    assert node.run("adopt", "--dry-run").exit_code == exits.OK
    forced = node.run("adopt", "--yes", "--force")
    assert forced.exit_code == exits.OK, forced.stderr
    assert "forced, although: " in forced.stdout
    assert node.hosts.read_text() == OWNER + "\n\n"


def test_a_file_that_cannot_be_changed_is_said(node: Node) -> None:
    """The copies cannot be kept: nothing is removed, exit code 1."""
    (node.state / "backups").write_bytes(b"")
    result = node.run("adopt", "--yes")
    assert result.exit_code == exits.NOT_SO
    assert f"failed  {node.state}/backups: " in result.stdout
    assert node.hosts.read_text() == OWNER + OLD + OURS


def test_what_is_not_sure_is_shown_and_stays(node: Node) -> None:
    """A line below the old names that could be the owner's; what a person must decide is said."""
    node.hosts.write_text(OWNER + OLD.rstrip() + "\n10.0.0.5 nas\n" + OURS)
    result = node.run("adopt", "--yes")
    assert "keep  line 7 of the hosts file stays: 10.0.0.5 nas\n" in result.stdout
    assert node.hosts.read_text() == OWNER + "\n10.0.0.5 nas\n" + OURS


def test_before_the_first_snapshot_it_cannot_tell(node: Node) -> None:
    """Without a zone no line is surely the old system's: nothing goes, what to do is said, exit code 1."""
    (node.state / "accepted.json").unlink()
    result = node.run("adopt", "--yes")
    assert result.exit_code == exits.NOT_SO
    assert "nothing to adopt" in result.stdout
    assert "run: routecast subscriber sync" in result.stdout
    assert node.hosts.read_text() == OWNER + OLD + OURS


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", exits.OK), (b"n\n", exits.NOT_SO), (b"\x04", exits.NOT_SO)])
def test_a_person_is_asked(node: Node, answer: bytes, code: int) -> None:
    """At a terminal: the plan, then the question; all but yes changes nothing."""
    keyboard, terminal = os.openpty()
    os.write(keyboard, answer)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "--config", str(node.config), "subscriber", "adopt"],
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(keyboard)
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith("remove  ")
    assert "Remove 1 leftover? [y/N]: " in done.stderr
    assert (node.hosts.read_text() == OWNER + "\n\n" + OURS) is (code == exits.OK)


@needs_mounts
def test_cron_is_shown_with_what_stops_it_and_not_touched(node: Node, tmp_path: Path) -> None:
    """Lines in /etc/cron.d are notes, in status too; they alone are nothing to adopt."""
    node.hosts.write_text(OWNER + OURS)
    jobs = tmp_path / "cron.d"
    jobs.mkdir()
    (jobs / "sync").write_text("*/5 * * * * root /root/MyNodeOne/scripts/sync-dns.sh\n")
    setup = 'mkdir -p /etc/cron.d && mount --bind "$1" /etc/cron.d && shift && exec "$@"'
    routecast = [sys.executable, "-m", "cli", "--config", str(node.config), "subscriber"]
    done = subprocess.run(
        in_namespace(setup, jobs, *routecast, "adopt", "--yes"), capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == (
        "nothing to adopt\n"
        "/etc/cron.d/sync, line 1: cron runs the replaced system, which writes again what is removed\n"
        "  1: */5 * * * * root /root/MyNodeOne/scripts/sync-dns.sh\n"
        "  stop it, as root: sed -i -e /sync-dns/d -e /sync-vps-routes/d /etc/cron.d/sync\n"
    )
    shown = subprocess.run(
        in_namespace(setup, jobs, *routecast, "status"), capture_output=True, text=True, check=False, timeout=30
    )
    assert "left over  /etc/cron.d/sync, line 1: cron runs the replaced system" in shown.stdout
    assert (jobs / "sync").exists()


def test_status_shows_what_is_left_over(node: Node) -> None:
    """For people with what it does and the command, for machines as it is; a clean node shows nothing of it."""
    shown = node.run("status").stdout
    assert f"left over  {node.hosts}, lines 3-6: names that the replaced system wrote\n" in shown
    assert "photos.mycloud.local is 10.9.9.9 there" in shown
    assert "routecast subscriber adopt" in shown
    (left,) = orjson.loads(node.run("status", "-o", "json").stdout)["leftovers"]
    assert (left["kind"], left["command"]) == ("names", "routecast subscriber adopt")
    node.hosts.write_text(OWNER + OURS)
    assert "left over" not in node.run("status").stdout


async def test_it_works_beside_the_running_service(bus: Bus, laptop: Laptop, on_laptop: Routecast) -> None:
    """The service warns and leaves it alone; adopt takes it out under its hands, and both agree on the rest."""
    await publish_registry(bus)
    await make_consumers(bus, "work-laptop")
    laptop.hosts.write_text(OWNER + OLD)

    async def applied() -> bool:
        status = orjson.loads((await on_laptop("subscriber", "status", "-o", "json")).stdout)
        return bool(status["running"] and status["last_ack"])

    async with laptop.running():
        await until(applied, "the service has applied the snapshot")
        assert laptop.hosts.read_text() == OWNER + OLD + OURS
        result = await on_laptop("subscriber", "adopt", "--yes")
        assert result.exit_code == exits.OK, result.stderr
        assert laptop.hosts.read_text() == OWNER + "\n\n" + OURS
        synced = orjson.loads((await on_laptop("subscriber", "sync", "-o", "json")).stdout)
        assert (synced["by_service"], synced["ack"]["state"]) == (True, "applied")
    assert laptop.hosts.read_text() == OWNER + "\n\n" + OURS
