"""What is known to share no value, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harmony_gen.schema.normal import Normal, disjoint
from harmony_gen.schema.normal.disjoint import Disjoint
from harmony_gen.schema.subschema import Subschema

if TYPE_CHECKING:
    from harmony_gen.schema.normal.node import Node


def kind(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"const": value}, **more}, "required": [name, *more]}


def items(*parts: Any, **keywords: Any) -> dict[str, Any]:
    return {"type": "array", "prefixItems": list(parts), "minItems": len(parts), **keywords}


def nested(schema: Any, depth: int) -> Any:
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


def nodes(*schemas: Any) -> tuple[Normal, list[Node]]:
    root = Subschema.root({"$defs": {str(i): schema for i, schema in enumerate(schemas)}})
    normal = Normal(root)
    return normal, [normal.node_of(root, schema) for schema in schemas]


def are_disjoint(one: Any, other: Any) -> bool:
    normal, (left, right) = nodes(one, other)
    compared = Disjoint(normal.node)
    found = compared.disjoint(left, right)
    assert compared.disjoint(right, left) == found
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "string"}, {"type": ["integer", "array"]}),
        ({"const": True}, {"const": False}),
        ({"const": 1}, {"const": "1"}),
        ({"type": "integer", "maximum": 3}, {"type": "integer", "exclusiveMinimum": 3}),
        ({"type": "integer"}, {"enum": [0.5, "x"]}),
        ({"enum": ["a", "b"]}, {"enum": ["c"]}),
        ({"type": "string", "pattern": "^a"}, {"const": "b"}),
        ({"type": "string", "maxLength": 2}, {"type": "string", "minLength": 3}),
        (kind("k", "a"), kind("k", "b")),
        (kind("k", "a", first={}), kind("other", 1, k={"const": "b"})),
        (kind("k", {"v": 1}), kind("k", {"v": 2})),
        ({"type": "object", "required": ["a"]}, {"type": "object", "properties": {"a": False}}),
        ({"type": "object", "minProperties": 2}, {"type": "object", "maxProperties": 1}),
        (items({"const": 1}), items({"const": 2})),
        (items({}, {"type": "null"}), items({}, {"type": "string"}, items=False)),
        ({"type": "array", "minItems": 2}, {"type": "array", "maxItems": 1}),
        ({"type": "array", "minItems": 1, "items": {"const": 1}}, {"type": "array", "items": {"type": "string"}}),
        (nested({"const": 1}, 3), nested({"const": 2}, 3)),
        (False, {}),
    ],
)
def test_disjoint(one: Any, other: Any) -> None:
    assert are_disjoint(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"type": "null"}),
        ({"type": "number"}, {"type": "integer"}),
        ({"type": ["string", "null"]}, {"type": ["array", "null"]}),
        ({"const": True}, {"type": "boolean"}),
        ({"type": "integer", "maximum": 3}, {"type": "integer", "minimum": 3}),
        ({"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "b$"}),
        (kind("k", "a"), kind("l", "b")),
        ({"type": "object", "properties": {"k": {"const": 1}}}, {"type": "object", "properties": {"k": {"const": 2}}}),
        ({"type": "array", "items": {"const": 1}}, {"type": "array", "items": {"const": 2}}),
        (items({"const": 1}), items({"type": "integer"})),
        ({"multipleOf": 2, "type": "integer"}, {"multipleOf": 3, "type": "integer"}),
    ],
)
def test_not_known_to_be_disjoint(one: Any, other: Any) -> None:
    assert not are_disjoint(one, other)


def test_only_a_few_levels_are_looked_at() -> None:
    assert not are_disjoint(nested({"const": 1}, 6), nested({"const": 2}, 6))


def test_what_is_not_known_yet_may_overlap() -> None:
    _, (one, other) = nodes(kind("k", "a"), kind("k", "b"))
    assert not Disjoint(lambda _: None).disjoint(one, other)


def test_members_that_lead_back_to_themselves_may_overlap() -> None:
    ring = {"type": "object", "properties": {"next": {"$ref": "#/$defs/0"}}, "required": ["next"]}
    other = {"type": "object", "properties": {"next": {"$ref": "#/$defs/1"}}, "required": ["next"]}
    assert not are_disjoint(ring, other)


def test_overlaps_names_the_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [kind("k", "a"), {"type": "string"}, kind("k", "b"), {"type": ["string", "object"]}, kind("k", "a")]
    normal, found = nodes(*parts)
    assert Disjoint(normal.node).overlaps(found) == [(0, 3), (0, 4), (1, 3), (2, 3), (3, 4)]
    monkeypatch.setattr(disjoint, "_MOST_COMPARED", -1)  # from there on only types are compared
    assert Disjoint(normal.node).overlaps(found) == [(0, 2), (0, 3), (0, 4), (1, 3), (2, 3), (2, 4), (3, 4)]
