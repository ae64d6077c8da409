"""Put answers on the wire as the API server does, and break them as `Faults` says."""

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web

from tests.fakes.kubernetes_status import Document, StatusError


def answer_json(body: Document, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer an object."""
    encoded = json.dumps(body).encode() + b"\n"
    return web.Response(body=encoded, status=status, headers=headers, content_type="application/json")


def answer_refusal(error: StatusError) -> web.Response:
    """Answer a `Status`, with when to come back where the server says so."""
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return answer_json(error.body(), error.code, headers)


async def send_half(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Declare the length of the whole body, send half of it, and break the connection."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    half = web.StreamResponse(status=whole.status, headers={"Content-Type": "application/json"})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport:
        request.transport.abort()
    return half


async def send_nothing(request: web.Request) -> None:
    """Break the connection, and wait for this handler to be cancelled by that."""
    if request.transport:
        request.transport.abort()
    await asyncio.Event().wait()
