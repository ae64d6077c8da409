import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber.files import KEPT, Journal, LiveFile, is_torn
from tests.subscriber.mounts import names_in

OLD, NEW = b"127.0.0.1 localhost\n" * 3, b"127.0.0.1 localhost\n" + b"100.67.1.20\tphotos\n" * 5


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Name the journal, in a state directory."""
    return Journal(tmp_path / "state" / "hosts.journal")


@pytest.fixture
def file(tmp_path: Path, journal: Journal) -> LiveFile:
    """Make a file with the old bytes, in a directory of its own."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "hosts").write_bytes(OLD)
    return LiveFile(folder / "hosts", journal=journal.path)


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (OLD, OLD),
        (NEW, NEW),
        (OLD + NEW[len(OLD) :], NEW),
        (NEW[:30] + OLD[30:] + NEW[len(OLD) : len(OLD) + 7], NEW),
        (NEW[:30] + OLD[30:] + bytes(9), NEW),
    ],
)
def test_a_torn_file_is_made_whole(file: LiveFile, journal: Journal, content: bytes, whole: bytes) -> None:
    """After a crash the file is the old or the new one, and the journal is gone."""
    journal.write(OLD, NEW)
    file.path.write_bytes(content)
    file.recover()
    assert file.read() == whole
    assert names_in(journal.path.parent) == []


def test_an_edit_after_the_crash_stays_and_the_journal_is_kept(file: LiveFile, journal: Journal) -> None:
    """What is neither old nor new nor torn is the owner's; a few journals are kept as backups, the newest first."""
    for i in range(KEPT + 2):
        journal.write(OLD, b"%d" % i)
        file.path.write_bytes(b"mine\n")
        file.recover()
        assert file.read() == b"mine\n"
    kept = sorted(journal.path.parent.iterdir())
    assert [backup.name for backup in kept] == [f"hosts.journal.kept-{i}" for i in range(1, KEPT + 1)]
    assert [Journal(backup).read() for backup in kept] == [(OLD, b"%d" % i) for i in (4, 3, 2)]


def test_a_removed_file_is_not_made_again(file: LiveFile, journal: Journal) -> None:
    """The owner removed it after the crash: so it is, and the journal is kept."""
    journal.write(OLD, NEW)
    file.path.unlink()
    file.recover()
    assert file.read() is None
    assert names_in(journal.path.parent) == ["hosts.journal.kept-1"]


@pytest.mark.parametrize("damage", [b"", b"x", b"12", b"5 abc\nhello world", b"\xff\n"])
def test_a_damaged_journal_changes_nothing(file: LiveFile, journal: Journal, damage: bytes) -> None:
    """A journal that does not prove itself is not believed."""
    journal.path.parent.mkdir()
    journal.path.write_bytes(damage)
    file.recover()
    assert file.read() == OLD
    assert not journal.path.exists()


def test_what_a_crash_left_beside_the_file_is_removed(file: LiveFile) -> None:
    """Our temporary files go; those of others stay."""
    for name in (".hosts.abc.routecast", ".hosts.abc.other", "hosts.routecast"):
        (file.path.parent / name).touch()
    file.recover()
    assert names_in(file.path.parent) == [".hosts.abc.other", "hosts", "hosts.routecast"]


contents = st.binary(max_size=12) | st.text("ab", max_size=12).map(str.encode)


@given(contents, contents, st.integers(0, 12), st.integers(0, 12))
def test_every_state_of_a_write_in_place_is_known_as_torn(old: bytes, new: bytes, grown: int, written: int) -> None:
    """Growing, writing, cutting: wherever it stopped, recovery knows it, and ends with the whole new file."""
    tail = new[len(old) :]
    head = new[:written][: len(old)]
    growing = old + tail[:grown]
    writing = head + (old + tail)[len(head) :]
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal")
        file = LiveFile(Path(folder) / "hosts", journal=journal.path)
        for content in (growing, writing):
            assert is_torn(content, old, new)
            journal.write(old, new)
            file.path.write_bytes(content)
            file.recover()
            assert file.read() in (old, new)


@given(contents, contents, contents)
def test_a_file_that_is_no_mixture_is_not_torn(content: bytes, old: bytes, new: bytes) -> None:
    """A byte that neither file has in its place, or a length that no write leaves, is the owner's doing."""
    if not is_torn(content, old, new):
        return
    assert min(len(old), len(new)) <= len(content) <= max(len(old), len(new))
    for i, byte in enumerate(content):
        assert byte in {*old[i : i + 1], *new[i : i + 1], *([0] if i >= len(old) else [])}


def test_a_cut_by_the_owner_is_not_torn() -> None:
    """A file that was to shrink and now has a length of its own was edited."""
    assert not is_torn(OLD[:25], OLD, OLD[:20])
    assert not is_torn(None, OLD, NEW)
