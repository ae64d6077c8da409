"""`routecast subscriber allow`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.text import Text

from cli import exits
from cli.command import Command
from cli.console import cell, note
from cli.line import CommandLine
from cli.output import Output, output_option

if TYPE_CHECKING:
    from common.settings import Settings

ANY: Literal["any"] = "any"
RELOAD = ("systemctl", "reload", "routecast-subscriber")

Zones = tuple[str, ...] | Literal["any"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """The zones that a node takes names in, before and after, and the file that says so."""

    file: Path
    changed: bool
    before: Zones
    zones: Zones
    reloaded: bool
    """The service was told, and has taken it over."""


def zone(text: str) -> str:
    """Return a DNS zone, or the word for all of them.

    Raises:
        click.BadParameter: it is neither.

    """
    from common import values  # noqa: PLC0415 - not for help

    if text == ANY:
        return ANY
    try:
        return values.dns_name(text)
    except ValueError as e:
        raise click.BadParameter(str(e)) from e


@click.command(
    cls=Command,
    example="""
    sudo routecast subscriber allow mycloud.local
    sudo routecast subscriber allow --only mycloud.local example.com
    sudo routecast subscriber allow --remove example.com
    sudo routecast subscriber allow any
    """,
    ends={exits.OK: "it is so now, or was so before"},
)
@click.argument("zones", type=zone, nargs=-1, required=True, metavar="ZONE...")
@click.option("--only", is_flag=True, help="Take these zones, and no others any more.")
@click.option("--remove", is_flag=True, help="Take these zones no more. What was written of them goes away.")
@output_option
@click.pass_obj
def allow(line: CommandLine, *, zones: tuple[str, ...], only: bool, remove: bool, output: Output) -> None:
    """Choose the zones that this node takes names and host names in.

    ZONE is a DNS zone, with all that is below it, or the word any. Edits policy.zones in the settings file; comments
    stay. What lies outside is left out on this node, and told: `routecast nodes` counts it, `routecast acks` names it.
    """
    before: Zones = line.settings.policy.zones
    after = _after(before, zones, only=only, remove=remove)
    done = _write(line.settings, before, after)
    output.show(done, lambda: _draw(done))
    if done.changed and not done.reloaded:
        note(f"a service that runs takes it with: sudo {' '.join(RELOAD)}")
    if done.changed and line.settings_with().policy.zones != after:
        note("warning: ROUTECAST_POLICY_ZONES in the environment goes before the file")


def _after(before: Zones, given: tuple[str, ...], *, only: bool, remove: bool) -> Zones:
    """Return the zones as they are to be.

    Raises:
        click.UsageError: the words contradict each other.

    """
    if only and remove:
        raise click.UsageError("--only and --remove contradict each other")
    if ANY in given:
        if remove or len(given) > 1:
            raise click.UsageError("any stands by itself; to take some zones and no others: --only ZONE...")
        return ANY
    if remove and before == ANY:
        raise click.UsageError("all zones are taken, so none can be removed; to take only some: --only ZONE...")
    if only:
        return tuple(dict.fromkeys(given))
    if before == ANY:
        return ANY
    if remove:
        return tuple(each for each in before if each not in given)
    return tuple(dict.fromkeys((*before, *given)))


def _write(settings: "Settings", before: Zones, after: Zones) -> Allowed:
    from common.settings.edit import edit_settings  # noqa: PLC0415 - only here
    from common.settings.load import DEFAULT_PATH  # noqa: PLC0415

    file = settings.file or DEFAULT_PATH
    if after == before:
        return Allowed(file, changed=False, before=before, zones=after, reloaded=False)
    edit_settings(file, {"policy": {"zones": after}})
    # The unit's service reads the file in its usual place; whose another file is only its owner knows.
    reloaded = file == DEFAULT_PATH and os.geteuid() == 0 and reload_service()
    return Allowed(file, changed=True, before=before, zones=after, reloaded=reloaded)


def reload_service() -> bool:
    """Have the service read its settings again, where systemd runs it; tell whether it did."""
    from subscriber.targets.command import run  # noqa: PLC0415 - only here

    return run(("systemctl", "is-active", "--quiet", RELOAD[-1])).ok and run(RELOAD).ok


def _draw(done: Allowed) -> Text:
    if not done.changed:
        return cell(f"unchanged: {_words(done.zones)}")
    told = "; the service has taken it" if done.reloaded else ""
    return cell(f"{done.file}: policy.zones was {_words(done.before)}, is now {_words(done.zones)}{told}")


def _words(zones: Zones) -> str:
    if zones == ANY:
        return "any"
    return ", ".join(zones) or "none, so every name is refused"
