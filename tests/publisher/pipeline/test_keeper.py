import nats.js.errors
import pytest
from nats.js.api import StreamConfig

from common import subjects
from common.bus import Bus
from common.streams import consumer_states
from publisher.pipeline.keeper import Keeper, consumer_config, stream_configs


async def test_streams_are_as_the_contract_says(bus: Bus) -> None:
    """Each stream keeps what the design says, for as long as it says."""
    configs = {name: (await bus.js.stream_info(name)).config for name in ("REGISTRY", "HISTORY", "ACKS", "STATUS")}
    assert configs["REGISTRY"].max_msgs_per_subject == 1
    assert (configs["HISTORY"].max_msgs, configs["HISTORY"].max_msgs_per_subject) == (256, 1)
    assert (configs["ACKS"].max_msgs_per_subject, configs["ACKS"].max_age) == (64, 0)
    assert (configs["STATUS"].max_msgs_per_subject, configs["STATUS"].max_age) == (1, 600)
    assert all(config.allow_direct for config in configs.values())


async def test_what_is_missing_is_made_again_and_what_is_there_is_left(bus: Bus) -> None:
    """A deleted stream comes back; the others keep their messages."""
    await bus.js.publish(subjects.ack("a"), b"{}")
    await bus.js.delete_stream(subjects.REGISTRY)
    await Keeper(bus, replicas=1).ensure_streams()
    assert (await bus.js.stream_info(subjects.REGISTRY)).state.messages == 0
    assert (await bus.js.stream_info(subjects.ACKS)).state.messages == 1


async def test_a_stream_with_other_settings_is_brought_to_ours(bus: Bus) -> None:
    """What somebody changed is set back, what is not ours to say stays."""
    info = await bus.js.stream_info(subjects.ACKS)
    await bus.js.update_stream(info.config.evolve(max_msgs_per_subject=3, description="mine"))
    await Keeper(bus, replicas=1).ensure_streams()
    config = (await bus.js.stream_info(subjects.ACKS)).config
    assert (config.max_msgs_per_subject, config.description) == (64, "mine")


async def test_a_limit_that_somebody_set_is_taken_off(bus: Bus) -> None:
    """An age or a size on a stream would lose the newest snapshot, or a laptop's record, in silence."""
    for name in (subjects.REGISTRY, subjects.ACKS):
        info = await bus.js.stream_info(name)
        await bus.js.update_stream(info.config.evolve(max_age=3600, max_bytes=1 << 20, max_msg_size=1 << 16))
    await Keeper(bus, replicas=1).ensure_streams()
    for name in (subjects.REGISTRY, subjects.ACKS):
        config = (await bus.js.stream_info(name)).config
        assert (config.max_age, config.max_bytes, config.max_msg_size) == (0, -1, -1)


async def test_each_node_has_one_durable(bus: Bus) -> None:
    """Missing durables are made, existing ones left alone, those of removed nodes deleted."""
    keeper = Keeper(bus, replicas=1)
    await keeper.ensure_consumers(["a", "b"])
    before = await bus.js.consumer_info(subjects.REGISTRY, "node-a")
    await keeper.ensure_consumers(["a", "b", "c"])
    await keeper.delete_consumers(["b", "never-there"])
    assert set(await consumer_states(bus)) == {"node-a", "node-c"}
    assert (await bus.js.consumer_info(subjects.REGISTRY, "node-a")).created == before.created


async def test_more_durables_than_one_answer_holds_are_all_seen(bus: Bus) -> None:
    """A fleet above the server's page of 256 is listed whole."""
    await Keeper(bus, replicas=1).ensure_consumers([f"n{i}" for i in range(300)])
    assert len(await consumer_states(bus)) == 300


async def test_a_durable_outlives_weeks_offline() -> None:
    """No inactivity limit, no limit of deliveries: a laptop may be away for as long as it likes."""
    config = consumer_config("a")
    assert config.inactive_threshold is None
    assert config.max_deliver == -1
    assert config.name == config.durable_name == "node-a"


async def test_an_unfit_stream_is_reported_not_fatal(bus: Bus) -> None:
    """A stream that the server will not change is an error in the log, and the others are still kept."""
    await bus.js.delete_stream(subjects.STATUS)
    await bus.js.add_stream(StreamConfig(name="OTHER", subjects=[subjects.STATUS_ALL]))
    await Keeper(bus, replicas=1).ensure_streams()
    with pytest.raises(nats.js.errors.NotFoundError):
        await bus.js.stream_info(subjects.STATUS)
    assert len(stream_configs(3)) == 4
