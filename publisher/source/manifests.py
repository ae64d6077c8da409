"""Read a folder of ConfigMap manifests. Blocking: call it from a thread. Writes nothing, watches nothing."""

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml

from common.errors import SourceUnavailable
from publisher.source.document import DOCUMENTS, ROUTECAST, Document

_SUFFIXES = {".yaml", ".yml"}
_LARGEST = 16 * 1024 * 1024
"""Larger files are not read, in bytes: all four ConfigMaps together are at most 4 MiB."""

Fingerprint = tuple[object, ...]


@dataclass(slots=True)
class _Folder:
    """What was found in the files so far."""

    path: Path
    namespace: str
    documents: dict[str, Document] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def read_folder(path: Path, namespace: str) -> dict[str, Document]:
    """Return all documents by name, from the files ``*.yaml`` and ``*.yml`` in the folder, by file name.

    Of one ConfigMap in two places the first counts. As long as a file is broken, a document that is in no other file
    is unreadable, not missing.

    Raises:
        SourceUnavailable: the folder is not there, or may not be read.

    """
    folder = _Folder(path, namespace)
    for file in _files(path):
        _read_file(file, folder)
    for name in DOCUMENTS:
        if name not in folder.documents:
            why = "; ".join(folder.broken) or None
            edit = _edit(path / f"{name}.yaml")
            folder.documents[name] = Document(name, None, why=why, edit=edit, routecast=_routecast(path))
    return folder.documents


def fingerprint(path: Path) -> Fingerprint:
    """Return what changes when anything in the folder does, or when the folder is another one.

    Raises:
        SourceUnavailable: the folder is not there, or may not be read.

    """
    try:
        here = path.stat()
    except OSError as e:
        raise _unavailable(path, e) from e
    return (here.st_dev, here.st_ino), *((file.name, *_stat(file)) for file in _files(path))


def _files(path: Path) -> list[Path]:
    """Return the manifests by name; editors' and Kubernetes' own files begin with a dot or end in something else."""
    try:
        return sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and not file.name.startswith("."))
    except OSError as e:
        raise _unavailable(path, e) from e


def _stat(file: Path) -> tuple[int, ...]:
    try:
        stat = file.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _unavailable(path: Path, error: OSError) -> SourceUnavailable:
    return SourceUnavailable(f"the registry's folder {path} cannot be read: {error.strerror}")


def _read_file(file: Path, folder: _Folder) -> None:
    """Add the documents of a file; a fault in it ends it there."""
    try:
        if file.is_dir():
            return
        changed_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            folder.broken.append(f"{file.name}: is larger than {_LARGEST} bytes")
            return
        for manifest in yaml.load_all(content, Loader=yaml.CSafeLoader):
            for config_map in _config_maps(manifest, folder.namespace):
                _add(config_map, file, changed_at, folder)
    except OSError as e:
        folder.broken.append(f"{file.name}: {e.strerror}")
    except yaml.YAMLError as e:
        folder.broken.append(f"{file.name}{_line(e)}: {_what(e)}")
    except (ValueError, RecursionError) as e:
        folder.broken.append(f"{file.name}: {e}")


def _config_maps(manifest: Any, namespace: str) -> Iterator[dict[str, Any]]:
    """Yield the registry's ConfigMaps of a YAML document; ``kubectl get -o yaml`` of several makes a List."""
    if not isinstance(manifest, dict):
        return
    if str(manifest.get("kind")).endswith("List") and isinstance(manifest.get("items"), list):
        for item in manifest["items"]:
            yield from _config_maps(item, namespace)
    metadata = manifest.get("metadata")
    if manifest.get("kind") != "ConfigMap" or not isinstance(metadata, dict):
        return
    if metadata.get("name") in DOCUMENTS and metadata.get("namespace") in {None, "", namespace}:
        yield manifest


def _add(config_map: dict[str, Any], file: Path, changed_at: datetime, folder: _Folder) -> None:
    name = config_map["metadata"]["name"]
    first = folder.documents.get(name)
    if first is not None:
        note = f"is in {file.name} too, which is not used: the first file by name counts ({first.changed_by})"
        folder.documents[name] = _noted(first, note)
        return
    data, why, notes = _data(config_map.get("data"))
    folder.documents[name] = Document(
        name,
        data,
        why=why if why is None else f"{file.name}: {why}",
        resource_version=_short_hash(data),
        changed_by=file.name,
        changed_at=changed_at.replace(microsecond=changed_at.microsecond // 1000 * 1000),
        edit=_edit(file),
        routecast=_routecast(folder.path),
        notes=notes,
    )


def _data(data: Any) -> tuple[dict[str, str] | None, str | None, tuple[str, ...]]:
    """Return the texts of a ConfigMap's data, why there are none, and what was odd about them.

    A value that is no text is left out, as Kubernetes would refuse it: the key is missing then, never empty.
    """
    if data is None:
        return {}, None, ()
    if not isinstance(data, dict):
        return None, "data must be a mapping of keys to texts", ()
    odd = [str(key) for key, value in data.items() if not isinstance(key, str) or not isinstance(value, str)]
    texts = {key: value for key, value in data.items() if isinstance(key, str) and isinstance(value, str)}
    return texts, None, tuple(f"the value of {key} is not a text, so it is not read: put it in quotes" for key in odd)


def _noted(document: Document, note: str) -> Document:
    return replace(document, notes=(*document.notes, note))


def _short_hash(data: dict[str, str] | None) -> str:
    content = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:12]


def _edit(file: Path) -> str:
    return f"${{EDITOR:-vi}} {shlex.quote(str(file))}"


def _routecast(folder: Path) -> str:
    return f"{ROUTECAST} --registry-dir {shlex.quote(str(folder))}"


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark is not None else ""


def _what(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None)
    return str(problem) if problem else str(error).splitlines()[0]
