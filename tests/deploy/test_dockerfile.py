import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from common.clock import now
from common.settings.publisher import PublisherSettings
from publisher.trust.directory import TrustDirectory
from tests.deploy.engine import Engine
from tests.deploy.room import Room, wait_for
from tests.deploy.systemd import ROOT
from tests.registry_folder import REFERENCE_FOLDER
from tests.world import SEED

FILE = ROOT / "deploy" / "Dockerfile"
MANIFEST = ROOT / "deploy" / "kubernetes" / "publisher.yaml"
IMAGE = "routecast:test"
PORT = PublisherSettings().http_port

GET = """
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=5)
except urllib.error.HTTPError as e:
    answer = e
sys.stdout.write(answer.read().decode())
"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def image(docker: Engine, python_base: str) -> Iterator[str]:
    """Build the Dockerfile without a network, on a base that holds this machine's Python and the wheels."""
    assert f"\nARG PYTHON={python_base}\n" in FILE.read_text()
    docker.docker("build", "--network=none", f"--file={FILE}", f"--tag={IMAGE}", str(ROOT), limit_s=200)
    yield IMAGE
    docker.docker("rmi", "--force", IMAGE)


def _python(docker: Engine, image: str, script: str) -> str:
    """Run a script with the image's own Python."""
    return docker.docker("run", "--rm", "--entrypoint=/opt/routecast/bin/python", image, "-c", script)


def test_the_image_is_the_command_and_nothing_else(docker: Engine, image: str) -> None:
    """`docker run IMAGE …` is `routecast …`; no sources, no cache, no pip and none of the demo's programs are in it."""
    config = json.loads(docker.docker("inspect", "--format={{json .Config}}", image))
    assert config["Entrypoint"] == ["/opt/routecast/bin/routecast"]
    assert config["Cmd"] == ["publisher", "run"]
    assert docker.docker("run", "--rm", image, "--version").startswith("routecast ")
    found = _python(docker, image, "import glob; print(*glob.glob('/opt/routecast/bin/*'), *glob.glob('/src/*'))")
    programs = {Path(path).name for path in found.split()}
    assert "routecast" in programs
    assert not programs & {"pip", "nats-server", "traefik", "pyproject.toml"}


def test_the_versions_are_those_of_the_constraints(docker: Engine, image: str) -> None:
    """What is installed is what the tests ran with."""
    script = "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()), sep='\\n')"
    installed = {line.lower().replace("_", "-") for line in _python(docker, image, script).split()}
    constrained = {line.lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()}
    free = {line for line in installed - constrained if not line.startswith("routecast==")}
    assert not free
    assert any(line.startswith("kubernetes==") for line in installed)


def test_it_publishes_as_nobody_on_a_read_only_file_system(docker: Engine, image: str, tmp_path: Path) -> None:
    """As Kubernetes runs it: not root, nothing writable, no capability, keys for its group; it stops in order."""
    keys, registry = tmp_path / "keys", tmp_path / "registry"
    shutil.copytree(REFERENCE_FOLDER, registry)
    _make_secret(keys)
    container = docker.docker(
        *("run", "--detach", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        *(f"--volume={keys}:/etc/routecast/trust:ro", f"--volume={registry}:/registry:ro"),
        *(f"--env={name}={value}" for name, value in _environment().items()),
        *("--env=ROUTECAST_PUBLISHER_REGISTRY_DIR=/registry", f"--publish=127.0.0.1:{PORT}:{PORT}", image),
    ).strip()
    try:
        wait_for(lambda: _answers(docker, container), "an answer at /healthz", docker.room)
        assert _get(docker.room, "/readyz").startswith("waiting: ")
        status = docker.docker(
            "exec", container, "/opt/routecast/bin/python", "-c", "print(open('/proc/1/status').read())"
        )
        assert re.search(r"^Uid:\s+65532\s+65532\s", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
        docker.docker("stop", "--time=20", container)
        assert docker.docker("inspect", "--format={{.State.ExitCode}}", container).strip() == "0"
    finally:
        docker.docker("rm", "--force", "--volumes", container)


def _make_secret(folder: Path) -> None:
    """Make the keys that the Secret holds, as Kubernetes mounts them: root's, and readable by the pod's group."""
    TrustDirectory(folder, folder.with_name("nats")).make(["nats.routecast.svc"], now())
    (folder / "ca.key").unlink()
    (folder / "signing.seed").write_text(SEED)
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o440)
        os.chown(file, 0, 65532)


def _environment() -> dict[str, str]:
    """Return the environment that the Deployment gives."""
    for document in yaml.safe_load_all(MANIFEST.read_text()):
        if document["kind"] == "Deployment":
            container = document["spec"]["template"]["spec"]["containers"][0]
            return {each["name"]: each["value"] for each in container["env"]}
    raise AssertionError("there is no Deployment")


def _get(room: Room, path: str) -> str:
    """Return the body at a path of the published port, whatever its status; nothing when nobody answers."""
    return room.run(sys.executable, "-c", GET, f"http://127.0.0.1:{PORT}{path}", check=False)


def _answers(docker: Engine, container: str) -> bool:
    """Tell whether the container is healthy; one that has ended fails the test with what it said."""
    running = docker.docker("inspect", "--format={{.State.Running}}", container).strip() == "true"
    assert running, docker.docker("logs", container)
    return _get(docker.room, "/healthz") == "ok\n"
