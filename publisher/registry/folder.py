"""The editor's side of a folder of manifests: one writer at a time, each file replaced whole."""

import asyncio
import errno
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from common.errors import AccessDenied, EditRefused, SourceUnavailable
from common.files import read_bytes, write_atomic
from publisher.registry.splice import NewManifest, new_manifest, splice
from publisher.source.document import Document
from publisher.source.folder_lock import locked
from publisher.source.manifests import Fingerprint, fingerprint, read_folder
from publisher.source.source import Conflict

RECORD_FILE = ".routecast-edits.json"
TRUST_FILE = ".routecast-trust.json"


class FolderBook:
    """A folder of manifests. Everything blocking runs in threads."""

    def __init__(self, path: Path, namespace: str) -> None:
        self._path = path
        self._namespace = namespace

    async def list(self) -> dict[str, Document]:
        """Return all documents by name.

        Raises:
            SourceUnavailable: the folder is not there, or may not be read.

        """
        return await asyncio.to_thread(read_folder, self._path, self._namespace)

    async def write(self, name: str, data: Mapping[str, str | None], expected: str | None) -> str:
        """Write keys of a document that is still at `expected`, in the file that it stands in; None: make it.

        Raises:
            Conflict: it was edited, made or deleted in between.
            SourceUnavailable: the file cannot be written now.
            AccessDenied: it may not be written.
            EditRefused: it is written in a way that cannot be edited safely by a program.

        """
        return await asyncio.to_thread(self._write, name, data, expected)

    async def read_record(self) -> str | None:
        """Return the text of the record of edits, None when there is none.

        Raises:
            SourceUnavailable: it cannot be read.
            AccessDenied: it may not be read.

        """
        return await asyncio.to_thread(self._read, RECORD_FILE)

    async def write_record(self, change: Callable[[str | None], str]) -> None:
        """Replace the record's text by what `change` makes of it.

        Raises:
            SourceUnavailable: it cannot be written.
            AccessDenied: it may not be written.

        """
        await asyncio.to_thread(self._change, RECORD_FILE, change)

    async def read_trust(self) -> str | None:
        """Return the text of the record of the nodes' keys, None when there is none.

        Raises:
            SourceUnavailable: it cannot be read.
            AccessDenied: it may not be read.

        """
        return await asyncio.to_thread(self._read, TRUST_FILE)

    async def write_trust(self, change: Callable[[str | None], str]) -> None:
        """Replace the text of the record of the nodes' keys by what `change` makes of it.

        Raises:
            SourceUnavailable: it cannot be written.
            AccessDenied: it may not be written.

        """
        await asyncio.to_thread(self._change, TRUST_FILE, change)

    async def may_write(self, name: str) -> bool:  # noqa: ARG002 - one folder holds them all
        """Tell whether files of the folder can be replaced."""
        return await asyncio.to_thread(os.access, self._path, os.W_OK | os.X_OK)

    def _write(self, name: str, data: Mapping[str, str | None], expected: str | None) -> str:
        conflict = Conflict(f"{name} was edited by somebody else in between")
        try:
            with locked(self._path):
                seen = fingerprint(self._path)
                document = read_folder(self._path, self._namespace)[name]
                if document.resource_version != expected or document.why is not None:
                    raise conflict
                file, content = self._edited(document, data)
                write_atomic(file, content, last_look=partial(self._look_again, seen, conflict))
                written = read_folder(self._path, self._namespace)[name]
        except OSError as e:
            raise _refused(self._path, "written", e) from e
        return written.resource_version or ""

    def _look_again(self, seen: Fingerprint, conflict: Conflict) -> None:
        """Raise `conflict` when the folder changed since it was `seen`: people's editors know nothing of the lock."""
        if fingerprint(self._path) != seen:
            raise conflict

    def _edited(self, document: Document, data: Mapping[str, str | None]) -> tuple[Path, bytes]:
        """Return the file that a document stands in, or is to be made in, and its new content."""
        if document.data is None:
            file = self._path / f"{document.name}.yaml"
            manifest = NewManifest(document.name, self._namespace, {k: v for k, v in data.items() if v is not None})
            return file, new_manifest(read_bytes(file) or b"", manifest)
        file = self._path / str(document.changed_by)
        try:
            return file, splice(read_bytes(file) or b"", document.name, self._namespace, data)
        except EditRefused as e:
            raise EditRefused(f"{e}: {document.edit}") from e

    def _read(self, name: str) -> str | None:
        try:
            content = read_bytes(self._path / name)
        except OSError as e:
            raise _refused(self._path, "read", e) from e
        return None if content is None else content.decode(errors="replace")

    def _change(self, name: str, change: Callable[[str | None], str]) -> None:
        try:
            with locked(self._path):
                write_atomic(self._path / name, change(self._read(name)).encode())
        except OSError as e:
            raise _refused(self._path, "written", e) from e


def _refused(folder: Path, what: str, error: OSError) -> SourceUnavailable | AccessDenied:
    message = f"the registry's folder {folder} cannot be {what}: {error.strerror}"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return AccessDenied(f"{message}; run as its owner, or with sudo")
    return SourceUnavailable(message)
