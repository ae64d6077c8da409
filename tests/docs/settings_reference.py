"""Write docs/settings.md from the settings classes: ``python -m tests.docs.settings_reference``.

What is said of a setting is the text under its field; the rest is read from the field itself. Nothing is added here
but the head of the page.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from common.settings.load import CONFIG_VARIABLE, DEFAULT_PATH, ENV_PREFIX, Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

_HEAD = f"""\
<!-- Written by `python -m tests.docs.settings_reference`. Do not edit: change the settings classes. -->

# Settings

One TOML file holds all settings, of publisher, node and command line alike; each takes what concerns it. It is the
file that `--config` names, else the one that the environment variable `{CONFIG_VARIABLE}` names, else
`{DEFAULT_PATH}` when that exists. Without a file the defaults count.

```toml
[nats]
url = "nats://100.122.68.75:4222"

[subscriber]
node = "my-laptop"
public_keys = ["WKsHhuz46EVmjbiraXWb4E/CUkYzMOGMnT2HybZW29E="]
```

- Every setting can also stand in the environment, as `{ENV_PREFIX}<SECTION>_<NAME>`. Lists are written there as JSON:
  `{ENV_PREFIX}SUBSCRIBER_TARGETS='["hosts", "dnsmasq"]'`.
- An option on the command line goes before the environment, the environment before the file, the file before the
  default.
- A name that is not in this list, or a value that is out of bounds, is an error; all of them are reported at once.
- `routecast config show` prints what is in force, and from which file.
- Settings are read once, at the start. A running subscriber reads them again on `systemctl reload`, all but
  `subscriber.state_dir`; a publisher must be restarted.
- Names that end in `_s` are lengths of time in seconds.
"""


def render() -> str:
    """Return the page."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        parts += _section(name, section)
    return "\n".join(parts)


def _section(name: str, section: type[BaseModel]) -> Iterator[str]:
    schema = section.model_json_schema()
    yield f"## `[{name}]`\n\n{section.__doc__}\n"
    for key, field in schema["properties"].items():
        yield f"### `{name}.{key}`\n\n{field['description']}\n"
        yield f"- Default: {_default(field.get('default'))}"
        if values := _values(field, schema.get("$defs", {})):
            yield f"- Values: {values}"
        yield f"- Environment: `{ENV_PREFIX}{name.upper()}_{key.upper()}`\n"


def _default(value: Any) -> str:
    return "unset" if value is None else f"`{json.dumps(value)}`"


def _values(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return what a field takes, in words; empty when that is any text."""
    if "$ref" in field:
        return _values(definitions[field["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in field:
        return _values(next(kind for kind in field["anyOf"] if kind["type"] != "null"), definitions)
    if "enum" in field:
        *others, last = (f"`{json.dumps(value)}`" for value in field["enum"])
        return f"{', '.join(others)} or {last}"
    match field["type"]:
        case "array":
            of = _values(field["items"], definitions) or "texts"
            return f"a list of {'numbers' if of == 'a number' else of}{', not empty' if 'minItems' in field else ''}"
        case "integer" | "number":
            return ", ".join([{"integer": "a whole number", "number": "a number"}[field["type"]], *_bounds(field)])
        case _:
            return _text(field)


def _bounds(field: Mapping[str, Any]) -> Iterator[str]:
    for key, words in (("exclusiveMinimum", "above"), ("minimum", "at least"), ("maximum", "at most")):
        if key in field:
            yield f"{words} {field[key]}"


def _text(field: Mapping[str, Any]) -> str:
    if "pattern" in field:
        return f"a text like `{field['pattern']}`"
    known = {"path": "a path", "uri": "a URL"}.get(field.get("format", ""))
    return known or ("a text, not empty" if field.get("minLength") else "")


if __name__ == "__main__":
    PAGE.write_text(render())
