"""`routecast join` and `routecast leave`, below a directory, with a real control plane."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from cli import exits
from cli.main import main
from common.ack import State
from common.errors import BusUnavailable, ConfigError, EditRefused, TargetFailed
from common.models import Role
from publisher.registry.invitation import KEY
from subscriber.joining.asking import Unanswered
from subscriber.joining.leave import plan_leave
from subscriber.joining.places import AUTHORITY, CREDENTIALS, PENDING, RECORD, SETTINGS, STATE
from subscriber.joining.record import Pending, read_pending
from subscriber.joining.service import wait_until_applied
from subscriber.joining.settings import read_settings
from subscriber.joining.units import ENABLED, UNIT
from tests.cli.conftest import NO_KEYS
from tests.joining_machine import Machine
from tests.secure import SecureWorld, lets_in, opened
from tests.trees import look
from tests.world import until

NAME = "vinay-laptop"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on beside the reference registry in a folder."""
    async with await opened(tmp_path) as made:
        yield made


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine that is a folder."""
    return Machine.laid_out(tmp_path / "machine")


def _entry(world: SecureWorld, name: str) -> dict[str, Any]:
    root = orjson.loads(world.registry.data("sync-controller-registry")["registry.json"])
    [found] = [
        each for entries in root.values() if isinstance(entries, list) for each in entries if each["name"] == name
    ]
    return dict(found)


async def test_a_machine_joins_serves_names_and_leaves_as_it_was(world: SecureWorld, machine: Machine) -> None:
    """From a token to names that the control plane knows of; after leaving the tree is the same as before."""
    before = look(machine.places.root)
    async with world.publisher():
        published = await world.published()
        told = {"installation": published.installation, "zones": ("mycloud.local",)}
        await machine.join((await world.invite(NAME)).model_copy(update=told))
        credentials = await machine.credentials()
        assert (credentials.name, credentials.public_key) == (NAME, _entry(world, NAME)[KEY])
        async with machine.running():
            ack = await wait_until_applied(machine.file(STATE) / "subscriber.sock", 15)
            assert ack.state is State.APPLIED
            stored = await world.ack(NAME)
            assert stored is not None
            assert stored.applied == ack.applied
        names = machine.file(Path("/etc/hosts")).read_text()
        assert "100.67.243.10\tphotos.mycloud.local\n" in names

    plan = await plan_leave(machine.places)
    assert plan is not None
    assert any(step.what == "withdraw" for step in plan.steps)
    said = await machine.leave()
    assert look(machine.places.root) == before
    assert any(step.what == "withdrew" for step in said)
    assert await plan_leave(machine.places) is None


async def test_what_a_join_writes_is_for_whom_it_should_be(world: SecureWorld, machine: Machine) -> None:
    """Secrets are root's alone, the seed stays here, the unit starts at boot, comments and settings of ours stay."""
    machine.file(SETTINGS).parent.mkdir()
    machine.file(SETTINGS).write_text('# mine\n[hosts]\nflush_command = ["true"]  # this too\n')
    async with world.publisher():
        token = await world.invite(NAME)
        await machine.join(token)
    modes = {
        path: machine.file(path).stat().st_mode & 0o777 for path in (CREDENTIALS, AUTHORITY, SETTINGS, RECORD, UNIT)
    }
    assert modes == {CREDENTIALS: 0o600, AUTHORITY: 0o644, SETTINGS: 0o644, RECORD: 0o600, UNIT: 0o644}
    assert machine.file(ENABLED).readlink() == UNIT
    assert not machine.file(PENDING).exists()
    seed = (await machine.credentials()).seed.get_secret_value()
    assert seed not in str(machine.steps) + str(look(world.registry.folder))

    text = machine.file(SETTINGS).read_text()
    assert text.startswith('# mine\n[hosts]\nflush_command = ["true"]  # this too\n')
    settings = await asyncio.to_thread(read_settings, machine.file(SETTINGS))
    assert str(settings.nats.url) == token.url
    assert settings.nats.credentials_file == CREDENTIALS
    assert settings.subscriber.role is Role.LAPTOP
    assert settings.subscriber.installation == token.installation
    assert settings.policy.zones == token.zones


async def test_the_same_join_again_changes_nothing(world: SecureWorld, machine: Machine) -> None:
    """Also when the token has been used, and the control plane is away by then."""
    async with world.publisher():
        token = await world.invite(NAME)
        await machine.join(token)
    joined = look(machine.places.root)
    await world.server.stop()
    machine.steps.clear()
    await machine.join(token)
    assert look(machine.places.root) == joined
    assert not [step for step in machine.steps if step.what == "wrote"]
    assert any(step.what == "unchanged" for step in machine.steps)


async def test_a_join_that_was_cut_short_goes_on(world: SecureWorld, machine: Machine) -> None:
    """The answer was lost, or the machine went down: the same token is good for the same key, and leaves one way."""
    before = look(machine.places.root)
    token = await world.invite(NAME)
    joining = asyncio.ensure_future(machine.join(token))
    async with world.publisher():
        await until(lambda: _entry(world, NAME).get(KEY), "the key is in the registry")
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)
        machine.file(CREDENTIALS).unlink(missing_ok=True)  # wherever it was cut
        await machine.join(token)
        assert (await machine.credentials()).public_key == _entry(world, NAME)[KEY]
    await machine.leave()
    assert look(machine.places.root) == before


async def test_an_answer_that_is_lost_costs_no_token(world: SecureWorld, machine: Machine) -> None:
    """Whoever hears nothing keeps the key, says so, and gets in with it later."""
    token = await world.invite(NAME)
    async with world.bus("publisher") as bus:
        heard = asyncio.Event()

        async def hear(_: Any) -> None:
            heard.set()

        await bus.nc.subscribe(f"registry.join.{token.id}", cb=hear)
        await bus.nc.flush()
        joining = asyncio.ensure_future(machine.join(token))
        await heard.wait()
    await world.server.kill()
    with pytest.raises(Unanswered, match="run the same command again"):
        await joining
    asked = await asyncio.to_thread(read_pending, machine.places, token.id)
    assert asked is not None
    await world.server.start()
    async with world.publisher():
        await machine.join(token)
    assert (await machine.credentials()).public_key == asked.key.public == _entry(world, NAME)[KEY]


async def test_who_is_refused_finds_everything_as_it_was(world: SecureWorld, machine: Machine) -> None:
    """A used, an altered, an expired token, another account's answer: a reason, and not a byte of us."""
    before = look(machine.places.root)
    async with world.publisher():
        used = await world.invite(NAME)
        await Machine.laid_out(world.folder / "first").join(used)
        with pytest.raises(EditRefused, match="used"):
            await machine.join(used)
        token = await world.invite("work-laptop")
        with pytest.raises(EditRefused, match="altered"):
            await machine.join(token.model_copy(update={"secret": used.secret}))
        with pytest.raises(EditRefused, match="is for 'work-laptop', not for 'another'"):
            await machine.join(token.model_copy(update={"node": "another"}))
        with pytest.raises(ConfigError, match="expired"):
            await machine.join(await world.invite("work-laptop", valid_for=timedelta(seconds=-5)))
        ended = await world.invite("work-laptop", valid_for=timedelta(seconds=-5))
        with pytest.raises(EditRefused, match=r"does not let the join token in.*routecast node add"):
            await machine.join(ended.model_copy(update={"expires": token.expires}))
        assert look(machine.places.root) == before


async def test_without_a_control_plane_nothing_is_left(world: SecureWorld, machine: Machine) -> None:
    """No NATS, or no publisher on it: a plain word after a while, and not a byte of us."""
    before, token = look(machine.places.root), await world.invite(NAME)
    with pytest.raises(BusUnavailable, match="no publisher is running"):
        await machine.join(token)
    assert look(machine.places.root) == before
    await world.server.stop()
    with pytest.raises(BusUnavailable, match="does not answer"):
        await machine.join(token)
    assert look(machine.places.root) == before


async def test_a_node_does_not_become_another_one(world: SecureWorld, machine: Machine) -> None:
    """It is told to leave first; settings that name another node stop it too."""
    async with world.publisher():
        await machine.join(await world.invite(NAME))
        joined, token = look(machine.places.root), await world.invite("work-laptop")
        with pytest.raises(ConfigError, match="sudo routecast leave"):
            await machine.join(token)
        assert look(machine.places.root) == joined
        other = Machine.laid_out(world.folder / "other")
        other.file(SETTINGS).parent.mkdir()
        other.file(SETTINGS).write_text('[subscriber]\nnode = "somebody"\n')
        with pytest.raises(ConfigError, match="'somebody'"):
            await other.join(token)


async def test_a_node_that_joins_again_gets_a_new_key(world: SecureWorld, machine: Machine) -> None:
    """With a token of `node add --rejoin`; the old key ends, and leaving still brings the first state back."""
    before = look(machine.places.root)
    async with world.publisher():
        await machine.join(await world.invite(NAME))
        old = await machine.credentials()
        await machine.join(await world.invite(NAME, rejoin=True))
        new = await machine.credentials()
        assert new.public_key != old.public_key

        async def ended() -> bool:
            return not await lets_in(world, NAME, old.jwt, old.seed.get_secret_value())

        await until(ended, "the old key is revoked")
        assert await lets_in(world, NAME, new.jwt, new.seed.get_secret_value())
    await machine.leave()
    assert look(machine.places.root) == before


async def test_a_service_that_never_applies_is_told_of(world: SecureWorld, machine: Machine) -> None:
    """Waiting has an end, and says what is missing."""
    socket = machine.file(STATE) / "subscriber.sock"
    with pytest.raises(TargetFailed, match="the service does not run"):
        await wait_until_applied(socket, 0.3)
    async with world.publisher():
        await machine.join(await world.invite(NAME))
    await world.server.stop()
    async with machine.running():
        with pytest.raises(TargetFailed, match="not connected to NATS"):
            await wait_until_applied(socket, 0.5)


async def test_as_it_is_typed(world: SecureWorld, machine: Machine) -> None:
    """The token comes by standard input, alone or as the whole command; each step is a line; --yes leaves."""
    root = ("--root", str(machine.places.root))
    before = look(machine.places.root)
    async with world.publisher():
        token = await world.invite(NAME)
        done = await _type("join", *root, "-", typed=f"sudo routecast join {token.encode()}\n")
        assert done.exit_code == exits.OK, done.output
        assert f"let in    the control plane knows this machine as {NAME}" in done.stdout
        assert "routecast leave" in done.stderr
        for secret in (token.secret, token.seed, token.jwt):
            assert secret.get_secret_value() not in done.output
        again = await _type("join", *root, token.encode(), "-o", "json")
        assert [orjson.loads(line)["what"] for line in again.stdout.splitlines()] == ["token", "unchanged", "service"]
        wrong = await _type("join", *root, token.encode()[:-5])
        assert (wrong.exit_code, "damaged" in wrong.stderr) == (exits.USAGE, True)
        nothing = await _type("join", *root, "-")
        assert (nothing.exit_code, "no join token" in nothing.stderr) == (exits.USAGE, True)
    asked = await _type("leave", *root)
    assert asked.exit_code == exits.NOT_SO
    assert f"remove    {machine.file(CREDENTIALS)}" in asked.stdout
    left = await _type("leave", *root, "--yes")
    assert left.exit_code == exits.OK, left.output
    assert f"routecast node remove {NAME}" in left.stderr
    assert look(machine.places.root) == before
    assert "has not joined" in (await _type("leave", *root, "--yes")).stdout


async def _type(*words: str, typed: str = "") -> Result:
    runner = CliRunner(env={"ROUTECAST_CONFIG": None, **NO_KEYS})
    result = await asyncio.to_thread(runner.invoke, main, words, input=typed, prog_name="routecast")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def test_what_was_answered_is_of_use_after_the_token(world: SecureWorld, machine: Machine) -> None:
    """A machine that went down with the answer in its hands needs neither the control plane nor more time."""
    other = Machine.laid_out(world.folder / "other")
    async with world.publisher():
        token = await world.invite(NAME)
        await other.join(token)
    made = await other.credentials()
    ended = token.model_copy(update={"expires": token.expires - timedelta(days=1)})
    with pytest.raises(ConfigError, match="expired"):
        await machine.join(ended)
    machine.file(PENDING).parent.mkdir(parents=True)
    await asyncio.to_thread(Pending(token=token.id, seed=made.seed, jwt=made.jwt).write, machine.places)
    await world.server.stop()
    await machine.join(ended)
    assert await machine.credentials() == made
