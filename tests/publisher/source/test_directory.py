"""What is special of a folder: editors, links, mounts, files that are broken."""

from pathlib import Path

import pytest

from common.errors import AccessDenied, SourceUnavailable
from publisher.source.directory import DirectorySource
from publisher.source.document import CLUSTER_INFO, SERVICE_REGISTRY
from publisher.source.source import Mark, PublisherState
from tests.publisher.source.watching import watching
from tests.publisher.source.worlds import OLD, manifest, replace_file

NEW = {"k": "new"}
NEVER_S = 3600.0
STATE = PublisherState(installation="i", mark=Mark(epoch=1, version=1, digest="d", counts={}))


def _noticing(path: Path) -> DirectorySource:
    """Read a folder that is looked at on a notice only."""
    return DirectorySource(path, "kube-system", NEVER_S, NEVER_S)


def _looking(path: Path) -> DirectorySource:
    """Read a folder that is looked at all the time, as where there are no notices."""
    return DirectorySource(path, "kube-system", NEVER_S, 0.02)


async def test_a_change_is_noticed_from_the_first_event_on(folder: Path) -> None:
    """The watch has begun before the first list: nothing falls between the two."""
    async with watching(_noticing(folder)) as watch:
        await watch.until(lambda: watch.events)
        replace_file(folder / "services.yaml", manifest(SERVICE_REGISTRY, NEW))
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_a_file_that_is_written_in_place_is_noticed(folder: Path) -> None:
    """Many editors, and `kubectl get -o yaml > file`."""
    async with watching(_noticing(folder)) as watch:
        await watch.listed()
        (folder / "services.yaml").write_text(manifest(SERVICE_REGISTRY, NEW))
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_a_save_through_a_backup_file_is_noticed(folder: Path) -> None:
    """As vim does it: the old file is renamed away, the new one written, the backup deleted."""
    async with watching(_noticing(folder)) as watch:
        await watch.listed()
        backup = folder / "services.yaml~"
        (folder / ".services.yaml.swp").write_bytes(b"\0b0VIM")
        (folder / "services.yaml").rename(backup)
        (folder / "services.yaml").write_text(manifest(SERVICE_REGISTRY, NEW))
        backup.unlink()
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_a_mounted_configmap_is_noticed_when_the_kubelet_swaps_it(tmp_path: Path) -> None:
    """The files are links into ``..data``, itself a link that is replaced."""
    folder = tmp_path / "mount"
    for version, data in (("1", OLD), ("2", NEW)):
        (folder / f"..{version}").mkdir(parents=True)
        (folder / f"..{version}" / "services.yaml").write_text(manifest(SERVICE_REGISTRY, data))
    (folder / "..data").symlink_to("..1")
    (folder / "services.yaml").symlink_to("..data/services.yaml")
    async with watching(_noticing(folder)) as watch:
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == OLD)
        (folder / "..data_tmp").symlink_to("..2")
        (folder / "..data_tmp").rename(folder / "..data")
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_a_link_that_is_turned_to_another_folder_is_noticed(tmp_path: Path) -> None:
    """As git-sync does it; changes in the new folder are noticed too."""
    for name, data in (("a", OLD), ("b", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "services.yaml").write_text(manifest(SERVICE_REGISTRY, data))
    link = tmp_path / "current"
    link.symlink_to("a")
    async with watching(_noticing(link)) as watch:
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == OLD)
        (tmp_path / "next").symlink_to("b")
        (tmp_path / "next").rename(link)
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)
        await watch.until(lambda: watch.events)
        replace_file(tmp_path / "b" / "services.yaml", manifest(SERVICE_REGISTRY, {"k": "newest"}))
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == {"k": "newest"})


async def test_a_folder_that_is_put_in_the_place_of_another_is_found(folder: Path) -> None:
    """Without any notice, by looking."""
    other = folder.with_name("other")
    other.mkdir()
    (other / "services.yaml").write_text(manifest(SERVICE_REGISTRY, NEW))
    async with watching(_looking(folder)) as watch:
        await watch.listed()
        folder.rename(folder.with_name("away"))
        other.rename(folder)
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)
        replace_file(folder / "services.yaml", manifest(SERVICE_REGISTRY, {"k": "newest"}))
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == {"k": "newest"})


async def test_a_change_without_a_notice_is_found_by_looking(folder: Path) -> None:
    """A link to a file elsewhere gives none, nor does a network file system."""
    elsewhere = folder.with_name("elsewhere.yaml")
    elsewhere.write_text(manifest(CLUSTER_INFO, OLD))
    (folder / "cluster.yaml").symlink_to(elsewhere)
    async with watching(_looking(folder)) as watch:
        await watch.document(CLUSTER_INFO, lambda document: document.data == OLD)
        elsewhere.write_text(manifest(CLUSTER_INFO, {"k": "a longer one"}))
        await watch.document(CLUSTER_INFO, lambda document: document.data == {"k": "a longer one"})


async def test_the_folder_is_listed_now_and_then_in_any_case(folder: Path) -> None:
    """The last net: what nothing told of is found within ``relist_every_s``."""
    source = DirectorySource(folder, "kube-system", relist_every_s=0.02, look_every_s=0.02)
    async with watching(source) as watch:
        await watch.listed()
        (folder / "services.yaml").write_text(manifest(SERVICE_REGISTRY, NEW))
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_a_file_in_the_folders_place_is_no_folder(tmp_path: Path) -> None:
    """The error says what is wrong with which path."""
    path = tmp_path / "registry.yaml"
    path.write_text("")
    with pytest.raises(SourceUnavailable, match=r"registry\.yaml cannot be read: Not a directory"):
        await _noticing(path).list()


async def test_a_state_that_may_not_be_written_says_so(folder: Path) -> None:
    """A person must act; what is in the way is named."""
    with pytest.raises(AccessDenied, match=r"/sys/kernel/\.routecast-state\.json cannot be written"):
        await _noticing(Path("/sys/kernel")).write_state(STATE)
    (folder / ".routecast-state.json").mkdir()
    with pytest.raises(SourceUnavailable, match="Is a directory"):
        await _noticing(folder).read_state()
