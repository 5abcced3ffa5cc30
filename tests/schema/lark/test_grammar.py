"""Grammars as a whole: recursion, what cannot be, what lies too deep, what the engine does not take."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import UnsatisfiableError
from harmony_gen.schema import engine, json_schema
from harmony_gen.schema.json_schema import Lowered, lower
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.lark import Grammar, Unproductive
from harmony_gen.schema.normal import Normal
from harmony_gen.schema.rules import DEEPEST
from harmony_gen.schema.subschema import Subschema
from support.schemas import admits, is_masked, spelled

ORDERS = ("any", "schema")

TREE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "left": {"$ref": "#"}, "right": {"$ref": "#"}},
    "required": ["value"],
    "additionalProperties": False,
}
LIST = {
    "$ref": "#/$defs/list",
    "$defs": {
        "list": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/cell"}]},
        "cell": {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"$ref": "#/$defs/list"}],
            "minItems": 2,
            "items": False,
        },
    },
}
EXPRESSION = {
    "$id": "http://schemas.test/expression",
    "$ref": "#expression",
    "$defs": {
        "e": {
            "$anchor": "expression",
            "oneOf": [
                {"type": "integer"},
                {
                    "properties": {"op": {"const": "neg"}, "of": {"$ref": "#expression"}},
                    "required": ["op", "of"],
                    "additionalProperties": False,
                    "type": "object",
                },
                {
                    "properties": {"op": {"enum": ["add", "mul"]}, "of": {"$ref": "operands"}},
                    "required": ["op", "of"],
                    "additionalProperties": False,
                    "type": "object",
                },
            ],
        },
        "o": {"$id": "operands", "type": "array", "items": {"$ref": "expression#expression"}, "minItems": 2},
    },
}
TREES = st.recursive(
    st.fixed_dictionaries({"value": st.integers(0, 9) | st.just("x")}),
    lambda inner: st.fixed_dictionaries({"value": st.integers(0, 9)}, optional={"left": inner, "right": inner}),
    max_leaves=6,
)
LISTS = st.recursive(
    st.none() | st.just(1), lambda inner: st.tuples(st.integers(0, 9), inner).map(list) | st.lists(inner, max_size=3)
)
EXPRESSIONS = st.recursive(
    st.integers(0, 9) | st.just("x"),
    lambda inner: st.fixed_dictionaries(
        {"op": st.sampled_from(["neg", "add"]), "of": inner | st.lists(inner, max_size=3)}
    ),
    max_leaves=6,
)


def in_order(value: Any) -> Any:
    """A value with its members in the order of the schemas above."""
    if isinstance(value, list):
        return [in_order(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: in_order(value[name]) for name in ("value", "left", "right", "op", "of") if name in value}


def lowered(schema: Any, order: str = "any") -> Lowered:
    return lower(JsonSchemaJudge(schema).root, order=order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("schema", "values"), [(TREE, TREES), (LIST, LISTS), (EXPRESSION, EXPRESSIONS)])
@given(data=st.data())
def test_recursion(schema: Any, values: st.SearchStrategy[Any], order: str, data: st.DataObject) -> None:
    found, judge = lowered(schema, order), JsonSchemaJudge(schema)
    assert is_masked(found)
    value = in_order(data.draw(values))
    assert admits(found, value) == judge.accepts(spelled(value))


def test_what_refers_to_a_schema_that_is_being_compared_is_not_anything() -> None:
    """The branches of `oneOf` are compared, and hold the schema itself."""
    branches = [
        {"properties": {name: {"$ref": "#"}, "kind": {"const": kind}}, "required": [name]}
        for name, kind in (("a", 1), ("a", 2), ("b", 3))
    ]
    found = lowered({"oneOf": [{"type": "null"}, *({"type": "object", **branch} for branch in branches)]})
    assert admits(found, {"a": None, "kind": 1})
    assert admits(found, {"a": {"a": None, "kind": 2}, "kind": 1})
    assert not admits(found, {"a": 5, "kind": 1})
    assert not admits(found, {"a": {"a": 5, "kind": 2}, "kind": 1})


def nested(depth: int, inner: Any = None) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


def test_recursion_is_as_deep_as_answers() -> None:
    found = lowered({"oneOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#"}}]})
    assert admits(found, nested(DEEPEST))
    assert not admits(found, nested(DEEPEST, 1))


def items_of(schema: Any, depth: int, **keywords: Any) -> Any:
    for _ in range(depth):
        schema = {"type": "array", "items": schema, **keywords}
    return schema


def lowered_unchecked(schema: Any) -> Lowered:
    """Of a schema that is nested deeper than a meta-schema can check."""
    return lower(Subschema.root(schema))


def test_nothing_is_written_deeper_than_judges_read() -> None:
    found = lowered_unchecked(items_of({"type": "null"}, DEEPEST - 1))
    assert admits(found, nested(DEEPEST - 1))
    assert not admits(found, nested(DEEPEST))
    found = lowered_unchecked(items_of({"type": "null"}, DEEPEST + 20))
    assert admits(found, nested(DEEPEST - 1, []))
    assert not admits(found, nested(DEEPEST + 20))
    with pytest.raises(UnsatisfiableError):
        lowered_unchecked(items_of({"type": "null"}, DEEPEST + 20, minItems=1))


def test_a_goal_may_be_met_first_where_nothing_deeper_is_looked_up() -> None:
    contains = {"contains": {"const": 1}}
    schema = {
        "prefixItems": [{"$ref": "#/$defs/some"}],
        "items": items_of({"not": {"$ref": "#/$defs/some"}}, DEEPEST - 2),
    }
    found = lowered_unchecked({**schema, "$defs": {"some": contains}})
    assert admits(found, [[1], []])
    assert not admits(found, [[2], []])


ENDLESS = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}


@pytest.mark.parametrize(
    "schema",
    [
        ENDLESS,
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
        {"type": "array", "prefixItems": [{"type": "null"}, {"$ref": "#"}], "minItems": 2},
        {"type": "array", "contains": {"$ref": "#"}},
        {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#"}},
        {"type": "object", "required": ["a"], "properties": {"a": {"anyOf": [{"$ref": "#"}, {"enum": []}]}}},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "enum": [1]}}},
        {"type": "string", "minLength": 3, "maxLength": 1},
        {"type": "string", "pattern": "^a", "enum": ["b"]},
        {"type": "string", "pattern": "^a$", "minLength": 2},
        {"type": "integer", "minimum": 5, "maximum": 3},
        {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2},
        {"type": "integer", "multipleOf": 7, "minimum": 1, "maximum": 6},
        {"enum": []},
        {"not": {}},
        {"anyOf": [False, {"enum": []}]},
        {"oneOf": [True, True]},
        {"allOf": [{"type": "string"}, {"type": "null"}]},
        {"const": 1, "enum": [2, 3]},
        {"if": {"type": "string"}, "then": False, "else": {"const": "x"}},
        {"const": {"a": 1}, "required": ["b"]},
    ],
)
def test_what_no_finite_value_satisfies_is_refused(schema: Any) -> None:
    for order in ORDERS:
        with pytest.raises(UnsatisfiableError):
            lower(Subschema.root(schema), order=order)


def test_false_is_unsatisfiable() -> None:
    with pytest.raises(UnsatisfiableError, match="`false`"):
        lower(Subschema.root(False))


def test_what_cannot_be_is_left_out_and_the_rest_stays() -> None:
    found = lowered(
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/n"}, "b": {}},
            "$defs": {"n": {**ENDLESS, "properties": {"a": {"$ref": "#/$defs/n"}}}},
        }
    )
    assert is_masked(found)
    assert admits(found, {"b": 1})
    assert not admits(found, {"a": 1, "b": 1})
    with pytest.raises(Unproductive):
        Grammar(Normal(Subschema.root(ENDLESS)), any_order=True).text()


def test_a_terminal_that_the_engine_does_not_take_admits_all_strings() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"pattern": "needle"}, "b": {"pattern": "hay"}},
        "patternProperties": {"^needle": {"type": "integer"}},
        "additionalProperties": {"type": "null"},
    }
    grammar = Grammar(Normal(Subschema.root(schema)), any_order=True)
    assert "needle" in grammar.text()
    before = set(grammar.noted)
    text = grammar.relaxed(lambda text: "needle" not in text)
    assert "needle" not in text
    assert {what for _, what in grammar.noted - before} == {"string"}
    matcher = engine.byte_matcher(engine.grammar_of_lark(text))
    for value in ({"a": "x"}, {"a": "needle", "b": "hay"}, {"needle": 1}, {"any": 1}, {"other": None}):
        assert engine.completes(matcher, spelled(value)), value
    for value in ({"b": "x"}, {"other": "x"}):
        assert not engine.completes(matcher, spelled(value)), value


@pytest.mark.parametrize(
    ("part", "keywords"),
    [
        ({"pattern": "needle"}, {"pattern"}),
        ({"enum": ["needle", "x"]}, {"enum"}),
        ({"const": "needle"}, {"const"}),
        ({"type": "object", "patternProperties": {"needle": False}}, {"patternProperties"}),
        ({"type": "object", "properties": {"needle": {}}}, {"type", "properties"}),
    ],
)
def test_a_relaxed_keyword_is_checked(
    part: dict[str, Any], keywords: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def works(text: str) -> bool:
        return not re.search(r"^T.*needle", text, re.MULTILINE)

    monkeypatch.setattr(json_schema, "_compiles", works)
    coverage = lower(Subschema.root({"items": {**part, "title": "t"}, "minItems": 1})).coverage
    assert {place for place, state in coverage.items() if state == "checked"} == {f"/items/{key}" for key in keywords}


SCALARS = [None, True, False, 0, 1, -1, 0.5, 1e300, "", "x", '"\\\n', "é😀"]


@pytest.mark.parametrize("value", [*SCALARS, [], {}, SCALARS, {"a": SCALARS, "": {}, '"': [[1]]}])
def test_constants(value: Any) -> None:
    for schema in ({"const": value}, {"enum": [value]}, {"items": {"const": value}, "minItems": 1, "type": "array"}):
        found = lowered(schema)
        assert is_masked(found)
        wrapped = [value] if "items" in schema else value
        assert admits(found, wrapped)
        for other in (*SCALARS, [], {}, [1], {"a": 1}):
            if json.dumps(other) != json.dumps(value):
                assert not admits(found, [other] if "items" in schema else other), other


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(UnsatisfiableError):
        lower(Subschema.root({"const": "\ud800"}))
    found = lower(Subschema.root({"enum": ["\ud800", "x"]}))
    assert admits(found, "x")


def test_everything() -> None:
    found = lowered(True)
    assert found.coverage == {}
    for value in (*SCALARS[:7], SCALARS[8:], {"a": [{"b": None}]}):
        assert admits(found, value), value
    for text in (b"", b"tru", b"[1,]", b'{"a"}', b"'x'", b'"\n"', b"nan", b'"\\ud800"', b"[1 ]"):
        assert not engine.completes(engine.byte_matcher(found.grammar), text), text
