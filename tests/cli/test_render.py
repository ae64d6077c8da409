"""`routecast render`, on the samples of real clusters."""

from pathlib import Path

import orjson
import pytest

from cli import exits
from tests.cli.conftest import run_routecast


def test_render_hosts_of_the_reference(reference: str) -> None:
    """Exactly the four names and the zone itself, as the block that a laptop writes."""
    result = run_routecast("--registry-dir", reference, "render", "hosts")
    assert result.exit_code == exits.OK
    lines = result.stdout.splitlines()
    assert lines[0].startswith("# BEGIN routecast")
    assert lines[-1].startswith("# END routecast")
    assert [line.split("\t") for line in lines[1:-1]] == [
        ["100.67.243.11", "chat.mycloud.local"],
        ["100.67.243.13", "dashboard.mycloud.local"],
        ["100.67.243.12", "grafana.mycloud.local"],
        ["100.67.243.13", "mycloud.local"],
        ["100.67.243.10", "photos.mycloud.local"],
    ]
    assert not result.stderr


@pytest.mark.parametrize("vps", ["100.68.225.92", "100.70.123.45"])
def test_render_vps_of_the_reference(vps: str, reference: str) -> None:
    """Two routers for each of the four public host names, on either VPS; nothing of what is private."""
    result = run_routecast("render", "vps", vps, "--registry-dir", reference)
    assert result.exit_code == exits.OK
    rules = [router["rule"] for router in orjson.loads(result.stdout)["http"]["routers"].values()]
    hosts = [f"{app}.{domain}" for app in ("chat", "photos") for domain in ("curiios.com", "vinaysachdeva.com")]
    assert sorted(rules) == sorted(f"Host(`{host}`)" for host in hosts * 2)
    assert "grafana" not in result.stdout
    assert "dashboard" not in result.stdout


def test_render_of_an_early_cluster(legacy: str) -> None:
    """Good entries are rendered beside bad ones; how many problems there are goes to standard error."""
    hosts = run_routecast("render", "hosts", "--registry-dir", legacy)
    names = [line.partition("\t")[2] for line in hosts.stdout.splitlines() if "\t" in line]
    assert names == ["minicloud.local", "photos.minicloud.local"]
    assert hosts.stderr.startswith("note: 3 errors, ")
    vps = run_routecast("render", "vps", "100.68.225.92", "--registry-dir", legacy)
    assert "http://[fd7a:115c:a1e0::10]:3000" in vps.stdout
    assert "no node is registered at 100.68.225.92" in vps.stderr
    assert "Host(`photos.curiios.com`)" in vps.stdout


def test_render_uses_the_settings_of_traefik(reference: str, tmp_path: Path) -> None:
    """Entry points, resolver and prefix are those of the settings."""
    config = tmp_path / "routecast.toml"
    config.write_text('[traefik]\nentry_point = "https"\nprefix = "ours"\n')
    result = run_routecast("--config", str(config), "render", "vps", "100.68.225.92", "--registry-dir", reference)
    routers = orjson.loads(result.stdout)["http"]["routers"]
    assert all(name.startswith("ours-") for name in routers)
    assert {point for router in routers.values() for point in router["entryPoints"]} == {"https", "web"}


def test_nothing_to_render_is_said(reference: str, tmp_path: Path) -> None:
    """No route, no name, or no readable services: exit code 1 and nothing on standard output."""
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, said in (
        (("vps", "100.64.0.1", "--registry-dir", reference), "registered VPSs: 100.68.225.92, 100.70.123.45"),
        (("hosts", "--registry-dir", str(empty)), "the services cannot be read"),
        (("vps", "100.64.0.1", "--registry-dir", str(empty)), "the services cannot be read"),
    ):
        result = run_routecast("render", *words)
        assert (result.exit_code, result.stdout) == (exits.NOT_SO, "")
        assert said in result.stderr
    text = Path(reference, "registry.yaml").read_text()
    Path(reference, "registry.yaml").write_text(text.replace("  cluster-domain: mycloud\n", ""))
    result = run_routecast("render", "hosts", "--registry-dir", reference)
    assert result.exit_code == exits.NOT_SO
    assert "no name follows" in result.stderr
