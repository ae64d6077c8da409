"""Judge what was published last, by whose clock, and the seed that signs here. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.doctor.attempt import Fault
from cli.doctor.bus.facts import JetStreamSeen
from cli.doctor.bus.judge import judge_difference
from cli.doctor.check import Check, Part, Subject, command
from cli.newest import Newest, key_of
from cli.text import age
from common.snapshot import Snapshot

SNAPSHOT = Subject(Part.CONTROL_PLANE, "newest snapshot")
CLOCK = Subject(Part.CONTROL_PLANE, "publisher's clock")
SEED = Subject(Part.CONTROL_PLANE, "signing seed")

STALE_AFTER_PERIODS = 2.5
"""After so many republish periods without one, nodes call themselves stale."""

_PUBLISHING_S = 2.0
"""How long a publish may take between the publisher's time and the server's."""


@dataclass(frozen=True, slots=True)
class SeedSeen:
    """The signing seed that the settings of this machine name."""

    path: str
    public_key: str | Fault | None
    """None: there is no such file."""
    hidden: bool = False
    """This user may not look."""
    exposed: bool = False
    """Everybody may."""


def judge_snapshot(seen: JetStreamSeen | str) -> Iterator[Check]:
    """Yield the checks of the newest snapshot, and of the clock that it was published by."""
    if isinstance(seen, str):
        yield SNAPSHOT.skip(seen)
        yield CLOCK.skip(seen)
        return
    match seen.newest:
        case Newest(stored, Snapshot() as snapshot, None):
            yield _judge_age(snapshot, (seen.now - stored.stored_at).total_seconds())
            ahead_s = (snapshot.published_at - stored.stored_at).total_seconds()
            yield judge_difference(CLOCK, "the clock that the newest snapshot was dated by", ahead_s, _PUBLISHING_S)
            return
        case None:
            yield SNAPSHOT.fail("nothing was published yet", "routecast problems")
        case Fault():
            yield SNAPSHOT.fail(str(seen.newest), "routecast stream info")
        case unreadable:
            yield SNAPSHOT.fail(f"{unreadable.fault}", "routecast stream info")
    yield CLOCK.skip("there is no snapshot that can be read")


def _judge_age(snapshot: Snapshot, age_s: float) -> Check:
    what = f"version {snapshot.version} of epoch {snapshot.epoch} is whole, stored {age(age_s)} ago"
    if age_s <= STALE_AFTER_PERIODS * snapshot.republish_every_s:
        return SNAPSHOT.ok(what)
    return SNAPSHOT.fail(f"{what}, though it should be every {age(snapshot.republish_every_s)}", "routecast push")


def judge_seed(seen: SeedSeen, newest: Newest | None) -> Check:
    """Return the check of the seed: usable, private, and the one that the newest snapshot is signed with."""
    if seen.hidden:
        return SEED.skip(f"this user may not read {seen.path}", "sudo routecast doctor control-plane")
    if seen.public_key is None:
        return SEED.skip(f"there is no {seen.path} here: the publisher has it elsewhere, as in a secret")
    if isinstance(seen.public_key, Fault):
        words = ("sudo", "chmod", "600") if seen.exposed else ("ls", "-l")
        return SEED.fail(str(seen.public_key), command(*words, seen.path))
    used = key_of(newest.stored.sealed) if newest is not None else None
    if used is not None and used != seen.public_key:
        return SEED.warn(
            f"{seen.path} gives {seen.public_key}, but the newest snapshot is signed with {used}: one seed for all",
            "routecast stream info",
        )
    return SEED.ok(f"{seen.path}, public key {seen.public_key}")
