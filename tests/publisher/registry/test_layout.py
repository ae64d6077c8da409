import json
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from publisher.registry.layout import layout, same
from tests.publisher.pipeline.parsing import CALM

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@CALM
@given(VALUES)
def test_what_is_laid_out_is_read_back_as_it_was(value: Any) -> None:
    """To the type of each number, and the order of each object."""
    text = layout(value)
    assert same(orjson.loads(text), value)
    assert json.dumps(orjson.loads(text)) == json.dumps(json.loads(orjson.dumps(value)))
    assert text.replace("\n", "").isprintable()


@CALM
@given(st.dictionaries(st.text(max_size=8), VALUES, min_size=1, max_size=3))
def test_yaml_holds_it_in_lines(value: Any) -> None:
    """Whatever is in it."""
    lines = layout(value).split("\n")
    manifest = "a: |\n" + "".join(f"  {line}\n" for line in lines)
    assert same(orjson.loads(yaml.safe_load(manifest)["a"]), value)


def test_one_entry_stands_on_one_line_as_long_as_it_fits() -> None:
    """So that two forms can be compared line by line."""
    long = {"description": "x" * 140}
    assert layout({"a": {"x": [1, 2.5, True, None], "y": {}}, "b": [long, "é\u2028"], "c": []}).split("\n") == [
        "{",
        '  "a": {"x": [1, 2.5, true, null], "y": {}},',
        '  "b": [',
        "    {",
        f'      "description": "{"x" * 140}"',
        "    },",
        '    "é\\u2028"',
        "  ],",
        '  "c": []',
        "}",
    ]
    assert (layout({}), layout([]), layout("x"), layout([[]])) == ("{}", "[]", '"x"', "[\n  []\n]")


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (1, 1.0), ([1], [True]), ({"a": 0}, {"a": None}), ("1", 1)]
)
def test_values_that_readers_of_json_tell_apart_are_not_the_same(one: Any, other: Any) -> None:
    """Though some of them are equal to Python."""
    assert not same(one, other)
    assert same(one, one)


def test_the_order_of_fields_makes_no_difference() -> None:
    """That of items does."""
    assert same({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
    assert not same([1, 2], [2, 1])
