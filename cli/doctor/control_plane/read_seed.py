"""Look at the signing seed of this machine."""

import os
from functools import partial
from pathlib import Path

from cli.doctor.attempt import Fault, attempt
from cli.doctor.beside import beside
from cli.doctor.control_plane.snapshot import SeedSeen
from common.errors import ConfigError
from common.settings.publisher import PublisherSettings
from common.signing import read_seed

_EVERYBODY = 0o007


async def read_seed_of(settings: PublisherSettings) -> SeedSeen:
    """Return what is where the settings say, the seed itself never; never raises."""
    path = settings.signing_seed_file
    seen = await attempt("the signing seed", beside(partial(_look, path)))
    return SeedSeen(str(path), seen) if isinstance(seen, Fault) else seen


def _look(path: Path) -> SeedSeen:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return SeedSeen(str(path), None)
    except OSError:
        return SeedSeen(str(path), None, hidden=True)
    if not os.access(path, os.R_OK):
        return SeedSeen(str(path), None, hidden=True)
    try:
        return SeedSeen(str(path), read_seed(path).public_key)
    except ConfigError as e:
        return SeedSeen(str(path), Fault(e), exposed=bool(mode & _EVERYBODY))
