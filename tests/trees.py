"""Whole trees of files: any of them made by hypothesis, written, and looked at with bytes, modes and owners."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Tree = Mapping[str, "Entry"]
"""Path below the root -> what is there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file with content, a directory with None, a link with what it points to."""

    mode: int
    content: bytes | None = None
    link: str | None = None
    uid: int = 0
    gid: int = 0


def look(root: Path) -> dict[str, Entry]:
    """Return all that is below a directory."""
    return {str(path.relative_to(root)): _look(path) for path in sorted(root.rglob("*"))}


def _look(path: Path) -> Entry:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return Entry(mode, link=str(path.readlink()), uid=found.st_uid, gid=found.st_gid)
    content = path.read_bytes() if stat.S_ISREG(found.st_mode) else None
    return Entry(mode, content, uid=found.st_uid, gid=found.st_gid)


def write(root: Path, tree: Tree) -> None:
    """Make a tree below an empty directory."""
    for name, entry in sorted(tree.items()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.link is not None:
            path.symlink_to(entry.link)
            continue
        if entry.content is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(entry.content)
        path.chmod(entry.mode)
