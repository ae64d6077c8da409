"""`routecast import`, on the samples of real clusters: in a folder, and in a cluster."""

import asyncio
import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from click.testing import Result

from cli import exits
from cli.import_registry.outside import outside, ssh_logins
from tests.cli.conftest import SAMPLES, run_routecast
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.pipeline.parsing import documents, having, sample
from tests.publisher.source.worlds import fake_api

CRON = "crontab -l | grep -v sync-dns | grep -v sync-vps-routes | crontab -"


def _run(folder: str, *words: str) -> Result:
    return run_routecast("--registry-dir", folder, "import", *words)


def _json(folder: str, *words: str) -> dict[str, Any]:
    result = _run(folder, *words, "-o", "json")
    assert result.exit_code == exits.OK, result.output
    report: dict[str, Any] = orjson.loads(result.stdout)
    return report


def _bytes(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).glob("*.yaml")}


def test_an_early_cluster_is_taken_over_once(legacy: str) -> None:
    """What was found, the plan field by field, what is left; then it is written, and a second run has nothing to do."""
    result = _run(legacy, "--yes")
    assert result.exit_code == exits.OK
    assert "    domain curiios.com  stands at the root of domains.json: moves below domains\n" in result.stdout
    assert "  ~ VPS 100.68.225.92\n      region    eu -> -\n      location  - -> eu\n" in result.stdout
    assert "  written to domain-registry, service-registry, sync-controller-registry\n" in result.stdout
    assert "  no name and no public route changes\n" in result.stdout
    assert f"mend: routecast --registry-dir {legacy} service add 'bad one' --subdomain a-b" in result.stdout
    written = _bytes(legacy)
    again = _run(legacy, "--yes")
    assert again.exit_code == exits.OK
    assert again.stdout.startswith("nothing to do: all that can be read has the current shape\n")
    assert "service bad one" in again.stdout
    assert "Mended by import" not in again.stdout
    assert _bytes(legacy) == written


def test_what_is_left_can_be_mended_with_the_commands(legacy: str) -> None:
    """Each as it is printed, with what only a person knows put in; then there is nothing left to say."""
    known = {"ADDRESS": "100.67.243.77", "PORT": "80", "NAME": "macbook"}
    for each in _json(legacy, "--yes")["found"]:
        for line in each["commands"][0].split(" && ") if each["mended"] is None else ():
            result = run_routecast(*(known.get(word, word) for word in shlex.split(line)[1:]))
            assert result.exit_code == exits.OK, (line, result.output)
    lint = run_routecast("--registry-dir", legacy, "lint", "--strict")
    assert (lint.exit_code, lint.stdout) == (exits.OK, "no problems\n")
    assert _json(legacy)["found"] == []


def test_what_can_be_done_instead_can_be_done_before(legacy: str) -> None:
    """A domain and a VPS that were only forgotten are registered, and stay in the route."""
    for each in _json(legacy, "--dry-run")["found"]:
        for line in each["commands"] if each["mended"] is not None else ():
            assert run_routecast(*shlex.split(line)[1:]).exit_code == exits.OK, line
    assert not [
        each for each in _json(legacy, "--yes")["found"] if each["entry"] == "route immich" and each["commands"]
    ]
    routing = orjson.loads(run_routecast("--registry-dir", legacy, "show", "-o", "json").stdout)["registry"]["routing"]
    assert routing["immich"]["domains"] == ["curiios.com", "example.net"]


@pytest.mark.parametrize("words", [["--dry-run"], ["-o", "json"], []])
def test_nothing_is_written_without_a_yes(legacy: str, words: list[str]) -> None:
    """A dry run ends well; where nobody can be asked, the plan is printed, and it fails."""
    before = _bytes(legacy)
    result = _run(legacy, *words)
    assert _bytes(legacy) == before
    assert "immich-server" in result.stdout
    assert result.exit_code == (exits.OK if "--dry-run" in words else exits.NOT_SO)
    assert (result.stderr == "error: nothing was written; to do it, give --yes\n") is ("--dry-run" not in words)


def test_machines_read_the_same(legacy: str) -> None:
    """Found, with kind and commands; the edit as of every other command; what is outside."""
    report = _json(legacy, "--yes")
    assert list(report) == ["found", "edit", "outside"]
    assert list(report["found"][0]) == ["kind", "entry", "wrong", "mended", "commands"]
    assert (report["edit"]["changed"], report["edit"]["written"], report["edit"]["effects"]) == (True, True, [])
    assert {tuple(each) for each in report["outside"]} == {("what", "where", "commands")}
    again = _json(legacy, "--yes")
    assert (again["edit"]["changed"], again["edit"]["written"]) == (False, False)
    assert [each for each in report["found"] if each["mended"] is None] == again["found"]


def test_a_registry_in_the_current_shape_stays_as_it_is(reference: str) -> None:
    """It says so; what the replaced system leaves outside is listed all the same, with the commands that end it."""
    before = _bytes(reference)
    result = _run(reference)
    assert (result.exit_code, result.stderr) == (exits.OK, "")
    assert result.stdout.startswith("nothing to do: ")
    for said in (CRON, "sudo systemctl disable --now mynodeone-sync-controller", "sudo routecast subscriber adopt"):
        assert said in result.stdout
    assert "vinaysachdeva@100.86.112.112" in result.stdout
    assert "root@100.70.123.45" in result.stdout
    assert _bytes(reference) == before


def test_nothing_but_the_changed_keys_changes_in_a_file(legacy: str) -> None:
    """Comments, labels, other keys and other manifests stay as somebody wrote them."""
    file = Path(legacy, "registry.yaml")
    text = file.read_text().replace("name: domain-registry,", "name: domain-registry, labels: {app: mine},")
    file.write_text(text.replace("  routing.json: |", "  notes: mine  # stays\n  routing.json: |"))
    _json(legacy, "--yes")
    now = file.read_text()
    assert now.startswith("# A cluster from an early version of the replaced system")
    assert "labels: {app: mine}" in now
    assert "  notes: mine  # stays\n" in now
    assert "vps-nodes.json" not in now
    assert len(list(yaml.safe_load_all(now))) == 4


def test_an_empty_registry_is_told_how_to_begin(tmp_path: Path) -> None:
    """There is nothing to take over, and nothing to write into."""
    report = _json(str(tmp_path))
    assert {each["kind"] for each in report["found"]} == {"cannot be read"}
    assert {each["commands"][0] for each in report["found"]} == {
        f"routecast --registry-dir {tmp_path} init --registry-only --domain mycloud"
    }
    assert not report["edit"]["changed"]


def test_the_publisher_is_asked_to_wait_for(legacy: str) -> None:
    """With --wait and no NATS it is written, and the exit code says that nobody was waited for."""
    result = run_routecast(
        "--registry-dir", legacy, "import", "--yes", "--wait", env={"ROUTECAST_NATS_URL": "nats://127.0.0.1:9"}
    )
    assert result.exit_code == exits.UNREACHABLE
    assert "written to domain-registry" in result.stdout
    assert "not waited for the nodes: " in result.stdout


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", exits.OK), (b"n\n", exits.NOT_SO), (b"\x04", exits.NOT_SO)])
def test_a_person_is_asked(legacy: str, answer: bytes, code: int) -> None:
    """At a terminal: all there is to know, once; then the question, and what became of it."""
    before = _bytes(legacy)
    keyboard, terminal = os.openpty()
    os.write(keyboard, answer)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "--registry-dir", legacy, "import"],
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(keyboard)
    assert done.returncode == code, done.stderr
    assert "Write it? [y/N]: " in done.stderr
    assert done.stdout.count("Mended by import") == 1
    assert ("\nwritten to domain-registry, " in done.stdout) is (code == exits.OK)
    assert (_bytes(legacy) != before) is (code == exits.OK)


@pytest.fixture
async def cluster() -> AsyncIterator[FakeKubernetes]:
    """Run a cluster that the replaced system left, with labels, and keys of others."""
    async with fake_api() as api:
        for manifest in yaml.safe_load_all((SAMPLES / "legacy.yaml").read_bytes()):
            api.put_config_map(manifest["metadata"]["name"], {**manifest["data"], "mine": "stays"})
        yield api


async def test_a_cluster_is_taken_over(cluster: FakeKubernetes, tmp_path: Path) -> None:
    """Under the lock of each ConfigMap, and remembered; what others wrote stays, and a second run writes nothing."""
    env = {"ROUTECAST_PUBLISHER_KUBECONFIG": str(cluster.kubeconfig(tmp_path / "kubeconfig"))}

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(run_routecast, "import", "--yes", *words, env=env)

    first = await run("-o", "json")
    assert first.exit_code == exits.OK, first.output
    assert "routecast service discover" in first.stdout
    domains = cluster.config_map("domain-registry")
    assert domains is not None
    assert domains.keys() == {"domains.json", "routing.json", "mine"}
    assert orjson.loads(domains["domains.json"])["domains"].keys() == {"curiios.com"}
    nodes = orjson.loads((cluster.config_map("sync-controller-registry") or {})["registry.json"])
    assert nodes["management_laptops"] == [{"ip": "100.86.112.112", "name": "Vinay's MacBook", "ssh_user": "vinay"}]
    assert "routecast import --yes" in (cluster.config_map("routecast-state") or {})["edits.json"]
    revision = cluster.resource_version
    again = await run()
    assert (again.exit_code, again.stdout.splitlines()[0][:13]) == (exits.OK, "nothing to do")
    assert cluster.resource_version == revision


async def test_a_cluster_that_may_not_be_written_is_not_half_written(cluster: FakeKubernetes, tmp_path: Path) -> None:
    """The first refusal ends it, with exit code 3; the next run goes on from there."""
    env = {"ROUTECAST_PUBLISHER_KUBECONFIG": str(cluster.kubeconfig(tmp_path / "kubeconfig"))}
    cluster.deny("patch", "service-registry")
    refused = await asyncio.to_thread(run_routecast, "import", "--yes", env=env)
    assert refused.exit_code == exits.UNREACHABLE
    assert refused.stderr.startswith("error: ")
    routes = orjson.loads((cluster.config_map("domain-registry") or {})["routing.json"])
    assert routes.keys() == {"immich", "home"}
    cluster.allow_all()
    assert (await asyncio.to_thread(run_routecast, "import", "--yes", env=env)).exit_code == exits.OK
    assert "immich-server" not in orjson.loads((cluster.config_map("service-registry") or {})["services.json"])


def test_who_logged_in_where_is_read_from_the_registry() -> None:
    """Each once; what is no user, or has no address, is left out; without any the place is told in general."""
    assert ssh_logins(sample("legacy")) == ("vinay@100.86.112.112",)
    nodes = [{"ip": "100.1.1.1", "ssh_user": "a"}, {"ip": "x", "ssh_user": "a"}, {"ip": "100.1.1.2"}, 5]
    assert ssh_logins(documents(having(registry_json={"management_laptops": nodes * 2, "vps_nodes": 5}))) == (
        "a@100.1.1.1",
    )
    assert ssh_logins({}) == ()
    assert "on each node" in {each.where for each in outside({})}
