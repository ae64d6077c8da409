"""Ask the running publisher for an operation, on ``registry.control``."""

import asyncio
import uuid

import nats.errors
import orjson
from pydantic import ValidationError

from cli.who import who
from common import subjects
from common.bus import Bus, translated
from common.control import ControlReply, ControlRequest
from common.errors import BusUnavailable, RoutecastError


async def ask(bus: Bus, op: str, *, timeout_s: float) -> ControlReply:
    """Return the answer to the operation `op`, which comes when its round has ended.

    Raises:
        BusUnavailable: no publisher is running, or it did not answer within `timeout_s`.
        RoutecastError: it answered that it could not, and why.

    """
    request = ControlRequest(op=op, request_id=str(uuid.uuid4()), by=await asyncio.to_thread(who))
    try:
        with translated(f"asking the publisher for a {op}", bus):
            message = await bus.nc.request(
                subjects.CONTROL, orjson.dumps(request.model_dump(mode="json")), timeout=timeout_s
            )
    except BusUnavailable as e:
        raise _plainly(e, op, timeout_s) from e
    try:
        reply = ControlReply.model_validate_json(message.data)
    except ValidationError as e:
        raise RoutecastError(f"the publisher's answer to {op} cannot be read; is it a newer version?") from e
    if not reply.ok:
        raise RoutecastError(f"the publisher could not {op}: {reply.error}")
    return reply


def _plainly(error: BusUnavailable, op: str, timeout_s: float) -> BusUnavailable:
    match error.__cause__:
        case nats.errors.NoRespondersError():
            return BusUnavailable(
                "no publisher is running: nobody answers on this NATS server; start one with `routecast publisher run`"
            )
        case nats.errors.TimeoutError():
            return BusUnavailable(
                f"the publisher did not answer within {timeout_s:g} s; it may still {op}, see `routecast nodes`, "
                "or give it more time with --timeout"
            )
        case _:
            return error
