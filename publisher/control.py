"""Answer operators on ``registry.control``: one reply a request, when its round has ended."""

import asyncio

import orjson
from nats.aio.msg import Msg
from pydantic import ValidationError

from common import log, subjects
from common.bus import Bus, translated
from common.control import ControlReply, ControlRequest
from common.errors import RoutecastError
from common.snapshot import Reason
from publisher.pipeline.schedule import Schedule

_log = log.get(__name__)

_REASONS = {"push": Reason.PUSH, "reconcile": Reason.RECONCILE}


async def answer_control(bus: Bus, schedule: Schedule) -> None:
    """Serve requests for as long as the connection lasts; of several publishers one gets each.

    Raises:
        BusUnavailable: the connection is gone.

    """
    with translated("listening for requests", bus):
        subscription = await bus.nc.subscribe(subjects.CONTROL, queue=subjects.CONTROL_QUEUE)
        async with asyncio.TaskGroup() as answers:
            async for message in subscription.messages:
                answers.create_task(_answer(message, schedule), name="control request")


async def _answer(message: Msg, schedule: Schedule) -> None:
    reply = await _handle(message.data, schedule)
    if message.reply:
        with translated("answering a request"):
            await message.respond(orjson.dumps(reply.model_dump(mode="json")))


async def _handle(body: bytes, schedule: Schedule) -> ControlReply:
    try:
        request = ControlRequest.model_validate_json(body)
    except ValidationError as e:
        return ControlReply(ok=False, error=f"not a control request: {e.errors(include_url=False)[0]['msg']}")
    reason = _REASONS.get(request.op)
    if reason is None:
        return ControlReply(ok=False, error=f"unknown operation {request.op!r}; this publisher knows: push, reconcile")
    _log.info("asked", op=request.op, by=request.by, request_id=request.request_id)
    try:
        done = await schedule.ask(reason)
    except RoutecastError as e:
        return ControlReply(ok=False, error=str(e))
    snapshot = done.snapshot
    return ControlReply(
        ok=True,
        epoch=snapshot.epoch,
        version=snapshot.version,
        digest=snapshot.digest,
        stream_seq=done.stream_seq,
    )
