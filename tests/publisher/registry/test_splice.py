from typing import Any

import pytest
import yaml

from common.errors import EditRefused
from publisher.registry.layout import layout
from publisher.registry.splice import NewManifest, new_manifest, splice

JSON = layout({"immich": {"port": 80}, "b": {}})
HEAD = "kind: ConfigMap\nmetadata: {name: n}\n"


def _splice(text: str, **data: str | None) -> str:
    return splice(
        text.encode(), "n", "kube-system", {key.replace("_", "."): each for key, each in data.items()}
    ).decode()


def _refused(text: str | bytes, **data: str | None) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(EditRefused) as caught:
        splice(content, "n", "kube-system", {key.replace("_", "."): each for key, each in data.items()})
    return str(caught.value)


def _data(text: str) -> Any:
    return yaml.safe_load(text)["data"]


def test_a_value_in_lines_keeps_its_place_its_depth_and_all_comments() -> None:
    """Above, behind, below."""
    before = HEAD + "data:\n  # above\n  a.json: |-  # behind\n      {}\n    # below\n  # b\n  b: c # d\n# end\n"
    assert _splice(before, a_json=JSON) == (
        HEAD + "data:\n  # above\n  a.json: |  # behind\n      {\n"
        '        "immich": {"port": 80},\n        "b": {}\n      }\n    # below\n  # b\n  b: c # d\n# end\n'
    )


def test_a_value_in_quotes_is_put_into_lines_where_it_can_stand_in_them() -> None:
    """People edit it by hand later."""
    before = HEAD + "data:\n  a.json: '{}' # why\n  b: c\n"
    after = HEAD + "data:\n  a.json: | # why\n    [1]\n  b: c\n"
    assert _splice(before, a_json="[1]") == after
    deep = before.replace("  b", "      # deep\n  b")
    assert _splice(deep, a_json="[1]") == deep.replace("'{}'", '"[1]"')
    assert _splice(HEAD + 'data: {a.json: "{}" }', a_json="[1]") == HEAD + 'data: {a.json: "[1]" }'


@pytest.mark.parametrize(
    "text", ["x: #", " ", "\ta", "é\u2028\x7f\x85\ufeff\U0001f600", "null", "{\t}", '"', "[\r]", "a\nb"]
)
def test_a_text_of_any_kind_is_read_back_as_it_was(text: str) -> None:
    """On one line, in quotes."""
    for before in ("a.json: |\n    {}\n  b: c", "a.json: x # c", "a.json:", "b: c"):
        after = _splice(f"{HEAD}data:\n  {before}\n", a_json=text)
        assert _data(after)["a.json"] == text
        assert after.count("\n") == HEAD.count("\n") + 2 + before.replace("|\n    {}", "").count("\n") + (
            before == "b: c"
        )


@pytest.mark.parametrize("data", ["data:", "data: # none", "data: null", "data: {} # none", "data: ~", "data: {\n}"])
def test_data_that_are_empty_are_filled(data: str) -> None:
    """So that `init` can begin with them."""
    for behind in ("\n", "\nimmutable: false\n"):
        after = _splice(f"{HEAD}{data}{behind}", a_json="{}", b="c")
        assert _data(after) == {"a.json": "{}\n", "b": "c"}
        assert ("# none" in after) == ("# none" in data)
        assert after.startswith(f"{HEAD}data:")
    assert 'a.json: "{}"\n      # deep' in _splice(f"{HEAD}data:\n      # deep\n", a_json="{}")
    for empty in ("null", "", "{}"):
        assert (
            _data(_splice(f"{{kind: ConfigMap, data: {empty}, metadata: {{name: n}}}}", a_json="{}"))["a.json"] == "{}"
        )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, HEAD + 'data:\n  a: "x"\n'),
        (HEAD.removesuffix("\n"), HEAD + 'data:\n  a: "x"\n'),
        (
            "metadata:\n  name: n\n  # c\nkind: ConfigMap # d\n# e\n",
            'metadata:\n  name: n\n  # c\nkind: ConfigMap # d\ndata:\n  a: "x"\n# e\n',
        ),
        (
            "kind: ConfigMap\nmetadata:\n  name: n\n  l:\n  - a\n  - |\n   b\n  # c\n",
            'kind: ConfigMap\nmetadata:\n  name: n\n  l:\n  - a\n  - |\n   b\ndata:\n  a: "x"\n  # c\n',
        ),
        ("{kind: ConfigMap, metadata: {name: n}}", '{"data": {"a": "x"}, kind: ConfigMap, metadata: {name: n}}'),
    ],
)
def test_data_that_are_missing_are_made(before: str, after: str) -> None:
    """Behind all that the manifest holds, before what follows it."""
    assert _splice(before, a="x") == after
    assert _splice(before, a=None) == before


def test_a_key_more_stands_behind_the_others() -> None:
    """Comments below them stay below."""
    before = HEAD + "data:\n  a: |\n    x\n\n  # end\n"
    assert _splice(before, b_json="{}") == HEAD + "data:\n  a: |\n    x\n  b.json: |\n    {}\n\n  # end\n"
    assert _splice(HEAD + "data:\n  a: x", b="y") == HEAD + 'data:\n  a: x\n  b: "y"\n'
    assert _splice(HEAD + "data: {a: x}\n", b="y") == HEAD + 'data: {"b": "y", a: x}\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("data:\n  a: x # c\n  b: y\n", "data:\n  b: y\n"),
        ("data:\n  # c\n  a: |\n    x\n\n  # d\n", "data:\n  # c\n\n  # d\n"),
        ("data: {a: x, b: y}", "data: {b: y}"),
        ("data: {b: y, a: x }", "data: {b: y }"),
        ("data: { a: x}", "data: { }"),
        ("data: {b: y}", "data: {b: y}"),
    ],
)
def test_a_key_less_takes_its_lines_along(before: str, after: str) -> None:
    """And no comment of another."""
    assert _splice(HEAD + before, a=None) == HEAD + after


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("a: &x y\n  b: *x\n", "z"),
        ("b: &x y\n  a: *x\n", "z"),
        ("b: &x y\n  a: *x\n", None),
        ("a: &x y\n  b: *x\n", None),
        ("a: !!str y\n", "z"),
        ("a: x\n  a: y\n", "z"),
        ("? a\n  : x\n", None),
    ],
)
def test_what_cannot_be_done_safely_is_refused(data: str, value: str | None) -> None:
    """With what to do."""
    said = _refused(f"{HEAD}data:\n  {data}", a=value)
    assert said == "the manifest of n is written in a way that cannot be edited safely by a program; edit it by hand"
    assert _refused(HEAD + "data: {a: x # c\n  , b: y}", a=None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kind: Secret\nmetadata: {name: n}\n",
        "kind: ConfigMap\nmetadata: n\n",
        "kind: ConfigMap\nmetadata: {name: n, namespace: other}\n",
        HEAD + "data: [a]\n",
        HEAD + "data: text\n",
        HEAD + "data:\n\ta: x\n",
        HEAD + "---\n{",
        HEAD + "x: !unknown y\n",
        HEAD + "x: &x [*x]\n",
        f"{HEAD}x: {'[' * 3000}{']' * 3000}\n",
        HEAD.encode("utf-16"),
        HEAD.encode() + b"\xff",
        "just text",
    ],
)
def test_a_file_without_such_a_manifest_or_that_cannot_be_read_is_refused(text: str | bytes) -> None:
    """And never anything else raised."""
    assert _refused(text, a="x")


def test_the_manifest_that_counts_is_the_one_that_is_edited() -> None:
    """The first of several, in a List before the List; of the namespace, or without one."""
    other = HEAD.replace("name: n", "name: n, namespace: other") + "data: {a: 1}\n---\n"
    ours = "- kind: ConfigMap\n  metadata: {name: n, namespace: kube-system}\n  data: {a: "
    before = f"{other}kind: List\nitems: [{{}}]\n---\nkind: ConfigMapList\nitems:\n- text\n{ours}"
    behind = f"}}\n---\n{HEAD}data: {{a: z}}\n"
    assert _splice(f"{before}x{behind}", a="y") == f'{before}"y"{behind}'
    assert "namespace: ~" in _splice(HEAD.replace("name: n", "name: n, namespace: ~"), a="y")


def test_line_ends_and_the_mark_at_the_beginning_stay() -> None:
    """As the file has them."""
    before = "\ufeff" + HEAD.replace("\n", "\r\n") + "data:\r\n  a.json: |\r\n    {}\r\n  # c\r\n  b: c"
    after = _splice(before, a_json=JSON, d="e")
    assert after.startswith("\ufeff")
    assert after.replace("\r\n", "").count("\n") == 0
    assert after.endswith('  # c\r\n  b: c\r\n  d: "e"\r\n')


def test_several_keys_change_at_once() -> None:
    """Or none does."""
    before = HEAD + "data:\n  a: x\n  b: &x y\n  c: *x\n"
    assert _data(_splice(before, a="1", d="2")) == {"a": "1", "b": "y", "c": "y", "d": "2"}
    assert _refused(before, a="1", b="2")


def test_a_new_manifest_is_written_as_people_write_them() -> None:
    """With names in quotes where they would not be texts otherwise."""
    assert new_manifest(b"", NewManifest("n", "kube-system", {"a.json": "{}", "b": "c"})).decode() == (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n, namespace: kube-system}\n"
        'data:\n  a.json: |\n    {}\n  b: "c"\n'
    )
    after = new_manifest(b"# c", NewManifest("n", "123", {"null": "{}"}))
    assert after.startswith(b"# c\n---\napiVersion")
    assert yaml.safe_load(after)["metadata"]["namespace"] == "123"
    assert list(_data(after.decode())) == ["null"]


@pytest.mark.parametrize("before", ["a: 1\n", "a: 1", "a: |\n  b", "a: 1\n---\n", "a: 1\n...\n", "\ufeffa: 1\r\n"])
def test_a_new_manifest_leaves_what_is_there(before: str) -> None:
    """To the last byte."""
    after = new_manifest(before.encode(), NewManifest("n", "kube-system", {"a": "x"})).decode()
    assert after.startswith(before)
    assert [each for each in yaml.safe_load_all(after) if each][-1]["data"] == {"a": "x"}
    assert ("\r\n" in after.removeprefix(before)) == ("\r\n" in before)


@pytest.mark.parametrize("before", [b"{", b"\xff", "a: 1\n".encode("utf-16"), b"a: &x [*x]\n", b"a: 'x"])
def test_behind_what_cannot_be_read_nothing_is_written(before: bytes) -> None:
    """It would be lost with it."""
    with pytest.raises(EditRefused, match="make it by hand"):
        new_manifest(before, NewManifest("n", "kube-system", {"a": "x"}))
