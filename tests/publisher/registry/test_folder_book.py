import asyncio
import errno
import fcntl
import os
import threading
from functools import partial
from pathlib import Path

import pytest

from common.errors import AccessDenied, EditRefused, SourceUnavailable
from common.files import write_atomic
from publisher.registry.folder import RECORD_FILE, FolderBook
from publisher.source.document import SERVICE_REGISTRY
from publisher.source.folder_lock import locked
from publisher.source.source import Conflict
from tests.subscriber.mounts import immutable, names_in

MANIFEST = """\
# The apps.
kind: ConfigMap
metadata:
  name: service-registry
  labels: {team: "a"}  # ours
  annotations:
    note: |
      keep me
data:
  # what others put here
  other: "x"
  services.json: |  # ours
    {}
---
kind: Secret
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a manifest as a person would."""
    path = tmp_path / "registry" / "apps.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(MANIFEST)
    path.chmod(0o600)
    return path


async def _write(book: FolderBook, text: str = '{"a": 1}') -> str:
    version = (await book.list())[SERVICE_REGISTRY].resource_version
    return await book.write(SERVICE_REGISTRY, {"services.json": text}, version)


async def test_every_byte_but_the_value_stays(folder: FolderBook, file: Path) -> None:
    """Labels, annotations, comments, other keys, other manifests, and the file's mode."""
    await _write(folder)
    assert file.read_text() == MANIFEST.replace("    {}\n", '    {"a": 1}\n')
    assert file.stat().st_mode & 0o777 == 0o600
    assert names_in(file.parent) == ["apps.yml"]


async def test_a_link_stays_one(folder: FolderBook, file: Path, tmp_path: Path) -> None:
    """What it points to is written."""
    real = file.rename(tmp_path / "apps.yml")
    file.symlink_to(real)
    await _write(folder)
    assert file.is_symlink()
    assert '{"a": 1}' in real.read_text()


async def test_the_first_of_two_files_is_the_one_that_is_written(folder: FolderBook, file: Path) -> None:
    """The other does not count, and stays."""
    second = file.with_name("b.yaml")
    second.write_text(MANIFEST)
    await _write(folder)
    assert second.read_text() == MANIFEST
    assert (await folder.list())[SERVICE_REGISTRY].data == {"other": "x", "services.json": '{"a": 1}\n'}


async def test_a_new_document_goes_into_a_file_of_its_name_behind_what_that_holds(
    folder: FolderBook, tmp_path: Path
) -> None:
    """People keep several in one."""
    file = tmp_path / "registry" / "service-registry.yaml"
    file.write_text("# mine\nkind: Secret\n")
    await folder.write(SERVICE_REGISTRY, {"services.json": "{}"}, None)
    assert file.read_text().startswith("# mine\nkind: Secret\n---\napiVersion: v1\nkind: ConfigMap\n")
    assert (await folder.list())[SERVICE_REGISTRY].data == {"services.json": "{}\n"}


async def test_a_manifest_that_cannot_be_edited_safely_is_refused_with_the_command_that_opens_it(
    folder: FolderBook, file: Path
) -> None:
    """And stays as it is."""
    text = MANIFEST.replace("|  # ours\n    {}", "&x '{}'\n  alias: *x")
    file.write_text(text)
    with pytest.raises(EditRefused, match=r"edit it by hand: .*vi.* .*apps.yml"):
        await _write(folder)
    assert file.read_text() == text


@pytest.mark.parametrize("broken", ["kind: [", "kind: ConfigMap\nmetadata: {name: service-registry}\ndata: [x]\n"])
async def test_a_document_that_may_be_in_a_broken_file_is_not_made(
    folder: FolderBook, tmp_path: Path, broken: str
) -> None:
    """Somebody is writing it just now, perhaps."""
    (tmp_path / "registry" / "a.yaml").write_text(broken)
    with pytest.raises(Conflict):
        await folder.write(
            SERVICE_REGISTRY, {"services.json": "{}"}, (await folder.list())[SERVICE_REGISTRY].resource_version
        )
    assert names_in(tmp_path / "registry") == ["a.yaml"]


async def test_a_folder_that_may_not_be_written_says_so(folder: FolderBook, file: Path) -> None:
    """A person must act; it can still be read."""
    with immutable(file.parent):
        with pytest.raises(AccessDenied, match=r"cannot be written: .*; run as its owner, or with sudo"):
            await _write(folder)
        with pytest.raises(AccessDenied):
            await folder.write_record(lambda _: "x")
        assert await folder.read_record() is None
    assert file.read_text() == MANIFEST


async def test_a_record_that_cannot_be_read_says_so(folder: FolderBook, tmp_path: Path) -> None:
    """Here it is a folder."""
    (tmp_path / "registry" / RECORD_FILE).mkdir()
    with pytest.raises(SourceUnavailable, match="cannot be read: Is a directory"):
        await folder.read_record()


async def test_the_record_is_a_file_that_no_source_takes_for_a_manifest(folder: FolderBook, tmp_path: Path) -> None:
    """And a broken one is only text."""
    await folder.write_record(lambda _: "x")
    (tmp_path / "registry" / RECORD_FILE).write_bytes(b"\xff")
    assert await folder.read_record() == "\ufffd"
    assert {document.data for document in (await folder.list()).values()} == {None}


async def test_writers_wait_for_each_other(folder: FolderBook, file: Path) -> None:
    """Whoever holds the folder is done in a moment."""
    fd = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    writing = asyncio.create_task(_write(folder))
    reading = await folder.list()  # a reader waits for nobody
    assert reading[SERVICE_REGISTRY].data is not None
    assert not writing.done()
    os.close(fd)
    await writing
    assert '{"a": 1}' in file.read_text()


def test_a_writer_that_never_ends_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    """Every wait has a limit."""
    with locked(tmp_path), pytest.raises(OSError, match="another writer holds it") as caught, locked(tmp_path, 0.05):
        pass
    assert caught.value.errno == errno.ETIMEDOUT
    with locked(tmp_path, 0.05):
        pass


async def test_a_persons_edit_between_our_reading_and_our_writing_is_a_conflict(folder: FolderBook, file: Path) -> None:
    """People's editors know nothing of the lock. The pipe holds our reading where it is until the edit is made."""
    version = (await folder.list())[SERVICE_REGISTRY].resource_version
    pipe = file.with_name("z.yaml")
    os.mkfifo(pipe)

    def edit() -> None:
        with pipe.open("wb"):  # open as soon as somebody reads it
            file.write_text(MANIFEST.replace("{}", '{"by": "hand"}'))

    editing = asyncio.create_task(asyncio.to_thread(edit))
    with pytest.raises(Conflict):
        await folder.write(SERVICE_REGISTRY, {"services.json": '{"a": 1}'}, version)
    await editing
    assert '{"by": "hand"}' in file.read_text()


async def test_readers_never_see_half_a_file(folder: FolderBook, file: Path) -> None:
    """While it is written again and again."""
    done, seen = threading.Event(), set()

    def read() -> None:
        while not done.is_set():
            seen.add(file.read_text().count("---\nkind: Secret\n"))

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(30):
        await _write(folder, '{"a": "%s"}' % ("x" * i * 1000))
    done.set()
    reader.join()
    assert seen == {1}


async def test_a_save_in_the_last_moment_is_not_written_over(tmp_path: Path) -> None:
    """An editor knows nothing of our lock: what it saves while our file is made stands, and the edit begins anew."""

    def save() -> None:
        raise Conflict("saved by somebody else")

    file = tmp_path / "registry.yaml"
    await asyncio.to_thread(file.write_bytes, b"theirs")
    with pytest.raises(Conflict):
        await asyncio.to_thread(partial(write_atomic, file, b"ours", last_look=save))
    assert await asyncio.to_thread(file.read_bytes) == b"theirs"
    assert [each.name for each in await asyncio.to_thread(lambda: list(tmp_path.iterdir()))] == ["registry.yaml"]
