"""What the pages have readers type where containers run is typed at an engine, as it is printed, in their order."""

import json
import sys
from collections.abc import Iterator

import pytest

from common.clock import now
from publisher.trust import server
from publisher.trust.directory import TrustDirectory
from tests.deploy.conftest import skip_without
from tests.deploy.engine import Engine
from tests.deploy.homelab import TAILNET
from tests.deploy.repository import copy_repository
from tests.deploy.walk import CLUSTER
from tests.docs.places import PAGES, is_for_engine, is_for_here
from tests.docs.sections import sections
from tests.docs.shell import Done

ADDRESS = TAILNET[CLUSTER]

_LINES = [
    line
    for page in PAGES
    for section in sections(page)
    for block in section.typed
    for line in block
    if is_for_engine(line) or (is_for_here(line) and block is not section.typed[-1] and any(map(is_for_engine, block)))
]
LINES = list(enumerate(_LINES))
"""Each line of a block counts: what a file has that is written there, the next one needs."""

ACCESS = "/etc/routecast/nats"
"""Where `init` leaves what the NATS server needs. Here it is elsewhere: the engine's machine has this one's files."""

_GREETING = """
import socket, ssl, sys
trusting = ssl.create_default_context(cafile=sys.argv[1])
with trusting.wrap_socket(socket.create_connection((sys.argv[2], 4222), 5), server_hostname=sys.argv[2]) as server:
    print(server.recv(9999).decode())
"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> TrustDirectory:
    """Make what `init` makes, for a server that finds it where the page says."""
    made = TrustDirectory(tmp_path_factory.mktemp("trust"), tmp_path_factory.mktemp("nats"))
    made.make([ADDRESS, "127.0.0.1"], now())
    access = made.server / server.FILE
    access.write_text(access.read_text().replace(str(made.server), ACCESS))
    return made


@pytest.fixture(scope="module")
def typed(
    docker: Engine, trust: TrustDirectory, nats_base: str, python_base: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, Done]]:
    """Type everything in a copy of the repository, on a machine that has the control plane's address."""
    skip_without("ctr")
    assert nats_base, python_base
    folder = copy_repository(tmp_path_factory.mktemp("reader") / "routecast")
    docker.room.run("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
    try:
        yield {number: docker.type(line.replace(ACCESS, str(trust.server)), folder) for number, line in LINES}
    finally:
        docker.type("docker-compose down --volumes", folder)


@pytest.mark.parametrize(("number", "line"), LINES)
def test_a_line_works_as_printed(typed: dict[int, Done], number: int, line: str) -> None:
    """It ends well."""
    assert typed[number].code == 0, (line, typed[number])


def test_the_cluster_has_the_image_under_the_name_that_it_asks_for(typed: dict[int, Done], docker: Engine) -> None:
    """What was saved and imported is what the Deployment names."""
    assert typed
    assert "docker.io/library/routecast:0.1.0" in docker.type("k3s ctr images list", docker.room.log.parent).printed


def test_nats_is_reached_on_the_address_of_the_tailnet(
    typed: dict[int, Done], docker: Engine, trust: TrustDirectory
) -> None:
    """With the override of the page; it proves who it is, and asks everybody for credentials."""
    assert typed
    for address in ("127.0.0.1", ADDRESS):
        said = docker.room.run(sys.executable, "-c", _GREETING, str(trust.authority), address)
        assert json.loads(said.removeprefix("INFO "))["auth_required"]
