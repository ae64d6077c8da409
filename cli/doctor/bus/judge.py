"""Judge NATS itself: is it there, has it JetStream, and do its clock and ours agree. Pure."""

from collections.abc import Iterator

from cli.doctor.attempt import Fault
from cli.doctor.bus.access import AS_ROOT, AWAY, judge_access
from cli.doctor.bus.facts import BusSeen, ClockSeen, HiddenLogin, JetStreamSeen
from cli.doctor.check import Check, Part, Subject, command
from cli.text import size
from common.errors import AccessDenied, ConfigError
from common.tls import NotTrusted

NATS = Subject(Part.NATS, "NATS")
JETSTREAM = Subject(Part.NATS, "JetStream")
CLOCK = Subject(Part.NATS, "clock")

CLOCK_WARN_S = 5.0
"""Above it ages and times are told noticeably wrong."""
CLOCK_FAIL_S = 60.0
"""Above it whoever is alive looks gone, and a new epoch would start from a time that is not."""

_SAME_S = 0.1

NO_JETSTREAM = "JetStream does not answer"
SET_CLOCK = "sudo timedatectl set-ntp true"


def judge_bus(seen: BusSeen) -> Iterator[Check]:
    """Yield the checks of NATS itself."""
    if isinstance(seen.server, Fault):
        yield _judge_away(seen, seen.server)
        yield from judge_access(seen)
        yield JETSTREAM.skip(AWAY)
        yield CLOCK.skip(AWAY)
        return
    yield NATS.ok(
        f"{seen.url} answers, version {seen.server.version}, takes messages up to {size(seen.server.max_payload)}"
    )
    yield from judge_access(seen)
    jetstream = seen.server.jetstream
    if isinstance(jetstream, Fault):
        yield JETSTREAM.fail(str(jetstream), "nats-server -c deploy/nats/nats-server.conf")
        yield CLOCK.skip(NO_JETSTREAM)
        return
    yield JETSTREAM.ok("answers")
    yield judge_clock(jetstream.clock)


def _judge_away(seen: BusSeen, fault: Fault) -> Check:
    if isinstance(seen.login, HiddenLogin) and isinstance(fault.error, ConfigError):
        return NATS.skip("this user may not read the credentials for it", AS_ROOT)
    match fault.error:
        case AccessDenied() | ConfigError():
            return NATS.fail(str(fault), "routecast config show")
        case NotTrusted():
            return NATS.fail(str(fault), command("openssl", "s_client", "-connect", f"{seen.host}:{seen.port}"))
        case _:
            return NATS.fail(str(fault), f"nc -vz {seen.host} {seen.port}")


def jetstream_of(seen: BusSeen) -> JetStreamSeen | str:
    """Return what JetStream holds, or why nothing is known of it."""
    if isinstance(seen.server, Fault):
        return AWAY
    return NO_JETSTREAM if isinstance(seen.server.jetstream, Fault) else seen.server.jetstream


def judge_clock(seen: ClockSeen | Fault | None) -> Check:
    """Return the check of this machine's clock against the server's."""
    if seen is None:
        return CLOCK.skip("the server does not tell its time: it has no stream yet, or is older than 2.10")
    if isinstance(seen, Fault):
        return CLOCK.skip(str(seen))
    return judge_difference(CLOCK, "this machine's clock", -seen.ahead_s, seen.unsure_s)


def judge_difference(subject: Subject, whose: str, ahead_s: float, unsure_s: float = 0.0) -> Check:
    """Return the check of a clock that is `ahead_s` ahead of the server's; `unsure_s` speaks for it."""
    surely_s = max(0.0, abs(ahead_s) - unsure_s)
    side = "ahead of" if ahead_s > 0 else "behind"
    what = f"{whose} is {abs(ahead_s):.1f} s {side} the NATS server's"
    if abs(ahead_s) < _SAME_S:
        what = f"{whose} agrees with the NATS server's"
    if surely_s > CLOCK_FAIL_S:
        return subject.fail(what, SET_CLOCK)
    if surely_s > CLOCK_WARN_S:
        return subject.warn(what, SET_CLOCK)
    return subject.ok(what)
