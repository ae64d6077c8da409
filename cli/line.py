"""What stands on the command line before the command, and the settings that follow from it."""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import ConfigError

if TYPE_CHECKING:  # `routecast --help` needs no settings, and pydantic is slow to import
    from common.settings import Settings


@dataclass(frozen=True)
class CommandLine:
    """The global options. Settings are read at first use, once a command."""

    config: Path | None = None
    registry_dir: Path | None = None
    verbose: bool = False

    @cached_property
    def settings(self) -> "Settings":
        """The settings of a command that asks and ends: it logs warnings only, everything with ``--verbose``.

        Raises:
            ConfigError: they are not valid.

        """
        return self.settings_with()

    def settings_with(self, **overrides: dict[str, Any]) -> "Settings":
        """Return the settings with sections from the command's own options, as ``publisher={"http_port": 0}``."""
        settings = self._load(overrides)
        self._log(settings, "debug" if self.verbose else "warning")
        if not self.verbose:
            logging.getLogger().setLevel(logging.ERROR)  # a library's warning would stand beside our one line
        return settings

    def service_settings(self, **overrides: dict[str, Any]) -> "Settings":
        """Return the settings of a service: it logs as they say, everything with ``--verbose``."""
        settings = self._load(overrides)
        self._log(settings, "debug" if self.verbose else settings.log.level)
        return settings

    def registry_settings(self, registry_dir: Path | None, *, cluster: bool) -> "Settings":
        """Return the settings with the source of the registry that the options name.

        Raises:
            ConfigError: the options contradict each other.

        """
        registry_dir = registry_dir or self.registry_dir
        if cluster and registry_dir is not None:
            raise ConfigError("--cluster and --registry-dir name two sources; give one")
        if cluster or registry_dir is not None:
            return self.settings_with(publisher={"registry_dir": registry_dir})
        return self.settings

    def _load(self, overrides: dict[str, dict[str, Any]]) -> "Settings":
        from common.settings import load  # noqa: PLC0415 - see above

        return load(self.config, **overrides)

    @staticmethod
    def _log(settings: "Settings", level: str) -> None:
        from common import log  # noqa: PLC0415 - see above

        log.set_up(settings.log.model_copy(update={"level": level}))
