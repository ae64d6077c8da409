"""The seeds that say who may connect to NATS: made once, kept on the control plane alone."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import orjson

from common.errors import ConfigError
from common.files import write_atomic
from common.trust.nkeys import KeyPair, Owner

FILE = "nats-keys.json"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key pair that NATS' operator mode needs; a public key of it names its account."""

    operator: KeyPair
    system: KeyPair
    core: KeyPair
    nodes: KeyPair
    node_scope: KeyPair
    """Signs the tokens of nodes: whatever it signs has a node's rights, and no more."""
    join_scope: KeyPair
    """Signs the tokens of machines that are about to join."""

    @classmethod
    def new(cls) -> Self:
        """Make all of them."""
        return cls(**{field.name: KeyPair.new(_owner(field.name)) for field in fields(cls)})

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Return the keys in a directory.

        Raises:
            ConfigError: there are none, they are damaged, or everybody can read them.

        """
        file = directory / FILE
        try:
            if file.stat().st_mode & 0o007:
                raise ConfigError(f"the keys {file} can be read by everybody; run: chmod 600 {file}")
            seeds = orjson.loads(file.read_bytes())
            return cls(**{field.name: KeyPair.of(seeds[field.name], _owner(field.name)) for field in fields(cls)})
        except FileNotFoundError as e:
            raise ConfigError(f"there are no keys in {directory}; make them with: sudo routecast init") from e
        except OSError as e:
            raise ConfigError(f"{file} cannot be read ({e.strerror}); run as its owner, or with sudo") from e
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise ConfigError(f"{file} is damaged: put back your copy of it") from e

    def write(self, directory: Path) -> None:
        """Keep the keys in a directory, readable by its owner alone.

        Raises:
            OSError: they could not be written.

        """
        seeds = {field.name: getattr(self, field.name).seed for field in fields(self)}
        write_atomic(directory / FILE, orjson.dumps(seeds, option=orjson.OPT_INDENT_2) + b"\n", mode=0o600)


def _owner(name: str) -> Owner:
    return Owner.OPERATOR if name == "operator" else Owner.ACCOUNT
