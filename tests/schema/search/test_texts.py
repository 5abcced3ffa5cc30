"""Suggested texts are valid: checked by jsonschema, and by the grammar of the schema."""

from __future__ import annotations

import json
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.errors import UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import lower
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.normal import Normal
from harmony_gen.schema.search.texts import Texts
from harmony_gen.schema.subschema import Subschema

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def texts_of(schema, **options) -> Texts:
    judge = JsonSchemaJudge(schema)
    return Texts(Normal(judge.root), judge.accepts_part, **options)


def short(schema, **options) -> str | None:
    texts = texts_of(schema, **options)
    return texts.short(texts.normal.root)


def derives(schema, text: str, order: str = "schema") -> bool:
    grammar = lower(Subschema.root(schema), order=order).grammar
    return engine.completes(engine.byte_matcher(grammar), text.encode())


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
    st.sampled_from([{"not": {"type": ["null", "boolean"]}}, {"not": {"const": 0}}, {"not": {"enum": ["", "a"]}}]),
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
    assert JsonSchemaJudge(schema).accepts(text.encode())
    assert derives(schema, text)


@given(SCHEMAS.filter(lambda schema: "$defs" not in json.dumps(schema)[2:]))
def test_different_texts_and_candidates_are_valid(schema):
    texts, judge = texts_of(schema), JsonSchemaJudge(schema)
    root = texts.normal.root
    assert all(judge.accepts(text.encode()) for text in texts.candidates(root))
    different = list(islice(texts.different(root), 30))
    assert all(judge.accepts(text.encode()) for text in different)
    assert texts.short(root) in {*different, *texts.candidates(root)}


EXAMPLES = [
    (True, "0"),
    ({"type": "string", "enum": [1, "a"]}, '"a"'),
    ({"allOf": [{"enum": [1, True]}, {"enum": [True, 2]}]}, "true"),
    ({"allOf": [{"type": "number"}, {"type": "integer"}], "minimum": 7}, "7"),
    ({"type": ["integer", "null"], "minimum": 100}, "100"),
    ({"type": ["integer", "null"], "minimum": 10000}, "null"),
    ({"$schema": DRAFT_4, "type": "integer", "minimum": 7, "exclusiveMinimum": True}, "8"),
    ({"$schema": DRAFT_4, "type": "integer", "maximum": -7, "exclusiveMaximum": True}, "-8"),
    (
        {"type": "object", "required": ["b", "x", "a"], "properties": {"a": {}, "b": {}}},
        '{"a":0,"b":0,"x":0}',
    ),
    ({"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"], "c": ["d"]}}, '{"a":0,"b":0}'),
    ({"$schema": DRAFT_7, "type": "object", "required": ["a"], "dependencies": {"a": ["b"]}}, '{"a":0,"b":0}'),
    ({"type": "object", "minProperties": 2, "properties": {"long": {"const": "xxxx"}}}, '{"long":"xxxx","a":0}'),
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
    ({"type": "object", "minProperties": 1, "propertyNames": {"enum": [""]}}, '{"":0}'),
    ({"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^k{2}$"}}, '{"kk":0}'),
    (
        {
            "type": "object",
            "required": ["z"],
            "minProperties": 2,
            "properties": {"a": {}, "z": {}},
            "additionalProperties": False,
        },
        '{"a":0,"z":0}',
    ),
    (
        {
            "type": "object",
            "minProperties": 2,
            "dependentRequired": {"a": ["b", "c"]},
            "properties": {"a": {}, "d": {}},
        },
        '{"d":0,"b":0}',
    ),
    (
        {
            "type": "object",
            "minProperties": 1,
            "dependentRequired": {"a": ["b"]},
            "properties": {"a": {}, "b": {"type": "string"}},
            "additionalProperties": False,
        },
        '{"b":""}',
    ),
    ({"type": "object", "not": {"required": ["a"]}, "minProperties": 1, "properties": {"a": {}}}, '{"b":0}'),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True}, "[0,1,-1]"),
    ({"type": "array", "minItems": 2, "uniqueItems": True, "items": {"type": "number"}}, "[0,1]"),
    ({"type": "array", "minItems": 3, "uniqueItems": True, "items": {"type": "boolean"}}, None),
    (
        {"type": "array", "minItems": 3, "uniqueItems": True, "items": {"type": "array", "items": {"const": 1}}},
        "[[],[1],[1,1]]",
    ),
    ({"type": "array", "contains": {"const": "c"}, "minContains": 0}, "[]"),
    ({"type": "array", "contains": {"const": "c"}, "items": {"type": "string"}}, '["c"]'),
    ({"type": "array", "contains": {"const": "c"}, "minContains": 2}, '["c","c"]'),
    (
        {"type": "array", "contains": {"const": 1}, "maxContains": 1, "minItems": 2, "items": {"enum": [1, 22]}},
        "[1,22]",
    ),
    (
        {"type": "array", "allOf": [{"contains": {"minimum": 5}}, {"contains": {"maximum": 5}}], "maxItems": 1},
        "[5]",
    ),
    (
        {"type": "array", "allOf": [{"contains": {"const": 1}}, {"contains": {"const": "x"}}]},
        '[1,"x"]',
    ),
    ({"type": "array", "prefixItems": [{"const": 1}], "contains": {"const": "x"}}, '[1,"x"]'),
    ({"type": "array", "minItems": 2_000}, None),
    (
        {"$schema": DRAFT_7, "items": [{"const": 1}], "additionalItems": {"const": 2}, "minItems": 3, "type": "array"},
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
    ({"type": "object", "required": ["a"], "dependentSchemas": {"a": {"required": ["b"]}}}, '{"a":0,"b":0}'),
    (
        {"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"]}, "minProperties": 3},
        '{"a":0,"b":0,"c":0}',
    ),
    ({"oneOf": [{"type": "integer"}, {"maximum": 5}], "type": "number"}, "6"),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"}, '{"a":0}'),
    ({"not": {"additionalProperties": {"type": "integer"}}, "type": "object"}, '{"a":null}'),
    ({"not": {"items": {"type": "integer"}}, "type": "array"}, '[""]'),
    (
        {
            "$defs": {
                "list": {
                    "anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/$defs/list"}, "minItems": 1}]
                }
            },
            "$ref": "#/$defs/list",
        },
        "null",
    ),
]


@pytest.mark.parametrize(("schema", "wanted"), EXAMPLES)
def test_examples(schema, wanted):
    assert short(schema) == wanted
    if wanted is not None:
        assert JsonSchemaJudge(schema).accepts(wanted.encode())
        assert derives(schema, wanted)


MORE = [
    {"type": "string", "pattern": "^a", "format": "hostname", "minLength": 3},
    {"type": "string", "format": "email", "minLength": 9},
    {"type": "array", "minItems": 5, "uniqueItems": True, "items": {"type": "string", "pattern": "^ab.$"}},
    {
        "type": "array",
        "minItems": 5,
        "uniqueItems": True,
        "items": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    },
    {
        "type": "array",
        "minItems": 3,
        "uniqueItems": True,
        "items": {"type": "array", "uniqueItems": True, "items": {"enum": [1, 2]}},
    },
    {"type": "object", "minProperties": 70, "additionalProperties": {"type": "null"}},
    {"if": {"propertyNames": {"pattern": "^[ab]"}}, "then": False, "patternProperties": {"^a": {"maxItems": 1}}},
]


@pytest.mark.parametrize("schema", [schema for schema, wanted in EXAMPLES if wanted is not None] + MORE)
@pytest.mark.parametrize("order", ["schema", "any"])
def test_examples_in_both_orders(schema, order):
    text = short(schema, any_order=order == "any")
    assert text is not None
    assert JsonSchemaJudge(schema).accepts(text.encode())
    assert derives(schema, text, order)


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"const": 1}, {"const": 2}]},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"type": "array", "items": False, "minItems": 1},
        {"type": "object", "required": ["me"], "properties": {"me": {"$ref": "#"}}},
        {"type": "string", "pattern": "^a$", "maxLength": 0},
        {"type": "object", "maxProperties": 1, "required": ["a"], "dependentRequired": {"a": ["b"]}},
    ],
)
def test_no_text_where_there_is_no_value(schema):
    assert short(schema) is None


def test_what_is_loose_is_taken_for_exact_without_another_judge():
    schema = {"not": {"additionalProperties": {"type": "integer"}}, "type": "object"}
    texts = Texts(Normal(Subschema.root(schema)))
    assert texts.short(texts.normal.root) == "{}"


def test_fillers_under_a_pattern_differ():
    schema = {
        "type": "object",
        "required": ["a"],
        "minProperties": 4,
        "patternProperties": {"^[a-e]$": True},
        "additionalProperties": False,
    }
    assert short(schema) == '{"a":0,"b":0,"c":0,"d":0}'


def test_a_filler_may_be_recursive():
    schema = {"type": "object", "minProperties": 1, "properties": {"me": {"$ref": "#"}}}
    assert short(schema) == '{"a":0}'


def test_the_author_s_examples_are_candidates():
    texts = texts_of({"type": ["string", "integer"], "examples": ["x y", True, "z"], "default": 7})
    assert list(texts.candidates(texts.normal.root))[-3:] == ['"x y"', '"z"', "7"]


def test_examples_come_in_the_order_of_the_grammar_and_only_if_they_are_valid():
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {}},
        "required": ["a"],
        "examples": [{"b": [1.0], "a": 1.0}, {"b": 1}, {"a": "x"}, {"z": 0, "a": 2}],
        "minProperties": 2,
    }
    texts = texts_of(schema)
    assert texts.hints(texts.normal.root) == ('{"a":1,"b":[1]}', '{"a":2,"z":0}')
    exemplary = texts_of(schema, exemplary=True)
    assert exemplary.short(exemplary.normal.root) == '{"a":1,"b":[1]}'
    arrays = {"type": "array", "minItems": 1, "maxItems": 2, "contains": {"const": 1}, "maxContains": 1}
    texts = texts_of(arrays | {"examples": [[], [2], [1, 1], [1, 2, 3], [2, 1.0]]})
    assert texts.hints(texts.normal.root) == ("[2,1]",)


ENDLESS = {"type": "object", "required": ["me"], "properties": {"me": {"$ref": "#/$defs/endless"}}}


def different(schema, count: int) -> list[str]:
    texts = texts_of(schema)
    return list(islice(texts.different(texts.normal.root), count))


def test_different_arrays_and_objects():
    assert different({"type": "array", "items": {"enum": [1, 2]}, "maxItems": 2}, 9) == [
        "[]", "[1]", "[1,1]", "[2]", "[1,2]",
    ]  # fmt: skip
    assert different({"type": "array", "maxItems": 2**31 - 1}, 2) == ["[]", "[null]"]
    assert different({"type": "array", "items": {"$ref": "#/$defs/endless"}, "$defs": {"endless": ENDLESS}}, 9) == [
        "[]"
    ]
    assert different({"type": "array", "minItems": 1, "items": False}, 9) == []
    assert different({**ENDLESS, "$defs": {"endless": ENDLESS}}, 9) == []
    assert (
        different({"type": "object", "maxProperties": 1, "required": ["a"], "dependentRequired": {"a": ["b"]}}, 1) == []
    )
    found = different({"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"]}, 30)
    assert len(set(found)) == 30
    assert {'{"a":1}', '{"a":2}'} <= {*found}
    assert len(different({"const": {"a": [1, {"b": 2}]}}, 9)) == 1
    nested = {"type": "object", "properties": {"me": {"$ref": "#"}}, "additionalProperties": False}
    assert different(nested, 9) == ["{}", '{"me":{}}', '{"me":{"me":{}}}', '{"me":{"me":{"me":{}}}}']


def test_what_is_loose_has_more_candidates():
    schema = {"type": "object", "not": {"additionalProperties": {"type": "integer"}}}
    texts = texts_of(schema)
    found = texts.candidates(texts.normal.root)
    assert len(found) > 3
    assert all(JsonSchemaJudge(schema).accepts(text.encode()) for text in found)


def test_a_union_offers_a_text_of_each_shape():
    schema = {"anyOf": [{"type": "object", "required": [name]} for name in ("a", "bb")] + [{"type": "array"}]}
    texts = texts_of(schema)
    assert set(texts.candidates(texts.normal.root)) == {'{"a":0}', '{"bb":0}', "[]"}


def test_the_first_shapes_of_a_large_union_need_not_be_possible():
    never = {"type": "object", "required": ["me"], "properties": {"me": {"$ref": "#/anyOf/0"}}}
    impossible = [{**never, "minProperties": count} for count in range(2, 60)]
    schema = {"anyOf": [never, *impossible, {"type": "object", "required": ["x"], "properties": {"me": False}}]}
    assert short(schema) == '{"x":0}'


def test_unsatisfiable_means_no_short_text():
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}
    with pytest.raises(UnsatisfiableError):
        lower(Subschema.root(schema))
    assert short(schema) is None
