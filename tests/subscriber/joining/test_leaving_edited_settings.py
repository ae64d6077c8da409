"""What the owner has written into the settings since the join stays there."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common.settings.edit import edit_settings
from subscriber.joining.join import join
from subscriber.joining.leave import leave, plan_leave
from subscriber.joining.places import SETTINGS, Places
from subscriber.joining.units import PROGRAM
from tests.secure import SecureWorld, opened

NAME = "vinay-laptop"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on beside the reference registry in a folder."""
    async with await opened(tmp_path) as made:
        yield made


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Return a machine that is an empty folder."""
    (tmp_path / "machine" / "etc" / "routecast").mkdir(parents=True)
    return Places((tmp_path / "machine").resolve())


async def _join(world: SecureWorld, places: Places) -> Path:
    async with world.publisher():
        await join(await world.invite(NAME), places, PROGRAM, lambda _: None, 10)
    return places.at(SETTINGS)


async def test_a_file_of_ours_goes_though_zones_were_allowed(world: SecureWorld, places: Places) -> None:
    """`subscriber allow` edits what joining has set: nothing of the owner's is in it."""
    file = await _join(world, places)
    await _edit(file, {"policy": {"zones": ("a.example",)}})
    await leave(places, lambda _: None)
    assert not file.exists()


async def test_a_file_of_ours_stays_with_what_was_added(world: SecureWorld, places: Places) -> None:
    """A setting, or only a comment: what joining has set goes out of it, and the plan says so."""
    file = await _join(world, places)
    file.write_text(file.read_text() + '\n[log]\nlevel = "debug"  # noisy\n')
    plan = await plan_leave(places)
    assert plan is not None
    assert [step.about for step in plan.steps if step.what == "edit"] == [
        f"{file}: what joining has set goes, what you wrote stays"
    ]
    await leave(places, lambda _: None)
    assert "# noisy" in file.read_text()
    assert {name: of for name, of in tomllib.loads(file.read_text()).items() if of} == {"log": {"level": "debug"}}


async def test_the_owners_file_is_as_it_was_though_zones_were_allowed(world: SecureWorld, places: Places) -> None:
    """Byte for byte, where nothing of the owner's has been added."""
    before = '# mine\n[log]   # a word\nlevel="debug"\n\n\n[nats]\nurl = "nats://127.0.0.1:4222"\n'
    places.at(SETTINGS).write_text(before)
    file = await _join(world, places)
    await _edit(file, {"policy": {"zones": ("a.example",)}})
    await leave(places, lambda _: None)
    assert file.read_text() == before


async def test_a_linked_file_is_edited_where_it_is(world: SecureWorld, places: Places) -> None:
    """The link stays one; what it points to is as it was afterwards."""
    real = places.root / "srv" / "mine.toml"
    real.parent.mkdir()
    real.write_text("# mine\n")
    places.at(SETTINGS).symlink_to("../../srv/mine.toml")
    file = await _join(world, places)
    assert file.is_symlink()
    assert NAME in real.read_text()
    await leave(places, lambda _: None)
    assert file.is_symlink()
    assert real.read_text() == "# mine\n"


async def test_a_file_that_the_owner_took_away_stays_away(world: SecureWorld, places: Places) -> None:
    """It is his to decide."""
    places.at(SETTINGS).write_text("# mine\n")
    file = await _join(world, places)
    file.unlink()
    await leave(places, lambda _: None)
    assert not file.exists()


async def _edit(file: Path, changes: dict[str, dict[str, tuple[str, ...]]]) -> None:
    assert await asyncio.to_thread(edit_settings, file, changes)
