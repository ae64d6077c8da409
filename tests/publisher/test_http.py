import httpx
from prometheus_client.parser import text_string_to_metric_families

from common.sync_state import SyncState
from publisher.fleet import view
from publisher.http import serving
from tests.registries import AT, REFERENCE, snapshot
from tests.world import World, until


def _samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_readiness_and_metrics_tell_how_the_publisher_stands(world: World) -> None:
    """/readyz gives the reason while anything keeps it from publishing; /metrics counts what an operator alerts on."""
    await world.server.kill()
    async with world.publisher() as publisher:
        settings = world.settings().publisher
        async with serving(settings, publisher.report, publisher.metrics) as url, httpx.AsyncClient() as client:
            assert (await client.get(f"{url}/healthz")).status_code == 200
            waiting = await client.get(f"{url}/readyz")
            assert waiting.status_code == 503
            assert waiting.text.startswith("waiting: ")
            await world.server.start()

            async def ready() -> bool:
                return (await client.get(f"{url}/readyz")).status_code == 200

            await until(ready, "ready")
            found = _samples((await client.get(f"{url}/metrics")).text)
    assert found["routecast_snapshot_version", ()] == 1
    assert found["routecast_ready", ()] == 1
    assert found["routecast_problems", ("error",)] == 0
    assert found["routecast_source_state", ("service-registry", "readable")] == 1
    assert found["routecast_rounds_total", ("published", "change")] == 1


async def test_every_node_has_a_state_and_a_lag(world: World) -> None:
    """A node that never answered lags since the snapshot was made; one that runs it does not lag."""
    async with world.publisher() as publisher, world.nodes("vinay-laptop"):
        await world.synced("vinay-laptop")
        newest = await world.newest()
        assert newest is not None
        acks = {"vinay-laptop": await world.ack("vinay-laptop")}
        views = {v.node: v for v in view(newest, 1, acks, {}, newest.created_at)}
        assert publisher is not None
    assert set(views) == {node.name for node in REFERENCE.nodes}
    assert views["vinay-laptop"].state is SyncState.OFFLINE
    assert views["vinay-laptop"].lag_s == 0
    assert views["work-laptop"].state is SyncState.NEVER


def test_lag_grows_with_the_age_of_the_snapshot() -> None:
    """Lag is how long the newest snapshot exists without the node running it, in s."""
    later = AT.replace(minute=31)
    assert {v.lag_s for v in view(snapshot(), 1, {}, {}, later)} == {60.0}
