"""Every example of every `--help` is typed as it is printed, and does what it promises."""

from collections.abc import AsyncIterator

import click
import pytest
import pytest_asyncio

from cli import exits
from tests.cli.test_help import COMMANDS
from tests.docs.clusters import HomeCluster, home_cluster
from tests.docs.examples import EDITING, EXAMPLES, UNTIL_STOPPED, commands_of, skip_without_programs
from tests.docs.script import Script
from tests.docs.shell import Done, Shell

FAULT, AWAY, NOBODY = "an entry has a fault", "a node is away", "nobody is at the terminal to say yes"
NOT_SO = {
    """routecast nodes --strict -o json | jq -r '.nodes[] | select(.state != "synced") | .node'""": AWAY,
    "routecast problems": FAULT,
    "routecast problems --registry-dir ./registry": FAULT,
    """routecast problems -o json | jq -r '.[] | select(.severity == "error") | .mend'""": FAULT,
    "routecast doctor": FAULT,
    "routecast doctor control-plane --strict": FAULT,
    """routecast doctor -o json | jq -r '.checks[] | select(.state == "fail") | .next'""": FAULT,
    "routecast lint": FAULT,
    "routecast lint --strict --registry-dir ./registry": FAULT,
    "routecast route remove immich": NOBODY,
    "routecast service remove immich": NOBODY,
    "routecast domain remove example.com": NOBODY,
    "routecast vps remove 100.72.200.50": NOBODY,
    "routecast node remove old-laptop": NOBODY,
    "sudo routecast subscriber adopt": NOBODY,
}
"""Lines that end with 1 in the cluster that is built here, and why."""
NO_TOKEN = {"sudo routecast join -"}
"""Lines that end with 2: nobody pastes a token."""
AGREED = {"routecast service discover --prune"}
"""Lines at which somebody says yes."""
SILENT = {"routecast push -o json | jq -r '.missing[]'"}
"""Lines that print nothing when all is well."""

EDITS = [line for path in EDITING for line in EXAMPLES if commands_of(line)[0] == path]
SETTING = [line for line in EXAMPLES if commands_of(line)[0] == "subscriber allow"]
ROTATING = [line for line in UNTIL_STOPPED if commands_of(line)[0] == "trust rotate"]
STAYS = [line for line in UNTIL_STOPPED if commands_of(line)[0] not in {"nodes", "acks", "trust rotate"}]
RENEWING = [line for line in EXAMPLES if commands_of(line)[0] == "trust renew"]
DEMO = "routecast demo"
_LATER = {*EDITS, *SETTING, *STAYS, *ROTATING, *RENEWING, DEMO}
STAGES = [
    [*([line] for line in EXAMPLES if line not in _LATER), SETTING, ROTATING, RENEWING],
    [EDITS],
    [*([line for line in STAYS if side in line] for side in ("publisher", "subscriber", "demo")), [DEMO]],
]
"""What only looks comes before what edits; after that comes what runs by itself."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def script(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Script[str]]:
    """Have all examples typed in the home cluster."""
    async with home_cluster(tmp_path_factory.mktemp("home")) as cluster:

        async def type_line(line: str) -> Done:
            return await _type(cluster, line)

        typed = Script(STAGES, type_line)
        async with typed.being_typed():
            yield typed


async def _type(cluster: HomeCluster, line: str) -> Done:
    shell = _shell(cluster, line)
    if line not in UNTIL_STOPPED:
        return await shell.type(line, answer="y\n" if line in AGREED else "")
    async with shell.running(line) as terminal:
        if shell is cluster.quiet:
            await terminal.shows("connected to nats")
            cluster.change_in_quiet()
        await terminal.shows(UNTIL_STOPPED[line].shows)
        return await terminal.stop()


def _shell(cluster: HomeCluster, line: str) -> Shell:
    """Return a shell where a line makes sense."""
    path = commands_of(line)[0]
    if path == "init":
        return cluster.new()
    elsewhere = {
        "import": cluster.legacy,
        "publisher run": cluster.quiet,
        "subscriber run": cluster.old_laptop,
        "join": cluster.joining,
        "leave": cluster.joining,
        "trust renew": cluster.with_keys,
        "trust rotate": cluster.rotating,
    }
    return elsewhere.get(path, cluster.here)


def test_each_example_has_its_place() -> None:
    """An example that is new is typed where it belongs; the tables name no line that is gone."""
    assert {path for path, command in COMMANDS.items() if _takes(command, "--yes")} == set(EDITING)
    stays = {"--watch", "--follow", "--keep", "run", "rotate"}
    assert {line for line in EXAMPLES if set(line.split()) & stays} == set(UNTIL_STOPPED)
    assert {*NOT_SO, *NO_TOKEN, *AGREED, *SILENT, DEMO} <= set(EXAMPLES)
    assert sorted(line for stage in STAGES for chain in stage for line in chain) == sorted(EXAMPLES)


def _takes(command: click.Command, option: str) -> bool:
    return any(option in param.opts for param in command.params)


@pytest.mark.timeout(240)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("line", [line for stage in STAGES for chain in stage for line in chain])
async def test_an_example_works_as_printed(script: Script[str], line: str) -> None:
    """It ends as it promises, or as its help says, without a usage error or a traceback, and has something to say."""
    skip_without_programs(line)
    done = await script.end_of(line)
    code = UNTIL_STOPPED[line].code if line in UNTIL_STOPPED else exits.NOT_SO if line in NOT_SO else exits.OK
    code = exits.USAGE if line in NO_TOKEN else code
    assert done.code == code, done
    assert all(code in COMMANDS[path].ends for path in commands_of(line))
    assert "Traceback" not in str(done), done
    assert code != exits.OK or "error: " not in done.said, done
    assert "null" not in done.printed.splitlines(), done
    assert (done.printed if "| jq " in line else done.printed + done.said).strip() or line in SILENT, done
