"""What is special of a folder: editors, links, mounts, files that are broken."""

from pathlib import Path

import pytest

from common.errors import AccessDenied, SourceUnavailable
from common.status import SourceState
from publisher.source.directory import DirectorySource
from publisher.source.document import CLUSTER_INFO, DOCUMENTS, SERVICE_REGISTRY
from publisher.source.source import Mark, PublisherState
from tests.publisher.source.watching import watching
from tests.publisher.source.worlds import manifest, replace_file

OLD, NEW = {"k": "old"}, {"k": "new"}
NEVER_S = 3600.0
STATE = PublisherState(installation="i", mark=Mark(epoch=1, version=1, digest="d", counts={}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with one document."""
    path = tmp_path / "registry"
    path.mkdir()
    (path / "services.yaml").write_text(manifest(SERVICE_REGISTRY, OLD))
    return path


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


async def test_files_that_are_no_manifests_are_not_read(folder: Path) -> None:
    """Editors' copies, other kinds, other namespaces, folders, texts."""
    stray = manifest(CLUSTER_INFO, NEW)
    for name in (".cluster.yaml.swp", ".#cluster.yaml", "cluster.yaml~", "#cluster.yaml#", ".cluster.yaml", "c.json"):
        (folder / name).write_text(stray)
    (folder / "sub.yaml").mkdir()
    (folder / "sub.yaml" / "cluster.yaml").write_text(stray)
    (folder / "other.yaml").write_text(manifest(CLUSTER_INFO, NEW, namespace="other"))
    (folder / "kinds.yml").write_text(
        "kind: Service\nmetadata: {name: cluster-info}\n---\n# nothing\n---\n- a list\n---\nkind: ConfigMap\n"
        "---\nkind: ConfigMap\nmetadata: {name: [1]}\n---\nkind: ConfigMap\nmetadata: {name: kube-root-ca.crt}\n"
    )
    listed = await _noticing(folder).list()
    assert {name: document.state for name, document in listed.items() if name != SERVICE_REGISTRY} == dict.fromkeys(
        set(DOCUMENTS) - {SERVICE_REGISTRY}, SourceState.MISSING
    )
    assert listed[SERVICE_REGISTRY].data == OLD


async def test_several_documents_in_one_file_and_lists_of_them_are_read(folder: Path) -> None:
    """As people write them, and as kubectl prints them."""
    (folder / "all.yml").write_text(manifest(CLUSTER_INFO, NEW, namespace="kube-system") + "---\n" + (
        "kind: List\nitems:\n- {kind: ConfigMap, metadata: {name: domain-registry}, data: {k: v}}\n- 5\n"
    ))  # fmt: skip
    listed = await _noticing(folder).list()
    assert listed[CLUSTER_INFO].data == NEW
    assert listed["domain-registry"].data == {"k": "v"}
    assert listed[CLUSTER_INFO].changed_by == "all.yml"
    assert listed[CLUSTER_INFO].edit == f"${{EDITOR:-vi}} {folder}/all.yml"


async def test_a_broken_file_makes_what_is_nowhere_else_unreadable(folder: Path) -> None:
    """Unreadable, not missing, with file and line; what stands before the fault is read."""
    (folder / "broken.yaml").write_text(manifest(CLUSTER_INFO, NEW) + "---\nkind: ConfigMap\ndata: [\n\nx: {")
    listed = await _noticing(folder).list()
    assert listed[SERVICE_REGISTRY].data == OLD
    assert listed[CLUSTER_INFO].data == NEW
    document = listed["domain-registry"]
    assert document.state is SourceState.UNREADABLE
    assert document.why is not None
    assert document.why.startswith("broken.yaml, line ")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe\xff", "a.yaml"),
        (b"kind: \x00", "a.yaml"),
        (b"a: 2025-13-45", "a.yaml: month must be in 1..12"),
        (b"x" * (16 * 1024 * 1024 + 1), "a.yaml: is larger than 16777216 bytes"),
        (b"[" * 5000, "a.yaml"),
    ],
)
async def test_a_file_of_rubbish_is_a_broken_file(folder: Path, content: bytes, why: str) -> None:
    """Whatever is in it; and it disturbs no other file."""
    (folder / "a.yaml").write_bytes(content)
    listed = await _noticing(folder).list()
    assert listed[SERVICE_REGISTRY].data == OLD
    assert (listed[CLUSTER_INFO].why or "").startswith(why)


async def test_a_link_to_nowhere_is_a_broken_file(folder: Path) -> None:
    """It may point somewhere again in a moment."""
    (folder / "cluster.yaml").symlink_to("nowhere")
    assert (await _noticing(folder).list())[CLUSTER_INFO].why == "cluster.yaml: No such file or directory"


async def test_of_one_configmap_in_two_files_the_first_counts(folder: Path) -> None:
    """By file name; and the source says so."""
    (folder / "z.yaml").write_text(manifest(SERVICE_REGISTRY, NEW) + "---\n" + manifest(SERVICE_REGISTRY, NEW))
    document = (await _noticing(folder).list())[SERVICE_REGISTRY]
    assert document.data == OLD
    assert document.notes == (
        "is in z.yaml too, which is not used: the first file by name counts (services.yaml)",
        "is in z.yaml too, which is not used: the first file by name counts (services.yaml)",
    )


async def test_a_value_that_is_no_text_is_not_read(folder: Path) -> None:
    """Kubernetes would refuse it; it must not become something else silently."""
    (folder / "cluster.yaml").write_text(
        "kind: ConfigMap\nmetadata: {name: cluster-info}\ndata: {cluster-domain: mycloud, cluster-name: 5, 7: x}\n"
    )
    document = (await _noticing(folder).list())[CLUSTER_INFO]
    assert document.data == {"cluster-domain": "mycloud"}
    assert [note.split(" is not a text")[0] for note in document.notes] == [
        "the value of cluster-name",
        "the value of 7",
    ]


@pytest.mark.parametrize(("data", "expected"), [("", {}), ("data: null", {}), ("data: [1]", None), ("data: x", None)])
async def test_data_that_is_no_mapping_is_unreadable(folder: Path, data: str, expected: object) -> None:
    """None at all is a ConfigMap without keys."""
    (folder / "cluster.yaml").write_text(f"kind: ConfigMap\nmetadata: {{name: cluster-info}}\n{data}\n")
    document = (await _noticing(folder).list())[CLUSTER_INFO]
    assert document.data == expected
    assert (document.why is None) is (expected is not None)


async def test_a_file_that_is_touched_has_the_same_resource_version(folder: Path) -> None:
    """It names the content."""
    before = (await _noticing(folder).list())[SERVICE_REGISTRY]
    (folder / "services.yaml").rename(folder / "b.yaml")
    after = (await _noticing(folder).list())[SERVICE_REGISTRY]
    assert before.resource_version == after.resource_version
    (folder / "b.yaml").write_text(manifest(SERVICE_REGISTRY, NEW))
    assert (await _noticing(folder).list())[SERVICE_REGISTRY].resource_version != before.resource_version


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
