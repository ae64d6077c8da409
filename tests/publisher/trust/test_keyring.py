from pathlib import Path

import pytest

from common.errors import ConfigError
from publisher.trust.keyring import FILE, Keyring

KEYS = Keyring.new()


def test_keys_come_back_from_their_file(tmp_path: Path) -> None:
    """All of them; nobody else can read the file."""
    KEYS.write(tmp_path)
    assert Keyring.read(tmp_path) == KEYS
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_no_seed_is_shown() -> None:
    """Not even by accident, in a log line or a traceback."""
    assert KEYS.operator.seed not in repr(KEYS)


def test_keys_that_cannot_be_used_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    """Missing, readable by everybody, damaged."""
    with pytest.raises(ConfigError, match="routecast init"):
        Keyring.read(tmp_path)
    KEYS.write(tmp_path)
    (tmp_path / FILE).chmod(0o604)
    with pytest.raises(ConfigError, match="chmod 600"):
        Keyring.read(tmp_path)
    (tmp_path / FILE).chmod(0o600)
    for damaged in (b"", b"{}", b"[]", b'{"operator": 5}', (tmp_path / FILE).read_bytes().replace(b"SO", b"SU")):
        (tmp_path / FILE).write_bytes(damaged)
        with pytest.raises(ConfigError) as caught:
            Keyring.read(tmp_path)
        assert KEYS.core.seed not in str(caught.value)
