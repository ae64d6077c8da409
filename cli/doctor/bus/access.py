"""Judge how we are connected to NATS and as whom: TLS, the server's certificate, our credentials. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from cli.doctor.attempt import Fault
from cli.doctor.bus.facts import BusSeen, HiddenLogin, Validity
from cli.doctor.check import Check, Part, Subject, command
from common.errors import AccessDenied
from common.transport import is_loopback

TLS = Subject(Part.NATS, "TLS")
CREDENTIALS = Subject(Part.NATS, "credentials")

WARN_LEFT = timedelta(days=30)
"""What ends sooner is told."""

AWAY = "NATS does not answer"
AS_ROOT = "sudo routecast doctor"
_SETTINGS = "routecast config show"
_CERTIFICATES = "sudo routecast trust status"


def judge_access(seen: BusSeen) -> Iterator[Check]:
    """Yield the checks of TLS and of the credentials."""
    yield _judge_tls(seen)
    yield _judge_login(seen)


def _judge_tls(seen: BusSeen) -> Check:
    if not seen.transport.tls:
        return TLS.ok(f"not used: {seen.transport.why}")
    if isinstance(seen.server, Fault):
        return TLS.skip(AWAY)
    match seen.server.certificate:
        case Validity() as valid:
            what = f"used, as {seen.transport.why}; the server's certificate is valid until {valid.until:%Y-%m-%d}"
            if valid.left < WARN_LEFT:
                return TLS.warn(f"{what}: in {_days(valid.left)}; renew it on the control plane", _CERTIFICATES)
            return TLS.ok(what)
        case unread:
            why = unread if unread is not None else "nobody looked"
            return TLS.warn(f"used, but the server's certificate could not be read: {why}", _SETTINGS)


def _judge_login(seen: BusSeen) -> Check:
    match seen.login:
        case None:
            return _judge_no_login(seen)
        case HiddenLogin(where):
            return CREDENTIALS.skip(f"this user may not read {where}", AS_ROOT)
        case Fault():
            return CREDENTIALS.fail(str(seen.login), _SETTINGS)
        case login:
            who = f"{login.name}, from {login.where}" if login.name is not None else f"those in {login.where}"
            return _judge_end(who, login.valid)


def _judge_no_login(seen: BusSeen) -> Check:
    if isinstance(seen.server, Fault):
        denied = isinstance(seen.server.error, AccessDenied)
        return (
            CREDENTIALS.fail("none, and NATS asks for some", _SETTINGS) if denied else CREDENTIALS.skip("none are set")
        )
    if is_loopback(seen.host):
        return CREDENTIALS.ok("none: the NATS server of this machine lets in who has none")
    return CREDENTIALS.warn(f"none: NATS lets in whoever reaches {seen.host}", "sudo routecast init")


def _judge_end(who: str, valid: Validity | None) -> Check:
    if valid is None:
        return CREDENTIALS.ok(f"{who}, valid until they are revoked")
    day = f"{valid.until:%Y-%m-%d}"
    again = command("routecast", "node", "add", "--help")
    if valid.left <= timedelta():
        return CREDENTIALS.fail(f"{who}: expired on {day}; join again with a new token", again)
    if valid.left < WARN_LEFT:
        return CREDENTIALS.warn(f"{who}: valid until {day}, {_days(valid.left)} more; join again before", again)
    return CREDENTIALS.ok(f"{who}, valid until {day}")


def _days(left: timedelta) -> str:
    return f"{left.days} day{'' if left.days == 1 else 's'}"
