"""The commands that edit the registry, on a folder as a person would use them."""

from pathlib import Path

import orjson
import pytest
from click.testing import Result

from cli import exits
from tests.cli.conftest import run_routecast


def _run(folder: str, *words: str) -> Result:
    return run_routecast("--registry-dir", folder, *words)


def _json(folder: str, *words: str) -> dict[str, object]:
    result = _run(folder, *words, "-o", "json")
    assert result.exit_code == exits.OK, result.output
    value: dict[str, object] = orjson.loads(result.stdout)
    return value


def _bytes(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).glob("*.yaml")}


def test_an_edit_shows_field_by_field_what_it_changes_and_what_follows(reference: str) -> None:
    """Before and after of each field, the routes that follow, and where it was written."""
    result = _run(reference, "service", "add", "immich", "--port", "2283")
    assert result.exit_code == exits.OK
    assert "~ service immich\n    port  80 -> 2283\n" in result.stdout
    assert "~ photos.curiios.com -> http://100.67.243.10:2283" in result.stdout
    assert result.stdout.endswith("written to service-registry\n")


def test_the_same_again_says_unchanged_and_writes_nothing(reference: str) -> None:
    """Typed twice, nothing happens the second time: same bytes, and it says so."""
    assert _json(reference, "service", "add", "immich", "--port", "2283")["written"]
    before = _bytes(reference)
    assert _run(reference, "service", "add", "immich", "--port", "2283").stdout == "unchanged\n"
    assert _bytes(reference) == before


def test_a_dry_run_shows_all_and_writes_nothing(reference: str) -> None:
    """`--dry-run` prints the same difference; the files keep their bytes."""
    before = _bytes(reference)
    result = _run(reference, "domain", "add", "example.com", "--dry-run")
    assert result.exit_code == exits.OK
    assert "+ domain example.com" in result.stdout
    assert result.stdout.endswith("dry run: nothing was written\n")
    assert _bytes(reference) == before


def test_all_faults_are_said_at_once_and_nothing_is_written(reference: str) -> None:
    """Four wrong words, four sentences, each with what would be right; exit code 1."""
    before = _bytes(reference)
    words = ("--domain", "curios.com", "--vps", "1.2.3.4", "--strategy", "fastest")
    result = _run(reference, "route", "set", "imich", *words)
    assert result.exit_code == exits.NOT_SO
    assert not result.stdout
    for said in ("did you mean 'immich'", "did you mean 'curiios.com'", "no VPS '1.2.3.4'", "'fastest' is unknown"):
        assert said in result.stderr
    assert _bytes(reference) == before


@pytest.mark.parametrize(
    "words",
    [
        ("service", "add", "new\nline", "--ip", "100.67.1.1"),
        ("service", "add", "tick`", "--ip", "100.67.1.1"),
        ("service", "add", "wiki", "--ip", "100.67.1.1", "--subdomain", "a`b"),
        ("service", "add", "wiki", "--ip", "100.67.1.1", "--subdomain", "photos"),
        ("service", "add", "wiki", "--ip", "::"),
        ("service", "add", "wiki", "--ip", "100.67.1.1", "--port", "70000"),
        ("service", "add", "immich", "--scheme", "ftp"),
        ("service", "add", "immich", "--middleware", "authelia"),
        ("service", "hide", "nobody"),
        ("domain", "add", "localhost"),
        ("vps", "add", "not-an-address"),
        ("node", "add", "laptop", "Not_A_Name", "100.67.1.1"),
        ("node", "add", "laptop", "other", "100.86.112.112"),
        ("route", "set", "grafana", "--domain", "curiios.com"),
        ("route", "set", "immich", "--strategy", "geo"),
    ],
)
def test_nothing_bad_gets_in(reference: str, words: tuple[str, ...]) -> None:
    """What the replaced tools took, or broke the registry with, is refused before anything is written."""
    before = _bytes(reference)
    result = _run(reference, *words)
    assert result.exit_code == exits.NOT_SO, result.output
    assert result.stderr.startswith("error: ")
    assert _bytes(reference) == before


def test_a_quote_is_a_character_like_others(reference: str) -> None:
    """A description with quotes, and a name with umlauts, arrive as they were meant."""
    _json(reference, "domain", "add", "b\u00fccher.example", "--description", 'the "best" site')
    domains = orjson.loads(_run(reference, "domain", "list", "-o", "json").stdout)
    assert domains["xn--bcher-kva.example"]["description"] == 'the "best" site'


def test_adding_a_vps_again_updates_it(reference: str) -> None:
    """The replaced tool kept the old address and said success."""
    changed = _json(reference, "vps", "add", "100.68.225.92", "--public-ip", "203.0.113.9")
    assert [(change["field"], change["after"]) for change in changed["changes"]] == [("public_ip", "203.0.113.9")]  # type: ignore[attr-defined]


def test_a_removal_says_what_goes_with_it_and_wants_a_yes(reference: str) -> None:
    """Without a terminal and without `--yes` the plan is printed, nothing is written; with it, all goes."""
    before = _bytes(reference)
    refused = _run(reference, "domain", "remove", "curiios.com")
    assert refused.exit_code == exits.NOT_SO
    assert "removes domain curiios.com" in refused.stderr
    assert "removes 2 routes: chat.curiios.com, photos.curiios.com" in refused.stderr
    assert "--yes" in refused.stderr
    assert _bytes(reference) == before
    assert _run(reference, "domain", "remove", "curiios.com", "--yes").exit_code == exits.OK
    shown = orjson.loads(_run(reference, "show", "-o", "json").stdout)
    assert {row["host"] for row in shown["placement"]} == {"photos.vinaysachdeva.com", "chat.vinaysachdeva.com"}


def test_removing_a_vps_leaves_no_route_to_it(reference: str) -> None:
    """The replaced tool left routes to it."""
    assert _run(reference, "vps", "remove", "contabo-vps", "--yes").exit_code == exits.OK
    shown = orjson.loads(_run(reference, "show", "-o", "json").stdout)
    assert not any("100.68.225.92" in routing["vps_nodes"] for routing in shown["registry"]["routing"].values())


def test_routing_a_private_service_makes_it_public_and_says_so(reference: str) -> None:
    """One command, both effects, and a word about the one that nobody typed."""
    result = _run(reference, "route", "set", "grafana", "--domain", "curiios.com", "--vps", "contabo-vps")
    assert "grafana was private: this makes it public" in result.stdout
    assert "grafana.curiios.com" in _run(reference, "route", "list").stdout


def test_init_makes_a_registry_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    """An empty folder becomes a registry with the control plane as its first node."""
    folder = str(tmp_path)
    words = ("init", "--registry-only", "--domain", "mycloud", "--control-plane-ip", "100.122.68.75", "--worker")
    words += ("--node-name", "cp")
    assert _run(folder, "init").exit_code == exits.NOT_SO
    assert _run(folder, *words).exit_code == exits.OK
    assert _run(folder, "lint").stdout == "no problems\n"
    assert "cp" in _run(folder, "node", "list").stdout
    assert _run(folder, *words).stdout == "unchanged\n"
    assert _run(folder, "init", "--registry-only").stdout == "unchanged\n"


def test_an_edit_before_init_names_init(tmp_path: Path) -> None:
    """Who edits nothing is told how to begin."""
    result = _run(str(tmp_path), "service", "add", "wiki", "--ip", "100.67.1.1")
    assert result.exit_code == exits.NOT_SO
    assert "routecast init" in result.stderr


def test_a_document_that_cannot_be_read_is_not_written_over(reference: str) -> None:
    """Broken JSON stays as it is, and the message names the command that opens it."""
    file = Path(reference) / "registry.yaml"
    file.write_text(file.read_text().replace('{"immich": {"subdomain"', '{"immich": {"subdomain', 1))
    before = file.read_bytes()
    result = _run(reference, "service", "add", "wiki", "--ip", "100.67.1.1")
    assert result.exit_code == exits.NOT_SO
    assert "registry.yaml" in result.stderr
    assert file.read_bytes() == before


def test_lint_counts_errors_and_with_strict_warnings(reference: str, legacy: str) -> None:
    """A sound registry passes, an early one does not."""
    assert _run(reference, "lint", "--strict").exit_code == exits.OK
    result = _run(legacy, "lint")
    assert result.exit_code == exits.NOT_SO
    assert "mend: " in result.stdout


def test_one_service_is_shown_with_what_follows_from_it(reference: str) -> None:
    """Fields, names and routes; one that does not exist is an error that helps."""
    view = orjson.loads(_run(reference, "service", "show", "immich", "-o", "json").stdout)
    assert view["names"] == ["photos.mycloud.local"]
    assert {row["host"] for row in view["routes"]} == {"photos.curiios.com", "photos.vinaysachdeva.com"}
    assert "photos.curiios.com" in _run(reference, "service", "show", "immich").stdout
    assert _run(reference, "service", "show", "nobody").exit_code == exits.NOT_SO
