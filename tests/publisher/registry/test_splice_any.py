"""What holds for every manifest, however it is written."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from typing import Any

import yaml
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from common.errors import EditRefused
from publisher.registry.layout import layout
from publisher.registry.splice import NewManifest, new_manifest, splice
from tests.publisher.pipeline.parsing import CALM
from tests.publisher.registry.manifest_texts import KEY, NAME, NAMESPACE, Manifest, manifests

JSON = layout({"immich": {"subdomain": "photos", "x": ["é\u2028'\"`# :", None]}, "b": {"x": "y" * 150}})
many = settings(CALM, max_examples=150)
texts = st.sampled_from([JSON, "{}", "", "plain: #", " \n", '{"a":\t"\x7f\u2028"}', "x\ufeff\U0001f600", "[1]\n"])


def _load(text: str | bytes) -> list[Any]:
    return [each for each in yaml.safe_load_all(text.encode() if isinstance(text, str) else text) if each is not None]


def _ours(documents: Any) -> Any:
    """Return the manifest that is edited, found as the folder is read."""
    for each in documents:
        if isinstance(each, dict):
            found = _ours(each["items"]) if isinstance(each.get("items"), list) else None
            metadata = each.get("metadata") or {}
            if found is None and each.get("kind") == "ConfigMap" and metadata.get("name") == NAME:
                found = each if metadata.get("namespace") in {None, "", NAMESPACE} else None
            if found is not None:
                return found
    return None


def _readable(manifest: Manifest) -> bytes:
    """Return a manifest's bytes, if it is one."""
    content = manifest.text.encode()
    try:
        ours = _ours(_load(content))
    except yaml.YAMLError:
        ours = None
    assume(ours is not None and KEY in ours["data"])
    return content


@many
@given(manifests(), texts)
def test_only_the_value_changes_or_nothing_does(manifest: Manifest, text: str) -> None:
    """Every byte before and behind it stays, its comment too; what is read is what was wanted."""
    content = _readable(manifest)
    try:
        after = splice(content, NAME, NAMESPACE, {KEY: text}).decode()
    except EditRefused:
        event("refused")
        assert "*x" in manifest.text or "&x" in manifest.text or "?" in manifest.text, "all other ways are known"
        return
    assert after.startswith(manifest.before)
    assert after.endswith(manifest.after)
    middle = after[len(manifest.before) : len(after) - len(manifest.after)]
    assert manifest.comment in middle
    was, now = _load(content), _load(after)
    assert _ours(now)["data"].pop(KEY).rstrip("\n") == text.rstrip("\n")
    del _ours(was)["data"][KEY]
    assert _calm(was) == _calm(now)


@many
@given(manifests(), texts)
def test_a_key_more_moves_nothing(manifest: Manifest, text: str) -> None:
    """All that was there is there; one piece came to it."""
    content = _readable(manifest)
    with _or_refused():
        after = splice(content, NAME, NAMESPACE, {"new.json": text, "new.txt": "x"})
        assert _ours(_load(after))["data"]["new.txt"] == "x"
        assert _is_cut_out(content.decode(), after.decode())


@many
@given(manifests())
def test_a_key_less_takes_only_its_lines_along(manifest: Manifest) -> None:
    """Comments above and below stay."""
    content = _readable(manifest)
    with _or_refused():
        after = splice(content, NAME, NAMESPACE, {KEY: None}).decode()
        was, now = _load(content), _load(after)
        del _ours(was)["data"][KEY]
        assert KEY not in (_ours(now)["data"] or {})
        _ours(was)["data"], _ours(now)["data"] = _ours(was)["data"] or {}, _ours(now)["data"] or {}
        assert _calm(was) == _calm(now)
        assert _is_cut_out(after, content.decode())


@many
@given(manifests(), st.dictionaries(st.sampled_from(["a.json", "null", "x"]), texts, min_size=1))
def test_a_new_manifest_stands_behind_all_that_is_there(manifest: Manifest, data: dict[str, str]) -> None:
    """As the bytes that they were."""
    content = _readable(manifest)
    with _or_refused():
        after = new_manifest(content, NewManifest("new", "ns", data))
        assert after.startswith(content)
        assert {key: text.rstrip("\n") for key, text in (_load(after)[-1]["data"] or {}).items()} == {
            key: text.rstrip("\n") for key, text in data.items()
        }


@many
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), texts)
def test_of_what_is_no_manifest_nothing_is_made(content: bytes, text: str) -> None:
    """Whatever it is: it is refused, and nothing else is raised."""
    with suppress(EditRefused):
        splice(content, NAME, NAMESPACE, {KEY: text})
        raise AssertionError("there is no such manifest in it")
    with suppress(EditRefused):
        after = new_manifest(content, NewManifest(NAME, NAMESPACE, {KEY: text}))
        assert after.startswith(content)
        assert splice(after, NAME, NAMESPACE, {KEY: "{}"}).startswith(content)


@contextmanager
def _or_refused() -> Iterator[None]:
    try:
        yield
    except EditRefused:
        event("refused")


def _is_cut_out(fewer: str, more: str) -> bool:
    """Tell whether one text is another without a single piece of it."""
    start, end = (
        sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
        for texts in ((fewer, more), (fewer[::-1], more[::-1]))
    )
    return start + end >= len(fewer)


def _calm(value: Any) -> Any:
    """Return a value without line ends at the end of its texts: the last line of a file may get one."""
    if isinstance(value, str):
        return value.rstrip("\n")
    if isinstance(value, list):
        return [_calm(item) for item in value]
    return {key: _calm(item) for key, item in value.items()} if isinstance(value, dict) else value
