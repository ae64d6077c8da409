"""docs/settings.md is what the settings classes say."""

import re

import pytest

from common.errors import ConfigError
from common.settings.load import CONFIG_VARIABLE, ENV_PREFIX, Settings, load
from tests.docs.settings_reference import PAGE, render

SETTINGS = [
    (section, key)
    for section, field in Settings.model_fields.items()
    for key in field.annotation.model_fields  # type: ignore[union-attr]
]


def test_the_page_is_as_it_would_be_written_now() -> None:
    """A setting that came, went or changed is in the page; `python -m tests.docs.settings_reference` writes it."""
    assert PAGE.read_text() == render()


def test_every_setting_is_explained_in_a_sentence() -> None:
    """Each setting has a heading of its own and at least one whole sentence below it."""
    for section, key in SETTINGS:
        said = re.search(rf"^### `{section}\.{key}`\n\n(.+)\n", PAGE.read_text(), re.MULTILINE)
        assert said is not None, f"{section}.{key}"
        assert said[1].endswith("."), said[1]


@pytest.mark.parametrize(("section", "key"), SETTINGS)
def test_each_environment_variable_is_read(section: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that the page names sets that very setting: it takes `-1`, or complains of it by name."""
    variable = f"{ENV_PREFIX}{section.upper()}_{key.upper()}"
    assert f"- Environment: `{variable}`\n" in PAGE.read_text()
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    monkeypatch.setenv(variable, "-1")
    try:
        said = f"  {section}.{key}: {getattr(getattr(load(), section), key)}"
    except ConfigError as e:
        said = str(e)
    assert said == f"  {section}.{key}: -1" or f"\n  {section}.{key}: " in said
