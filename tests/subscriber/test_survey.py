import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from common.settings import Settings
from subscriber.leftovers import STOP_CRONTAB, Kind
from subscriber.survey import look, warn
from subscriber.targets.hosts_block import Parts
from tests.features.conftest import world
from tests.registries import REFERENCE
from tests.subscriber.test_removal import BLOCK
from tests.world import World, until

__all__ = ["world"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Make a node's settings whose files are all below a folder; none is there."""
    return Settings.model_validate(
        {
            "subscriber": {"node": "contabo-vps", "state_dir": tmp_path / "state"},
            "hosts": {"path": tmp_path / "etc/hosts"},
            "traefik": {"directory": tmp_path / "etc/traefik/dynamic"},
        }
    )


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_an_empty_machine_has_nothing(settings: Settings, tmp_path: Path) -> None:
    """No file, no directory, nothing in a part's place: nothing is found and nothing is wrong."""
    found = look(settings, REFERENCE, tmp_path)
    assert (found.leftovers, found.unsure, found.unread) == ((), (), ())
    _write(tmp_path / "etc/cron.d", b"")
    _write(tmp_path / "etc/traefik", b"")
    assert look(settings, REFERENCE, tmp_path) == found


def test_everything_that_it_left_is_found(settings: Settings, tmp_path: Path) -> None:
    """The block, both names of the routes file, root's crontab and the files of cron.d."""
    _write(settings.hosts.path, b"127.0.0.1 localhost\n" + BLOCK + b"10.0.0.5 nas\n")
    yml = _write(settings.traefik.directory / "mynodeone-routes.yml", b"rule: Host(`photos.curiios.com`)\n")
    yaml = _write(settings.traefik.directory / "mynodeone-routes.yaml", b"")
    _write(settings.traefik.directory / "mine.yml", b"")
    crontab = _write(tmp_path / "var/spool/cron/crontabs/root", b"* * * * * ~/MyNodeOne/scripts/sync-dns.sh\n")
    job = _write(tmp_path / "etc/cron.d/routes", b"* * * * * root sync-vps-routes.sh\n")
    _write(tmp_path / "etc/cron.d/mine", b"* * * * * root true\n")
    (tmp_path / "etc/cron.d/folder").mkdir()
    found = look(settings, REFERENCE, tmp_path)
    assert [(left.kind, left.path) for left in found.leftovers] == [
        (Kind.NAMES, settings.hosts.path),
        (Kind.ROUTES, yml),
        (Kind.ROUTES, yaml),
        (Kind.CRON, crontab),
        (Kind.CRON, job),
    ]
    assert [line.text for line in found.unsure] == ["10.0.0.5 nas"]


def test_what_cannot_be_read_is_said(settings: Settings, tmp_path: Path) -> None:
    """A directory or a pipe in a file's place, a folder that is not one's own: named with the reason."""
    settings.hosts.path.mkdir(parents=True)
    (tmp_path / "var/spool/cron/crontabs").mkdir(parents=True)
    os.mkfifo(tmp_path / "var/spool/cron/crontabs/root")
    (tmp_path / "etc/cron.d").symlink_to("cron.d")
    found = look(settings, REFERENCE, tmp_path)
    assert [said.partition(":")[0] for said in found.unread] == [
        str(settings.hosts.path),
        str(tmp_path / "var/spool/cron/crontabs/root"),
        str(tmp_path / "etc/cron.d"),
    ]


async def test_a_running_subscriber_warns_once_a_start(world: World) -> None:
    """As soon as it knows its zone, also when that comes with its first snapshot; it touches none of it."""
    node = world.node("vinay-laptop")
    node.hosts.write_bytes(BLOCK)
    old = node.folder / "dynamic" / "mynodeone-routes.yml"
    old.write_bytes(b"http: {}\n")
    for _ in ("first", "second"):
        with capture_logs() as logs:

            def warned() -> list[dict[str, object]]:
                return [dict(line) for line in logs if str(line["event"]).startswith("the replaced system")]

            async with world.publisher(), node.running() as agent:
                await world.synced("vinay-laptop")
                await until(lambda: len(warned()) == 2, "a warning for each leftover")
                await until(lambda it=agent: it._reporter.bus is not None, "connected")
        names, routes = warned()
        assert names["where"] == f"{node.hosts}, lines 1-3"
        assert names["earlier_lines_win"] == "photos.mycloud.local=10.9.9.9"
        assert routes["where"] == str(old)
        assert {line["remove_with"] for line in (names, routes)} == {"routecast subscriber adopt"}
        assert {line["log_level"] for line in (names, routes)} == {"warning"}
    assert node.hosts.read_bytes().startswith(BLOCK)
    assert old.exists()


def test_the_log_names_the_command_for_each(settings: Settings, tmp_path: Path) -> None:
    """Cron has another than names. Names below our own block win nothing, so no address is named."""
    with capture_logs() as logs:
        warn(settings, REFERENCE, tmp_path)
    assert logs == []
    _write(settings.hosts.path, Parts(b"").render([b"100.67.243.10\tphotos.mycloud.local"]) + BLOCK)
    crontab = _write(tmp_path / "var/spool/cron/crontabs/root", b"* * * * * sync-dns.sh\n")
    with capture_logs() as logs:
        warn(settings, REFERENCE, tmp_path)
    names, cron = logs
    assert names == {
        "event": "the replaced system left names",
        "where": f"{settings.hosts.path}, lines 4-6",
        "remove_with": "routecast subscriber adopt",
        "log_level": "warning",
    }
    assert cron == {
        "event": "the replaced system still runs from cron",
        "where": f"{crontab}, line 1",
        "stop_with": STOP_CRONTAB,
        "log_level": "warning",
    }
