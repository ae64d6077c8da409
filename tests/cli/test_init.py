"""`routecast init`: what it makes beside the registry, on a folder as a person would use it."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from cli import exits
from common.clock import now
from publisher.trust.certificates import AUTHORITY_FOR, hosts_of, make_authority, make_server
from tests.cli.conftest import run_routecast

SECRET = 0o600


class ControlPlane:
    """A folder in which everything is that a control plane keeps in /etc/routecast."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = folder / "registry"
        self.registry.mkdir()
        self.env = {
            "ROUTECAST_TRUST_DIRECTORY": str(folder / "trust"),
            "ROUTECAST_TRUST_SERVER_DIRECTORY": str(folder / "nats"),
            "ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(folder / "signing.seed"),
        }

    def init(self, *words: str) -> Result:
        """Run `routecast init` there."""
        return run_routecast("--registry-dir", str(self.registry), "init", *words, env=self.env)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Return content and mode of each file outside the registry."""
        return {
            str(path.relative_to(self.folder)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and self.registry not in path.parents
        }


@pytest.fixture
def control_plane(tmp_path: Path) -> ControlPlane:
    """Return an empty one."""
    return ControlPlane(tmp_path)


WORDS = ("--domain", "mycloud", "--control-plane-ip", "100.122.68.75", "--nats-host", "nats.example.net")


def test_keys_and_the_servers_files_are_made_once(control_plane: ControlPlane) -> None:
    """A second run changes no byte of them; what is secret is its owner's alone; it says what to start."""
    first = control_plane.init(*WORDS)
    assert first.exit_code == exits.OK, first.output
    made = control_plane.files()
    open_to_all = {name for name, (_, mode) in made.items() if mode != SECRET}
    assert open_to_all == {"trust/ca.crt", "nats/access.conf", "nats/server.crt"}
    assert {"signing.seed", "trust/nats-keys.json", "trust/ca.key", "nats/server.key"} < made.keys()
    assert {f"trust/{user}.creds" for user in ("publisher", "operator", "system")} < made.keys()
    assert "docker-compose up -d" in first.stderr
    assert "create secret generic routecast-trust" in first.stderr
    second = control_plane.init()
    assert second.exit_code == exits.OK
    assert "unchanged" in second.stderr
    assert control_plane.files() == made


def test_the_certificate_stands_for_every_way_to_the_server(control_plane: ControlPlane) -> None:
    """On loopback, in the cluster, at the control plane's address, and under the names that were given."""
    control_plane.init(*WORDS)
    hosts = set(hosts_of((control_plane.folder / "nats" / "server.crt").read_bytes()))
    assert {"localhost", "127.0.0.1", "nats.routecast.svc", "100.122.68.75", "nats.example.net"} < hosts


def test_no_secret_is_printed(control_plane: ControlPlane) -> None:
    """Neither by what says what was made, nor by what says what to start."""
    said = control_plane.init(*WORDS).output
    for name, (content, mode) in control_plane.files().items():
        if mode == SECRET:
            assert not [line for line in content.decode().split('"') if len(line) > 40 and line in said], name


def test_a_certificate_of_ones_own_is_taken(control_plane: ControlPlane, tmp_path: Path) -> None:
    """With its authority; then there is no key of an authority here. Half of it is a usage error."""
    authority = make_authority(now())
    own = make_server(authority, ["nats.example.net"], now())
    for name, content in (("own.crt", own.certificate), ("own.key", own.key), ("own-ca.crt", authority.certificate)):
        (tmp_path / name).write_bytes(content)
    given = ("--tls-certificate", str(tmp_path / "own.crt"))
    assert control_plane.init(*WORDS, *given).exit_code == exits.USAGE
    given += ("--tls-key", str(tmp_path / "own.key"), "--tls-authority", str(tmp_path / "own-ca.crt"))
    assert control_plane.init(*WORDS, *given).exit_code == exits.OK
    made = control_plane.files()
    assert made["nats/server.crt"][0] == own.certificate
    assert made["trust/ca.crt"][0] == authority.certificate
    assert "trust/ca.key" not in made


def test_the_registry_alone_can_be_made(control_plane: ControlPlane) -> None:
    """`--registry-only`, and `--dry-run`, make no keys."""
    assert control_plane.init(*WORDS, "--dry-run").exit_code == exits.OK
    assert control_plane.init(*WORDS, "--registry-only").exit_code == exits.OK
    assert control_plane.files() == {}


def test_where_it_may_not_write_it_says_what_to_do(control_plane: ControlPlane) -> None:
    """The folder, why, and the three ways out."""
    control_plane.env["ROUTECAST_TRUST_DIRECTORY"] = "/proc/nowhere/trust"
    result = control_plane.init(*WORDS)
    assert result.exit_code == exits.USAGE
    for word in ("/proc/nowhere", "root", "[trust] directory", "--registry-only"):
        assert word in result.stderr


def test_certificates_are_shown_with_their_end_and_renewed(control_plane: ControlPlane) -> None:
    """`trust status` names both; `trust renew` makes the server's anew, for the same names and one more."""
    control_plane.init(*WORDS)
    server = control_plane.folder / "nats" / "server.crt"
    before, authority = server.read_bytes(), (control_plane.folder / "trust" / "ca.crt").read_bytes()
    shown = run_routecast("trust", "status", env=control_plane.env)
    assert shown.exit_code == exits.OK, shown.output
    assert "NATS certificate" in shown.stdout
    assert "in 824 days" in shown.stdout
    renewed = run_routecast("trust", "renew", "--nats-host", "other.example.net", env=control_plane.env)
    assert renewed.exit_code == exits.OK, renewed.output
    assert set(hosts_of(server.read_bytes())) == {*hosts_of(before), "other.example.net"}
    assert (control_plane.folder / "trust" / "ca.crt").read_bytes() == authority


def test_a_certificate_that_ends_soon_is_said_with_the_command(control_plane: ControlPlane) -> None:
    """Within a month of its end the exit code says it too."""
    control_plane.init(*WORDS)
    authority = make_authority(now() - AUTHORITY_FOR + timedelta(days=20))
    (control_plane.folder / "trust" / "ca.crt").write_bytes(authority.certificate)
    shown = run_routecast("trust", "status", env=control_plane.env)
    assert shown.exit_code == exits.NOT_SO
    assert "routecast trust renew" in shown.stdout
