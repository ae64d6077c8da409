"""`routecast trust`: the keys on disk, and what keeps a rotation from going on."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import exits
from cli.trust.believers import Believers
from cli.trust.cluster import commands
from cli.trust.record import Record, read_record
from common.ack import AckError, State
from common.signing import Signer, read_seed
from publisher.signing import Stage
from publisher.signing_files import SeedFiles
from tests.cli.bus_data import ack_of
from tests.cli.conftest import run_routecast
from tests.nats import NatsServer
from tests.registries import SIGNER, snapshot
from tests.subscriber.mounts import in_namespace, needs_mounts
from tests.world import SEED, World

NODES = ("contabo-vps", "vinay-laptop", "work-laptop")
_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


@pytest.fixture
def files(tmp_path: Path) -> SeedFiles:
    """Write the signing seed of the tests, in a folder of its own."""
    seed = tmp_path / "trust" / "signing.seed"
    seed.parent.mkdir()
    seed.write_text(SEED)
    seed.chmod(0o600)
    return SeedFiles(seed)


def _env(files: SeedFiles, server: NatsServer | None = None) -> dict[str, str]:
    nats = {"ROUTECAST_NATS_URL": server.url} if server is not None else {}
    return {"ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(files.path), **nats}


def test_status_shows_public_keys_and_no_seed(files: SeedFiles) -> None:
    """Before, during and after a rotation: which key signs, which comes, which goes; a seed never."""
    before = run_routecast("trust", "status", "-o", "json", env=_env(files))
    assert before.exit_code == exits.OK
    assert orjson.loads(before.stdout) == [
        {
            "what": "signing key",
            "identity": SIGNER.public_key,
            "state": "signs",
            "where": str(files.path),
            "good": True,
        }
    ]
    files.make_next()
    announcing = run_routecast("trust", "status", env=_env(files)).stdout
    assert SIGNER.public_key in announcing
    assert str(files.read().next) in announcing
    files.switch()
    retiring = run_routecast("trust", "status", env=_env(files)).stdout
    assert "previous signing key" in retiring
    for seed in (files.path, files.previous):
        assert seed.read_text().strip() not in announcing + retiring


def test_status_without_a_seed_says_how_to_make_one(tmp_path: Path) -> None:
    """What is missing is a row with the next command: exit code 1."""
    env = {"ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(tmp_path / "none")}
    result = run_routecast("trust", "status", env=env)
    assert result.exit_code == exits.NOT_SO
    assert "head -c 32 /dev/urandom" in result.stdout


async def test_rotate_begins_nothing_without_a_publisher(files: SeedFiles, server: NatsServer) -> None:
    """On a server that no publisher ever used nothing is made: exit code 3."""
    result = await asyncio.to_thread(run_routecast, "trust", "rotate", env=_env(files, server))
    assert result.exit_code == exits.UNREACHABLE
    assert "no publisher is running" in result.stderr
    assert [each.name for each in files.path.parent.iterdir()] == ["signing.seed"]


def test_rotate_needs_nats(files: SeedFiles) -> None:
    """A server that does not answer is exit code 3, and begins nothing."""
    env = {**_env(files), "ROUTECAST_NATS_URL": "nats://127.0.0.1:1"}
    result = run_routecast("trust", "rotate", env=env)
    assert result.exit_code == exits.UNREACHABLE
    assert [each.name for each in files.path.parent.iterdir()] == ["signing.seed"]


@needs_mounts
async def test_where_the_seeds_are_a_secret_the_commands_are_printed(tmp_path: Path) -> None:
    """In a pod nothing can be written: each step is printed for kubectl, is done by hand here, and the next follows."""
    async with World(tmp_path) as world:
        files = SeedFiles(world.seed)
        env = {**os.environ, **_env(files, world.server)}

        async def rotate(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "cli", "trust", "rotate", *words]
            folder = in_namespace(_READ_ONLY, world.folder, *command)
            return await asyncio.to_thread(subprocess.run, folder, env=env, capture_output=True, text=True, check=False)

        async with world.publisher(), world.nodes():
            await world.synced()
            first = await rotate()
            assert first.returncode == exits.NOT_SO, first.stderr
            assert "read-only here, as a Secret of the cluster is" in first.stdout
            assert "signing.seed.next" in first.stdout
            assert not files.next.exists()
            await asyncio.to_thread(files.make_next)
            second = await rotate()
            assert '"op": "move", "from": "/data/signing.seed.next", "path": "/data/signing.seed"' in second.stdout
            await asyncio.to_thread(files.switch)
            third = await rotate("-o", "json")
            assert orjson.loads(third.stdout)["type_this"] == list(commands(Stage.RETIRING, "signing.seed"))
            assert orjson.loads(third.stdout)["waiting_for"] == []


def test_the_printed_commands_make_a_seed_that_nobody_else_reads(tmp_path: Path) -> None:
    """The first one writes a patch of mode 0600 with a new seed in it; no command line holds a seed."""
    make, patch = commands(Stage.NONE, "signing.seed")
    subprocess.run(["sh", "-c", make], cwd=tmp_path, check=True)
    file = tmp_path / "next-seed.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "--patch-file next-seed.json" in patch
    seed = tmp_path / "seed"
    seed.write_bytes(base64.b64decode(json.loads(file.read_text())["data"]["signing.seed.next"]))
    seed.chmod(0o600)
    assert read_seed(seed).public_key


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is missing")
def test_kubectl_understands_the_printed_commands(tmp_path: Path) -> None:
    """Step by step a Secret goes the way that the files go elsewhere; the switch changes both seeds at once."""
    secret = tmp_path / "secret.yaml"
    old = base64.b64encode(SEED.encode()).decode()
    metadata = {"name": "routecast-trust", "namespace": "routecast"}
    secret.write_text(
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"signing.seed": old}})
    )

    def do(stage: Stage) -> dict[str, str]:
        for command in commands(stage, "signing.seed"):
            local = command.replace("patch secret routecast-trust", "patch --local -f secret.yaml -o json")
            said = subprocess.run(["sh", "-c", local], cwd=tmp_path, check=True, capture_output=True).stdout
            if said:
                secret.write_bytes(said)
        data: dict[str, str] = json.loads(secret.read_bytes())["data"]
        return data

    announced = do(Stage.NONE)
    new = announced["signing.seed.next"]
    assert announced == {"signing.seed": old, "signing.seed.next": new}
    assert do(Stage.ANNOUNCING) == {"signing.seed": new, "signing.seed.previous": old}
    assert do(Stage.RETIRING) == {"signing.seed": new}


def test_what_is_remembered_counts_for_one_rotation_alone(files: SeedFiles) -> None:
    """Damaged, of another rotation, or of streams that are gone: the nodes are asked again."""
    b = Signer(bytes(32)).public_key
    record = Record(keys=(SIGNER.public_key, b), streams="1 2", stream_seq=5, acks_after=7)
    files.write_record(record.model_dump_json().encode())
    assert read_record(files, b) == record
    assert read_record(files, SIGNER.public_key) is None
    assert record.holds(record.keys, "1 2", 5)
    assert not record.holds(record.keys, "1 2", 4)
    assert not record.holds(record.keys, "1 3", 5)
    assert not record.holds((b,), "1 2", 5)
    files.write_record(b"{")
    assert read_record(files, b) is None


_CODES = st.sampled_from([None, "disk_full", "state_not_written"])
_ANSWERS = st.tuples(st.sampled_from(NODES), st.integers(1, 9) | st.none(), st.sampled_from(State), _CODES)


@given(st.lists(_ANSWERS))
def test_a_node_believes_once_it_has_accepted(records: list[tuple[str, int | None, State, str | None]]) -> None:
    """Applied, failed or drifted, of the announcing snapshot or a later one; not what was refused or not kept."""
    believers, accepted, refused = Believers(5), set(), {}
    for node, seq, state, code in records:
        error = AckError(code=code, message="why") if code is not None else None
        believers.count(ack_of(node, snapshot(), seq, state=state, error=error))
        if seq is None or seq < 5:
            continue
        if state is State.REJECTED or code == "state_not_written":
            refused[node] = f"{state}: {'why' if error is not None else 'no reason given'}"
        else:
            accepted.add(node)
    waiting = {each.node: each.why for each in believers.waiting(NODES)}
    assert waiting == {node: refused.get(node, "no answer yet") for node in NODES if node not in accepted}
