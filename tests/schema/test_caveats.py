from __future__ import annotations

from typing import Any

import pytest

from harmony_gen.schema.caveats import caveats
from harmony_gen.schema.subschema import DIALECTS, Subschema
from support.corpora import bench_cases

STRING = "a string without maxLength may be as long as the budget lasts"
NUMBER = "a number without minimum and maximum may have many digits"
ARRAY = "an array without maxItems may be as long as the budget lasts"
ANY = "no type is given: values of all types may be written, however long"


def found(schema: dict[str, Any] | bool) -> list[tuple[str, str]]:
    return [tuple(caveat) for caveat in caveats(Subschema.root(schema))]


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"type": "boolean"},
        {"type": "string", "maxLength": 3},
        {"type": "string", "pattern": "^a{1,3}$"},
        {"type": "string", "format": "uuid"},
        {"type": ["string", "null"], "enum": ["a", None]},
        {"const": "a"},
        {"type": "integer", "minimum": 0, "exclusiveMaximum": 9},
        {"type": "number", "allOf": [{"minimum": 0}, {"maximum": 9}]},
        {"type": "array", "maxItems": 3, "items": {"type": "null"}},
        {"type": "array", "prefixItems": [{"type": "null"}], "items": False},
        {"$schema": DIALECTS[2], "type": "array", "items": [{"type": "null"}], "additionalItems": False},
        {"type": "string", "$ref": "#/$defs/short", "$defs": {"short": {"maxLength": 4}}},
        {"maxLength": 4, "anyOf": [{"type": "string"}, {"type": "null"}]},
        {"type": "null", "not": {"type": "string"}, "if": {"type": "array"}, "then": True},
        {"type": "array", "maxItems": 2, "items": {"const": 1}, "contains": {"type": "number"}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}},
        {"type": "null", "title": "t", "x-note": {"a": 1}, "$comment": "c", "default": None, "examples": []},
    ],
)
def test_nothing_to_say(schema: dict[str, Any] | bool) -> None:
    assert found(schema) == []


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, [("", ANY)]),
        ({"properties": {"a": {}}}, [("", ANY), ("/properties/a", ANY)]),
        ({"type": "string"}, [("", STRING)]),
        ({"type": "string", "pattern": "^a"}, [("", STRING)]),
        ({"type": "string", "pattern": "^a+$"}, [("", STRING)]),
        ({"type": "string", "pattern": "^a{2,}$"}, [("", STRING)]),
        ({"type": "string", "format": "uri"}, [("", STRING)]),
        ({"type": ["integer", "string"], "minimum": 0}, [("", STRING), ("", NUMBER)]),
        ({"type": "array"}, [("", ARRAY)]),
        ({"type": "array", "prefixItems": [{"type": "null"}]}, [("", ARRAY)]),
        ({"type": "object", "properties": {"a/b": {"type": "number"}}}, [("/properties/a~1b", NUMBER)]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, [("/anyOf/0", STRING)]),
        ({"anyOf": [{"type": "null"}, {}]}, [("/anyOf/1", ANY)]),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, [("/allOf/0", STRING)]),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}}, [("/$defs/a~1b", STRING)]),
        ({"$ref": "#a", "$defs": {"b": {"$anchor": "a", "type": "string"}}}, [("/$ref", STRING)]),
        ({"type": "null", "dependencies": {"a": ["b"]}}, [("", "`dependencies` is ignored in this dialect")]),
        (
            {"$schema": DIALECTS[2], "$ref": "#/definitions/a", "minimum": 1, "definitions": {"a": {"type": "null"}}},
            [("", "`minimum` stands beside $ref, and is ignored in this dialect")],
        ),
        ({"type": "null", "foo": 1}, [("", "`foo` is no keyword of JSON Schema, and is ignored")]),
        (
            {"type": "string", "maxLength": 9, "format": "url"},
            [("", "the format 'url' is not one of the standard, and is ignored")],
        ),
        (
            {"type": "null", "allOf": [{"not": {"foo": 1}}]},
            [("/allOf/0/not", "`foo` is no keyword of JSON Schema, and is ignored")],
        ),
    ],
)
def test_what_there_is_to_say(schema: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(schema) == expected


def test_real_schemas_are_walked_to_their_ends() -> None:
    assert sum(len(found(case["schema"])) for case in bench_cases()[::50] if "$ref" not in str(case)) > 50
