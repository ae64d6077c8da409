"""Put new values into a manifest's text: every byte that is not a changed value stays, comments included. Pure.

A parser finds where a value stands, and its characters are replaced. The result is read again and compared with what
was wanted: what could not be spliced is refused, never written half right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from common.errors import EditRefused
from publisher.registry.manifest_check import holds, is_followed_by
from publisher.registry.manifest_nodes import Pair, find, pair_of
from publisher.registry.yaml_text import (
    end_of_lines,
    fits_in_lines,
    header_comment,
    in_lines,
    line_end,
    newline_of,
    plain,
    quoted,
    rest_of_line,
    would_take_in,
)

_INDENT = 2
_UNREADABLE = (yaml.YAMLError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class NewManifest:
    """A ConfigMap that does not stand in any file yet."""

    name: str
    namespace: str
    data: Mapping[str, str]


def new_manifest(before: bytes, manifest: NewManifest) -> bytes:
    """Return the content of a file with a new manifest behind what it holds.

    Raises:
        EditRefused: nothing can safely be put behind that.

    """
    metadata = {"name": manifest.name, "namespace": manifest.namespace}
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(manifest.data)}
    try:
        text = before.decode()
        newline = newline_of(text)
        joint = "" if not text else f"---{newline}" if text.endswith("\n") else f"{newline}---{newline}"
        named = f"metadata: {{name: {plain(manifest.name)}, namespace: {plain(manifest.namespace)}}}"
        head = ["apiVersion: v1", "kind: ConfigMap", named, "data:", ""]
        lines = "".join(_line(key, value, _INDENT, newline, "") for key, value in manifest.data.items())
        after = f"{text}{joint}{newline.join(head)}{lines}".encode()
        done = is_followed_by(before, after, whole)
    except _UNREADABLE:
        done = False
    if not done:
        raise EditRefused(f"{manifest.name} cannot be put behind what the file holds; make it by hand")
    return after


def splice(content: bytes, name: str, namespace: str, data: Mapping[str, str | None]) -> bytes:
    """Return the content of a file in which keys of the ConfigMap `name` have new texts; None removes a key.

    Raises:
        EditRefused: the manifest is written in a way that this cannot do safely.

    """
    try:
        text = content.decode()
        for key, value in data.items():
            node = find(text, name, namespace)
            text = text if node is None else _splice_one(text, node, key, value)
        done = holds(content, text.encode(), name, namespace, data)
    except _UNREADABLE:
        done = False
    if not done:
        raise EditRefused(
            f"the manifest of {name} is written in a way that cannot be edited safely by a program; edit it by hand"
        )
    return text.encode()


def _splice_one(text: str, manifest: yaml.MappingNode, key: str, value: str | None) -> str:
    """Return the text with one value; unchanged where this is not known to work."""
    pair = pair_of(manifest, "data")
    old = None if pair is None else pair_of(pair[1], key)
    if value is None:
        return text if pair is None or old is None else _removed(text, pair[1], old)
    if pair is None:
        return _with_pair(text, manifest, "data", {key: value})
    if old is not None:
        return _replaced(text, pair[1], old, value)
    if isinstance(pair[1], yaml.MappingNode) and pair[1].value:
        return _with_pair(text, pair[1], key, value)
    return _filled(text, manifest, pair, {key: value})


def _with_pair(text: str, mapping: yaml.MappingNode, key: str, value: str | Mapping[str, str]) -> str:
    """Return the text with one key more in a mapping that is not empty: at the end or, in braces, at the start."""
    first = mapping.value[0][0]
    if mapping.flow_style:
        at = first.start_mark.index
        return f"{text[:at]}{quoted(key)}: {_flow(value)}, {text[at:]}"
    last_key, last_value = mapping.value[-1]
    at = _end(text, last_value, last_key.start_mark.column)
    newline = newline_of(text)
    joint = "" if text[:at].endswith("\n") else newline
    return f"{text[:at]}{joint}{_line(key, value, first.start_mark.column, newline, text[at:])}{text[at:]}"


def _filled(text: str, manifest: yaml.MappingNode, pair: Pair, data: Mapping[str, str]) -> str:
    """Return the text with the first keys of data that are empty: nothing, null or ``{}``."""
    start, end = _place(pair[1])
    rest = rest_of_line(text, end)
    if manifest.flow_style or rest is None:
        return f"{text[:start]}{_blank(text, start)}{_flow(data)}{text[end:]}"
    newline, column, behind = newline_of(text), pair[0].start_mark.column + _INDENT, text[line_end(text, end) :]
    lines = "".join(_line(key, value, column, newline, behind) for key, value in data.items())
    return f"{text[:start].rstrip(' ')}{rest}{newline}{lines}{behind}"


def _replaced(text: str, mapping: yaml.Node, pair: Pair, value: str) -> str:
    key, old = pair
    start, end = _place(old)
    column, newline = key.start_mark.column, newline_of(text)
    if start < key.end_mark.index or text[start : start + 1] in {"&", "!", "*"}:
        return text  # it stands somewhere else, or others refer to it
    in_braces = isinstance(mapping, yaml.MappingNode) and mapping.flow_style
    comment, stop, depth = None if in_braces else rest_of_line(text, end), line_end(text, end), column + _INDENT
    if _is_in_lines(old):
        comment = header_comment(text, start)
        stop, now = end_of_lines(text, start, column)
        depth = now or depth
        written = f"{quoted(value)}{comment}{newline}"
    else:
        written = f"{quoted(value)}{text[end:stop]}"
    if fits_in_lines(value) and comment is not None and not would_take_in(text, stop, depth):
        written = in_lines(value, depth, comment, newline)
    return f"{text[:start]}{_blank(text, start)}{written}{text[stop:]}"


def _removed(text: str, mapping: yaml.Node, pair: Pair) -> str:
    key, old = pair
    begin = key.start_mark.index - key.start_mark.column
    if _place(old)[0] < key.end_mark.index:
        return text
    if isinstance(mapping, yaml.MappingNode) and mapping.flow_style:
        begin, end = _in_braces(text, mapping.value, pair)
        return text[:begin] + text[end:]
    if text[begin : key.start_mark.index].strip():
        return text
    return text[:begin] + text[_end(text, old, key.start_mark.column) :]


def _in_braces(text: str, pairs: Sequence[Pair], pair: Pair) -> tuple[int, int]:
    """Return where a key and its value begin and end in braces, with a comma; nowhere when more would go along."""
    (begin, _), (_, end), i = _place(pair[0]), _place(pair[1]), pairs.index(pair)
    if i + 1 < len(pairs):
        joint, whole = (end, _place(pairs[i + 1][0])[0]), (begin, _place(pairs[i + 1][0])[0])
    elif i > 0:
        joint, whole = (_place(pairs[i - 1][1])[1], begin), (_place(pairs[i - 1][1])[1], end)
    else:
        joint, whole = (end, end), (begin, end)
    return whole if text[slice(*joint)].strip() in {"", ","} else (begin, begin)


def _end(text: str, node: yaml.Node, column: int) -> int:
    """Return where the lines of a value end whose key, or dash, stands at `column`; comments below are not its own."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        key, value = node.value[-1]
        return _end(text, value, key.start_mark.column)
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _end(text, node.value[-1], node.start_mark.column)
    start, end = _place(node)
    return end_of_lines(text, start, column)[0] if _is_in_lines(node) else line_end(text, end)


def _is_in_lines(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}


def _line(key: str, value: str | Mapping[str, str], column: int, newline: str, behind: str) -> str:
    """Return a key and its value as they stand in a mapping at `column`, before `behind`, line end included."""
    start = f"{' ' * column}{plain(key)}:"
    if isinstance(value, Mapping):
        lines = "".join(_line(*pair, column + _INDENT, newline, behind) for pair in value.items())
        return f"{start}{newline}{lines}"
    if fits_in_lines(value) and not would_take_in(behind, 0, column + _INDENT):
        return f"{start} {in_lines(value, column + _INDENT, '', newline)}"
    return f"{start} {quoted(value)}{newline}"


def _flow(value: str | Mapping[str, str]) -> str:
    """Return a text, or texts by key, as they stand in braces."""
    if isinstance(value, str):
        return quoted(value)
    return "{" + ", ".join(f"{quoted(key)}: {quoted(text)}" for key, text in value.items()) + "}"


def _blank(text: str, at: int) -> str:
    """Return the blank that a value needs behind a colon."""
    return " " if text[at - 1 : at] == ":" else ""


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index
