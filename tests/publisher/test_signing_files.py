import asyncio
import os
from pathlib import Path

import pytest

from common.errors import ConfigError
from common.signing import read_seed
from publisher.signing import Stage
from publisher.signing_files import SeedFiles, WatchedSeeds
from tests.registries import SIGNER
from tests.world import SEED


@pytest.fixture
def files(tmp_path: Path) -> SeedFiles:
    """Write the signing seed of the tests."""
    seed = tmp_path / "signing.seed"
    seed.write_text(SEED)
    seed.chmod(0o600)
    return SeedFiles(seed)


def _names(files: SeedFiles) -> list[str]:
    return sorted(each.name for each in files.path.parent.iterdir())


def test_the_way_of_a_rotation(files: SeedFiles) -> None:
    """Next, current, previous, gone: at each step the seeds are whole, and readable by their owner alone."""
    files.make_next()
    announcing = files.read()
    assert (announcing.stage, announcing.current) == (Stage.ANNOUNCING, SIGNER.public_key)
    files.write_record(b"{}")
    files.switch()
    retiring = files.read()
    assert (retiring.stage, retiring.current, retiring.previous) == (
        Stage.RETIRING,
        announcing.next,
        SIGNER.public_key,
    )
    assert {file.stat().st_mode & 0o777 for file in files.path.parent.iterdir()} == {0o600}
    files.drop_previous()
    assert (files.read().stage, _names(files)) == (Stage.NONE, ["signing.seed"])


def test_a_switch_that_was_cut_short_is_done_again(files: SeedFiles) -> None:
    """Killed between its two steps, the seeds still announce; doing it again ends as if nothing had been."""
    files.make_next()
    wanted = files.read().next
    os.link(files.path, files.previous)
    assert files.read().stage is Stage.ANNOUNCING
    files.switch()
    assert (files.read().current, files.read().previous) == (wanted, SIGNER.public_key)


def test_what_a_killed_run_left_half_written_is_no_seed(files: SeedFiles) -> None:
    """The next seed is there whole or not at all."""
    (files.path.parent / ".signing.seed.making").write_text("AAAA")
    assert files.read().stage is Stage.NONE
    files.make_next()
    assert files.read().stage is Stage.ANNOUNCING
    assert _names(files) == ["signing.seed", "signing.seed.next"]


def test_the_next_seed_is_readable_by_whom_the_current_one_is(files: SeedFiles) -> None:
    """A publisher that reads its seed through its group reads the next one too; nobody else does."""
    files.path.chmod(0o640)
    files.make_next()
    assert files.next.stat().st_mode & 0o777 == 0o640
    assert (files.next.stat().st_uid, files.next.stat().st_gid) == (files.path.stat().st_uid, files.path.stat().st_gid)


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_is_no_next_seed(files: SeedFiles, text: str) -> None:
    """What hands seeds on may not be able to leave one out."""
    files.next.write_text(text)
    assert files.read().next is None


def test_two_rotations_do_not_run_at_once(files: SeedFiles) -> None:
    """The second is refused, and says why; a lock is let go with its process."""
    with files.locked(), pytest.raises(ConfigError, match="another `routecast trust rotate`"), files.locked():
        pass
    with files.locked():
        pass


def test_a_folder_that_is_not_ours_is_said(files: SeedFiles, tmp_path: Path) -> None:
    """What cannot be written is named with what to do."""
    gone = SeedFiles(tmp_path / "none" / "signing.seed")
    assert not gone.read_only
    with pytest.raises(ConfigError, match="cannot be opened"), gone.locked():
        pass
    with pytest.raises(ConfigError, match="with sudo"):
        gone.make_next()
    files.next.mkdir()
    with pytest.raises(ConfigError, match=r"signing\.seed\.next cannot be read"):
        files.read()


def test_a_running_publisher_sees_changed_seeds(files: SeedFiles) -> None:
    """Looked at before each round; unchanged files cost a look and no more."""
    watched = WatchedSeeds(files.path, read_seed(files.path))
    assert not asyncio.run(watched.refresh())
    files.make_next()
    assert asyncio.run(watched.refresh())
    assert not asyncio.run(watched.refresh())
    assert watched.keys.stage is Stage.ANNOUNCING
    files.switch()
    assert asyncio.run(watched.refresh())
    assert watched.keys.current != SIGNER.public_key


@pytest.mark.parametrize("mode", [0o604, None])
def test_seeds_that_cannot_be_used_change_nothing(files: SeedFiles, mode: int | None) -> None:
    """A publisher goes on with what it has read, and says why; mended files count again."""
    watched = WatchedSeeds(files.path, SIGNER)
    files.make_next()
    if mode is None:
        files.path.rename(files.record)
    else:
        files.next.chmod(mode)
    assert not asyncio.run(watched.refresh())
    assert watched.keys.current == SIGNER.public_key
    if mode is None:
        files.record.rename(files.path)
    else:
        files.next.unlink()
        files.make_next()
    assert asyncio.run(watched.refresh())
