"""The publisher's HTTP side: /healthz, /readyz, /metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from common import log
from common.errors import ConfigError
from common.settings.publisher import PublisherSettings
from publisher.report import StatusReport

_log = log.get(__name__)


@asynccontextmanager
async def serving(settings: PublisherSettings, report: StatusReport, metrics: CollectorRegistry) -> AsyncIterator[str]:
    """Serve while the body runs; yield the base URL.

    /healthz says that the process works its loop; /readyz is 503, with the reason, while something keeps it from
    publishing.

    Raises:
        ConfigError: the address cannot be listened on.

    """

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        waiting_for = report.status().waiting_for
        if waiting_for is None:
            return web.Response(text="ready\n")
        return web.Response(status=503, text=f"waiting: {waiting_for}\n")

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, settings.http_host, settings.http_port)
    try:
        try:
            await site.start()
        except OSError as e:
            raise ConfigError(
                f"cannot listen on {settings.http_host}:{settings.http_port} ({e.strerror}); set publisher.http_port"
            ) from e
        host, port = runner.addresses[0][:2]
        _log.info("serving health and metrics", url=f"http://{host}:{port}")
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
