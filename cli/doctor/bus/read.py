"""Look at NATS over one connection: everything at once, and what cannot be read hides nothing else."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum

from cli.doctor.attempt import LIMIT_S, Fault, attempt
from cli.doctor.bus.deviations import CONSUMER_DEFAULTS, STREAM_DEFAULTS, Config, deviations
from cli.doctor.bus.facts import BusSeen, ClockSeen, JetStreamSeen, LoginSeen, ServerSeen, StreamSeen
from cli.doctor.bus.read_access import read_certificate, read_login
from cli.newest import read_newest_untrusted
from common import subjects
from common.bus import NODES_JETSTREAM, Bus, connected, translated
from common.clock import now
from common.errors import AccessDenied
from common.masking import masked
from common.settings import Settings
from common.streams import consumer_states, read_acks, read_statuses, stream_info
from common.transport import choose

_STAGES = 4
"""To connect, to ask for JetStream, for the newest snapshot, and for all the rest at once."""
_CONSUMER_PAGE = 256  # the server's limit for one answer


async def read_bus(settings: Settings, *, fleet: bool) -> BusSeen:
    """Return what is at the NATS server of the settings; never raises. With `fleet` all nodes are looked at as well."""
    nats = settings.nats
    login = await read_login(nats)
    as_node = isinstance(login, LoginSeen) and login.name is not None and login.name == settings.subscriber.node
    reading = _read_as_node(settings) if as_node else _read_server(settings, fleet=fleet)
    server = await attempt("NATS", reading, _STAGES * LIMIT_S)
    return BusSeen(masked(str(nats.url)), nats.host, nats.port, server, choose(nats), login)


async def _read_as_node(settings: Settings) -> ServerSeen:
    """Return what a node's credentials show: the newest snapshot, and nothing else of JetStream."""
    async with connected(settings.nats, "cli", jetstream_prefix=NODES_JETSTREAM) as bus:
        newest = await attempt("the newest snapshot", read_newest_untrusted(bus))
        hidden = Fault(AccessDenied("a node's credentials do not show it"))
        jetstream = JetStreamSeen(
            now=now(),
            clock=hidden,
            streams=dict.fromkeys(_wanted_streams(settings), hidden),
            newest=newest,
            statuses=hidden,
            consumers=hidden,
            odd_consumers=hidden,
            acks=hidden,
        )
        return await _server(bus, settings, newest if isinstance(newest, Fault) else jetstream)


async def _read_server(settings: Settings, *, fleet: bool) -> ServerSeen:
    async with connected(settings.nats, "cli") as bus:
        probe = await attempt("JetStream", stream_info(bus, subjects.REGISTRY))
        jetstream = probe if isinstance(probe, Fault) else await _read_jetstream(bus, settings, fleet=fleet)
        return await _server(bus, settings, jetstream)


async def _server(bus: Bus, settings: Settings, jetstream: JetStreamSeen | Fault) -> ServerSeen:
    version = str(bus.nc.connected_server_version).strip("<>").removeprefix("nats server v")
    return ServerSeen(version, bus.max_payload, jetstream, await read_certificate(settings.nats))


async def _read_jetstream(bus: Bus, settings: Settings, *, fleet: bool) -> JetStreamSeen:
    newest = await attempt("the newest snapshot", read_newest_untrusted(bus))
    snapshot = None if newest is None or isinstance(newest, Fault) else newest.snapshot
    nodes = [node.name for node in snapshot.registry.nodes] if fleet and snapshot is not None else []
    # The publishers only now: what they say of the newest snapshot is then never older than what was read of it.
    async with asyncio.TaskGroup() as reads:
        clock = reads.create_task(attempt("the server's time", _read_clock(bus)), name="clock")
        statuses = reads.create_task(attempt("the publishers' status", read_statuses(bus)), name="publishers")
        consumers = reads.create_task(attempt("the consumers", consumer_states(bus)), name="consumers")
        odd = reads.create_task(
            attempt("the consumers' settings", _odd_consumers(bus, nodes)), name="consumers' settings"
        )
        acks = reads.create_task(attempt("the nodes' answers", read_acks(bus, nodes)), name="answers")
        streams = {
            name: reads.create_task(attempt(f"stream {name}", _read_stream(bus, name, config, settings)), name=name)
            for name, config in _wanted_streams(settings).items()
        }
    seen = clock.result()
    return JetStreamSeen(
        now=now() + timedelta(seconds=seen.ahead_s if isinstance(seen, ClockSeen) else 0),
        clock=seen,
        streams={name: task.result() for name, task in streams.items()},
        newest=newest,
        statuses=statuses.result(),
        consumers=consumers.result(),
        odd_consumers=odd.result(),
        acks=acks.result(),
    )


async def _read_stream(bus: Bus, name: str, wanted: Config, settings: Settings) -> StreamSeen | None:
    info = await stream_info(bus, name)
    if info is None:
        return None
    defaults = dict(STREAM_DEFAULTS)
    if "replicas" not in settings.publisher.model_fields_set:
        defaults.pop("num_replicas")  # the publisher's machine may have the setting, this one has not
    return StreamSeen(info.state.messages, deviations(_plain(vars(info.config)), wanted, defaults))


def _wanted_streams(settings: Settings) -> dict[str, Config]:
    from publisher.pipeline.keeper import stream_configs  # noqa: PLC0415 - a part that needs no more than NATS

    return {str(config.name): _plain(vars(config)) for config in stream_configs(settings.publisher.replicas)}


async def _odd_consumers(bus: Bus, nodes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the durables of `nodes` that are not as the publisher makes them; it makes them, and never mends one."""
    from publisher.pipeline.keeper import consumer_config  # noqa: PLC0415 - see above

    found = await _consumer_configs(bus)
    odd = {}
    for node in nodes:
        name = subjects.durable(node)
        if name in found and (
            differs := deviations(found[name], _plain(vars(consumer_config(node))), CONSUMER_DEFAULTS)
        ):
            odd[name] = differs
    return odd


async def _consumer_configs(bus: Bus) -> dict[str, Config]:
    configs: dict[str, Config] = {}
    while True:
        with translated("listing consumers", bus):
            page = await bus.js.consumers_info(subjects.REGISTRY, offset=len(configs))
        configs.update({info.name: _plain(vars(info.config)) for info in page})
        if len(page) < _CONSUMER_PAGE:
            return configs


def _plain(config: Mapping[str, object]) -> Config:
    return {key: value.value if isinstance(value, Enum) else value for key, value in config.items()}


async def _read_clock(bus: Bus) -> ClockSeen | None:
    """Return the server's time, which stands in what it says of a stream (nats-server 2.10 and later)."""
    before = datetime.now(UTC)
    with translated("asking for the server's time", bus):
        reply = await bus.nc.request(f"$JS.API.STREAM.INFO.{subjects.REGISTRY}", b"", timeout=bus.timeout_s)
    after = datetime.now(UTC)
    told = json.loads(reply.data).get("ts")
    if told is None:
        return None
    half = (after - before) / 2
    ahead = datetime.fromisoformat(told) - (before + half)
    return ClockSeen(ahead.total_seconds(), half.total_seconds())
