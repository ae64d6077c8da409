"""Eight processes edit one registry at once, while others write beside them: all that was written is there."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio import client

from common.settings.publisher import PublisherSettings
from publisher.registry.book import open_book
from publisher.registry.difference import Content, Kind, content_of
from publisher.registry.layout import same
from publisher.registry.record import KEPT, lost_edits, read_record
from publisher.source.document import DOCUMENTS
from tests.fakes.cluster import connect
from tests.fakes.kubectl import Kubectl
from tests.fakes.kubernetes import FakeKubernetes
from tests.features.crowd.edits import EACH, WORKERS, beginning, edits_of
from tests.features.crowd.others import Written, by_api, by_hand, by_kubectl, manifest, marks, meanwhile
from tests.publisher.pipeline.parsing import documents

ROOT = Path(__file__).parents[2]
LIMIT_S = 100.0


async def test_on_a_cluster(tmp_path: Path) -> None:
    """240 edits, and between them patches and replacements through the API, and kubectl where it is installed."""
    async with FakeKubernetes() as api:
        for name, data in beginning().items():
            api.put_config_map(name, data)
        kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
        others = {"kubectl": by_kubectl(Kubectl(kubeconfig, tmp_path))} if shutil.which("kubectl") else {}
        async with await connect(kubeconfig) as connected:
            others["api"] = by_api(client.CoreV1Api(connected))
            async with meanwhile(*others.values()) as left:
                conflicts = await run_crowd(kubeconfig)
        assert conflicts > WORKERS, "they were in each other's way"
        await check_registry(PublisherSettings(kubeconfig=kubeconfig))
        check_others(dict(zip(others, left, strict=True)), {name: api.document(name) for name in DOCUMENTS})


async def test_in_a_folder(tmp_path: Path) -> None:
    """240 edits, and between them somebody who writes the same files under the folder's lock; comments stay too."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for name, data in beginning().items():
        (folder / f"{name}.yaml").write_text(manifest(name, data))
    async with meanwhile(by_hand(folder)) as left:
        conflicts = await run_crowd(folder)
    assert conflicts > WORKERS, "they were in each other's way"
    await check_registry(PublisherSettings(registry_dir=folder))
    texts = {name: (folder / f"{name}.yaml").read_text() for name in DOCUMENTS}
    check_others({"person": left[0]}, {name: yaml.safe_load(text) for name, text in texts.items()})
    for name, data in beginning().items():
        comments = [line.partition("#")[2] for line in manifest(name, data).splitlines() if "#" in line]
        assert [line.partition("#")[2] for line in texts[name].splitlines() if "#" in line] == comments
    assert {file.name for file in folder.iterdir() if file.suffix == ".yaml"} == {
        "mine.yaml",
        *(f"{name}.yaml" for name in DOCUMENTS),
    }


async def run_crowd(place: Path) -> int:
    """Have all workers edit at once; return how often somebody was faster than one of them."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.features.crowd.process", str(place)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            printed, errors = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()  # to the end of its pipes, or they are left open
    assert process.returncode == 0, errors.decode()
    assert not errors, errors.decode()
    return int(printed)


async def check_registry(settings: PublisherSettings) -> None:
    """See that the registry is what it was, with every edit made, and that no edit is said to be overwritten."""
    async with open_book(settings) as book:
        found, edits = await book.list(), read_record(await book.read_record())
    content = {at: fields for at, fields in content_of(found).items() if at[0] is not Kind.CLUSTER}
    assert differing(wanted(beginning()), content) == {}
    assert lost_edits(found, edits) == ()
    assert len({edit.command for edit in edits}) == len(edits) == KEPT, "the newest edits are remembered, each once"
    assert {edit.by for edit in edits} == {f"worker {number}" for number in range(WORKERS)}


def wanted(texts: dict[str, dict[str, str]]) -> Content:
    """Return all entries as the edits want them; those that nobody edits stay as they were.

    The plain keys of `cluster-info` are not among them: nobody edits them, and others put more there.
    """
    edits = [made for number in range(WORKERS) for made in edits_of(number)]
    assert len(edits) == WORKERS * EACH == 240
    before = content_of(documents({**texts}))
    content: dict[Any, Any] = {at: fields for at, fields in before.items() if at[0] is not Kind.CLUSTER}
    for made in edits:
        for at, fields in made.gives.items():
            content[at] = None if fields is None else {**content.get(at, {}), **fields}
    return {at: fields for at, fields in content.items() if fields is not None}


def differing(one: Content, other: Content) -> dict[Any, Any]:
    """Return the entries that are not the same, in both forms."""
    ats = one.keys() | other.keys()
    return {at: (one.get(at), other.get(at)) for at in ats if not same(one.get(at), other.get(at))}


def check_others(left: Mapping[str, Written], config_maps: Mapping[str, Mapping[str, Any]]) -> None:
    """See that keys, labels and annotations of others are as each of them left them, and that there are no more."""
    for name, config_map in config_maps.items():
        numbers = {who: written[name] for who, written in left.items() if name in written}
        keys = {*beginning()[name], *numbers}
        assert config_map["data"].keys() == keys
        assert {who: config_map["data"][who] for who in numbers} == {who: str(n) for who, n in numbers.items()}
        for field in ("labels", "annotations"):
            expected: dict[str, str] = {}
            for who, number in numbers.items():
                expected |= marks(who, number)[field]
            assert config_map["metadata"].get(field, {}) == expected
