"""Each case is a broken registry in a folder: its problems are listed, and the command of each is run as it stands."""

import re
import shlex
import shutil
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from cli import exits
from publisher.source.document import SERVICE_REGISTRY
from publisher.source.manifests import read_folder
from tests.cli.conftest import SAMPLES, run_routecast
from tests.publisher.pipeline.broken import BY_HAND, CASES
from tests.publisher.pipeline.parsing import Texts

Problem = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder whose name a shell would take for several words."""
    made = tmp_path / "my registry's"
    made.mkdir()
    return made


@pytest.mark.parametrize("case", CASES)
def test_a_problem_names_the_command_and_is_gone_when_it_was_run(case: str, folder: Path) -> None:
    """Ready to paste, but for what only a person knows; and no command says yes to publishing something."""
    content, expected = CASES[case]
    _write(folder, content)
    problems = _lint(folder)
    assert [_words(problem["mend"], folder) for problem in problems] == expected
    for problem in problems:
        if _words(problem["mend"], folder) == BY_HAND:
            assert problem["mend"].startswith("${EDITOR:-vi} ")
            continue
        _write(folder, content)
        public = _public(folder)
        _run(problem["mend"])
        assert _what(problem) not in map(_what, _lint(folder))
        assert _public(folder) <= public


def test_an_old_cluster_is_mended_command_by_command(folder: Path) -> None:
    """All that is wrong in it, from what one listing says; what that uncovers, from the next one."""
    shutil.copy(SAMPLES / "legacy.yaml", folder)
    assert [_words(problem["mend"], folder) for problem in _lint(folder)] == [
        *["service add 'bad one' --subdomain a-b --ip ADDRESS --port PORT"] * 3,
        *["service add immich --port 80 --public"] * 2,
        "service add jellyfin --ip ADDRESS",
        "route remove gone --yes",
        "domain add example.net",
        "vps add 100.99.99.99",
        "route set immich --strategy round-robin",
        "node add vps contabo-eu 100.68.225.92",
    ]
    for mend in dict.fromkeys(problem["mend"] for problem in _lint(folder)):
        _run(mend)
    [left] = _lint(folder)
    assert _words(left["mend"], folder) == "node add vps vps-100-99-99-99 100.99.99.99"
    _run(left["mend"])
    assert run_routecast("lint", "--strict", "--registry-dir", str(folder)).exit_code == exits.OK


def _write(folder: Path, content: Texts) -> None:
    for file in folder.iterdir():
        file.unlink()
    for name, data in content.items():
        if data is not None:
            manifest = {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(manifest))


def _lint(folder: Path) -> list[Problem]:
    found: list[Problem] = orjson.loads(run_routecast("lint", "--registry-dir", str(folder), "-o", "json").stdout)
    return found


def _words(mend: str, folder: Path) -> str:
    """Return a command without what every one begins with; one of another program is none."""
    program = f"routecast --registry-dir {shlex.quote(str(folder))} "
    return mend.replace(program, "") if mend.startswith(program) else BY_HAND


def _run(mend: str) -> None:
    """Run a command as a shell would, with what a person puts in the place of the capitals."""
    numbers = count(1)
    mend = re.sub(r"\bADDRESS\b", lambda _: f"100.127.9.{next(numbers)}", mend)
    for unknown, known in {
        "NAME@": "auth@",
        "PROVIDER": "file",
        "PORT": "8080",
        "TEXT": "text",
        "DOMAIN": "curiios.com",
        "VPS": "100.68.225.92",
    }.items():
        mend = re.sub(rf"\b{unknown}", known, mend)
    for command in mend.split(" && "):
        program, *words = shlex.split(command)
        assert program == "routecast"
        result = run_routecast(*words)
        assert result.exit_code == exits.OK, f"{command}: {result.output}"


def _what(problem: Problem) -> tuple[str, ...]:
    return problem["document"], problem["entry"], problem["message"]


def _public(folder: Path) -> set[str]:
    """Return the services that are written as public."""
    data = read_folder(folder, "kube-system")[SERVICE_REGISTRY].data or {}
    try:
        entries = orjson.loads(data.get("services.json", ""))
    except orjson.JSONDecodeError:
        return set()
    found = entries.items() if isinstance(entries, dict) else ()
    return {name for name, entry in found if isinstance(entry, dict) and entry.get("public") in (True, "true")}
