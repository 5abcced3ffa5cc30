"""Which members and items other keywords look at."""

from __future__ import annotations

from typing import Any

import pytest

from harmony_gen.schema.normal.unevaluated import also_applied, evaluated_items, evaluated_properties
from harmony_gen.schema.subschema import DIALECTS, Subschema

NESTED = {"unevaluatedProperties": False, "unevaluatedItems": False}
BRANCHING = [
    {"anyOf": [{}]},
    {"oneOf": [{}]},
    {"if": {}, "then": {}},
    {"dependentSchemas": {"a": {}}},
    {"$dynamicRef": "#"},
]


@pytest.mark.parametrize(
    ("schema", "names", "patterns"),
    [
        ({}, set(), []),
        ({"type": "object", "required": ["z"], "items": {}}, set(), []),
        ({"properties": {"a": {}, "b": False}, "patternProperties": {"^c": {}}}, {"a", "b"}, ["^c"]),
        ({"additionalProperties": {"type": "null"}}, set(), [""]),
        (
            {
                "properties": {"a": {}},
                "allOf": [{"properties": {"b": {}}}, {"allOf": [{"patternProperties": {"x": {}}}]}],
            },
            {"a", "b"},
            ["x"],
        ),
        ({"$ref": "#/$defs/d", "properties": {"a": {}}, "$defs": {"d": {"properties": {"b": {}}}}}, {"a", "b"}, []),
        ({"unevaluatedProperties": False, "properties": {"a": {}}}, {"a"}, []),
        ({"allOf": [NESTED]}, set(), [""]),
        ({"not": {"properties": {"a": {}}}}, set(), []),
        ({"properties": {"a": {"properties": {"b": {}}}}}, {"a"}, []),
    ],
)
def test_properties(schema: Any, names: set[str], patterns: list[str]) -> None:
    assert evaluated_properties(Subschema.root(schema), frozenset()) == (names, patterns)


@pytest.mark.parametrize(
    ("schema", "length"),
    [
        ({}, 0),
        ({"prefixItems": [{}, {}]}, 2),
        ({"prefixItems": [{}], "allOf": [{"prefixItems": [{}, {}, {}]}, {"minItems": 9}]}, 3),
        ({"prefixItems": [{}], "items": {}}, None),
        ({"allOf": [{"items": False}]}, None),
        ({"allOf": [NESTED]}, None),
        ({"contains": {}}, None),
        ({"unevaluatedItems": False, "prefixItems": [{}]}, 1),
        ({"$schema": DIALECTS[3], "items": [{}, {}]}, 2),
        ({"$schema": DIALECTS[3], "items": [{}, {}], "additionalItems": False}, None),
        ({"$schema": DIALECTS[3], "items": {}}, None),
    ],
)
def test_items(schema: Any, length: int | None) -> None:
    assert evaluated_items(Subschema.root(schema), frozenset()) == length


@pytest.mark.parametrize("keywords", BRANCHING)
@pytest.mark.parametrize("inside", [False, True])
def test_what_depends_on_the_value_is_not_known(keywords: Any, inside: bool) -> None:
    root = Subschema.root({"allOf": [keywords]} if inside else keywords)
    assert evaluated_properties(root, frozenset()) is None
    assert evaluated_items(root, frozenset()) is None


def test_a_schema_that_applies_itself_is_not_known() -> None:
    root = Subschema.root({"allOf": [{"$ref": "#"}]})
    assert evaluated_properties(root, frozenset()) is None
    assert evaluated_items(root, frozenset()) is None


def test_what_applies_to_the_same_value() -> None:
    root = Subschema.root(
        {"allOf": [{"title": "1"}, True], "$ref": "#/$defs/d", "anyOf": [{}], "$defs": {"d": {"title": "2"}}}
    )
    assert [part.contents for part in also_applied(root)] == [{"title": "1"}, True, {"title": "2"}]
    assert list(also_applied(Subschema.root({"$ref": "#/$defs/none"}))) == []
