"""What the pages show can be used: settings files, a registry, metrics, headers; names of code are those of code."""

import json
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from common import snapshot
from common.settings.load import CONFIG_VARIABLE, ENV_PREFIX, Settings, load
from common.settings.nats import CREDENTIAL
from publisher import metrics
from publisher.pipeline.parse import parse
from publisher.source.manifests import read_folder
from tests.docs.pages import PAGES, ROOT, blocks, name_of, spans

pages = pytest.mark.parametrize("page", PAGES, ids=name_of)

SETTINGS = {
    f"{section}.{key}"
    for section, field in Settings.model_fields.items()
    for key in field.annotation.model_fields  # type: ignore[union-attr]
}
VARIABLES = {CONFIG_VARIABLE, *(ENV_PREFIX + name.replace(".", "_").upper() for name in SETTINGS)}
FILES = {CREDENTIAL}
"""What looks like a setting, and is a file."""


def _exists(dotted: str) -> bool:
    """Tell whether a dotted name is a module, or something in one."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pages
def test_names_of_code_and_of_settings_exist(page: Path) -> None:
    """`publisher.pipeline.build.build` can be imported, `subscriber.public_keys` is a setting."""
    dotted = [span for span in spans(page) if re.fullmatch(r"[a-z]+(\.\w+)+", span)]
    starts = {"cli", "common", "publisher", "subscriber", *Settings.model_fields}
    ours = {name for name in dotted if name.split(".")[0] in starts}
    assert not [name for name in ours - FILES if name not in SETTINGS and not _exists(name)]


def test_a_name_that_is_gone_is_found() -> None:
    """The check of names finds what it is there for."""
    assert _exists("common.snapshot.Snapshot.from_body")
    assert not _exists("common.snapshot.Snapshot.from_mind")
    assert not _exists("common.nothing")


@pages
def test_environment_variables_are_settings(page: Path) -> None:
    """Every ROUTECAST_… variable is one that is read."""
    assert {*re.findall(rf"\b{ENV_PREFIX}[A-Z_]*[A-Z]\b", page.read_text())} <= VARIABLES


@pages
def test_settings_files_are_valid(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every TOML block, and every here-document that is one, is a settings file that is taken."""
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    texts = [block.text for block in blocks(page, "toml")]
    shell = "".join(block.text for block in blocks(page, "sh"))
    texts += re.findall(r"routecast\.toml <<'EOF'\n(.*?)^EOF$", shell, re.MULTILINE | re.DOTALL)
    for text in texts:
        file = tmp_path / "routecast.toml"
        file.write_text(text)
        assert load(file).model_fields_set == tomllib.loads(text).keys()


@pages
def test_json_and_yaml_blocks_are_whole(page: Path) -> None:
    """Every such block can be read."""
    for block in blocks(page, "json"):
        json.loads(block.text)
    for block in blocks(page, "yaml"):
        list(yaml.safe_load_all(block.text))


def test_the_registry_in_the_readme_has_no_problems(tmp_path: Path) -> None:
    """Whoever pastes it gets two nodes, a name and a route, and nothing to mend."""
    (manifest,) = [block.text for block in blocks(ROOT / "README.md", "yaml") if "ConfigMap" in block.text]
    (tmp_path / "registry.yaml").write_text(manifest)
    parsed = parse(read_folder(tmp_path, "kube-system"), None)
    assert not parsed.problems
    assert {node.name for node in parsed.registry.nodes} == {"my-laptop", "my-vps"}


@pages
def test_metrics_exist(page: Path) -> None:
    """Every metric that a page names is made by the publisher."""
    source = Path(metrics.__file__).read_text()
    text = "\n".join([*spans(page), *(block.text for block in blocks(page, "yaml"))])
    named = {name.removesuffix("_total") for name in re.findall(r"\broutecast_[a-z_]+\b", text)}
    assert not [name for name in named if f'"{name}"' not in source]


def test_the_headers_on_the_wire_are_all_described() -> None:
    """docs/wire.md has every header of a snapshot, and no other."""
    header = re.compile(r"Routecast-[A-Z]\w+")
    made = {*header.findall(Path(snapshot.__file__).read_text())}
    assert {*header.findall((ROOT / "docs" / "wire.md").read_text())} == made
