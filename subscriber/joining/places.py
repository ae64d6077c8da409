"""Where joining puts things: on this machine, or below the root of another one (an image, a test)."""

from dataclasses import dataclass
from pathlib import Path

from common.errors import ConfigError
from common.settings.load import DEFAULT_PATH

SETTINGS = DEFAULT_PATH
AUTHORITY = SETTINGS.with_name("ca.crt")
CREDENTIALS = SETTINGS.with_name("node.creds")
UNITS = Path("/etc/systemd/system")
STATE = Path("/var/lib/routecast")
RECORD = STATE / "joined.json"
"""What was here before, and as which node this machine has joined."""
PENDING = STATE / "joining.json"
"""The key that was made and asked with, until its credentials are in place."""


@dataclass(frozen=True, slots=True)
class Places:
    """Paths as the machine has them, found below `root`."""

    root: Path = Path("/")

    @property
    def here(self) -> bool:
        """Whether it is this machine, with its systemd and its users."""
        return self.root == Path("/")

    def at(self, path: Path) -> Path:
        """Return where a path of the machine is found. Pure."""
        return path if self.here else self.root / path.relative_to("/")

    def check(self, *paths: Path) -> None:
        """Refuse paths of the machine that are found elsewhere. Blocking.

        Raises:
            ConfigError: symbolic links lead out of the root: what is there is not the machine's.

        """
        for found in map(self.at, paths):
            if not found.resolve().is_relative_to(self.root.resolve()):
                raise ConfigError(f"{found} leads out of {self.root}, by a symbolic link: make it a relative one")
