"""Read the registry from its source, as the publisher would on first contact: nothing kept from before.

A node has none of the publisher's side: it is imported only where a command needs it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.extras import publisher_extra
from cli.run import run
from common.errors import SourceUnavailable
from common.models import Registry
from common.problems import Problem

if TYPE_CHECKING:
    from common.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

READ_LIMIT_S = 30.0
"""How long a source may take to be listed, in s."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A registry, what is wrong with its source, and which parts of it could not be read."""

    registry: Registry
    problems: tuple[Problem, ...]
    unreadable: tuple[str, ...]


def registry_options(command: F) -> F:
    """Add the options that choose the source; the command gets ``registry_dir`` and ``cluster``."""
    folder = click.option(
        "--registry-dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Read a folder of ConfigMap manifests (*.yaml). By default what the settings name, else the cluster.",
    )
    cluster = click.option("--cluster", is_flag=True, help="Read the cluster, whatever the settings name.")
    return folder(cluster(command))


def read_registry(settings: "Settings") -> Reading:
    """Return the registry of the source that the settings name.

    Raises:
        ConfigError: the kubeconfig is not usable, or the publisher's part of routecast is not installed.
        SourceUnavailable: the source does not answer.

    """
    return run(_read(settings))


async def _read(settings: "Settings") -> Reading:
    with publisher_extra():
        from publisher.pipeline.parse import Part, parse  # noqa: PLC0415
        from publisher.registry.book import open_book  # noqa: PLC0415
        from publisher.registry.reading import read_with_record  # noqa: PLC0415
        from publisher.registry.record import lost_edits  # noqa: PLC0415
    try:
        async with asyncio.timeout(READ_LIMIT_S), open_book(settings.publisher) as book:
            documents, edits = await read_with_record(book)
    except TimeoutError as e:
        raise SourceUnavailable(f"the registry could not be read within {READ_LIMIT_S:g} s") from e
    parsed = parse(documents, None)
    problems = (*parsed.problems, *lost_edits(documents, edits))
    return Reading(parsed.registry, problems, tuple(part.value for part in Part if part not in parsed.readable))
