"""What the pages have readers type on their machines is typed there, as it is printed: install, upgrade, mend, remove.

`walk` says where and in which order, `homelab` what is there before.
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.settings.edit import edit_settings
from tests.deploy.conftest import skip_without
from tests.deploy.homelab import APP, PROGRAMS, TAILNET, homelab, leave_old_lines, run_nats
from tests.deploy.room import wait_for
from tests.deploy.systemd import PUBLISHER, SUBSCRIBER, journal
from tests.deploy.typist import Typist
from tests.deploy.walk import CLUSTER, FOLDER, LAPTOP, STEPS, VPS, WALK, Step, section_of
from tests.docs.sections import Section
from tests.docs.shell import Done

SETTINGS = "/etc/routecast/routecast.toml"

SHOWS = {
    "curl http://127.0.0.1:9480/readyz": "ready\n",
    "getent hosts photos.mycloud.local": "100.67.243.10",
    "dig +short @127.0.0.1 photos.mycloud.local": "100.67.243.10",
    "curl -k --resolve photos.example.com:443:127.0.0.1 https://photos.example.com/": APP,
    "curl http://100.67.243.10:80/": APP,
    "curl -s http://127.0.0.1:8080/api/http/routers": "photos.example.com",
    "sudo routecast nodes": "2 nodes: 2 synced",
    "sudo routecast node add laptop my-laptop 100.86.112.112": "sudo routecast join rcj1.",
    "git pull": "Fast-forward",
    "kubectl -n routecast get service nats-tailnet": "LoadBalancer",
    "sudo systemctl status routecast-publisher": "active (running)",
    "sudo routecast subscriber adopt": "photos.mycloud.local",
}
"""What a line shows in the end, where its page promises something."""

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Iterator[dict[str, Typist]]:
    """Run the machines, and return who sits at each."""
    skip_without(*PROGRAMS, machine=True)
    with homelab(tmp_path_factory.mktemp("homelab"), wheels) as found:
        yield found


@pytest.fixture(scope="module")
def typed(people: dict[str, Typist]) -> dict[int, Done]:
    """Type everything, in order."""
    done: dict[int, Done] = {}
    seen: set[tuple[str, Section]] = set()
    for step in STEPS:
        typist = people[step.machine]
        if (step.machine, step.section) not in seen:
            seen.add((step.machine, step.section))
            _prepare(typist, step)
        done[step.number] = typist.type(step.line, SHOWS.get(step.line, ""))
    return done


def _prepare(typist: Typist, step: Step) -> None:
    """Do what a section tells in words or shows as a file, before its first line on a machine is typed."""
    for file in step.section.files:
        if file.language == "toml":
            edit_settings(typist.room.path(SETTINGS), tomllib.loads(file.text))
    if step.section.heading == "On a machine":
        run_nats(typist.room)
    if (step.machine, step.section.heading) == (LAPTOP, "The switch"):
        leave_old_lines(typist.room)


def test_each_stop_is_a_section_with_something_to_type() -> None:
    """A heading that is renamed, or has nothing left for a machine, is noticed; so is a promise of a gone line."""
    for stop in WALK:
        assert any(step.section == section_of(stop) for step in STEPS), stop
    assert not SHOWS.keys() - {step.line for step in STEPS}


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_line_works_as_printed(typed: dict[int, Done], step: Step) -> None:
    """It ends well, and shows what its page promises."""
    done = typed[step.number]
    assert done.code == 0, done
    assert SHOWS.get(step.line, "") in done.printed, done
    assert "Traceback" not in str(done), done


def test_without_a_cluster_machines_join_too(typed: dict[int, Done], people: dict[str, Typist]) -> None:
    """The publisher, who is nobody in particular, writes a key into a folder that root edits, as root does after it."""
    assert typed
    machine = people[FOLDER]
    for line in (f"sudo routecast node add worker {FOLDER} {TAILNET[FOLDER]}", "sudo routecast join rcj1.…"):
        done = machine.type(line)
        assert done.code == 0, f"{done}\n{journal(machine.room, PUBLISHER)}"
    assert machine.type("getent hosts photos.mycloud.local").printed.startswith("100.67.243.10")
    nodes = machine.type("sudo routecast node list -o json").printed
    assert FOLDER in nodes


def test_a_node_that_is_removed_is_out_while_the_other_works_on(
    typed: dict[int, Done], people: dict[str, Typist]
) -> None:
    """Of two that joined as the pages say, one is cut off within 10 s and told why; the other gets the next change."""
    assert typed
    control, laptop, vps = people[CLUSTER], people[LAPTOP], people[VPS]
    for line in (
        "sudo /opt/routecast/bin/pip install -c constraints.txt .",
        "sudo systemctl start routecast-subscriber",
    ):
        laptop.type(line)  # the last page has it stopped, and says "install again"
    wait_for(lambda: {LAPTOP, VPS} <= _connected(control), "two nodes", control.room)
    removed = control.type(f"sudo routecast node remove {LAPTOP} --yes")
    assert removed.code == 0, removed
    wait_for(lambda: LAPTOP not in _connected(control), f"no connection of {LAPTOP}", control.room, limit_s=10)

    wait_for(lambda: "were revoked" in journal(laptop.room, SUBSCRIBER), "a refusal in its log", laptop.room)
    status = laptop.type("sudo routecast subscriber status", shows="were revoked")
    assert "were revoked" in status.printed, status
    assert VPS in _connected(control)
    assert LAPTOP not in _connected(control)

    changed = control.type("sudo routecast service add immich --port 8080 --wait")
    assert changed.code == 0, changed
    assert ":8080" in vps.room.path("/etc/traefik/dynamic/routecast.yml").read_text()
    nodes = control.type("sudo routecast nodes --strict", shows="1 node: 1 synced")
    assert "1 node: 1 synced" in nodes.printed, nodes


def test_the_signing_key_is_rotated_where_systemd_hands_it_on(
    typed: dict[int, Done], people: dict[str, Typist]
) -> None:
    """The service sees a changed seed when it is started: the command says when, twice, and is done the third time."""
    assert typed
    control = people[CLUSTER]
    restart = "sudo systemctl restart routecast-publisher"
    for _ in range(2):
        told = control.type("sudo routecast trust rotate --timeout 3s")
        assert (told.code, restart in told.printed) == (1, True), told
        assert control.type(restart).code == 0
        assert control.type("curl http://127.0.0.1:9480/readyz", shows="ready\n").printed == "ready\n"
    done = control.type("sudo routecast trust rotate")
    assert done.code == 0, done
    assert control.type("sudo routecast nodes --strict", shows="1 node: 1 synced").code == 0


def _connected(control: Typist) -> set[str]:
    """Return the host names of the machines that the NATS server has connections of, as each calls itself."""
    answer = json.loads(control.room.run("curl", "-s", "http://127.0.0.1:8222/connz"))
    return {each.get("name", "").partition("@")[2] for each in answer["connections"]}
