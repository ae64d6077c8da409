"""`routecast show` and `problems`, on the samples of real clusters."""

from pathlib import Path

import orjson
import pytest

from cli import exits
from cli.console import put
from cli.show.drawing import draw_registry
from cli.show.placing import Placed, place_all
from common import subjects
from common.bus import Bus
from common.clock import now
from common.models import Cluster, Node, Registry, Role, Routing, Service, Strategy
from common.problems import Problem, Severity
from tests.cli.bus_data import report
from tests.cli.conftest import Routecast, run_routecast
from tests.registries import REFERENCE, with_service


def test_show_says_all_that_the_replaced_tool_said(reference: str) -> None:
    """Domains with descriptions, VPSs with public address and location, routing with strategy; and problems last."""
    result = run_routecast("show", "--registry-dir", reference)
    assert result.exit_code == exits.OK
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["curiios.com", "Personal", "site"] in lines
    assert ["100.68.225.92", "45.8.133.192", "eu", "contabo", "contabo-vps"] in lines
    assert "  mynodeone, zone mycloud.local, control plane 100.122.68.75" in result.stdout
    assert result.stdout.endswith("Problems\n  none\n")


def test_show_places_host_names_as_the_reference_promises(reference: str) -> None:
    """round-robin spreads the host names over the VPSs, primary-backup puts them on the first."""
    found = orjson.loads(run_routecast("--registry-dir", reference, "show", "-o", "json").stdout)
    assert {row["host"]: row["placed_on"] for row in found["placement"]} == {
        "photos.curiios.com": "100.68.225.92",
        "photos.vinaysachdeva.com": "100.70.123.45",
        "chat.curiios.com": "100.68.225.92",
        "chat.vinaysachdeva.com": "100.68.225.92",
    }
    assert found["problems"] == []
    assert sorted(found["registry"]["services"]) == ["dashboard", "grafana", "immich", "open-webui"]


def test_an_early_cluster_is_shown_with_its_problems(legacy: str) -> None:
    """Everything that is wrong is named, each with its severity, document, entry, message and mending command."""
    result = run_routecast("show", "--registry-dir", legacy, "-o", "json")
    assert result.exit_code == exits.OK
    problems = orjson.loads(result.stdout)["problems"]
    assert {tuple(problem) for problem in problems} == {("severity", "document", "entry", "message", "mend")}
    said = " ".join(f"{problem['entry']} {problem['message']}" for problem in problems)
    for word in ("bad one", "jellyfin", "100.99.99.99", "fastest", "gone", "example.net", "no node has that address"):
        assert word in said
    table = run_routecast("show", "--registry-dir", legacy).stdout
    assert table.count("mend: ") == len(problems)
    assert "no node" in table


def test_problems_of_a_folder(reference: str, legacy: str) -> None:
    """Errors are exit code 1 and come first; none is 0."""
    result = run_routecast("problems", "--registry-dir", legacy)
    assert result.exit_code == exits.NOT_SO
    assert result.stdout.startswith("error   service-registry/services.json 'bad one': ")
    assert result.stdout.splitlines()[-1].startswith("3 errors, ")
    fine = run_routecast("problems", "--registry-dir", reference)
    assert (fine.exit_code, fine.stdout) == (exits.OK, "no problems\n")
    assert run_routecast("problems", "--registry-dir", reference, "-o", "json").stdout == "[]\n"


async def test_problems_as_the_publisher_reports_them(bus: Bus, routecast: Routecast) -> None:
    """By default the running publisher is asked; warnings alone are exit code 0."""
    warning = Problem(severity=Severity.WARNING, document="d", entry="e", message="\x1bm", mend="do it")
    error = Problem(severity=Severity.ERROR, document="d", entry=None, message="m", mend="do it")
    await report(bus, problems=(warning,))
    mild = await routecast("problems")
    assert mild.exit_code == exits.OK
    assert mild.stdout.splitlines() == ["warning d 'e': \\x1bm", "        mend: do it", "1 warning"]
    await report(bus, problems=(warning, error))
    bad = await routecast("problems", "-o", "json")
    assert bad.exit_code == exits.NOT_SO
    assert [problem["severity"] for problem in orjson.loads(bad.stdout)] == ["warning", "error"]


async def test_a_publisher_that_is_gone_reports_nothing(bus: Bus, routecast: Routecast) -> None:
    """What a publisher said five minutes ago is no report."""
    await report(bus, at=now().replace(year=2025))
    assert (await routecast("problems")).exit_code == exits.UNREACHABLE
    await bus.js.publish(subjects.status("broken"), b"\x00")
    assert (await routecast("problems")).exit_code == exits.UNREACHABLE


def test_an_empty_folder_is_shown_as_what_it_is(tmp_path: Path) -> None:
    """Nothing is there: every document is a problem, and exit code 1 says that nothing would be published."""
    result = run_routecast("show", "--registry-dir", str(tmp_path))
    assert result.exit_code == exits.NOT_SO
    assert "no service is registered" in result.stdout
    assert "no zone, so no names" in result.stdout


def test_the_cluster_is_read_when_asked_for(tmp_path: Path) -> None:
    """Whatever folder the settings name; a kubeconfig that is missing is a matter of settings, said in one line."""
    config = tmp_path / "routecast.toml"
    config.write_text(f'[publisher]\nkubeconfig = "{tmp_path}/missing"\nregistry_dir = "{tmp_path}"\n')
    assert run_routecast("--config", str(config), "show").exit_code == exits.NOT_SO
    result = run_routecast("--config", str(config), "show", "--cluster")
    assert result.exit_code == exits.USAGE
    assert len(result.stderr.splitlines()) == 1


def _why(registry: Registry, service: str) -> str | None:
    return next(row.why_not for row in place_all(registry) if row.service == service)


def test_a_routed_service_without_a_route_says_why() -> None:
    """What keeps a service from its public names is said in its row."""
    immich = REFERENCE.services["immich"]

    def with_immich(**fields: object) -> Registry:
        return with_service("immich", immich.model_copy(update=fields))

    def routed(routing: Routing) -> Registry:
        return REFERENCE.model_copy(update={"routing": {"immich": routing}})

    assert _why(REFERENCE, "immich") is None
    assert _why(with_immich(public=False), "immich") == "the service is not public"
    assert _why(with_immich(ip=None), "immich") == "the service has no address"
    assert _why(with_immich(port=None), "immich") == "the service has no port"
    assert _why(routed(Routing(vps_nodes=("100.68.225.92",))), "immich") == "no domain is left"
    assert _why(routed(Routing(domains=("curiios.com",))), "immich") == "no VPS is left"
    lost = REFERENCE.model_copy(update={"routing": {"gone": Routing(domains=("curiios.com",))}})
    assert _why(lost, "gone") == "the service is not registered"
    twin = with_service("zz", immich.model_copy(update={"ip": "100.67.243.99"}))
    twin = twin.model_copy(update={"routing": {**twin.routing, "zz": twin.routing["immich"]}})
    assert _why(twin, "zz") == "another service has its host names"


def test_placement_names_all_that_serve() -> None:
    """A row holds the host name, its backend, where it is placed and who serves it; a domain given twice is one row."""
    registry = Registry(
        services={"home": Service(subdomain="", ip="fd7a::1", port=80, public=True)},
        routing={"home": Routing(domains=("a.com", "a.com"), vps_nodes=("100.64.0.1", "100.64.0.2"))},
        nodes=(Node(name="n", role=Role.VPS, address="100.64.0.1"),),
    )
    assert place_all(registry) == [
        Placed("home", Strategy.ROUND_ROBIN, "a.com", "http://[fd7a::1]:80", "100.64.0.2", ("100.64.0.1", "100.64.0.2"))
    ]


def test_what_is_amiss_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """A route that is not, a name that is taken, a subdomain without a zone: seen in their rows."""
    immich = REFERENCE.services["immich"]
    twin = with_service("zz", immich.model_copy(update={"ip": "100.67.243.99", "public": False}))
    twin = twin.model_copy(update={"routing": {"zz": twin.routing["immich"]}})
    put(*draw_registry(twin))
    drawn = capsys.readouterr().out
    assert "photos.mycloud.local (taken)" in drawn
    assert "the service is not public" in drawn
    put(*draw_registry(twin.model_copy(update={"cluster": Cluster()})))
    assert "no zone, so no names" in capsys.readouterr().out
