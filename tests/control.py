"""Ask a publisher over the bus, as the command line does."""

import orjson

from common import subjects
from common.control import ControlReply, ControlRequest
from tests.world import World


async def ask(world: World, request: ControlRequest | bytes) -> ControlReply:
    """Send a request, and return the reply."""
    body = request if isinstance(request, bytes) else orjson.dumps(request.model_dump(mode="json"))
    async with world.bus() as bus:
        reply = await bus.nc.request(subjects.CONTROL, body, timeout=10)
    return ControlReply.model_validate_json(reply.data)
