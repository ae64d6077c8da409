"""Judge the publishers: are they alive, are they current, what do they wait for. Pure."""

from collections.abc import Iterator
from datetime import datetime

from cli.doctor.attempt import Fault
from cli.doctor.bus.facts import JetStreamSeen
from cli.doctor.check import Check, Part, Subject
from cli.newest import Newest
from cli.nodes.report import ALIVE_FOR
from cli.text import age
from common import subjects
from common.snapshot import Order
from common.status import PublisherStatus, SourceState

PUBLISHER = Subject(Part.CONTROL_PLANE, "publisher")

_POD = "routecast-publisher-"
"""What the host name of a publisher begins with that deploy/kubernetes runs."""


def judge_publishers(seen: JetStreamSeen | str, *, cluster: bool) -> Iterator[Check]:
    """Yield a check for each publisher that is alive, else one; `cluster` says where one may be expected to run."""
    if isinstance(seen, str):
        yield PUBLISHER.skip(seen)
    elif all(stream is None for stream in seen.streams.values()):
        yield PUBLISHER.fail("none ever ran on this NATS server: there is no stream", _status("", cluster=cluster))
    elif seen.streams.get(subjects.STATUS) is None:
        yield PUBLISHER.skip(f"stream {subjects.STATUS} does not exist, so none can be heard")
    elif isinstance(seen.statuses, Fault):
        yield PUBLISHER.fail(str(seen.statuses), "routecast stream info")
    elif not seen.statuses:
        yield PUBLISHER.fail("none was heard of within the last 10 minutes", _status("", cluster=cluster))
    elif not (heard := alive(seen)):
        last = seen.statuses[0]
        what = f"gone: {last.instance} on {last.host} was heard {_ago(last.at, seen.now)} ago"
        yield PUBLISHER.fail(what, _status(last.host))
    else:
        for status in heard:
            subject = PUBLISHER if len(heard) == 1 else Subject(Part.CONTROL_PLANE, f"publisher {status.instance}")
            yield _judge_one(subject, status, seen)


def alive(seen: JetStreamSeen | str) -> tuple[PublisherStatus, ...]:
    """Return what the publishers said that were heard of within the last minutes, the newest first."""
    if isinstance(seen, str) or isinstance(seen.statuses, Fault):
        return ()
    return tuple(status for status in seen.statuses if seen.now - status.at < ALIVE_FOR)


def _judge_one(subject: Subject, status: PublisherStatus, seen: JetStreamSeen) -> Check:
    here = f"alive on {status.host}, heard {_ago(status.at, seen.now)} ago"
    if status.waiting_for is not None:
        return subject.fail(f"{here}, publishes nothing: {status.waiting_for}", _log(status.host))
    unread = [name for name, document in sorted(status.sources.items()) if document.state is not SourceState.READABLE]
    if unread:
        states = ", ".join(f"{name} ({status.sources[name].state})" for name in unread)
        return subject.warn(f"{here}, does not read {states}: what was published of it stays", "routecast problems")
    own, newest = _order(status), _newest_order(seen)
    if newest is not None and (own is None or own < newest):
        return subject.warn(f"{here}, knows {own or 'no version'}, the newest is {newest}", _log(status.host))
    return subject.ok(f"{here}, version {status.version}" if own is not None else f"{here}, nothing published")


def _order(status: PublisherStatus) -> Order | None:
    return None if status.epoch is None or status.version is None else Order(status.epoch, status.version)


def _newest_order(seen: JetStreamSeen) -> Order | None:
    return seen.newest.snapshot.order if isinstance(seen.newest, Newest) and seen.newest.snapshot is not None else None


def _ago(at: datetime, now: datetime) -> str:
    return age((now - at).total_seconds())


def _status(host: str, *, cluster: bool = False) -> str:
    """Return the command that shows whether a publisher runs."""
    in_cluster = cluster or host.startswith(_POD)
    return "kubectl -n routecast get pods" if in_cluster else "sudo systemctl status routecast-publisher"


def _log(host: str) -> str:
    """Return the command that shows what a publisher says."""
    if host.startswith(_POD):
        return "kubectl -n routecast logs deployment/routecast-publisher --tail=50"
    return "journalctl -u routecast-publisher -n 50"
