"""Certificates for tests, and a real nats-server that shows one before anybody speaks."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from publisher.trust.certificates import SERVER_FOR, Issued, make_authority, make_server
from tests.nats import NatsServer


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """A server's certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority of a test's own, whose files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "ca.crt"
        self.issued: Issued = make_authority(datetime.now(UTC))
        self.file.write_bytes(self.issued.certificate)

    def server(self, *hosts: str, valid_for: timedelta = SERVER_FOR, name: str = "server") -> ServerFiles:
        """Make a certificate for `hosts`; a `valid_for` below zero is how long ago it ended."""
        at = datetime.now(UTC) - SERVER_FOR + valid_for
        return self._write(make_server(self.issued, hosts or ("127.0.0.1", "localhost", "::1"), at), name)

    def _write(self, issued: Issued, name: str) -> ServerFiles:
        files = ServerFiles(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        files.certificate.write_bytes(issued.certificate)
        files.key.touch(0o600)
        files.key.write_bytes(issued.key)
        return files


class TlsNatsServer(NatsServer):
    """A nats-server whose clients see its certificate first; `more` is added to its configuration."""

    def __init__(
        self, store: Path, files: ServerFiles, *, more: str = "", handshake_first: bool = True, port: int | None = None
    ) -> None:
        store.mkdir(parents=True, exist_ok=True)
        conf = store / "nats-server.conf"
        first = "true" if handshake_first else "false"
        tls = f'tls {{ cert_file: "{files.certificate}", key_file: "{files.key}", handshake_first: {first} }}'
        conf.write_text(f"{tls}\n{more}\n")
        self._handshake_first = handshake_first
        super().__init__(store, "-c", str(conf), port=port)

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"tls://127.0.0.1:{self.port}"

    async def answers(self) -> bool:
        """Tell whether it greets a client within a second, whoever it is."""
        return await greets(self.port) if self._handshake_first else await super().answers()


async def greets(port: int) -> bool:
    """Tell whether a NATS server on a loopback port greets over TLS within a second, whatever certificate it shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            try:
                return (await reader.readline()).startswith(b"INFO ")
            finally:
                writer.close()
                await writer.wait_closed()
    except OSError:  # TimeoutError and SSLError are some
        return False
