"""Credentials files: what is read from one, and what is refused without a word of the secret."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigError
from common.settings.nats import NatsSettings
from common.trust.credentials import Credentials, read_credentials, write_credentials
from common.trust.jwt import issue
from common.trust.nkeys import KeyPair, Owner

AT = datetime(2025, 11, 6, 18, 30, tzinfo=UTC)
ACCOUNT, SCOPE, USER = KeyPair.new(Owner.ACCOUNT), KeyPair.new(Owner.ACCOUNT), KeyPair.new(Owner.USER)


def _token(name: str = "vinay-laptop", expires: datetime | None = None, **claims: Any) -> str:
    return issue(SCOPE, USER.public, name, {"type": "user", "issuer_account": ACCOUNT.public, **claims}, AT, expires)


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Name, key, account and end are the token's; the file is closed to everybody, also when it was not before."""
    file = tmp_path / "nats.creds"
    made = Credentials.of(_token(expires=AT + timedelta(hours=1)), USER.seed)
    for expected in (0o600, 0o640):  # its group keeps what it had
        write_credentials(file, made)
        assert file.stat().st_mode & 0o777 == expected
        found = read_credentials(file)
        assert found == made
        file.chmod(0o644)
    assert (found.name, found.public_key, found.account) == ("vinay-laptop", USER.public, ACCOUNT.public)
    assert found.expires == AT + timedelta(hours=1)


def test_who_is_no_scoped_user_belongs_to_who_signed() -> None:
    """A token signed by the account itself does not name it again."""
    token = issue(ACCOUNT, USER.public, "publisher", {"type": "user"}, AT)
    found = Credentials.of(token, USER.seed)
    assert (found.account, found.expires) == (ACCOUNT.public, None)


def test_files_of_other_tools_are_read() -> None:
    """`nsc` has five dashes on one side and six on the other, notes between, and Windows its own line ends."""
    text = Credentials.of(_token(), USER.seed).text.get_secret_value()
    for variant in (text.replace("\n", "\r\n"), text.replace("------", "-----"), f"\n\n# mine\n{text}"):
        assert Credentials.parse(variant).name == "vinay-laptop"


@pytest.mark.parametrize(
    ("token", "seed", "said"),
    [
        (_token(), KeyPair.new(Owner.USER).seed, "the token is that of the key"),
        (_token(), ACCOUNT.seed, "no seed of a NATS user"),
        (_token(), "SUAXXX", "no seed of a NATS user"),
        ("a.b", USER.seed, "no token of a NATS user"),
        (_token(type="account"), USER.seed, "no token of a NATS user"),
        (_token(name=""), USER.seed, "no token of a NATS user"),
        (_token(name="a b"), USER.seed, "cannot be part of a subject"),
        (_token(name=">"), USER.seed, "cannot be part of a subject"),
        (issue(SCOPE, USER.public, "n", {"type": "user"}, AT)[:-90], USER.seed, "no token of a NATS user"),
    ],
)
def test_what_does_not_belong_together_is_refused(token: str, seed: str, said: str) -> None:
    """Another's seed, an account's, a name that no answer could come to: each in words, none with the seed."""
    with pytest.raises(ConfigError, match=said) as refused:
        Credentials.of(token, seed)
    assert seed not in f"{refused.value!r} {refused.value.__cause__!r}"


@given(st.text(max_size=200))
def test_any_text_is_credentials_or_refused(text: str) -> None:
    """Nothing but our own error, whatever the file holds."""
    with pytest.raises(ConfigError):
        Credentials.parse(text)


def test_the_secret_shows_nowhere() -> None:
    """Neither in print nor in a traceback."""
    shown = repr(Credentials.of(_token(), USER.seed))
    assert USER.seed not in shown
    assert _token() not in shown


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0, "there are no NATS credentials .*routecast join"),
        (b"nothing", 0o600, "nats.creds holds no NATS credentials: there is no token"),
        (b"\xff\xfe", 0o600, "it is no text"),
        (b"whatever", 0o644, "can be read by everybody; run: sudo chmod 600"),
        (b"whatever", 0o601, "can be read by everybody"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_why(tmp_path: Path, text: bytes | None, mode: int, said: str) -> None:
    """Missing, empty, damaged, or open to everybody: with its path and what to do."""
    file = tmp_path / "nats.creds"
    if text is not None:
        file.write_bytes(text)
        file.chmod(mode)
    with pytest.raises(ConfigError, match=said):
        read_credentials(file)


def test_a_file_of_its_group_is_read(tmp_path: Path) -> None:
    """A service's group may read it, as that of the signing seed may."""
    file = tmp_path / "nats.creds"
    write_credentials(file, Credentials.of(_token(), USER.seed))
    file.chmod(0o640)
    assert read_credentials(file).name == "vinay-laptop"


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """What cannot be read for another reason is said with it."""
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        read_credentials(tmp_path)


def test_systemd_gives_the_file_that_no_setting_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded by the unit it is the default; a setting goes before it, and without it there is none."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert NatsSettings().credentials_file is None
    (tmp_path / "nats.creds").touch()
    assert NatsSettings().credentials_file == tmp_path / "nats.creds"
    assert NatsSettings(credentials_file=Path("/mine")).credentials_file == Path("/mine")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert NatsSettings().credentials_file is None
