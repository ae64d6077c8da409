"""Judge how the publisher and NATS know this node, and whether it would believe the newest snapshot. Pure."""

from collections.abc import Iterator

from cli.doctor.attempt import Fault
from cli.doctor.bus.facts import JetStreamSeen
from cli.doctor.check import Check, Part, Subject, command
from cli.doctor.node.facts import NodeSeen, ServiceSeen
from cli.newest import Newest
from common import subjects
from common.ack import Revision
from common.errors import AccessDenied, Rejection, SnapshotRejected
from common.models import Node
from common.settings import Settings
from common.settings.load import DEFAULT_PATH
from common.snapshot import Snapshot
from subscriber.verify import Trust, verify

TRUST = Subject(Part.NODE, "trust")
REGISTERED = Subject(Part.NODE, "registration")
ADDRESS = Subject(Part.NODE, "address")
DURABLE = Subject(Part.NODE, "durable")

_NO_SNAPSHOT = "there is no snapshot that can be read"
_STREAM = "routecast stream info"
_CONTROL_PLANE = "routecast doctor control-plane"


def judge_standing(seen: NodeSeen, bus: JetStreamSeen | str) -> Iterator[Check]:
    """Yield the checks of the registration, the address in it, the durable, and of the trust in what is published."""
    name = seen.settings.subscriber.node
    if isinstance(bus, str) or name is None:
        for subject in (REGISTERED, ADDRESS, DURABLE, TRUST):
            yield subject.skip(bus if isinstance(bus, str) else "subscriber.node is not set")
        return
    snapshot = bus.newest.snapshot if isinstance(bus.newest, Newest) else None
    if snapshot is None:
        yield REGISTERED.skip(_NO_SNAPSHOT)
        yield ADDRESS.skip(_NO_SNAPSHOT)
    else:
        node = snapshot.registry.node(name)
        yield _judge_registration(node, name, seen.settings)
        yield _judge_address(node, seen.address)
    yield _judge_durable(name, bus, seen.service)
    yield _judge_trust(seen, bus.newest)


def _judge_registration(node: Node | None, name: str, settings: Settings) -> Check:
    role = settings.subscriber.role
    if node is None:
        add = command("routecast", "node", "add", role, name, "ADDRESS")
        return REGISTERED.fail(f"no node is called {name}: nothing is sent to it", add)
    if node.role is not role:
        what = f"registered as {node.role}, but subscriber.role is {role}"
        return REGISTERED.warn(what, command("sudoedit", settings.file or DEFAULT_PATH))
    return REGISTERED.ok(f"{name}, {node.role} at {node.address}")


def _judge_address(node: Node | None, seen: tuple[str, bool] | None) -> Check:
    if node is None or seen is None or seen[0] != node.address:
        return ADDRESS.skip("no snapshot that names this node was accepted here yet")
    if not seen[1]:
        return ADDRESS.warn(
            f"this machine has not the address {node.address} that it is registered with", "tailscale ip"
        )
    return ADDRESS.ok(f"{node.address} is this machine's")


def _judge_durable(name: str, bus: JetStreamSeen, service: ServiceSeen | Fault | None) -> Check:
    if isinstance(bus.consumers, Fault):
        hidden = isinstance(bus.consumers.error, AccessDenied)
        what = f"{bus.consumers}; on the control plane:" if hidden else str(bus.consumers)
        return DURABLE.skip(what, "routecast nodes") if hidden else DURABLE.fail(what, _STREAM)
    durable = bus.consumers.get(subjects.durable(name))
    if durable is None:
        what = f"there is no {subjects.durable(name)}: not registered, or no publisher runs, which makes it within 30 s"
        return DURABLE.fail(what, _CONTROL_PLANE)
    if durable.paused:
        return DURABLE.fail(f"delivery to {durable.name} is paused on the server", _CONTROL_PLANE)
    if durable.num_waiting > 1:
        what = f"{durable.num_waiting} machines take turns under this name: give the clone one of its own"
        return DURABLE.fail(what, "routecast nodes")
    waits = durable.num_waiting == 1 or durable.num_ack_pending > 0
    if isinstance(service, ServiceSeen) and service.connected and not waits:
        return DURABLE.warn(f"{durable.name} is there, but the service does not wait at it", "routecast nodes")
    return DURABLE.ok(f"{durable.name} is there{', the service waits at it' if waits else ''}")


def _judge_trust(seen: NodeSeen, newest: Newest | Fault | None) -> Check:
    """Return the check whether this node would take the newest snapshot, by the rules that it judges one with."""
    if newest is None:
        return TRUST.skip("nothing was published yet")
    if isinstance(newest, Fault):
        return TRUST.fail(str(newest), _STREAM)
    settings = seen.settings.subscriber
    if not settings.public_keys:
        return TRUST.skip("subscriber.public_keys is not set")
    accepted = seen.accepted if isinstance(seen.accepted, Snapshot) else None
    installation = settings.installation or (accepted.installation if accepted is not None else None)
    trust = Trust(frozenset(settings.public_keys), installation, seen.brought)
    try:
        verified = verify(newest.stored.sealed, trust, Revision.of(accepted) if accepted is not None else None)
    except SnapshotRejected as e:
        commands = {Rejection.UNKNOWN_KEY: "routecast publisher public-key"}
        return TRUST.fail(f"this node rejects the newest snapshot ({e.code}): {e}", commands.get(e.code, _STREAM))
    if accepted is not None and not verified.repeat:
        what = f"version {verified.snapshot.version} is newer than what was accepted here, {accepted.version}"
        return TRUST.warn(what, "sudo routecast subscriber sync")
    return TRUST.ok(f"version {verified.snapshot.version}, signed with a key that is trusted here")
