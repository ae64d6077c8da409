from pathlib import Path

import pytest

from common.errors import ConfigError
from common.trust.credentials import read_credentials
from publisher.trust.certificates import expiry, make_authority, make_server
from publisher.trust.directory import Brought, TrustDirectory
from publisher.trust.keyring import FILE, Keyring
from tests.registries import AT

HOSTS = ("127.0.0.1", "nats.example.net")


@pytest.fixture
def trust(tmp_path: Path) -> TrustDirectory:
    """Return one that is not made yet."""
    return TrustDirectory(tmp_path / "trust", tmp_path / "server")


def _files(trust: TrustDirectory) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in (trust.path, trust.server) for path in folder.iterdir()}


def test_what_is_missing_is_made_and_the_rest_stays(trust: TrustDirectory) -> None:
    """All at first, nothing the second time; a file that was lost comes back, by the same keys."""
    made = trust.make(HOSTS, AT)
    before = _files(trust)
    assert set(made) == before.keys()
    assert trust.make(HOSTS, AT) == []
    trust.credentials("operator").unlink()
    assert trust.make(HOSTS, AT) == [trust.credentials("operator")]
    after = _files(trust)
    assert {path for path in before if before[path] != after[path]} == {trust.credentials("operator")}
    assert read_credentials(trust.credentials("operator")).account == Keyring.read(trust.path).core.public


def test_each_user_is_in_the_account_that_it_needs(trust: TrustDirectory) -> None:
    """People and publishers where JetStream is; who renews accounts in the server's own."""
    trust.make(HOSTS, AT)
    keys = Keyring.read(trust.path)
    accounts = {user: read_credentials(trust.credentials(user)).account for user in ("publisher", "operator", "system")}
    assert accounts == {"publisher": keys.core.public, "operator": keys.core.public, "system": keys.system.public}


def test_nothing_of_a_damaged_keyring_is_made_anew(trust: TrustDirectory) -> None:
    """New keys beside credentials of the old ones would lock everybody out: it is said instead."""
    trust.make(HOSTS, AT)
    (trust.path / FILE).write_text("{}")
    before = _files(trust)
    with pytest.raises(ConfigError, match="damaged"):
        trust.make(HOSTS, AT)
    assert _files(trust) == before


def test_the_servers_certificate_is_renewed_by_the_same_authority(trust: TrustDirectory) -> None:
    """Nodes hold the authority, so they take the new one without a hand."""
    trust.make(HOSTS, AT)
    authority, before = trust.authority.read_bytes(), (trust.server / "server.crt").read_bytes()
    later = AT.replace(year=AT.year + 2)
    assert {path.name for path in trust.renew(HOSTS, later)} == {"server.crt", "server.key"}
    assert expiry((trust.server / "server.crt").read_bytes()) > expiry(before)
    assert trust.authority.read_bytes() == authority


def test_who_brings_a_certificate_renews_it_himself(trust: TrustDirectory, tmp_path: Path) -> None:
    """There is no key of an authority here then, and it says so."""
    own = make_server(make_authority(AT), HOSTS, AT)
    (tmp_path / "crt").write_bytes(own.certificate)
    (tmp_path / "key").write_bytes(own.key)
    trust.make(HOSTS, AT, brought=Brought(tmp_path / "crt", tmp_path / "key", None))
    assert not trust.authority.exists()
    with pytest.raises(ConfigError, match="no certificate authority of ours"):
        trust.renew(HOSTS, AT)
    other = TrustDirectory(tmp_path / "other", tmp_path / "other-server")
    with pytest.raises(ConfigError, match="nowhere"):
        other.make(HOSTS, AT, brought=Brought(tmp_path / "nowhere", tmp_path / "key", None))
