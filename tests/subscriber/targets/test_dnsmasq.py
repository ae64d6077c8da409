import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from common.errors import TargetFailed
from common.models import Cluster, Registry
from common.settings.subscriber import DnsmasqSettings
from subscriber.targets.dns_check import DnsCheck
from subscriber.targets.dnsmasq import DnsmasqTarget
from subscriber.targets.dnsmasq_files import Probe
from subscriber.targets.dnsmasq_process import running_pid
from subscriber.targets.target import Plan
from tests.registries import REFERENCE, with_service, without_service
from tests.subscriber.targets.dnsmasq_server import DnsmasqServer, needs_dnsmasq

pytestmark = needs_dnsmasq

PHOTOS = REFERENCE.services["immich"]
MOVED = with_service("immich", PHOTOS.model_copy(update={"ip": "fd7a:115c:a1e0::10"}))
OTHER_ZONE = REFERENCE.model_copy(update={"cluster": Cluster(domain="lan.example.org")})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DnsmasqServer]:
    """Prepare a dnsmasq; stop what runs of it in the end."""
    server = DnsmasqServer(tmp_path)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def running(server: DnsmasqServer) -> DnsmasqServer:
    """Start it."""
    server.start()
    return server


def target_of(dnsmasq: DnsmasqServer, /, **settings: object) -> DnsmasqTarget:
    """Make the target on it."""
    chosen = DnsmasqSettings.model_validate(dnsmasq.settings.model_dump() | settings)
    return DnsmasqTarget(chosen, dnsmasq.folder / "state")


async def answer(server: DnsmasqServer, name: str, kind: str = "A") -> list[str]:
    """Ask for a name."""
    return await asyncio.to_thread(server.answer, name, kind)


async def test_the_names_follow_the_registry(running: DnsmasqServer) -> None:
    """The zone comes with a restart, names change without one; each time dnsmasq itself was asked."""
    target = target_of(running)
    await target.recover()
    created = await target.apply(REFERENCE)
    assert (len(created.plan.created), created.checked, running.restarted()) == (5, "dns", 1)
    assert await answer(running, "photos.mycloud.local") == ["100.67.243.10"]
    assert await answer(running, "mycloud.local") == ["100.67.243.13"]
    assert await answer(running, "stranger.mycloud.local") == []

    moved = await target.apply(MOVED)
    assert (moved.plan, moved.checked) == (Plan(updated=("photos.mycloud.local",)), "dns")
    assert await answer(running, "photos.mycloud.local", "AAAA") == ["fd7a:115c:a1e0::10"]
    assert await answer(running, "photos.mycloud.local") == []

    gone = await target.apply(without_service("immich"))
    assert (gone.plan, gone.checked) == (Plan(deleted=("photos.mycloud.local",)), "dns")
    assert await answer(running, "photos.mycloud.local", "AAAA") == []
    assert running.restarted() == 1


async def test_the_same_registry_does_nothing(running: DnsmasqServer) -> None:
    """No difference: no write, no signal, no restart."""
    target = target_of(running)
    await target.apply(REFERENCE)
    before = running.settings.hosts_file.stat().st_mtime_ns
    again = await target.apply(REFERENCE)
    assert (again.plan, again.checked) == (Plan(), "file")
    assert running.settings.hosts_file.stat().st_mtime_ns == before
    assert running.restarted() == 1


async def test_another_zone_is_another_drop_in(running: DnsmasqServer) -> None:
    """The drop-in is written for a new zone, and removed with the last."""
    target = target_of(running)
    await target.apply(REFERENCE)
    await target.apply(OTHER_ZONE)
    assert await answer(running, "photos.lan.example.org") == ["100.67.243.10"]
    assert await answer(running, "photos.mycloud.local") == []
    none = await target.apply(Registry())
    assert none.checked == "file"
    assert running.restarted() == 3
    assert not running.settings.drop_in.exists()
    assert not running.settings.hosts_file.exists()


async def test_dnsmasqs_own_user_can_read_the_names(running: DnsmasqServer) -> None:
    """Whatever our umask, file and directories that we make can be read by all."""
    before = os.umask(0o077)
    try:
        await target_of(running).apply(REFERENCE)
    finally:
        os.umask(before)
    file = running.settings.hosts_file
    assert file.stat().st_mode & 0o777 == 0o644
    assert [folder.stat().st_mode & 0o777 for folder in (file.parent, file.parent.parent)] == [0o755, 0o755]


async def test_without_a_running_dnsmasq_the_files_are_written(server: DnsmasqServer) -> None:
    """It is not started by us; the log says that nobody answers yet."""
    with capture_logs() as logged:
        outcome = await target_of(server).apply(REFERENCE)
    assert (outcome.checked, server.restarted()) == ("file", 0)
    assert server.settings.drop_in.exists()
    assert [line["log_level"] for line in logged] == ["warning"]


async def test_a_refused_drop_in_is_taken_back(running: DnsmasqServer) -> None:
    """The test command fails: the previous files are back, nothing was restarted, its words are in the message."""
    target = target_of(running)
    await target.apply(REFERENCE)
    drop_in, hosts = running.settings.drop_in.read_bytes(), running.settings.hosts_file.read_bytes()
    (running.drop_ins / "broken.conf").write_text("no-such-option\n")
    with pytest.raises(TargetFailed, match=r"broken\.conf") as failure:
        await target.apply(OTHER_ZONE)
    assert failure.value.code == "test_failed"
    assert running.settings.drop_in.read_bytes() == drop_in
    assert running.settings.hosts_file.read_bytes() == hosts
    assert running.restarted() == 1
    assert await answer(running, "photos.mycloud.local") == ["100.67.243.10"]


async def test_a_failed_restart_is_taken_back(running: DnsmasqServer) -> None:
    """The first drop-in whose restart fails is gone again."""
    restart = (
        "sh",
        "-c",
        f"grep -q addn-hosts {running.settings.drop_in} && echo no way && exit 1; sh {running.script}",
    )
    with pytest.raises(TargetFailed, match="no way") as failure:
        await target_of(running, restart_command=restart).apply(REFERENCE)
    assert failure.value.code == "restart_failed"
    assert not running.settings.drop_in.exists()
    assert not running.settings.hosts_file.exists()
    assert running.restarted() == 1


async def test_names_that_dnsmasq_does_not_answer_are_taken_back(running: DnsmasqServer) -> None:
    """Nobody answers where it should: the previous names are back, in the file and in the answers."""
    target = target_of(running)
    await target.apply(without_service("immich"))
    before = running.settings.hosts_file.read_bytes()
    with pytest.raises(TargetFailed, match="nobody answers") as failure:
        await target_of(running, server="127.0.0.2").apply(REFERENCE)
    assert (failure.value.code, failure.value.entry) == ("check_failed", "photos.mycloud.local")
    assert running.settings.hosts_file.read_bytes() == before
    assert await answer(running, "photos.mycloud.local") == []


async def test_a_name_that_stays_is_a_failure(running: DnsmasqServer) -> None:
    """Somebody else's line still gives the removed name our address: that is not applied."""
    own = running.folder / "own"
    own.write_text("100.67.243.10 photos.mycloud.local\n")
    (running.drop_ins / "own.conf").write_text(f"addn-hosts={own}\n")
    target = target_of(running)
    await target.apply(REFERENCE)
    with pytest.raises(TargetFailed, match=r"is still 100\.67\.243\.10"):
        await target.apply(without_service("immich"))
    assert b"photos" in running.settings.hosts_file.read_bytes()


async def test_what_dnsmasq_was_not_told_before_a_crash_is_told_after_it(running: DnsmasqServer) -> None:
    """The files are as they should be, but nobody restarted dnsmasq: the next apply does."""
    files = target_of(running, pid_file=running.folder / "no-such.pid")
    await files.apply(REFERENCE)
    (running.folder / "state" / "dnsmasq.pending").write_bytes(b"restart")
    assert await answer(running, "photos.mycloud.local") == []
    target = target_of(running)
    assert (await target.plan(REFERENCE)).changed
    outcome = await target.apply(REFERENCE)
    assert (outcome.plan, outcome.checked) == (Plan(rewrite=True), "dns")
    assert await answer(running, "photos.mycloud.local") == ["100.67.243.10"]
    assert not (await target.plan(REFERENCE)).changed


async def test_an_apply_that_is_cancelled_is_finished_by_the_next(running: DnsmasqServer) -> None:
    """A newer snapshot supersedes: what the cancelled apply left undone is done with it."""
    target = target_of(running)
    await target.apply(REFERENCE)
    cancelled = asyncio.create_task(target.apply(MOVED))
    while not (running.folder / "state" / "dnsmasq.pending").exists():  # noqa: ASYNC110 - the moment is short
        await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (await target.apply(MOVED)).checked == "dns"
    assert await answer(running, "photos.mycloud.local", "AAAA") == ["fd7a:115c:a1e0::10"]


async def test_a_file_that_cannot_be_written_changes_nothing(running: DnsmasqServer) -> None:
    """The drop-in's directory is missing: the names that were written already are taken back."""
    shutil.rmtree(running.drop_ins)
    with pytest.raises(TargetFailed) as failure:
        await target_of(running).apply(REFERENCE)
    assert failure.value.code == "missing"
    assert not running.settings.hosts_file.exists()


def test_another_process_with_the_number_of_a_dead_dnsmasq_gets_no_signal(tmp_path: Path) -> None:
    """A pid file may be old: only a process called dnsmasq counts."""
    pid_file = tmp_path / "pid"
    assert running_pid(pid_file) is None
    for text in ("", "rubbish", "0", "1", "-1", str(os.getpid())):
        pid_file.write_text(text)
        assert running_pid(pid_file) is None
    with subprocess.Popen(["true"]) as ended:
        pass
    pid_file.write_text(str(ended.pid))
    assert running_pid(pid_file) is None


async def test_a_wrong_answer_is_told(running: DnsmasqServer) -> None:
    """What is asked for, what came and what should have come."""
    await target_of(running).apply(REFERENCE)
    check = DnsCheck("127.0.0.1", running.port)
    wrong = await check.settle([Probe("photos.mycloud.local", "10.0.0.9")], 0.1)
    assert wrong == "photos.mycloud.local is 100.67.243.10, not 10.0.0.9"
    unknown = await check.settle([Probe("nothing.mycloud.local", "10.0.0.9")], 0.1)
    assert unknown == "nothing.mycloud.local is not known, not 10.0.0.9"


async def test_asking_in_vain_always_ends(running: DnsmasqServer) -> None:
    """Wherever in a question the time is over: the limit holds."""
    check = DnsCheck("127.0.0.1", running.port)
    for _ in range(50):
        assert await check.settle([Probe("nothing.mycloud.local", "10.0.0.9")], 0.01)
