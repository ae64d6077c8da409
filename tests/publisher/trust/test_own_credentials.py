from pathlib import Path

import pytest
from pydantic_core import Url

from common.settings import Settings
from common.settings.nats import NatsSettings
from common.settings.trust import TrustSettings
from publisher.trust import claims
from publisher.trust.control_plane import with_own_credentials
from publisher.trust.directory import TrustDirectory
from tests.registries import AT


@pytest.fixture
def trust(tmp_path: Path) -> TrustDirectory:
    """Make a control plane's keys."""
    made = TrustDirectory(tmp_path / "trust", tmp_path / "server")
    made.make(["127.0.0.1"], AT)
    return made


def _settings(trust: TrustDirectory, **nats: Path | None) -> Settings:
    return Settings(
        nats=NatsSettings(url=Url("tls://127.0.0.1:4222"), **nats),
        trust=TrustSettings(directory=trust.path, server_directory=trust.server),
    )


def test_a_publisher_is_not_the_operator(trust: TrustDirectory) -> None:
    """The settings name who types commands; the publisher's own lie in the trust directory, with the authority."""
    elsewhere = Path("/nowhere/ca.crt")
    own = with_own_credentials(
        _settings(trust, credentials_file=trust.credentials(claims.OPERATOR), ca_file=elsewhere)
    ).nats
    assert own.credentials_file == trust.credentials(claims.PUBLISHER)
    assert own.ca_file == trust.authority
    assert own.url == Url("tls://127.0.0.1:4222")


def test_an_authority_that_every_system_trusts_needs_no_file(trust: TrustDirectory) -> None:
    """What the settings do not name is not named by what lies in the directory."""
    own = with_own_credentials(_settings(trust, credentials_file=trust.credentials(claims.OPERATOR))).nats
    assert own.ca_file is None


def test_what_cannot_be_read_changes_nothing(trust: TrustDirectory) -> None:
    """A publisher that was given credentials alone goes on with them."""
    trust.credentials(claims.PUBLISHER).unlink()
    settings = _settings(trust, credentials_file=trust.credentials(claims.OPERATOR))
    assert with_own_credentials(settings) == settings


def test_nats_without_credentials_stays_without(trust: TrustDirectory) -> None:
    """As on loopback, where everybody may connect, on a machine that has keys as well."""
    settings = _settings(trust, credentials_file=None)
    assert with_own_credentials(settings) == settings
