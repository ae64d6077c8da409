"""What a join token sets in the settings file, and how that is taken out again. What else is there is the owner's."""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from common.errors import ConfigError
from common.files import read_bytes
from common.settings import Settings
from common.settings.edit import Changes, Value, edit_settings
from common.settings.policy import ANY
from common.trust.token import JoinToken
from subscriber.joining.places import AUTHORITY, CREDENTIALS, SETTINGS, Places

OURS = {
    "nats": ("url", "tls", "ca_file", "credentials_file"),
    "subscriber": ("node", "role", "installation", "public_keys"),
    "policy": ("zones",),
}
"""What joining sets, and leaving takes out."""


class _OfTheFile(Settings):
    """Settings as the service has them: this shell's environment is not the service's."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what is given, and nothing else."""
        return (init_settings,)


def read_settings(file: Path) -> Settings:
    """Return the settings of a file alone. Blocking.

    Raises:
        ConfigError: they are not valid, or cannot be read.

    """
    try:
        return _OfTheFile.model_validate(values_of(file))
    except ValidationError as e:
        faults = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in e.errors(include_input=False)]
        raise ConfigError("\n".join([f"the settings in {file} are not valid; mend them first:", *faults])) from e


def values_of(file: Path) -> dict[str, Any]:
    """Return what a settings file says, nothing when there is none. Blocking.

    Raises:
        ConfigError: it is no TOML, or cannot be read.

    """
    try:
        return tomllib.loads((read_bytes(file) or b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{file} is not TOML: {e}") from e
    except OSError as e:
        raise ConfigError(f"{file} cannot be read: {e.strerror}") from e


def changes_for(token: JoinToken, values: Mapping[str, Any]) -> Changes:
    """Return what a token sets in a file with some `values`. Pure.

    On the control plane, whose settings name credentials of its own, how NATS is reached stays as it is: the service
    gets the node's credentials from its unit.
    """
    zones: Value = ANY if token.zones == (ANY,) else token.zones
    changes: dict[str, dict[str, Value]] = {
        "subscriber": {
            "node": token.node,
            "role": token.role.value,
            "installation": token.installation,
            "public_keys": token.public_keys,
        },
        "policy": {"zones": zones},
    }
    named = _section(values, "nats").get("credentials_file")
    if named not in (None, str(CREDENTIALS)):
        return changes
    nats: dict[str, Value] = {"url": token.url, "tls": token.tls, "credentials_file": str(CREDENTIALS)}
    if token.authority is not None:
        nats["ca_file"] = str(AUTHORITY)
    elif _section(values, "nats").get("ca_file") == str(AUTHORITY):  # of an earlier join
        nats["ca_file"] = None
    return {"nats": nats, **changes}


def undoing(before: bytes | None) -> Changes:
    """Return what takes out what joining sets: to what a file said before it, None for what it did not say. Pure."""
    values = tomllib.loads((before or b"").decode())
    return {section: {name: _section(values, section).get(name) for name in names} for section, names in OURS.items()}


def essence(text: str) -> list[str]:
    """Return the lines of a settings file in which something stands, comments included, sorted. Pure."""
    return sorted(line.strip() for line in text.splitlines() if line.strip() and not _is_heading(line))


def digest_of(content: bytes | None) -> str | None:
    """Return what tells one content of the file from another; None for no file. Pure."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def write_settings(token: JoinToken, places: Places) -> bool:
    """Set what a token sets; tell whether anything changed. Blocking.

    Raises:
        ConfigError: the file cannot be read, written or edited.

    """
    file = places.at(SETTINGS)
    return edit_settings(file, changes_for(token, values_of(file)))


def _section(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def _is_heading(line: str) -> bool:
    return line.strip().startswith("[") and line.strip().endswith("]")
