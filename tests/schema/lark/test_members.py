"""The members of objects: all small objects, judged by jsonschema and by the grammar, in both orders."""

from __future__ import annotations

from itertools import pairwise, permutations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_gen import UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import Lowered, lower
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.lark.members import BITS
from support.schemas import admits, is_masked, spelled

ORDERS = ("any", "schema")
NAMES = "abcd"
OBJECTS = [
    dict(zip(names, values, strict=True))
    for length in range(3)
    for names in permutations(NAMES, length)
    for values in product((1, "x"), repeat=length)
] + [dict.fromkeys(names, 1) for length in (3, 4) for names in permutations(NAMES, length)]


def named_in(keywords: dict[str, Any]) -> dict[str, bool]:
    """Properties of the names in dependencies, so that their order is clear."""
    pairs = keywords.get("dependentRequired", {}).items()
    names = {name for key, others in pairs for name in (key, *others)} - keywords["properties"].keys()
    return dict.fromkeys(sorted(names), True)


PARTS = st.sampled_from([True, True, False, {"type": "integer"}, {"type": "string"}, {"enum": ["x"]}])
NAME = st.sampled_from(NAMES)
COUNT = st.integers(0, 4)
OBJECT = {"type": "object"}
KEYWORDS = st.fixed_dictionaries(
    {"properties": st.lists(st.tuples(NAME, PARTS), unique_by=lambda pair: pair[0], max_size=4).map(dict)},
    optional={
        "required": st.lists(NAME, min_size=1, max_size=2, unique=True),
        "additionalProperties": PARTS,
        "patternProperties": st.dictionaries(st.sampled_from(["^[cd]", "[ad]$"]), PARTS, min_size=1),
        "minProperties": COUNT,
        "maxProperties": COUNT,
        "dependentRequired": st.dictionaries(NAME, st.lists(NAME, min_size=1, max_size=2, unique=True), max_size=2),
        "propertyNames": st.sampled_from([{"enum": ["a", "c"]}, {"pattern": "^[^b]"}, {"maxLength": 0}]),
    },
).map(lambda keywords: OBJECT | keywords | {"properties": keywords["properties"] | named_in(keywords)})


def order_of(schema: dict[str, Any]) -> list[str]:
    """The names that a schema names, in the order in which members come."""
    return list(dict.fromkeys([*schema["properties"], *schema.get("required", ())]))


def is_in_order(value: dict[str, Any], names: list[str]) -> bool:
    """Named members in their order, and all others behind them."""
    places = [names.index(name) if name in names else len(names) for name in value]
    return places == sorted(places)


@given(KEYWORDS)
@settings(max_examples=4 * settings().max_examples)
def test_objects(schema: dict[str, Any]) -> None:
    judge = JsonSchemaJudge(schema)
    valid = [value for value in OBJECTS if judge.accepts(spelled(value))]
    for order in ORDERS:
        try:
            lowered = lower(judge.root, order=order)
        except UnsatisfiableError:
            assert not valid
            continue
        wanted = [value for value in valid if order == "any" or is_in_order(value, order_of(schema))]
        admitted = [value for value in OBJECTS if admits(lowered, value)]
        assert is_masked(lowered)
        assert admitted == wanted, order


def lowered(order: str, **keywords: Any) -> Lowered:
    return lower(JsonSchemaJudge(OBJECT | keywords).root, order=order)


def all_of(names: list[str], part: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name in names}  # noqa: C420 - they share it on purpose


def checked(found: Lowered) -> set[str]:
    return {place for place, state in found.coverage.items() if state == "checked"}


@pytest.mark.parametrize("order", ORDERS)
def test_a_comma_is_offered_only_where_a_member_may_come(order: str) -> None:
    found = lowered(order, properties={"a": {}, "b": {}, "c": {}}, additionalProperties=False, required=["b"])
    for text, offered in (
        ('{"a":1', True),
        ('{"a":1,"b":1', True),
        ('{"a":1,"b":1,"c":1', False),
        ('{"b":1,"c":1', None),
    ):
        matcher = engine.byte_matcher(found.grammar)
        assert matcher.consume_tokens(list(text.encode()))
        follows = matcher.validate_tokens([ord(",")]) == 1
        assert follows == (order == "any" if offered is None else offered), text


MANY = [f"p{i:02}" for i in range(BITS + 4)]


@pytest.mark.parametrize("order", ORDERS)
def test_more_names_than_can_be_remembered(order: str) -> None:
    found = lowered(order, properties=all_of(MANY, {"type": "integer"}), additionalProperties=False)
    assert is_masked(found)
    assert admits(found, dict.fromkeys(MANY, 1))
    assert admits(found, dict.fromkeys(reversed(MANY), 1)) == (order == "any")
    assert admits(found, {MANY[-1]: 1})
    assert not admits(found, {MANY[-1]: "x"})
    assert not admits(found, {"q": 1})
    twice = b'{"p00":1,"p00":1}'
    assert not engine.completes(engine.byte_matcher(found.grammar), twice)


@pytest.mark.parametrize("order", ORDERS)
def test_more_required_names_than_can_be_remembered(order: str) -> None:
    required = MANY[:-1]
    found = lowered(order, properties=all_of(MANY, {"type": "integer"}), required=required)
    assert checked(found) == (set() if order == "schema" else {"/required"})
    assert admits(found, dict.fromkeys(MANY, 1))
    assert admits(found, dict.fromkeys(required, 1))
    assert not admits(found, dict.fromkeys(required[1:], 1))
    assert admits(found, dict.fromkeys(required[:-1], 1)) == (order == "any")


@pytest.mark.parametrize("order", ORDERS)
def test_more_dependencies_than_can_be_remembered(order: str) -> None:
    found = lowered(
        order,
        properties=all_of(MANY, {}),
        dependentRequired={name: [other] for name, other in pairwise(MANY)},
    )
    assert checked(found) == {"/dependentRequired"}
    assert admits(found, dict.fromkeys(MANY, 1))
    assert not admits(found, {MANY[0]: 1})
    assert admits(found, {MANY[-1]: 1})


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [{"minProperties": 70_000}, {"maxProperties": 70_000}])
def test_counts_beyond_the_counter_are_checked(order: str, limit: dict[str, int]) -> None:
    found = lowered(order, properties={"a": {}, "b": {}}, **limit)
    assert checked(found) == {f"/{keyword}" for keyword in limit}
    assert admits(found, {"a": 1, "b": 1})
    assert is_masked(lowered(order, **limit))


def test_counts_and_dependencies_of_very_many_names() -> None:
    names = [f"p{i:04}" for i in range(1_001)]
    limits = {"minProperties": 2, "dependentRequired": {names[0]: [names[1]]}}
    found = lowered("schema", properties=all_of(names, {}), **limits)
    assert checked(found) == {"/minProperties", "/dependentRequired"}
    assert admits(found, {names[0]: 1})
    found = lowered("schema", properties=all_of(names[:200], {}), **limits)
    assert is_masked(found)
    assert admits(found, {names[0]: 1, names[1]: 1})
    assert not admits(found, {names[0]: 1, names[2]: 1})
    assert not admits(found, {names[2]: 1})


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("required", [[], ["p0007", "p4990"]])
def test_five_thousand_properties(order: str, required: list[str]) -> None:
    names = [f"p{i:04}" for i in range(5_000)]
    found = lowered(order, properties=all_of(names, {"type": "integer"}), required=required)
    assert is_masked(found)
    assert admits(found, {"p0007": 1, "p4990": 2, "q": "x"})
    assert admits(found, {"p4990": 2, "p0007": 1}) == (order == "any")
    assert admits(found, {"p0008": 1}) == (not required)
    assert not admits(found, {"p0007": "x", "p4990": 2})


@pytest.mark.parametrize("order", ORDERS)
def test_names_as_json_spells_them(order: str) -> None:
    names = ['"', "\\", "a/b", "\n", "é", "{}", " ", "", "a:", "😀"]
    found = lowered(order, properties=all_of(names, {"type": "integer"}), additionalProperties=False)
    assert is_masked(found)
    assert admits(found, dict.fromkeys(names, 1))
    for name in names:
        assert admits(found, {name: 1})
        assert not admits(found, {name: "x"})
        assert not admits(found, {name + "z": 1})


@pytest.mark.parametrize("order", ORDERS)
def test_a_named_member_is_never_one_of_the_others(order: str) -> None:
    found = lowered(order, properties={"a": {"type": "integer"}}, additionalProperties={"type": "string"})
    for value in ({"a": 1}, {"b": "x"}, {"a": 1, "b": "x"}, {"ab": "x"}, {"": "x"}, {"\\u0061": "x"}):
        assert admits(found, value), value
    for value in ({"a": "x"}, {"b": 1}, {"A": 1}):
        assert not admits(found, value), value
    assert not engine.completes(engine.byte_matcher(found.grammar), b'{"\\u0061":"x"}')


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "keywords",
    [
        {"required": ["a"], "properties": {"a": False}},
        {"required": ["a"], "additionalProperties": False},
        {"required": ["a", "b"], "maxProperties": 1},
        {"minProperties": 2, "properties": {"a": {}}, "additionalProperties": False},
        {"minProperties": 2, "properties": {"a": {}, "b": False}, "additionalProperties": False},
        {"minProperties": 1, "propertyNames": False},
        {
            "minProperties": 1,
            "properties": {"a": {"type": "array", "items": False, "minItems": 1}},
            "propertyNames": {"enum": ["a"]},
        },
        {"required": ["a"], "dependentRequired": {"a": ["b"]}, "properties": {"b": False}},
        {"required": ["a"], "propertyNames": {"minLength": 2}},
        {"required": ["a"], "patternProperties": {"^a": False}},
    ],
)
def test_objects_that_cannot_be(order: str, keywords: dict[str, Any]) -> None:
    with pytest.raises(UnsatisfiableError):
        lowered(order, **keywords)
