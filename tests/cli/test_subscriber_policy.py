"""A node's own policy, as its owner sees it: `subscriber allow`, `sync --dry-run` and `status`."""

import signal

import orjson

from cli import exits
from common.bus import Bus
from tests.cli.bus_data import make_consumers, publish_registry
from tests.cli.conftest import Routecast
from tests.cli.processes import running
from tests.cli.test_subscriber import NODE, Laptop, laptop, on_laptop
from tests.world import until

__all__ = ["laptop", "on_laptop"]

FOUR = ("chat.mycloud.local", "dashboard.mycloud.local", "grafana.mycloud.local", "mycloud.local")


async def test_a_dry_run_says_what_is_refused(bus: Bus, on_laptop: Routecast) -> None:
    """Before a zone is taken or left out, its effect can be seen."""
    await publish_registry(bus)
    await on_laptop("subscriber", "allow", "--only", "photos.mycloud.local")
    result = await on_laptop("subscriber", "sync", "--dry-run")
    assert result.stdout == (
        "hosts  1 created, 0 updated, 0 deleted; 4 refused (chat.mycloud.local: not in policy.zones; "
        "dashboard.mycloud.local: not in policy.zones; grafana.mycloud.local: not in policy.zones; and 1 more)\n"
    )
    synced = await on_laptop("subscriber", "sync")
    assert synced.exit_code == exits.OK
    assert "hosts +1 ~0 -0 (4 refused): refused chat.mycloud.local (not in policy.zones), " in synced.stdout


async def test_a_running_service_takes_over_what_is_allowed(bus: Bus, laptop: Laptop, on_laptop: Routecast) -> None:
    """After a reload the names of other zones go, status names each of them and the command; allowed, they are back."""
    await publish_registry(bus)
    await make_consumers(bus, NODE)
    async with running("--config", str(laptop.config), "subscriber", "run", env={}) as service:
        await until(lambda: "photos" in laptop.hosts.read_text(), "applied")
        await on_laptop("subscriber", "allow", "--only", "photos.mycloud.local")
        service._process.send_signal(signal.SIGHUP)
        await until(lambda: "chat" not in laptop.hosts.read_text(), "reloaded")

        async def said() -> str | None:
            found: str = (await on_laptop("subscriber", "status")).stdout
            return found if "refused " in found else None

        status = await until(said, "the status")
        for name in FOUR:
            assert f"{name}: not in policy.zones" in status
        assert "sudo routecast subscriber allow ZONE" in status
        found = orjson.loads((await on_laptop("subscriber", "status", "-o", "json")).stdout)
        assert [each["entry"] for each in found["last_ack"]["targets"]["hosts"]["refused"]] == list(FOUR)
        await on_laptop("subscriber", "allow", "mycloud.local")
        service._process.send_signal(signal.SIGHUP)
        await until(lambda: "chat" in laptop.hosts.read_text(), "taken again")
        code, _, log = await service.stop(signal.SIGTERM)
    assert code == exits.OK
    assert log.count(b"this node's policy leaves entries out") == 1
    assert log.count(b"this node's policy leaves nothing out any more") == 1
    assert b"drifted" not in log
