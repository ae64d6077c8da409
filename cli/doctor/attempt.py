"""Read one thing within a limit: what cannot be read becomes a value, so that no check hides another one."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from cli.run import first_of_ours
from common.errors import RoutecastError, TransientError

T = TypeVar("T")

LIMIT_S = 15.0
"""How long reading one thing may take, whatever is in the way, in s."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something could not be read."""

    error: RoutecastError

    def __str__(self) -> str:
        return " ".join(str(self.error).split())


async def attempt(what: str, work: Coroutine[Any, Any, T], limit_s: float = LIMIT_S) -> T | Fault:
    """Return what `work` returns, or why it could not; never raises, but lets a cancellation through."""
    try:
        async with asyncio.timeout(limit_s):
            return await work
    except RoutecastError as e:
        return Fault(e)
    except TimeoutError:
        return Fault(TransientError(f"{what}: no answer within {limit_s:g} s"))
    except ExceptionGroup as group:
        return Fault(first_of_ours(group) or _unexpected(what, group))
    except Exception as e:  # a fault of ours in one check must not hide what the others found
        return Fault(_unexpected(what, e))


def _unexpected(what: str, error: Exception) -> RoutecastError:
    return RoutecastError(f"{what}: {type(error).__name__}: {error}")
