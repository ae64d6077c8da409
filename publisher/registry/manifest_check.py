"""Compare manifests before and after an edit of their text: nothing but what was wanted may differ. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml


def holds(before: bytes, after: bytes, name: str, namespace: str, data: Mapping[str, str | None]) -> bool:
    """Tell whether `after` is `before` with the wanted texts in the data of a ConfigMap, and nothing else.

    Line ends at the end of a text do not count: JSON has no use for them.

    Raises:
        yaml.YAMLError, ValueError, RecursionError: one of them cannot be read.

    """
    old, new = _load(before), _load(after)
    was = next((each for each in _manifests(old) if _is(each, name, namespace)), None)
    now = next((each for each in _manifests(new) if _is(each, name, namespace)), None)
    if was is None or now is None:
        return False
    had, has = was.pop("data", None) or {}, now.pop("data", None) or {}
    if not isinstance(had, dict):
        return False
    wanted = {key: text for key, text in {**had, **data}.items() if key not in data or text is not None}
    return bool(_calm(has) == _calm(wanted) and old == new)


def is_followed_by(before: bytes, after: bytes, manifest: Mapping[str, Any]) -> bool:
    """Tell whether `after` holds what `before` does, then a manifest, and nothing else.

    Raises:
        yaml.YAMLError, ValueError, RecursionError: one of them cannot be read.

    """
    return bool(_calm(_load(after)) == _calm([*_load(before), manifest]))


def _load(content: bytes) -> list[Any]:
    return [each for each in yaml.load_all(content, Loader=yaml.CSafeLoader) if each is not None]


def _calm(value: Any) -> Any:
    """Return a value without line ends at the end of its texts."""
    match value:
        case str():
            return value.rstrip("\n")
        case list():
            return [_calm(item) for item in value]
        case dict():
            return {key: _calm(item) for key, item in value.items()}
        case _:
            return value


def _manifests(documents: Any) -> Iterator[dict[str, Any]]:
    """Yield the manifests in the order in which they are read: those in a List before it."""
    for document in documents:
        if isinstance(document, dict):
            if str(document.get("kind")).endswith("List") and isinstance(document.get("items"), list):
                yield from _manifests(document["items"])
            yield document


def _is(manifest: Mapping[str, Any], name: str, namespace: str) -> bool:
    metadata = manifest.get("metadata")
    return (
        manifest.get("kind") == "ConfigMap"
        and isinstance(metadata, dict)
        and metadata.get("name") == name
        and metadata.get("namespace") in {None, "", namespace}
    )
