from pathlib import Path

import pytest

from common.status import SourceState
from publisher.source.document import CLUSTER_INFO, DOCUMENTS, SERVICE_REGISTRY
from publisher.source.manifests import read_folder
from tests.publisher.source.worlds import OLD, manifest

NEW = {"k": "new"}


def test_files_that_are_no_manifests_are_not_read(folder: Path) -> None:
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
    listed = read_folder(folder, "kube-system")
    assert {name: document.state for name, document in listed.items() if name != SERVICE_REGISTRY} == dict.fromkeys(
        set(DOCUMENTS) - {SERVICE_REGISTRY}, SourceState.MISSING
    )
    assert listed[SERVICE_REGISTRY].data == OLD


def test_several_documents_in_one_file_and_lists_of_them_are_read(folder: Path) -> None:
    """As people write them, and as kubectl prints them."""
    (folder / "all.yml").write_text(manifest(CLUSTER_INFO, NEW, namespace="kube-system") + "---\n" + (
        "kind: List\nitems:\n- {kind: ConfigMap, metadata: {name: domain-registry}, data: {k: v}}\n- 5\n"
    ))  # fmt: skip
    listed = read_folder(folder, "kube-system")
    assert listed[CLUSTER_INFO].data == NEW
    assert listed["domain-registry"].data == {"k": "v"}
    assert listed[CLUSTER_INFO].changed_by == "all.yml"
    assert listed[CLUSTER_INFO].edit == f"${{EDITOR:-vi}} {folder}/all.yml"


def test_a_broken_file_makes_what_is_nowhere_else_unreadable(folder: Path) -> None:
    """Unreadable, not missing, with file and line; what stands before the fault is read."""
    (folder / "broken.yaml").write_text(manifest(CLUSTER_INFO, NEW) + "---\nkind: ConfigMap\ndata: [\n\nx: {")
    listed = read_folder(folder, "kube-system")
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
def test_a_file_of_rubbish_is_a_broken_file(folder: Path, content: bytes, why: str) -> None:
    """Whatever is in it; and it disturbs no other file."""
    (folder / "a.yaml").write_bytes(content)
    listed = read_folder(folder, "kube-system")
    assert listed[SERVICE_REGISTRY].data == OLD
    assert (listed[CLUSTER_INFO].why or "").startswith(why)


def test_a_link_to_nowhere_is_a_broken_file(folder: Path) -> None:
    """It may point somewhere again in a moment."""
    (folder / "cluster.yaml").symlink_to("nowhere")
    assert read_folder(folder, "kube-system")[CLUSTER_INFO].why == "cluster.yaml: No such file or directory"


def test_of_one_configmap_in_two_files_the_first_counts(folder: Path) -> None:
    """By file name; and the source says so."""
    (folder / "z.yaml").write_text(manifest(SERVICE_REGISTRY, NEW) + "---\n" + manifest(SERVICE_REGISTRY, NEW))
    document = read_folder(folder, "kube-system")[SERVICE_REGISTRY]
    assert document.data == OLD
    assert document.notes == (
        "is in z.yaml too, which is not used: the first file by name counts (services.yaml)",
        "is in z.yaml too, which is not used: the first file by name counts (services.yaml)",
    )


def test_a_value_that_is_no_text_is_not_read(folder: Path) -> None:
    """Kubernetes would refuse it; it must not become something else silently."""
    (folder / "cluster.yaml").write_text(
        "kind: ConfigMap\nmetadata: {name: cluster-info}\ndata: {cluster-domain: mycloud, cluster-name: 5, 7: x}\n"
    )
    document = read_folder(folder, "kube-system")[CLUSTER_INFO]
    assert document.data == {"cluster-domain": "mycloud"}
    assert [note.split(" is not a text")[0] for note in document.notes] == [
        "the value of cluster-name",
        "the value of 7",
    ]


@pytest.mark.parametrize(("data", "expected"), [("", {}), ("data: null", {}), ("data: [1]", None), ("data: x", None)])
def test_data_that_is_no_mapping_is_unreadable(folder: Path, data: str, expected: object) -> None:
    """None at all is a ConfigMap without keys."""
    (folder / "cluster.yaml").write_text(f"kind: ConfigMap\nmetadata: {{name: cluster-info}}\n{data}\n")
    document = read_folder(folder, "kube-system")[CLUSTER_INFO]
    assert document.data == expected
    assert (document.why is None) is (expected is not None)


def test_a_file_that_is_touched_has_the_same_resource_version(folder: Path) -> None:
    """It names the content."""
    before = read_folder(folder, "kube-system")[SERVICE_REGISTRY]
    (folder / "services.yaml").rename(folder / "b.yaml")
    after = read_folder(folder, "kube-system")[SERVICE_REGISTRY]
    assert before.resource_version == after.resource_version
    (folder / "b.yaml").write_text(manifest(SERVICE_REGISTRY, NEW))
    assert read_folder(folder, "kube-system")[SERVICE_REGISTRY].resource_version != before.resource_version
