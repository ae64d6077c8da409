"""`routecast stream`, on a real server."""

import orjson
import pytest

from cli import exits
from cli.stream.head import changed_by
from cli.stream.log import make_log
from common import subjects
from common.bus import Bus
from common.models import Service
from common.snapshot import Hold, Order, Sealed, Snapshot, SourceInfo
from tests.cli.bus_data import make_consumers, publish, publish_raw, publish_registry
from tests.cli.conftest import Routecast
from tests.registries import AT, REFERENCE, SIGNER, snapshot, with_service, without_service

VERSIONS = {
    55: without_service("immich"),
    56: REFERENCE,
    57: with_service("wiki", Service(subdomain="wiki", ip="100.67.243.20", port=80)),
}
EPOCH = snapshot().epoch


@pytest.fixture
async def history(bus: Bus) -> list[Snapshot]:
    """Publish three versions: immich came, then wiki."""
    return [await publish_registry(bus, registry, version=version) for version, registry in VERSIONS.items()]


async def test_info_shows_the_streams_and_the_newest_snapshot(
    bus: Bus, history: list[Snapshot], routecast: Routecast
) -> None:
    """What is stored, and what identifies the newest snapshot."""
    await make_consumers(bus, "work-laptop")
    result = await routecast("stream", "info", "-o", "json")
    found = orjson.loads(result.stdout)
    assert result.exit_code == exits.OK
    assert {row["stream"]: row["messages"] for row in found["streams"]} == {
        "REGISTRY": 1,
        "HISTORY": 3,
        "ACKS": 0,
        "STATUS": 0,
    }
    assert found["newest"]["stream_seq"] == 3
    assert found["newest"]["key"] == SIGNER.public_key
    assert found["newest"]["snapshot"]["version"] == history[-1].version
    assert "registry" not in found["newest"]["snapshot"]
    said = (await routecast("stream", "info")).stdout
    assert f"57 of epoch {EPOCH}" in said
    assert SIGNER.public_key in said


async def test_info_says_what_is_missing(bus: Bus, routecast: Routecast) -> None:
    """A missing stream is exit code 1; an empty one, and a message that cannot be read, are said."""
    empty = await routecast("stream", "info")
    assert (empty.exit_code, empty.stdout.splitlines()[0]) == (exits.OK, "nothing was published yet")
    await publish_raw(bus, Sealed(b"\x00", {}))
    broken = await routecast("stream", "info")
    assert "cannot be read" in broken.stdout
    await bus.js.delete_stream(subjects.HISTORY)
    missing = await routecast("stream", "info")
    assert missing.exit_code == exits.NOT_SO
    assert ["HISTORY", "missing"] in [line.split() for line in missing.stdout.splitlines()]


async def test_log_lists_versions_the_newest_first(history: list[Snapshot], routecast: Routecast) -> None:
    """Each version with what it changed; the first that is kept has nothing to be compared with."""
    rows = orjson.loads((await routecast("stream", "log", "-o", "json")).stdout)
    assert [(row["version"], row["added"], row["changed"], row["removed"]) for row in rows] == [
        (57, 2, 0, 0),
        (56, 4, 0, 0),
        (55, None, None, None),
    ]
    assert rows[0]["digest"] == history[-1].digest
    fewer = orjson.loads((await routecast("stream", "log", "-n", "1", "-o", "json")).stdout)
    assert fewer == rows[:1]
    table = (await routecast("stream", "log")).stdout.splitlines()
    assert [line.split()[0] for line in table] == ["VERSION", "57", "56", "55"]
    assert rows[0]["what"][0].startswith("+ service ")
    assert rows[0]["what"][0] in table[1]


async def test_log_of_nothing_is_not_so(bus: Bus, routecast: Routecast) -> None:
    """Before the first version there is no log."""
    assert bus
    result = await routecast("stream", "log")
    assert result.exit_code == exits.NOT_SO
    assert "nothing was published yet" in result.stderr


async def test_log_survives_a_version_that_cannot_be_read(
    bus: Bus, history: list[Snapshot], routecast: Routecast
) -> None:
    """A damaged version is a row with its fault; several epochs are told apart."""
    await bus.js.publish(subjects.history(history[0].epoch + 1, 1), b"\x00")
    result = await routecast("stream", "log")
    first = result.stdout.splitlines()[1]
    assert first.startswith(f"{EPOCH + 1}/1 ")
    assert "not signed" in first
    assert result.exit_code == exits.OK


def test_a_version_that_vanished_meanwhile_is_said() -> None:
    """What fell out of the history while it was read is a row as well, and the next one has no counts."""
    rows = make_log([Order(1, 1), Order(1, 2)], ["no longer kept", snapshot()])
    assert [(row.version, row.fault, row.added) for row in rows] == [(2, None, None), (1, "no longer kept", None)]


async def test_show_prints_the_newest_or_any_version(history: list[Snapshot], routecast: Routecast) -> None:
    """By default the newest; as JSON it is the body that nodes get."""
    newest = orjson.loads((await routecast("stream", "show", "-o", "json")).stdout)
    assert Snapshot.model_validate(newest) == history[-1]
    for name in ("55", f"{EPOCH}/55"):
        shown = orjson.loads((await routecast("stream", "show", name, "-o", "json")).stdout)
        assert Snapshot.model_validate(shown) == history[0]
    said = (await routecast("stream", "show", "57")).stdout
    assert "wiki.mycloud.local" in said
    assert history[-1].digest in said


async def test_show_says_what_is_not_kept(bus: Bus, history: list[Snapshot], routecast: Routecast) -> None:
    """A version that is not kept is exit code 1, with the command that lists those that are."""
    missing = await routecast("stream", "show", "12")
    assert missing.exit_code == exits.NOT_SO
    assert f"version {EPOCH}/12 is not kept; `routecast stream log`" in missing.stderr
    await bus.js.publish(subjects.history(EPOCH, 13), b"\x00")
    assert "cannot be read" in (await routecast("stream", "show", "13")).stderr
    assert history


async def test_a_broken_newest_message_leaves_the_history(
    bus: Bus, history: list[Snapshot], routecast: Routecast
) -> None:
    """The newest cannot be shown; those before can, by their numbers alone."""
    await publish_raw(bus, Sealed(b"\x00", {}))
    broken = await routecast("stream", "show")
    assert broken.exit_code == exits.NOT_SO
    assert "cannot be read" in broken.stderr
    assert (await routecast("stream", "show", "57")).exit_code == exits.OK
    await bus.js.purge_stream(subjects.REGISTRY)
    assert (await routecast("stream", "show", "57")).exit_code == exits.OK
    assert (await routecast("stream", "show")).exit_code == exits.NOT_SO
    await bus.js.purge_stream(subjects.HISTORY)
    assert "nothing was published" in (await routecast("stream", "show", "57")).stderr
    assert history


async def test_diff_shows_the_last_change(history: list[Snapshot], routecast: Routecast) -> None:
    """Without words: from the version before the newest to the newest."""
    result = await routecast("stream", "diff")
    assert result.stdout.splitlines() == [
        f"version 56 ({history[1].digest[7:19]}) -> 57 ({history[2].digest[7:19]})",
        "services",
        "  + wiki: wiki, 100.67.243.20 port 80, private",
        "names",
        "  + wiki.mycloud.local -> 100.67.243.20",
    ]


async def test_diff_of_named_versions(history: list[Snapshot], routecast: Routecast) -> None:
    """From A to the newest, or from A to B, backwards too; two of the same have no difference."""
    there = orjson.loads((await routecast("stream", "diff", "55", "-o", "json")).stdout)
    assert (there["before"]["version"], there["after"]["version"]) == (55, 57)
    back = orjson.loads((await routecast("stream", "diff", "57", f"{EPOCH}/55", "-o", "json")).stdout)
    assert {change["op"] for change in there["changes"]} == {"added"}
    assert {change["op"] for change in back["changes"]} == {"removed"}
    assert len(there["changes"]) == len(back["changes"])
    same = await routecast("stream", "diff", "57", "57")
    assert same.stdout.endswith("no difference\n")
    assert same.exit_code == exits.OK
    assert history


async def test_diff_without_a_version_before(bus: Bus, routecast: Routecast) -> None:
    """The first version has nothing to be compared with: exit code 1."""
    await publish(bus, snapshot(version=1))
    result = await routecast("stream", "diff")
    assert result.exit_code == exits.NOT_SO
    assert f"no version before {EPOCH}/1 is kept" in result.stderr


def test_who_changed_what_follows_the_resource_versions() -> None:
    """A document counts as changed when its resource version differs, or, without one, when anything of it does."""
    before = snapshot().model_copy(
        update={
            "sources": {
                "a": SourceInfo(resource_version="1", changed_at=AT),
                "b": SourceInfo(resource_version="1"),
                "c": SourceInfo(changed_by="vi"),
            }
        }
    )
    after = before.model_copy(
        update={
            "sources": {
                "a": SourceInfo(resource_version="1"),
                "b": SourceInfo(resource_version="2", changed_by="kubectl-edit"),
                "c": SourceInfo(changed_by="vi"),
                "d": SourceInfo(),
            }
        }
    )
    assert changed_by(before, after) == ["b by kubectl-edit", "d"]
    assert changed_by(None, before) == ["a", "b", "c by vi"]


async def test_a_hold_and_its_sources_are_shown(bus: Bus, routecast: Routecast) -> None:
    """Old content that is published on purpose says so, and which form of a document it came from."""
    held = snapshot().model_copy(
        update={
            "hold": Hold(of_version=41, until=AT, by="ann@cp1"),
            "sources": {"service-registry": SourceInfo(resource_version="8812", changed_by="kubectl-edit")},
        }
    )
    await publish(bus, held)
    said = (await routecast("stream", "show")).stdout
    assert "at version 41 by ann@cp1" in said
    assert "service-registry at 8812 by kubectl-edit" in said
