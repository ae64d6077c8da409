import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from common.errors import TargetFailed
from common.models import Registry, Service
from common.settings.policy import PolicySettings
from subscriber.policy import Policy
from subscriber.targets.target import Plan
from subscriber.targets.traefik import TraefikTarget
from tests.registries import REFERENCE, with_service, without_service
from tests.subscriber.mounts import names_in
from tests.subscriber.policies import TAKES_ANYTHING
from tests.subscriber.targets.traefik_server import TraefikServer, needs_traefik

pytestmark = needs_traefik

NODE = "contabo-vps"
IMMICH = REFERENCE.services["immich"]
HOSTS = ("chat.curiios.com", "chat.vinaysachdeva.com", "photos.curiios.com", "photos.vinaysachdeva.com")
PHOTOS = HOSTS[2:]


def changed(registry: Registry = REFERENCE, **update: object) -> Registry:
    """Return the registry with immich changed."""
    return with_service("immich", IMMICH.model_copy(update=update), registry)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TraefikServer]:
    """Run one Traefik for all tests: it takes a second to start."""
    server = TraefikServer(tmp_path_factory.mktemp("traefik"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(shared: TraefikServer) -> Iterator[TraefikServer]:
    """Empty the watched directory after the test."""
    yield shared
    for file in shared.directory.iterdir():
        file.unlink()


@pytest.fixture
def target(server: TraefikServer) -> TraefikTarget:
    """Make the target on it."""
    return target_of(server)


def target_of(traefik: TraefikServer, /, node: str = NODE, **settings: object) -> TraefikTarget:
    """Make the target on a Traefik, with some settings changed."""
    changed = traefik.settings.model_validate(traefik.settings.model_dump() | settings)
    return TraefikTarget(changed, node, TAKES_ANYTHING)


async def test_the_routes_follow_the_registry(server: TraefikServer, target: TraefikTarget) -> None:
    """Made, changed, removed: each time Traefik itself was asked, and in the end there is no file."""
    await target.recover()
    created = await target.apply(REFERENCE)
    assert (created.plan, created.checked) == (Plan(created=HOSTS), "traefik")
    assert len(server.names("routers")) == 8

    moved = await target.apply(changed(port=8080))
    assert (moved.plan, moved.checked) == (Plan(updated=PHOTOS), "traefik")

    hidden = await target.apply(changed(public=False))
    assert (hidden.plan, hidden.checked) == (Plan(deleted=PHOTOS), "traefik")
    assert len(server.names("routers")) == 4

    none = await target.apply(Registry())
    assert (none.plan.deleted, none.checked) == (HOSTS[:2], "traefik")
    assert names_in(server.directory) == []
    assert server.names("routers") == server.names("services") == set()


async def test_traefik_routes_as_the_file_says(server: TraefikServer, target: TraefikTarget) -> None:
    """Plain requests are redirected for good, TLS ones reach for the backend, strangers are not known."""
    await target.apply(changed(ip="127.0.0.1", port=9))
    redirect = server.get(PHOTOS[0], tls=False)
    assert (redirect.status_code, redirect.headers["location"]) == (301, f"https://{PHOTOS[0]}/")
    assert server.get(PHOTOS[0], tls=True).status_code == httpx.codes.BAD_GATEWAY
    assert server.get("stranger.curiios.com", tls=True).status_code == httpx.codes.NOT_FOUND


async def test_the_same_registry_writes_and_asks_nothing(server: TraefikServer, target: TraefikTarget) -> None:
    """No difference: the same inode and time; the file was read, Traefik was not asked."""
    await target.apply(REFERENCE)
    before = server.file.stat()
    again = await target.apply(REFERENCE)
    assert (again.plan, again.checked) == (Plan(), "file")
    assert (server.file.stat().st_ino, server.file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_planning_writes_nothing(server: TraefikServer, target: TraefikTarget) -> None:
    """A plan says what an apply would do."""
    assert await target.plan(REFERENCE) == Plan(created=HOSTS)
    assert names_in(server.directory) == []


async def test_a_file_that_somebody_broke_is_written_anew(server: TraefikServer, target: TraefikTarget) -> None:
    """What cannot be read counts as empty; what is only formatted in another way is a rewrite."""
    await target.apply(REFERENCE)
    whole = server.file.read_bytes()
    server.file.write_bytes(b"http: [broken")
    assert (await target.apply(REFERENCE)).plan == Plan(created=HOSTS)
    server.file.write_bytes(whole + b"\n")
    assert (await target.apply(REFERENCE)).plan == Plan(rewrite=True)
    assert server.file.read_bytes() == whole


async def test_files_of_others_are_not_touched(server: TraefikServer, target: TraefikTarget) -> None:
    """The directory is shared: only our file is written and removed."""
    other = server.directory / "own.yml"
    other.write_text("http:\n  middlewares:\n    own:\n      compress: {}\n")
    before = other.stat()
    await target.apply(changed(middlewares=("own@file",)))
    await target.apply(Registry())
    assert names_in(server.directory) == ["own.yml"]
    assert (other.stat().st_ino, other.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_a_refused_route_comes_back_in_its_previous_form(server: TraefikServer, target: TraefikTarget) -> None:
    """Traefik's own words are in the failure; the previous bytes stand and are served again."""
    await target.apply(REFERENCE)
    before = server.file.read_bytes()
    with pytest.raises(TargetFailed, match='middleware "nope@file" does not exist') as failure:
        await target.apply(changed(middlewares=("nope@file",)))
    assert (failure.value.code, failure.value.entry) == ("traefik_refused", PHOTOS[0])
    assert server.file.read_bytes() == before


async def test_a_refused_route_stops_no_other(target: TraefikTarget) -> None:
    """One bad entry: the others are served as desired, a removal stands, the new bad one is left out."""
    await target.apply(without_service("immich"))
    registry = changed(middlewares=("nope@file",))
    chat = registry.services["open-webui"].model_copy(update={"port": 8080})
    registry = with_service("open-webui", chat, registry)
    with pytest.raises(TargetFailed):
        await target.apply(registry)
    assert await target.plan(registry) == Plan(created=PHOTOS)


async def test_what_is_no_longer_public_goes_even_when_the_check_fails(server: TraefikServer) -> None:
    """Traefik watches another directory: the check fails, all is as before, but the private route is gone."""
    elsewhere = server.folder / "elsewhere"
    elsewhere.mkdir()
    unwatched = target_of(server, directory=elsewhere, api_url=None)
    await unwatched.apply(REFERENCE)
    before = (elsewhere / "routecast.yml").read_bytes()
    checked = target_of(server, directory=elsewhere, check_timeout_s=0.3)

    with pytest.raises(TargetFailed, match="does not serve") as failure:
        await checked.apply(changed(port=8080))
    assert failure.value.code == "check_failed"
    assert (elsewhere / "routecast.yml").read_bytes() == before

    with pytest.raises(TargetFailed):
        await checked.apply(changed(public=False))
    assert not (await unwatched.plan(changed(public=False))).changed
    shutil.rmtree(elsewhere)


async def test_what_is_refused_goes_even_when_the_check_fails(server: TraefikServer) -> None:
    """A route that the policy does not take any more, or its backend, is no previous form to go back to."""
    elsewhere = server.folder / "refused"
    elsewhere.mkdir()
    far = changed(ip="203.0.113.66")
    await target_of(server, directory=elsewhere, api_url=None).apply(far)
    careful = TraefikTarget(
        server.settings.model_copy(update={"directory": elsewhere, "check_timeout_s": 0.3}),
        NODE,
        Policy(PolicySettings(zones=("curiios.com",))),
    )
    with pytest.raises(TargetFailed, match="does not serve"):
        await careful.apply(changed(middlewares=("a@file",)))
    found = (elsewhere / "routecast.yml").read_text()
    assert "203.0.113.66" not in found
    assert "vinaysachdeva.com" not in found
    plan = await careful.plan(far)
    assert plan.refused.count == 3
    shutil.rmtree(elsewhere)


async def test_a_first_write_that_fails_leaves_no_file(server: TraefikServer) -> None:
    """There was none before."""
    elsewhere = server.folder / "first"
    elsewhere.mkdir()
    with pytest.raises(TargetFailed):
        await target_of(server, directory=elsewhere, check_timeout_s=0.3).apply(REFERENCE)
    assert names_in(elsewhere) == []


async def test_without_an_answer_the_file_is_checked(server: TraefikServer) -> None:
    """Traefik is down, or what answers there is not Traefik's API: the file stands, the log says why."""
    for url in ("http://127.0.0.1:9", f"http://127.0.0.1:{server.web}"):
        with capture_logs() as logged:
            outcome = await target_of(server, api_url=url).apply(REFERENCE)
        assert (outcome.plan.created, outcome.checked) == (HOSTS, "file")
        assert [line["log_level"] for line in logged] == ["warning"]
        server.file.unlink()


async def test_more_routes_than_a_page_of_the_api_are_all_checked(target: TraefikTarget) -> None:
    """The API answers in pages: 1200 routers and more are found."""
    services = {
        f"app-{i}": Service(subdomain=f"app-{i}", ip="100.67.9.1", port=1000 + i, public=True) for i in range(600)
    }
    routing = {name: REFERENCE.routing["immich"].model_copy(update={"domains": ("curiios.com",)}) for name in services}
    outcome = await target.apply(REFERENCE.model_copy(update={"services": services, "routing": routing}))
    assert (len(outcome.plan.created), outcome.checked) == (600, "traefik")


async def test_a_node_that_is_not_registered_has_no_routes(server: TraefikServer) -> None:
    """Without its address nothing is known to be for it."""
    assert await target_of(server, node="stranger").plan(REFERENCE) == Plan()


async def test_another_prefix_renames_everything(server: TraefikServer, target: TraefikTarget) -> None:
    """The old names are gone from Traefik, the new ones there."""
    await target.apply(REFERENCE)
    outcome = await target_of(server, prefix="lab").apply(REFERENCE)
    assert (outcome.plan, outcome.checked) == (Plan(updated=HOSTS), "traefik")
    assert {name.partition("-")[0] for name in server.names("routers")} == {"lab"}


async def test_an_entry_point_that_traefik_does_not_have_is_told(server: TraefikServer) -> None:
    """The setting is wrong: nothing is served, and the message has Traefik's reason."""
    with pytest.raises(TargetFailed, match="nowhere"):
        await target_of(server, entry_point="nowhere").apply(REFERENCE)
    assert names_in(server.directory) == []


async def test_what_a_crash_left_in_the_staging_directory_is_removed(
    server: TraefikServer, target: TraefikTarget
) -> None:
    """Our temporary files go; the watched directory never sees one."""
    await target.apply(REFERENCE)
    (server.settings.staging_dir / ".routecast.yml.abc.routecast").touch()
    await target.recover()
    assert names_in(server.settings.staging_dir) == []


async def test_a_staging_directory_on_another_file_system_is_told(server: TraefikServer) -> None:
    """A rename cannot cross: the message says which setting to change."""
    staging = Path("/dev/shm")
    if not os.access(staging, os.W_OK) or staging.stat().st_dev == server.directory.stat().st_dev:
        pytest.skip("needs /dev/shm on a file system of its own")
    with pytest.raises(TargetFailed, match="staging_dir") as failure:
        await target_of(server, staging_dir=staging).apply(REFERENCE)
    assert failure.value.code == "other_file_system"
    assert names_in(server.directory) == []


async def test_a_missing_directory_is_a_clear_failure(server: TraefikServer) -> None:
    """Traefik would not watch a directory that we made: the message names it."""
    missing = server.folder / "missing"
    with pytest.raises(TargetFailed, match="missing") as failure:
        await target_of(server, directory=missing).apply(REFERENCE)
    assert failure.value.code == "missing"
    assert not missing.exists()
