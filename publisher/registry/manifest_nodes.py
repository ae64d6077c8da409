"""Find ConfigMaps, and keys in them, as the nodes that a YAML parser makes of a text. Pure."""

from collections.abc import Iterator

import yaml

Pair = tuple[yaml.Node, yaml.Node]
"""A key and its value in a mapping."""


def find(text: str, name: str, namespace: str) -> yaml.MappingNode | None:
    """Return the node of a ConfigMap, of a YAML document or of the items of a List."""
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        for node in _manifests(document):
            metadata = _member(node, "metadata")
            if (
                _scalar(node, "kind") == "ConfigMap"
                and _scalar(metadata, "name") == name
                and _scalar(metadata, "namespace") in {"", namespace}
            ):
                return node
    return None


def _manifests(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if not isinstance(node, yaml.MappingNode):
        return
    items = _member(node, "items")
    if _scalar(node, "kind").endswith("List") and isinstance(items, yaml.SequenceNode):
        for item in items.value:
            yield from _manifests(item)
    yield node


def pair_of(node: yaml.Node | None, key: str) -> Pair | None:
    """Return a key of a mapping with its value; None when it is not there, or the node is no mapping."""
    pairs: list[Pair] = node.value if isinstance(node, yaml.MappingNode) else []
    return next((pair for pair in pairs if pair[0].value == key), None)


def _member(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pair = pair_of(node, key)
    return None if pair is None else pair[1]


def _scalar(node: yaml.Node | None, key: str) -> str:
    """Return a text in a mapping; empty when it is null, missing or none."""
    found = _member(node, key)
    return str(found.value) if isinstance(found, yaml.ScalarNode) and found.tag != "tag:yaml.org,2002:null" else ""
