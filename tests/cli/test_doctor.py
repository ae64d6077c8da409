"""`routecast doctor`: which sides it checks, how it prints them, how it ends, and that nothing holds it up."""

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from click.testing import Result
from rich.console import Console

from cli import exits
from cli.doctor.attempt import Fault, attempt
from cli.doctor.beside import beside, beside_in_own_loop
from cli.doctor.check import Check, Part, Report, State
from cli.doctor.drawing import draw, tally
from cli.doctor.sides import Side, Sides, choose
from common.errors import BusUnavailable, ConfigError, SourceUnavailable
from common.status import SourceState
from tests.cli import doctor_facts as facts
from tests.cli.bus_data import make_consumers
from tests.cli.conftest import run_routecast
from tests.cli.doctor_facts import NOW
from tests.features.conftest import world
from tests.nats import NatsServer
from tests.world import World, until

__all__ = ["world"]

SOURCE, NO_CONFIG = facts.source(), facts.fault("no kubeconfig", ConfigError)
DENIED = facts.read(documents=[facts.DocumentSeen("a", SourceState.UNREADABLE, "denied", "grant")])


@pytest.mark.parametrize(
    ("asked", "node_named", "source", "sides", "skipped"),
    [
        (Side.NODE, True, None, (False, True), []),
        (Side.NODE, False, None, (False, True), []),
        (Side.CONTROL_PLANE, True, SOURCE, (True, False), []),
        (None, True, SOURCE, (True, True), []),
        (None, False, SOURCE, (True, False), ["node"]),
        (None, False, facts.source(named=False, read=NO_CONFIG), (True, False), ["node"]),
        (None, True, facts.source(named=False), (True, True), []),
        (None, True, facts.source(read=NO_CONFIG), (True, True), []),
        (None, True, facts.source(named=False, read=NO_CONFIG), (False, True), ["control plane"]),
        (None, True, facts.source(named=False, read=facts.fault("away", SourceUnavailable)), (False, True), ["away"]),
        (None, True, facts.source(named=False, read=DENIED), (False, True), ["may read none"]),
    ],
)
def test_the_sides_follow_from_the_settings(
    asked: Side | None, node_named: bool, source: Any, sides: tuple[bool, bool], skipped: list[str]
) -> None:
    """A node is who has a name, a control plane who has a registry; what is left out is said, with its command."""
    chosen = choose(asked, node_named=node_named, source=source)
    assert (chosen.control_plane, chosen.node) == sides
    assert len(chosen.skipped) == len(skipped)
    for check, said in zip(chosen.skipped, skipped, strict=True):
        assert check.state is State.SKIP
        assert said in f"{check.check} {check.what}"
        assert (check.next or "").startswith("routecast doctor ")
    assert isinstance(chosen, Sides)


def _report(*states: State) -> Report:
    return Report(NOW, tuple(Check(Part.NODE, f"check {state}", state, "said", "do it") for state in states))


@pytest.mark.parametrize(
    ("states", "holds", "strictly"),
    [
        ((), True, True),
        ((State.OK, State.SKIP), True, True),
        ((State.OK, State.WARN), True, False),
        ((State.FAIL,), False, False),
    ],
)
def test_a_report_holds_when_nothing_failed(states: tuple[State, ...], holds: bool, strictly: bool) -> None:
    """Warnings count only strictly, what was skipped never."""
    assert (_report(*states).holds(strict=False), _report(*states).holds(strict=True)) == (holds, strictly)


def test_checks_are_counted() -> None:
    """Every state that occurs, in words."""
    assert tally(_report(*State)) == "1 ok, 1 warning, 1 failure, 1 skipped"
    assert tally(_report()) == "nothing was checked"


@pytest.mark.parametrize("width", [200, 60])
def test_the_table_fits_and_loses_nothing(width: int) -> None:
    """Where there is no room for the next command beside what was seen it stands below it, whole."""
    check = Check(
        Part.NODE, "service", State.FAIL, "it does not run " * 5, "sudo systemctl status routecast-subscriber"
    )
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(draw(Report(NOW, (check,)), width))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    assert sum("sudo systemctl status routecast-subscriber" in line for line in lines) == 1
    assert captured.get().count("does") == 5


async def test_what_cannot_be_read_becomes_a_value() -> None:
    """Our errors, those in groups, time that ran out, and faults of our own: none of them reaches the other checks."""

    async def fail(error: Exception) -> None:
        raise error

    def said(result: object) -> str:
        assert isinstance(result, Fault)
        return str(result)

    assert said(await attempt("it", fail(BusUnavailable("no\n  answer")))) == "no answer"
    assert said(await attempt("it", fail(ExceptionGroup("g", [KeyError(), BusUnavailable("deep")])))) == "deep"
    assert said(await attempt("it", fail(ExceptionGroup("g", [KeyError()])))).startswith("it: ExceptionGroup")
    assert said(await attempt("it", fail(ZeroDivisionError("by 0")))) == "it: ZeroDivisionError: by 0"
    assert said(await attempt("it", asyncio.sleep(60), 0.01)) == "it: no answer within 0.01 s"
    assert await attempt("it", asyncio.sleep(0, "value")) == "value"


def test_a_thread_that_hangs_holds_nobody_up() -> None:
    """A resolver or a disk that never answers costs its limit; neither the loop nor the process waits for it."""
    never = threading.Event()
    started = time.monotonic()
    try:
        result = asyncio.run(attempt("the disk", beside(never.wait), 0.05))
        assert isinstance(result, Fault)
        assert time.monotonic() - started < 5
    finally:
        never.set()


async def test_work_beside_the_loop_returns_and_raises() -> None:
    """Whatever it is, also in a loop of its own."""
    assert await beside(lambda: 1) == 1
    assert await beside_in_own_loop(lambda: asyncio.sleep(0, 2)) == 2
    with pytest.raises(ZeroDivisionError):
        await beside(lambda: 1 // 0)


def _states(result: Result) -> dict[str, str]:
    return {check["check"]: check["state"] for check in orjson.loads(result.stdout)["checks"]}


def _control_plane(world: World) -> Path:
    config = world.folder / "control-plane.toml"
    config.write_text(
        f'[nats]\nurl = "{world.server.url}"\n[publisher]\nregistry_dir = "{world.registry.folder}"\n'
        f'signing_seed_file = "{world.seed}"\n'
    )
    return config


async def _doctor(config: Path, *words: str) -> Result:
    return await asyncio.to_thread(run_routecast, "--config", str(config), "doctor", *words)


async def _in_order(config: Path) -> None:
    """Wait until all is ok: a node that has just answered need not wait for the next message yet."""

    async def look() -> bool:
        found = _states(await _doctor(config, "-o", "json"))
        return {name: state for name, state in found.items() if state != "ok"} == {"node": "skip"}

    await until(look, "every check of the control plane is ok")


async def test_a_fleet_in_order_has_nothing_to_mend(world: World) -> None:
    """A real publisher, four real subscribers: every check of the control plane is ok, strictly too."""
    config = _control_plane(world)
    async with world.publisher(), world.nodes():
        await world.synced()
        await _in_order(config)
        said = await _doctor(config, "--strict")
        assert said.exit_code == exits.OK, said.stdout
        assert "NEXT" in said.stdout.splitlines()[0]
        assert said.stdout.endswith("22 ok, 1 skipped\n")
        assert "\x1b" not in said.stdout
        assert all(line == line.rstrip() for line in said.stdout.splitlines())


async def test_a_canary_is_a_nodes(world: World) -> None:
    """Asked for where only the control plane is checked, it is said that there is none."""
    result = await _doctor(_control_plane(world), "control-plane", "--canary", "-o", "json")
    assert _states(result)["canary"] == "skip"


async def test_machine_output_is_one_value(world: World) -> None:
    """YAML says the same as JSON: part, name, state, what was seen, the next command."""
    config = _control_plane(world)
    as_json = orjson.loads((await _doctor(config, "control-plane", "-o", "json")).stdout)
    as_yaml = yaml.safe_load((await _doctor(config, "control-plane", "-o", "yaml")).stdout)
    assert as_json.keys() == as_yaml.keys() == {"at", "checks"}
    named = [[check["part"], check["check"], check["state"], check["next"]] for check in as_json["checks"]]
    assert named == [[check["part"], check["check"], check["state"], check["next"]] for check in as_yaml["checks"]]


async def test_a_warning_counts_only_strictly(world: World) -> None:
    """Exit code 0 with a warning, 1 with --strict; a failure is 1 always."""
    config = _control_plane(world)
    async with world.publisher(), world.nodes():
        await world.synced()
        await _in_order(config)
        async with world.bus() as bus:
            await make_consumers(bus, "stranger")
        assert (await _doctor(config)).exit_code == exits.OK
        assert (await _doctor(config, "--strict")).exit_code == exits.NOT_SO
    assert (await _doctor(config)).exit_code == exits.NOT_SO


async def test_the_commands_that_it_names_mean_the_same_source(reference: str) -> None:
    """A source given on the command line is given to the next command too."""
    (Path(reference) / "other.yaml").write_text((Path(reference) / "registry.yaml").read_text())
    result = await asyncio.to_thread(run_routecast, "doctor", "--registry-dir", reference, "-o", "json")
    (problems,) = [check for check in orjson.loads(result.stdout)["checks"] if check["check"] == "problems"]
    assert (problems["state"], problems["next"]) == ("warn", f"routecast lint --registry-dir {reference}")


async def test_a_frozen_server_hides_nothing_and_ends_in_time(server: NatsServer, reference: str) -> None:
    """A NATS server that takes connections and says nothing: it fails within its limits, the registry is judged."""
    server.pause()
    started = time.monotonic()
    try:
        env = {"ROUTECAST_NATS_URL": server.url, "ROUTECAST_NATS_CONNECT_TIMEOUT_S": "0.5"}
        words = ("doctor", "--registry-dir", reference, "-o", "json")
        result = await asyncio.to_thread(run_routecast, *words, env=env)
    finally:
        server.resume()
    assert time.monotonic() - started < 15
    states = _states(result)
    assert (states["NATS"], states["streams"], states["problems"]) == ("fail", "skip", "ok")
    assert result.exit_code == exits.NOT_SO


@pytest.mark.parametrize(
    "words",
    [
        ("doctor", "laptop"),
        ("--config", "BROKEN", "doctor"),
        ("doctor", "--cluster", "--registry-dir", "."),
    ],
)
def test_usage_and_settings_are_no_checks(words: tuple[str, ...], tmp_path: Path) -> None:
    """A side that does not exist, settings that are not valid, two sources: exit code 2, as everywhere."""
    broken = tmp_path / "routecast.toml"
    broken.write_text("[nats]\nurl = 3\n")
    result = run_routecast(*(str(broken) if word == "BROKEN" else word for word in words))
    assert result.exit_code == exits.USAGE
    assert not result.stdout


WITHOUT_EXTRA = """
import sys
for name in ("aiohttp", "kubernetes", "prometheus_client"):
    sys.modules[name] = None
from cli.main import main
main(prog_name="routecast")
"""


@pytest.mark.parametrize(
    ("side", "state"),
    [([], {"control plane": "skip"}), (["node"], {}), (["control-plane"], {"registry source": "skip"})],
)
async def test_a_laptop_needs_no_kubernetes_client(
    server: NatsServer, tmp_path: Path, side: list[str], state: dict[str, str]
) -> None:
    """Without the publisher's part of routecast the node's side is whole; the other is skipped, and says why."""
    env = {
        "ROUTECAST_NATS_URL": server.url,
        "ROUTECAST_SUBSCRIBER_NODE": "work-laptop",
        "ROUTECAST_SUBSCRIBER_STATE_DIR": str(tmp_path / "state"),
        "HOME": str(tmp_path),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WITHOUT_EXTRA, "doctor", *side, "-o", "json"),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert (process.returncode, errors) == (exits.NOT_SO, b"")
    checks = orjson.loads(output)["checks"]
    found = {check["check"]: check["state"] for check in checks}
    assert found.items() >= state.items()
    assert ("service" in found) == (side != ["control-plane"])
    said = [check["what"] for check in checks if check["check"] == "registry source"]
    assert all("is not installed" in text for text in said)
