"""The exit codes, the same for every command."""

from common.errors import AccessDenied, ConfigError, RoutecastError, TransientError

OK = 0
NOT_SO = 1
"""What was asked for does not hold: a node is not synced, there is nothing to show."""
USAGE = 2
"""Usage or settings are wrong."""
UNREACHABLE = 3
"""No publisher is running, or NATS or the cluster cannot be reached."""
INTERRUPTED = 130
"""Ctrl-C; 128 + SIGINT, as shells count."""


def exit_code_of(error: RoutecastError) -> int:
    """Return the code that a command ends with when `error` ends it."""
    match error:
        case ConfigError():
            return USAGE
        case TransientError() | AccessDenied():
            return UNREACHABLE
        case _:
            return NOT_SO
