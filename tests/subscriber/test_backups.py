from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from subscriber.backups import KEPT, Backups
from tests.subscriber.mounts import names_in

AT = datetime(2025, 11, 6, 18, 30, 0, 123_000, tzinfo=UTC)
HOSTS = Path("/etc/hosts")


def test_a_copy_is_named_by_file_and_time(tmp_path: Path) -> None:
    """In UTC, whatever zone the time is given in; nobody else can read it."""
    copy = Backups(tmp_path / "backups").add(HOSTS, b"x\n", AT.astimezone(timezone(timedelta(hours=2))))
    assert copy == tmp_path / "backups" / "hosts.20251106T183000.123Z"
    assert copy.read_bytes() == b"x\n"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700


def test_no_copy_replaces_another(tmp_path: Path) -> None:
    """Two at one time both stay."""
    backups = Backups(tmp_path)
    first, second = backups.add(HOSTS, b"1", AT), backups.add(HOSTS, b"2", AT)
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")
    assert sorted([first, second]) == [first, second]


def test_the_newest_of_each_file_are_kept(tmp_path: Path) -> None:
    """Five, counted for each file; one that was just made stays though the clock was set back."""
    backups = Backups(tmp_path)
    for minute in range(KEPT + 3):
        copy = backups.add(HOSTS, b"", AT + timedelta(minutes=minute))
        backups.trim(HOSTS, newest=copy)
    other = backups.add(Path("/x/hosts.20251106T183000.123Z"), b"", AT)
    kept = [f"hosts.20251106T{time}00.123Z" for time in ("1833", "1834", "1835", "1836", "1837")]
    assert names_in(tmp_path) == sorted([*kept, other.name])
    early = backups.add(HOSTS, b"", AT - timedelta(days=1))
    backups.trim(HOSTS, newest=early)
    assert names_in(tmp_path) == sorted([early.name, *kept[1:], other.name])
