"""TLS to the NATS server: what we trust, what it shows, and whether it greets in plain text. Sends nothing but TLS."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.errors import BusUnavailable, ConfigError
from common.masking import masked
from common.settings.nats import NatsSettings
from common.transport import SPEAKS_PLAIN, Transport, choose, fault_of_tls

_GREETING = b"INFO "
_GREETING_S = 1.0


class NotTrusted(BusUnavailable):
    """Raise when somebody answers, but does not prove to be the server: nothing was said to it."""


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return what a connection is checked with: trust in `ca_file` alone, else in what the system trusts. Blocking.

    Raises:
        ConfigError: the file is missing, unreadable, or holds no certificate.

    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as e:
        raise ConfigError(f"nats.ca_file {ca_file} holds no certificate in PEM") from e
    except OSError as e:
        raise ConfigError(f"nats.ca_file {ca_file} cannot be read: {e.strerror}") from e
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def tls_options(settings: NatsSettings, transport: Transport) -> dict[str, Any]:
    """Return the options of nats-py for a connection by `transport`.

    Raises:
        ConfigError: `ca_file` cannot be used.

    """
    if not transport.tls:
        return {}
    context = await asyncio.to_thread(trusting, settings.ca_file)
    return {"tls": context, "tls_handshake_first": True, "tls_hostname": settings.host}


async def away(settings: NatsSettings, transport: Transport, cause: BaseException) -> BusUnavailable:
    """Return what became of an attempt to connect; where TLS got no answer it is looked who speaks there instead."""
    where = f"NATS at {masked(str(settings.url))}"
    said = str(cause) or type(cause).__name__
    if not transport.tls:
        hint = "; if it waits for TLS, set nats.ca_file" if isinstance(cause, TimeoutError) else ""
        return BusUnavailable(f"{where} does not answer ({said}){hint}")
    fault = fault_of_tls(cause, settings)
    if fault is None and not isinstance(cause, ConnectionRefusedError) and await greets_in_plain(settings):
        fault = SPEAKS_PLAIN
    if fault is None:
        return BusUnavailable(f"{where} does not answer ({said})")
    return NotTrusted(f"{where} is not trusted: {fault} (TLS, because {transport.why})")


async def greets_in_plain(settings: NatsSettings) -> bool:
    """Tell whether the server speaks first, and not TLS. Nothing is sent to it."""
    try:
        async with asyncio.timeout(_GREETING_S):
            reader, writer = await asyncio.open_connection(settings.host, settings.port)
            try:
                return await reader.readexactly(len(_GREETING)) == _GREETING
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


async def certificate_expiry(settings: NatsSettings) -> datetime:
    """Return until when the certificate is valid that the server shows, if it is one that we believe.

    Raises:
        BusUnavailable: there is no TLS there.
        NotTrusted: there is, but none that we believe.
        ConfigError: `ca_file` cannot be used.

    """
    context = await asyncio.to_thread(trusting, settings.ca_file)
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            _, writer = await asyncio.open_connection(
                settings.host, settings.port, ssl=context, server_hostname=settings.host
            )
            try:
                shown = writer.get_extra_info("peercert")
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError) as e:
        raise await away(settings, choose(settings), e) from e
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
