"""Judge the streams and the nodes' durable consumers against what the publisher makes. Pure."""

from collections.abc import Iterator, Mapping

from cli.doctor.attempt import Fault
from cli.doctor.bus.facts import JetStreamSeen, StreamSeen
from cli.doctor.check import Check, Part, Subject, listed
from cli.newest import Newest
from cli.text import count
from common import subjects

STREAMS = Subject(Part.CONTROL_PLANE, "streams")
DURABLES = Subject(Part.CONTROL_PLANE, "durables")
SPARE = Subject(Part.CONTROL_PLANE, "spare durables")

_SHOWN = 5
_MAKES = "the publisher makes it again within 30 s"
_ROUND = "routecast reconcile"
_INFO = "routecast stream info"
_PREFIX = subjects.durable("")


def judge_streams(seen: JetStreamSeen | str) -> Iterator[Check]:
    """Yield a check for each stream."""
    if isinstance(seen, str):
        yield STREAMS.skip(seen)
        return
    for name, stream in seen.streams.items():
        subject = Subject(Part.CONTROL_PLANE, f"stream {name}")
        match stream:
            case None:
                yield subject.fail(f"does not exist; {_MAKES}, if one runs", _INFO)
            case Fault():
                yield subject.fail(str(stream), _INFO)
            case StreamSeen(messages, ()):
                yield subject.ok(f"{count(messages, 'message')}, as the publisher makes it")
            case deviating:
                yield subject.warn("; ".join(deviating.deviations), f"nats stream info {name}")


def judge_durables(seen: JetStreamSeen | str) -> Iterator[Check]:
    """Yield the check that every registered node has its durable, as it should be, and nobody else has one."""
    if isinstance(seen, str):
        yield DURABLES.skip(seen)
    elif isinstance(seen.consumers, Fault):
        yield DURABLES.fail(str(seen.consumers), _INFO)
    elif not isinstance(seen.newest, Newest) or seen.newest.snapshot is None:
        yield DURABLES.skip("without a snapshot it is not known which nodes are registered")
    elif seen.streams.get(subjects.REGISTRY) is None:
        yield DURABLES.skip(f"stream {subjects.REGISTRY} does not exist")
    else:
        wanted = {subjects.durable(node.name) for node in seen.newest.snapshot.registry.nodes}
        yield from _compare(seen, {*seen.consumers}, wanted)


def _compare(seen: JetStreamSeen, found: set[str], wanted: set[str]) -> Iterator[Check]:
    missing = sorted(wanted - found)
    spare = sorted(name for name in found - wanted if name.startswith(_PREFIX))
    if missing:
        yield DURABLES.fail(
            f"{listed(missing, _SHOWN)} missing: nothing reaches them; {_MAKES}, or at once with:", _ROUND
        )
    else:
        yield DURABLES.ok(f"one for each of {count(len(wanted), 'node')}")
    yield from _settings(seen.odd_consumers)
    for name in sorted(wanted & found):
        if _is_paused(seen, name):
            subject = Subject(Part.CONTROL_PLANE, f"durable {name}")
            yield subject.fail("delivery is paused", f"nats consumer resume {subjects.REGISTRY} {name}")
    if spare:
        yield SPARE.warn(f"{listed(spare, _SHOWN)}: no such node is registered", _remove(spare[0]))


def _settings(odd: Mapping[str, tuple[str, ...]] | Fault) -> Iterator[Check]:
    if isinstance(odd, Fault):
        yield DURABLES.skip(f"their settings are not known: {odd}")
        return
    for name, differs in sorted(odd.items()):
        yield Subject(Part.CONTROL_PLANE, f"durable {name}").fail("; ".join(differs), _remove(name))


def _is_paused(seen: JetStreamSeen, name: str) -> bool:
    return not isinstance(seen.consumers, Fault) and seen.consumers[name].paused


def _remove(name: str) -> str:
    """Return the command that removes a durable; of a registered node the publisher makes a new one."""
    return f"nats consumer rm {subjects.REGISTRY} {name} --force"
