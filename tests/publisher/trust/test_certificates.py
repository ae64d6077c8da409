import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from common.errors import ConfigError
from publisher.trust.certificates import (
    AUTHORITY_FOR,
    SERVER_FOR,
    Issued,
    expiry,
    hosts_of,
    make_authority,
    make_server,
)
from tests.registries import AT

AUTHORITY = make_authority(AT)


def test_a_servers_certificate_names_its_hosts_and_its_end() -> None:
    """Names, and addresses of both kinds."""
    issued = make_server(AUTHORITY, ["nats.routecast.svc", "100.122.68.75", "fd7a:115c:a1e0::1"], AT)
    assert hosts_of(issued.certificate) == ("nats.routecast.svc", "100.122.68.75", "fd7a:115c:a1e0::1")
    assert hosts_of(AUTHORITY.certificate) == ()
    assert expiry(issued.certificate) == (AT + SERVER_FOR).replace(microsecond=0)
    assert expiry(AUTHORITY.certificate) == (AT + AUTHORITY_FOR).replace(microsecond=0)
    assert timedelta(days=826) > SERVER_FOR


def test_openssl_takes_both(tmp_path: Path) -> None:
    """The authority as a root of trust, the server's with its key."""
    issued = make_server(AUTHORITY, ["localhost"], AT)
    (tmp_path / "server.crt").write_bytes(issued.certificate)
    (tmp_path / "server.key").write_bytes(issued.key)
    ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")


def test_a_key_is_never_shown() -> None:
    """Not by what holds it, and not by the error about it."""
    assert "PRIVATE" not in repr(AUTHORITY)
    for key in (b"no key", AUTHORITY.certificate):
        with pytest.raises(ConfigError, match="no private key"):
            make_server(Issued(AUTHORITY.certificate, key), ["localhost"], AT)
    with pytest.raises(ConfigError, match="no certificate"):
        expiry(b"nonsense")
