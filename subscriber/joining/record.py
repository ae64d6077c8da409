"""What is remembered of a join: which node this is, what was here before, and the key while it is asked with. Blocking.

Paths are those of the machine, so an image that was joined in a build can be left where it runs.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationError, field_serializer

from common.errors import ConfigError
from common.files import read_bytes, write_atomic
from common.models import Frozen
from common.settings import Settings
from common.trust.nkeys import KeyPair, Owner
from subscriber.joining.before import Kind, Was, everything_below, make_directory, with_parents
from subscriber.joining.places import AUTHORITY, CREDENTIALS, PENDING, RECORD, SETTINGS, STATE, Places
from subscriber.joining.units import ENABLED, UNIT_FILES

OURS = (SETTINGS, AUTHORITY, CREDENTIALS, *UNIT_FILES, ENABLED)
"""What joining writes."""
FOLLOWED = (SETTINGS, STATE, *sorted({path.parent for path in OURS}))
"""Where a symbolic link is followed; of others the link itself is replaced."""


class JoinRecord(Frozen):
    """As which node this machine has joined, and what was here before."""

    node: str
    installation: str
    token: str | None = None
    """The id of the join token whose credentials are in place; None: not yet."""
    before: dict[str, Was] = Field(repr=False)
    """What was at each path that joining writes, and in the state directory. Directories only if they were absent."""
    empty: tuple[str, ...] = ()
    """Paths that targets write, and that were absent: removed again when nothing is left in them."""
    settings: str | None = None
    """The digest of the settings file as joining left it."""

    @classmethod
    def now(cls, node: str, installation: str, settings: Settings, places: Places) -> Self:
        """Return what is here before a join.

        Raises:
            OSError: something cannot be read.
            ConfigError: something is a directory that is to be a file.

        """
        linked = _machine_paths({places.at(SETTINGS).resolve()}, places)  # what a link in its place points to is edited
        before = {
            str(path): was for path in with_parents((*OURS, *linked, STATE)) if (was := _was(path, places)) is not None
        }
        for path in (STATE, *_machine_paths(everything_below(places.at(STATE).resolve()), places)):
            before[str(path)] = Was.at(places.at(path))
        written = with_parents(_written_by_targets(settings))
        return cls(
            node=node,
            installation=installation,
            before=before,
            empty=tuple(str(path) for path in written if Was.at(places.at(path)).kind is Kind.ABSENT),
        )

    @property
    def made_state(self) -> bool:
        """Whether there was no state directory."""
        return self.before[str(STATE)].kind is Kind.ABSENT

    def was(self, path: Path) -> Was:
        """Return what was at a path that joining writes."""
        return self.before.get(str(path), Was(kind=Kind.ABSENT))

    def write(self, places: Places) -> None:
        """Keep it, readable by root alone: what was here may be a secret.

        Raises:
            OSError: it could not be kept.

        """
        file = places.at(RECORD)
        make_directory(file.parent)
        write_atomic(file, self.model_dump_json().encode(), mode=0o600)


def read_record(places: Places) -> JoinRecord | None:
    """Return the record of this machine's join, None when it has not joined.

    Raises:
        ConfigError: it cannot be read.

    """
    file = places.at(RECORD)
    try:
        body = read_bytes(file)
        return JoinRecord.model_validate_json(body) if body is not None else None
    except OSError as e:
        raise ConfigError(f"{file} cannot be read ({e.strerror}); run with sudo") from e
    except ValidationError as e:
        raise ConfigError(f"{file} is damaged: what was here before the join is not known any more") from e


class Pending(Frozen):
    """A key that was made for a token, and the credentials that came for it."""

    token: str
    seed: SecretStr
    jwt: str | None = Field(default=None, repr=False)

    @field_serializer("seed", when_used="json")
    def _reveal(self, value: SecretStr) -> str:
        return value.get_secret_value()

    @property
    def key(self) -> KeyPair:
        """The key pair.

        Raises:
            ConfigError: it is none.

        """
        return KeyPair.of(self.seed.get_secret_value(), Owner.USER)

    @classmethod
    def new(cls, token_id: str) -> Self:
        """Make a key for a token."""
        return cls(token=token_id, seed=SecretStr(KeyPair.new(Owner.USER).seed))

    def write(self, places: Places) -> None:
        """Keep it, readable by root alone.

        Raises:
            OSError: it could not be kept.

        """
        write_atomic(places.at(PENDING), self.model_dump_json().encode(), mode=0o600)


def read_pending(places: Places, token_id: str) -> Pending | None:
    """Return the key that an earlier run has asked with for the same token, None when there is none.

    Raises:
        OSError: it cannot be read.

    """
    body = read_bytes(places.at(PENDING))
    try:
        found = Pending.model_validate_json(body) if body is not None else None
    except ValidationError:
        return None
    return found if found is not None and found.token == token_id else None


def _was(path: Path, places: Places) -> Was | None:
    """Return what is at a path, None for a directory above others."""
    found = Was.at(places.at(path))
    if found.kind is Kind.DIRECTORY:
        if path in OURS:
            raise ConfigError(f"{places.at(path)} is a directory, and is to be a file: move it away, then join again")
        return None
    if found.kind is Kind.OTHER:
        raise ConfigError(f"{places.at(path)} is no file: move it away, then join again")
    return found


def _machine_paths(found: Iterable[Path], places: Places) -> list[Path]:
    return [Path("/") / path.relative_to(places.root.resolve()) for path in found]


def _written_by_targets(settings: Settings) -> list[Path]:
    """Return what targets make where nothing is: all of them, for the token, or the owner later, may choose others."""
    from subscriber.targets.traefik import FILE_NAME  # noqa: PLC0415 - httpx, which is slow to import, comes with it

    return [
        settings.hosts.path,
        *(settings.traefik.staging_dir, settings.traefik.directory / FILE_NAME),
        *(settings.dnsmasq.drop_in, settings.dnsmasq.hosts_file),
    ]
