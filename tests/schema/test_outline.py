"""Suggested texts are valid: checked by jsonschema."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.schema.outline import ANYTHING, Alternative, Outline, same, spell, type_of
from harmony_gen.schema.subschema import Subschema
from harmony_gen.schema.texts import Texts, numbers, strings

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def texts_of(schema) -> Texts:
    return Texts(Outline(Subschema.root(schema)))


def short(schema) -> str | None:
    texts = texts_of(schema)
    return texts.short(texts.outline.root)


def is_valid(schema, text: str) -> bool:
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return bool(kind(schema, format_checker=kind.FORMAT_CHECKER).is_valid(json.loads(text)))


SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | st.sampled_from([0.5, "", "a", "é\n", '"'])
LEAVES = st.one_of(
    st.builds(lambda value: {"const": value}, SCALARS),
    st.builds(lambda values: {"enum": values}, st.lists(SCALARS, min_size=1, max_size=3)),
    st.builds(
        lambda least, room: {"type": "integer", "minimum": least, "maximum": least + room},
        st.integers(-300, 300),
        st.integers(0, 3),
    ),
    st.builds(lambda least: {"type": "number", "exclusiveMinimum": least}, st.floats(-5, 5, width=16)),
    st.builds(lambda divisor: {"type": "integer", "multipleOf": divisor, "minimum": 1}, st.integers(1, 50)),
    st.builds(lambda length: {"type": "string", "minLength": length, "maxLength": length}, st.integers(0, 9)),
    st.sampled_from([{"type": "string", "pattern": "^[b-d]{3}$"}, {"type": "string", "format": "date"}, {}, True]),
)


def _deeper(inner):
    named = st.dictionaries(st.sampled_from("abcdef"), inner, max_size=3)
    return st.one_of(
        st.builds(lambda item, least: {"type": "array", "items": item, "minItems": least}, inner, st.integers(0, 3)),
        st.builds(lambda item: {"type": "array", "prefixItems": [item], "minItems": 2}, inner),
        st.builds(lambda item: {"type": "array", "contains": item}, inner),
        st.builds(lambda members: {"type": "object", "properties": members, "required": sorted(members)}, named),
        st.builds(lambda members: {"type": "object", "properties": members, "minProperties": 2}, named),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"allOf": [part], "$comment": "all"}, inner),
        st.builds(lambda part: {"$ref": "#/$defs/x", "$defs": {"x": part}}, LEAVES),
    )


SCHEMAS = st.recursive(LEAVES, _deeper, max_leaves=5)


@given(SCHEMAS.filter(lambda schema: "$defs" not in json.dumps(schema)[2:]))
def test_a_short_text_is_valid(schema):
    text = short(schema)
    assert text is not None
    assert is_valid(schema, text)


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (True, "0"),
        (False, None),
        ({"type": "string", "enum": [1, "a"]}, '"a"'),
        ({"allOf": [{"enum": [1, True]}, {"enum": [True, 2]}]}, "true"),
        ({"allOf": [{"const": 1}, {"const": 2}]}, None),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, None),
        ({"allOf": [{"type": "number"}, {"type": "integer"}], "minimum": 7}, "7"),
        ({"type": ["integer", "null"], "minimum": 1000}, "null"),
        ({"$schema": DRAFT_4, "type": "integer", "minimum": 7, "exclusiveMinimum": True}, "8"),
        ({"$schema": DRAFT_4, "type": "integer", "maximum": -7, "exclusiveMaximum": True}, "-8"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "0.1"),
        ({"type": "number", "minimum": 1e301}, None),
        ({"type": "integer", "minimum": 100, "multipleOf": 7}, "105"),
        (
            {"type": "object", "required": ["b", "x", "a"], "properties": {"a": {}, "b": {}}},
            '{"a":0,"b":0,"x":0}',
        ),
        (
            {"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"], "c": ["d"]}},
            '{"a":0,"b":0}',
        ),
        (
            {"$schema": DRAFT_7, "type": "object", "required": ["a"], "dependencies": {"a": ["b"]}},
            '{"a":0,"b":0}',
        ),
        ({"$schema": DRAFT_4, "type": "object", "required": ["a"], "properties": {"a": False}}, None),
        (
            {"type": "object", "minProperties": 2, "properties": {"long": {"const": "xxxx"}}},
            '{"long":"xxxx","a":0}',
        ),
        (
            {
                "type": "object",
                "minProperties": 1,
                "patternProperties": {"^x{3}$": {"const": 1}},
                "additionalProperties": False,
            },
            '{"xxx":1}',
        ),
        ({"type": "object", "minProperties": 1, "propertyNames": {"enum": ["key"]}}, '{"key":0}'),
        ({"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^k{2}$"}}, '{"kk":0}'),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True}, "[0,1,-1]"),
        ({"type": "array", "minItems": 2, "uniqueItems": True, "items": {"type": "number"}}, "[0,1]"),
        ({"type": "array", "minItems": 3, "uniqueItems": True, "items": {"const": 0}}, "[0,1,2]"),
        ({"type": "array", "contains": {"const": "c"}, "minContains": 0}, "[]"),
        ({"type": "array", "contains": {"const": "c"}, "items": {"type": "string"}}, '["c"]'),
        ({"type": "array", "minItems": 2_000}, None),
        ({"type": "array", "items": False, "minItems": 1}, None),
        (
            {
                "$schema": DRAFT_7,
                "type": "array",
                "items": [{"const": 1}],
                "additionalItems": {"const": 2},
                "minItems": 3,
            },
            "[1,2,2]",
        ),
        (
            {
                "if": {"properties": {"k": {"const": 1}}, "required": ["k"]},
                "then": {"required": ["x"]},
                "else": {"required": ["longer"]},
                "type": "object",
            },
            '{"longer":0}',
        ),
        (
            {
                "if": {"properties": {"k": {"const": 1}}, "required": ["k"]},
                "then": {"required": ["x"]},
                "else": False,
                "type": "object",
            },
            '{"k":1,"x":0}',
        ),
        ({"type": "object", "required": ["a"], "dependentSchemas": {"a": {"required": ["b"]}}}, '{"a":0}'),
        (
            {"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"]}, "minProperties": 3},
            '{"a":0,"b":0,"c":0}',
        ),
        ({"$ref": "#/nowhere", "const": 5}, "5"),
        ({"$ref": "#"}, "0"),
        (
            {
                "$defs": {
                    "list": {
                        "anyOf": [
                            {"type": "null"},
                            {"type": "array", "items": {"$ref": "#/$defs/list"}, "minItems": 1},
                        ]
                    }
                },
                "$ref": "#/$defs/list",
            },
            "null",
        ),
        ({"type": "object", "required": ["me"], "properties": {"me": {"$ref": "#"}}}, None),
        ({"type": "string", "pattern": "("}, '""'),
        ({"type": "string", "pattern": "^a", "format": "hostname", "minLength": 3}, '"aaa"'),
        ({"type": "string", "pattern": "^a$", "maxLength": 0}, None),
    ],
)
def test_examples(schema, wanted):
    assert short(schema) == wanted


def test_fillers_under_a_pattern_differ():
    schema = {
        "type": "object",
        "required": ["a"],
        "minProperties": 4,
        "patternProperties": {"^[a-e]$": True},
        "additionalProperties": False,
    }
    text = short(schema)
    assert text is not None
    assert is_valid(schema, text)


def test_a_filler_may_be_recursive():
    schema = {"type": "object", "minProperties": 1, "properties": {"me": {"$ref": "#"}}}
    text = short(schema)
    assert text is not None
    assert is_valid(schema, text)


def test_the_author_s_examples_are_candidates():
    texts = texts_of({"type": ["string", "integer"], "examples": ["x y", True, "z"], "default": 7})
    (alternative,) = texts.outline.root
    assert list(texts.candidates(alternative))[-3:] == ['"x y"', '"z"', "7"]


def test_a_pattern_that_python_cannot_read_applies_to_no_member():
    outline = Outline(Subschema.root({"type": "object", "patternProperties": {r"^\p{L}$": {"const": 1}}}))
    assert outline.child(outline.root[0], "a") == (ANYTHING,)


def test_alternatives_are_bounded_and_none_is_forgotten_for_another():
    parts = [{"anyOf": [{"required": [f"{i}{j}"]} for j in range(50)]} for i in range(3)]
    outline = Outline(Subschema.root({"allOf": parts}))
    assert 0 < len(outline.root) <= 100
    union = Outline(Subschema.root({"anyOf": [{"anyOf": [{"const": [i, j]} for j in range(90)]} for i in range(9)]}))
    assert {alternative.values[0][0] for alternative in union.root} == set(range(9))


def test_a_part_counts_once():
    schema = {"$defs": {"a": {"required": ["x"]}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}
    (alternative,) = Outline(Subschema.root(schema)).root
    assert alternative.required == ["x"]
    assert sum("required" in part.keywords for part in alternative.parts) == 1


def test_items_behind_a_tuple_are_alike():
    outline = Outline(Subschema.root({"prefixItems": [{"const": 1}, {"const": 2}], "items": {"const": 3}}))
    (alternative,) = outline.root
    assert outline.child(alternative, 2) is outline.child(alternative, 99)
    assert [option.values for option in outline.child(alternative, 1)] == [[2]]


def test_optional_members_come_behind_the_last_one_seen():
    (alternative,) = Outline(Subschema.root({"properties": {"a": {}, "b": {}, "c": {}}, "required": ["z"]})).root
    assert alternative.optional_after(("b", "other")) == ["c", "z"]
    assert alternative.optional_after(()) == ["a", "b", "c", "z"]


@given(st.text(max_size=5), st.integers(0, 8))
def test_strings_go_on_from_what_is_there(partial, least):
    (alternative,) = Outline(Subschema.root({"type": "string", "minLength": least})).root
    assert all(len(partial + rest) >= least for rest in strings(alternative, partial))


@given(
    st.floats(-50, 50, width=16, allow_subnormal=False),
    st.sampled_from([0, 0.25, 1, 5]),
    st.sampled_from([None, 1, 3, 0.5]),
)
def test_numbers_keep_their_bounds(low, room, divisor):
    schema = {"minimum": low, "exclusiveMaximum": low + room} | ({} if divisor is None else {"multipleOf": divisor})
    (alternative,) = Outline(Subschema.root(schema)).root
    assert all(is_valid(schema, spell(value)) for value in numbers(alternative, whole=False))


def test_anything_has_no_parts():
    assert ANYTHING.types == Alternative().types
    assert list(strings(ANYTHING, "a")) == [""]


def test_values():
    assert not same(True, 1)
    assert same(1.0, 1)
    assert [type_of(value) for value in (None, True, 1, 1.0, 1.5, "", [], {})] == [
        "null", "boolean", "integer", "integer", "number", "string", "array", "object",
    ]  # fmt: skip
    assert spell({"é": "\ud800"}) == '{"\\u00e9":"\\ud800"}'
    assert spell({"é": 1}) == '{"é":1}'
