"""A node with a policy: what it writes, says, logs and remembers. Real files; no bus."""

from collections.abc import MutableMapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from common.ack import NodeAck, State
from common.errors import TargetFailed
from common.models import Registry, Service
from common.names import derive_names
from common.settings import Settings
from common.snapshot import Snapshot, seal
from subscriber.node import Delivery, Node
from subscriber.state import NodeState
from subscriber.targets import build_targets
from subscriber.targets.target import Outcome
from tests.registries import REFERENCE, SIGNER, snapshot, with_service
from tests.subscriber.fakes import MemoryTarget

NAMES = derive_names(REFERENCE).records
PHOTOS = "photos.mycloud.local"
LOST = with_service("immich", Service(subdomain="photos", ip="203.0.113.66", port=80))


class _Laptop:
    """A machine with a hosts file; each `take` is a subscriber that starts, takes one snapshot, and ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts = folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")

    async def take(self, given: Snapshot, *more: Snapshot, **policy: Any) -> list[NodeAck]:
        """Heal, then take snapshots, with a policy; return all records."""
        settings = Settings.model_validate(
            {
                "subscriber": {"node": "a", "public_keys": [SIGNER.public_key], "state_dir": self.folder / "state"},
                "hosts": {"path": self.hosts},
                "policy": policy,
            }
        )
        state = NodeState(settings.subscriber.state_dir)
        found: list[NodeAck] = []
        async with state.locked(), aclosing(Node(settings.subscriber, "a", build_targets(settings), state)) as node:
            await node.open()
            healed = await node.heal()
            found += healed.acks if healed is not None else ()
            for each in (given, *more):
                found += (await node.take(seal(each, SIGNER), Delivery())).acks
        return found

    def names(self) -> set[str]:
        """Return the names in its hosts file."""
        return {line.partition("\t")[2] for line in self.hosts.read_text().splitlines() if "\t" in line}


def _said(logs: list[MutableMapping[str, Any]]) -> list[str]:
    return [log["event"] for log in logs if "policy" in log["event"]]


async def test_a_refused_entry_is_left_out_and_listed(tmp_path: Path) -> None:
    """The node applies the snapshot, the rest of it, and says what it did not take, and why."""
    laptop = _Laptop(tmp_path)
    (ack,) = await laptop.take(snapshot(LOST))
    assert (ack.state, ack.applied) == (State.APPLIED, ack.attempted)
    assert laptop.names() == set(NAMES) - {PHOTOS}
    assert [(each.entry, each.reason) for each in ack.refused] == [(PHOTOS, "203.0.113.66 is not in policy.networks")]
    assert ack.refused_count == 1


async def test_what_is_refused_now_goes_away(tmp_path: Path) -> None:
    """A name that was written before goes when its address, or the policy, becomes another one: it is no drift."""
    laptop = _Laptop(tmp_path)
    await laptop.take(snapshot())
    acks = await laptop.take(snapshot(LOST, version=58))
    assert PHOTOS not in laptop.names()
    assert acks[-1].targets["hosts"].deleted == 1
    acks = await laptop.take(snapshot(LOST, version=59), zones=["chat.mycloud.local"])
    assert laptop.names() == {"chat.mycloud.local"}
    acks += await laptop.take(snapshot(version=60), zones=[])
    assert laptop.hosts.read_text() == "127.0.0.1 localhost\n"
    acks += await laptop.take(snapshot(version=61))
    assert laptop.names() == set(NAMES)
    assert {ack.state for ack in acks} == {State.APPLIED}


async def test_a_change_by_hand_is_still_drift(tmp_path: Path) -> None:
    """With the same policy as before, what somebody did to the file while no subscriber ran is told."""
    laptop = _Laptop(tmp_path)
    await laptop.take(snapshot(LOST))
    laptop.hosts.write_text(laptop.hosts.read_text().replace("100.67.243.11", "192.0.2.9"))
    acks = await laptop.take(snapshot(LOST))
    assert [ack.state for ack in acks] == [State.DRIFTED, State.APPLIED, State.APPLIED]


async def test_a_withdrawal_goes_through(tmp_path: Path) -> None:
    """A node that takes nothing any more still gives up what it has."""
    laptop = _Laptop(tmp_path)
    await laptop.take(snapshot())
    await laptop.take(snapshot(Registry(nodes=REFERENCE.nodes), version=58), max_names=1)
    assert laptop.hosts.read_text() == "127.0.0.1 localhost\n"


async def test_it_is_logged_once(tmp_path: Path) -> None:
    """One line when something else is left out than before, also over a restart; one when nothing is any more."""
    laptop = _Laptop(tmp_path)
    with capture_logs() as logs:
        await laptop.take(snapshot(LOST), snapshot(LOST, version=58))
        await laptop.take(snapshot(LOST, version=59))
    assert [(log["entries"], log["first"]) for log in logs if "policy" in log["event"]] == [(1, PHOTOS)]
    with capture_logs() as logs:
        await laptop.take(snapshot(version=60))
        await laptop.take(snapshot(version=61))
    assert _said(logs) == ["this node's policy leaves nothing out any more"]


async def test_a_dry_run_names_it(tmp_path: Path) -> None:
    """The plan of a target says how much it would leave out, and the first of it."""
    laptop = _Laptop(tmp_path)
    await laptop.take(snapshot(LOST))
    settings = Settings.model_validate(
        {"subscriber": {"state_dir": tmp_path / "state"}, "hosts": {"path": laptop.hosts}, "policy": {"zones": []}}
    )
    (target,) = build_targets(settings)
    plan = str(await target.plan(REFERENCE))
    assert plan.startswith("0 created, 0 updated, 4 deleted; 5 refused (chat.mycloud.local: not in policy.zones; ")
    assert plan.endswith("; and 2 more)")


class _Wordy(MemoryTarget):
    """Fails with a message as long as another program can make it."""

    async def apply(self, registry: Registry) -> Outcome:  # noqa: ARG002
        raise TargetFailed("x", "é" * 100_000)


async def test_a_long_message_does_not_make_a_long_record(tmp_path: Path) -> None:
    """What another program says is clipped: a record always fits."""
    settings = Settings.model_validate({"subscriber": {"public_keys": [SIGNER.public_key]}}).subscriber
    state = NodeState(tmp_path)
    async with state.locked(), aclosing(Node(settings, "a", [_Wordy()], state)) as node:
        ack = (await node.take(seal(snapshot(), SIGNER), Delivery())).ack
    assert len(ack.to_body()) < 8 * 1024
    assert ack.error is not None
    assert ack.error.message.endswith("é…")
