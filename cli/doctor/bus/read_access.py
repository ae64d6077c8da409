"""Look at the certificate that the NATS server shows, and at the credentials of this machine."""

import os
from functools import partial
from pathlib import Path

from cli.doctor.attempt import Fault, attempt
from cli.doctor.beside import beside
from cli.doctor.bus.facts import HiddenLogin, LoginSeen, Validity
from common.clock import now
from common.settings.nats import NatsSettings
from common.tls import certificate_expiry
from common.transport import choose
from common.trust.credentials import read_credentials


async def read_certificate(settings: NatsSettings) -> Validity | Fault | None:
    """Return until when the server's certificate is valid, None without TLS; never raises."""
    if not choose(settings).tls:
        return None
    until = await attempt("the server's certificate", certificate_expiry(settings))
    return until if isinstance(until, Fault) else Validity.at(now(), until)


async def read_login(settings: NatsSettings) -> LoginSeen | HiddenLogin | Fault | None:
    """Return with which credentials this machine connects, the secret itself never; never raises."""
    file = settings.credentials_file
    if file is not None:
        return await attempt("the credentials", beside(partial(_look, file)))
    return LoginSeen("nats.url") if settings.url.username is not None else None


def _look(file: Path) -> LoginSeen | HiddenLogin:
    if _is_hidden(file):
        return HiddenLogin(str(file))
    found = read_credentials(file)
    valid = Validity.at(now(), found.expires) if found.expires is not None else None
    return LoginSeen(str(file), found.name, valid)


def _is_hidden(file: Path) -> bool:
    """Tell whether this user may not read a file, or not even see whether it is there."""
    try:
        file.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return not os.access(file, os.R_OK)
