"""Judge the running subscriber, and what it answered last. Pure."""

from collections.abc import Iterator

from cli.doctor.attempt import Fault
from cli.doctor.check import Check, Part, Subject
from cli.doctor.node.facts import NodeSeen, ServiceSeen
from cli.doctor.node.settings import AS_ROOT
from cli.nodes.report import error_of
from cli.text import utc
from common.ack import NodeAck, State
from common.errors import ConfigError

SERVICE = Subject(Part.NODE, "service")
ANSWER = Subject(Part.NODE, "last answer")

_LOG = "journalctl -u routecast-subscriber -n 50"
_SYNC = "sudo routecast subscriber sync"


def judge_service(seen: NodeSeen) -> Iterator[Check]:
    """Yield the checks of the service and of its last answer."""
    match seen.service:
        case None:
            what = f"no subscriber runs on {seen.settings.subscriber.state_dir}"
            yield SERVICE.fail(what, "sudo systemctl status routecast-subscriber")
            yield ANSWER.skip("no subscriber runs here")
        case Fault(error=ConfigError()):
            yield SERVICE.skip("this user may not ask whether it runs", AS_ROOT)
            yield ANSWER.skip("this user may not ask the service", AS_ROOT)
        case Fault():
            yield SERVICE.fail(str(seen.service), _LOG)
            yield ANSWER.skip("the service does not say")
        case service:
            yield _judge_running(service, seen.settings.subscriber.node)
            yield _judge_answer(service.last_ack)


def _judge_running(seen: ServiceSeen, name: str | None) -> Check:
    if seen.node != name:
        what = f"it runs as {seen.node}, the settings say {name or 'nothing'}: it has not read them again"
        return SERVICE.warn(what, "sudo systemctl restart routecast-subscriber")
    if not seen.connected:
        why = f": {seen.trouble}" if seen.trouble is not None else ""
        return SERVICE.fail(f"runs, but is not connected to NATS{why}", _LOG)
    if seen.trouble is not None:
        return SERVICE.fail(f"runs, connected to NATS, but {seen.trouble}", _LOG)
    if seen.stale:
        what = "runs, connected to NATS, but has heard no snapshot for long: stale, the files stay"
        return SERVICE.warn(what, "routecast doctor control-plane")
    return SERVICE.ok("runs, connected to NATS")


def _judge_answer(ack: NodeAck | None) -> Check:
    if ack is None:
        return ANSWER.warn("none yet: no snapshot was taken since it started", _SYNC)
    version = f"version {ack.attempted.version}" if ack.attempted is not None else "unreadable snapshot"
    what = f"{version} {ack.state} at {utc(ack.finished_at)}"
    if ack.state is State.APPLIED:
        return ANSWER.ok(what)
    error = error_of(ack)
    said = what if error is None else f"{what}: {error}"
    if ack.state is State.DRIFTED:
        return ANSWER.warn(f"{said}: somebody changes what is routecast's", f"routecast acks {ack.node}")
    return ANSWER.fail(said, f"routecast acks {ack.node}" if ack.state is State.REJECTED else _SYNC)
