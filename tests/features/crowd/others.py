"""Writers that know nothing of routecast, beside the crowd: each writes a key, a label and an annotation of its own."""

import asyncio
import fcntl
import itertools
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from kubernetes.aio.client.exceptions import ApiException

from publisher.source.document import DOCUMENTS
from tests.fakes.kubectl import Kubectl
from tests.publisher.source.worlds import replace_file

NAMESPACE = "kube-system"
_CONFLICT = 409
_PAUSE_S = 0.1

Writer = Callable[[str, int], Awaitable[None]]
"""Writes a number to a ConfigMap."""

Written = dict[str, int]
"""The number that a writer left, by ConfigMap."""


@asynccontextmanager
async def meanwhile(*writers: Writer) -> AsyncIterator[list[Written]]:
    """Have others write while the body runs, all ConfigMaps in turn; yield what each of them wrote last."""
    done = asyncio.Event()

    async def write(writer: Writer, written: Written) -> None:
        for number, name in enumerate(itertools.cycle(DOCUMENTS), start=1):
            if done.is_set():
                return
            await writer(name, number)
            written[name] = number
            await asyncio.sleep(_PAUSE_S)  # who wrote all the time would keep everybody else out

    left: list[Written] = [{} for _ in writers]
    async with asyncio.TaskGroup() as tasks:
        for writer, written in zip(writers, left, strict=True):
            tasks.create_task(write(writer, written))
        try:
            yield left
        finally:
            done.set()


def marks(who: str, number: int) -> dict[str, dict[str, str]]:
    """Return the label and the annotation that somebody leaves."""
    return {"labels": {who: str(number)}, "annotations": {f"example.org/{who}": f"{number} times"}}


def by_api(v1: Any) -> Writer:
    """Return somebody who writes through the API: now a patch, now the whole ConfigMap under its version's lock."""

    async def write(name: str, number: int) -> None:
        if number % 2:
            body = {"metadata": marks("api", number), "data": {"api": str(number)}}
            merge = "application/merge-patch+json"
            await v1.patch_namespaced_config_map(name, NAMESPACE, body, _content_type=merge)
            return
        while not await replace(name, number):
            pass

    async def replace(name: str, number: int) -> bool:
        found = await v1.read_namespaced_config_map(name, NAMESPACE)
        for field, added in marks("api", number).items():
            setattr(found.metadata, field, (getattr(found.metadata, field) or {}) | added)
        found.data["api"] = str(number)
        try:
            await v1.replace_namespaced_config_map(name, NAMESPACE, found)
        except ApiException as e:
            if e.status != _CONFLICT:
                raise
            return False
        return True

    return write


def by_kubectl(kubectl: Kubectl) -> Writer:
    """Return somebody who writes with kubectl: a patch, a label, an annotation."""

    async def write(name: str, number: int) -> None:
        patch = orjson.dumps({"data": {"kubectl": str(number)}}).decode()
        await kubectl("-n", NAMESPACE, "patch", "configmap", name, "--type=merge", "-p", patch)
        for field, verb in (("labels", "label"), ("annotations", "annotate")):
            [(key, value)] = marks("kubectl", number)[field].items()
            await kubectl("-n", NAMESPACE, verb, "--overwrite", "configmap", name, f"{key}={value}")

    return write


def manifest(name: str, data: dict[str, str]) -> str:
    """Return the file of a ConfigMap as a person writes it, with comments, and the marks of the `person` in it."""
    head = f"""\
# kept by hand
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {NAMESPACE}
  labels:
    person: "0"  # counts
  annotations: {{example.org/person: "0 times"}}
data:
  person: "0"
"""
    keys = [f"  {key}: |  # {key} is JSON, or a word\n{_indented(text)}  # below {key}\n" for key, text in data.items()]
    return head + "".join(keys)


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def by_hand(folder: Path) -> Writer:
    """Return somebody who writes files anew as `flock FOLDER sed -i` does, and one of his own without the lock."""

    def write(name: str, number: int) -> None:
        (folder / "mine.yaml").write_text(f"kind: ConfigMap\nmetadata: {{name: mine}}\ndata: {{x: '{number}'}}\n")
        fd = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            file = folder / f"{name}.yaml"
            replace_file(file, re.sub(r'(person: )"\d+', rf'\1"{number}', file.read_text()))
        finally:
            os.close(fd)

    async def in_thread(name: str, number: int) -> None:
        await asyncio.to_thread(write, name, number)

    return in_thread
