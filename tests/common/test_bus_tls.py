"""TLS of a connection, against a real nats-server and against servers that would rather do without."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from common.bus import connected
from common.errors import BusUnavailable, ConfigError
from common.settings.nats import NatsSettings
from common.tls import certificate_expiry, trusting
from common.trust.credentials import Credentials, write_credentials
from common.trust.jwt import issue
from common.trust.nkeys import KeyPair, Owner
from tests.certificates import Authority, TlsNatsServer
from tests.nats import NatsServer, free_port

INFO: dict[str, Any] = {
    "server_id": "N",
    "version": "2.12.0",
    "max_payload": 1 << 20,
    "headers": True,
    "nonce": "n0nce",
}
HELLO = b"\x16\x03"
"""What TLS begins with: a record of the handshake."""


def _settings(url: str, **fields: Any) -> NatsSettings:
    limits = {"connect_timeout_s": 1, "request_timeout_s": 1, "reconnect_max_s": 0.2}
    return NatsSettings.model_validate({"url": url, **limits, **fields})


@asynccontextmanager
async def _eavesdropping(info: dict[str, Any] | None) -> AsyncIterator[tuple[int, bytearray]]:
    """Yield the port of a server that greets in plain text, and what clients then say to it."""
    heard = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if info is not None:
            writer.write(b"INFO " + orjson.dumps(info) + b"\r\n")
        while got := await reader.read(1024):
            heard.extend(got)
            if b"PING\r\n" in got:
                writer.write(b"PONG\r\n")
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", free_port()) as server:
        yield server.sockets[0].getsockname()[1], heard


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """Return a file with the credentials of a user that no server knows."""
    file, user, account = tmp_path / "me.creds", KeyPair.new(Owner.USER), KeyPair.new(Owner.ACCOUNT)
    token = issue(account, user.public, "me", {"type": "user"}, datetime.now(UTC))
    write_credentials(file, Credentials.of(token, user.seed))
    return file


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_server_that_shows_the_right_certificate_is_believed(tmp_path: Path, host: str) -> None:
    """Its address and its name are both in the certificate, and the authority is the one that was set."""
    ca = Authority(tmp_path)
    async with TlsNatsServer(tmp_path / "nats", ca.server("127.0.0.1", "localhost")) as server:
        for scheme in ("tls", "nats"):
            settings = _settings(f"{scheme}://{host}:{server.port}", ca_file=ca.file)
            async with connected(settings, "test") as bus:
                await bus.nc.flush()
        valid_for = await certificate_expiry(settings) - datetime.now(UTC)
    assert timedelta(days=820) < valid_for <= timedelta(days=825)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"hosts": ["127.0.0.1"], "authority": "other"}, "of an authority that is not one in .*ca.crt"),
        ({"hosts": ["127.0.0.1"], "valid_for": -timedelta(days=1)}, "has expired"),
        ({"hosts": ["127.0.0.1"], "valid_for": timedelta(days=830)}, "not valid yet"),
        ({"hosts": ["cp1.example.com"]}, "not for 127.0.0.1"),
        ({"hosts": ["10.0.0.1", "localhost"]}, "not for 127.0.0.1"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_said_why(tmp_path: Path, made: dict[str, Any], said: str) -> None:
    """A strange authority, one that has ended or not begun, one of another host: each at once and in words."""
    ca, other = Authority(tmp_path), Authority(tmp_path / "other")
    authority = other if made.pop("authority", None) else ca
    files = authority.server(*made.pop("hosts"), **made)
    async with TlsNatsServer(tmp_path / "nats", files) as server:
        settings = _settings(server.url, ca_file=ca.file)
        with pytest.raises(BusUnavailable, match=f"is not trusted: its certificate .*{said}"):
            async with asyncio.timeout(3), connected(settings, "test"):
                pass
        with pytest.raises(BusUnavailable, match=said):
            await certificate_expiry(settings)


async def test_without_an_authority_of_ones_own_the_systems_count(tmp_path: Path) -> None:
    """A certificate of our own making is none of those that the system trusts; the message names the setting."""
    async with TlsNatsServer(tmp_path / "nats", Authority(tmp_path).server()) as server:
        with pytest.raises(BusUnavailable, match=r"not one that the system trusts: set nats\.ca_file"):
            async with connected(_settings(server.url), "test"):
                pass


@pytest.mark.parametrize(("name", "text"), [("missing.crt", None), ("empty.crt", "no certificate")])
async def test_an_authority_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path, name: str, text: str | None) -> None:
    """Nothing is connected to with less than what was asked for."""
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=f"nats.ca_file .*{name}"):
        async with connected(_settings("nats://127.0.0.1:4222", ca_file=tmp_path / name), "test"):
            pass


@pytest.mark.parametrize("info", [INFO, {**INFO, "tls_available": True}, {**INFO, "tls_required": False}, None])
async def test_nobody_in_between_can_talk_us_into_plain_text(
    tmp_path: Path, credentials: Path, info: dict[str, Any] | None
) -> None:
    """Whoever greets without TLS, or says nothing, hears the beginning of TLS and never a word of ours."""
    ca = Authority(tmp_path)
    async with _eavesdropping(info) as (port, heard):
        with pytest.raises(BusUnavailable) as away:
            async with connected(
                _settings(f"tls://127.0.0.1:{port}", ca_file=ca.file, credentials_file=credentials), "t"
            ):
                pass
    assert heard.startswith(HELLO)
    for word in (b"CONNECT", b"jwt", b"sig", b"PING"):
        assert word not in heard
    assert ("it speaks plain text before TLS" in str(away.value)) is (info is not None)


async def test_that_listener_hears_everything_without_tls(credentials: Path) -> None:
    """What the test above would see if a client could be talked out of TLS: the proof that it can see it."""
    async with _eavesdropping({**INFO, "auth_required": True}) as (port, heard):
        settings = _settings(f"nats://127.0.0.1:{port}", credentials_file=credentials)
        async with connected(settings, "test"):
            pass
    assert b"CONNECT" in heard
    assert b'"jwt"' in heard


async def test_a_plain_server_is_not_taken_for_one_with_tls(tmp_path: Path) -> None:
    """A real server without TLS, and one that greets before it: both are refused, with what to set."""
    ca = Authority(tmp_path)
    servers = [
        NatsServer(tmp_path / "plain"),
        TlsNatsServer(tmp_path / "late", ca.server(), handshake_first=False),
    ]
    for server in servers:
        async with server:
            with pytest.raises(BusUnavailable, match=r"speaks plain text before TLS.*handshake_first: true"):
                async with connected(_settings(server.url, ca_file=ca.file), "test"):
                    pass


async def test_a_server_with_tls_alone_is_not_silence(tmp_path: Path) -> None:
    """Who speaks plain text to it waits for a greeting that never comes; it is said what is missing."""
    async with TlsNatsServer(tmp_path / "nats", Authority(tmp_path).server()) as server:
        with pytest.raises(BusUnavailable, match=r"if it waits for TLS, set nats\.ca_file"):
            async with connected(_settings(f"nats://127.0.0.1:{server.port}"), "test"):
                pass


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path) -> None:
    """Below 1.2 there is no connection, whatever the system would allow, and the host is always checked."""
    for context in (trusting(None), trusting(Authority(tmp_path).file)):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
