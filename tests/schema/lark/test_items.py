"""The items of arrays: all short arrays over a few values, judged by jsonschema and by the grammar."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_gen import UnsatisfiableError
from harmony_gen.schema.json_schema import Lowered, lower
from harmony_gen.schema.judge import JsonSchemaJudge
from support.schemas import admits, is_masked, spelled

ATOMS = (1, "x", None)
ARRAYS = [list(items) for length in range(5) for items in product(ATOMS, repeat=length)]

PARTS = st.sampled_from(
    [
        True,
        False,
        {"type": "integer"},
        {"type": ["string", "null"]},
        {"enum": [1, "x"]},
        {"enum": ["x"]},
        {"type": "null"},
        {"not": {"type": "string"}},
    ]
)
COUNT = st.integers(0, 4)
KEYWORDS = st.fixed_dictionaries(
    {"type": st.just("array")},
    optional={
        "prefixItems": st.lists(PARTS, min_size=1, max_size=3),
        "items": PARTS,
        "minItems": COUNT,
        "maxItems": COUNT,
        "contains": PARTS,
        "minContains": COUNT,
        "maxContains": COUNT,
        "uniqueItems": st.booleans(),
    },
)


@given(KEYWORDS, st.none() | KEYWORDS)
@settings(max_examples=6 * settings().max_examples)
def test_arrays(one: dict[str, Any], other: dict[str, Any] | None) -> None:
    judge = JsonSchemaJudge(one if other is None else {"allOf": [one, other]})
    valid = [items for items in ARRAYS if judge.accepts(spelled(items))]
    try:
        lowered = lower(judge.root)
    except UnsatisfiableError:
        assert not valid
        return
    admitted = [items for items in ARRAYS if admits(lowered, items)]
    assert [items for items in valid if items not in admitted] == []
    assert admitted == valid or not is_masked(lowered)


def lowered(**keywords: Any) -> Lowered:
    return lower(JsonSchemaJudge({"type": "array", **keywords}).root)


@pytest.mark.parametrize(
    "keywords",
    [
        {"contains": {"enum": ["x"]}, "minItems": 2},
        {"contains": {"enum": ["x"]}, "minContains": 2, "items": {"type": ["string", "integer"]}},
        {"contains": {"type": "string"}, "minContains": 2, "maxContains": 3, "minItems": 3, "maxItems": 4},
        {"contains": {"type": "string"}, "minContains": 0, "maxContains": 1},
        {"uniqueItems": True, "items": {"enum": [1, "x", None]}, "minItems": 2},
        {"uniqueItems": True, "items": {"enum": [1, "x", None]}, "maxItems": 2},
        {"uniqueItems": True, "maxItems": 1},
        {"uniqueItems": True, "prefixItems": [{"type": "null"}], "items": False},
        {"prefixItems": [{"type": "null"}, {"type": "string"}], "items": {"type": "integer"}, "minItems": 1},
        {"prefixItems": [{"type": "null"}, False]},
        {"contains": {}, "minContains": 2},
        {"contains": True, "maxContains": 2},
    ],
)
def test_what_is_masked(keywords: dict[str, Any]) -> None:
    found = lowered(**keywords)
    assert is_masked(found), found.coverage
    judge = JsonSchemaJudge({"type": "array", **keywords})
    for items in ARRAYS:
        assert admits(found, items) == judge.accepts(spelled(items)), items


@pytest.mark.parametrize(
    ("keywords", "checked"),
    [
        ({"uniqueItems": True, "items": {"type": "integer"}}, {"/uniqueItems"}),
        ({"uniqueItems": True, "items": {"enum": [*range(47)]}}, {"/uniqueItems"}),
        ({"uniqueItems": True, "items": {"enum": [1, []]}}, {"/uniqueItems"}),
        ({"uniqueItems": True, "items": {"enum": [1]}, "contains": {"type": "null"}}, None),
        ({"contains": {"type": "null"}, "prefixItems": [{}]}, {"/contains", "/contains/type"}),
        (
            {"contains": {"type": "null"}, "minContains": 2, "prefixItems": [{}]},
            {"/contains", "/contains/type", "/minContains"},
        ),
    ],
)
def test_what_is_checked(keywords: dict[str, Any], checked: set[str] | None) -> None:
    if checked is None:
        with pytest.raises(UnsatisfiableError):
            lowered(**keywords)
        return
    coverage = lowered(**keywords).coverage
    assert {place for place, state in coverage.items() if state == "checked"} == checked


def test_different_values_out_of_as_many_as_can_be_remembered() -> None:
    found = lowered(uniqueItems=True, items={"enum": [*range(45), "x"]})
    assert is_masked(found)
    assert admits(found, [*range(45), "x"])
    assert admits(found, ["x", *range(44, -1, -1)])
    assert not admits(found, [*range(45), 0])
    assert not admits(found, ["x", "x"])
    assert not admits(found, [45])


def test_different_values_of_all_scalar_types() -> None:
    found = lowered(uniqueItems=True, items={"enum": [True, 1, 0, False, "1", None, 0.5]}, minItems=1)
    assert is_masked(found)
    for items in ([True, 1, False, 0], [0.5, None, "1"], ["1", 1]):
        assert admits(found, items)
    for items in ([], [True, True], [0.5, 0.5], [None, None], ["1", "1"], [2]):
        assert not admits(found, items)


@pytest.mark.parametrize("keyword", ["minItems", "maxItems"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 40, 41.0])
def test_lengths(keyword: str, count: float) -> None:
    found = lowered(items={"type": "null"}, **{keyword: count})
    assert is_masked(found)
    for length in (0, 1, 2, 3, 4, 39, 40, 41, 42):
        assert admits(found, [None] * length) == (length >= count if keyword == "minItems" else length <= count), length


def test_counts_beyond_all_answers() -> None:
    limits = {"maxItems": 1e30, "maxContains": 1e30, "minContains": 1, "contains": {"type": "null"}}
    found = lowered(**limits)
    assert is_masked(found)
    assert admits(found, [None, 1])
    assert not admits(found, [1])
    assert not admits(lowered(minItems=1e30), [1, 2])
    assert admits(lowered(items={"maxLength": 1e30, "maxProperties": 1e30}), ["x", {}])


def test_a_count_goes_on_behind_many_items() -> None:
    found = lowered(items={"type": ["null", "string"]}, contains={"type": "string"}, minContains=30, maxContains=31)
    for count in (29, 30, 31, 32):
        assert admits(found, [*[None] * 20, *["x"] * count, None]) == (count in (30, 31))


@pytest.mark.parametrize(
    "keywords",
    [
        {"contains": False},
        {"contains": {}, "maxContains": 1, "minContains": 2},
        {"items": {"type": "null"}, "contains": {"type": "string"}},
        {"prefixItems": [False], "minItems": 1},
        {"maxItems": 1, "contains": {}, "minContains": 2},
        {"items": False, "minItems": 1},
        {"items": {"type": "array", "items": False, "minItems": 1}, "minItems": 1},
    ],
)
def test_arrays_that_cannot_be(keywords: dict[str, Any]) -> None:
    with pytest.raises(UnsatisfiableError):
        lowered(**keywords)


def test_items_that_cannot_be_end_an_array() -> None:
    never = {"type": "object", "properties": {"a": False}, "required": ["a"]}
    found = lowered(prefixItems=[{"type": "null"}, never], items={"type": "string"})
    assert [items for items in ARRAYS if admits(found, items)] == [[], [None]]
    found = lowered(items=never)
    assert [items for items in ARRAYS if admits(found, items)] == [[]]
    found = lowered(contains=never, minContains=0, maxContains=1, items={"type": "null"})
    assert [items for items in ARRAYS if admits(found, items)] == [[None] * length for length in range(5)]
