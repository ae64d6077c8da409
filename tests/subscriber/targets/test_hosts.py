import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from common.errors import TargetFailed
from common.models import Cluster, Registry
from common.settings.subscriber import HostsSettings
from subscriber.targets.hosts import HostsTarget, flush_commands
from subscriber.targets.hosts_block import BEGIN, BEGIN_JOINED, END
from subscriber.targets.target import Plan
from tests.registries import REFERENCE, with_service, without_service
from tests.subscriber.mounts import immutable, in_namespace, names_in, needs_mounts

OWNER = b"127.0.0.1\tlocalhost\r\n::1 localhost # mine\n\n\x00\xff\xe4 latin-1\n10.0.0.5 nas"
LINES = (
    b"100.67.243.11\tchat.mycloud.local",
    b"100.67.243.13\tdashboard.mycloud.local",
    b"100.67.243.12\tgrafana.mycloud.local",
    b"100.67.243.13\tmycloud.local",
    b"100.67.243.10\tphotos.mycloud.local",
)
BLOCK = b"\n".join((*LINES, END, b""))
MOVED = with_service("immich", REFERENCE.services["immich"].model_copy(update={"ip": "fd7a:115c:a1e0::10"}))


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    """Write the owner's file."""
    path = tmp_path / "etc" / "hosts"
    path.parent.mkdir()
    path.write_bytes(OWNER)
    return path


@pytest.fixture
def target(hosts: Path, tmp_path: Path) -> HostsTarget:
    """Make the target on that file."""
    return HostsTarget(HostsSettings(path=hosts), tmp_path / "state", platform="linux")


async def test_the_names_follow_the_registry(target: HostsTarget, hosts: Path) -> None:
    """Made, changed, removed: what came of it is told, and the owner's bytes are as they were in the end."""
    await target.recover()
    created = await target.apply(REFERENCE)
    assert created.checked == "file"
    assert created.plan.created == tuple(sorted(line.partition(b"\t")[2].decode() for line in LINES))
    assert hosts.read_bytes() == OWNER + b"\n" + BEGIN_JOINED + b"\n" + BLOCK

    moved = await target.apply(MOVED)
    assert moved.plan == Plan(updated=("photos.mycloud.local",))
    assert b"fd7a:115c:a1e0::10\tphotos.mycloud.local\n" in hosts.read_bytes()

    gone = await target.apply(without_service("immich"))
    assert gone.plan == Plan(deleted=("photos.mycloud.local",))

    await target.apply(Registry())
    assert hosts.read_bytes() == OWNER


async def test_the_same_registry_writes_nothing(target: HostsTarget, hosts: Path) -> None:
    """No difference: no write, the same inode and time, and an answer all the same."""
    await target.apply(REFERENCE)
    before = hosts.stat()
    again = await target.apply(REFERENCE)
    assert (again.plan, again.checked) == (Plan(), "file")
    assert (hosts.stat().st_ino, hosts.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_planning_writes_nothing(target: HostsTarget, hosts: Path, tmp_path: Path) -> None:
    """A plan says what an apply would do, and leaves everything as it is."""
    assert len((await target.plan(REFERENCE)).created) == 5
    assert hosts.read_bytes() == OWNER
    assert not (tmp_path / "state").exists()


async def test_an_edit_inside_the_block_is_healed(target: HostsTarget, hosts: Path) -> None:
    """The block is ours: a changed address, a comment or another order in it goes away."""
    await target.apply(REFERENCE)
    whole = hosts.read_bytes()
    hosts.write_bytes(whole.replace(b"100.67.243.10\tphotos", b"6.6.6.6\tphotos"))
    assert await target.plan(REFERENCE) == Plan(updated=("photos.mycloud.local",))
    hosts.write_bytes(whole.replace(END, b"# a comment\n" + END))
    assert (await target.apply(REFERENCE)).plan == Plan(rewrite=True)
    assert hosts.read_bytes() == whole


async def test_a_block_that_lost_its_end_takes_no_line_of_the_owner(target: HostsTarget, hosts: Path) -> None:
    """Only lines that we wrote are taken for ours, also when they are no longer wanted; the owner's lines stay."""
    hosts.write_bytes(b"a\n")
    await target.apply(REFERENCE)
    hosts.write_bytes(hosts.read_bytes().replace(END + b"\n", b"10.0.0.6 printer\n"))
    await target.apply(without_service("immich"))
    await target.apply(Registry())
    assert hosts.read_bytes() == b"a\n10.0.0.6 printer\n"


async def test_a_missing_file_is_made_only_for_names(tmp_path: Path) -> None:
    """No names: no file. With names it is made, readable for all."""
    hosts = tmp_path / "hosts"
    target = HostsTarget(HostsSettings(path=hosts), tmp_path / "state")
    assert not (await target.apply(Registry())).plan.changed
    assert not hosts.exists()
    await target.apply(REFERENCE)
    assert hosts.read_bytes() == BEGIN + b"\n" + BLOCK
    assert hosts.stat().st_mode & 0o777 == 0o644


async def test_a_symbolic_link_stays_one(target: HostsTarget, hosts: Path, tmp_path: Path) -> None:
    """What the link points to is written."""
    real = tmp_path / "real"
    hosts.rename(real)
    hosts.symlink_to(real)
    await target.apply(REFERENCE)
    assert hosts.is_symlink()
    assert real.read_bytes().endswith(BLOCK)


async def test_a_directory_that_allows_no_rename_is_no_obstacle(target: HostsTarget, hosts: Path) -> None:
    """The file is written in place, and reads back as with a rename."""
    with immutable(hosts.parent):
        await target.apply(REFERENCE)
        await target.apply(MOVED)
        await target.apply(Registry())
        assert hosts.read_bytes() == OWNER


async def test_the_cache_is_emptied_after_a_change_only(hosts: Path, tmp_path: Path) -> None:
    """The command runs once for a change, not for a repeat; when it fails, the names stand and the log says so."""
    ran = tmp_path / "ran"
    flush = ("sh", "-c", f"echo x >> {ran}; echo no such cache; exit 3")
    target = HostsTarget(HostsSettings(path=hosts, flush_command=flush), tmp_path / "state")
    with capture_logs() as logged:
        await target.apply(REFERENCE)
        await target.apply(REFERENCE)
    assert ran.read_text() == "x\n"
    assert [line["said"] for line in logged if line["log_level"] == "warning"] == ["no such cache"]


def test_what_empties_the_cache_depends_on_the_system() -> None:
    """On macOS two commands, on Linux none; the setting goes before both, and an empty one means nothing."""
    assert [command[0] for command in flush_commands(HostsSettings(), "darwin")] == ["dscacheutil", "killall"]
    assert flush_commands(HostsSettings(), "linux") == ()
    assert flush_commands(HostsSettings(flush_command=("x", "y")), "darwin") == (("x", "y"),)
    assert flush_commands(HostsSettings(flush_command=()), "darwin") == ()


async def test_an_owners_line_for_one_of_our_names_is_told_once(target: HostsTarget, hosts: Path) -> None:
    """The owner's line is left alone; the log says that it stands against ours, and says it once."""
    hosts.write_bytes(b"10.9.9.9 photos.mycloud.local\n")
    with capture_logs() as logged:
        await target.apply(REFERENCE)
        await target.apply(REFERENCE)
    warnings = [(line["name"], line["address"]) for line in logged if line["log_level"] == "warning"]
    assert warnings == [("photos.mycloud.local", "10.9.9.9")]
    assert hosts.read_bytes().startswith(b"10.9.9.9 photos.mycloud.local\n")


async def test_a_cluster_without_a_domain_has_no_names(target: HostsTarget, hosts: Path) -> None:
    """No zone, no block."""
    await target.apply(REFERENCE)
    await target.apply(REFERENCE.model_copy(update={"cluster": Cluster()}))
    assert hosts.read_bytes() == OWNER


async def test_a_directory_in_its_place_is_a_clear_failure(hosts: Path, tmp_path: Path) -> None:
    """The message names the path, the reason and the next command."""
    target = HostsTarget(HostsSettings(path=hosts.parent), tmp_path / "state")
    with pytest.raises(TargetFailed, match="routecast subscriber sync") as failure:
        await target.apply(REFERENCE)
    assert failure.value.code == "is_directory"
    assert str(hosts.parent) in str(failure.value)


async def test_a_missing_directory_is_a_clear_failure(tmp_path: Path) -> None:
    """Nothing is made beyond the file itself."""
    target = HostsTarget(HostsSettings(path=tmp_path / "no" / "hosts"), tmp_path / "state")
    with pytest.raises(TargetFailed) as failure:
        await target.apply(REFERENCE)
    assert failure.value.code == "missing"


async def test_a_file_that_nothing_may_write_is_a_clear_failure(target: HostsTarget, hosts: Path) -> None:
    """Neither rename nor write in place: the bytes stand."""
    with immutable(hosts.parent), immutable(hosts), pytest.raises(TargetFailed) as failure:
        await target.apply(REFERENCE)
    assert failure.value.code == "permission"
    assert hosts.read_bytes() == OWNER


@needs_mounts
def test_a_full_disk_leaves_the_file_as_it_was(hosts: Path, tmp_path: Path) -> None:
    """The failure is called disk_full, and the owner's bytes stand."""
    setup = 'mount -t tmpfs -o size=16k none "$1" && cp "$2" "$1/hosts" && s="$1" && shift 2 && "$@"; cat "$s/hosts"'
    program = (
        "import asyncio, sys; from pathlib import Path; from common.errors import TargetFailed;"
        "from common.settings.subscriber import HostsSettings; from subscriber.targets.hosts import HostsTarget;"
        "from tests.subscriber.targets.applying import BIG\n"
        "try: asyncio.run(HostsTarget(HostsSettings(path=Path(sys.argv[1])), Path(sys.argv[2])).apply(BIG))\n"
        "except TargetFailed as e: print(e.code)"
    )
    small = tmp_path / "small"
    small.mkdir()
    command = [sys.executable, "-c", program, str(small / "hosts"), str(tmp_path / "state")]
    done = subprocess.run(in_namespace(setup, small, hosts, *command), capture_output=True, check=True)
    assert done.stdout == b"disk_full\n" + OWNER


async def test_a_line_that_the_owner_adds_meanwhile_stays(target: HostsTarget, hosts: Path, tmp_path: Path) -> None:
    """The file changes between reading and writing: the write begins anew, and has both."""
    (tmp_path / "state").mkdir()
    hosts.write_bytes(OWNER + b"\n")

    def add_when_the_write_begins() -> None:
        while not names_in(tmp_path / "state"):
            pass
        with hosts.open("ab") as file:
            file.write(b"10.0.0.6 printer\n")

    owner = asyncio.create_task(asyncio.to_thread(add_when_the_write_begins))
    await target.apply(REFERENCE)
    await owner
    content = hosts.read_bytes()
    assert content.startswith(OWNER + b"\n")
    assert content.count(b"10.0.0.6 printer\n") == content.count(END) == 1
    await target.apply(Registry())
    assert hosts.read_bytes() == OWNER + b"\n10.0.0.6 printer\n"
