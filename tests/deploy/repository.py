"""A copy of this repository, as a reader has one."""

import shutil
from pathlib import Path

from tests.deploy.systemd import ROOT

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", ".coverage*", "__pycache__", "dist")


def copy_repository(folder: Path) -> Path:
    """Copy what belongs to it to a new folder, and return that."""
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    return folder
