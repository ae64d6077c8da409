import hashlib
import io
import re
import subprocess
import tarfile
import zipfile
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import engine, room
from tests.deploy.systemd import ROOT

SCRIPT, KUBECTL = ROOT / ".ci" / "run", ROOT / ".ci" / "kubectl"

IN_DEBIAN = {
    **dict.fromkeys(("containerd", "runc", "docker", "iptables"), "dockerd"),
    **dict.fromkeys(("unshare", "nsenter", "setpriv", "pivot_root", "mount"), None),
}
"""Programs that come with another one of the list, or are on every Debian (None)."""


def test_the_script_runs_the_readmes_two_commands() -> None:
    """CI does what a person does: `make check` and `make test`, each with an end, together within half an hour."""
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    text = SCRIPT.read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    limits = re.findall(r"^timeout --kill-after=30s (\d+)m make (\w+)", text, re.MULTILINE)
    assert [target for _, target in limits] == ["check", "test"]
    assert sum(int(minutes) for minutes, _ in limits) < 30
    assert SCRIPT.stat().st_mode & 0o111 == 0o111


def test_nothing_is_skipped_for_want_of_a_program() -> None:
    """What the tests look for is installed by the script, from Debian or by a script beside it, or on every Debian."""
    text = SCRIPT.read_text()
    from_debian = set(re.findall(r"\[([\w-]+)\]=", text))
    by_script = set(re.findall(r"command -v ([\w-]+) >/dev/null \|\| \.venv/bin/python \.ci/\1 ", text))
    needed = {*room.PROGRAMS, *engine.PROGRAMS, "busybox", "dnsmasq", "jq", "kubectl", "systemctl"}
    assert {IN_DEBIAN.get(name, name) for name in needed} - {None} <= from_debian | by_script
    assert text.index("make check") < text.index(".ci/kubectl") < text.index("make test"), "pip comes with make check"


def test_the_scripts_name_no_host() -> None:
    """Where packages come from is pip's and apt's to know."""
    for script in (SCRIPT, KUBECTL):
        assert "://" not in script.read_text()


@pytest.fixture(scope="module")
def kubectl() -> Any:
    """Load the script that installs kubectl, which runs nothing by that."""
    assert KUBECTL.stat().st_mode & 0o111 == 0o111
    loader = SourceFileLoader("ci_kubectl", str(KUBECTL))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def _wheel(folder: Path, program: bytes, name: str = "kubectl/kubectl") -> Path:
    """Build a wheel as the package's is built."""
    layer, archive = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(layer, "w") as inner:
        inner.writestr("helm/helm", b"another program")
        inner.writestr(name, program)
    with tarfile.open(fileobj=archive, mode="w:gz") as middle:
        member = tarfile.TarInfo("package/lib/layer.zip")
        member.size = len(layer.getvalue())
        middle.addfile(member, io.BytesIO(layer.getvalue()))
    wheel = folder / "a.whl"
    with zipfile.ZipFile(wheel, "w") as outer:
        outer.writestr("aws_cdk/some_layer/_jsii/some-layer@1.0.0.jsii.tgz", archive.getvalue())
    return wheel


def test_kubectl_is_taken_out_of_its_package(kubectl: Any, tmp_path: Path) -> None:
    """This one program, and it can be run; a second time it is replaced."""
    program = b"#!/bin/sh\necho me\n"
    for _ in range(2):
        extracted = kubectl.extract(_wheel(tmp_path, program))
        kubectl.install(extracted, hashlib.sha256(program).hexdigest(), tmp_path / "tools")
    assert [file.name for file in (tmp_path / "tools").iterdir()] == ["kubectl"]
    assert subprocess.run([tmp_path / "tools" / "kubectl"], check=True, capture_output=True).stdout == b"me\n"


def test_another_program_is_not_installed(kubectl: Any, tmp_path: Path) -> None:
    """What has another digest than the script names is nothing that CI runs; nor is a package of another build."""
    with pytest.raises(kubectl.Refused, match="nothing is installed"):
        kubectl.install(kubectl.extract(_wheel(tmp_path, b"evil")), kubectl.SHA256, tmp_path / "tools")
    assert not (tmp_path / "tools").exists()
    (tmp_path / "b.whl").write_bytes(b"no archive")
    for wheel in (_wheel(tmp_path, b"", name="bin/kubectl"), tmp_path / "b.whl"):
        with pytest.raises(kubectl.Refused, match="is not built as"):
            kubectl.extract(wheel)
