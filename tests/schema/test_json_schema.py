from __future__ import annotations

import copy
import json
import socket
from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import SchemaError, UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import CONSTRAINTS, Lowered, close_objects, lower, subschemas
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.scanner import Path, Scan, pointer
from harmony_gen.schema.subschema import DIALECTS, Subschema, certain, dialect, siblings_count
from support.corpora import bench_cases

DRAFT4, DRAFT6, DRAFT7, DRAFT2019, DRAFT2020 = DIALECTS


def in_order(root: Subschema, value: Any, path: Path = ()) -> Any:
    """A document with its members in the order of the `properties` that certainly apply."""
    if isinstance(value, list):
        return [in_order(root, item, (*path, index)) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    names = [name for part in certain(root, path) for name in part.keywords.get("properties", ())]
    keys = [
        *(name for name in dict.fromkeys(names) if name in value),
        *(key for key in value if key not in names),
    ]
    return {key: in_order(root, value[key], (*path, key)) for key in keys}


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def accepts(lowered: Lowered, text: bytes) -> bool:
    return engine.completes(engine.byte_matcher(lowered.grammar), text)


@cache
def lowered_cases() -> list[tuple[str, Any, Lowered, list[tuple[bytes, bool]]]]:
    """Real schemas that compile, with the texts of their instances and the judge's verdicts."""
    found = []
    for case in bench_cases()[::9]:
        schema = case["schema"]
        try:
            judge, lowered, root = JsonSchemaJudge(schema), lower(schema), Subschema.root(schema)
        except SchemaError:
            continue
        texts = [compact(in_order(root, test["data"])) for test in case["tests"]]
        found.append((case["id"], schema, lowered, [(text, judge.accepts(text)) for text in texts]))
    return found


def test_a_grammar_that_masks_everything_admits_only_what_is_valid() -> None:
    verdicts: Counter[bool] = Counter()
    for name, _, lowered, texts in lowered_cases():
        if "checked" in lowered.coverage.values():
            continue
        for text, valid in texts:
            verdicts[valid] += 1
            assert valid or not accepts(lowered, text), (name, text)
    assert verdicts[False] > 100
    assert verdicts[True] > 100


def test_a_grammar_refuses_a_valid_text_only_for_the_order_of_members() -> None:
    refused = total = 0
    for name, _, lowered, texts in lowered_cases():
        for text in (text for text, valid in texts if valid):
            total += 1
            if not accepts(lowered, text):
                refused += 1
                fits = engine.byte_matcher(lowered.grammar).validate_tokens(list(text))
                assert Scan().feed(text[:fits])[0].in_key, (name, text[:fits])
    assert total > 200
    assert refused < total * 0.03


def test_relaxing_never_narrows() -> None:
    compared = 0
    for name, schema, lowered, texts in lowered_cases():
        if not isinstance(schema, dict) or ("$ref" in schema and not siblings_count(dialect(schema))):
            continue
        relaxed = lower({**schema, "uniqueItems": True, "not": {"const": "no value of any test"}})
        assert relaxed.coverage["/not"] == "checked"
        for text, _ in texts:
            if accepts(lowered, text):
                compared += 1
                assert accepts(relaxed, text), (name, text)
    assert compared > 200


def test_the_coverage_names_every_constraining_keyword() -> None:
    for name, schema, lowered, _ in lowered_cases():
        expected = {
            pointer((*path, keyword))
            for path, part in subschemas(schema)
            for keyword in part
            if keyword in CONSTRAINTS
            and keyword not in {"format", "if", "then", "else"}
            and keyword in Subschema.root(schema).child(part).keywords
        }
        assert expected - set(lowered.coverage) == set(), name
        assert set(lowered.coverage.values()) <= {"masked", "checked"}


def test_lowering_is_repeatable_and_leaves_the_schema_as_it_was() -> None:
    for _, schema, lowered, _ in lowered_cases()[::4]:
        before = copy.deepcopy(schema)
        again = lower(schema)
        assert again.grammar == lowered.grammar
        assert list(again.coverage.items()) == list(lowered.coverage.items())
        assert schema == before


NAMES = st.sampled_from("ab")
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 7, "", "x", "xyz"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
PLAIN = st.sampled_from(
    [
        {"type": "string", "minLength": 2},
        {"type": "integer", "minimum": 1},
        {"type": "array", "maxItems": 1.0},
        {"type": ["null", "boolean"]},
        {"enum": [0, "x", None]},
        {"const": "x"},
        {"type": "array", "uniqueItems": True},
        True,
        False,
        {},
    ]
)


def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object")},
            optional={
                "properties": st.dictionaries(NAMES, inner, max_size=2),
                "required": st.lists(NAMES, max_size=2, unique=True),
                "additionalProperties": inner,
            },
        ),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"anyOf": some}),
        st.fixed_dictionaries({"oneOf": some}),
        st.fixed_dictionaries({"allOf": some}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"if": inner, "then": inner}, optional={"else": inner}),
        st.fixed_dictionaries({"contains": inner}),
    )


SCHEMAS = st.recursive(PLAIN, combined, max_leaves=5)


@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=6))
def test_small_schemas_admit_all_that_is_valid_and_mask_what_they_say(schema: Any, values: list[Any]) -> None:
    judge = JsonSchemaJudge(schema)
    try:
        lowered = lower(schema)
    except UnsatisfiableError:
        assert not any(judge.accepts(compact(value)) for value in values)
        return
    masked = "checked" not in lowered.coverage.values()
    for value in values:
        for text in spellings(value):
            if judge.accepts(text):
                assert any(accepts(lowered, other) for other in spellings(value))
            elif masked:
                assert not accepts(lowered, text)


def spellings(value: Any) -> list[bytes]:
    """A document with all its members in ascending, and in descending order."""
    text = json.dumps(value)
    return [compact(json.loads(text, object_pairs_hook=order)) for order in (ascending, descending)]


def ascending(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(sorted(pairs))


def descending(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(sorted(pairs, reverse=True))


def masked_and_checked(schema: Any) -> tuple[set[str], set[str]]:
    coverage = lower(schema).coverage
    return tuple({place for place, state in coverage.items() if state == wanted} for wanted in ("masked", "checked"))


@pytest.mark.parametrize(
    ("schema", "masked", "checked"),
    [
        (True, set(), set()),
        ({}, set(), set()),
        ({"title": "t", "default": 1, "examples": [1], "x-mine": 1, "$comment": "c"}, set(), set()),
        ({"type": "integer", "minimum": 1}, {"/type", "/minimum"}, set()),
        ({"type": "string", "format": "path"}, {"/type"}, set()),
        ({"format": "uuid"}, {"/format"}, set()),
        ({"format": "date"}, set(), {"/format"}),
        ({"format": "uri-reference"}, set(), {"/format"}),
        ({"pattern": "^a+$"}, {"/pattern"}, set()),
        ({"pattern": "^(?=a)[ab]+$"}, set(), {"/pattern"}),
        ({"pattern": "(a)\\1"}, set(), {"/pattern"}),
        ({"uniqueItems": True}, set(), {"/uniqueItems"}),
        ({"maxItems": 2.0}, {"/maxItems"}, set()),
        ({"maxItems": 1e30}, set(), {"/maxItems"}),
        ({"maximum": 10**30}, set(), {"/maximum"}),
        ({"multipleOf": 1e-30}, set(), {"/multipleOf"}),
        ({"not": {"type": "string"}}, set(), {"/not", "/not/type"}),
        (
            {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}},
            set(),
            {"/if", "/if/type", "/then", "/then/minLength", "/else", "/else/minimum"},
        ),
        ({"if": {"type": "string"}}, set(), set()),
        ({"then": {"type": "string"}}, set(), set()),
        (
            {"oneOf": [{"type": "number"}, {"type": "integer"}]},
            {"/oneOf/0/type", "/oneOf/1/type"},
            {"/oneOf"},
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {"/oneOf", "/oneOf/0/type", "/oneOf/1/type"},
            set(),
        ),
        (
            {"properties": {"a/b": {"format": "date"}}, "required": ["a/b"]},
            {"/properties", "/required"},
            {"/properties/a~1b/format"},
        ),
        (
            {"properties": {"a": {}, "b": {}}, "minProperties": 1},
            {"/properties"},
            {"/minProperties"},
        ),
        (
            {"contains": {"const": 1}, "minContains": 2},
            set(),
            {"/contains", "/contains/const", "/minContains"},
        ),
        (
            {"not": {"oneOf": [{"type": "number"}, {"not": {"type": "integer"}}]}},
            set(),
            {"/not", "/not/oneOf", "/not/oneOf/0/type", "/not/oneOf/1/not", "/not/oneOf/1/not/type"},
        ),
        (
            {"oneOf": [{"oneOf": [{"type": "number"}, {"minimum": 1}]}, {"type": ["integer", "string"]}]},
            {"/oneOf/0/oneOf/0/type", "/oneOf/0/oneOf/1/minimum", "/oneOf/1/type"},
            {"/oneOf", "/oneOf/0/oneOf"},
        ),
    ],
)
def test_coverage(schema: Any, masked: set[str], checked: set[str]) -> None:
    assert masked_and_checked(schema) == (masked, checked)


@pytest.mark.parametrize(
    ("schema", "masked", "checked"),
    [
        (
            {"$schema": DRAFT4, "minimum": 5, "exclusiveMinimum": True, "type": "integer"},
            {"/minimum", "/exclusiveMinimum", "/type"},
            set(),
        ),
        ({"$schema": DRAFT4, "const": 1, "if": {"type": "string"}, "then": {"minLength": 3}}, set(), set()),
        ({"$schema": DRAFT6, "const": 1}, {"/const"}, set()),
        ({"$schema": DRAFT7, "dependencies": {"a": ["b"]}}, set(), {"/dependencies"}),
        ({"dependencies": {"a": ["b"]}}, set(), set()),
        ({"$schema": DRAFT7, "dependentRequired": {"a": ["b"]}, "unevaluatedItems": False}, set(), set()),
        ({"$schema": DRAFT2019, "dependentRequired": {"a": ["b"]}}, set(), {"/dependentRequired"}),
        ({"$schema": DRAFT7, "prefixItems": 5, "$defs": 5}, set(), set()),
        (
            {"$schema": DRAFT7, "items": [{"type": "null"}], "additionalItems": False},
            {"/items", "/items/0/type", "/additionalItems"},
            set(),
        ),
        ({"$schema": DRAFT2019, "$recursiveRef": "#"}, set(), {"/$recursiveRef"}),
        (
            {
                "$schema": DRAFT7,
                "$ref": "#/definitions/a",
                "type": "null",
                "definitions": {"a": {"type": "string"}},
            },
            {"/$ref", "/definitions/a/type"},
            set(),
        ),
        (
            {"$schema": DRAFT2019, "$ref": "#/$defs/a", "type": "string", "$defs": {"a": {"minLength": 1}}},
            {"/$ref", "/type", "/$defs/a/minLength"},
            set(),
        ),
    ],
)
def test_coverage_by_dialect(schema: Any, masked: set[str], checked: set[str]) -> None:
    assert masked_and_checked(schema) == (masked, checked)


def test_ref_siblings_are_ignored_before_2019_and_count_since() -> None:
    schema = {
        "$ref": "#/definitions/a",
        "type": "integer",
        "definitions": {"a": {"type": ["string", "integer"]}},
    }
    for uri in DIALECTS:
        lowered = lower({"$schema": uri, **schema})
        assert accepts(lowered, b"1")
        assert accepts(lowered, b'"x"') is (uri in (DRAFT4, DRAFT6, DRAFT7))


@pytest.mark.parametrize("uri", DIALECTS)
def test_grammar_and_judge_read_a_dialect_alike(uri: str) -> None:
    schemas: list[dict[str, Any]] = [
        {"const": 5},
        {"type": "array", "items": {"type": "null"}, "prefixItems": [{"type": "integer"}]},
        {"type": "array", "additionalItems": False},
        {"format": "date"},
        {"dependentRequired": {"a": ["b"]}, "type": "object"},
        {"if": {"type": "integer"}, "then": False},
    ]
    for part in schemas:
        schema = {"$schema": uri, **part}
        judge, lowered = JsonSchemaJudge(schema), lower(schema)
        for text in (b"5", b"6", b"[]", b"[1]", b"[null]", b'{"a":1}', b'"2024-01-01"', b'"x"'):
            assert accepts(lowered, text) or not judge.accepts(text), (schema, text)


def test_exclusive_bounds_of_draft_4() -> None:
    def numbers(**bounds: Any) -> list[int]:
        lowered = lower({"$schema": DRAFT4, "type": "integer", **bounds})
        return [number for number in range(10) if accepts(lowered, str(number).encode())]

    assert numbers(minimum=3, exclusiveMinimum=True, maximum=6, exclusiveMaximum=False) == [4, 5, 6]
    assert numbers(minimum=3, maximum=6, exclusiveMaximum=True) == [3, 4, 5]


@pytest.mark.parametrize(
    ("schema", "pointer_", "keyword"),
    [
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/x.json"}}}, "/properties/a/$ref", "$ref"),
        ({"items": {"$ref": "file:///etc/hostname"}}, "/items/$ref", "$ref"),
        ({"allOf": [{"anyOf": [{"$ref": "#/$defs/no"}]}]}, "/allOf/0/anyOf/0/$ref", "$ref"),
        ({"$dynamicRef": "#no"}, "/$dynamicRef", "$dynamicRef"),
        ({"$ref": "#/odd/place", "odd": {"place": {"$ref": "#/no"}}}, "/$ref/$ref", "$ref"),
        ({"$ref": "#/title", "title": "x"}, "/$ref", "$ref"),
        (
            {"a": 1, "patternProperties": {"^a": {"type": "null"}, "b$": {"type": "string"}}},
            "/patternProperties",
            "patternProperties",
        ),
        (
            {"properties": {"p": {"patternProperties": {"(?=a)": {}}}}},
            "/properties/p/patternProperties",
            "patternProperties",
        ),
        ({"$schema": DRAFT4, "patternProperties": {"[": {}}}, "/patternProperties", "patternProperties"),
        ({"$schema": DRAFT4, "items": {"pattern": "[["}}, "/items/pattern", "pattern"),
        ({"items": {"$ref": DRAFT7}}, "", None),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/a", "title": "x", "minProperties": 1}},
                "$defs": {
                    "a": {"$ref": "#/$defs/b", "type": "object"},
                    "b": {"$ref": "#/$defs/a", "type": "object"},
                },
            },
            None,
            "$ref",
        ),
    ],
)
def test_a_refusal_names_place_and_keyword(
    schema: dict[str, Any], pointer_: str | None, keyword: str | None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("the network was touched"))
    with pytest.raises(SchemaError) as caught:
        lower(schema)
    error = caught.value
    assert not isinstance(error, UnsatisfiableError)
    assert error.keyword == keyword
    if pointer_ is not None:
        assert error.pointer == pointer_
        assert pointer_ in str(error)
    else:
        assert error.pointer.endswith("/" + str(keyword))


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        (False, None),
        ({"type": "integer", "minimum": 5, "maximum": 3}, {"minimum", "maximum"}),
        ({"enum": []}, {"enum"}),
        ({"type": "array", "minItems": 3, "maxItems": 1}, {"minItems", "maxItems"}),
        ({"type": "string", "minLength": 3, "maxLength": 1}, {"minLength", "maxLength"}),
        ({"properties": {"a": False}, "required": ["a"], "type": "object"}, None),
    ],
)
def test_a_contradiction_is_unsatisfiable(schema: Any, keyword: set[str] | None) -> None:
    with pytest.raises(UnsatisfiableError) as caught:
        lower(schema)
    if keyword is not None:
        assert caught.value.keyword in keyword
        assert caught.value.pointer == f"/{caught.value.keyword}"


def test_a_pattern_with_a_doubled_bracket_is_no_warning() -> None:
    assert accepts(lower({"$schema": DRAFT4, "pattern": "^[[a]+$"}), b'"[a"')


def test_many_occurrences_are_relaxed_together() -> None:
    branches = [{"type": "number"}, {"type": "integer"}]
    schema = {"properties": {f"p{i}": {"oneOf": branches} for i in range(50)}}
    assert set(masked_and_checked(schema)[1]) == {f"/properties/p{i}/oneOf" for i in range(50)}


def test_one_occurrence_is_relaxed_alone() -> None:
    loose, exact = [{"type": "number"}, {"type": "integer"}], [{"type": "string"}, {"type": "integer"}]
    schema = {"properties": {"a": {"oneOf": loose}, "b": {"oneOf": exact}, "c": {"oneOf": loose}}}
    assert masked_and_checked(schema)[1] == {"/properties/a/oneOf", "/properties/c/oneOf"}


def test_many_conditionals_are_relaxed() -> None:
    condition = {"if": {"required": ["a"]}, "then": {"required": ["b"]}}
    schema = {
        "type": "object",
        "allOf": [condition, *({**condition, "else": {"required": [f"c{i}"]}} for i in range(30))],
    }
    lowered = lower(schema)
    assert accepts(lowered, b"{}")
    assert lowered.coverage["/allOf/30/else"] == "checked"
    assert lowered.coverage["/type"] == "masked"


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
