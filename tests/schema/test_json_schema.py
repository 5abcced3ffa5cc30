"""What `lower` says of a schema: which keyword is guaranteed how, and what is refused where."""

from __future__ import annotations

import copy
import json
import socket
from typing import Any

import pytest

from harmony_gen import SchemaError, UnsatisfiableError
from harmony_gen.schema import engine, json_schema
from harmony_gen.schema.json_schema import CONSTRAINTS, Lowered, close_objects, lower, subschemas
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.scanner import pointer
from harmony_gen.schema.sources import registry_of
from harmony_gen.schema.subschema import DIALECTS, Subschema
from support.corpora import bench_cases

DRAFT4, DRAFT6, DRAFT7, DRAFT2019, DRAFT2020 = DIALECTS


def lowered(schema: Any) -> Lowered:
    return lower(Subschema.root(schema))


def accepts(found: Lowered, text: bytes) -> bool:
    return engine.completes(engine.byte_matcher(found.grammar), text)


def places(schema: Any, state: str) -> set[str]:
    return {place for place, said in lowered(schema).coverage.items() if said == state}


def test_the_coverage_names_every_constraining_keyword() -> None:
    for case in bench_cases()[::60]:
        root = Subschema.root(case["schema"])
        expected = {
            pointer((*path, keyword))
            for path, part in subschemas(case["schema"])
            for keyword in part
            if keyword in CONSTRAINTS and keyword in root.child(part).keywords
        }
        coverage = lower(root).coverage
        assert {place for place in expected - set(coverage) if not place.endswith("/format")} == set(), case["id"]
        assert set(coverage) <= expected
        assert set(coverage.values()) <= {"masked", "checked"}


@pytest.mark.parametrize("order", ["any", "schema"])
def test_lowering_is_repeatable_and_leaves_the_schema_as_it_was(order: str) -> None:
    for case in bench_cases()[::200]:
        schema = case["schema"]
        before = copy.deepcopy(schema)
        first, again = (lower(Subschema.root(part), order=order) for part in (schema, before))
        assert again.grammar == first.grammar
        assert list(again.coverage.items()) == list(first.coverage.items())
        assert schema == before


NO_TEXT = {"not": {"type": "string"}}
OVERLAPPING = {"^a": {"type": "integer"}, "b$": {"minimum": 3}}
MASKED = [
    True,
    {},
    {"title": "t", "default": 1, "examples": [1], "x-mine": 1, "$comment": "c"},
    {"type": "integer", "minimum": 1},
    {"type": "string", "format": "path"},
    {"format": "uuid"},
    {"format": "date"},
    {"format": "uri-reference"},
    {"pattern": "^a+$"},
    {"pattern": "^(?=a)[ab]+$"},
    {"pattern": "^(?!a).*b$", "minLength": 3},
    {"maxItems": 2.0},
    {"maxItems": 1e30},
    {"multipleOf": 7},
    {"enum": [1, "x", {"a": [None]}], "type": ["object", "string"]},
    NO_TEXT,
    {"not": {"required": ["a"], "properties": {"a": {"type": "string"}}}},
    {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}},
    {"if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["b"]}},
    {"oneOf": [{"type": ["null", "string"]}, {"minLength": 2}]},
    {"oneOf": [{"required": ["a"]}, {"required": ["b"]}, {"minProperties": 3}]},
    {"oneOf": [{"oneOf": [{"type": ["null", "array"]}, {"maxItems": 1}]}, {"type": ["array", "string"]}]},
    {"anyOf": [{"type": "string"}, NO_TEXT]},
    {"properties": {"a": {}, "b": {}}, "minProperties": 1, "maxProperties": 2},
    {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"properties": {"a": {"type": "null"}}}}},
    {"propertyNames": {"pattern": "^[a-c]+$", "maxLength": 3}},
    {"patternProperties": OVERLAPPING, "additionalProperties": False},
    {"properties": {"ab": {"type": "number"}}, "patternProperties": OVERLAPPING},
    {"contains": {"enum": ["a"]}, "minContains": 2, "maxContains": 3},
    {"uniqueItems": True, "items": {"enum": ["a", 1, None]}},
    {"prefixItems": [{"type": "null"}], "unevaluatedItems": {"type": "string"}},
    {"properties": {"a": {}}, "unevaluatedProperties": False},
    {"$ref": "#/$defs/a", "unevaluatedProperties": False, "$defs": {"a": {"properties": {"a": {}}}}},
    {"exclusiveMinimum": 0},
    {"type": "integer", "exclusiveMinimum": 3},
]


@pytest.mark.parametrize("schema", MASKED)
def test_what_is_masked(schema: Any) -> None:
    found = lowered(schema)
    assert set(found.coverage.values()) <= {"masked"}
    assert found.exact


@pytest.mark.parametrize(
    ("schema", "checked"),
    [
        ({"pattern": "(a)\\1", "type": "string"}, {"/pattern"}),
        ({"format": "email"}, {"/format"}),
        ({"format": "hostname", "minLength": 3}, {"/format"}),
        ({"format": "regex"}, {"/format"}),
        ({"uniqueItems": True}, {"/uniqueItems"}),
        ({"properties": {"a/b": {"uniqueItems": True}}, "required": ["a/b"]}, {"/properties/a~1b/uniqueItems"}),
        ({"multipleOf": 0.01, "minimum": 0}, {"/multipleOf"}),
        ({"multipleOf": 1e-30}, {"/multipleOf"}),
        ({"exclusiveMinimum": 1, "maximum": 5}, {"/exclusiveMinimum", "/maximum"}),
        ({"not": {"const": 0.5}}, {"/not", "/not/const"}),
        ({"contains": {"type": "null"}, "prefixItems": [{}]}, {"/contains", "/contains/type"}),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, {"/oneOf"}),
        ({"not": {"uniqueItems": True}}, {"/not", "/not/uniqueItems"}),
        ({"not": {"oneOf": [{"uniqueItems": True}, {"type": "null"}]}}, None),
        (
            {"if": {"uniqueItems": True}, "then": {"maxItems": 1}, "else": {"minItems": 9}},
            {"/if", "/if/uniqueItems", "/then", "/then/maxItems", "/else", "/else/minItems"},
        ),
        ({"not": {"items": {"type": "integer"}}}, {"/not/items/type"}),
        (
            {"oneOf": [{"patternProperties": {"^a": {"type": "null"}}}, {"required": ["a"]}]},
            {"/oneOf"},
        ),
        (
            {"not": {"properties": {"a": {}}, "additionalProperties": {"type": "null"}}},
            {"/not", "/not/properties", "/not/additionalProperties", "/not/additionalProperties/type"},
        ),
        ({"anyOf": [{"properties": {"a": {}}}, {}], "unevaluatedProperties": False}, {"/unevaluatedProperties"}),
        ({"contains": {"const": "x"}, "unevaluatedItems": False}, {"/unevaluatedItems"}),
        ({"anyOf": [{"type": "string"}, {"$ref": "#"}]}, {"/anyOf"}),
        ({"$ref": "#/odd", "odd": {"uniqueItems": True}}, {"/$ref"}),
        ({"$ref": "#/odd", "odd": {"maxItems": 1}}, set()),
        ({"items": {"$ref": DRAFT7}}, {"/items/$ref"}),
    ],
)
def test_what_is_checked(schema: Any, checked: set[str] | None) -> None:
    found = lowered(schema)
    places = {place for place, state in found.coverage.items() if state == "checked"}
    if checked is None:
        assert "/not" in places
    else:
        assert places == checked
    assert found.exact == (not places)


def test_a_dynamic_reference_is_masked_where_it_can_only_mean_one_thing() -> None:
    tree = {"type": "object", "properties": {"a": {"$dynamicRef": "#t"}}, "$dynamicAnchor": "t"}
    assert places(tree, "checked") == set()
    resources = {"$id": "http://schemas.test/a", "$defs": {"b": {"$id": "b"}}}
    assert places({**resources, **tree}, "checked") == {"/properties/a/$dynamicRef"}


def test_what_only_another_document_leaves_out_is_checked_at_the_reference() -> None:
    documents = {"http://schemas.test/loose": {"uniqueItems": True}, "http://schemas.test/exact": {"maxItems": 1}}
    for name, state in (("loose", "checked"), ("exact", "masked")):
        schema = {"properties": {"a": {"$ref": f"http://schemas.test/{name}"}}}
        coverage = lower(Subschema.root(schema, registry_of(documents, schema))).coverage
        assert coverage == {"/properties": "masked", "/properties/a/$ref": state}


@pytest.mark.parametrize(
    ("schema", "masked"),
    [
        (
            {"$schema": DRAFT4, "minimum": 5, "exclusiveMinimum": True, "type": "integer"},
            {"/minimum", "/exclusiveMinimum", "/type"},
        ),
        (
            {"$schema": DRAFT4, "const": 1, "if": {"type": "string"}, "then": {"minLength": 3}},
            {"/if/type", "/then/minLength"},
        ),
        ({"$schema": DRAFT6, "const": 1}, {"/const"}),
        ({"$schema": DRAFT7, "dependencies": {"a": ["b"]}}, {"/dependencies"}),
        ({"dependencies": {"a": ["b"]}}, set()),
        ({"$schema": DRAFT7, "dependentRequired": {"a": ["b"]}, "unevaluatedItems": False}, set()),
        ({"$schema": DRAFT2019, "dependentRequired": {"a": ["b"]}}, {"/dependentRequired"}),
        ({"$schema": DRAFT7, "prefixItems": 5, "$defs": 5}, set()),
        (
            {"$schema": DRAFT7, "$defs": {"a": {"pattern": 5, "patternProperties": 5}}},
            {"/$defs/a/pattern", "/$defs/a/patternProperties"},
        ),
        (
            {"$schema": DRAFT7, "items": [{"type": "null"}], "additionalItems": False},
            {"/items", "/items/0/type", "/additionalItems"},
        ),
        (
            {"$schema": DRAFT2019, "$recursiveRef": "#/$defs/a", "$defs": {"a": {"type": "null"}}},
            {"/$recursiveRef", "/$defs/a/type"},
        ),
        (
            {"$schema": DRAFT7, "$ref": "#/definitions/a", "type": "null", "definitions": {"a": {"type": "string"}}},
            {"/$ref", "/definitions/a/type"},
        ),
        (
            {"$schema": DRAFT2019, "$ref": "#/$defs/a", "type": "string", "$defs": {"a": {"minLength": 1}}},
            {"/$ref", "/type", "/$defs/a/minLength"},
        ),
    ],
)
def test_coverage_by_dialect(schema: Any, masked: set[str]) -> None:
    assert places(schema, "masked") == masked
    assert places(schema, "checked") == set()


def test_ref_siblings_are_ignored_before_2019_and_count_since() -> None:
    schema = {"$ref": "#/definitions/a", "type": "integer", "definitions": {"a": {"type": ["string", "integer"]}}}
    for uri in DIALECTS:
        found = lowered({"$schema": uri, **schema})
        assert accepts(found, b"1")
        assert accepts(found, b'"x"') is (uri in (DRAFT4, DRAFT6, DRAFT7))


@pytest.mark.parametrize("uri", DIALECTS)
def test_grammar_and_judge_read_a_dialect_alike(uri: str) -> None:
    schemas: list[dict[str, Any]] = [
        {"const": 5},
        {"type": "array", "items": {"type": "null"}, "prefixItems": [{"type": "integer"}]},
        {"type": "array", "additionalItems": False},
        {"format": "date"},
        {"dependentRequired": {"a": ["b"]}, "type": "object"},
        {"if": {"type": "integer"}, "then": False},
        {"enum": [{"a": 1}, [1], 5]},
    ]
    for part in schemas:
        schema = {"$schema": uri, **part}
        judge, found = JsonSchemaJudge(schema), lowered(schema)
        for text in (b"5", b"6", b"[]", b"[1]", b"[null]", b'{"a":1}', b'{"a":2}', b'"2024-01-01"', b'"x"'):
            assert accepts(found, text) >= judge.accepts(text), (schema, text)
            assert accepts(found, text) == judge.accepts(text) or not found.exact, (schema, text)


def test_exclusive_bounds_of_draft_4() -> None:
    def numbers(**bounds: Any) -> list[int]:
        found = lowered({"$schema": DRAFT4, "type": "integer", **bounds})
        return [number for number in range(10) if accepts(found, str(number).encode())]

    assert numbers(minimum=3, exclusiveMinimum=True, maximum=6, exclusiveMaximum=False) == [4, 5, 6]
    assert numbers(minimum=3, maximum=6, exclusiveMaximum=True) == [3, 4, 5]


@pytest.mark.parametrize(
    ("schema", "place", "keyword"),
    [
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/x.json"}}}, "/properties/a/$ref", "$ref"),
        ({"items": {"$ref": "file:///etc/hostname"}}, "/items/$ref", "$ref"),
        ({"allOf": [{"anyOf": [{"$ref": "#/$defs/no"}]}]}, "/allOf/0/anyOf/0/$ref", "$ref"),
        ({"not": {"$ref": "#no"}}, "/not/$ref", "$ref"),
        ({"$dynamicRef": "#no"}, "/$dynamicRef", "$dynamicRef"),
        ({"$ref": "#/odd/place", "odd": {"place": {"$ref": "#/no"}}}, "", "$ref"),
        ({"$ref": "#/title", "title": "x"}, "/$ref", "$ref"),
        ({"$schema": DRAFT4, "patternProperties": {"[": {}}}, "/patternProperties", "patternProperties"),
        ({"$schema": DRAFT4, "items": {"pattern": "[["}}, "/items/pattern", "pattern"),
        ({"propertyNames": {"pattern": "(?<n>a)\\k<m>"}}, "/propertyNames/pattern", "pattern"),
        ({"$ref": "#"}, "/$ref", "$ref"),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/a", "title": "x", "minProperties": 1}},
                "$defs": {"a": {"$ref": "#/$defs/b", "type": "object"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}},
            },
            "/properties/a/$ref",
            "$ref",
        ),
        ({"items": {"$schema": "http://schemas.test/unknown", "$id": "http://schemas.test/a"}}, "/$schema", "$schema"),
    ],
)
def test_a_refusal_names_place_and_keyword(
    schema: dict[str, Any], place: str, keyword: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("the network was touched"))
    with pytest.raises(SchemaError) as caught:
        lowered(schema)
    error = caught.value
    assert not isinstance(error, UnsatisfiableError)
    assert (error.pointer, error.keyword) == (place, keyword)
    assert place in str(error) or keyword == "$schema"
    assert keyword in str(error) or "regular expression" in str(error)


def test_more_schemas_than_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_schema, "_MOST_SCHEMAS", 3)
    with pytest.raises(SchemaError, match=r"holds 4 schemas; 3 can be compiled.*\$ref"):
        lowered({"allOf": [{}, {}, {}]})
    assert lowered({"allOf": [{}, {}]}).exact


def test_a_grammar_that_the_engine_refuses_is_made_plainer_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = engine.byte_matcher

    def refuse_differences(grammar: str) -> Any:
        if "needle" in grammar:
            raise engine.GrammarError("too large\nat length")
        return compiled(grammar)

    monkeypatch.setattr(engine, "byte_matcher", refuse_differences)
    found = lowered({"type": ["null", "object"], "not": {"not": {"required": ["needle"]}}})
    assert found.coverage["/not"] == "checked"
    assert engine.completes(compiled(found.grammar), b"{}")
    with pytest.raises(SchemaError, match=r"too large to be compiled: too large$") as caught:
        lowered({"required": ["needle"]})
    assert not isinstance(caught.value, UnsatisfiableError)


def test_a_pattern_with_a_doubled_bracket_is_no_warning() -> None:
    assert accepts(lowered({"$schema": DRAFT4, "pattern": "^[[a]+$"}), b'"[a"')


def test_many_conditions_are_masked_or_checked_but_never_refused() -> None:
    condition = {"if": {"required": ["a"]}, "then": {"required": ["b"]}}
    others = [{**condition, "else": {"required": [f"c{i}"]}} for i in range(30)]
    found = lowered({"type": "object", "allOf": [condition, *others]})
    assert accepts(found, json.dumps({f"c{i}": 1 for i in range(30)}, separators=(",", ":")).encode())
    assert found.coverage["/type"] == "masked"


def test_subschemas_are_found_where_schemas_stand_and_nowhere_else() -> None:
    schema = {
        "properties": {"type": {"title": "1"}},
        "items": [{"title": "2"}, True],
        "not": {"allOf": [{"title": "3"}]},
        "enum": [{"title": "no"}],
        "const": {"title": "no"},
        "dependencies": {"a": ["b"], "c": {"title": "4"}},
        "default": {"properties": {"a": {"title": "no"}}},
    }
    found = {pointer(path): part.get("title") for path, part in subschemas(schema)}
    assert found == {
        "": None,
        "/properties/type": "1",
        "/items/0": "2",
        "/not": None,
        "/not/allOf/0": "3",
        "/dependencies/c": "4",
    }
    assert list(subschemas(True)) == []


def test_objects_are_closed_unless_they_say_otherwise() -> None:
    schema = {
        "properties": {"a": {"properties": {}}, "b": {"properties": {}, "additionalProperties": True}},
        "$defs": {"m": {"type": "object"}},
    }
    closed = close_objects(schema)
    assert closed == {
        "properties": {
            "a": {"properties": {}, "additionalProperties": False},
            "b": {"properties": {}, "additionalProperties": True},
        },
        "$defs": {"m": {"type": "object"}},
        "additionalProperties": False,
    }
    assert "additionalProperties" not in schema
    assert close_objects(True) is True
