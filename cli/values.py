"""What words on the command line may be: ``type`` functions for click, which say what they expected instead."""

import re
from dataclasses import dataclass

import click

from common import values

_DURATION = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)(?P<unit>ms|[smhd])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_VERSION = re.compile(r"((?P<epoch>[1-9][0-9]{0,15})/)?(?P<version>[1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class VersionName:
    """A version as people name it; `epoch` None means the newest one."""

    epoch: int | None
    version: int


def duration(text: str) -> float:
    """Return the seconds of a number with its unit; a bare number is refused, for nobody knows its unit.

    Raises:
        click.BadParameter: it is none.

    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise click.BadParameter(f"{text!r} is not a length of time: a number with its unit, as 90s, 30m, 4h or 7d")
    return float(match["number"]) * _SECONDS[match["unit"]]


def version_name(text: str) -> VersionName:
    """Return the version that ``57`` or ``1763885042123/57`` names.

    Raises:
        click.BadParameter: it names none.

    """
    match = _VERSION.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a version: a number, as 57, or with its epoch, as 1763885042123/57")
    return VersionName(int(match["epoch"]) if match["epoch"] else None, int(match["version"]))


def node_name(text: str) -> str:
    """Return the name of a node.

    Raises:
        click.BadParameter: it cannot be one.

    """
    try:
        return values.node_name(text)
    except ValueError as e:
        raise click.BadParameter(str(e)) from e


def address(text: str) -> str:
    """Return an IPv4 or IPv6 address in its canonical form.

    Raises:
        click.BadParameter: it is none.

    """
    try:
        return values.address(text)
    except ValueError as e:
        raise click.BadParameter(str(e)) from e
