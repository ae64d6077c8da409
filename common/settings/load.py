"""Read the settings, once, from file and environment."""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from common.errors import ConfigError
from common.settings.log import LogSettings
from common.settings.nats import NatsSettings
from common.settings.policy import PolicySettings
from common.settings.publisher import PublisherSettings
from common.settings.subscriber import DnsmasqSettings, HostsSettings, SubscriberSettings, TraefikSettings
from common.settings.trust import TrustSettings

DEFAULT_PATH = Path("/etc/routecast/routecast.toml")
ENV_PREFIX = "ROUTECAST_"
CONFIG_VARIABLE = "ROUTECAST_CONFIG"


class Settings(BaseSettings):
    """All sections. The environment goes before the file, the file before the defaults."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="forbid",
    )
    file: ClassVar[Path | None] = None

    nats: NatsSettings = Field(default_factory=NatsSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    publisher: PublisherSettings = Field(default_factory=PublisherSettings)
    subscriber: SubscriberSettings = Field(default_factory=SubscriberSettings)
    hosts: HostsSettings = Field(default_factory=HostsSettings)
    dnsmasq: DnsmasqSettings = Field(default_factory=DnsmasqSettings)
    traefik: TraefikSettings = Field(default_factory=TraefikSettings)
    policy: PolicySettings = Field(default_factory=PolicySettings)
    trust: TrustSettings = Field(default_factory=TrustSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=cls.file)


def load(path: Path | None = None, **overrides: dict[str, Any]) -> Settings:
    """Return the settings of the file at `path`, by default of ``/etc/routecast/routecast.toml`` when that exists.

    `overrides` are sections given on the command line, as ``publisher={"reconcile_every_s": 60}``.

    Raises:
        ConfigError: a named file that is missing, broken TOML, or values that are not valid: all of them at once.

    """
    if path is None and (named := os.environ.get(CONFIG_VARIABLE)):
        path = Path(named)
    file = path or (DEFAULT_PATH if DEFAULT_PATH.exists() else None)
    if file is not None and not file.is_file():
        raise ConfigError(f"the settings file {file} does not exist")
    reader: Any = _reader(file)
    try:
        settings: Settings = reader(**overrides)
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{file} is not TOML: {e}") from e
    except OSError as e:
        raise ConfigError(f"{file} cannot be read: {e.strerror}") from e
    except ValidationError as e:
        raise ConfigError(_all_faults(e, file)) from e
    return settings


@cache
def _reader(file: Path | None) -> type[Settings]:
    """Return the settings that are read from `file`: one class a file, so that two readings can be compared."""
    return type("Settings", (Settings,), {"file": file})


def _all_faults(error: ValidationError, file: Path | None) -> str:
    faults = [
        f"  {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False)
    ]
    return "\n".join([f"settings are not valid ({file or 'no file'}, and {ENV_PREFIX}* in the environment):", *faults])
