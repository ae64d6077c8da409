"""`routecast node add` where the control plane has keys: the token, and the wait for the machine."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result

from cli import exits
from common import subjects
from common.ack import Agent, NodeAck, Revision, State
from common.clock import now
from common.models import Role
from common.trust.nkeys import KeyPair, Owner
from common.trust.token import JoinToken
from tests.cli.conftest import NO_KEYS, run_routecast
from tests.cli.processes import Routecasting, running
from tests.registries import SIGNER
from tests.secure import SecureWorld, ask_to_join, opened, raw

LAPTOP = ("node", "add", "laptop", "new-laptop", "100.88.150.20")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on beside the reference registry in a folder."""
    async with await opened(tmp_path) as made:
        yield made


def _env(world: SecureWorld) -> dict[str, str]:
    return {
        "ROUTECAST_NATS_URL": world.server.url,
        "ROUTECAST_NATS_CA_FILE": str(world.trust.authority),
        "ROUTECAST_NATS_CREDENTIALS_FILE": str(world.trust.credentials("operator")),
        "ROUTECAST_TRUST_DIRECTORY": str(world.trust.path),
        "ROUTECAST_TRUST_SERVER_DIRECTORY": str(world.trust.server),
        "ROUTECAST_TRUST_JOIN_URL": world.server.url,
        "ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(world.seed),
    }


async def _run(world: SecureWorld, *words: str, **env: str) -> Result:
    folder = ("--registry-dir", str(world.registry.folder))
    return await asyncio.to_thread(run_routecast, *folder, *words, env={**_env(world), **env})


async def _json(world: SecureWorld, *words: str, **env: str) -> dict[str, Any]:
    result = await _run(world, *words, "-o", "json", **env)
    assert result.exit_code == exits.OK, result.output
    value: dict[str, Any] = orjson.loads(result.stdout)
    return value


def _token(report: dict[str, Any]) -> JoinToken:
    assert report["join"]["command"] == f"sudo routecast join {report['join']['token']}"
    return JoinToken.decode(report["join"]["token"])


async def test_it_prints_one_command_for_the_machine(world: SecureWorld) -> None:
    """With until when it is good; nothing of the token is anywhere else that could be read."""
    result = await _run(world, *LAPTOP)
    assert result.exit_code == exits.OK, result.output
    *_, said, command = result.stdout.splitlines()
    assert said.startswith("On that machine, until ")
    token = JoinToken.decode(command.strip().removeprefix("sudo routecast join "))
    assert (token.node, token.role, token.url, token.tls) == ("new-laptop", Role.LAPTOP, world.server.url, "required")
    assert (token.public_keys, token.zones) == ((SIGNER.public_key,), ("mycloud.local",))
    assert token.issuer == world.keys.nodes.public
    assert timedelta(minutes=59) < token.expires - now() <= timedelta(hours=1)
    shown = result.stdout.removesuffix(f"{command}\n")
    kept = b"".join(file.read_bytes() for file in world.registry.folder.glob(".routecast-*"))
    written = world.registry.path("sync-controller-registry").read_text()
    secret = token.secret.get_secret_value()
    hashed = orjson.loads(world.registry.data("sync-controller-registry")["registry.json"])["management_laptops"][-1]
    for text in (shown, kept.decode(), result.stderr):
        assert secret not in text
        assert hashed["join"]["secret_sha256"] not in text
    assert secret not in written
    assert token.id in kept.decode()


async def test_a_vps_may_serve_all_domains(world: SecureWorld) -> None:
    """Its policy begins with them."""
    token = _token(await _json(world, "node", "add", "vps", "linode-asia", "100.72.200.50", "--token-for", "2h"))
    assert token.zones == ("mycloud.local", "curiios.com", "vinaysachdeva.com")
    assert token.expires - now() > timedelta(minutes=119)


async def test_adding_again_gives_a_new_token_until_it_has_joined(world: SecureWorld) -> None:
    """Then only with --rejoin; one that was revoked meanwhile gets one."""
    first, second = _token(await _json(world, *LAPTOP)), _token(await _json(world, *LAPTOP))
    assert first.id != second.id
    async with world.publisher():
        await world.published()
        assert not (await ask_to_join(world, first, KeyPair.new(Owner.USER).public)).ok
        assert (await ask_to_join(world, second, KeyPair.new(Owner.USER).public)).ok
    again = await _json(world, *LAPTOP)
    assert again["join"] is None
    assert not again["changed"]
    assert "has joined already" in again["notes"][0]
    assert "--rejoin" in again["notes"][0]
    assert _token(await _json(world, *LAPTOP, "--rejoin")).node == "new-laptop"


@pytest.mark.parametrize("words", [("--no-token",), ("--dry-run",)])
async def test_there_is_no_token_where_none_is_wanted(world: SecureWorld, words: tuple[str, ...]) -> None:
    """Nor when nothing was written."""
    assert (await _json(world, *LAPTOP, *words))["join"] is None
    assert "rcj1." not in (await _run(world, *LAPTOP, *words)).stdout


async def test_without_keys_it_says_what_is_missing(world: SecureWorld) -> None:
    """And registers the node, as it always did."""
    report = await _json(world, *LAPTOP, **NO_KEYS)
    assert report["written"]
    assert report["join"] is None
    assert "sudo routecast init" in report["notes"][0]


async def test_without_a_place_to_connect_to_nothing_is_written(world: SecureWorld) -> None:
    """A token that leads nowhere is none; with the control plane's address it leads there."""
    report = await _json(world, *LAPTOP, ROUTECAST_TRUST_JOIN_URL="tls://nats.example.net:4222")
    assert _token(report).url == "tls://nats.example.net:4222"
    env = {name: value for name, value in _env(world).items() if name != "ROUTECAST_TRUST_JOIN_URL"}
    folder = ("--registry-dir", str(world.registry.folder))
    done = await asyncio.to_thread(run_routecast, *folder, *LAPTOP, "-o", "json", env=env)
    assert _token(orjson.loads(done.stdout)).url == "tls://100.122.68.75:4222"
    data = world.registry.data("cluster-info")
    world.registry.write("cluster-info", {name: text for name, text in data.items() if name != "control-plane-ip"})
    refused = await asyncio.to_thread(run_routecast, *folder, "node", "add", "laptop", "x", "100.88.150.21", env=env)
    assert refused.exit_code == exits.USAGE
    assert "trust.join_url" in refused.stderr
    assert '"x"' not in world.registry.data("sync-controller-registry")["registry.json"]


async def test_without_the_seed_the_newest_snapshot_says_whom_to_believe(world: SecureWorld) -> None:
    """It names the key that signed it; without either there is no token."""
    no_seed = {"ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(world.folder / "none")}
    refused = await _run(world, *LAPTOP, **no_seed)
    assert refused.exit_code == exits.USAGE
    assert "whom nodes shall believe" in refused.stderr
    async with world.publisher():
        snapshot = await world.published()
    token = _token(await _json(world, *LAPTOP, **no_seed))
    assert token.public_keys == (SIGNER.public_key,)
    assert token.installation == snapshot.installation


async def test_it_lets_the_machine_in_itself_and_waits_for_it(world: SecureWorld) -> None:
    """With --wait, and no publisher that could: until the node's first answer."""
    env = {**os.environ, **_env(world)}
    words = ("--registry-dir", str(world.registry.folder), *LAPTOP, "--wait")
    async with world.publisher(joins=False), running(*words, env=env) as command:
        told = await _line_with(command, b"rcj1.")
        token = JoinToken.decode(told.decode().split()[-1])
        pair = KeyPair.new(Owner.USER)
        reply = await ask_to_join(world, token, pair.public)
        assert reply.jwt is not None, reply.error
        await world.published()
        async with raw(world, reply.jwt, pair.seed, subjects.inbox("new-laptop")) as node:
            await node.request(subjects.ack("new-laptop"), _ack(State.FAILED), timeout=5)
            await node.request(subjects.ack("new-laptop"), _ack(State.APPLIED), timeout=5)
        output = b""
        while line := await command.line():
            output += line
    assert b"it joined, and applied its first snapshot" in output
    assert b"rcj1." not in output


async def test_it_says_when_nobody_joins(world: SecureWorld) -> None:
    """In the time that was given: exit code 1."""
    async with world.publisher():
        await world.published()
        result = await _run(world, *LAPTOP, "--wait", "--timeout", "1s")
    assert result.exit_code == exits.NOT_SO
    assert "it has not joined yet" in result.stdout


async def test_a_wait_needs_nats(world: SecureWorld) -> None:
    """Without it the node is registered all the same, and the token was told: exit code 3."""
    await world.server.stop()
    result = await _run(world, *LAPTOP, "--wait", "--timeout", "1s")
    assert result.exit_code == exits.UNREACHABLE
    assert "rcj1." in result.stderr


def _ack(state: State) -> bytes:
    revision = Revision(epoch=1, version=1, digest="sha256:0")
    applied = revision if state is State.APPLIED else None
    agent = Agent(version="1", host="h")
    return NodeAck(
        node="new-laptop",
        role=Role.LAPTOP,
        instance="i",
        attempted=revision,
        state=state,
        applied=applied,
        finished_at=now(),
        agent=agent,
    ).to_body()


async def _line_with(command: Routecasting, text: bytes) -> bytes:
    """Return the first line of its standard error that holds a text."""
    while line := await command.error_line():
        if text in line:
            return line
    raise AssertionError("it ended without a token")
