"""Remove the old names as `Remover` does, in a process of its own: ``removing PATH STATE_DIR ZONE``."""

import sys
from pathlib import Path

from common import log
from common.errors import TargetFailed
from common.settings.log import LogSettings
from subscriber.removal import Remover


def main() -> None:
    """Remove; print where the copy is, or the error's code."""
    log.set_up(LogSettings())
    path, state_dir, zone = sys.argv[1:]
    try:
        print(Remover(Path(state_dir)).remove_names(Path(path), zone))  # noqa: T201
    except TargetFailed as e:
        print(e.code)  # noqa: T201


if __name__ == "__main__":
    main()
