"""Structured logs on standard error: one line an event, key=value or JSON. Set up once, by the entry point."""

import logging
import sys

import structlog

from common.settings.log import LogSettings

_FORMATS: dict[str, structlog.typing.Processor] = {
    "logfmt": structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
    "json": structlog.processors.JSONRenderer(sort_keys=True),
}

_NOTHING = "returning true from eof_received() has no effect when using ssl"
"""What asyncio and uvloop say whenever a TLS connection of a stream ends: of no use to anybody."""


def set_up(settings: LogSettings) -> None:
    """Send every log line, the libraries' included, to standard error in the form that `settings` names."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _FORMATS[settings.format]],
        )
    )
    handler.addFilter(lambda record: record.msg != _NOTHING)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("cli", "common", "publisher", "subscriber"):
        logging.getLogger(ours).setLevel(settings.level.upper())
    if structlog.is_configured():  # level and form are `logging`'s; what is structlog's is the same each time
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module (``__name__``)."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
